"""How fast this machine makes a recipe's faces, and how near that is to the work nobody can avoid.

The floor is measured in the same run, by the same processes: one batched product of coefficients
and bases, and encoding the very pictures, on all cores.
"""

import multiprocessing
import statistics
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

import numpy as np

from facegen import layers
from facegen.engines.local import LocalEngine, Task
from facegen.errors import FacegenError
from facegen.job import Job
from facegen.parameters import Float32
from facegen.plan import Shard
from facegen.renderers import Frames, Scene
from facegen.shards import ShardReport
from facegen.stopwatch import STAGES, Stopwatch
from facegen.studio import Listener, Studio

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


def measure(job: Job, repeats: int) -> Figures:
    """Make the job's samples `repeats` times, with and without writing, and the floor between."""
    written, unwritten, floor = [], [], []
    for _ in range(repeats):
        written.append(pace(job, Studio.make))
        unwritten.append(pace(job, rehearse))
        floor.append(pace(job, bare_work))
    ratios = [w.images_per_s / f.images_per_s for w, f in zip(written, floor, strict=True)]
    return Figures(
        images_per_s=median_speed(written),
        images_per_s_unwritten=median_speed(unwritten),
        floor_images_per_s=median_speed(floor),
        ratio_to_floor=round(statistics.median(ratios), 3),
        start_s=round(statistics.median(p.start_s for p in written), 2),
        memory_mb=round(max(p.memory_mb for p in written)),
        stage_ms=stage_ms(written[-1].reports),
        device=written[-1].reports[0].device,
        workers=job.workers,
        images=job.count,
        repeats=repeats,
    )


def median_speed(paces: list[Pace]) -> float:
    """The median of several runs' images/s."""
    return round(statistics.median(pace.images_per_s for pace in paces), 1)


def pace(job: Job, task: Task) -> Pace:
    """Do the task with all the job's shards; the clock starts with the first finished batch."""
    ticks: list[tuple[float, int]] = []
    started = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder, watch_memory() as peak:
        here = replace(job, out=folder)
        engine = LocalEngine(task)
        results = engine.make(here, here.shards, lambda n: ticks.append((time.perf_counter(), n)))
        reports = tuple(one for one in results if isinstance(one, ShardReport))
    if len(reports) < len(here.shards):
        raise FacegenError("some shards could not be made", "run `facegen doctor`")
    samples = sum(n for _, n in ticks[1:])
    if not samples:
        raise FacegenError("too few samples to tell a speed", "raise --count")
    speed = samples / (ticks[-1][0] - ticks[0][0])
    return Pace(speed, ticks[0][0] - started, max(peak, default=0.0), reports)


def rehearse(studio: Studio, shard: Shard, listen: Listener) -> ShardReport:
    """Make the samples of a shard, and write nothing."""
    studio.watch = Stopwatch()
    for batch, frames in studio.rendered(shard):
        studio.encoded(batch, frames)
        listen(len(batch))
    return studio.report(shard, 0, "")


def bare_work(studio: Studio, shard: Shard, listen: Listener) -> ShardReport:
    """For each batch, the product of coefficients and bases, and the encoding; nothing else."""
    work = work_of(studio)
    for indices in studio.batches(shard):
        work.do(studio, min(len(indices), len(work.frames)))
        listen(len(indices))
    return studio.report(shard, 0, "")


@dataclass(frozen=True, eq=False)
class Work:
    """A batch rendered once, and the memory that the products go into."""

    scene: Scene
    frames: Frames
    geometry: Float32
    reflectance: Float32

    def do(self, studio: Studio, count: int) -> None:
        """Evaluate and encode `count` faces."""
        parameters, model = self.scene.parameters, studio.model
        model.geometry.evaluate(parameters.geometry[:count], self.geometry[:count])
        model.reflectance.evaluate(parameters.reflectance[:count], self.reflectance[:count])
        for row in range(count):
            layers.encode(self.frames, row, studio.job.layers, studio.recipe.image)


@lru_cache(maxsize=1)
def work_of(studio: Studio) -> Work:
    """The studio's first batch, made before the clock starts."""
    batch = studio.pose(np.arange(studio.renderer.batch))
    frames = studio.renderer.render(batch.scene)
    studio.put_background(frames, batch.indices)
    geometry = np.empty((len(batch), studio.model.vertices, 3), np.float32)
    return Work(batch.scene, frames, geometry, np.empty_like(geometry))


def stage_ms(reports: tuple[ShardReport, ...]) -> dict[str, float]:
    """Milliseconds an image of each stage, in its worker."""
    seconds: Counter[str] = Counter()
    for report in reports:
        seconds.update(report.seconds)
    samples = sum(report.samples for report in reports)
    return {stage: round(1000 * seconds[stage] / samples, 3) for stage in STAGES}


@contextmanager
def watch_memory() -> Iterator[list[float]]:
    """Proportional set size in MB of this process and its children, time after time."""
    seen: list[float] = []
    done = threading.Event()

    def poll() -> None:
        while not done.wait(POLL_S):
            seen.append(tree_memory_mb())

    thread = threading.Thread(target=poll, daemon=True)
    thread.start()
    try:
        yield seen
    finally:
        done.set()
        thread.join()


def tree_memory_mb() -> float:
    """PSS in MB of this process and its children (shared pages count once); 0 where not Linux."""
    pids = ["self", *(str(child.pid) for child in multiprocessing.active_children())]
    total = 0
    for pid in pids:
        try:
            text = Path(f"/proc/{pid}/smaps_rollup").read_text()
        except OSError:
            continue
        total += next(int(line.split()[1]) for line in text.splitlines() if line.startswith("Pss:"))
    return total / 1000


def table(figures: Figures, job: Job) -> str:
    """The figures for a person."""
    stages = ", ".join(f"{stage} {ms:.2f}" for stage, ms in figures.stage_ms.items())
    image = job.recipe.image
    rows = [
        ("device", f"{figures.device}, {figures.workers} workers"),
        (
            "pictures",
            f"{image.size} x {image.size} {image.format}, {figures.images:,} of {job.model.name}",
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
