"""The main path: plan the shards, make each, report."""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from facegen import shards
from facegen.dataset import write_pages
from facegen.errors import DatasetError, FacegenError, located
from facegen.job import Job
from facegen.shards import Shard, ShardReport
from facegen.studio import Listener


class Engine(Protocol):
    """Where shards are made."""

    def make(self, job: Job, todo: list[Shard], listen: Listener) -> Iterator[ShardReport]:
        """Make these shards, in any order; `listen` hears of samples as they are written."""
        ...


@dataclass(frozen=True)
class Summary:
    """What a run did."""

    made: tuple[ShardReport, ...]
    found: tuple[ShardReport, ...]
    seconds: float

    @property
    def samples(self) -> int:
        """Samples made by this run."""
        return sum(report.samples for report in self.made)


def generate(job: Job, engine: Engine, listen: Listener) -> Summary:
    """Make what is missing of the job's data set, and its index."""
    started = time.perf_counter()
    prepare(job.out)
    found = finished(job)
    listen(sum(report.samples for report in found))
    done = {report.name for report in found}
    todo = [shard for shard in plan(job) if shard.name not in done]
    made = list(engine.make(job, todo, listen))
    write_pages(job, sorted([*found, *made], key=lambda report: report.name))
    return Summary(tuple(made), tuple(found), time.perf_counter() - started)


def prepare(out: Path) -> None:
    """Make the folder, and clear what a run that was cut off left half done."""
    with located(f"--out {out}"):
        try:
            out.mkdir(parents=True, exist_ok=True)
            for partial in out.glob(f"*{shards.PARTIAL}"):
                partial.unlink()
            shards.write_atomically(out / ".writable", b"")
            (out / ".writable").unlink()
        except OSError as error:
            raise FacegenError(error.strerror or str(error), "give a folder to write to") from None


def plan(job: Job) -> list[Shard]:
    """The shards of the job."""
    starts = range(0, job.count, job.shard_size)
    return [
        Shard("train", number, start, min(start + job.shard_size, job.count))
        for number, start in enumerate(starts)
    ]


def finished(job: Job) -> list[ShardReport]:
    """The reports of the job's shards that are done; a shard of another digest is refused."""
    reports = []
    for shard in plan(job):
        path = job.out / f"{shard.name}.json"
        if not path.exists() or not path.with_suffix(".tar").exists():
            continue
        report = shards.read_report(path)
        if report.digest != job.digest:
            raise DatasetError(
                f"{path}: made with another recipe, model, seed or setting",
                "use another --out, or remove this one",
            )
        if (report.start, report.stop) == (shard.start, shard.stop):
            reports.append(report)
    return reports
