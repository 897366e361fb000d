"""Which shards of a data set are complete, and what is wrong with the others."""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from enum import Enum

from facegen.dataset.index import Index, recipe_of
from facegen.dataset.report import ShardReport, read_report
from facegen.dataset.spec import ResolvedSpec
from facegen.dataset.stores.store import Store
from facegen.errors import DatasetError, FacegenError
from facegen.recipe.plan import Shard, shards_of

STRANGER = "no shard of this data set"
STRANGER_HINT = "move it to another folder"


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


def strangers(planned: Iterable[Shard], names: Iterable[str]) -> list[str]:
    """The tars that are no planned shards: whoever reads `*.tar` would take them for some."""
    own_names = {f"{shard.name}.tar" for shard in planned}
    return sorted(name for name in names if name.endswith(".tar") and name not in own_names)


def check_strangers(where: str, planned: Iterable[Shard], names: Iterable[str]) -> None:
    """DatasetError names a tar that is no planned shard."""
    for name in strangers(planned, names):
        raise DatasetError(f"{where}/{name}: {STRANGER}", STRANGER_HINT)


def complete_tars(index: Index, store: Store) -> list[str]:
    """The tars of complete shards, in order; DatasetError names one that is not of the index's set.

    A planned tar without a report is of a run that goes on or was cut off: it is left out.
    """
    names = store.names()
    listed = {f"{entry.name}.tar" for entry in index.shards}
    tars = sorted(name for name in names if name.endswith(".tar"))
    others = [name for name in tars if name not in listed]
    if others:
        planned = shards_of(recipe_of(index), index.count, max(index.shard_size, 1))
        check_strangers(store.where, planned, others)
    reported = {name for name in others if f"{name[:-4]}.json" in names}
    for name in sorted(reported):
        if read_report(store, name[:-4]).fingerprint != index.fingerprint:
            raise DatasetError(f"{store.where}/{name}: {STRANGER}, by its report", STRANGER_HINT)
    return [name for name in tars if name in listed | reported]


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
