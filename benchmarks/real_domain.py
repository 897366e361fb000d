"""A "real" domain with ground truth: path-traced photographs of the generic model's faces.

    python benchmarks/real_domain.py --train 600 --test 200

Light with shadows and highlights, clothes, backgrounds, lens, sensor noise, tone curve and JPEG are
none of facegen's; people, poses and expressions come from another distribution than its prior. The
shards are facegen's own, so that `facegen estimate` and `facegen evaluate` read them: jpg,
theta.npy, json and mask.png (the face; clothes are background).

In theta, rotation, shape, expression and reflectance are exact. Illumination is not how the picture
was lit (that has no nine numbers) but the least-squares fit of nine harmonics to the finished
picture, given the true normals and reflectance: the best a re-rendering can do.

Sample i is a pure function of (seed, i): validation begins at index 10,000,000, test at 20,000,000.
A shard is done when its report exists; the same command goes on where it was cut off.
"""

import hashlib
import json
import os
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from multiprocessing import get_context
from pathlib import Path

import click
import numpy as np
from numpy.typing import NDArray
from real_domain_parts import backgrounds, denoise, light_label, lights, people, photograph, render
from real_domain_parts.randomness import Stage, random_of
from threadpoolctl import threadpool_limits
from tqdm import tqdm

from facegen import layers, model_formats, recipe, shards
from facegen.dataset import CONVENTIONS, contact_sheet, versions
from facegen.engines import cores
from facegen.errors import DatasetError, FacegenError
from facegen.parameters import Float32
from facegen.plan import Shard
from facegen.recipe import ImageFormat, Recipe
from facegen.shards import ShardReport
from facegen.stopwatch import Stopwatch
from facegen.stores.folder import FolderStore

FORMAT = 1
SHARD_SIZE = 25
SPLITS = {"train": 0, "validation": 10_000_000, "test": 20_000_000}
PREVIEW_FACES = 32
DESCRIPTION = "Framed like these; but theta is not drawn from these priors: see real_domain.py"
DISTANCE = {"distribution": "uniform", "low_mm": 800, "high_mm": 1400}
TYPICAL_QUALITY = 80


@dataclass(frozen=True)
class Task:
    """Everything a sample follows from, and where the samples go."""

    seed: int
    size: int
    samples_per_pixel: int
    model_sha256: str
    out: Path

    @cached_property
    def recipe(self) -> Recipe:
        """The default recipe with this domain's camera: how pictures are framed."""
        image = {"size": self.size, "format": "jpg", "quality": TYPICAL_QUALITY}
        changes = {"description": DESCRIPTION, "camera": {"distance": DISTANCE}, "image": image}
        return recipe.load(recipe.DEFAULT).with_changes(changes)

    @cached_property
    def digest(self) -> str:
        """SHA-256 of what decides a sample's content; not where it goes, nor how many there are."""
        facts = {**asdict(self), "format": FORMAT, "out": None}
        facts |= {"shard_size": SHARD_SIZE, "recipe": self.recipe.digest}
        return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()


@dataclass(frozen=True, eq=False)
class Photograph:
    """A finished sample: pixels (S, S, 3) uint8, JPEG quality, mask (S, S), theta (m,), label."""

    pixels: NDArray[np.uint8]
    quality: int
    mask: NDArray[np.bool_]
    theta: Float32
    label: layers.Label

    def members(self) -> dict[str, bytes]:
        """As a shard holds it."""
        jpeg = ImageFormat(len(self.pixels), "jpg", self.quality)
        return {
            "jpg": layers.encode_image(self.pixels, jpeg),
            "json": layers.encode_json(self.label.to_json()),
            "mask.png": layers.encode_png(np.where(self.mask, 255, 0).astype(np.uint8)),
            "theta.npy": layers.encode_array(self.theta),
        }


