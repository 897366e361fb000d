"""The main path: plan the shards, make each, report."""

import re
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

from facegen import dataset, shards
from facegen.errors import DatasetError, FacegenError
from facegen.job import Job
from facegen.plan import Shard
from facegen.shards import ShardReport
from facegen.stores import PARTIAL, Store, open_store
from facegen.studio import Listener

PAGES = {"dataset", "README", "preview"}


@dataclass(frozen=True)
class Failure:
    """A shard that could not be made: the samples at work then, and what happened."""

    shard: Shard
    first: int
    last: int
    fact: str


class Engine(Protocol):
    """Where shards are made."""

    def make(
        self, job: Job, todo: list[Shard], listen: Listener
    ) -> Iterator[ShardReport | Failure]:
        """Make these shards, in any order; `listen` hears of samples as they are written."""
        ...


@dataclass(frozen=True)
class Summary:
    """What a run did."""

    made: tuple[ShardReport, ...]
    found: tuple[ShardReport, ...]
    failed: tuple[Failure, ...]
    seconds: float

    @property
    def samples(self) -> int:
        """Samples made by this run."""
        return sum(report.samples for report in self.made)


def generate(job: Job, engine: Engine, listen: Listener) -> Summary:
    """Make what is missing of the job's shards, and the data set's pages."""
    started = time.perf_counter()
    store = open_store(job.out)
    wanted = job.shards
    with store.claim(*job.part):
        names = clear_partials(job, store)
        check_no_more(job, store, names)
        found = finished(job, store, wanted, names)
        listen(sum(report.samples for report in found))
        dataset.write_index(job, store, found)
        done = {report.name for report in found}
        try:
            results = list(engine.make(job, [s for s in wanted if s.name not in done], listen))
        finally:
            clear_partials(job, store)
        made = tuple(one for one in results if isinstance(one, ShardReport))
        failed = tuple(one for one in results if isinstance(one, Failure))
        if not failed and job.is_whole:
            dataset.write_pages(job, store, [*found, *made])
    return Summary(made, tuple(found), failed, time.perf_counter() - started)


def clear_partials(job: Job, store: Store) -> dict[str, int]:
    """Remove what a run that was cut off left half done; the names left, by size.

    A part clears its own shards alone: another may be writing a page at this moment.
    """
    names = store.names()
    mine = {shard.name for shard in job.shards} | (PAGES if job.is_whole else set())
    for name in [n for n in names if n.endswith(PARTIAL) and n.partition(".")[0] in mine]:
        store.remove(name)
        del names[name]
    return names


def check_no_more(job: Job, store: Store, names: dict[str, int]) -> None:
    """Refuse to make a smaller data set where a larger one lies: readers would take it whole."""
    splits = {split for split, _ in job.recipe.splits}
    planned = {shard.name for shard in job.shards}
    found = {name.removesuffix(".json") for name in names if name.endswith(".json")}
    more = sorted(
        n for n in found - planned if re.fullmatch(r"(\w+)-\d{6}", n) and n[:-7] in splits
    )
    if more and job.is_whole:
        raise DatasetError(
            f"{job.out}: holds {len(more):,} shards more than asked for, from {more[0]} on",
            "ask for as many samples, or use another --out",
        )


def finished(
    job: Job, store: Store, wanted: list[Shard], names: dict[str, int]
) -> list[ShardReport]:
    """The reports of the shards that are done; a shard of another digest is refused."""
    reports = []
    for shard in wanted:
        if f"{shard.name}.json" not in names:
            continue
        report = shards.read_report(store, shard.name)
        if report.digest != job.digest:
            raise DatasetError(
                f"{job.out}/{shard.name}: made with another recipe, model, seed or setting",
                "use another --out, or remove this one",
            )
        same = (report.start, report.stop) == (shard.start, shard.stop)
        if same and names.get(f"{shard.name}.tar") == report.bytes:
            reports.append(report)
    return reports


def join(job: Job) -> int:
    """Write the pages of a data set whose parts were made apart -> its number of samples."""
    store = open_store(job.out)
    found = finished(job, store, job.shards, store.names())
    missing = len(job.shards) - len(found)
    if missing:
        fact = f"{job.out}: {missing:,} of {len(job.shards):,} shards are not there yet"
        raise FacegenError(fact, "render the parts that are missing")
    dataset.write_pages(job, store, found)
    return sum(report.samples for report in found)
