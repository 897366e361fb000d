"""One worker: a model and a renderer, and a shard made with them from beginning to end."""

from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np
from jaxtyping import Int64

from facegen.dataset.encoding import CODECS, LABEL, THETA, encode_array, encode_image
from facegen.dataset.labels import encode_label, label_of
from facegen.dataset.report import ShardReport, write_report
from facegen.dataset.shards import open_shard, sample_key
from facegen.dataset.spec import ResolvedSpec
from facegen.dataset.stores.opening import open_store
from facegen.errors import located
from facegen.files import Array
from facegen.generation.timing import Stopwatch
from facegen.imaging.faces import (
    Faces,
    Finishing,
    dresser_of,
    finish,
    scene_of,
    settings_for,
)
from facegen.recipe.image import ImageFormat
from facegen.recipe.plan import Shard
from facegen.rendering.contract import Frames
from facegen.rendering.devices import open_renderer
from facegen.sampling.contour import VisibleContour
from facegen.sampling.samples import Samples

Members = dict[str, bytes]
OnSamples = Callable[[int], None]


class Worker:
    """One process's model, sampler and renderer, and how a spec's samples are made with them."""

    def __init__(self, spec: ResolvedSpec, device: str) -> None:
        self.spec = spec
        self.store = open_store(spec.out)
        self.model = spec.load_model()
        self.sampler = spec.sampler(self.model)
        settings = settings_for(spec.recipe.image, spec.layers)
        self.renderer = open_renderer(device, self.model, settings)
        self.dresser = dresser_of(spec.recipe.attire.any, self.model)
        contour = VisibleContour(self.model)
        self.finishing = Finishing(spec.layers, spec.backgrounds, contour)
        self.stopwatch = Stopwatch()

    def make(self, shard: Shard, on_samples: OnSamples) -> ShardReport:
        """Make one shard: tar first, report last; `on_samples` hears how many were added."""
        self.stopwatch = Stopwatch()
        with located(shard.name), open_shard(self.store, f"{shard.name}.tar") as writer:
            for samples, frames in self.rendered(shard):
                encoded = self.encoded(samples, frames)
                with self.stopwatch.measure("write"):
                    for key, members in encoded:
                        writer.write(key, members)
                on_samples(len(samples))
            with self.stopwatch.measure("write"):
                size, sha256 = writer.commit()
        report = self.report(shard, size, sha256)
        write_report(self.store, report)
        return report

    def rendered(self, shard: Shard) -> Iterator[tuple[Samples, Frames]]:
        """The shard's samples in batches with their frames; the renderer works one batch ahead."""
        waiting: deque[Samples] = deque()
        for indices in self.batches(shard):
            with self.stopwatch.measure("sample"):
                waiting.append(self.sampler.draw(indices))
            with self.stopwatch.measure("dress"):
                scene = scene_of(waiting[-1], self.dresser)
            self.renderer.submit(scene)
            if len(waiting) > self.renderer.ahead:
                yield waiting.popleft(), self._collected()
        while waiting:
            yield waiting.popleft(), self._collected()

    def batches(self, shard: Shard) -> Iterator[Int64[Array, "N"]]:
        """The shard's indices in groups that the renderer takes at once."""
        step = self.renderer.batch
        for start in range(shard.start, shard.stop, step):
            yield np.arange(start, min(start + step, shard.stop))

    def encoded(self, samples: Samples, frames: Frames) -> list[tuple[str, Members]]:
        """The samples as (key, members)."""
        with self.stopwatch.measure("finish"):
            faces = finish(frames, samples, self.finishing)
        with self.stopwatch.measure("encode"):
            return [
                (sample_key(index), self._members(samples, faces, row))
                for row, index in enumerate(samples.indices.tolist())
            ]

    def report(self, shard: Shard, size: int, sha256: str) -> ShardReport:
        """What is known of the shard once it is made."""
        return ShardReport(
            name=shard.name,
            start=shard.start,
            stop=shard.stop,
            bytes=size,
            sha256=sha256,
            fingerprint=self.spec.fingerprint,
            device=self.renderer.device,
            seconds=self.stopwatch.seconds,
        )

    def close(self) -> None:
        """Release the renderer."""
        self.renderer.close()

    def _collected(self) -> Frames:
        frames = self.renderer.collect()
        self.stopwatch.add(frames.seconds)
        return frames

    def _members(self, samples: Samples, faces: Faces, row: int) -> Members:
        """One sample's members: image, layers, theta and label."""
        image, identity = image_format(self.spec, samples, row), int(samples.identities[row])
        members = {
            image.format: encode_image(faces.images[row], image),
            THETA: encode_array(samples.theta[row]),
            LABEL: encode_label(label_of(samples, row)),
        }
        for name in self.spec.layers:
            codec = CODECS[name]
            value = identity if name == "cls" else faces.layers[name][row]
            members[codec.suffix] = codec.encode(value)
        return members


def image_format(spec: ResolvedSpec, samples: Samples, row: int) -> ImageFormat:
    """How one sample's image is stored: of photographs, each at a quality of its own."""
    image = spec.recipe.image
    if samples.photography is None:
        return image
    return replace(image, quality=round(float(samples.photography.quality[row])))
