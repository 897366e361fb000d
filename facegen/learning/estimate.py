"""Photographs -> theta and landmarks, as estimates.h5 holds them."""

from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any

import numpy as np
from jaxtyping import Float, Float64

from facegen.dataset.resolving import cores
from facegen.errors import FacegenError, located
from facegen.files import Array
from facegen.learning.faces import Cropping, Face, faces_in
from facegen.learning.facts import Facts
from facegen.learning.found import Found, Trained
from facegen.learning.frames import Frame, Framing
from facegen.learning.images import FoundImage
from facegen.learning.placing import placed
from facegen.learning.turning import roll_of, turned
from facegen.models.morphable_model import MorphableModel
from facegen.sampling.estimates import Estimates, Origin

EYES = (36, 45)  # Their outer corners.
# The expected error of landmarks, in shares of the eyes' distance, with a confidence of a half.
HALF_CONFIDENCE = 0.1
# How far a second frame may lie from the first, by its side, and how many times larger it may be.
FARTHEST, LARGER = 0.5, 2.0
_HINT = "leave it out, or go on without --strict"


@dataclass(frozen=True, eq=False)
class EstimateSettings:
    """How photographs are cropped, how many are read at once, and what becomes of bad ones.

    strict: the first that is unreadable or faceless is an error; else it is passed over. model:
    the face model, by which heads are placed before the camera.
    """

    cropping: Cropping
    model: MorphableModel | None = None
    strict: bool = False
    batch: int = 32


@dataclass(frozen=True)
class Skipped:
    """An image that could not be used, and why."""

    key: str
    message: str


@dataclass(frozen=True, eq=False)
class Looked:
    """What a network says of faces, and the frames in which it was seen."""

    faces: Sequence[Face]
    frames: Sequence[Frame]
    found: Found


def estimate(
    trained: Trained, images: Iterable[FoundImage], settings: EstimateSettings
) -> tuple[Estimates, list[Skipped]]:
    """Estimate every face of every image, in order; images without any are passed over."""
    parts: list[Estimates] = []
    skipped: list[Skipped] = []
    for batch in _read(images, settings):
        skipped += [Skipped(key, str(e)) for key, e in batch if isinstance(e, FacegenError)]
        faces = [face for _, item in batch if not isinstance(item, FacegenError) for face in item]
        if faces:
            parts.append(estimates_of(look(trained, faces, settings.cropping), trained, settings))
    if not parts:
        raise FacegenError("no image could be used", skipped[0].message if skipped else "give some")
    return replace(_joined(parts), origin=origin_of(trained)), skipped


def look(trained: Trained, faces: Sequence[Face], cropping: Cropping) -> Looked:
    """Faces as a network sees them; where detected, it looks again, upright, by what it found."""
    size = cropping.framing.size
    frames = [face.frame for face in faces]
    found = trained.estimator(_pixels(faces, frames, size))
    _check_finite(found, faces)
    if found.landmarks is not None and any(face.room != face.frame for face in faces):
        frames = again(faces, found, trained.facts, cropping.framing)
        found = trained.estimator(_pixels(faces, frames, size))
    return Looked(faces, frames, found)


def again(faces: Sequence[Face], found: Found, facts: Facts, framing: Framing) -> list[Frame]:
    """The frames about the landmarks that were found, turned as the heads lean.

    The first one stays where a face was not detected, or where what was found lies far from it.
    """
    assert found.landmarks is not None
    leans = roll_of(facts.theta.unpack(found.theta).rotation)
    frames = []
    for face, places, lean in zip(faces, found.landmarks, leans, strict=True):
        first = face.frame
        frame = framing.turned(first.to_picture(places), first.turn + float(lean))
        away = max(abs(frame.u - first.u), abs(frame.v - first.v)) / first.side
        near = away < FARTHEST and 1 / LARGER < frame.side / first.side < LARGER
        frames.append(frame if near and face.room != first else first)
    return frames


