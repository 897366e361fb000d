"""Which shards of a data set are complete, and what is wrong with the others."""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from enum import Enum

from facegen.dataset.report import ShardReport, read_report
from facegen.dataset.spec import ResolvedSpec
from facegen.dataset.stores.store import Store
from facegen.errors import FacegenError
from facegen.recipe.plan import Shard


class ShardState(Enum):
    """What the files of a shard amount to; the value says it to a person."""

    COMPLETE = "complete"
    MISSING = "missing"
    NO_REPORT = "has no report, so it is not complete"
    NO_TAR = "its report is there, but not its tar"
    UNREADABLE = "its report cannot be read"
    OTHER_SAMPLES = "holds other samples than planned"
    OTHER_SETTINGS = "made with another recipe, model, seed or setting"


@dataclass(frozen=True)
class ShardScan:
    """A planned shard, its state, its report where one can be read, and words about the state."""

    shard: Shard
    state: ShardState
    message: str
    report: ShardReport | None = None


def scan_shards(spec: ResolvedSpec, store: Store, names: Collection[str]) -> Iterator[ShardScan]:
    """Every shard of the spec's part, in order; `names` are the files of the store."""
    return (_scan(spec, shard, store, names) for shard in spec.shards)


def complete_reports(scans: Iterable[ShardScan]) -> list[ShardReport]:
    """The reports of the shards that are complete."""
    return [scan.report for scan in scans if scan.report and scan.state is ShardState.COMPLETE]


def _scan(spec: ResolvedSpec, shard: Shard, store: Store, names: Collection[str]) -> ShardScan:
    has_tar, has_report = (f"{shard.name}.{suffix}" in names for suffix in ("tar", "json"))
    if not has_report:
        state = ShardState.NO_REPORT if has_tar else ShardState.MISSING
        return ShardScan(shard, state, state.value)
    if not has_tar:
        return ShardScan(shard, ShardState.NO_TAR, ShardState.NO_TAR.value)
    try:
        report = read_report(store, shard.name)
    except FacegenError as error:
        return ShardScan(shard, ShardState.UNREADABLE, error.message)
    if (report.start, report.stop) != (shard.start, shard.stop):
        planned = f"not {shard.start} to {shard.stop}"
        message = f"holds samples {report.start} to {report.stop}, {planned}"
        return ShardScan(shard, ShardState.OTHER_SAMPLES, message, report)
    same = report.fingerprint == spec.fingerprint
    state = ShardState.COMPLETE if same else ShardState.OTHER_SETTINGS
    return ShardScan(shard, state, state.value, report)
