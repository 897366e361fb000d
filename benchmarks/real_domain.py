"""A "real" domain with ground truth: path-traced photographs of the generic model's faces.

    python benchmarks/real_domain.py --train 600 --test 200

Light with shadows and highlights, clothes, backgrounds, lens, sensor noise, tone curve and JPEG are
none of facegen's; identities, poses and expressions come from another distribution than its prior.
The shards are facegen's own, so that `facegen estimate` and `facegen evaluate` read them: jpg,
theta.npy, json and mask.png (the face; clothes are background).

In theta, rotation, shape, expression and reflectance are exact. Illumination is not how the scene
was lit (that has no nine numbers) but the least-squares fit of nine harmonics to the finished
photograph, given the true normals and reflectance: the best a re-rendering can do.

Sample i is a pure function of (seed, i): validation begins at index 10,000,000, test at 20,000,000.
A shard is complete when its report exists; the same command continues where it was cut off.
"""

from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path

import click
import platformdirs
from real_domain_parts.pages import split_of, write_pages
from real_domain_parts.photographer import make, start
from real_domain_parts.task import SHARD_SIZE, SPLITS, Task
from tqdm import tqdm

from facegen.dataset.report import ShardReport, read_report
from facegen.dataset.resolving import cores
from facegen.dataset.stores.folder import FolderStore
from facegen.errors import DatasetError, FacegenError
from facegen.files import sha256_of
from facegen.generation.processes import spawning
from facegen.models import catalogue
from facegen.recipe.plan import Shard


def plan(counts: dict[str, int]) -> list[Shard]:
    """The shards of so many samples per split."""
    return [
        Shard(split, start // SHARD_SIZE, first + start, first + min(start + SHARD_SIZE, count))
        for split, count in counts.items()
        for first in [SPLITS[split]]
        for start in range(0, count, SHARD_SIZE)
    ]


def complete(task: Task, shard: Shard) -> ShardReport | None:
    """The shard's report if it is complete; one of other settings is refused."""
    store = FolderStore(task.out)
    if not {f"{shard.name}.json", f"{shard.name}.tar"} <= store.names().keys():
        return None
    report = read_report(store, shard.name)
    if report.fingerprint != task.fingerprint:
        message = f"{task.out}: {shard.name} was made with other settings"
        raise DatasetError(message, "use another --out, or remove it")
    return report if (report.start, report.stop) == (shard.start, shard.stop) else None


def generate(task: Task, counts: dict[str, int], workers: int) -> list[ShardReport]:
    """Make what is missing; the reports of all shards, in order."""
    task.out.mkdir(parents=True, exist_ok=True)
    planned = plan(counts)
    reports = [report for shard in planned if (report := complete(task, shard))]
    names = {report.name for report in reports}
    missing = [shard for shard in planned if shard.name not in names]
    with tqdm(total=sum(map(len, planned)), unit=" photographs") as bar:
        bar.update(sum(report.samples for report in reports))
        for report in in_processes(task, missing, workers):
            reports.append(report)
            bar.update(report.samples)
    reports.sort(key=lambda report: (list(SPLITS).index(split_of(report)), report.start))
    write_pages(task, reports)
    return reports


def in_processes(task: Task, missing: list[Shard], workers: int) -> Iterator[ShardReport]:
    """Make these shards in fresh processes, reports as they come."""
    count = max(1, min(workers, len(missing)))
    with spawning() as context:
        pool = ProcessPoolExecutor(count, context, start, (task,))
        futures = [pool.submit(make, shard) for shard in missing]
    with pool:
        try:
            for future in as_completed(futures):
                yield future.result()
        finally:
            pool.shutdown(wait=False, cancel_futures=True)


def default_out(size: int, seed: int) -> Path:
    """The user's cache, a folder for each size and seed."""
    return platformdirs.user_cache_path("facegen") / "real-domain" / f"{size}px-seed{seed}"


@click.command()
@click.option("--train", default=600, show_default=True, help="Photographs to adapt to.")
@click.option("--validation", default=0, show_default=True, help="Held out, to choose by.")
@click.option("--test", default=200, show_default=True, help="Held out, to report on.")
@click.option("--size", default=96, show_default=True, help="Side in pixels.")
@click.option("--spp", default=36, show_default=True, help="Light paths per pixel.")
@click.option("--seed", default=0, show_default=True)
@click.option("--workers", default=cores(), show_default=True, help="Processes.")
@click.option("--out", type=click.Path(path_type=Path), help="Folder; default: the user's cache.")
def main(
    train: int,
    validation: int,
    test: int,
    size: int,
    spp: int,
    seed: int,
    workers: int,
    out: Path | None,
) -> None:
    """Photograph the generic model's faces with a path tracer, into shards."""
    sha256 = sha256_of(catalogue.find("generic"))
    task = Task(seed, size, spp, sha256, out or default_out(size, seed))
    counts = {"train": train, "validation": validation, "test": test}
    try:
        reports = generate(task, counts, workers)
    except FacegenError as error:
        raise click.ClickException(str(error)) from None
    click.echo(f"{sum(report.samples for report in reports)} photographs in {task.out}")


if __name__ == "__main__":
    main()
