"""The processes of this machine.

The parent hands one shard at a time to each worker over a pipe of its own, so that no lock is
shared and a worker that dies is seen at once: it is replaced, and its shard tried again.
"""

import os
import signal
import sys
import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from multiprocessing import get_context, resource_tracker
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from types import FrameType
from typing import Any

from threadpoolctl import threadpool_limits

from facegen.engines import cores
from facegen.errors import FacegenError
from facegen.generate import Failure
from facegen.job import Job
from facegen.plan import Shard
from facegen.shards import ShardReport
from facegen.studio import Listener, Studio

PATIENCE_S = 4.0
TRIES = 3
STOPS = {signal.SIGINT, signal.SIGTERM}

Task = Callable[[Studio, Shard, Listener], ShardReport]


@dataclass(frozen=True)
class Duty:
    """What a worker is for: a task with the shards of a job, on a device."""

    job: Job
    device: str
    task: Task


@dataclass(frozen=True)
class Crash:
    """A worker's end, or an error that nobody foresaw."""

    fact: str


@dataclass
class Worker:
    """A process that makes shards, the parent's end of its pipe, and what it is at."""

    duty: Duty
    process: BaseProcess
    pipe: Connection
    shard: Shard
    tries: int
    samples: int = 0

    def receive(self) -> int | ShardReport | Crash:
        """Its next word: samples written, a shard, or its end; a FacegenError is raised."""
        try:
            message = self.pipe.recv()
        except (EOFError, OSError):
            self.process.join(PATIENCE_S)
            return Crash(f"its process died (exit code {self.process.exitcode})")
        if isinstance(message, FacegenError):
            raise message
        return message

    def begin(self, shard: Shard, tries: int) -> None:
        """Hand it a shard."""
        self.shard, self.tries, self.samples = shard, tries, 0
        with suppress(OSError):  # A worker that died meanwhile is heard of by its silence.
            self.pipe.send(shard)

    def failure(self, fact: str) -> Failure:
        """Its shard given up, with the samples it was at."""
        first = min(self.shard.start + self.samples, self.shard.stop - 1)
        return Failure(self.shard, first, self.shard.stop, fact)


@dataclass(frozen=True)
class LocalEngine:
    """Makes shards in processes of this machine, started by spawn, one studio each."""

    task: Task = Studio.make

    def make(
        self, job: Job, todo: list[Shard], listen: Listener
    ) -> Iterator[ShardReport | Failure]:
        """Make these shards, in any order; a FacegenError ends the work, a crash only a try."""
        waiting = deque((shard, 1) for shard in todo)
        duties = [
            Duty(job, job.devices[k % len(job.devices)], self.task) for k in range(job.workers)
        ]
        busy: dict[Any, Worker] = {}
        made = 0
        try:
            for duty in duties[: len(todo)]:
                employ(busy, duty, waiting)
            while busy:
                for pipe in wait(list(busy)):
                    worker = busy[pipe]
                    message = worker.receive()
                    if isinstance(message, int):
                        worker.samples += message
                        listen(message)
                        continue
                    if isinstance(message, ShardReport):
                        made += 1
                        yield message
                        carry_on(busy, worker, waiting)
                        continue
                    listen(-worker.samples)
                    yield from after_crash(busy, worker, waiting, message, made)
        finally:
            dismiss(list(busy.values()))


def employ(busy: dict[Any, Worker], duty: Duty, waiting: deque[tuple[Shard, int]]) -> None:
    """Start a worker on the next shard."""
    shard, tries = waiting.popleft()
    context = get_context("spawn")
    with stops_put_off():
        ours, theirs = context.Pipe()
        process = context.Process(target=work, args=(duty, theirs), daemon=True)
        process.start()
        theirs.close()
        worker = Worker(duty, process, ours, shard, tries)
        busy[ours] = worker
    worker.begin(shard, tries)


@contextmanager
def stops_put_off() -> Iterator[None]:
    """Put off requests to stop; a process started inside does so until it is ready for them.

    The mask is for the process, which inherits it; here other threads may still take a signal.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    resource_tracker.ensure_running()  # else the first start does it, and lifts the mask
    asked: list[int] = []
    handlers = {stop: signal.signal(stop, lambda number, _: asked.append(number)) for stop in STOPS}
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, STOPS)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)
        for stop, handler in handlers.items():
            signal.signal(stop, handler)
        if asked:
            signal.raise_signal(asked[0])


def carry_on(busy: dict[Any, Worker], worker: Worker, waiting: deque[tuple[Shard, int]]) -> None:
    """Hand the worker its next shard, or let it go."""
    if waiting:
        worker.begin(*waiting.popleft())
    else:
        dismiss([busy.pop(worker.pipe)])


def after_crash(
    busy: dict[Any, Worker],
    worker: Worker,
    waiting: deque[tuple[Shard, int]],
    crash: Crash,
    made: int,
) -> Iterator[Failure]:
    """Replace a worker that crashed, and try its shard again, or give the shard up."""
    dismiss([busy.pop(worker.pipe)])
    if worker.tries < TRIES:
        waiting.append((worker.shard, worker.tries + 1))
    elif made:
        yield worker.failure(crash.fact)
    else:
        raise FacegenError(f"no shard could be made: {crash.fact}", "run `facegen doctor`")
    if waiting:
        employ(busy, worker.duty, waiting)


def dismiss(workers: list[Worker]) -> None:
    """End workers: they drop their shards and have a few seconds to clear up."""
    for worker in workers:
        worker.pipe.close()
        worker.process.terminate()
    for worker in workers:
        worker.process.join(PATIENCE_S)
        if worker.process.is_alive():
            worker.process.kill()
            worker.process.join()


def work(duty: Duty, pipe: Connection) -> None:
    """A worker's life: do the task with the shards that come, until the parent hangs up."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, leave)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, STOPS)
    threads = max(1, cores() // duty.job.workers)
    os.environ["LP_NUM_THREADS"] = str(threads if threads > 1 else 0)
    with threadpool_limits(threads):
        try:
            studio = Studio(duty.job, duty.device)
            while True:
                pipe.send(duty.task(studio, pipe.recv(), pipe.send))
        except (EOFError, ConnectionError):
            return
        except Exception as error:
            with suppress(OSError):
                pipe.send(as_message(error))
        finally:
            # The interpreter clears up now, and an exit in the midst of that would be heard.
            signal.signal(signal.SIGTERM, signal.SIG_IGN)


def leave(number: int, frame: FrameType | None) -> None:
    """End; where the signal falls into a callback of C code, nothing can be raised, nor is said."""
    sys.unraisablehook = lambda _: None
    sys.exit(1)


def as_message(error: Exception) -> FacegenError | Crash:
    """An error as the parent takes it: a fact about the world ends the work, a fault is a crash."""
    if isinstance(error, FacegenError):
        return error
    if isinstance(error, OSError):
        where = f"{error.filename}: " if error.filename else ""
        fact = f"{where}{error.strerror or error}"
        return FacegenError(fact, "mend it, and run the same command again to go on")
    return Crash(f"{type(error).__name__}: {error}")
