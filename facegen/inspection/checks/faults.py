"""What can be wrong with a data set, where, and what a verdict is made of."""

from dataclasses import dataclass

CHECKS = {
    "index": "dataset.json gives its fingerprint and lists the shards",
    "files": "shards and reports are there, and of this data set",
    "bytes": "size and sha256 are the report's",
    "members": "keys, suffixes and headers are as planned",
    "theta": "theta is what recipe, seed and index give",
    "labels": "camera, crop, identity and parent follow from them, too",
    "prior": "each dimension of theta follows its distribution",
    "mixture": "mixtures have their weights",
    "images": "samples rendered again give the stored images",
}


@dataclass(frozen=True)
class Fault:
    """Something wrong: by which check, in which file, and what --fix removes."""

    check: str
    where: str
    message: str
    remove: tuple[str, ...] = ()


class FaultList:
    """Faults of one shard: of each check the first, and how many more there were."""

    def __init__(self, shard: str) -> None:
        self._shard = shard
        self._first: dict[str, str] = {}
        self._count: dict[str, int] = {}

    def add(self, check: str, message: str) -> None:
        """Note a fact for which the shard must be made again."""
        self._first.setdefault(check, message)
        self._count[check] = self._count.get(check, 0) + 1

    def faults(self) -> tuple[Fault, ...]:
        """One fault a check."""
        return tuple(shard_fault(check, self._shard, self._message(check)) for check in self._first)

    def __len__(self) -> int:
        return sum(self._count.values())

    def _message(self, check: str) -> str:
        more = self._count[check] - 1
        return self._first[check] + (f" (and {more:,} more)" if more else "")


def shard_fault(check: str, shard: str, message: str) -> Fault:
    """A fault for which a shard must be made again: its report goes first, then its tar."""
    return Fault(check, shard, message, (f"{shard}.json", f"{shard}.tar"))


@dataclass(frozen=True)
class Check:
    """One check: what it looked at, and what is wrong."""

    name: str
    looked_at: str
    faults: tuple[Fault, ...] = ()

    @property
    def proves(self) -> str:
        """What holds where it finds no fault."""
        return CHECKS[self.name]


@dataclass(frozen=True)
class Verdict:
    """What came of verifying a data set; warnings do not make it wrong."""

    checks: tuple[Check, ...]
    warnings: tuple[Fault, ...] = ()

    @property
    def faults(self) -> tuple[Fault, ...]:
        """What is wrong, of all checks."""
        return tuple(fault for check in self.checks for fault in check.faults)

    @property
    def ok(self) -> bool:
        """Whether nothing is."""
        return not self.faults
