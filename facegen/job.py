"""A job: everything one data set follows from, and the digest that tells it from any other."""

import hashlib
import json
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from facegen.backgrounds import Pictures
from facegen.parameters import Layout
from facegen.recipe import Recipe

FORMAT = 1
SHARDS_WANTED = 200
SMALLEST_SHARD, LARGEST_SHARD = 100, 10_000


@dataclass(frozen=True)
class ModelFile:
    """A morphable model by name, file and hash."""

    name: str
    path: Path
    sha256: str


@dataclass(frozen=True)
class EstimatesFile:
    """Estimates to resample around: the file, its hash, and whether confidence weights them."""

    path: Path
    sha256: str
    weighted: bool


@dataclass(frozen=True)
class Job:
    """What to make, of what, and where."""

    recipe: Recipe
    model: ModelFile
    layout: Layout
    seed: int
    count: int
    shard_size: int
    layers: frozenset[str]
    backgrounds: Pictures | None
    estimates: EstimatesFile | None
    out: Path
    devices: tuple[str, ...]
    workers: int

    @cached_property
    def digest(self) -> str:
        """SHA-256 of what decides a sample's content and place; not count, device or workers."""
        facts = {
            "format": FORMAT,
            "recipe": self.recipe.digest,
            "model": self.model.sha256,
            "seed": self.seed,
            "shard_size": self.shard_size,
            "layers": sorted(self.layers),
            "estimates": (self.estimates.sha256, self.estimates.weighted)
            if self.estimates
            else None,
            "backgrounds": self.backgrounds.digest if self.backgrounds else None,
        }
        return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()


def default_shard_size(count: int) -> int:
    """A round number of samples, for about two hundred shards of a hundred to ten thousand."""
    steps = [digit * 10**power for power in range(2, 5) for digit in (1, 2, 5)]
    wanted = max(count / SHARDS_WANTED, SMALLEST_SHARD)
    return max(step for step in steps if step <= min(wanted, LARGEST_SHARD))
