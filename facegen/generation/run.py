"""The main path: plan the shards, make those that are missing, write the data set's pages."""

import re
import time
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from facegen.dataset.card import CARD, PREVIEW, write_pages
from facegen.dataset.index import INDEX, check_format, check_renderer, index_of, write_index
from facegen.dataset.report import ShardReport
from facegen.dataset.resolving import resolve
from facegen.dataset.scan import ShardState, check_strangers, scan_shards
from facegen.dataset.spec import DatasetSpec, ResolvedSpec
from facegen.dataset.stores.opening import open_store
from facegen.dataset.stores.store import Store
from facegen.errors import DatasetError, FacegenError, UsageError
from facegen.files import PARTIAL
from facegen.generation.engines.engine import Engine, Failure
from facegen.generation.engines.local import LocalEngine
from facegen.generation.engines.ray import RayEngine
from facegen.generation.progress import Progress, Unwatched
from facegen.recipe.plan import SHARD_NAME, Shard


@dataclass(frozen=True)
class Summary:
    """What a run did: shards made, shards that were complete before, shards given up."""

    made: tuple[ShardReport, ...]
    complete: tuple[ShardReport, ...]
    failed: tuple[Failure, ...]
    seconds: float

    @property
    def samples(self) -> int:
        """Samples made by this run."""
        return sum(report.samples for report in self.made)


def generate(spec: DatasetSpec) -> Summary:
    """Make what is missing of a data set; FacegenError says why it cannot be made."""
    return run(resolve(spec), engine_of(spec), Unwatched())


def engine_of(spec: DatasetSpec) -> Engine:
    """The engine that a spec asks for."""
    if str(spec.out).startswith("memory:"):
        hint = "give a folder, or a store that other processes reach"
        raise UsageError(f"--out {spec.out}: the memory of one process", hint)
    if spec.engine == "ray":
        if spec.workers or "," in spec.device:
            raise UsageError("--engine ray takes one --device and no --workers")
        return RayEngine(spec.address, 1.0 if spec.device.startswith("egl") else 0.0)
    if spec.address:
        raise UsageError("--address is for --engine ray")
    return LocalEngine()


def run(spec: ResolvedSpec, engine: Engine, progress: Progress) -> Summary:
    """Make what is missing of the spec's shards, and the data set's pages."""
    began = time.perf_counter()
    store = open_store(spec.out)
    with store.lock(spec.start, spec.stop):
        names = clear_partials(spec, store)
        check_format(store, names)
        check_renderer(spec, store, names)
        check_not_larger(spec, names)
        complete = complete_shards(spec, store, names)
        progress.started(sum(report.samples for report in complete))
        write_index(store, index_of(spec, complete))
        missing = missing_shards(spec, complete)
        try:
            results = list(engine.make(spec, missing, progress))
        finally:
            clear_partials(spec, store)
        made = tuple(result for result in results if isinstance(result, ShardReport))
        failed = tuple(result for result in results if isinstance(result, Failure))
        if not failed and spec.is_whole:
            write_pages(spec, store, [*complete, *made])
    return Summary(made, tuple(complete), failed, time.perf_counter() - began)


def missing_shards(spec: ResolvedSpec, complete: Collection[ShardReport]) -> list[Shard]:
    """The shards of the spec that are not complete."""
    names = {report.name for report in complete}
    return [shard for shard in spec.shards if shard.name not in names]


def clear_partials(spec: ResolvedSpec, store: Store) -> dict[str, int]:
    """Remove what a run that was cut off left half done; the names left, by size.

    A part clears its own shards alone: another may be writing a page at this moment.
    """
    names = store.names()
    own_names = {f"{shard.name}.{end}" for shard in spec.shards for end in ("tar", "json")}
    if spec.is_whole:
        own_names |= {INDEX, CARD, PREVIEW}
    for name in [name for name in names if _is_partial(name, own_names)]:
        store.remove(name)
        del names[name]
    return names


def _is_partial(name: str, own_names: Collection[str]) -> bool:
    """Whether this is a temporary file of one of our own: 'train-000000.tar.1a2b3c4d.partial'."""
    return name.endswith(PARTIAL) and name.removesuffix(PARTIAL).rpartition(".")[0] in own_names


def check_not_larger(spec: ResolvedSpec, names: Collection[str]) -> None:
    """Refuse to make it where a larger one or others' tars lie: readers would take them all."""
    splits = {split for split, _ in spec.recipe.splits}
    planned = {shard.name for shard in spec.all_shards}
    present = {name.rpartition(".")[0] for name in names if name.endswith((".json", ".tar"))}
    more = sorted(
        name for name in present - planned if re.fullmatch(SHARD_NAME, name) and name[:-7] in splits
    )
    if more and spec.is_whole:
        raise DatasetError(
            f"{spec.out}: holds {len(more):,} shards more than asked for, from {more[0]} on",
            "ask for as many samples, or use another --out",
        )
    check_strangers(spec.out, spec.all_shards, names)


def complete_shards(
    spec: ResolvedSpec, store: Store, names: Mapping[str, int]
) -> list[ShardReport]:
    """The reports of the shards that are complete; a shard of other settings is refused."""
    reports = []
    for scan in scan_shards(spec, store, names):
        report, name = scan.report, scan.shard.name
        if report and report.fingerprint != spec.fingerprint:
            raise DatasetError(
                f"{spec.out}/{name}: {ShardState.OTHER_SETTINGS.value}",
                "use another --out, or remove this one",
            )
        if scan.state is ShardState.UNREADABLE:
            raise DatasetError(
                f"{spec.out}/{name}.json: {scan.message}", "remove it to make the shard again"
            )
        if report and scan.state is ShardState.COMPLETE and names[f"{name}.tar"] == report.bytes:
            reports.append(report)
    return reports


def join(spec: ResolvedSpec) -> int:
    """Write the pages of a data set whose parts were made apart -> its number of samples."""
    store = open_store(spec.out)
    names = store.names()
    check_strangers(spec.out, spec.all_shards, names)
    complete = complete_shards(spec, store, names)
    missing = len(spec.shards) - len(complete)
    if missing:
        message = f"{spec.out}: {missing:,} of {len(spec.shards):,} shards are not there yet"
        raise FacegenError(message, "render the parts that are missing")
    write_pages(spec, store, complete)
    return sum(report.samples for report in complete)
