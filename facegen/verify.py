"""Prove a data set: every shard against its report, every label against recipe, seed and index.

What is independent of that is asked as well: whether the stored numbers follow the stated priors,
and whether samples rendered again from their labels give the stored pictures.
"""

import re
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from multiprocessing import get_context
from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits

from facegen.bootstrap import Resampling
from facegen.errors import FacegenError
from facegen.job import Job
from facegen.opened import INDEX, can_render, has_source, read_index
from facegen.parameters import Float32
from facegen.plan import Shard, splits_of
from facegen.sampling import Indices, Prior, PriorSource
from facegen.shards import ShardReport, read_report
from facegen.stores import LOCK, PARTIAL, Store
from facegen.studio import Listener, source_of
from facegen.verify_checks import Findings, Inspector, Order
from facegen.verify_faults import Fault, shard_fault
from facegen.verify_pictures import Tally
from facegen.verify_priors import FAMILY_ALPHA, Trial, independent, try_dimensions, try_mixtures

CHECKS = {
    "index": "dataset.json gives its digest and lists the shards",
    "files": "shards and reports are there, and of this data set",
    "bytes": "size and sha256 are the report's",
    "members": "keys, suffixes and headers are those due",
    "theta": "theta is what recipe, seed and index give",
    "labels": "camera, crop, identity and parent are those due",
    "prior": "each dimension of theta follows its distribution",
    "mixture": "mixtures have their weights",
    "pictures": "samples rendered again give the stored pictures",
}
STRANGER = "made with another recipe, model, seed or setting"
PAGES = ("README.md", "preview.jpg")
REPORT = "report.html"
KNOWN = {*PAGES, INDEX, LOCK, REPORT, "labels.parquet"}
THETA_KEPT = 200_000
DEFAULT_RERENDER = 16


@dataclass(frozen=True)
class Check:
    """One check: what it proves, what it looked at, and what is wrong."""

    name: str
    looked_at: str
    faults: tuple[Fault, ...] = ()

    @property
    def proves(self) -> str:
        return CHECKS[self.name]


@dataclass(frozen=True)
class Verdict:
    """What came of verifying a data set; warnings do not make it wrong."""

    checks: tuple[Check, ...]
    warnings: tuple[Fault, ...] = ()

    @property
    def faults(self) -> tuple[Fault, ...]:
        return tuple(fault for check in self.checks for fault in check.faults)

    @property
    def ok(self) -> bool:
        return not self.faults


@dataclass(frozen=True, eq=False)
class Kept:
    """What looking at all shards gave."""

    faults: tuple[Fault, ...]
    indices: Indices
    theta: Float32
    tally: Tally


def verify(job: Job, store: Store, rerender: int | None, listen: Listener) -> Verdict:
    """Check everything; `rerender` samples (None: all) are rendered again; `listen` hears of each.

    Where dataset.json contradicts itself or all shards, nobody knows which is right, and no more
    is said.
    """
    names, table = store.names(), read_index(store)
    contradictions = check_settings(job, table)
    reports, faults = find_shards(job, store, names)
    if not reports and any(fault.fact == STRANGER for fault in faults):
        contradictions += (Fault("index", INDEX, "its digest is that of none of the shards"),)
    if contradictions:
        return Verdict((Check("index", INDEX, contradictions),))
    complete = len(reports) == len(job.shards)
    kept = look(job, orders(job, reports, rerender), listen)
    checks = (
        Check("index", INDEX, check_list(table, reports) if complete else ()),
        Check("files", f"{len(reports):,} of {len(job.shards):,} shards", faults),
        *shard_checks(job, kept),
        *prior_checks(job, kept),
    )
    return Verdict(checks, foreign(job, names, complete))


def find_shards(
    job: Job, store: Store, names: dict[str, int]
) -> tuple[dict[str, ShardReport], tuple[Fault, ...]]:
    """The reports of the shards that are there, and what is missing or left over."""
    reports, faults = {}, []
    for shard in job.shards:
        found = find_shard(job, shard, store, names)
        if isinstance(found, str):
            faults.append(shard_fault("files", shard.name, found))
        else:
            reports[shard.name] = found
    for name in sorted(names):
        if name.endswith(PARTIAL):
            faults.append(Fault("files", name, "left by a run that was cut off", (name,)))
    return reports, tuple(faults)


