"""How fast this machine makes a recipe's faces, and how near that is to the unavoidable work.

The floor is measured in the same run, by the same processes: one batched product of coefficients
and bases, and encoding those very images, on all cores.
"""

import multiprocessing
import os
import statistics
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
import psutil
from jaxtyping import Float32

from facegen.dataset.encoding import CODECS, encode_image
from facegen.dataset.report import ShardReport
from facegen.dataset.spec import ResolvedSpec
from facegen.errors import FacegenError
from facegen.files import Array
from facegen.generation.engines.local import LocalEngine, Task
from facegen.generation.progress import Unwatched
from facegen.generation.timing import Stopwatch, stage_milliseconds
from facegen.generation.worker import OnSamples, Worker, image_format
from facegen.imaging.faces import Faces, finish, scene_of
from facegen.recipe.plan import Shard
from facegen.rendering.devices import in_short
from facegen.sampling.samples import Samples

POLL_S = 0.25


@dataclass(frozen=True)
class Figures:
    """What one run measured; medians where there were several."""

    images_per_s: float
    images_per_s_unwritten: float
    floor_images_per_s: float
    ratio_to_floor: float
    start_s: float
    memory_mb: float
    stage_ms: dict[str, float]
    device: str
    workers: int
    images: int
    repeats: int


@dataclass(frozen=True)
class Pace:
    """One pass over the samples: images/s once every worker is at work, and what came of it."""

    images_per_s: float
    start_s: float
    memory_mb: float
    reports: tuple[ShardReport, ...]


def measure(spec: ResolvedSpec, repeats: int) -> Figures:
    """Make the spec's samples `repeats` times, with and without writing, and the floor between."""
    written, unwritten, floor = [], [], []
    for _ in range(repeats):
        written.append(pace(spec, Worker.make))
        unwritten.append(pace(spec, rehearse))
        floor.append(pace(spec, bare_work))
    ratios = [w.images_per_s / f.images_per_s for w, f in zip(written, floor, strict=True)]
    return Figures(
        images_per_s=median_speed(written),
        images_per_s_unwritten=median_speed(unwritten),
        floor_images_per_s=median_speed(floor),
        ratio_to_floor=round(statistics.median(ratios), 3),
        start_s=round(statistics.median(p.start_s for p in written), 2),
        memory_mb=round(max(p.memory_mb for p in written)),
        stage_ms=stage_milliseconds(written[-1].reports),
        device=written[-1].reports[0].device,
        workers=spec.workers,
        images=spec.count,
        repeats=repeats,
    )


def median_speed(paces: list[Pace]) -> float:
    """The median of several runs' images/s."""
    return round(statistics.median(pace.images_per_s for pace in paces), 1)


class Ticks(Unwatched):
    """When samples were made, and how many each time."""

    def __init__(self) -> None:
        self.times: list[float] = []
        self.samples: list[int] = []

    def advanced(self, samples: int) -> None:
        self.times.append(time.perf_counter())
        self.samples.append(samples)


def pace(spec: ResolvedSpec, task: Task) -> Pace:
    """Do the task with all the spec's shards; the clock starts with the first finished batch."""
    ticks = Ticks()
    started = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder, watch_memory() as peak:
        local = replace(spec, out=folder)
        results = LocalEngine(task).make(local, local.shards, ticks)
        reports = tuple(result for result in results if isinstance(result, ShardReport))
    if len(reports) < len(local.shards):
        raise FacegenError("some shards could not be made", "run `facegen doctor`")
    samples = sum(ticks.samples[1:])
    if not samples:
        raise FacegenError("too few samples to measure a speed", "raise --count")
    speed = samples / (ticks.times[-1] - ticks.times[0])
    return Pace(speed, ticks.times[0] - started, max(peak, default=0.0), reports)


def rehearse(worker: Worker, shard: Shard, on_samples: OnSamples) -> ShardReport:
    """Make the samples of a shard, and write nothing."""
    worker.stopwatch = Stopwatch()
    for samples, frames in worker.rendered(shard):
        worker.encoded(samples, frames)
        on_samples(len(samples))
    return worker.report(shard, 0, "")


def bare_work(worker: Worker, shard: Shard, on_samples: OnSamples) -> ShardReport:
    """For each batch, the product of coefficients and bases, and the encoding; nothing else."""
    work = work_of(worker)
    for indices in worker.batches(shard):
        work.do(worker, min(len(indices), len(work.faces)))
        on_samples(len(indices))
    return worker.report(shard, 0, "")


@dataclass(frozen=True, eq=False)
class Work:
    """A batch rendered once, and the memory that the products go into."""

    samples: Samples
    faces: Faces
    geometry: Float32[Array, "N V 3"]
    reflectance: Float32[Array, "N V 3"]

    def do(self, worker: Worker, count: int) -> None:
        """Evaluate and encode `count` faces."""
        parameters, model = self.samples.parameters, worker.model
        model.geometry.evaluate(parameters.geometry[:count], self.geometry[:count])
        model.reflectance.evaluate(parameters.reflectance[:count], self.reflectance[:count])
        for row in range(count):
            image = image_format(worker.spec, self.samples, row)
            encode_image(self.faces.images[row], image)
            for name in worker.spec.layers & self.faces.layers.keys():
                CODECS[name].encode(self.faces.layers[name][row])


@lru_cache(maxsize=1)
def work_of(worker: Worker) -> Work:
    """The worker's first batch, made before the clock starts."""
    samples = worker.sampler.draw(np.arange(worker.renderer.batch))
    frames = worker.renderer.render(scene_of(samples, worker.dresser))
    faces = finish(frames, samples, worker.finishing)
    geometry = np.empty((len(samples), worker.model.vertices, 3), np.float32)
    return Work(samples, faces, geometry, np.empty_like(geometry))


@contextmanager
def watch_memory() -> Iterator[list[float]]:
    """Proportional set size in MB of this process and its children, time after time."""
    peaks: list[float] = []
    stopped = threading.Event()

    def poll() -> None:
        while not stopped.wait(POLL_S):
            peaks.append(tree_memory_mb())

    thread = threading.Thread(target=poll, daemon=True)
    thread.start()
    try:
        yield peaks
    finally:
        stopped.set()
        thread.join()


def tree_memory_mb() -> float:
    """PSS in MB of this process and its children (shared pages count once); 0 where not Linux."""
    pids = [os.getpid(), *(child.pid for child in multiprocessing.active_children())]
    total = 0
    for pid in pids:
        with suppress(psutil.Error):
            total += getattr(psutil.Process(pid).memory_full_info(), "pss", 0)
    return total / 1e6


def table(figures: Figures, spec: ResolvedSpec) -> str:
    """The figures for a person."""
    stages = ", ".join(f"{stage} {ms:.2f}" for stage, ms in figures.stage_ms.items())
    image = spec.recipe.image
    rows = [
        ("device", f"{in_short(figures.device)}, {figures.workers} workers"),
        (
            "images",
            f"{image.size} x {image.size} {image.format}, {figures.images:,} of {spec.model.name}",
        ),
        ("images/s, written", f"{figures.images_per_s:,.0f}"),
        ("images/s, not written", f"{figures.images_per_s_unwritten:,.0f}"),
        ("floor, images/s", f"{figures.floor_images_per_s:,.0f}"),
        ("ratio to the floor", f"{figures.ratio_to_floor:.2f}"),
        ("ms an image in a worker", stages),
        ("memory (PSS), MB", f"{figures.memory_mb:,.0f}"),
        ("start, s", f"{figures.start_s:.1f}"),
    ]
    return "\n".join(f"{name:24} {value}" for name, value in rows)
