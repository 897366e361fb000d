"""Makes docs/natural/*.jpg: for each switch of the recipe natural, the same faces with and without.

python tools/natural_pictures.py [NAME ...]
"""

import sys
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

import facegen
from facegen.models.morphable_model import MorphableModel
from facegen.recipe.recipe import Recipe
from facegen.recipe.tables import Table

OUT = Path(__file__).parent.parent / "docs" / "natural"
FACES, SIZE, QUALITY = 8, 112, 88
SEEDS = {"hat": 9, "mask": 4, "hand": 4, "glasses": 5}
PLAIN_LIGHT: Table = {
    "illumination": {
        "distribution": "uniform",
        "low": -0.2,
        "high": 0.2,
        "0": {"distribution": "uniform", "low": 0.6, "high": 1.2},
    }
}


def constant(value: float) -> Table:
    """A distribution of one value."""
    return {"distribution": "constant", "value": value}


# What of the recipe is changed to see the faces without something, and with more of it.
ATTIRE = ("hair", "beard", "glasses", "hat", "mask", "clothes", "hand")
WITHOUT: Mapping[str, Table] = {
    **{name: {"attire": {name: 0.0}} for name in ATTIRE},
    "background": {"background": {"kind": "noise", "shares": None}},
    "light": {"light": None, **PLAIN_LIGHT, "background": {"kind": "noise", "shares": None}},
    "expression": {"face_units": None},
    "focus": {
        "image": {"focus_blur": constant(0), "pixel_blur": constant(0), "motion_blur": constant(0)}
    },
    "noise": {"image": {"shot_noise": constant(0), "read_noise": constant(0)}},
    "tones": {
        "image": {
            **{"exposure": constant(0), "white_balance": constant(0), "saturation": constant(1)},
            **{
                "contrast": constant(1),
                "shoulder": constant(1),
                "vignette": constant(0),
                "grey": 0.0,
            },
        }
    },
    "resolution": {"image": {"downscale": constant(1), "sharpening": constant(0)}},
    "camera": {"camera": {"distance": {"distribution": "constant", "value_mm": 1000}}},
}
MORE: Mapping[str, Table] = {name: {"attire": {name: 1.0}} for name in ATTIRE}


def changed(table: Table, changes: Table) -> Table:
    """A table with some keys replaced, those that are None left out."""
    out = dict(table)
    for key, value in changes.items():
        old = out.get(key)
        nested = isinstance(value, dict) and isinstance(old, dict) and "distribution" not in value
        out[key] = changed(old, value) if nested else value
    return {key: value for key, value in out.items() if value is not None}


def row(recipe: Recipe, model: MorphableModel, seed: int) -> NDArray[np.uint8]:
    """The same few samples of a recipe side by side."""
    samples = facegen.sample(recipe, model, range(FACES), seed=seed)
    return np.concatenate(list(facegen.render(samples, model, device="cpu").images), axis=1)


def main() -> None:
    """Make the pictures named, or all."""
    natural = facegen.load_recipe("natural").with_changes({"image": {"size": SIZE}})
    model = facegen.load_model("generic")
    OUT.mkdir(exist_ok=True)
    for name in sys.argv[1:] or WITHOUT:
        above = natural.with_table(changed(natural.table, MORE.get(name, {})))
        below = natural.with_table(changed(natural.table, WITHOUT[name]))
        rows = [row(recipe, model, SEEDS.get(name, 2)) for recipe in (above, below)]
        Image.fromarray(np.concatenate(rows)).save(OUT / f"{name}.jpg", quality=QUALITY)


if __name__ == "__main__":
    main()
