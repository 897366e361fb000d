"""Puts mesh, shape, expression and skin together into one model."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from .attributes import attributes_of, coefficients
from .expression import expression_model, sample_expressions
from .face_units import face_units
from .hair import brow_fields, scalp_field
from .landmarks import place_landmarks
from .mesh import EYES, TEETH, TONGUE, build_mesh
from .palette import Palette
from .people import People, draw_people
from .places import Places, place
from .shape import Population, sample_population
from .skin import paint
from .source import Source
from .statistics import principal
from .template import Template, build_template, with_smaller_mouth
from .write import PART_NAMES, Model

COUNT = 20_000
COMPONENTS = {"shape": 128, "expression": 64, "color": 128}


@dataclass(frozen=True)
class Built:
    """The model with what it came from."""

    model: Model
    population: Population
    people: People
    template: Template
    places: Places


def build(wheel: Path) -> Built:
    """Return the model, built from the wheel."""
    source = Source(wheel)
    base = source.base()
    mesh = with_smaller_mouth(build_template(source, base, build_mesh(base)))
    template = build_template(source, base, mesh)
    places = place(template)
    people = draw_people(COUNT, seed=1)
    population = sample_population(source, template, people, places, seed=2)
    shape = principal(population.weights, population.fields, COMPONENTS["shape"])
    skin = skin_weights(paint(template, people, seed=3), template)
    color = principal(*skin, COMPONENTS["color"])
    head = shape.mean.reshape(-1, 3)
    units = face_units(source, template, head)
    moves = sample_expressions(source, template, units, seed=4)
    model = Model(
        cells=mesh.cells,
        reference=head,
        shape=shape,
        expression=expression_model(moves, COMPONENTS["expression"]),
        color=color,
        units=units,
        landmarks=place_landmarks(template, head),
        places=places,
        attributes=attributes_of(
            people,
            coefficients(population.weights, population.fields, shape),
            coefficients(*skin, color),
        ),
        parts=parts(template),
        uv=cylindrical(template.points),
        texture=mesh.texture,
        texture_cells=mesh.texture_cells,
    )
    return Built(model, population, people, template, places)


def cylindrical(points: np.ndarray) -> np.ndarray:
    """Return texture coordinates (V, 2) around the vertical axis, the seam at the back."""
    x, y, z = points.T
    return np.column_stack([0.5 + np.arctan2(x, z) / (2 * np.pi), (y - y.min()) / np.ptp(y)])


def skin_weights(palette: Palette, template: Template) -> tuple[np.ndarray, np.ndarray]:
    """Return weights (n, 3T) and fields (3T, 3V) of colours; cavities are darkened once for all."""
    places = np.array(palette.fields) * shading(template)
    count, vertices = places.shape
    fields = np.zeros((count, 3, vertices, 3), dtype=np.float32)
    for channel in range(3):
        fields[:, channel, :, channel] = places
    weights = np.stack(palette.colours, 1).reshape(palette.count, -1)
    return weights, fields.reshape(3 * count, -1)


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
