"""A Ray cluster: every shard a task, retried by Ray, the model's bytes put once."""

import socket
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

from facegen.dataset.report import ShardReport
from facegen.dataset.spec import ModelFile, ResolvedSpec
from facegen.errors import FacegenError, ModelError
from facegen.files import write_file
from facegen.folders import cache_folder
from facegen.generation.engines.engine import Failure
from facegen.generation.engines.local import PATIENCE_S, TRIES
from facegen.generation.progress import Progress
from facegen.generation.worker import Worker
from facegen.models.extras import INSIDE, inside
from facegen.models.model_file import checked_sha256
from facegen.recipe.plan import Shard


@dataclass(frozen=True)
class RayEngine:
    """Makes shards as tasks of the Ray cluster at `address`; '' starts one on this machine."""

    address: str = ""
    gpus_per_task: float = 0.0

    def make(
        self, spec: ResolvedSpec, shards: list[Shard], progress: Progress
    ) -> Iterator[ShardReport | Failure]:
        """Make these shards on any node; the output must be reachable from all."""
        ray = connect(self.address)
        model = ray.put(inside(spec.model.path)[0].read_bytes())
        task = ray.remote(make_shard).options(
            num_cpus=1, num_gpus=self.gpus_per_task, max_retries=TRIES - 1
        )
        waiting = {task.remote(spec, shard, model): shard for shard in shards}
        while waiting:
            ready, _ = ray.wait(list(waiting))
            yield outcome(ray, ready[0], waiting.pop(ready[0]), progress)


def outcome(ray: Any, reference: Any, shard: Shard, progress: Progress) -> ShardReport | Failure:
    """What became of a shard; a FacegenError of its task is raised."""
    try:
        report: ShardReport = ray.get(reference)
    except ray.exceptions.RayTaskError as error:
        if isinstance(error.cause, FacegenError):
            raise error.cause from None
        return Failure(shard, shard.start, shard.stop, repr(error.cause))
    except ray.exceptions.RayError as error:
        return Failure(shard, shard.start, shard.stop, type(error).__name__)
    progress.advanced(report.samples)
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
            message = " ".join(str(error).split())
            raise FacegenError(f"no Ray cluster at {address!r}: {message}") from None
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


def make_shard(spec: ResolvedSpec, shard: Shard, model: bytes) -> ShardReport:
    """The task: make one shard with this process's worker, its model brought by Ray if need be."""
    if not inside(spec.model.path)[0].exists():
        path = cached_copy(model, spec.model)
        spec = replace(spec, model=replace(spec.model, path=path))
    return worker_of(Assignment(spec.fingerprint, spec.out, spec)).make(shard, lambda samples: None)


@dataclass(frozen=True)
class Assignment:
    """A spec as a key: what it makes and where."""

    fingerprint: str
    out: str
    spec: ResolvedSpec = field(compare=False)


@lru_cache(maxsize=1)
def worker_of(assignment: Assignment) -> Worker:
    """The one worker of this process, kept between its tasks."""
    return Worker(assignment.spec, assignment.spec.devices[0])


def cached_copy(content: bytes, model: ModelFile) -> Path:
    """The model's file in this node's cache."""
    file = cache_folder() / f"{model.sha256}.h5"
    path = file / INSIDE if inside(model.path)[1] else file
    with suppress(ModelError):
        if checked_sha256(path) == model.sha256:
            return path
    write_file(file, content)
    return path
