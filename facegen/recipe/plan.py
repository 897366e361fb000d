"""Which samples a data set has, whose they are, and how they lie in splits and shards.

Splits are stretches of consecutive samples. Where the recipe has identities, a split has identities
of its own, and within it they take turns, so that every shard mixes many.
"""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from jaxtyping import Int64

from facegen.errors import RecipeError
from facegen.files import Array
from facegen.recipe.recipe import Recipe

MAX_SHARDS = 10**6
SHARD_NAME = r"[a-z][a-z0-9_]*-\d{6}"


@dataclass(frozen=True)
class Split:
    """Samples start to stop; identities, where there are any, first_identity to stop_identity."""

    name: str
    start: int
    stop: int
    first_identity: int
    stop_identity: int


@dataclass(frozen=True)
class Shard:
    """Samples start to stop of a data set, in one tar."""

    split: str
    number: int
    start: int
    stop: int

    @property
    def name(self) -> str:
        """The tar's name without its suffix."""
        return f"{self.split}-{self.number:06d}"

    def __len__(self) -> int:
        return self.stop - self.start


def splits_of(recipe: Recipe, count: int) -> list[Split]:
    """The splits of a data set of `count` samples; those that would be empty are left out."""
    identities = recipe.identities
    units, each = (identities.count, identities.samples) if identities else (count, 1)
    if identities and count > identities.total:
        raise RecipeError(
            f"{units:,} identities of {each:,} samples are fewer than {count:,}",
            f"ask for --count {identities.total} or less, or raise them",
        )
    stops = np.round(np.cumsum([share for _, share in recipe.splits]) * units).astype(int).tolist()
    edges = pairwise([0, *stops[:-1], units])
    splits = [
        Split(name, first * each, min(stop * each, count), first, stop)
        for (name, _), (first, stop) in zip(recipe.splits, edges, strict=True)
    ]
    return [split for split in splits if split.stop > split.start]


def shards_of(recipe: Recipe, count: int, size: int) -> list[Shard]:
    """Every shard, of `size` samples or, the last of a split, fewer."""
    if count > MAX_SHARDS * size:
        raise RecipeError(f"more than {MAX_SHARDS:,} shards", "raise --shard-size")
    return [
        Shard(split.name, number, start, min(start + size, split.stop))
        for split in splits_of(recipe, count)
        for number, start in enumerate(range(split.start, split.stop, size))
    ]


def identities_of(recipe: Recipe, indices: Int64[Array, "N"]) -> Int64[Array, "N"]:
    """Whose faces these samples are: without identities in the recipe, each its own."""
    return indices if recipe.identities is None else _turns(recipe, indices)[0]


def grid_points_of(recipe: Recipe, indices: Int64[Array, "N"]) -> Int64[Array, "N"]:
    """At which point of the recipe's grid these samples are."""
    return _turns(recipe, indices)[1]


def _turns(
    recipe: Recipe, indices: Int64[Array, "N"]
) -> tuple[Int64[Array, "N"], Int64[Array, "N"]]:
    """Whose faces these samples are, and their numbers among those of the same identity."""
    identities, turns = np.empty_like(indices), np.empty_like(indices)
    total = recipe.identities.total if recipe.identities else 0
    for split in splits_of(recipe, total):
        inside = (indices >= split.start) & (indices < split.stop)
        each = split.stop_identity - split.first_identity
        turns[inside], place = np.divmod(indices[inside] - split.start, each)
        identities[inside] = split.first_identity + place
    return identities, turns
