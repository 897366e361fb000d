"""The files of a data set: dataset.json against itself and the shards, and what is there at all."""

from collections.abc import Collection, Iterable

from facegen.dataset.card import CARD, PREVIEW
from facegen.dataset.index import INDEX, Index, entry_of, split_sizes
from facegen.dataset.report import ShardReport
from facegen.dataset.scan import STRANGER, STRANGER_HINT, ShardScan, ShardState, strangers
from facegen.dataset.spec import ResolvedSpec
from facegen.dataset.stores.store import LOCK
from facegen.files import PARTIAL
from facegen.inspection.checks.faults import Check, Fault, shard_fault

REPORT = "report.html"
PAGES = (CARD, PREVIEW)
OWN_FILES = {*PAGES, INDEX, LOCK, REPORT, "labels.parquet"}


def contradictions(
    spec: ResolvedSpec, index: Index, scans: Collection[ShardScan]
) -> tuple[Fault, ...]:
    """What dataset.json says that cannot be, by itself or by all shards."""
    derived = {
        "fingerprint": spec.fingerprint,
        "layout": spec.layout.to_json(),
        "splits": split_sizes(spec),
    }
    faults = [
        Fault("index", INDEX, f"its {key} is not what recipe, model, seed and settings in it give")
        for key, value in derived.items()
        if getattr(index, key) != value
    ]
    states = {scan.state for scan in scans}
    if ShardState.OTHER_SETTINGS in states and ShardState.COMPLETE not in states:
        faults.append(Fault("index", INDEX, "its fingerprint is that of none of the shards"))
    return tuple(faults)


def check_list(index: Index, reports: Iterable[ShardReport]) -> tuple[Fault, ...]:
    """dataset.json's list of shards against their reports."""
    entries = [entry_of(report) for report in reports]
    if index.shards == entries:
        return ()
    wrong = [entry.name for entry in entries if entry not in index.shards]
    how = f"as their reports do: {', '.join(wrong[:3])}" if wrong else "once and in their order"
    return (Fault("index", INDEX, f"it does not list the shards {how}; render again"),)


def check_files(spec: ResolvedSpec, scans: Collection[ShardScan], names: Collection[str]) -> Check:
    """Shards and reports are there, no others, and nothing half done."""
    wrong = [scan for scan in scans if scan.state is not ShardState.COMPLETE]
    faults = [shard_fault("files", scan.shard.name, scan.message) for scan in wrong]
    faults += [
        Fault("files", name, "left by a run that was cut off", (name,))
        for name in sorted(names)
        if name.endswith(PARTIAL)
    ]
    faults += [
        Fault("files", name, f"{STRANGER}; {STRANGER_HINT}")
        for name in strangers(spec.all_shards, names)
    ]
    complete = len(scans) - len(wrong)
    return Check("files", f"{complete:,} of {len(scans):,} shards", tuple(faults))


def foreign(spec: ResolvedSpec, names: Collection[str], complete: bool) -> tuple[Fault, ...]:
    """Files that are none of the data set's, and pages that a complete one should have."""
    planned = {f"{shard.name}.{suffix}" for shard in spec.shards for suffix in ("tar", "json")}
    foreign_names = [
        name
        for name in sorted(set(names) - planned - OWN_FILES)
        if not name.endswith((PARTIAL, ".tar"))
    ]
    missing = [page for page in PAGES if page not in names] if complete else []
    return (
        *(Fault("files", name, "foreign file") for name in foreign_names),
        *(Fault("files", page, "missing; render again") for page in missing),
    )
