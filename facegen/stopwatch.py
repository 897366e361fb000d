"""Where the time goes, by stage."""

import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

STAGES = ("sample", "evaluate", "render", "encode", "write")


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
