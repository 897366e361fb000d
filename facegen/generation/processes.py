"""Processes of this machine, started by spawn and without the script that starts them."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing import get_context
from multiprocessing.context import SpawnContext
from types import ModuleType


@contextmanager
def spawning() -> Iterator[SpawnContext]:
    """A context to start processes in, which import what they are given and nothing else.

    Spawn alone would run the caller's script once more in each, which takes a script that was
    written for it: `if __name__ == "__main__"`.
    """
    main = sys.modules["__main__"]
    sys.modules["__main__"] = ModuleType("__main__")
    try:
        yield get_context("spawn")
    finally:
        sys.modules["__main__"] = main
