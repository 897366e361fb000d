"""All pieces by name: how each is made, for whom it is, and how it varies."""

from collections.abc import Mapping
from functools import partial
from pathlib import Path

import numpy as np

from .beards import BEARDS, make_beard, read_face
from .body import make_torso, read_figure
from .clothes import CLOTHES_BY_NAME
from .garments import Wearer
from .glasses import FRAMES, make_glasses
from .hair import Scene, make_hair
from .hands import read_hand
from .hats import HATS, make_hat
from .head import Field, Head, Skull, read_head
from .masks import MASKS, make_mask
from .piece import Piece, Recipe, finish
from .scarves import bandana, hijab, turban
from .styles import STYLES
from .tags import BEARD_TAGS, CLOTHES_TAGS, GLASSES_TAGS, HAIR_TAGS, HAT_TAGS, hair_variations
from .things import HELD, PLACES, make_hand

Recipes = dict[str, Recipe]
Change = Mapping[str, Mapping[str, float]]


def build(wheel: Path) -> dict[str, Piece]:
    """Return all pieces, finished."""
    head = read_head()
    figure = read_figure(wheel)
    torso = make_torso(figure, head)
    out = head.outside
    cloud = np.vstack([head.points[out], torso.points])
    field = Field(cloud, np.vstack([head.normals[out], torso.normals]))
    recipes = worn(head, field) | dressed(Wearer(torso, field))
    hand = read_hand(figure)
    for name in HELD:
        change = {"size": {"size": 5.0}, "manly": {"manly": 1.0}}
        make = partial(make_hand, hand, name)
        recipes[name] = Recipe("hand", "free", make, {"places": PLACES[name]}, change)
    return {name: finish(recipe) for name, recipe in recipes.items()}


def worn(head: Head, field: Field) -> Recipes:
    """Return what grows or is worn on the head."""
    skull = Skull(head)
    scene, face = Scene(skull, field), read_face(head, field)
    recipes: Recipes = {}
    for name, style in STYLES.items():
        tags, change = HAIR_TAGS[name], hair_variations(style)
        recipes[name] = Recipe("hair", "surface", partial(make_hair, scene, style), tags, change)
    for name, beard in BEARDS.items():
        change = {"length": {"length": 0.2 * beard.length, "chin_length": 0.25 * beard.chin_length}}
        make = partial(make_beard, face, beard)
        recipes[name] = Recipe("beard", "surface", make, BEARD_TAGS[name], change)
    for name, frame in FRAMES.items():
        change = {"size": {"wide": 1.5, "high": 1.2}, "height": {"high": 1.5},
                  "thickness": {"thick": 0.2}, "low": {"low": -2.0}}  # fmt: skip
        make = partial(make_glasses, field, frame)
        recipes[name] = Recipe("glasses", "affine", make, GLASSES_TAGS[name], change)
    return recipes | covers(skull, field)


def covers(skull: Skull, field: Field) -> Recipes:
    """Return hats, headscarves and masks."""
    recipes: Recipes = {}
    loose = {"loose": {"loose": 2.0}}
    for name, hat in HATS.items():
        change = {"tall": {"tall": 5.0}, "low": {"low": 4.0}}
        if hat.brim or hat.visor:
            change["brim"] = {"brim": 8.0} if hat.brim else {"visor": 7.0}
        make = partial(make_hat, skull, hat)
        recipes[name] = Recipe("hat", "affine", make, HAT_TAGS[name], change)
    scarves = {"hijab": partial(hijab, field), "bandana": partial(bandana, skull),
               "turban": partial(turban, skull)}  # fmt: skip
    for name, make in scarves.items():
        change = {**loose, "opening": {"open_": 3.0}} if name == "hijab" else loose
        binding = "surface" if name == "hijab" else "affine"
        recipes[name] = Recipe("scarf", binding, make, HAT_TAGS[name], change)
    for name, mask in MASKS.items():
        change = {"height": {"bottom": -3.0, "top": 1.5}, "clear": {"clear": 1.0}}
        tags = {"men": 1.0, "women": 1.0, "ages": [5, 95], "without": ["beard"]}
        recipes[name] = Recipe("mask", "surface", partial(make_mask, field, mask), tags, change)
    return recipes


def dressed(wearer: Wearer) -> Recipes:
    """Return clothes."""
    change: Change = {"shoulders": {"manly": 1.0}, "looseness": {"loose": 0.7}}
    return {
        name: Recipe("clothes", "body", partial(make, wearer), CLOTHES_TAGS[name], change)
        for name, make in CLOTHES_BY_NAME.items()
    }
