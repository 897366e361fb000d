"""Expressions whose sides are mostly alike: which of them are each other's mirror image."""

from collections.abc import Sequence

from facegen.errors import RecipeError
from facegen.scene.parameters import Group

LEFT, RIGHT = "Left", "Right"
TOWARDS = ("jawLeft", "mouthLeft")  # A direction, not a side: its opposite would undo it.
ACROSS = {"LookIn": "LookOut", "LookOut": "LookIn"}  # Eyes that look the same way.


def mirror_pairs(group: Group) -> list[tuple[int, int]]:
    """The components (left, right) of a group that are each other's mirror image, by their names.

    RecipeError where there are none.
    """
    pairs = pairs_of(group.names)
    if not pairs:
        message = f"[{group.name}] symmetric: the model has no components named Left and Right"
        raise RecipeError(message, "leave it out, or use --model generic-arkit")
    return pairs


def pairs_of(names: Sequence[str]) -> list[tuple[int, int]]:
    """The numbers (left, right) of names that are each other's mirror image."""
    numbers = {name: number for number, name in enumerate(names)}
    return [
        (number, numbers[_mirrored(name)])
        for name, number in numbers.items()
        if name.endswith(LEFT) and _mirrored(name) in numbers and name not in TOWARDS
    ]


def _mirrored(name: str) -> str:
    stem = name.removesuffix(LEFT)
    for way, other in ACROSS.items():
        if stem.endswith(way):
            return stem.removesuffix(way) + other + RIGHT
    return stem + RIGHT
