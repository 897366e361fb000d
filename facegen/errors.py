"""What can go wrong: a message, completed with its context, shown as one line with a hint."""

import difflib
from collections.abc import Collection, Iterator
from contextlib import contextmanager


class FacegenError(Exception):
    """What stopped the work, where it was met, and what to do about it."""

    exit_code = 1

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message, hint)
        self.message = message
        self.hint = hint
        self.context: tuple[str, ...] = ()

    def __str__(self) -> str:
        sentence = ": ".join((*self.context, self.message))
        # Messages quote what files say, line breaks and all.
        return in_one_line(f"{sentence}; {self.hint}" if self.hint else sentence)


def in_one_line(text: str) -> str:
    """The text as a terminal may show it: control characters and bytes that are no text escaped."""
    words = " ".join(text.splitlines())
    return "".join(c if c.isprintable() else _escaped(c) for c in words)


def _escaped(character: str) -> str:
    """'\\x1b' for a control character; a byte that is no text is a surrogate in Python's names."""
    if "\udc80" <= character <= "\udcff":
        return f"\\x{ord(character) - 0xDC00:02x}"
    return character.encode("unicode_escape").decode()


class UsageError(FacegenError):
    """The command line asks for something that does not exist."""

    exit_code = 2


class RecipeError(FacegenError):
    """A recipe says something that cannot be sampled."""


class ModelError(FacegenError):
    """A file is not the morphable model it should be."""


class DeviceError(FacegenError):
    """The renderer asked for is not available."""


class DatasetError(FacegenError):
    """A data set on disk is not what this run may continue or read."""


def meant(name: str, known: Collection[str], otherwise: str = "") -> str:
    """A hint at the known name that is nearest to one that is not; else what is to be said."""
    close = difflib.get_close_matches(name, known, n=1)
    return f"did you mean {close[0]!r}?" if close else otherwise


@contextmanager
def located(*context: object) -> Iterator[None]:
    """Put the context (a file, a key, a shard) before the message of a FacegenError from inside."""
    try:
        yield
    except FacegenError as error:
        error.context = (*map(str, context), *error.context)
        raise