def estimates_of(looked: Looked, trained: Trained, settings: EstimateSettings) -> Estimates:
    """What a network says of faces, in their photographs."""
    faces, frames, found = looked.faces, looked.frames, looked.found
    turns = np.array([frame.turn for frame in frames])
    theta = turned(trained.facts.theta, found.theta, -turns)
    _check_finite(found, faces)
    estimates = Estimates(theta, tuple(face.key for face in faces), sd=found.sd)
    K = np.stack([face.K for face in faces])
    if found.landmarks is None:
        corners = [frame.to_picture(np.array([[0, 0], [1, 1]])).ravel() for frame in frames]
        return replace(estimates, box=np.array(corners, np.float32), K=K)
    pairs = zip(frames, found.landmarks, strict=True)
    landmarks = np.stack([frame.to_picture(places) for frame, places in pairs])
    box = np.concatenate([landmarks.min(axis=1), landmarks.max(axis=1)], axis=1)
    return replace(
        estimates,
        box=box.astype(np.float32),
        landmarks=landmarks.astype(np.float32),
        confidence=None if found.landmarks_sd is None else confidence_of(found),
        K=K,
        model_to_camera=_placed(settings.model, theta, landmarks, K),
    )


def confidence_of(found: Found) -> Float64[Array, "N"]:
    """1 / (1 + (e / HALF_CONFIDENCE)²); e: the landmarks' expected error by the eyes' distance.

    A place whose u and v have the standard deviation s is s sqrt(pi / 2) off on average.
    """
    assert found.landmarks is not None
    assert found.landmarks_sd is not None
    first, second = (found.landmarks[:, corner] for corner in EYES)
    distance = np.linalg.norm(first - second, axis=1).clip(1e-3)
    expected = found.landmarks_sd.mean(axis=1) * np.sqrt(np.pi / 2) / distance
    return np.asarray(1 / (1 + (expected / HALF_CONFIDENCE) ** 2), np.float64)


def _placed(
    model: MorphableModel | None,
    theta: Float[Array, "N m"],
    landmarks: Float[Array, "N 68 2"],
    K: Float64[Array, "N 3 3"],
) -> Float64[Array, "N 4 4"] | None:
    if model is None:
        return None
    return np.stack([placed(model, *row) for row in zip(theta, landmarks, K, strict=True)])


def origin_of(trained: Trained) -> Origin:
    """What estimates.h5 says of who made it."""
    layout = tuple((group.name, group.width) for group in trained.facts.theta.groups)
    model = trained.facts.model
    return Origin(layout, model.name, model.sha256, trained.source)


def _pixels(faces: Sequence[Face], frames: Sequence[Frame], size: int) -> Array:
    pairs = zip(faces, frames, strict=True)
    return np.stack([face.pixels(frame, size) for face, frame in pairs])


def _check_finite(found: Found, faces: Sequence[Face]) -> None:
    for values in found:
        if values is None:
            continue
        rows = np.flatnonzero(~np.isfinite(values).reshape(len(faces), -1).all(axis=1))
        if len(rows):
            message = f"{faces[rows[0]].key}: the network's estimate is not finite"
            raise FacegenError(message, "train it further")


def _joined(parts: Sequence[Estimates]) -> Estimates:
    """Estimates one after another."""
    names = ("confidence", "sd", "box", "landmarks", "K", "model_to_camera")
    columns = {name: [getattr(part, name) for part in parts] for name in names}
    whole: dict[str, Any] = {
        name: None if column[0] is None else np.concatenate(column)
        for name, column in columns.items()
    }
    keys = tuple(key for part in parts for key in part.keys or ())
    return Estimates(np.concatenate([part.theta for part in parts]), keys, **whole)


Item = list[Face] | FacegenError


def _read(
    images: Iterable[FoundImage], settings: EstimateSettings
) -> Iterator[list[tuple[str, Item]]]:
    """Batches of images' faces by key; in place of those of an unusable image its error."""
    images = iter(images)
    with ThreadPoolExecutor(cores()) as pool:
        while batch := list(islice(images, settings.batch)):
            yield list(pool.map(lambda image: (image.key, _faces(image, settings)), batch))


def _faces(image: FoundImage, settings: EstimateSettings) -> Item:
    """An image's faces; those of shards are already cropped."""
    cropping = replace(settings.cropping, crop="whole") if image.cropped else settings.cropping
    try:
        with located(image.key):
            return faces_in(image.key, image.read(), cropping)
    except FacegenError as error:
        if not settings.strict:
            return error
        error.hint = error.hint or _HINT
        raise
