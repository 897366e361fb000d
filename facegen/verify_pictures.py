"""Faces rendered again from their stored labels, and held against the stored pictures."""

import io
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from facegen.dataset import versions
from facegen.geometry import Cameras, to_camera
from facegen.job import Job
from facegen.opened import read_index
from facegen.parameters import Float32
from facegen.renderers import Scene
from facegen.sampling import Indices
from facegen.shards import sample_key
from facegen.studio import Batch, Studio

LABEL = {"theta.npy", "json", "cls"}
# Another device's pictures: the mean difference in levels of 255, and the share of pixels near.
MEAN_LEVELS, NEAR_LEVELS, NEAR_SHARE = 1.0, 4, 0.999
# Layers jump at silhouettes, where one device may draw the pixel beside.
LAYER_SHARE = 0.98


@dataclass(frozen=True, eq=False)
class Stored:
    """Samples as a shard holds them: indices (N,), theta (N, m), labels and encoded members."""

    indices: Indices
    theta: Float32
    cameras: Cameras
    owners: Indices
    parents: list[dict[str, Any] | None]
    members: list[Mapping[str, bytes]]

    def of(self, rows: list[int]) -> "Stored":
        """These rows alone."""
        cameras = Cameras(self.cameras.model_to_camera[rows], self.cameras.K[rows])
        return Stored(
            self.indices[rows],
            self.theta[rows],
            cameras,
            self.owners[rows],
            [self.parents[row] for row in rows],
            [self.members[row] for row in rows],
        )


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


class Darkroom:
    """A studio that makes pictures from stored labels."""

    def __init__(self, job: Job) -> None:
        self._studio = Studio(job, job.devices[0])
        self._same_versions = read_index(self._studio.store).get("versions") == versions()

    @property
    def batch(self) -> int:
        """How many faces are rendered at once."""
        return self._studio.renderer.batch

    def compare(
        self,
        stored: Stored,
        picks: frozenset[int] | range,
        device: str,
        add: Callable[[str, str], None],
    ) -> Tally:
        """Render those of a whole batch that are picked; `add` hears what differs.

        On the device and with the versions they were made with, every byte must be the same.
        """
        rows = [row for row, index in enumerate(stored.indices.tolist()) if index in picks]
        exact = self._same_versions and device == self._studio.renderer.device
        made = self.develop(stored, rows, exact)
        tally = Tally(device=self._studio.renderer.device)
        for row, members in zip(rows, made, strict=True):
            facts, worst = differences(stored.members[row], members, exact)
            for fact in facts:
                add("pictures", f"sample {sample_key(int(stored.indices[row]))}: {fact}")
            tally += Tally(1, int(same_bytes(stored.members[row], members)), worst)
        return tally

    def develop(self, stored: Stored, rows: list[int], exact: bool) -> list[Mapping[str, bytes]]:
        """The members that these rows' labels render to."""
        made = self.render(stored.of(rows))
        pairs = zip(rows, made, strict=True)
        same = all(same_bytes(stored.members[row], members) for row, members in pairs)
        if same or not exact or len(rows) == len(stored.indices):
            return made
        # A product of another size may round differently: settle it with the whole batch.
        whole = self.render(stored)
        return [whole[row] for row in rows]

    def render(self, stored: Stored) -> list[Mapping[str, bytes]]:
        """All their members, made again."""
        studio = self._studio
        parameters = studio.layout.unpack(stored.theta)
        points = studio.model.landmark_geometry.evaluate(parameters.geometry)
        landmarks = to_camera(points, stored.cameras.model_to_camera)
        batch = Batch(
            stored.indices,
            stored.theta,
            stored.parents,
            stored.owners,
            Scene(parameters, stored.cameras),
            landmarks,
        )
        frames = studio.renderer.render(batch.scene)
        return [members for _, members in studio.encoded(batch, frames)]


def same_bytes(stored: Mapping[str, bytes], made: Mapping[str, bytes]) -> bool:
    """Whether picture and layers are the same, byte for byte."""
    return all(stored[name] == made[name] for name in made.keys() - LABEL)


def differences(
    stored: Mapping[str, bytes], made: Mapping[str, bytes], exact: bool
) -> tuple[list[str], float]:
    """What differs more than it may, and the picture's mean difference in levels of 255."""
    facts, worst = [], 0.0
    for name in sorted(made.keys() - LABEL):
        if stored[name] == made[name]:
            continue
        try:
            mean, near = distance(name, stored[name], made[name])
        except (OSError, ValueError) as error:
            facts.append(f"{name} cannot be read: {error}")
            continue
        is_picture = "." not in name
        worst = max(worst, mean if is_picture else 0.0)
        alike = mean < MEAN_LEVELS and near >= NEAR_SHARE if is_picture else near >= LAYER_SHARE
        if exact or not alike:
            facts.append(
                f"{name} is not what its label renders to"
                f" (mean difference {mean:.3g}, {near:.2%} near)"
            )
    return facts, worst


def distance(name: str, stored: bytes, made: bytes) -> tuple[float, float]:
    """The mean difference of two encoded arrays, and the share of pixels that are near."""
    a, b = (decode(name, data) for data in (stored, made))
    if a.shape != b.shape:
        raise ValueError(f"it is {a.shape}, not {b.shape}")
    gap = np.abs(a.astype(np.float64) - b)
    near = gap.reshape(*a.shape[:2], -1).max(axis=2) <= NEAR_LEVELS
    return float(gap.mean()), float(near.mean())


def decode(name: str, data: bytes) -> NDArray[Any]:
    """A picture's or an array's values."""
    if name.endswith("npy"):
        return np.load(io.BytesIO(data), allow_pickle=False)
    with Image.open(io.BytesIO(data)) as picture:
        return np.asarray(picture)
