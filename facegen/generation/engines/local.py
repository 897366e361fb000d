"""The processes of this machine.

The parent hands one shard at a time to each worker over a pipe of its own, so that no lock is
shared and a worker that dies is seen at once: it is replaced, and its shard tried again.
"""

import os
import signal
import sys
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from types import FrameType
from typing import Any

from threadpoolctl import threadpool_limits

from facegen.dataset.report import ShardReport
from facegen.dataset.resolving import cores
from facegen.dataset.spec import ResolvedSpec
from facegen.errors import FacegenError
from facegen.generation.engines.engine import Failure
from facegen.generation.processes import obey_parent, spawning, stops_deferred
from facegen.generation.progress import Progress
from facegen.generation.worker import OnSamples, Worker
from facegen.recipe.plan import Shard

PATIENCE_S = 4.0
TRIES = 3

Task = Callable[[Worker, Shard, OnSamples], ShardReport]


@dataclass(frozen=True)
class Duty:
    """What a worker is for: a task with the shards of a spec, on a device."""

    spec: ResolvedSpec
    device: str
    task: Task


@dataclass(frozen=True)
class Crash:
    """A worker's end, or an error that nobody foresaw."""

    message: str


@dataclass
class WorkerProcess:
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
            message: int | ShardReport | Crash | FacegenError = self.pipe.recv()
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

    def failure(self, message: str) -> Failure:
        """Its shard given up, with the samples it was at."""
        start = min(self.shard.start + self.samples, self.shard.stop - 1)
        return Failure(self.shard, start, self.shard.stop, message)


@dataclass(frozen=True)
class LocalEngine:
    """Makes shards in processes of this machine, started by spawn, each a worker of its own."""

    task: Task = Worker.make

    def make(
        self, spec: ResolvedSpec, shards: list[Shard], progress: Progress
    ) -> Iterator[ShardReport | Failure]:
        """Make these shards, in any order; a FacegenError ends the work, a crash only a try."""
        crew = _Crew(spec, self.task, deque((shard, 1) for shard in shards), progress)
        try:
            crew.start()
            while crew.busy:
                for pipe in wait(list(crew.busy)):
                    yield from crew.hear(crew.busy[pipe])
        finally:
            dismiss(list(crew.busy.values()))


@dataclass
class _Crew:
    """The workers of a run: who is busy with what, and which shards wait, with the number of the
    try that comes next."""

    spec: ResolvedSpec
    task: Task
    waiting: deque[tuple[Shard, int]]
    progress: Progress
    busy: dict[Any, WorkerProcess] = field(default_factory=dict)
    made: int = 0

    def start(self) -> None:
        """Start the workers, no more than there are shards."""
        spec = self.spec
        for k in range(min(spec.workers, len(self.waiting))):
            self.employ(Duty(spec, spec.devices[k % len(spec.devices)], self.task))

    def hear(self, worker: WorkerProcess) -> Iterator[ShardReport | Failure]:
        """Act on a worker's next message -> what became of its shard, if that is settled."""
        message = worker.receive()
        if isinstance(message, int):
            worker.samples += message
            self.progress.advanced(message)
        elif isinstance(message, ShardReport):
            self.made += 1
            yield message
            self.carry_on(worker)
        else:
            self.progress.rolled_back(worker.samples)
            yield from self.after_crash(worker, message)

    def employ(self, duty: Duty) -> None:
        """Start a worker on the next shard."""
        shard, tries = self.waiting.popleft()
        with stops_deferred(), spawning() as context:
            parent_end, worker_end = context.Pipe()
            process = context.Process(target=work, args=(duty, worker_end), daemon=True)
            process.start()
            worker_end.close()
            worker = WorkerProcess(duty, process, parent_end, shard, tries)
            self.busy[parent_end] = worker
        worker.begin(shard, tries)

    def carry_on(self, worker: WorkerProcess) -> None:
        """Hand the worker its next shard, or let it go."""
        if self.waiting:
            worker.begin(*self.waiting.popleft())
        else:
            dismiss([self.busy.pop(worker.pipe)])

    def after_crash(self, worker: WorkerProcess, crash: Crash) -> Iterator[Failure]:
        """Replace a worker that crashed, and try its shard again, or give the shard up."""
        dismiss([self.busy.pop(worker.pipe)])
        if worker.tries < TRIES:
            self.waiting.append((worker.shard, worker.tries + 1))
        elif self.made:
            yield worker.failure(crash.message)
        else:
            raise FacegenError(f"no shard could be made: {crash.message}", "run `facegen doctor`")
        if self.waiting:
            self.employ(worker.duty)


def dismiss(workers: list[WorkerProcess]) -> None:
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
    signal.signal(signal.SIGTERM, leave)
    obey_parent()
    threads = max(1, cores() // duty.spec.workers)
    os.environ["LP_NUM_THREADS"] = str(threads if threads > 1 else 0)
    with threadpool_limits(threads):
        try:
            worker = Worker(duty.spec, duty.device)
            while True:
                pipe.send(duty.task(worker, pipe.recv(), pipe.send))
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
        message = f"{where}{error.strerror or error}"
        return FacegenError(message, "fix that, and run the same command again to continue")
    return Crash(f"{type(error).__name__}: {error}")
