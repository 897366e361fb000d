"""The 52 face units by ARKit's names, as displacements of the model: lids on balls, eyes turned.

MakeHuman's units turn the eyes by 11 to 22 degrees; here each turns its own by GAZE_DEG, as a
rotation about the eyeball's centre, and the lids move on in proportion, as far as is lifelike.
"""

from collections.abc import Mapping

import numpy as np
from scipy.spatial.transform import Rotation

from .lids import settle
from .mesh import EYES
from .source import FACE_UNITS, Source
from .template import Template, eye_centre

GAZE_DEG = 25.0
# ARKit's names, in its order.
NAMES = (
    *(f"eye{what}{side}" for side in ("Left", "Right")
      for what in ("Blink", "LookDown", "LookIn", "LookOut", "LookUp", "Squint", "Wide")),
    *("jawForward", "jawLeft", "jawRight", "jawOpen"),
    *("mouthClose", "mouthFunnel", "mouthPucker", "mouthLeft", "mouthRight"),
    *(f"mouth{what}{side}" for what in ("Smile", "Frown", "Dimple", "Stretch")
      for side in ("Left", "Right")),
    *("mouthRollLower", "mouthRollUpper", "mouthShrugLower", "mouthShrugUpper"),
    *(f"mouth{what}{side}" for what in ("Press", "LowerDown", "UpperUp")
      for side in ("Left", "Right")),
    *("browDownLeft", "browDownRight", "browInnerUp", "browOuterUpLeft", "browOuterUpRight"),
    *("cheekPuff", "cheekSquintLeft", "cheekSquintRight", "noseSneerLeft", "noseSneerRight"),
    "tongueOut",
)  # fmt: skip
# Where a unit turns its eye: the axis for the subject's right eye, and by how much the lids of
# MakeHuman's unit move.
LOOKS: dict[str, tuple[tuple[float, float, float], float]] = {
    "LookUp": ((-1, 0, 0), 1.7),
    "LookDown": ((1, 0, 0), 1.5),
    "LookIn": ((0, 1, 0), 1.1),
    "LookOut": ((0, -1, 0), 1.1),
}


def face_units(source: Source, template: Template, head: np.ndarray) -> Mapping[str, np.ndarray]:
    """Return every unit's displacements (V, 3) in mm at full activation; head (V, 3): the mean."""
    raw = {name: _read(source, template, name) for name in NAMES}
    settled = settle(np.array(list(raw.values())), template)
    return {
        name: field + _turned(template, head, name)
        for name, field in zip(raw, settled, strict=True)
    }


def _read(source: Source, template: Template, name: str) -> np.ndarray:
    """Return MakeHuman's unit (V, 3); of those that turn the eyes, the lids alone."""
    mesh = template.mesh
    field = mesh.apply(source.target(f"{FACE_UNITS}{name}.target", mesh.operator.shape[1]))
    look = _look(name)
    if look is None:
        return field
    field[mesh.of(*EYES)] = 0.0
    return LOOKS[look][1] * field


def _look(name: str) -> str | None:
    """Return which way a unit turns its eye, if it does."""
    stem = name.removeprefix("eye").removesuffix("Left").removesuffix("Right")
    return stem if stem in LOOKS else None


def _turned(template: Template, head: np.ndarray, name: str) -> np.ndarray:
    """Return the rotation of a unit's eyeball as displacements (V, 3), zero where there is none."""
    turn = np.zeros_like(template.points)
    look = _look(name)
    if look is not None:
        right = name.endswith("Right")
        eye = EYES[0] if right else EYES[1]
        axis = np.array(LOOKS[look][0]) * (1 if right or look in ("LookUp", "LookDown") else -1)
        ball = template.mesh.of(eye)
        offset = head[ball] - eye_centre(head, template.mesh, eye)
        turn[ball] = Rotation.from_rotvec(np.radians(GAZE_DEG) * axis).apply(offset) - offset
    return turn
