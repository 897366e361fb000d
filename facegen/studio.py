"""One worker's studio: the model, the prior and the renderer, and how shards are made with them."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from facegen import backgrounds, layers, sampling, shards
from facegen.errors import located
from facegen.geometry import Cameras, crop_to_landmarks, model_to_camera, to_camera
from facegen.job import Job, ModelFile
from facegen.model_formats import find as find_model
from facegen.model_formats import load as load_model
from facegen.morphable_model import MorphableModel
from facegen.parameters import Float32, Parameters
from facegen.recipe import Recipe
from facegen.renderers import Frames, RenderSettings, Scene
from facegen.renderers.devices import open_renderer
from facegen.sampling import Indices
from facegen.shards import Shard, ShardReport
from facegen.stopwatch import Stopwatch

HEAD_RADIUS_MM = 250.0

Listener = Callable[[int], None]


class Studio:
    """One worker's model and renderer, and how a job's samples are made with them."""

    def __init__(self, job: Job) -> None:
        self.job = job
        self.recipe = job.recipe
        self.model = model_of(job.recipe, job.model.path)
        self.layout = self.model.layout
        self.prior = sampling.prior_of(job.recipe, self.layout)
        settings = RenderSettings(job.recipe.image.size, layers.rendered(job.layers))
        self.renderer = open_renderer(job.device, self.model, settings)
        self.watch = Stopwatch()

    def make(self, shard: Shard, listen: Listener) -> ShardReport:
        """Make one shard, whole: tar first, report last."""
        self.watch = Stopwatch()
        with located(shard.name), shards.open_shard(self.job.out / f"{shard.name}.tar") as writer:
            for start in range(shard.start, shard.stop, self.renderer.batch):
                stop = min(start + self.renderer.batch, shard.stop)
                for key, members in self.samples(np.arange(start, stop)):
                    with self.watch.measure("write"):
                        writer.write(key, members)
                listen(stop - start)
            with self.watch.measure("write"):
                size, sha256 = writer.commit()
        report = ShardReport(
            shard.name,
            shard.start,
            shard.stop,
            size,
            sha256,
            self.job.digest,
            self.renderer.device,
            self.watch.seconds,
        )
        shards.write_report(self.job.out, report)
        return report

    def samples(self, indices: Indices) -> Iterator[tuple[str, dict[str, bytes]]]:
        """A batch of samples as (key, members)."""
        with self.watch.measure("sample"):
            theta = sampling.sample_theta(self.prior, self.job.seed, indices)
            scene, points = self.scene(self.layout.unpack(theta), indices)
        frames = self.renderer.render(scene)
        self.watch.add(frames.seconds)
        with self.watch.measure("render"):
            self.put_background(frames, indices)
        with self.watch.measure("encode"):
            extra = self.extra_members(scene, frames, points)
        for row, index in enumerate(indices.tolist()):
            with self.watch.measure("encode"):
                members = layers.encode(frames, row, self.job.layers, self.recipe.image)
                members |= {suffix: arrays[row] for suffix, arrays in extra.items()}
                members["theta.npy"] = layers.encode_array(theta[row])
                members["json"] = layers.encode_json(label(scene, row, index).to_json())
            yield shards.sample_key(index), members

    def scene(self, parameters: Parameters, indices: Indices) -> tuple[Scene, Float32]:
        """The faces before the cameras of these samples, and their landmarks in eye space."""
        distance, crop = sampling.sample_cameras(self.recipe.camera, self.job.seed, indices)
        transform = model_to_camera(parameters.rotation, distance)
        points = to_camera(self.model.landmark_geometry.evaluate(parameters.geometry), transform)
        K = crop_to_landmarks(points, crop, self.recipe.image.size)
        return Scene(parameters, Cameras(transform, K)), points

    def put_background(self, frames: Frames, indices: Indices) -> None:
        """Fill what the faces leave empty."""
        colours, draws = sampling.sample_backgrounds(self.recipe, self.job.seed, indices)
        pictures = self.job.backgrounds
        size = self.recipe.image.size
        behind = pictures.crops(draws, size) if pictures else backgrounds.flat(colours)
        backgrounds.put_behind(frames.images, frames.mask, behind)

    def extra_members(
        self, scene: Scene, frames: Frames, points: Float32
    ) -> dict[str, list[bytes]]:
        """Members that are found for the batch at once."""
        if "landmarks" not in self.job.layers:
            return {}
        found = layers.find_landmarks(points, scene.cameras.K, frames.layers["depth"])
        return {"landmarks.npy": [layers.encode_array(landmarks) for landmarks in found]}

    def close(self) -> None:
        """Release the renderer."""
        self.renderer.close()


def label(scene: Scene, row: int, index: int) -> layers.Label:
    """What the sample's json says."""
    cameras = scene.cameras
    return layers.Label(index, cameras.K[row], cameras.model_to_camera[row], identity=index)


def prepare_job(recipe: Recipe, model: str, **facts: Any) -> Job:
    """A job of this recipe and model, refused where it cannot end well; nothing is written."""
    path = find_model(model)
    loaded = model_of(recipe, path)
    with located(f"recipe {recipe.name}"):
        sampling.check_camera(recipe.camera, HEAD_RADIUS_MM)
        sampling.prior_of(recipe, loaded.layout)
    file = ModelFile(loaded.name, path, loaded.sha256)
    return Job(recipe=recipe, model=file, layout=loaded.layout, **facts)


def model_of(recipe: Recipe, path: Path) -> MorphableModel:
    """The model with the recipe's numbers of coefficients."""
    groups = ("shape", "expression", "reflectance")
    return load_model(str(path)).truncated(*(recipe.priors[group].coefficients for group in groups))
