"""A Ray cluster: every shard a task, retried by Ray, the model's bytes put once."""

import socket
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

from facegen.engines.local import PATIENCE_S, TRIES
from facegen.errors import FacegenError
from facegen.generate import Failure
from facegen.job import Job
from facegen.model_store import cache
from facegen.plan import Shard
from facegen.shards import ShardReport
from facegen.studio import Listener, Studio


@dataclass(frozen=True)
class RayEngine:
    """Makes shards as tasks of the Ray cluster at `address`; '' starts one on this machine."""

    address: str = ""
    gpus_per_task: float = 0.0

    def make(
        self, job: Job, todo: list[Shard], listen: Listener
    ) -> Iterator[ShardReport | Failure]:
        """Make these shards on any node; the output must be reachable from all."""
        ray = connect(self.address)
        model = ray.put(job.model.path.read_bytes())
        task = ray.remote(make_shard).options(
            num_cpus=1, num_gpus=self.gpus_per_task, max_retries=TRIES - 1
        )
        waiting = {task.remote(job, shard, model): shard for shard in todo}
        while waiting:
            ready, _ = ray.wait(list(waiting))
            yield outcome(ray, ready[0], waiting.pop(ready[0]), listen)


def outcome(ray: Any, reference: Any, shard: Shard, listen: Listener) -> ShardReport | Failure:
    """What became of a shard; a FacegenError of its task is raised."""
    try:
        report = ray.get(reference)
    except ray.exceptions.RayTaskError as error:
        if isinstance(error.cause, FacegenError):
            raise error.cause from None
        return Failure(shard, shard.start, shard.stop, repr(error.cause))
    except ray.exceptions.RayError as error:
        return Failure(shard, shard.start, shard.stop, type(error).__name__)
    listen(report.samples)
    return report


def connect(address: str) -> Any:
    """Ray, connected; FacegenError says what is missing."""
    try:
        import ray
    except ImportError:
        raise FacegenError("--engine ray needs Ray", "pip install 'facegen[ray]'") from None
    check_reachable(address)
    if not ray.is_initialized():
        try:
            ray.init(address=address or None, log_to_driver=False, include_dashboard=False)
        except (ConnectionError, ValueError, RuntimeError) as error:
            fact = " ".join(str(error).split())
            raise FacegenError(f"no Ray cluster at {address!r}: {fact}") from None
    return ray


def check_reachable(address: str) -> None:
    """Refuse a host:port where nothing answers; Ray itself would go on asking for minutes."""
    host, _, port = address.rpartition(":")
    if not host or "/" in address or not port.isdigit():
        return
    try:
        socket.create_connection((host, int(port)), PATIENCE_S).close()
    except (OSError, OverflowError) as error:
        raise FacegenError(f"no Ray cluster at {address!r}: {error}") from None


def make_shard(job: Job, shard: Shard, model: bytes) -> ShardReport:
    """The task: make one shard with this process's studio, its model brought by Ray if need be."""
    if not job.model.path.exists():
        job = replace(job, model=replace(job.model, path=bring(model, job.model.sha256)))
    return studio_of(Order(job.digest, job.out, job)).make(shard, lambda samples: None)


@dataclass(frozen=True)
class Order:
    """A job as a key: what it makes and where."""

    digest: str
    out: str
    job: Job = field(compare=False)


@lru_cache(maxsize=1)
def studio_of(order: Order) -> Studio:
    """The one studio of this process, kept between its tasks."""
    return Studio(order.job, order.job.devices[0])


def bring(model: bytes, sha256: str) -> Path:
    """The model's file in this node's cache."""
    path = cache() / f"{sha256}.h5"
    if not path.exists():
        partial = path.with_suffix(".partial")
        partial.write_bytes(model)
        partial.replace(path)
    return path
