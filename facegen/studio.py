"""One worker's studio: the model, the prior and the renderer, and how shards are made with them."""

from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from facegen import backgrounds, layers, sampling, shards
from facegen import estimates as estimates_files
from facegen.bootstrap import Resampling, centred, check_recipe
from facegen.errors import located
from facegen.files import digest
from facegen.geometry import Cameras, crop_to_landmarks, model_to_camera, to_camera
from facegen.job import EstimatesFile, Job, ModelFile
from facegen.model_formats import find as find_model
from facegen.model_store import Coefficients, open_model
from facegen.morphable_model import MorphableModel
from facegen.parameters import Float32, Layout
from facegen.plan import Shard, identities_of
from facegen.recipe import PERTURBATION, PRIOR, Recipe
from facegen.renderers import Frames, RenderSettings, Scene
from facegen.renderers.devices import open_renderer
from facegen.sampling import Indices
from facegen.shards import ShardReport
from facegen.stopwatch import Stopwatch
from facegen.stores import open_store

HEAD_RADIUS_MM = 250.0

Listener = Callable[[int], None]


class Source(Protocol):
    """Where theta comes from; all after it is the same."""

    def theta(self, seed: int, indices: Indices) -> Float32:
        """theta (N, m) of these samples."""
        ...

    def parents(self, seed: int, indices: Indices) -> list[dict[str, Any] | None]:
        """The estimate each sample stems from, if it does."""
        ...


@dataclass(frozen=True, eq=False)
class Batch:
    """Samples on their way: indices (N,), theta (N, m), landmarks (N, 68, 3) in eye space."""

    indices: Indices
    theta: Float32
    parents: list[dict[str, Any] | None]
    owners: Indices
    scene: Scene
    landmarks: Float32

    def __len__(self) -> int:
        return len(self.indices)


class Studio:
    """One worker's model and renderer, and how a job's samples are made with them."""

    def __init__(self, job: Job, device: str) -> None:
        self.job = job
        self.recipe = job.recipe
        self.store = open_store(job.out)
        self.model = model_of(job.recipe, job.model.path)
        self.layout = self.model.layout
        self.source = source_of(job, self.layout)
        settings = RenderSettings(job.recipe.image.size, layers.rendered(job.layers))
        self.renderer = open_renderer(device, self.model, settings)
        self.watch = Stopwatch()

    def make(self, shard: Shard, listen: Listener) -> ShardReport:
        """Make one shard, whole: tar first, report last."""
        self.watch = Stopwatch()
        with located(shard.name), shards.open_shard(self.store, f"{shard.name}.tar") as writer:
            for batch, frames in self.rendered(shard):
                samples = self.encoded(batch, frames)
                with self.watch.measure("write"):
                    for key, members in samples:
                        writer.write(key, members)
                listen(len(batch))
            with self.watch.measure("write"):
                size, sha256 = writer.commit()
        report = self.report(shard, size, sha256)
        shards.write_report(self.store, report)
        return report

    def rendered(self, shard: Shard) -> Iterator[tuple[Batch, Frames]]:
        """The shard's batches with their frames, the renderer having the next in hand."""
        waiting: deque[Batch] = deque()
        for indices in self.batches(shard):
            with self.watch.measure("sample"):
                waiting.append(self.pose(indices))
            self.renderer.submit(waiting[-1].scene)
            if len(waiting) > self.renderer.ahead:
                yield waiting.popleft(), self.collect()
        while waiting:
            yield waiting.popleft(), self.collect()

    def batches(self, shard: Shard) -> Iterator[Indices]:
        """The shard's samples in groups that the renderer takes at once."""
        step = self.renderer.batch
        for start in range(shard.start, shard.stop, step):
            yield np.arange(start, min(start + step, shard.stop))

    def pose(self, indices: Indices) -> Batch:
        """Draw these samples and set them before their cameras."""
        theta = self.source.theta(self.job.seed, indices)
        parameters = self.layout.unpack(theta)
        distance, crop = sampling.sample_cameras(self.recipe.camera, self.job.seed, indices)
        transform = model_to_camera(parameters.rotation, distance)
        points = to_camera(self.model.landmark_geometry.evaluate(parameters.geometry), transform)
        K = crop_to_landmarks(points, crop, self.recipe.image.size)
        parents = self.source.parents(self.job.seed, indices)
        owners = identities_of(self.recipe, indices)
        scene = Scene(parameters, Cameras(transform, K))
        return Batch(indices, theta, parents, owners, scene, points)

    def collect(self) -> Frames:
        """The frames that wait longest, their time noted."""
        frames = self.renderer.collect()
        self.watch.add(frames.seconds)
        return frames

    def encoded(self, batch: Batch, frames: Frames) -> list[tuple[str, dict[str, bytes]]]:
        """The batch's samples as (key, members)."""
        with self.watch.measure("encode"):
            self.put_background(frames, batch.indices)
            extra = self.extra_members(batch, frames)
            return [
                (shards.sample_key(index), self.members(batch, frames, row) | extra[row])
                for row, index in enumerate(batch.indices.tolist())
            ]

    def members(self, batch: Batch, frames: Frames, row: int) -> dict[str, bytes]:
        """One face's members: picture, layers, theta and label."""
        cameras, index = batch.scene.cameras, int(batch.indices[row])
        identity, parent = int(batch.owners[row]), batch.parents[row]
        label = layers.Label(index, cameras.K[row], cameras.model_to_camera[row], identity, parent)
        members = layers.encode(frames, row, self.job.layers, self.recipe.image)
        if "cls" in self.job.layers:
            members["cls"] = str(identity).encode()
        members["theta.npy"] = layers.encode_array(batch.theta[row])
        members["json"] = layers.encode_json(label.to_json())
        return members

    def put_background(self, frames: Frames, indices: Indices) -> None:
        """Fill what the faces leave empty."""
        images, mask, seed = frames.images, frames.mask, self.job.seed
        kind, nodes = self.recipe.background.kind, backgrounds.NODES
        if self.job.backgrounds:
            crops = sampling.sample_crops(seed, indices)
            behind = self.job.backgrounds.crops(crops, self.recipe.image.size)
            backgrounds.put_behind(images, mask, behind)
        elif kind == "noise":
            colours = sampling.sample_colours(self.recipe, seed, indices, nodes)
            backgrounds.put_noise(images, mask, colours)
        elif kind == "colour":
            colours = sampling.sample_colours(self.recipe, seed, indices, 1)
            backgrounds.put_behind(images, mask, backgrounds.flat(colours[:, 0]))

    def extra_members(self, batch: Batch, frames: Frames) -> list[dict[str, bytes]]:
        """Members that are found for the batch at once, by row."""
        if "landmarks" not in self.job.layers:
            return [{} for _ in batch.indices]
        K, depth = batch.scene.cameras.K, frames.layers["depth"]
        found = layers.find_landmarks(batch.landmarks, K, depth)
        return [{"landmarks.npy": layers.encode_array(landmarks)} for landmarks in found]

    def report(self, shard: Shard, size: int, sha256: str) -> ShardReport:
        """What is known of the shard once it is made."""
        return ShardReport(
            name=shard.name,
            start=shard.start,
            stop=shard.stop,
            bytes=size,
            sha256=sha256,
            digest=self.job.digest,
            device=self.renderer.device,
            seconds=self.watch.seconds,
        )

    def close(self) -> None:
        """Release the renderer."""
        self.renderer.close()


