"""FLAME 2017, 2020, 2023 and 2023 Open: .pkl (chumpy inside, latin1) or the same arrays as .npz.

v_template (V, 3) in metres, y up, z forward; shapedirs (V, 3, 300 + 100): identity, then
expression, each of one standard deviation; f (F, 3) from 0; posedirs (V, 3, 36); weights (V, 5) of
root, neck, jaw, left eye, right eye; J_regressor (5, V). (Li et al., SIGGRAPH Asia 2017.)
"""

from pathlib import Path
from typing import Any

import numpy as np

from facegen.errors import ModelError
from facegen.models.importers.foreign import Array, ForeignModel, modes, triangles_of
from facegen.models.model_file import Modes
from facegen.models.morphable_model import SEGMENTS

METRE = 1000.0
IDENTITIES = 300
KEYS = ("v_template", "shapedirs", "f")
JAW_KEYS = ("weights", "J_regressor", "posedirs")
JAW = 2
JAW_SD = 0.15  # radian: our choice for one deviation of the jaw's opening
JAW_SECANT = 0.3  # radian: how far the jaw is opened to find its direction
VERTICES, FIRST_EYE_VERTEX = 5023, 3931  # of the published topology: two eyeballs come last


def recognises(table: Any) -> bool:
    """Whether these arrays are FLAME's."""
    return isinstance(table, dict) and all(key in table for key in KEYS)


def read(table: dict[str, Any], path: Path) -> ForeignModel:
    """The linear part of the model, the jaw's opening as its first expression."""
    template = _numbers(table, "v_template", (None, 3))
    directions = _numbers(table, "shapedirs", (len(template), 3, None))
    flat = directions.reshape(3 * len(template), -1)
    identities = IDENTITIES if flat.shape[1] > IDENTITIES else _short(flat.shape[1])
    expression, note = flat[:, identities:], "no joints in the file: the jaw does not move"
    if all(key in table for key in JAW_KEYS):
        jaw = _opened_jaw(table, template) * (JAW_SD / JAW_SECANT)
        expression = np.concatenate([jaw.reshape(-1, 1), expression], axis=1)
        note = (
            f"the jaw's opening is expression 0: linear blend skinning at {JAW_SECANT} radian, "
            f"one deviation being {JAW_SD}; neck and eyes do not move"
        )
    return ForeignModel(
        name=path.stem,
        family="FLAME",
        shape=_scaled("shape", template, flat[:, :identities]),
        triangles=triangles_of(_numbers(table, "f", (None, 3))),
        unit="metres in the file, times 1000",
        scale=METRE,
        licence="FLAME: non-commercial research; 2023 Open: CC-BY-4.0; see its own licence",
        expression=_scaled("expression", np.zeros_like(template), expression),
        segmentation=_eyes(len(template)),
        notes=(f"{identities} identity and {flat.shape[1] - identities} expression directions",
               note),
    )  # fmt: skip


def _short(count: int) -> int:
    """How many directions are identity in a file cut shorter: three in four."""
    return count * IDENTITIES // (IDENTITIES + 100)


def _scaled(group: str, mean: Array, basis: Array) -> Modes:
    return modes(group, mean, basis, np.ones(basis.shape[1])).scaled(METRE)


def _opened_jaw(table: dict[str, Any], template: Array) -> Array:
    """How far each vertex moves (V, 3) when the jaw turns by JAW_SECANT about its x axis."""
    weights = _numbers(table, "weights", (len(template), None))[:, JAW, None]
    joint = (_numbers(table, "J_regressor", (None, len(template))) @ template)[JAW]
    correctives = _numbers(table, "posedirs", (len(template), 3, None))
    c, s = np.cos(JAW_SECANT), np.sin(JAW_SECANT)
    turn = np.array([[0, 0, 0], [0, c - 1, -s], [0, s, c - 1]])
    # posedirs belong to R - I of the joints after the root, nine values each.
    jaw_correctives = correctives[:, :, 9 * (JAW - 1) : 9 * JAW]
    moved = weights * ((template - joint) @ turn.T)
    return np.asarray(
        moved + jaw_correctives @ turn.reshape(-1) if jaw_correctives.shape[2] == 9 else moved
    )


def _eyes(count: int) -> Array | None:
    if count != VERTICES:
        return None
    parts = np.zeros(count, np.uint8)
    parts[FIRST_EYE_VERTEX:] = SEGMENTS.index("eyes")
    return parts


def _numbers(table: dict[str, Any], key: str, shape: tuple[int | None, ...]) -> Array:
    value = np.asarray(table[key])
    if value.dtype.kind not in "fiu":
        raise ModelError(f"{key} does not hold numbers")
    if len(value.shape) != len(shape) or any(
        want not in (None, have) for want, have in zip(shape, value.shape, strict=True)
    ):
        raise ModelError(f"{key} is {value.shape}, not {shape}")
    return value
