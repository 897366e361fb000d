"""A job: everything one data set follows from, and the digest that tells it from any other."""

import hashlib
import json
import re
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from facegen.backgrounds import Pictures
from facegen.errors import UsageError
from facegen.parameters import Layout
from facegen.plan import Shard, shards_of
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
    out: str
    part: tuple[int, int]
    devices: tuple[str, ...]
    workers: int

    @cached_property
    def shards(self) -> list[Shard]:
        """The shards of this job's part of the data set."""
        return shards_of(self.recipe, self.count, self.shard_size)[self.part[0] : self.part[1]]

    @property
    def is_whole(self) -> bool:
        """Whether its part is the whole data set."""
        every = len(shards_of(self.recipe, self.count, self.shard_size))
        return self.part[0] == 0 and self.part[1] >= every

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


def parse_part(text: str, shards: int) -> tuple[int, int]:
    """The shards that 'A:B' or 'k/N' names, as (first, last), last not included."""
    match = re.fullmatch(r"(\d{1,9}):(\d{1,9})|(\d{1,9})/(\d{1,9})", text)
    if not match:
        raise UsageError(f"--shards: {text!r} is neither A:B nor k/N", "say 0:100, or 3/16")
    a, b, k, n = (int(group) if group else 0 for group in match.groups())
    first, last = (
        (a, b) if match[1] else ((k - 1) * shards // n if n else 0, k * shards // n if n else 0)
    )
    if not 0 <= first < last <= shards or (match[3] and not 1 <= k <= n):
        raise UsageError(
            f"--shards: {text!r} names no shards; there are {shards}", "k counts from 1"
        )
    return first, last


def default_shard_size(count: int) -> int:
    """A round number of samples, for about two hundred shards of a hundred to ten thousand."""
    steps = [digit * 10**power for power in range(2, 5) for digit in (1, 2, 5)]
    wanted = max(count / SHARDS_WANTED, SMALLEST_SHARD)
    return max(step for step in steps if step <= min(wanted, LARGEST_SHARD))
