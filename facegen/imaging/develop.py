"""From linear light to photographs: lens, sensor, tones, finish, one image after the other.

A picture that was taken smaller is made smaller behind the lens and larger at the very end.
"""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float32, Int32, UInt8, UInt32

from facegen.files import Array
from facegen.imaging import finishing, optics, scaling, sensor, tones
from facegen.imaging.settings import Photography
from facegen.rendering.cpu.memory import ONE, ZERO, F, kernel

_MOST_VIGNETTE = 0.99


class Camera(NamedTuple):
    """Photography as the kernels take it, in pixels of images of one size.

    side: of the picture as it is taken; fall: tan² at which the corners are seen.
    """

    side: Int32[Array, "N"]
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


class Darkroom(NamedTuple):
    """Memory that every image uses again: rows of three channels each; padded ones have margins."""

    padded: Float32[Array, "S 3 S+2*margin"]
    planes: Float32[Array, "S*3*S"]
    others: Float32[Array, "S*3*S"]
    luma: Float32[Array, "S*S"]
    line: Float32[Array, "3 S"]
    detail: Float32[Array, "S+2"]
    curve: Float32[Array, "{tones.KNOTS}+2"]
    first: Int32[Array, "S"]
    taps: Float32[Array, "4*S"]


def develop(
    radiance: Float32[Array, "N S S 3"], photography: Photography, out: UInt8[Array, "N S S 3"]
) -> None:
    """Take N photographs of linear light, in which 1 is white, into `out`: 8-bit sRGB.

    Each is a pure function of its light and its settings, on one machine the same bytes in any
    batch.
    """
    camera = camera_of(photography, radiance.shape[1])
    margin = int(max(camera.radius.max(initial=0), np.abs(camera.places).max(initial=0)))
    develop_all(np.ascontiguousarray(radiance), camera, darkroom(radiance.shape[1], margin), out)


