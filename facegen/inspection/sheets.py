"""Pictures of recipes, models and samples: sheets of faces, sweeps of a parameter, layers."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from math import isclose
from typing import Any

import numpy as np
from jaxtyping import UInt8
from PIL import Image, ImageDraw

from facegen.dataset.reader import Sample
from facegen.errors import UsageError
from facegen.files import Array
from facegen.imaging.faces import MARKS, render
from facegen.models.morphable_model import SEGMENTS, MorphableModel
from facegen.recipe.merging import merged
from facegen.recipe.recipe import Recipe
from facegen.recipe.tables import Table
from facegen.sampling.samples import draw
from facegen.scene.parameters import CHANNELS, POSTER_UNIT

MAX_TILES = 4096
UNITS = {"rotation": "_degrees", "camera": "_mm"}
FORM = "PARAMETER=LOW:HIGH:STEPS, such as shape.0=-3:3:7"
DEEPEST = 0.85  # Grey of the farthest point of a depth layer.
# One colour a segment, told apart by most eyes (after Okabe and Ito, 2008).
COLOURS = np.array(
    [
        *([0, 0, 0], [230, 159, 0], [204, 51, 51], [90, 60, 40], [86, 180, 233]),
        *([250, 250, 250], [120, 0, 60], [0, 158, 115], [240, 228, 66], [0, 114, 178]),
    ],
    np.uint8,
)
Tiles = UInt8[Array, "N S S 3"]


@dataclass(frozen=True)
class Sweep:
    """One parameter by its path in a recipe, in so many steps; table: the [grid] that states it."""

    path: tuple[str, ...]
    steps: int
    table: Table

    @property
    def name(self) -> str:
        """The parameter in words."""
        return ".".join(self.path)


def parse_sweep(text: str) -> Sweep:
    """The sweep that 'PARAMETER=LOW:HIGH:STEPS' states; UsageError where it states none."""
    match = re.fullmatch(r"([A-Za-z]\w*\.[\w.]*\w)=([-+.\deE]+):([-+.\deE]+):(\d{1,4})", text)
    try:
        if not match:
            raise ValueError
        path, steps = tuple(match[1].split(".")), int(match[4])
        unit = UNITS.get(path[0], "")
        table: Table = {f"low{unit}": float(match[2]), f"high{unit}": float(match[3])}
        table["steps"] = steps
    except ValueError:
        raise UsageError(f"--sweep: {text!r} states no sweep", f"say {FORM}") from None
    for key in reversed(path):
        table = {key: table}
    return Sweep(path, steps, table)


def portrait(model: MorphableModel, person: bool) -> Table:
    """Changes to the default recipe that show a model: level, neutral, softly lit, before grey.

    person: people of all kinds, else the average one.
    """
    still: Table = {"distribution": "constant", "value": 0}
    level: Table = {"distribution": "constant", "value_degrees": 0}
    shape: Table = {"distribution": "normal", "mean": 0, "sd": 1} if person else still
    light = {str(k): {"distribution": "constant", "value": v} for k, v in enumerate(LIGHT)}
    grey: Table = {"distribution": "constant", "value": 0.82}
    unit = "weight" if model.expression_unit.kind == "weight" else "standard deviation"
    count = model.expression.components
    mouth = CLOSED if isclose(model.expression_unit.scale, POSTER_UNIT.scale) else 0.0
    return {
        "rotation": dict.fromkeys(("pitch", "yaw", "roll"), level),
        "shape": {**shape, "coefficients": model.shape.components},
        "expression": {
            **still,
            "unit": unit,
            "coefficients": count,
            **({"0": {"distribution": "constant", "value": mouth}} if count else {}),
        },
        "reflectance": {**shape, "coefficients": model.reflectance.components},
        "illumination": {**still, **light},
        "crop": {"scale": {"distribution": "constant", "value": 1.5}, "shift": still},
        "background": {"kind": "colour", **dict.fromkeys(CHANNELS, grey)},
    }


LIGHT = (0.95, 0.16, 0.24, 0.06)
CLOSED = -1.1  # Standard deviations of the generic model's first expression: the lips touch.


@dataclass(frozen=True)
class Arrangement:
    """Columns and rows of faces; the first sweep runs along a row, the second down the rows.

    With one sweep every row is another person; strangers: every face is.
    """

    columns: int
    rows: int
    sweeps: tuple[Sweep, ...] = ()
    strangers: bool = False

    @property
    def people(self) -> int:
        """How many identities a sheet of sweeps shows."""
        if self.strangers:
            return self.columns * self.rows
        return self.rows if len(self.sweeps) == 1 else 1

    @property
    def indices(self) -> list[int]:
        """The samples in the order in which they are shown: all people of a point come together."""
        cell = np.arange(self.columns * self.rows)
        row, column = np.divmod(cell, self.columns)
        point, person = cell, np.zeros_like(cell)
        if len(self.sweeps) == 1:
            point, person = column, row
        elif self.sweeps and self.sweeps[0].path < self.sweeps[1].path:
            point = column * self.rows + row  # The axis whose name comes last changes fastest.
        if self.strangers and self.sweeps:
            person = cell
        return [int(number) for number in point * self.people + person]


def swept(recipe: Recipe, arrangement: Arrangement) -> Recipe:
    """The recipe with the sweeps as its grid."""
    stale = ("grid", "samples_per_identity", "splits")
    table: Table = {key: value for key, value in recipe.table.items() if key not in stale}
    table["identities"] = arrangement.people
    for sweep in arrangement.sweeps:
        table = merged(table, {"grid": sweep.table})
    return recipe.with_table(table)


def faces(
    recipe: Recipe, model: MorphableModel, seed: int, indices: Sequence[int], device: str
) -> Tiles:
    """Pictures of these samples of a recipe."""
    return render(draw(recipe, model, seed, indices), model, device=device).images


def sheet(tiles: Sequence[Any] | Tiles, columns: int) -> UInt8[Array, "H W 3"]:
    """Tiles of one size in rows of so many, white where there is none."""
    side = tiles[0].shape[0]
    rows = -(-len(tiles) // columns)
    page = np.full((rows * side, columns * side, 3), 255, np.uint8)
    for number, tile in enumerate(tiles):
        top, left = (number // columns) * side, (number % columns) * side
        page[top : top + side, left : left + side] = tile
    return page


def layer_tiles(sample: Sample) -> dict[str, UInt8[Array, "S S 3"]]:
    """A sample's image, and each of its layers as a picture, by name."""
    tiles = {"image": sample.image}
    for name in sample.layers:
        if name == "cls":
            continue
        value = sample.layers[name]
        tiles[name] = _marked(sample.image, value) if name in MARKS else _picture(name, value)
    return tiles


