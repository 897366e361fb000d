"""Faces in photographs: where they are, and what is kept of the pictures around them."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Float64, UInt8
from PIL import Image

from facegen.errors import FacegenError
from facegen.files import Array
from facegen.learning.config import Crop
from facegen.learning.detection import detector
from facegen.learning.frames import FINENESS, Frame, Framing, cut, middle, room_for
from facegen.learning.placing import camera_matrix
from facegen.learning.points import PhotographPoints
from facegen.rendering.pictures import opened, upright_rgb

# EXIF's folder of the camera's settings, and in it the focal length on a frame 36 mm wide.
_EXIF, _FOCAL_LENGTH, _FRAME_MM = 0x8769, 0xA405, 36.0


@dataclass(frozen=True, eq=False)
class Cropping:
    """How faces are found: by a detector, by landmarks or boxes that are given, or in the middle.

    detect needs no points; given takes them.
    """

    crop: Crop
    framing: Framing
    points: PhotographPoints | None = None


@dataclass(frozen=True, eq=False)
class Face:
    """A face in a photograph.

    frame: the square that a network sees; picture: what is kept of the photograph, which lies in
    its upright frame `room`; K: the photograph's camera.
    """

    key: str
    frame: Frame
    room: Frame
    picture: Image.Image
    K: Float64[Array, "3 3"]

    def pixels(self, frame: Frame, size: int) -> UInt8[Array, "S S 3"]:
        """A frame of the photograph."""
        if self.room == frame:
            return cut(self.picture, middle(self.picture), size)
        return cut(self.picture, frame.within(self.room).times(self.picture.width), size)


def faces_in(key: str, data: bytes, cropping: Cropping) -> list[Face]:
    """The faces of an encoded photograph: of several, each is named by its number, 'group.jpg#2'.

    Detected ones come by their size, the largest first; FacegenError where there are none.
    """
    with opened(data) as image:
        focal_length = focal_length_of(image)
        picture = upright_rgb(image)
        frames = _frames(key, picture, cropping)
        K = camera_matrix(*picture.size, focal_length)
        names = [key] if len(frames) == 1 else [f"{key}#{n + 1}" for n in range(len(frames))]
        size = cropping.framing.size
        return [
            _face(name, picture, frame, cropping.crop, size, K)
            for name, frame in zip(names, frames, strict=True)
        ]


def photograph_of(key: str) -> str:
    """The photograph of a face's key: 'group.jpg' of 'group.jpg#2'."""
    name, mark, number = key.rpartition("#")
    return name if mark and number.isdecimal() else key


def rows_by_photograph(keys: Iterable[str]) -> Mapping[str, list[int]]:
    """The rows of each photograph's faces, by its key."""
    rows = defaultdict(list)
    for row, key in enumerate(keys):
        rows[photograph_of(key)].append(row)
    return rows


def _frames(key: str, picture: Image.Image, cropping: Cropping) -> list[Frame]:
    if cropping.crop == "whole":
        return [middle(picture)]
    if cropping.crop == "given":
        assert cropping.points is not None
        return [cropping.framing.frame(points) for points in cropping.points.of(key)]
    boxes: Float[Array, "N 4"] = detector().faces(picture).sides
    if not len(boxes):
        raise FacegenError("no face was found", "give --landmarks, or --crop whole")
    return [cropping.framing.of_box(box) for box in boxes]


def _face(
    key: str, picture: Image.Image, frame: Frame, crop: Crop, size: int, K: Float64[Array, "3 3"]
) -> Face:
    if crop != "detect":  # It is looked at once.
        return Face(key, frame, frame, Image.fromarray(cut(picture, frame, size)), K)
    room = room_for(frame)
    pixels = int(min(FINENESS * size, np.ceil(room.side)))
    return Face(key, frame, room, Image.fromarray(cut(picture, room, pixels)), K)


def focal_length_of(image: Image.Image) -> float | None:
    """A photograph's focal length in shares of its longer side, if its EXIF says so."""
    try:
        value = float(image.getexif().get_ifd(_EXIF).get(_FOCAL_LENGTH, 0))
    except Exception:  # What a camera wrote can be anything.
        return None
    return value / _FRAME_MM if 5 <= value <= 2000 else None