def camera_of(photography: Photography, size: int) -> Camera:
    """The settings for images of size x size pixels."""
    radius, weights = optics.focus_weights(photography.focus_blur * size)
    taps, places, shares = optics.streaks(photography.motion_blur * size)
    lost = np.clip(photography.vignette, 0, _MOST_VIGNETTE)
    return Camera(
        side=np.clip(np.rint(size / photography.downscale), min(4, size), size).astype(np.int32),
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


def darkroom(size: int, margin: int) -> Darkroom:
    """Memory for images of size x size pixels."""
    return Darkroom(
        padded=np.empty((size, 3, size + 2 * margin), F),
        planes=np.empty(3 * size * size, F),
        others=np.empty(3 * size * size, F),
        luma=np.empty(size * size, F),
        line=np.empty((3, size), F),
        detail=np.empty(size + 2, F),
        curve=np.empty(tones.KNOTS + 2, F),
        first=np.empty(size, np.int32),
        taps=np.empty(4 * size, F),
    )


def _gains(photography: Photography) -> Float32[Array, "N 3"]:
    red, blue = photography.white_balance.T
    stops = photography.exposure[:, None] + np.stack([red, np.zeros_like(red), blue], axis=1)
    return _float32(2.0**stops)


def _float32(values: Array) -> Array:
    return np.ascontiguousarray(values, np.float32)


@kernel
def develop_all(
    radiance: Float32[Array, "N S S 3"], camera: Camera, room: Darkroom, out: UInt8[Array, "N S S 3"]
) -> None:
    """Take and develop every photograph."""
    size = radiance.shape[1]
    for n in range(len(radiance)):
        side = camera.side[n]
        see(radiance[n], n, camera, room)
        if side < size:
            shrink(size, side, n, camera, room)
        take(size, side, n, camera, room)
        if camera.saturation[n] != ONE or camera.sharpening[n] != ZERO:
            finish(side, n, camera, room)
        if side < size:
            enlarge(side, room, out[n])
        else:
            for row in range(size):
                finishing.put_bytes(rows(room.planes, size, size)[row], out[n, row])


@kernel
def rows(memory: Float32[Array, "S*3*S"], height: int, width: int) -> Float32[Array, "h 3 w"]:
    """The beginning of memory as rows of three channels."""
    return memory[: height * 3 * width].reshape(height, 3, width)


@kernel
def see(image: Float32[Array, "S S 3"], n: int, camera: Camera, room: Darkroom) -> None:
    """Through the lens into `others`: light blurred by motion, and by focus along rows."""
    size, radius, padded = len(image), camera.radius[n], room.padded
    margin = (padded.shape[2] - size) // 2
    others, planes = rows(room.others, size, size), rows(room.planes, size, size)
    if radius == 0 and camera.taps[n] == 0:
        optics.part(image, others, 0)
        return
    optics.part(image, padded, margin)
    if camera.taps[n] > 0:
        places, shares = camera.places[n, : camera.taps[n]], camera.shares[n, : camera.taps[n]]
        optics.smear(padded, margin, places, shares, planes)
        padded[:, :, margin : margin + size] = planes
        optics.pad(padded, margin)
    optics.blur_rows(padded, margin, radius, camera.weights[n], others)


@kernel
def shrink(size: int, side: int, n: int, camera: Camera, room: Darkroom) -> None:
    """Light in `others`, blurred across rows and made smaller, into `planes`."""
    whole, others = rows(room.planes, size, size), rows(room.others, size, size)
    for row in range(size):
        optics.blur_column(others, row, camera.radius[n], camera.weights[n], whole[row])
    first, low = room.first[:side], rows(room.others, side, size)
    count = int(np.ceil(F(size) / F(side))) + 1
    weights = room.taps[: side * count].reshape(side, count)
    scaling.shrink_taps(size, first, weights)
    for row in range(side):
        scaling.scale_column(whole, first[row], weights[row], low[row])
    scaling.scale_rows(low, first, weights, rows(room.planes, side, side))


@kernel
def take(size: int, side: int, n: int, camera: Camera, room: Darkroom) -> None:
    """Light to tones, in `planes`: exposed, with its noise, along the curve; their luma."""
    planes, others = rows(room.planes, side, side), rows(room.others, size, size)
    gain, shot, read = camera.gain[n], camera.shot[n], camera.read[n]
    tones.fill_curve(camera.shoulder[n], camera.contrast[n], room.curve)
    for row in range(side):
        line = planes[row]
        if side == size:
            optics.blur_column(others, row, camera.radius[n], camera.weights[n], line)
        sensor.expose(line, row, gain, camera.fall[n])
        if shot > ZERO or read > ZERO:
            sensor.add_noise(line, row, shot, read, camera.keys[n])
        tones.put_tones(line, room.curve)


@kernel
def finish(side: int, n: int, camera: Camera, room: Darkroom) -> None:
    """Colour and sharpness of the tones in `planes`."""
    planes, luma = rows(room.planes, side, side), room.luma[: side * side].reshape(side, side)
    for row in range(side):
        finishing.find_luma(planes[row], luma[row])
        if camera.saturation[n] != ONE:
            finishing.saturate(planes[row], luma[row], camera.saturation[n])
    if camera.sharpening[n] != ZERO:
        for row in range(side):
            finishing.sharpen(planes[row], luma, row, camera.sharpening[n], room.detail)


@kernel
def enlarge(side: int, room: Darkroom, image: UInt8[Array, "S S 3"]) -> None:
    """Tones in `planes` made larger, into 8 bits."""
    size = len(image)
    first, weights = room.first, room.taps.reshape(size, 4)
    wide = rows(room.others, side, size)
    scaling.enlarge_taps(side, first, weights)
    scaling.scale_rows(rows(room.planes, side, side), first, weights, wide)
    for row in range(size):
        scaling.scale_column(wide, first[row], weights[row], room.line)
        finishing.put_bytes(room.line, image[row])
