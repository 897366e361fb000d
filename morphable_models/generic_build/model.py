"""Puts mesh, shape, expression and skin together into one model."""

from pathlib import Path

import numpy as np

from .expression import expression_model, sample_expressions
from .landmarks import place_landmarks
from .mesh import EYES, TEETH, TONGUE, build_mesh
from .shape import Population, sample_population
from .skin import brow_fields, paint, scalp_field
from .source import Source
from .statistics import Linear, principal
from .template import Template, build_template, with_smaller_mouth
from .write import PART_NAMES, Model

COUNT = 20_000
COMPONENTS = {"shape": 128, "expression": 64, "color": 128}


def build(wheel: Path) -> tuple[Model, Population, Template]:
    """Return the model with the population and the template that it came from."""
    source = Source(wheel)
    base = source.base()
    mesh = with_smaller_mouth(build_template(source, base, build_mesh(base)))
    template = build_template(source, base, mesh)
    people = sample_population(source, template, COUNT, seed=1)
    shape = principal(people.weights, people.fields, COMPONENTS["shape"])
    moves = sample_expressions(source, template, seed=2)
    model = Model(
        cells=mesh.cells,
        reference=shape.mean.reshape(-1, 3),
        shape=shape,
        expression=expression_model(moves, COMPONENTS["expression"]),
        color=color_model(template, seed=3),
        landmarks=place_landmarks(template),
        parts=parts(template),
        uv=cylindrical(template.points),
    )
    return model, people, template


def cylindrical(points: np.ndarray) -> np.ndarray:
    """Return texture coordinates (V, 2) around the vertical axis, the seam at the back."""
    x, y, z = points.T
    return np.column_stack([0.5 + np.arctan2(x, z) / (2 * np.pi), (y - y.min()) / np.ptp(y)])


def color_model(template: Template, seed: int) -> Linear:
    """Return the reflectance's components; cavities are darkened once for all."""
    palette = paint(template, COUNT, seed)
    baked = shading(template)
    places = np.array(palette.fields) * baked
    count, vertices = places.shape
    fields = np.zeros((count, 3, vertices, 3), dtype=np.float32)
    for channel in range(3):
        fields[:, channel, :, channel] = places
    weights = np.stack(palette.colours, 1).reshape(COUNT, -1)
    return principal(weights, fields.reshape(3 * count, -1), COMPONENTS["color"])


def shading(template: Template) -> np.ndarray:
    """Return the factor (V,) by which cavities are darker than what the light alone gives."""
    cavity = (1.12 * template.openness**1.2).clip(0, 1)
    return np.where(template.mesh.of(*TEETH), 1.0, cavity)


def parts(template: Template) -> np.ndarray:
    """Return the part (V,) of each vertex as an index into PART_NAMES."""
    mesh, masks = template.mesh, template.masks
    y = template.points[:, 1]
    chin = template.points[:, 2] > 45
    labels = [
        ("skin", mesh.of("body")),
        ("scalp", scalp_field(template) > 0.5),
        ("neck", mesh.of("body") & ((y < -75) & ~chin | (y < -104))),
        ("ears", masks["ears"] > 0.5),
        ("lips", masks["lips"] > 0.5),
        ("brows", brow_fields(template)[0] > 0.5),
        ("mouth", (masks["inside-mouth"] > 0.5) | mesh.of(TONGUE)),
        ("teeth", mesh.of(*TEETH)),
        ("eyes", mesh.of(*EYES)),
    ]
    part = np.zeros(len(y), dtype=np.uint8)
    for name, where in labels:
        part[where] = PART_NAMES.index(name)
    return part
