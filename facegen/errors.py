"""What can go wrong, as facts: completed at the boundary, shown as one line with the mend."""

from collections.abc import Iterator
from contextlib import contextmanager


class FacegenError(Exception):
    """A fact that stops the work, where it was met, and what mends it."""

    exit_code = 1

    def __init__(self, fact: str, mend: str = "") -> None:
        super().__init__(fact, mend)
        self.fact = fact
        self.mend = mend
        self.places: tuple[str, ...] = ()

    def __str__(self) -> str:
        sentence = ": ".join((*self.places, self.fact))
        # Facts quote what files say, line breaks and all.
        return " ".join((f"{sentence}; {self.mend}" if self.mend else sentence).splitlines())


class UsageError(FacegenError):
    """The command line asks for something that does not exist."""

    exit_code = 2


class RecipeError(FacegenError):
    """A recipe says something that cannot be sampled."""


class ModelError(FacegenError):
    """A file is not the morphable model it should be."""


class DeviceError(FacegenError):
    """No renderer can be had where one was asked for."""


class DatasetError(FacegenError):
    """A data set on disk is not what this run may continue or read."""


@contextmanager
def located(*places: object) -> Iterator[None]:
    """Put the places (a file, a key, a shard) before the fact of any FacegenError raised inside."""
    try:
        yield
    except FacegenError as error:
        error.places = (*map(str, places), *error.places)
        raise