def find_shard(job: Job, shard: Shard, store: Store, names: dict[str, int]) -> ShardReport | str:
    """The shard's report, or what is wrong with its files."""
    tar, report = (f"{shard.name}.{suffix}" in names for suffix in ("tar", "json"))
    if not (tar or report):
        return "missing"
    if not report:
        return "has no report, so it is not finished"
    if not tar:
        return "its report is there, but not its tar"
    try:
        found = read_report(store, shard.name)
    except FacegenError as error:
        return error.fact
    if (found.start, found.stop) != (shard.start, shard.stop):
        return f"holds samples {found.start} to {found.stop}, not {shard.start} to {shard.stop}"
    return found if found.digest == job.digest else STRANGER


def foreign(job: Job, names: dict[str, int], complete: bool) -> tuple[Fault, ...]:
    """Files that are none of the data set's, and pages that a finished one should have."""
    mine = {f"{shard.name}.{suffix}" for shard in job.shards for suffix in ("tar", "json")} | KNOWN
    strangers = [name for name in sorted(names.keys() - mine) if not name.endswith(PARTIAL)]
    warnings = [Fault("files", name, words_for(name)) for name in strangers]
    missing = [page for page in PAGES if page not in names] if complete else []
    return (*warnings, *(Fault("files", page, "missing; render again") for page in missing))


def words_for(name: str) -> str:
    """What to say of a foreign file."""
    shard = re.fullmatch(r"[a-z][a-z0-9_]*-\d{6}\.tar", name)
    return "foreign file" + (", which readers of *.tar will take for a shard" if shard else "")


def check_settings(job: Job, table: dict[str, Any]) -> tuple[Fault, ...]:
    """dataset.json against itself."""
    due = {
        "digest": job.digest,
        "layout": job.layout.to_json(),
        "splits": {
            split.name: split.stop - split.start for split in splits_of(job.recipe, job.count)
        },
    }
    return tuple(
        Fault("index", INDEX, f"its {key} is not what recipe, model, seed and settings in it give")
        for key in due
        if table.get(key) != due[key]
    )


def check_list(table: dict[str, Any], reports: dict[str, ShardReport]) -> tuple[Fault, ...]:
    """dataset.json's list of shards against their reports."""
    due = [entry_of(report) for report in reports.values()]
    listed = table.get("shards")
    if listed == due:
        return ()
    entries = listed if isinstance(listed, list) else []
    wrong = [one["name"] for one in due if one not in entries]
    what = f"as their reports do: {', '.join(wrong[:3])}" if wrong else "once and in their order"
    return (Fault("index", INDEX, f"it does not list the shards {what}; render again"),)


def entry_of(report: ShardReport) -> dict[str, Any]:
    """How dataset.json lists a shard."""
    return {key: getattr(report, key) for key in ("name", "samples", "bytes", "sha256")}


def orders(job: Job, reports: dict[str, ShardReport], rerender: int | None) -> list[Order]:
    """The shards to look at, with the samples to render again."""
    picks = np.empty(0, np.int64)
    if rerender is not None and can_render(job):
        generator = np.random.default_rng()
        picks = np.sort(generator.choice(job.count, min(rerender, job.count), replace=False))
    found = []
    for shard in job.shards:
        if shard.name not in reports:
            continue
        here = picks[np.searchsorted(picks, shard.start) : np.searchsorted(picks, shard.stop)]
        chosen: frozenset[int] | range = frozenset(here.tolist())
        if rerender is None and can_render(job):
            chosen = range(shard.start, shard.stop)
        found.append(Order(shard, reports[shard.name], chosen))
    return found


def look(job: Job, todo: list[Order], listen: Listener) -> Kept:
    """Look at all these shards, and keep the labels of samples spread evenly over them."""
    faults: list[Fault] = []
    indices, theta = [np.empty(0, np.int64)], [np.empty((0, job.layout.width), np.float32)]
    tally = Tally()
    for order, findings in zip(todo, inspections(job, todo), strict=True):
        faults += findings.faults
        indices.append(findings.indices)
        theta.append(findings.theta)
        tally += findings.tally
        listen(len(order.shard))
    return Kept(tuple(faults), np.concatenate(indices), np.concatenate(theta), tally)


