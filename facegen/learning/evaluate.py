"""The poster's columns: how far estimates are from the truth that shards hold."""

import time
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Bool, Float32, Float64, UInt8

from facegen.errors import DatasetError
from facegen.files import Array
from facegen.imaging.faces import bare_images, settings_for
from facegen.learning import calibration, metrics
from facegen.learning.comparison import strips
from facegen.learning.found import Estimator, Found
from facegen.learning.opening import open_network
from facegen.learning.shapes import Regions, regions_of, shape_errors
from facegen.learning.training_set import open_model_of, open_training_set
from facegen.learning.truth import Faces, read_faces
from facegen.models.morphable_model import MorphableModel
from facegen.rendering import devices
from facegen.rendering.contract import Renderer, Scene
from facegen.scene.cameras import Cameras, rotation_matrix
from facegen.scene.parameters import Layout

COMPARED = 8
TIMED = 30


@dataclass(frozen=True)
class EvaluateSettings:
    """How to evaluate: samples (None: all), images at once, PyTorch's device, the renderer's.

    model: the face model's name or file; else its recorded name.
    """

    count: int | None = None
    batch: int = 64
    device: str = "auto"
    renderer: str = "auto"
    model: str | None = None


@dataclass(frozen=True, eq=False)
class Rerendering:
    """A face model and a renderer that render estimates before the cameras of the truth.

    The images are in the recipe's encoding, bare: nothing worn, no background, no lens or sensor.
    """

    model: MorphableModel
    layout: Layout
    renderer: Renderer

    @cached_property
    def regions(self) -> Regions:
        """The face and its parts."""
        return regions_of(self.model)

    def render(
        self, theta: Float32[Array, "N m"], cameras: Cameras
    ) -> tuple[UInt8[Array, "N S S 3"], Bool[Array, "N S S"]]:
        """Images and masks; cameras keep place and lens, the head is turned as theta says."""
        parameters = self.layout.unpack(theta)
        transform = cameras.model_to_camera.copy()
        transform[:, :3, :3] = rotation_matrix(parameters.rotation)
        scene = Scene(parameters, Cameras(transform, cameras.K, cameras.distortion))
        frames = self.renderer.render(scene)
        return bare_images(frames).copy(), frames.mask > 0


@dataclass(frozen=True, eq=False)
class Judgement:
    """A batch compared with its truth: errors by name, re-renderings, colour distances."""

    errors: dict[str, Float64[Array, "N"]]
    rendered: UInt8[Array, "N S S 3"]
    distance: Float32[Array, "N S S"]


@dataclass(frozen=True, eq=False)
class Evaluation:
    """Errors of every image by name, ms per image of the network, some faces compared."""

    errors: dict[str, Float64[Array, "N"]]
    milliseconds: float
    comparison: UInt8[Array, "H W 3"]

    def to_json(self) -> dict[str, Any]:
        """Mean and standard deviation over the images of every error."""
        images = len(self.errors["photometric"])
        return {
            "images": images,
            "network_ms": self.milliseconds,
            "errors": metrics.mean_and_sd(self.plain),
            "deviations": {name: c._asdict() for name, c in self.calibrations.items()},
        }

    @property
    def plain(self) -> dict[str, Float64[Array, "N"]]:
        """The errors alone."""
        apart = (calibration.WITHIN, calibration.EXPECTED)
        return {name: e for name, e in self.errors.items() if not name.startswith(apart)}

    @property
    def calibrations(self) -> dict[str, calibration.Calibration]:
        """What the estimated standard deviations are worth, by group of theta."""
        return calibration.calibrations(self.errors)


def evaluate_shards(net: Path, paths: Sequence[Path], settings: EvaluateSettings) -> Evaluation:
    """Evaluate a network on shards, which must have its layout and face model."""
    (renderer_device, *_) = devices.parse(settings.renderer)
    trained = open_network(net, settings.device)
    facts = trained.facts
    training_set = open_training_set(paths)
    if facts.theta != training_set.layout or facts.model != training_set.model:
        raise DatasetError(f"{net}: is for another layout or face model than the shards")
    model = open_model_of(facts.prior, training_set.model, settings.model)
    rendered = settings_for(training_set.image, ())
    renderer = devices.open_renderer(renderer_device, model, rendered)
    try:
        batch = min(settings.batch, renderer.batch)
        faces = read_faces(training_set, facts.network.size, batch, settings.count)
        return evaluate(trained.estimator, faces, Rerendering(model, facts.theta, renderer))
    finally:
        renderer.close()


