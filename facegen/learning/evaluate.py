"""The poster's columns: how far estimates are from the truth that shards hold."""

import json
import time
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from io import BytesIO
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from facegen import shards
from facegen.errors import DatasetError, located
from facegen.geometry import Cameras, rotation_matrix
from facegen.learning import checkpoint, metrics
from facegen.learning.corpus import Corpus, open_corpus, open_model_of
from facegen.learning.dataset import THETA, decode_theta, member
from facegen.learning.devices import device_of
from facegen.learning.estimate import Estimator, estimator_of
from facegen.learning.metrics import Float64
from facegen.learning.pictures import Framing, UInt8, decode, decode_into
from facegen.morphable_model import MorphableModel
from facegen.parameters import Float32, Layout
from facegen.renderers import Renderer, RenderSettings, Scene, devices
from facegen.stores.folder import write_file

TIMED = 30


@dataclass(frozen=True, eq=False)
class Faces:
    """N samples with their truth: images (N, S, S, 3) uint8 as read and as the network takes them,
    theta (N, m), their cameras, masks (N, S, S) uint8 if the shards hold them."""

    images: UInt8
    inputs: UInt8
    theta: Float32
    cameras: Cameras
    masks: UInt8 | None

    def __len__(self) -> int:
        return len(self.images)


@dataclass(frozen=True, eq=False)
class Stage:
    """Where estimates are rendered again."""

    model: MorphableModel
    layout: Layout
    renderer: Renderer

    def render(self, theta: Float32, cameras: Cameras) -> tuple[UInt8, Any]:
        """Pictures (N, S, S, 3) and masks (N, S, S) bool of theta before these cameras, which keep
        their place and lens: the head is turned as theta says."""
        parameters = self.layout.unpack(theta)
        transform = cameras.model_to_camera.copy()
        transform[:, :3, :3] = rotation_matrix(parameters.rotation)
        scene = Scene(parameters, Cameras(transform, cameras.K))
        frames = self.renderer.render(scene)
        return frames.images.copy(), frames.mask > 0


@dataclass(frozen=True, eq=False)
class Judged:
    """What became of a batch: errors (N,) by name, re-renderings, colour distances (N, S, S)."""

    errors: dict[str, Float64]
    rendered: UInt8
    distance: Float32


@dataclass(frozen=True, eq=False)
class Evaluation:
    """Errors (N,) of every image by name, ms per image of the network, and some pictures."""

    errors: dict[str, Float64]
    milliseconds: float
    picture: UInt8

    def to_json(self) -> dict[str, Any]:
        """Mean and standard deviation over the images of every error."""
        images = len(self.errors["photometric"])
        figures = metrics.mean_and_sd(self.errors)
        return {"images": images, "network_ms": self.milliseconds, "errors": figures}


def evaluate(
    estimator: Estimator, batches: Iterable[Faces], stage: Stage, shown: int = 8
) -> Evaluation:
    """Estimate every face, and compare with the truth and with the input."""
    errors: dict[str, list[Float64]] = defaultdict(list)
    strips: list[UInt8] = []
    milliseconds = 0.0
    for faces in batches:
        milliseconds = milliseconds or time_of(estimator, faces.inputs)
        judged = judge(estimator(faces.inputs), faces, stage)
        for name, values in judged.errors.items():
            errors[name].append(values)
        strips += list(_strips(faces, judged))[: max(0, shown - len(strips))]
    if not errors:
        raise DatasetError("the shards hold no samples")
    joined = {name: np.concatenate(values) for name, values in errors.items()}
    return Evaluation(joined, milliseconds, np.concatenate(strips, axis=1))


def evaluate_shards(
    net: Path,
    paths: Sequence[Path],
    count: int | None = None,
    batch: int = 64,
    device: str = "auto",
    renderer: str = "auto",
    model: str | None = None,
) -> Evaluation:
    """Evaluate a checkpoint on shards, which must speak of its layout and face model."""
    (rendering_device, *_) = devices.parse(renderer)
    loaded = checkpoint.load(net)
    corpus = open_corpus(paths)
    if loaded.layout != corpus.layout or loaded.model != corpus.model:
        raise DatasetError(f"{net}: speaks of another layout or face model than the shards")
    estimator = estimator_of(loaded.network, device_of(device))
    face_model = open_model_of(loaded.recipe, corpus.model, model)
    opened = devices.open_renderer(rendering_device, face_model, RenderSettings(corpus.image.size))
    try:
        stage = Stage(face_model, loaded.layout, opened)
        faces = read_faces(corpus, loaded.network.config.size, min(batch, opened.batch), count)
        return evaluate(estimator, faces, stage)
    finally:
        opened.close()


def judge(theta: Float32, faces: Faces, stage: Stage) -> Judged:
    """The errors of estimates theta (N, m) of these faces.

    Photometric: the mean Euclidean RGB distance of 8 bit over the pixels of both masks. Geometric:
    the mean distance of vertices moved by shape and expression, without and with rigid alignment.
    """
    rendered, mask = stage.render(theta, faces.cameras)
    truth = stage.render(faces.theta, faces.cameras)[1] if faces.masks is None else faces.masks > 0
    model, layout = stage.model.geometry, stage.layout
    points, goal = (
        model.evaluate(layout.unpack(t).geometry.astype(np.float32)) for t in (theta, faces.theta)
    )
    errors = {
        "photometric": metrics.photometric(faces.images, rendered, mask & truth),
        "geometric": metrics.vertex_distance(points, goal),
        "geometric_aligned": metrics.vertex_distance(metrics.align(points, goal), goal),
        "iou": metrics.overlap(mask, truth),
        **metrics.group_errors(theta, faces.theta, layout),
    }
    distance = metrics.colour_distance(faces.images, rendered) * (mask & truth)
    return Judged(errors, rendered, distance)


