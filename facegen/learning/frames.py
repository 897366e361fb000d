"""Where in a picture a network looks: squares, upright or turned, and pixels cut out of them."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Float64, UInt8
from PIL import Image

from facegen.files import Array
from facegen.recipe.recipe import CameraPrior
from facegen.rendering.pictures import PictureError

LARGEST_CROP = 8
# How a detector's box holds the landmarks: how far their middle lies below its own, and how long
# the longer side about them is, in shares of its longer side (medians over `natural`).
BELOW, LANDMARKS_SIDE = 0.15, 0.84
# Of what is kept of a picture around a face: its side, by the face's, and its pixels, by a crop's.
ROOM, FINENESS = 2.0, 3


@dataclass(frozen=True)
class Frame:
    """A square of a picture: its middle u, v and its side in pixels.

    turn: how far its top is turned to the right, clockwise, in radians.
    """

    u: float
    v: float
    side: float
    turn: float = 0.0

    @property
    def axes(self) -> Float64[Array, "2 2"]:
        """Its directions right (first row) and down in the picture, one side long."""
        cos, sin = np.cos(self.turn), np.sin(self.turn)
        return self.side * np.array([[cos, sin], [-sin, cos]])

    def to_picture(self, places: Float[Array, "... 2"]) -> Float64[Array, "... 2"]:
        """Shares of the square -> pixels of the picture."""
        return np.asarray((places - 0.5) @ self.axes + (self.u, self.v), np.float64)

    def within(self, other: "Frame") -> "Frame":
        """This frame, of the picture, in pixels of what an upright frame of it holds.

        The other's side is taken as one pixel.
        """
        left, top = other.u - other.side / 2, other.v - other.side / 2
        u, v = (self.u - left) / other.side, (self.v - top) / other.side
        return Frame(u, v, self.side / other.side, self.turn)

    def times(self, factor: float) -> "Frame":
        """This frame in a picture enlarged by a factor."""
        return Frame(self.u * factor, self.v * factor, self.side * factor, self.turn)


@dataclass(frozen=True)
class Framing:
    """How a box of landmarks becomes a square image: the means of a recipe's crop.

    scale: the square's side / the box's longer side; shift: of its centre, in the same unit.
    """

    size: int
    scale: float
    shift: float

    def frame(self, points: Float[Array, "P 2"]) -> Frame:
        """The upright frame about points u, v."""
        low, high = points.min(axis=0), points.max(axis=0)
        side = float((high - low).max())
        u, v = (low + high) / 2 + side * self.shift
        return Frame(float(u), float(v), side * self.scale)

    def turned(self, points: Float[Array, "P 2"], turn: float) -> Frame:
        """The frame about points u, v that is turned so far."""
        back = Frame(0, 0, 1, -turn).axes
        level = self.frame(points @ back)
        u, v = np.array([level.u, level.v]) @ back.T
        return Frame(float(u), float(v), level.side, turn)

    def of_box(self, box: Float[Array, "4"]) -> Frame:
        """The frame about the face in a detector's box left, top, right, bottom."""
        extent = max(box[2] - box[0], box[3] - box[1])
        middle = np.array([box[0] + box[2], box[1] + box[3]]) / 2 + (0, BELOW * extent)
        half = LANDMARKS_SIDE * extent / 2
        return self.frame(np.stack([middle - half, middle + half]))


def framing_of(camera: CameraPrior, size: int) -> Framing:
    """The framing that a recipe's crop has on average."""
    return Framing(size, camera.scale.mean, camera.shift.mean)


def middle(picture: Image.Image) -> Frame:
    """The largest square in the middle of a picture."""
    width, height = picture.size
    return Frame(width / 2, height / 2, float(min(width, height)))


def room_for(frame: Frame) -> Frame:
    """The upright frame of what is kept of a picture around a face."""
    return Frame(frame.u, frame.v, ROOM * frame.side)


def cut(picture: Image.Image, frame: Frame, size: int) -> UInt8[Array, "S S 3"]:
    """A frame of an RGB picture, black where it reaches past it, at size x size pixels."""
    if frame.turn:
        return _turned(picture, frame, size)
    left, top = frame.u - frame.side / 2, frame.v - frame.side / 2
    if (left, top, frame.side) == (0, 0, size) and picture.size == (size, size):
        return np.asarray(picture)
    _check(picture, frame)
    x, y = int(np.floor(left)), int(np.floor(top))
    end = int(np.ceil(max(left - x, top - y) + frame.side))
    part = picture.crop((x, y, x + end, y + end))
    box = (left - x, top - y, left - x + frame.side, top - y + frame.side)
    return np.asarray(part.resize((size, size), Image.Resampling.BICUBIC, box))


def _turned(picture: Image.Image, frame: Frame, size: int) -> UInt8[Array, "S S 3"]:
    """As `cut`: made smaller upright, so that nothing aliases, then turned."""
    _check(picture, frame)
    around = Frame(frame.u, frame.v, 1.5 * frame.side)
    pixels = max(size, round(1.5 * size))
    level = Image.fromarray(cut(picture, around, pixels))
    inner = frame.within(around).times(pixels)
    right, down = inner.axes / size
    corner = inner.to_picture(np.zeros(2))
    affine = (right[0], down[0], corner[0], right[1], down[1], corner[1])
    return np.asarray(
        level.transform((size, size), Image.Transform.AFFINE, affine, Image.Resampling.BICUBIC)
    )


def _check(picture: Image.Image, frame: Frame) -> None:
    half = frame.side / 2
    inside = -half < frame.u < picture.width + half and -half < frame.v < picture.height + half
    if not inside or frame.side > LARGEST_CROP * max(picture.size):
        raise PictureError("its landmarks or box lie outside of it")