def inspections(job: Job, todo: list[Order]) -> Iterator[Findings]:
    """The shards' findings in their order, by this process or by several."""
    thin = -(-job.count // THETA_KEPT)
    workers = min(job.workers, len(todo))
    if workers <= 1:
        with threadpool_limits(1):
            inspector = Inspector(job, thin) if todo else None
            yield from (inspector.inspect(order) for order in todo if inspector)
        return
    context = get_context("spawn")
    try:
        with ProcessPoolExecutor(workers, context, _start, (job, thin)) as pool:
            yield from pool.map(_inspect, todo)
    except BrokenProcessPool:
        raise FacegenError("a process that looked at shards died", "try --workers 1") from None


def shard_checks(job: Job, kept: Kept) -> Iterator[Check]:
    """The checks of every shard, from what was found."""
    drawn = "every sample" if has_source(job) else "skipped: give --estimates"
    looked_at = {
        "bytes": "every shard",
        "members": "every sample",
        "theta": drawn,
        "labels": "every sample",
        "pictures": words_of(kept.tally) if can_render(job) else "skipped: give --backgrounds",
    }
    for name, words in looked_at.items():
        yield Check(name, words, tuple(fault for fault in kept.faults if fault.check == name))


def words_of(tally: Tally) -> str:
    """What was rendered again, and how near it came."""
    if not tally.rendered:
        return "none"
    near = f", mean difference at most {tally.worst:.2g} of 255" if tally.worst else ""
    equal = f"{tally.equal:,} of {tally.rendered:,} equal in every byte"
    return f"{equal}{near}; on {tally.device}"


def prior_checks(job: Job, kept: Kept) -> Iterator[Check]:
    """The stored parameters against the recipe's distributions."""
    if not has_source(job) or not len(kept.theta):
        words = "skipped: give --estimates" if len(kept.theta) else "skipped: no sound label"
        yield from (Check(name, words) for name in ("prior", "mixture"))
        return
    prior, free = draws(job, kept.indices, kept.theta)
    trials = {
        "prior": try_dimensions(prior, job.layout, kept.theta, free),
        "mixture": try_mixtures(prior, job.layout, kept.theta, free),
    }
    limit = FAMILY_ALPHA / max(1, sum(map(len, trials.values())))
    for name, found in trials.items():
        yield Check(name, summary(found, len(kept.theta)), tuple(unlikely(name, found, limit)))


def draws(job: Job, indices: Indices, theta: Float32) -> tuple[Prior, list[Float32]]:
    """The prior, and the independent draws from it behind each column of theta (N, m)."""
    source = source_of(job, job.layout)
    if isinstance(source, Resampling):
        parents = source.estimates.theta[source.rows(job.seed, indices)]
        return source.noise, list((theta - parents).T)
    assert isinstance(source, PriorSource)
    return source.prior, independent(job.recipe, source, indices, theta)


def summary(trials: list[Trial], samples: int) -> str:
    """The trial that went worst, in words."""
    if not trials:
        return "there are none"
    worst = min(trials, key=lambda trial: trial.p)
    least = f"least likely: {worst.what}, p = {worst.p:.2g}"
    return f"{len(trials):,} tests of {samples:,} samples; {least}"


def unlikely(name: str, trials: list[Trial], limit: float) -> Iterator[Fault]:
    """Trials that a sound data set does not fail."""
    for trial in trials:
        if trial.p < limit:
            yield Fault(name, trial.what, f"does not follow its distribution: {trial.fact}")


def remove_faulty(job: Job, store: Store, verdict: Verdict) -> list[str]:
    """Remove what must be made again -> the names of what was removed."""
    wanted = [name for fault in verdict.faults for name in fault.remove]
    with store.claim(*job.part):
        names = store.names()
        removed = [name for name in dict.fromkeys(wanted) if name in names]
        for name in removed:
            store.remove(name)
    return removed


def _start(job: Job, thin: int) -> None:
    global _inspector  # noqa: PLW0603 - a pool's worker has no other place to keep it
    threadpool_limits(1)
    _inspector = Inspector(job, thin)


def _inspect(order: Order) -> Findings:
    return _inspector.inspect(order)


_inspector: Inspector
