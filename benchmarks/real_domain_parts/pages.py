"""dataset.json and a contact sheet of a "real" domain."""

from facegen.dataset import shards
from facegen.dataset.card import contact_sheet
from facegen.dataset.index import CONVENTIONS, Index, ModelEntry, entry_of, versions, write_index
from facegen.dataset.report import ShardReport
from facegen.dataset.spec import FORMAT
from facegen.dataset.stores.folder import FolderStore
from facegen.models import catalogue
from real_domain_parts.task import SHARD_SIZE, SPLITS, Task

PREVIEW_FACES = 32


def write_pages(task: Task, reports: list[ShardReport]) -> None:
    """dataset.json and a contact sheet."""
    model = catalogue.load("generic")
    samples = dict.fromkeys(SPLITS, 0)
    for report in reports:
        samples[split_of(report)] += report.samples
    index = Index(
        format=FORMAT,
        fingerprint=task.fingerprint,
        count=sum(samples.values()),
        done=sum(samples.values()),
        seed=task.seed,
        recipe={"name": "real-domain", **task.recipe.table},
        model=ModelEntry(model.name, model.sha256),
        layout=model.layout.to_json(),
        splits={split: count for split, count in samples.items() if count},
        estimates=None,
        layers=["mask"],
        backgrounds=None,
        renderer="mitsuba-1",
        devices=sorted({report.device for report in reports}),
        conventions=CONVENTIONS,
        versions=versions(),
        shard_size=SHARD_SIZE,
        shards=[entry_of(report) for report in reports],
    )
    store = FolderStore(task.out)
    write_index(store, index)
    store.write("preview.jpg", preview(task, reports))


def preview(task: Task, reports: list[ShardReport]) -> bytes:
    """The first photographs, as one JPEG."""
    samples = (
        members["jpg"]
        for report in reports
        for _, members in shards.read_samples(task.out / f"{report.name}.tar")
    )
    return contact_sheet([data for _, data in zip(range(PREVIEW_FACES), samples, strict=False)])


def split_of(report: ShardReport) -> str:
    """The split a report's shard belongs to."""
    return report.name.rpartition("-")[0]
