"""The camera as the kernels take it: settings in pixels, and memory."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float32, Int32, Int64, UInt32

from facegen.files import Array
from facegen.imaging import optics, sensor
from facegen.rendering.cpu.memory import U32, F, kernel
from facegen.sampling.photography import Photography

_MOST_VIGNETTE = 0.99


class Camera(NamedTuple):
    """Photography as the kernels take it, in pixels of images of one size.

    side: of the picture as it is taken; fall: tan² of the angle at which the corners are seen;
    radius and weights: of focus; taps, places and shares: of motion.
    """

    side: Int64[Array, "N"]
    gain: Float32[Array, "N 3"]
    fall: Float32[Array, "N"]
    shoulder: Float32[Array, "N"]
    contrast: Float32[Array, "N"]
    saturation: Float32[Array, "N"]
    sharpening: Float32[Array, "N"]
    shot: Float32[Array, "N"]
    read: Float32[Array, "N"]
    keys: UInt32[Array, "N 2"]
    radius: Int32[Array, "N"]
    weights: Float32[Array, "N R"]
    taps: Int32[Array, "N"]
    places: Int32[Array, "N T 2"]
    shares: Float32[Array, "N T"]


class Settings(NamedTuple):
    """What a row of one photograph goes through: plain numbers, which cost nothing to pass on."""

    gain: tuple[float, float, float]
    fall: float
    shot: float
    read: float
    keys: tuple[int, int]
    shoulder: float
    contrast: float
    saturation: float
    sharpening: float


class Darkroom(NamedTuple):
    """Memory that every image uses again, M pixels of margin; P is S, or 1 if nothing moves.

    padded: an image or its row, the first and last pixel repeated over the margins; smeared: it
    after motion; ring: rows blurred along themselves, at their number modulo its length; low: rows
    of a smaller image; picture and luma: tones, rows of three channels; line and sums: of one
    row; first and taps: which pixels make one of another scale, and their weights.
    """

    padded: Float32[Array, "P S+2*M 3"]
    smeared: Float32[Array, "P S 3"]
    ring: Float32[Array, "r*3*S"]
    low: Float32[Array, "S*3*S"]
    picture: Float32[Array, "S*3*S"]
    luma: Float32[Array, "S*S"]
    line: Float32[Array, "3*S"]
    sums: Float32[Array, "S+2"]
    first: UInt32[Array, "S"]
    taps: Float32[Array, "4*S"]


def camera_of(photography: Photography, size: int) -> Camera:
    """The settings for images of size x size pixels."""
    blur = np.hypot(photography.focus_blur * size, photography.pixel_blur)
    radius, weights = optics.focus_weights(blur)
    taps, places, shares = optics.streaks(photography.motion_blur * size)
    lost = np.clip(photography.vignette, 0, _MOST_VIGNETTE)
    return Camera(
        side=np.clip(np.rint(size / photography.downscale), min(4, size), size).astype(np.int64),
        gain=_gains(photography),
        fall=_float32((1 - lost) ** -0.5 - 1),
        shoulder=_float32(photography.shoulder),
        contrast=_float32(photography.contrast),
        saturation=_float32(np.where(photography.grey, 0, photography.saturation)),
        sharpening=_float32(photography.sharpening),
        shot=_float32(photography.shot_noise),
        read=_float32(photography.read_noise),
        keys=sensor.noise_keys(photography.noise_seed),
        radius=radius,
        weights=weights,
        taps=taps,
        places=places,
        shares=shares,
    )


def darkroom(camera: Camera, size: int) -> Darkroom:
    """Memory for images of size x size pixels taken by this camera."""
    radius = int(camera.radius.max(initial=0))
    margin = max(radius, 2, int(np.abs(camera.places).max(initial=0)))
    streaked = size if camera.taps.any() else 1
    return Darkroom(
        padded=np.empty((streaked, size + 2 * margin, 3), F),
        smeared=np.empty((streaked, size, 3), F),
        ring=np.empty(max(2 * radius + 1, 5) * 3 * size, F),
        low=np.empty(3 * size * size, F),
        picture=np.empty(3 * size * size, F),
        luma=np.empty(size * size, F),
        line=np.empty(3 * size, F),
        sums=np.empty(size + 2, F),
        first=np.empty(size, U32),
        taps=np.empty(4 * size, F),
    )


@kernel
def settings_of(camera: Camera, n: int) -> Settings:
    """The numbers of the n-th photograph."""
    return Settings(
        (camera.gain[n, 0], camera.gain[n, 1], camera.gain[n, 2]),
        camera.fall[n],
        camera.shot[n],
        camera.read[n],
        (camera.keys[n, 0], camera.keys[n, 1]),
        camera.shoulder[n],
        camera.contrast[n],
        camera.saturation[n],
        camera.sharpening[n],
    )


def _gains(photography: Photography) -> Float32[Array, "N 3"]:
    red, blue = photography.white_balance.T
    stops = photography.exposure[:, None] + np.stack([red, np.zeros_like(red), blue], axis=1)
    return _float32(2.0**stops)


def _float32(values: Array) -> Array:
    return np.ascontiguousarray(values, np.float32)
