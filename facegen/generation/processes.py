"""Processes of this machine, started by spawn and without the script that starts them."""

import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing import get_context, resource_tracker
from multiprocessing.context import SpawnContext
from types import ModuleType

STOPS = {signal.SIGINT, signal.SIGTERM, signal.SIGHUP}


@contextmanager
def spawning() -> Iterator[SpawnContext]:
    """A context to start processes in, which import what they are given and nothing else.

    Spawn alone would run the caller's script once more in each, which takes a script that was
    written for it: `if __name__ == "__main__"`.
    """
    _be_somewhere()
    main = sys.modules["__main__"]
    sys.modules["__main__"] = ModuleType("__main__")
    try:
        yield get_context("spawn")
    finally:
        sys.modules["__main__"] = main


def _be_somewhere() -> None:
    """Leave a working directory that is gone: spawn tells new processes theirs, and sys.path."""
    try:
        os.getcwd()
    except OSError:
        os.chdir("/")
        sys.path[:] = filter(None, sys.path)


@contextmanager
def stops_deferred() -> Iterator[None]:
    """Put off requests to stop; a process started inside does so until it is ready for them.

    The mask is for the process, which inherits it; here other threads may still take a signal.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    resource_tracker.ensure_running()  # else the first start does it, and lifts the mask
    received: list[int] = []
    handlers = {
        stop: signal.signal(stop, lambda number, _: received.append(number)) for stop in STOPS
    }
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, STOPS)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)
        for stop, handler in handlers.items():
            signal.signal(stop, handler)
        if received:
            signal.raise_signal(received[0])


def obey_parent() -> None:
    """In a process started with stops deferred: leave those that a terminal sends to the parent."""
    for number in (signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, STOPS)
