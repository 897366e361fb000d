"""The contract of an engine: where shards are made."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

from facegen.dataset.report import ShardReport
from facegen.dataset.spec import ResolvedSpec
from facegen.generation.progress import Progress
from facegen.recipe.plan import Shard


@dataclass(frozen=True)
class Failure:
    """A shard that could not be made: at which samples, start to stop, and what happened."""

    shard: Shard
    start: int
    stop: int
    message: str


class Engine(Protocol):
    """Where shards are made."""

    def make(
        self, spec: ResolvedSpec, shards: list[Shard], progress: Progress
    ) -> Iterator[ShardReport | Failure]:
        """Make these shards, in any order."""
        ...