class Photographer:
    """One process's model and path tracer, and how shards are made with them."""

    def __init__(self, task: Task) -> None:
        """Load the model and the path tracer."""
        self.task = task
        self.model = model_formats.load("generic")
        self.tracer = render.Tracer(self.model, task.size, task.samples_per_pixel)

    def make(self, shard: Shard) -> ShardReport:
        """Make one shard: tar first, report last."""
        watch = Stopwatch()
        store = FolderStore(self.task.out)
        with watch.measure("render"), shards.open_shard(store, f"{shard.name}.tar") as writer:
            for index in range(shard.start, shard.stop):
                writer.write(shards.sample_key(index), self.photograph(index).members())
            size, sha256 = writer.commit()
        facts = (shard.name, shard.start, shard.stop, size, sha256)
        report = ShardReport(*facts, self.task.digest, render.DEVICE, watch.seconds)
        shards.write_report(store, report)
        return report

    # On one thread, because sums of floats depend on their order.
    @threadpool_limits.wrap(limits=1)
    def photograph(self, index: int) -> Photograph:
        """One person in one place, as one camera saw them."""
        person, framing, body, light, skin, behind, film = (
            random_of(self.task.seed, index, stage) for stage in Stage
        )
        subject = people.draw_subject(self.model, self.task.recipe, person, framing)
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

    def theta(self, subject: people.Subject, illumination: NDArray[np.float64]) -> Float32:
        """The label (m,), now that the light is known."""
        parameters = replace(subject.parameters, illumination=illumination[None])
        return self.model.layout.pack(parameters)[0]

    def label(self, index: int, subject: people.Subject) -> layers.Label:
        """What the sample's json says."""
        cameras = subject.cameras
        return layers.Label(index, cameras.K[0], cameras.model_to_camera[0], index, None)


def plan(counts: dict[str, int]) -> list[Shard]:
    """The shards of so many samples per split."""
    return [
        Shard(split, start // SHARD_SIZE, first + start, first + min(start + SHARD_SIZE, count))
        for split, count in counts.items()
        for first in [SPLITS[split]]
        for start in range(0, count, SHARD_SIZE)
    ]


def finished(task: Task, shard: Shard) -> ShardReport | None:
    """The shard's report if it is done; one of other settings is refused."""
    store = FolderStore(task.out)
    if not {f"{shard.name}.json", f"{shard.name}.tar"} <= store.names().keys():
        return None
    report = shards.read_report(store, shard.name)
    if report.digest != task.digest:
        fact = f"{task.out}: {shard.name} was made with other settings"
        raise DatasetError(fact, "use another --out, or remove it")
    return report if (report.start, report.stop) == (shard.start, shard.stop) else None


def generate(task: Task, counts: dict[str, int], workers: int) -> list[ShardReport]:
    """Make what is missing; the reports of all shards, in order."""
    task.out.mkdir(parents=True, exist_ok=True)
    planned = plan(counts)
    found = [report for shard in planned if (report := finished(task, shard))]
    names = {report.name for report in found}
    todo = [shard for shard in planned if shard.name not in names]
    with tqdm(total=sum(map(len, planned)), unit=" photographs") as bar:
        bar.update(sum(report.samples for report in found))
        for report in in_processes(task, todo, workers):
            found.append(report)
            bar.update(report.samples)
    reports = sorted(found, key=lambda report: (list(SPLITS).index(split_of(report)), report.start))
    write_pages(task, reports)
    return reports


def in_processes(task: Task, todo: list[Shard], workers: int) -> Iterator[ShardReport]:
    """Make these shards in fresh processes, reports as they come."""
    count = max(1, min(workers, len(todo)))
    with ProcessPoolExecutor(count, get_context("spawn"), _start, (task,)) as pool:
        try:
            for future in as_completed([pool.submit(_make, shard) for shard in todo]):
                yield future.result()
        finally:
            pool.shutdown(wait=False, cancel_futures=True)


def write_pages(task: Task, reports: list[ShardReport]) -> None:
    """dataset.json and a contact sheet."""
    model = model_formats.load("generic")
    index = {
        "format": FORMAT,
        "digest": task.digest,
        "count": sum(report.samples for report in reports),
        "seed": task.seed,
        "recipe": {"name": "real-domain", **task.recipe.table},
        "samples_per_pixel": task.samples_per_pixel,
        "model": {"name": model.name, "sha256": model.sha256},
        "layout": model.layout.to_json(),
        "layers": ["mask"],
        "conventions": CONVENTIONS,
        "versions": versions(),
        "shards": [
            {"name": r.name, "samples": r.samples, "bytes": r.bytes, "sha256": r.sha256}
            for r in reports
        ],
    }
    store = FolderStore(task.out)
    store.write("dataset.json", (json.dumps(index, indent=1) + "\n").encode())
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


def default_out(size: int, seed: int) -> Path:
    """The user's cache, a folder for each size and seed."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return cache / "facegen" / "real-domain" / f"{size}px-seed{seed}"


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
    sha256 = model_formats.digest(model_formats.find("generic"))
    task = Task(seed, size, spp, sha256, out or default_out(size, seed))
    counts = {"train": train, "validation": validation, "test": test}
    try:
        reports = generate(task, counts, workers)
    except FacegenError as error:
        raise click.ClickException(str(error)) from None
    click.echo(f"{sum(report.samples for report in reports)} photographs in {task.out}")


if __name__ == "__main__":
    main()
