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
from dataclasses import dataclass, replace
from pathlib import Path

import click
import numpy as np
import platformdirs
from jaxtyping import Bool, Float32, Float64, UInt8
from real_domain_parts import (
    backgrounds,
    denoise,
    light_label,
    lights,
    photograph,
    render,
    subjects,
)
from real_domain_parts.pages import split_of, write_pages
from real_domain_parts.randomness import Stage, random_of
from real_domain_parts.task import SHARD_SIZE, SPLITS, Task
from threadpoolctl import threadpool_limits
from tqdm import tqdm

from facegen.dataset import encoding, shards
from facegen.dataset.labels import Label, encode_label
from facegen.dataset.report import ShardReport, read_report, write_report
from facegen.dataset.resolving import cores
from facegen.dataset.stores.folder import FolderStore
from facegen.errors import DatasetError, FacegenError
from facegen.files import Array, sha256_of
from facegen.generation.processes import spawning
from facegen.generation.timing import Stopwatch
from facegen.models import catalogue
from facegen.recipe.image import ImageFormat
from facegen.recipe.plan import Shard


@dataclass(frozen=True, eq=False)
class Photograph:
    """A finished sample; quality is the JPEG's."""

    pixels: UInt8[Array, "S S 3"]
    quality: int
    mask: Bool[Array, "S S"]
    theta: Float32[Array, "m"]
    label: Label

    def members(self) -> dict[str, bytes]:
        """As a shard holds it."""
        jpeg = ImageFormat(len(self.pixels), "jpg", self.quality)
        return {
            "jpg": encoding.encode_image(self.pixels, jpeg),
            "json": encode_label(self.label),
            "mask.png": encoding.encode_png(np.where(self.mask, 255, 0).astype(np.uint8)),
            "theta.npy": encoding.encode_array(self.theta),
        }


class Photographer:
    """One process's model and path tracer, and how shards are made with them."""

    def __init__(self, task: Task) -> None:
        """Load the model and the path tracer."""
        self.task = task
        self.model = catalogue.load("generic")
        self.tracer = render.Tracer(self.model, task.size, task.samples_per_pixel)

    def make(self, shard: Shard) -> ShardReport:
        """Make one shard: tar first, report last."""
        watch = Stopwatch()
        store = FolderStore(self.task.out)
        with watch.measure("render"), shards.open_shard(store, f"{shard.name}.tar") as writer:
            for index in range(shard.start, shard.stop):
                writer.write(shards.sample_key(index), self.photograph(index).members())
            size, sha256 = writer.commit()
        span = (shard.name, shard.start, shard.stop, size, sha256)
        report = ShardReport(*span, self.task.fingerprint, render.DEVICE, watch.seconds)
        write_report(store, report)
        return report

    # On one thread, because sums of floats depend on their order.
    @threadpool_limits.wrap(limits=1)
    def photograph(self, index: int) -> Photograph:
        """One identity in one place, as one camera saw it."""
        identity, framing, body, light, skin, behind, film = (
            random_of(self.task.seed, index, stage) for stage in Stage
        )
        subject = subjects.draw_subject(self.model, self.task.recipe, identity, framing)
        place, shine = lights.draw_lighting(light), render.draw_skin(skin)
        take = denoise.denoised(self.tracer.take(subject, place, shine, body))
        camera = photograph.draw_developing(film)
        background = backgrounds.draw_background(behind, self.task.size)
        clean = photograph.develop(take, background, camera)
        pixels = photograph.toned(photograph.expose(clean, camera, film), camera)
        illumination = light_label.fit_illumination(photograph.toned(clean, camera), take)
        return Photograph(
            pixels=np.round(255 * pixels).astype(np.uint8),
            quality=camera.quality,
            mask=take.mask,
            theta=self.theta(subject, illumination),
            label=self.label(index, subject),
        )

    def theta(
        self, subject: subjects.Subject, illumination: Float64[Array, "9 3"]
    ) -> Float32[Array, "m"]:
        """theta, now that the light is known."""
        parameters = replace(subject.parameters, illumination=illumination[None])
        return self.model.layout.pack(parameters)[0]

    def label(self, index: int, subject: subjects.Subject) -> Label:
        """What the sample's json says."""
        cameras = subject.cameras
        return Label(index, cameras.K[0], cameras.model_to_camera[0], index, None)


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
        pool = ProcessPoolExecutor(count, context, _start, (task,))
        futures = [pool.submit(_make, shard) for shard in missing]
    with pool:
        try:
            for future in as_completed(futures):
                yield future.result()
        finally:
            pool.shutdown(wait=False, cancel_futures=True)


def default_out(size: int, seed: int) -> Path:
    """The user's cache, a folder for each size and seed."""
    return platformdirs.user_cache_path("facegen") / "real-domain" / f"{size}px-seed{seed}"


_photographers: list[Photographer] = []


def _start(task: Task) -> None:
    _photographers[:] = [Photographer(task)]


def _make(shard: Shard) -> ShardReport:
    return _photographers[0].make(shard)


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
