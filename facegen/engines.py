"""Where shards are made: the processes of this machine.

The parent hands one shard at a time to each worker over a pipe of its own, so that no lock is
shared and a worker that dies is seen at once.
"""

import os
import signal
import sys
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from multiprocessing import get_context
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from typing import Any

from threadpoolctl import threadpool_limits

from facegen.errors import FacegenError
from facegen.job import Job
from facegen.shards import Shard, ShardReport
from facegen.studio import Listener, Studio

PATIENCE_S = 5.0

Task = Callable[[Studio, Shard, Listener], ShardReport]


@dataclass(frozen=True)
class Duty:
    """What a worker is for: a task with the shards of a job, on a device."""

    job: Job
    device: str
    task: Task


@dataclass(frozen=True)
class Worker:
    """A process that makes shards, and the parent's end of its pipe."""

    process: BaseProcess
    pipe: Connection


@dataclass(frozen=True)
class LocalEngine:
    """Makes shards in processes of this machine, started by spawn, one studio each."""

    task: Task = Studio.make

    def make(self, job: Job, todo: list[Shard], listen: Listener) -> Iterator[ShardReport]:
        """Make these shards, in any order; the first failure ends the work."""
        waiting = deque(todo)
        workers = [
            start_worker(Duty(job, job.devices[k % len(job.devices)], self.task))
            for k in range(min(job.workers, len(todo)))
        ]
        busy: dict[Any, Worker] = {worker.pipe: worker for worker in workers}
        try:
            for worker in workers:
                worker.pipe.send(waiting.popleft())
            while busy:
                for pipe in wait(list(busy)):
                    message = receive(busy[pipe])
                    if isinstance(message, int):
                        listen(message)
                        continue
                    yield message
                    if waiting:
                        busy[pipe].pipe.send(waiting.popleft())
                    else:
                        del busy[pipe]
        finally:
            stop(workers)


def start_worker(duty: Duty) -> Worker:
    """Start a worker."""
    context = get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=work, args=(duty, theirs), daemon=True)
    process.start()
    theirs.close()
    return Worker(process, ours)


def receive(worker: Worker) -> int | ShardReport:
    """The worker's next word: samples written, or a finished shard; its failure is raised."""
    try:
        message = worker.pipe.recv()
    except (EOFError, OSError):
        worker.process.join(PATIENCE_S)
        raise FacegenError(
            f"a worker process died (exit code {worker.process.exitcode})",
            "run the same command again to go on",
        ) from None
    if isinstance(message, Exception):
        raise message
    return message


def stop(workers: list[Worker]) -> None:
    """End the workers: those that wait for a shard at once, the others by force."""
    for worker in workers:
        worker.pipe.close()
    for worker in workers:
        worker.process.terminate()
        worker.process.join(PATIENCE_S)


def work(duty: Duty, pipe: Connection) -> None:
    """A worker's life: do the task with the shards that come, until the parent hangs up."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    threads = max(1, cores() // duty.job.workers)
    os.environ["LP_NUM_THREADS"] = str(threads if threads > 1 else 0)
    with threadpool_limits(threads):
        try:
            studio = Studio(duty.job, duty.device)
            while True:
                pipe.send(duty.task(studio, pipe.recv(), pipe.send))
        except (EOFError, ConnectionError):
            return
        except FacegenError as error:
            pipe.send(error)
        except Exception as error:
            pipe.send(unexpected(error))


def cores() -> int:
    """The cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def unexpected(error: Exception) -> FacegenError:
    """An error that facegen did not foresee, as a fact."""
    if isinstance(error, OSError):
        where = f"{error.filename}: " if error.filename else ""
        return FacegenError(
            f"{where}{error.strerror or error}", "free some space or use another --out"
        )
    return FacegenError(f"{type(error).__name__}: {error}", "this is a fault of facegen: report it")
