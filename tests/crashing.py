"""Tasks that end their own worker; in a module that a fresh process can import."""

import os
import signal
from pathlib import Path

from facegen.studio import Studio

CURSED = "train-000001"


def die_at_a_shard(studio, shard, listen):
    """A native crash in the middle of one shard, whoever makes it."""
    with (Path(studio.job.out).parent / "tries").open("a") as file:
        file.write(f"{shard.name}\n")
    if shard.name == CURSED:
        listen(3)
        os.kill(os.getpid(), signal.SIGSEGV)
    return Studio.make(studio, shard, listen)


def die_once(studio, shard, listen):
    """A worker that is killed the first time it makes a shard."""
    mark = Path(studio.job.out).parent / f"seen-{shard.name}"
    if shard.name == CURSED and not mark.exists():
        mark.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return Studio.make(studio, shard, listen)
