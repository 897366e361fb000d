"""Tasks that end their own worker; in a module that a fresh process can import."""

import os
import signal
from pathlib import Path

from facegen.generation.worker import Worker

CURSED = "train-000001"


def die_at_a_shard(worker, shard, on_samples):
    """A native crash in the middle of one shard, whoever makes it."""
    with (Path(worker.spec.out).parent / "tries").open("a") as file:
        file.write(f"{shard.name}\n")
    if shard.name == CURSED:
        on_samples(3)
        os.kill(os.getpid(), signal.SIGSEGV)
    return Worker.make(worker, shard, on_samples)


def die_once(worker, shard, on_samples):
    """A worker that is killed the first time it makes a shard."""
    mark = Path(worker.spec.out).parent / f"seen-{shard.name}"
    if shard.name == CURSED and not mark.exists():
        mark.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return Worker.make(worker, shard, on_samples)
