"""ICT-FaceKit: a folder of OBJ files that share one topology.

generic_neutral_mesh.obj, identity000.obj … (each the neutral moved by one standard deviation),
one OBJ for every name under "expressions" in vertex_indices.json (weights from 0 to 1). Quads, cm,
y up, z forward. Materials tell the parts. (https://github.com/ICT-VGL/ICT-FaceKit, MIT.)
"""

import json
from pathlib import Path
from typing import Any

import numpy as np

from facegen.errors import ModelError, located
from facegen.models.importers.foreign import Array, ForeignModel, modes, triangles_of
from facegen.models.importers.obj import read_obj
from facegen.models.model_file import Modes
from facegen.models.morphable_model import LANDMARKS, SEGMENTS
from facegen.scene.parameters import WEIGHT

NEUTRAL, INDICES = "generic_neutral_mesh.obj", "vertex_indices.json"
CENTIMETRE = 10.0
MAX_MODES = 500
MAX_BYTES = 10_000_000
# Materials of transparent layers, which would hide the eyes, and of the iris inside the eyeball.
LEFT_OUT = ("Lacrimal", "EyeBlend", "EyeOcclusion", "EyeLashes", "Iris")
PART_WORDS = {"Gums": "mouth", "Teeth": "teeth", "Sclera": "eyes"}


def folder_of(path: Path) -> Path | None:
    """The folder that holds the neutral mesh: the path, or FaceXModel in it."""
    context = (path, path / "FaceXModel")
    return next((place for place in context if (place / NEUTRAL).is_file()), None)


def read(path: Path) -> ForeignModel:
    """The model in a folder."""
    folder = folder_of(path)
    if folder is None:
        raise ModelError(f"a folder without {NEUTRAL}", "give ICT-FaceKit's FaceXModel folder")
    neutral = read_obj(folder / NEUTRAL)
    config = _facts(folder)
    identities = sorted(folder.glob("identity[0-9][0-9][0-9].obj"))
    names = [name for name in config.get("expressions", []) if (folder / f"{name}.obj").is_file()]
    kept_materials = _kept(neutral.materials)
    triangles = np.concatenate([neutral.materials[name] for name in kept_materials])
    used, triangles, number = _compact(triangles, len(neutral.vertices))
    model = ForeignModel(
        name=folder.name if folder.name != "FaceXModel" else "ict",
        family="ICT-FaceKit",
        shape=_targets(neutral.vertices, identities, used),
        triangles=triangles_of(triangles),
        unit="cm in the file, times 10",
        scale=CENTIMETRE,
        licence="ICT-FaceKit: MIT (the full model); see its LICENSE",
        expression=_offsets(neutral.vertices, [folder / f"{n}.obj" for n in names], used),
        landmarks=_landmarks(config, number),
        segmentation=_parts(neutral.materials, kept_materials, number, len(triangles)),
        expression_unit=WEIGHT,
        expression_names=tuple(names),
    )
    dropped = [name for name in neutral.materials if name not in kept_materials]
    return model.noting(
        f"expressions in order: {', '.join(names)}",
        f"left out, being transparent or hidden: {', '.join(dropped) or 'nothing'}",
    )


def _facts(folder: Path) -> dict[str, Any]:
    path = folder / INDICES
    if not path.is_file():
        return {}
    with located(INDICES):
        config: dict[str, Any] = {"expressions": None}
        try:
            if path.stat().st_size < MAX_BYTES:
                config = dict(json.loads(path.read_text("utf-8")))
        except (ValueError, TypeError, RecursionError):
            pass
        names = config.get("expressions", [])
        if not isinstance(names, list) or not all(str(name).isidentifier() for name in names):
            raise ModelError("not ICT-FaceKit's table of vertices and expressions")
        return config


def _kept(materials: dict[str, Array]) -> list[str]:
    return [name for name in materials if not any(key in name for key in LEFT_OUT)]


def _compact(triangles: Array, count: int) -> tuple[Array, Array, Array]:
    """(vertices in use, triangles renumbered, new number of each old vertex or -1)."""
    used = np.unique(triangles)
    number = np.full(count, -1, np.int64)
    number[used] = np.arange(len(used))
    return used, number[triangles], number


def _targets(neutral: Array, paths: list[Path], used: Array) -> Modes:
    """The neutral mesh in mm, and every target's way from it."""
    if len(paths) > MAX_MODES:
        raise ModelError(f"{len(paths)} meshes, more than {MAX_MODES}")
    basis = np.empty((3 * len(used), len(paths)), np.float32)
    for column, path in enumerate(paths):
        with located(path.name):
            vertices = read_obj(path, faces=False).vertices
            if vertices.shape != neutral.shape:
                raise ModelError(f"{len(vertices):,} vertices, the neutral has {len(neutral):,}")
            basis[:, column] = CENTIMETRE * (vertices - neutral)[used].reshape(-1)
    return modes("meshes", CENTIMETRE * neutral[used], basis, np.ones(len(paths)))


def _offsets(neutral: Array, paths: list[Path], used: Array) -> Modes | None:
    columns = _targets(neutral, paths, used)
    return Modes(np.zeros_like(columns.mean), columns.basis, columns.sd) if paths else None


def _landmarks(config: dict[str, Any], number: Array) -> Array | None:
    old = np.asarray(config.get("idx_to_landmark_verts", []))
    if old.shape != (LANDMARKS,) or old.dtype.kind not in "iu":
        return None
    if not 0 <= old.min() <= old.max() < len(number):
        raise ModelError("idx_to_landmark_verts names vertices that do not exist")
    return np.asarray(number[old], np.int32)


def _parts(
    materials: dict[str, Array], kept_materials: list[str], number: Array, faces: int
) -> Array:
    """The part that each material tells, 0 where it tells none."""
    parts = np.zeros(number.max() + 1, np.uint8)
    for name in kept_materials:
        for key, part in PART_WORDS.items():
            if key in name:
                parts[number[np.unique(materials[name])]] = SEGMENTS.index(part)
    return parts
