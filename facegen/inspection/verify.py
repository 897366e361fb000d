"""Prove a data set: every shard against its report, every label against recipe, seed and index.

What is independent of that is asked as well: whether the stored numbers follow the stated priors,
and whether samples rendered again from their labels give the stored images.
"""

from collections.abc import Callable, Collection, Iterator
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32, Int64
from threadpoolctl import threadpool_limits

from facegen.dataset.index import INDEX, read_index
from facegen.dataset.report import ShardReport
from facegen.dataset.scan import complete_reports, scan_shards
from facegen.dataset.spec import ResolvedSpec
from facegen.dataset.stores.store import Store
from facegen.errors import FacegenError
from facegen.files import Array
from facegen.generation.processes import obey_parent, spawning, stops_deferred
from facegen.inspection.checks.faults import Check, Fault, Verdict
from facegen.inspection.checks.files import check_files, check_list, contradictions, foreign
from facegen.inspection.checks.priors import prior_checks
from facegen.inspection.checks.rerender import Tally
from facegen.inspection.checks.shard import Assignment, Findings, Inspector

THETA_KEPT = 200_000
DEFAULT_RERENDER = 16

OnSamples = Callable[[int], object]


@dataclass(frozen=True, eq=False)
class Looked:
    """What looking at all shards gave: faults, theta of evenly spread samples, a tally."""

    faults: tuple[Fault, ...]
    indices: Int64[Array, "n"]
    theta: Float32[Array, "n m"]
    tally: Tally


def verify(
    spec: ResolvedSpec, store: Store, rerender: int | None, on_samples: OnSamples
) -> Verdict:
    """Check everything; `rerender` samples (None: all) are rendered again.

    Where dataset.json contradicts itself or all shards, nobody knows which is right, and no more
    is said. `on_samples` is told how many samples were looked at.
    """
    names, index = store.names(), read_index(store)
    scans = list(scan_shards(spec, store, names))
    wrong = contradictions(spec, index, scans)
    if wrong:
        return Verdict((Check("index", INDEX, wrong),))
    reports = complete_reports(scans)
    complete = len(reports) == len(scans)
    looked = look(spec, assignments(spec, reports, rerender), on_samples)
    checks = (
        Check("index", INDEX, check_list(index, reports) if complete else ()),
        check_files(spec, scans, names),
        *shard_checks(spec, looked),
        *prior_checks(spec, looked.indices, looked.theta),
    )
    return Verdict(checks, foreign(spec, names, complete))


def assignments(
    spec: ResolvedSpec, reports: Collection[ShardReport], rerender: int | None
) -> list[Assignment]:
    """The complete shards, with the samples to render again: the same ones at every call."""
    picks = np.empty(0, np.int64)
    if rerender is not None and spec.can_render:
        generator = np.random.default_rng(int(spec.fingerprint[:16], 16))
        picks = np.sort(generator.choice(spec.count, min(rerender, spec.count), replace=False))
    planned = {shard.name: shard for shard in spec.shards}
    every = rerender is None and spec.can_render
    return [
        Assignment(
            planned[report.name],
            report,
            range(report.start, report.stop) if every else _between(picks, report),
        )
        for report in reports
    ]


def _between(picks: Int64[Array, "n"], report: ShardReport) -> frozenset[int]:
    start, stop = np.searchsorted(picks, [report.start, report.stop])
    return frozenset(picks[start:stop].tolist())


def look(spec: ResolvedSpec, assignments: list[Assignment], on_samples: OnSamples) -> Looked:
    """Look at all these shards, and keep theta of samples spread evenly over them."""
    faults: list[Fault] = []
    indices, theta = [np.empty(0, np.int64)], [np.empty((0, spec.layout.width), np.float32)]
    tally = Tally()
    for assignment, findings in zip(assignments, inspections(spec, assignments), strict=True):
        faults += findings.faults
        indices.append(findings.indices)
        theta.append(findings.theta)
        tally += findings.tally
        on_samples(len(assignment.shard))
    return Looked(tuple(faults), np.concatenate(indices), np.concatenate(theta), tally)


def inspections(spec: ResolvedSpec, assignments: list[Assignment]) -> Iterator[Findings]:
    """The shards' findings in their order, by this process or by several."""
    thin = -(-spec.count // THETA_KEPT)
    workers = min(spec.workers, len(assignments))
    if workers <= 1:
        with threadpool_limits(1):
            inspector = Inspector(spec, thin) if assignments else None
            yield from (inspector.inspect(assignment) for assignment in assignments if inspector)
        return
    try:
        with stops_deferred(), spawning() as context:
            pool = ProcessPoolExecutor(workers, context, _start, (spec, thin))
            findings = pool.map(_inspect, assignments)
        with pool:
            yield from findings
    except BrokenProcessPool:
        raise FacegenError("a process that looked at shards died", "try --workers 1") from None


def shard_checks(spec: ResolvedSpec, looked: Looked) -> Iterator[Check]:
    """The checks of every shard, from what was found."""
    drawn = "every sample" if spec.has_source else "skipped: give --estimates"
    looked_at = {
        "bytes": "every shard",
        "members": "every sample",
        "theta": drawn,
        "labels": "every sample",
        "images": str(looked.tally) if spec.can_render else "skipped: give --backgrounds",
    }
    for name, text in looked_at.items():
        yield Check(name, text, tuple(fault for fault in looked.faults if fault.check == name))


def remove_faulty(store: Store, verdict: Verdict) -> list[str]:
    """Remove what must be made again -> the names of what was removed.

    The lock must be held since before the verdict: it is no longer true of what was made since.
    """
    named = dict.fromkeys(name for fault in verdict.faults for name in fault.remove)
    names = store.names()
    removed = [name for name in named if name in names]
    for name in removed:
        store.remove(name)
    return removed


def _start(spec: ResolvedSpec, thin: int) -> None:
    global _inspector  # noqa: PLW0603 - a pool's worker has no other place to keep it
    obey_parent()
    threadpool_limits(1)
    _inspector = Inspector(spec, thin)


def _inspect(assignment: Assignment) -> Findings:
    return _inspector.inspect(assignment)


_inspector: Inspector
