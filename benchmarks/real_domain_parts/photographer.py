"""One process of the "real" domain: subjects photographed by a path tracer, shard by shard."""

from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Bool, Float32, Float64, UInt8
from threadpoolctl import threadpool_limits

from facegen.dataset import encoding, shards
from facegen.dataset.labels import Label, encode_label
from facegen.dataset.report import ShardReport, write_report
from facegen.dataset.stores.folder import FolderStore
from facegen.files import Array
from facegen.generation.timing import Stopwatch
from facegen.models import catalogue
from facegen.recipe.image import ImageFormat
from facegen.recipe.plan import Shard
from real_domain_parts import (
    backgrounds,
    denoise,
    light_label,
    lights,
    photograph,
    render,
    subjects,
)
from real_domain_parts.randomness import Stage, random_of
from real_domain_parts.task import Task


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


_photographers: list[Photographer] = []


def start(task: Task) -> None:
    """Load what this process makes shards with."""
    _photographers[:] = [Photographer(task)]


def make(shard: Shard) -> ShardReport:
    """Make one shard, in a process that was started."""
    return _photographers[0].make(shard)
