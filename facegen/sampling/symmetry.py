"""Expressions whose sides are mostly alike: one side takes the other's draw."""

import numpy as np
from jaxtyping import Float32, Int64

from facegen.errors import RecipeError
from facegen.files import Array
from facegen.sampling.randomness import Stream, uniforms
from facegen.scene.parameters import Group, Layout

LEFT, RIGHT = "Left", "Right"
ACROSS = {"LookIn": "LookOut", "LookOut": "LookIn"}  # Eyes that look the same way.


def mirror_pairs(group: Group) -> list[tuple[int, int]]:
    """The components (left, right) of a group that are each other's mirror image, by their names.

    RecipeError where there are none.
    """
    numbers = {name: number for number, name in enumerate(group.names)}
    pairs = [
        (number, numbers[_mirrored(name)])
        for name, number in numbers.items()
        if name.endswith(LEFT) and _mirrored(name) in numbers
    ]
    if not pairs:
        message = f"[{group.name}] symmetric: the model has no components named Left and Right"
        raise RecipeError(message, "leave it out, or use --model generic-arkit")
    return pairs


def mirror(
    theta: Float32[Array, "N m"],
    layout: Layout,
    share: float,
    seed: int,
    indices: Int64[Array, "N"],
) -> None:
    """Give the right side of this share of the pairs the left side's draw, in place.

    Each component's own distribution stays what it was.
    """
    pairs = mirror_pairs(layout.named("expression"))
    start = layout.slices["expression"].start
    left, right = (start + np.array(side) for side in zip(*pairs, strict=True))
    alike = uniforms(seed, Stream.SYMMETRY, indices, len(pairs)) < share
    theta[:, right] = np.where(alike, theta[:, left], theta[:, right])


def _mirrored(name: str) -> str:
    stem = name.removesuffix(LEFT)
    for way, other in ACROSS.items():
        if stem.endswith(way):
            return stem.removesuffix(way) + other + RIGHT
    return stem + RIGHT