def read_faces(corpus: Corpus, size: int, batch: int, count: int | None = None) -> Iterator[Faces]:
    """The corpus' first `count` samples, or all, in batches; `size` is what the network takes."""
    samples: Iterator[tuple[str, dict[str, bytes]]] = (
        sample for path in corpus.everything for sample in shards.read_samples(path)
    )
    samples = islice(samples, count)
    while rows := list(islice(samples, batch)):
        yield _faces(rows, corpus, size)


def time_of(estimator: Estimator, inputs: UInt8) -> float:
    """Milliseconds the network takes for one picture alone, there and back: the median."""
    seconds = []
    for i in range(TIMED):
        started = time.perf_counter()
        estimator(inputs[i % len(inputs)][None])
        seconds.append(time.perf_counter() - started)
    return 1000 * float(np.median(seconds[TIMED // 3 :]))


def table(evaluation: Evaluation) -> str:
    """The figures in the poster's columns."""
    figures = metrics.mean_and_sd(evaluation.errors)
    lines = [f"{len(evaluation.errors['photometric']):,} images: mean ± sd"]
    for name, figure in figures.items():
        lines.append(f"{_LABELS.get(name, name):38} {figure['mean']:8.3f} ± {figure['sd']:.3f}")
    return "\n".join([*lines, f"{'network, one image [ms]':38} {evaluation.milliseconds:8.3f}"])


_LABELS = {
    "photometric": "photometric [8 bit]",
    "geometric": "geometric [mm]",
    "geometric_aligned": "geometric, rigidly aligned [mm]",
    "iou": "IoU of masks [%]",
    "rotation": "rotation, RMS [degrees]",
    "shape": "shape, RMS [standard deviations]",
    "expression": "expression, RMS [units of the model]",
    "reflectance": "reflectance, RMS [standard deviations]",
    "illumination": "illumination, RMS [coefficient]",
}
# Black, red, yellow, white, at these colour distances.
_RAMP = (np.array([0, 40, 80, 120]), np.array([[0, 0, 0], [255, 0, 0], [255, 255, 0], [255] * 3]))


def _faces(rows: Sequence[tuple[str, dict[str, bytes]]], corpus: Corpus, size: int) -> Faces:
    side = corpus.image.size
    images = np.empty((len(rows), side, side, 3), np.uint8)
    inputs = images if size == side else np.empty((len(rows), size, size, 3), np.uint8)
    theta = np.empty((len(rows), corpus.layout.width), np.float32)
    labels, masks = [], []
    for i, (key, members) in enumerate(rows):
        with located(f"sample {key}"):
            data = member(members, corpus.image.format)
            decode_into(images[i], data)
            if inputs is not images:
                inputs[i] = decode(data, Framing(size, 1.0, 0.0), None)
            theta[i] = decode_theta(member(members, THETA), corpus.layout.width)
            labels.append(_camera(member(members, "json")))
            masks.append(_mask(members.get("mask.png"), side))
    cameras = Cameras(*(np.stack(parts) for parts in zip(*labels, strict=True)))
    known = [mask for mask in masks if mask is not None]
    return Faces(
        images, inputs, theta, cameras, np.stack(known) if len(known) == len(rows) else None
    )


def _camera(data: bytes) -> tuple[Float32, Float32]:
    """model_to_camera (4, 4) and K (3, 3) of a sample's json."""
    try:
        label = json.loads(data)
        transform = np.array(label["model_to_camera"], np.float32).reshape(4, 4)
        K = np.array(label["K"], np.float32).reshape(3, 3)
    except (ValueError, TypeError, KeyError, RecursionError):
        raise DatasetError("its json states no camera") from None
    if not (np.isfinite(transform).all() and np.isfinite(K).all()):
        raise DatasetError("its camera is not finite")
    return transform, K


def _mask(data: bytes | None, side: int) -> UInt8 | None:
    if data is None:
        return None
    pixels = np.empty((side, side, 3), np.uint8)
    decode_into(pixels, data)
    return pixels[..., 0]


def _strips(faces: Faces, judged: Judged) -> Iterator[UInt8]:
    """Each face as input, re-rendering and error map, one under the other: (3 S, S, 3)."""
    distances, colours = _RAMP
    for image, rendered, distance in zip(
        faces.images, judged.rendered, judged.distance, strict=True
    ):
        heat = [np.interp(distance, distances, channel) for channel in colours.T]
        yield np.concatenate([image, rendered, np.stack(heat, -1).astype(np.uint8)])


def save_picture(evaluation: Evaluation, path: Path) -> None:
    """Write the pictures: inputs above, re-renderings, error maps (white: 120 of 8 bit or more)."""
    buffer = BytesIO()
    Image.fromarray(evaluation.picture).save(buffer, "PNG")
    write_file(path, buffer.getvalue())