def _picture(name: str, layer: Any) -> UInt8[Array, "S S 3"]:
    if name == "segmentation":
        return np.asarray(COLOURS[np.minimum(layer, len(SEGMENTS) - 1)])
    if name == "depth":
        layer = _grey(layer)
    return np.asarray(np.repeat(layer[..., None], 3, axis=2) if layer.ndim == 2 else layer)


def _grey(depth: Any) -> UInt8[Array, "S S"]:
    """Near is white, far is dark, nothing is black."""
    seen = depth > 0
    if not seen.any():
        return np.zeros(depth.shape, np.uint8)
    near, far = depth[seen].min(), depth[seen].max()
    shade = 1 - DEEPEST * (depth - near) / max(far - near, 1e-6)
    return np.asarray(np.where(seen, np.round(255 * shade), 0).astype(np.uint8))


def _marked(image: Any, landmarks: Any) -> UInt8[Array, "S S 3"]:
    """The image with its landmarks: green ones are visible, red ones hidden."""
    picture = Image.fromarray(image)
    pencil, radius = ImageDraw.Draw(picture), max(1.0, image.shape[0] / 160)
    for u, v, visible in landmarks:
        colour = (0, 230, 0) if visible else (230, 30, 30)
        pencil.ellipse([u - radius, v - radius, u + radius, v + radius], fill=colour)
    return np.asarray(picture)
