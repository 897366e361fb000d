"""Faces rendered again from their stored labels, and held against the stored images."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from facegen.dataset.encoding import CODECS, LABEL, THETA, decode_image
from facegen.dataset.index import read_index, versions
from facegen.dataset.shards import sample_key
from facegen.dataset.spec import ResolvedSpec
from facegen.errors import DatasetError
from facegen.generation.worker import Worker
from facegen.imaging.faces import scene_of
from facegen.inspection.checks.faults import FaultList
from facegen.rendering.devices import in_short
from facegen.sampling.samples import Samples
from facegen.scene.cameras import to_camera_space

Members = Mapping[str, bytes]

NOT_RENDERED = {THETA, LABEL, CODECS["cls"].suffix}
# Another device's images: the mean difference in levels of 255, and the share of pixels near.
MEAN_LEVELS, NEAR_LEVELS, NEAR_SHARE = 1.0, 4, 0.999
# Layers jump at silhouettes, where one device may draw the pixel beside.
LAYER_SHARE = 0.98
# Depth is in mm; four of its levels are this much, and float32 rounds.
NEAR_DEPTH_MM = 0.4001
DECODERS = {codec.suffix: codec.decode for codec in CODECS.values()}


@dataclass(frozen=True, eq=False)
class Stored:
    """Samples as a shard holds them: theta, cameras and labels decoded, members encoded."""

    samples: Samples
    members: Sequence[Members]


@dataclass(frozen=True)
class Tally:
    """Faces rendered again, those equal byte for byte, and the largest mean difference (levels)."""

    rendered: int = 0
    equal: int = 0
    worst: float = 0.0
    device: str = ""

    def __add__(self, other: "Tally") -> "Tally":
        return Tally(
            self.rendered + other.rendered,
            self.equal + other.equal,
            max(self.worst, other.worst),
            other.device or self.device,
        )

    def __str__(self) -> str:
        """What was rendered again, and how near it came."""
        if not self.rendered:
            return "none"
        near = f", mean difference at most {self.worst:.2g} of 255" if self.worst else ""
        equal = f"{self.equal:,} of {self.rendered:,} equal in every byte"
        return f"{equal}{near}; on {in_short(self.device)}"


class Rerenderer:
    """A worker that makes images from stored labels."""

    def __init__(self, spec: ResolvedSpec) -> None:
        self._worker = Worker(spec, spec.devices[0])
        self._same_versions = read_index(self._worker.store).versions == versions()

    @property
    def batch(self) -> int:
        """How many faces are rendered at once."""
        return self._worker.renderer.batch

    def compare(
        self, stored: Stored, picks: Collection[int], device: str, faults: FaultList
    ) -> Tally:
        """Render those of a whole batch that are picked, and note what differs.

        On the device and with the versions they were made with, every byte must be the same.
        """
        samples = stored.samples
        rows = [row for row, index in enumerate(samples.indices.tolist()) if index in picks]
        exact = self._same_versions and device == self._worker.renderer.device
        rendered = self._render_rows(stored, rows, exact)
        tally = Tally(device=self._worker.renderer.device)
        for row, members in zip(rows, rendered, strict=True):
            messages, worst = differences(stored.members[row], members, exact)
            for message in messages:
                key = sample_key(int(samples.indices[row]))
                faults.add("images", f"sample {key}: {message}")
            tally += Tally(1, int(same_bytes(stored.members[row], members)), worst)
        return tally

    def _render_rows(self, stored: Stored, rows: list[int], exact: bool) -> list[Members]:
        """The members that these rows' labels render to."""
        rendered = self.render(stored.samples[rows])
        pairs = zip(rows, rendered, strict=True)
        same = all(same_bytes(stored.members[row], members) for row, members in pairs)
        if same or not exact or len(rows) == len(stored.samples):
            return rendered
        # A product of another size may round differently: settle it with the whole batch.
        whole = self.render(stored.samples)
        return [whole[row] for row in rows]

    def render(self, samples: Samples) -> list[Members]:
        """All their members, made again."""
        worker = self._worker
        points = worker.model.landmark_geometry.evaluate(samples.parameters.geometry)
        landmarks = to_camera_space(points, samples.cameras.model_to_camera)
        frames = worker.renderer.render(scene_of(samples, worker.dresser))
        encoded = worker.encoded(replace(samples, landmarks=landmarks), frames)
        return [members for _, members in encoded]


def same_bytes(stored: Members, rendered: Members) -> bool:
    """Whether image and layers are the same, byte for byte."""
    return all(stored[name] == rendered[name] for name in rendered.keys() - NOT_RENDERED)


def differences(stored: Members, rendered: Members, exact: bool) -> tuple[list[str], float]:
    """What differs more than it may, and the image's mean difference in levels of 255."""
    messages, worst = [], 0.0
    for name in sorted(rendered.keys() - NOT_RENDERED):
        if stored[name] == rendered[name]:
            continue
        try:
            mean, near = distance(name, stored[name], rendered[name])
        except DatasetError as error:
            messages.append(f"{name} cannot be read: {error.message}")
            continue
        is_image = name not in DECODERS
        worst = max(worst, mean if is_image else 0.0)
        alike = mean < MEAN_LEVELS and near >= NEAR_SHARE if is_image else near >= LAYER_SHARE
        if exact or not alike:
            messages.append(
                f"{name} is not what its label renders to"
                f" (mean difference {mean:.3g}, {near:.2%} near)"
            )
    return messages, worst


def distance(name: str, stored: bytes, rendered: bytes) -> tuple[float, float]:
    """The mean difference of two encoded arrays, and the share of pixels that are near."""
    decode: Any = DECODERS.get(name, decode_image)
    a, b = decode(stored), decode(rendered)
    if a.shape != b.shape:
        raise DatasetError(f"it is {a.shape}, not {b.shape}")
    difference = np.abs(a.astype(np.float64) - b)
    limit = NEAR_DEPTH_MM if name == CODECS["depth"].suffix else NEAR_LEVELS
    near = difference.reshape(*a.shape[:2], -1).max(axis=2) <= limit
    return float(difference.mean()), float(near.mean())
