"""GNM head (Google, Apache-2.0): gnm_head.npz.

template_vertex_positions (V, 3) in metres, y up, z forward; vertex_identity_basis (I, V, 3);
expression_basis (E, V, 3); triangles (T, 3) from 0; vertex_groups (G, V) and vertex_group_names.
Coefficients are standard deviations. Joints and pose correctives are left.
"""

from pathlib import Path

import numpy as np

from facegen.errors import ModelError
from facegen.models.importers.foreign import Array, ForeignModel, modes, triangles_of
from facegen.models.importers.tables import Tables
from facegen.models.model_file import Modes
from facegen.models.morphable_model import SEGMENTS

METRE = 1000.0
KEYS = ("template_vertex_positions", "vertex_identity_basis", "expression_basis", "triangles")
PART_WORDS = {"teeth": "teeth", "tongue": "mouth", "gum": "mouth", "mouth_sock": "mouth",
              "eyeball": "eyes", "sclera": "eyes", "iris": "eyes", "pupil": "eyes"}  # fmt: skip
EYES = ("eyes", "left_eye", "right_eye", "eye_left", "eye_right")


def recognises(tables: Tables) -> bool:
    """Whether these arrays are GNM's."""
    return all(key in tables for key in KEYS)


def read(tables: Tables, path: Path) -> ForeignModel:
    """The linear part of the model."""
    template = np.asarray(tables["template_vertex_positions"])
    return ForeignModel(
        name=path.stem,
        family="GNM head",
        shape=_modes("shape", template, tables["vertex_identity_basis"]),
        triangles=triangles_of(tables["triangles"]),
        unit="metres in the file, times 1000",
        scale=METRE,
        licence="GNM: Apache-2.0, see its own licence",
        expression=_modes("expression", np.zeros_like(template), tables["expression_basis"]),
        segmentation=_parts(tables, len(template)),
        notes=("joints and pose correctives are left: linear identity and expression only",),
    )


def _modes(group: str, mean: Array, basis: Array) -> Modes:
    if basis.ndim != 3 or basis.shape[1:] != mean.shape:
        raise ModelError(f"the basis of the {group} is {basis.shape}, the template {mean.shape}")
    columns = basis.reshape(len(basis), -1).T
    return modes(group, mean, columns, np.ones(len(basis))).scaled(METRE)


def _parts(tables: Tables, vertices: int) -> Array | None:
    """Eyes, teeth and mouth by the names of the vertex groups; the rest is not told."""
    groups, names = (tables.get(key) for key in ("vertex_groups", "vertex_group_names"))
    if groups is None or names is None or groups.shape != (len(names), vertices):
        return None
    parts = np.zeros(vertices, np.uint8)
    for group, name in zip(groups, names.astype(str), strict=True):
        labels = [part for key, part in PART_WORDS.items() if key in name.lower()]
        part = "eyes" if name.lower() in EYES else labels[0] if labels else None
        if part:
            parts[group > 0.5] = SEGMENTS.index(part)
    return parts