def evaluate(
    estimator: Estimator, batches: Iterable[Faces], rerendering: Rerendering
) -> Evaluation:
    """Estimate every face, and compare with the truth and with the input."""
    errors: dict[str, list[Float64[Array, N]]] = defaultdict(list)
    compared: list[UInt8[Array, "H S 3"]] = []
    milliseconds = 0.0
    for faces in batches:
        milliseconds = milliseconds or time_of(estimator, faces.inputs)
        judgement = judge(estimator(faces.inputs), faces, rerendering)
        for name, values in judgement.errors.items():
            errors[name].append(values)
        columns = strips(faces.images, judgement.rendered, judgement.distance)
        compared += list(columns)[: max(0, COMPARED - len(compared))]
    if not errors:
        raise DatasetError("the shards hold no samples")
    joined = {name: np.concatenate(values) for name, values in errors.items()}
    return Evaluation(joined, milliseconds, np.concatenate(compared, axis=1))


def judge(found: Found, faces: Faces, rerendering: Rerendering) -> Judgement:
    """The errors of estimates of these faces.

    Photometric: the mean Euclidean RGB distance of 8 bit over the pixels of both masks. Geometric:
    the mean distance of vertices moved by shape and expression.
    """
    theta = found.theta
    rendered, mask = rerendering.render(theta, faces.cameras)
    truth = (
        rerendering.render(faces.theta, faces.cameras)[1]
        if faces.masks is None
        else faces.masks > 0
    )
    model, layout = rerendering.model.geometry, rerendering.layout
    points, goal = (
        model.evaluate(layout.unpack(t).geometry.astype(np.float32)) for t in (theta, faces.theta)
    )
    errors = {
        "photometric": metrics.photometric(faces.images, rendered, mask & truth),
        "iou": metrics.overlap(mask, truth),
        **shape_errors(points, goal, rerendering.regions),
        **metrics.group_errors(theta, faces.theta, layout),
        **landmark_errors(found, faces),
    }
    if found.sd is not None:
        errors |= calibration.of_faces(theta, found.sd, faces.theta, layout)
    distance = metrics.colour_distance(faces.images, rendered) * (mask & truth)
    return Judgement(errors, rendered, distance)


def landmark_errors(found: Found, faces: Faces) -> dict[str, Float64[Array, "N"]]:
    """NME of landmarks, where they are estimated and the shards hold them."""
    if found.landmarks is None or faces.landmarks is None:
        return {}
    whole, inner = metrics.nme(found.landmarks, faces.landmarks).T
    return {"nme": whole, "nme_inner": inner}


def time_of(estimator: Estimator, inputs: UInt8[Array, "N S S 3"]) -> float:
    """Milliseconds the network takes for one image alone, there and back: the median."""
    seconds = []
    for i in range(TIMED):
        started = time.perf_counter()
        estimator(inputs[i % len(inputs)][None])
        seconds.append(time.perf_counter() - started)
    return 1000 * float(np.median(seconds[TIMED // 3 :]))


def table(evaluation: Evaluation) -> str:
    """The figures in the poster's columns, and more."""
    errors, plain = evaluation.errors, evaluation.plain
    lines = [f"{len(errors['photometric']):,} images: mean ± sd"]
    for name, figure in metrics.mean_and_sd(plain).items():
        lines.append(_line(_TITLES.get(name, name), f"{figure['mean']:8.3f} ± {figure['sd']:.3f}"))
    if "nme" in errors:
        # From aside, the corners of the eyes lie next to each other: means say little.
        middle, area = np.median(errors["nme"]), metrics.area_under_curve(errors["nme"])
        lines.append(_line("landmarks, 68: median NME [%]", f"{middle:8.3f}"))
        lines.append(_line("landmarks, 68: area up to 8 % [%]", f"{100 * area:8.3f}"))
    for name, found in evaluation.calibrations.items():
        rank = "none" if found.spearman is None else f"{found.spearman:.2f}"
        text = f"{100 * found.within:8.3f}, rank correlation {rank}"
        lines.append(_line(f"{name} within its sd [%]", text))
    return "\n".join([*lines, _line("network, one image [ms]", f"{evaluation.milliseconds:8.3f}")])


def _line(title: str, figures: str) -> str:
    return f"{title:38} {figures}"


_TITLES = {
    "photometric": "photometric [8 bit]",
    "iou": "IoU of masks [%]",
    "geometric": "geometric [mm]",
    "geometric_aligned": "geometric, rigidly aligned [mm]",
    "geometric_similar": "geometric, aligned with scale [mm]",
    "face": "face [mm]",
    "face_aligned": "face, rigidly aligned [mm]",
    "face_similar": "face, aligned with scale [mm]",
    "scan_to_mesh": "face to surface, with scale (NoW) [mm]",
    "nose": "nose, aligned by itself [mm]",
    "mouth": "mouth, aligned by itself [mm]",
    "brow": "eyes and brow, aligned by itself [mm]",
    "cheek": "cheeks and chin, aligned by itself [mm]",
    "nme": "landmarks, 68: NME [%]",
    "nme_inner": "landmarks, inner 51: NME [%]",
    "rotation": "rotation, RMS [degrees]",
    "shape": "shape, RMS [standard deviations]",
    "expression": "expression, RMS [units of the model]",
    "reflectance": "reflectance, RMS [standard deviations]",
    "illumination": "illumination, RMS [coefficient]",
}