def prepare_job(recipe: Recipe, model: str, estimates: EstimatesFile | None, **facts: Any) -> Job:
    """A job of this recipe and model, refused where it cannot end well; nothing is written."""
    path = find_model(model)
    loaded = model_of(recipe, path)
    with located(f"recipe {recipe.name}"):
        check_recipe(recipe, PERTURBATION if estimates else PRIOR)
        sampling.check_camera(recipe.camera, HEAD_RADIUS_MM)
        sampling.prior_of(recipe, loaded.layout)
    file = ModelFile(loaded.name, path, loaded.sha256)
    return Job(recipe=recipe, model=file, layout=loaded.layout, estimates=estimates, **facts)


def source_of(job: Job, layout: Layout) -> Source:
    """The job's prior, or its estimates with noise around them."""
    if job.estimates is None:
        return sampling.source_of(job.recipe, layout)
    with located(job.estimates.path):
        if digest(job.estimates.path) != job.estimates.sha256:
            raise estimates_files.EstimatesError("changed while it was used", "start again")
        given = estimates_files.read(job.estimates.path)
        return resampling_of(job.recipe, layout, given, job.estimates.weighted)


def resampling_of(
    recipe: Recipe, layout: Layout, given: estimates_files.Estimates, weighted: bool
) -> Resampling:
    """Samples around these estimates, centred as the recipe says."""
    columns = [layout.slices[group] for group in recipe.centred]
    prior = sampling.prior_of(recipe, layout)
    return Resampling(prior, centred(given, columns, weighted), weighted)


def model_of(recipe: Recipe, path: Path) -> MorphableModel:
    """The model with the recipe's numbers of coefficients."""
    groups = ("shape", "expression", "reflectance")
    return open_model(path, Coefficients(*(recipe.priors[group].coefficients for group in groups)))
