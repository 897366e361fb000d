"""Where the time goes, by stage."""

import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Protocol


class Timed(Protocol):
    """What tells how long its samples took, by stage."""

    @property
    def samples(self) -> int: ...

    @property
    def seconds(self) -> Mapping[str, float]: ...


STAGES = ("sample", "dress", "evaluate", "render", "finish", "encode", "write")


class Stopwatch:
    """Seconds by stage, added up."""

    def __init__(self) -> None:
        self._seconds: Counter[str] = Counter()

    @contextmanager
    def measure(self, stage: str) -> Iterator[None]:
        """Add the time spent inside to a stage."""
        started = time.perf_counter()
        try:
            yield
        finally:
            self.add({stage: time.perf_counter() - started})

    def add(self, seconds: Mapping[str, float]) -> None:
        """Add what was measured elsewhere."""
        self._seconds.update(seconds)

    @property
    def seconds(self) -> dict[str, float]:
        """Seconds of every stage, in the order of the work."""
        return {stage: round(self._seconds[stage], 4) for stage in STAGES}


def stage_milliseconds(reports: Iterable[Timed]) -> dict[str, float]:
    """Milliseconds an image of each stage, in its worker."""
    reports = list(reports)
    seconds: Counter[str] = Counter()
    for report in reports:
        seconds.update(report.seconds)
    samples = max(sum(report.samples for report in reports), 1)
    return {stage: round(1000 * seconds[stage] / samples, 3) for stage in STAGES}
