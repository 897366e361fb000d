"""Which samples a data set has, whose they are, and how they lie in splits and shards.

Splits are stretches of consecutive samples. Where the recipe has identities, a split has identities
of its own, and within it they take turns, so that every shard mixes many.
"""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from facegen.errors import RecipeError
from facegen.recipe import Identities, Recipe

Indices = NDArray[np.int64]

MAX_SHARDS = 10**6


@dataclass(frozen=True)
class Split:
    """Samples start to stop, of identities first to last (not included) where there are any."""

    name: str
    start: int
    stop: int
    first: int
    last: int


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
    people = recipe.identities
    units, each = (people.count, people.samples) if people else (count, 1)
    if people and count > people.total:
        raise RecipeError(
            f"{people.count:,} identities of {people.samples:,} samples are fewer than {count:,}",
            f"ask for --count {people.total} or less, or raise them",
        )
    ends = np.round(np.cumsum([share for _, share in recipe.splits]) * units).astype(int).tolist()
    edges = pairwise([0, *ends[:-1], units])
    names = [name for name, _ in recipe.splits]
    splits = [
        Split(name, first * each, min(last * each, count), first, last)
        for name, (first, last) in zip(names, edges, strict=True)
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


def identities_of(recipe: Recipe, indices: Indices) -> Indices:
    """Whose faces these samples are (N,): without identities in the recipe, everybody's own."""
    people = recipe.identities
    if people is None:
        return indices
    owners = np.empty_like(indices)
    for split in splits_of(recipe, people.total):
        here = (indices >= split.start) & (indices < split.stop)
        owners[here] = split.first + (indices[here] - split.start) % (split.last - split.first)
    return owners


def default_count(people: Identities | None) -> int | None:
    """All the samples that a recipe's identities have."""
    return people.total if people else None
