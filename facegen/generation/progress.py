"""What a run tells of itself while it is made."""

from typing import Protocol


class Progress(Protocol):
    """Whoever watches a run."""

    def started(self, complete: int) -> None:
        """The run begins; so many samples were complete already."""
        ...

    def advanced(self, samples: int) -> None:
        """So many samples more were made."""
        ...

    def rolled_back(self, samples: int) -> None:
        """So many samples were lost with a worker, and will be made again."""
        ...


class Unwatched:
    """Nobody watches."""

    def started(self, complete: int) -> None:
        """See Progress."""

    def advanced(self, samples: int) -> None:
        """See Progress."""

    def rolled_back(self, samples: int) -> None:
        """See Progress."""
