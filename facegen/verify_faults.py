"""What can be wrong with a data set: facts, with their places."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Fault:
    """Something wrong: by which check, in which file, and what --fix removes to mend it."""

    check: str
    where: str
    fact: str
    remove: tuple[str, ...] = ()


class FaultList:
    """Faults of one shard: of each check the first, and how many more there were."""

    def __init__(self, shard: str) -> None:
        self._shard = shard
        self._first: dict[str, str] = {}
        self._count: dict[str, int] = {}

    def add(self, check: str, fact: str) -> None:
        """Note a fact for which the shard must be made again."""
        self._first.setdefault(check, fact)
        self._count[check] = self._count.get(check, 0) + 1

    def faults(self) -> tuple[Fault, ...]:
        """One fault a check."""
        return tuple(shard_fault(check, self._shard, self._words(check)) for check in self._first)

    def __len__(self) -> int:
        return sum(self._count.values())

    def _words(self, check: str) -> str:
        more = self._count[check] - 1
        return self._first[check] + (f" (and {more:,} more)" if more else "")


def shard_fault(check: str, shard: str, fact: str) -> Fault:
    """A fault for which a shard must be made again: its report goes first, then its tar."""
    return Fault(check, shard, fact, (f"{shard}.json", f"{shard}.tar"))
