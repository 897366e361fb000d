"""From linear light to photographs: lens, sensor, tones, finish, one image after the other.

Rows run through the whole chain while they are in the processor's nearest memory. A picture that is
taken smaller is made smaller behind the lens, and larger at the very end.
"""

import numpy as np
from jaxtyping import Float32, UInt8

from facegen.files import Array
from facegen.imaging import finishing, optics, scaling, sensor, tones
from facegen.imaging.camera import Camera, Darkroom, Settings, camera_of, darkroom, settings_of
from facegen.rendering.cpu.memory import I64, ONE, ZERO, kernel
from facegen.sampling.photography import Photography


def develop(
    radiance: Float32[Array, "N S S 3"], photography: Photography, out: UInt8[Array, "N S S 3"]
) -> None:
    """Take N photographs of linear light, in which 1 is white, into `out`: 8-bit sRGB.

    Each is a pure function of its light and its settings, on one machine the same bytes in any
    batch.
    """
    camera = camera_of(photography, radiance.shape[1])
    room = darkroom(camera, radiance.shape[1])
    develop_all(np.ascontiguousarray(radiance), camera, room, out)


@kernel
def develop_all(
    radiance: Float32[Array, "N S S 3"],
    camera: Camera,
    room: Darkroom,
    out: UInt8[Array, "N S S 3"],
) -> None:
    """Take and develop every photograph."""
    for n in range(len(radiance)):
        light, taps = radiance[n], camera.taps[n]
        if taps > 0:
            places, shares = camera.places[n, :taps], camera.shares[n, :taps]
            optics.smear(light, places, shares, room.padded, room.smeared)
            light = room.smeared
        if camera.side[n] < len(light):
            take_smaller(light, n, camera, room, out[n])
        else:
            take(light, n, camera, room, out[n])


@kernel
def take(
    light: Float32[Array, "S S 3"],
    n: int,
    camera: Camera,
    room: Darkroom,
    out: UInt8[Array, "S S 3"],
) -> None:
    """A photograph as large as its light; each row is finished when the one below it is there."""
    size, settings = len(light), settings_of(camera, n)
    radius, weights, padded = camera.radius[n], camera.weights[n], room.padded[0].reshape(-1)
    picture, luma = rows(room.picture, I64(3), size), room.luma[: 3 * size].reshape(3, size)
    ring, line, sums = room.ring, room.line, room.sums
    seen, sharpening = I64(0), settings.sharpening
    for row in range(size):
        seen = see(light, row, seen, radius, weights, padded, ring, line)
        record(line, row, settings, picture[row % 3], luma[row % 3])
        if row > 0:
            finish(picture, luma, row - 1, sharpening, sums, out)
    finish(picture, luma, size - 1, sharpening, sums, out)


@kernel
def take_smaller(
    light: Float32[Array, "S S 3"],
    n: int,
    camera: Camera,
    room: Darkroom,
    out: UInt8[Array, "S S 3"],
) -> None:
    """A photograph that is smaller than its light, made as large again."""
    size, side, settings, line = len(light), camera.side[n], settings_of(camera, n), room.line
    radius, weights, padded = camera.radius[n], camera.weights[n], room.padded[0].reshape(-1)
    low, seen = room.low[: side * 3 * size].reshape(side, 3 * size), I64(0)
    low[:] = 0
    for row in range(size):
        seen = see(light, row, seen, radius, weights, padded, room.ring, line)
        scaling.shrink_row(line, row, low)
    picture, luma = rows(room.picture, side, side), room.luma[: side * side].reshape(side, side)
    count, short = (size + side - 1) // side + 1, line[: 3 * side]
    first, taps = room.first[:side], room.taps[: side * count].reshape(side, count)
    scaling.shrink_taps(size, first, taps)
    for row in range(side):
        scaling.shrink_columns(low[row], first, taps, short)
        record(short, row, settings, picture[row], luma[row])
    if settings.sharpening > ZERO:
        for row in range(side):
            finishing.sharpen(picture[row], luma, row, settings.sharpening, room.sums)
    enlarge(picture, room, out)


@kernel
def rows(memory: Float32[Array, "S*3*S"], height: int, width: int) -> Float32[Array, "h 3 w"]:
    """The beginning of memory as rows of three channels."""
    return memory[: height * 3 * width].reshape(height, 3, width)


@kernel
def see(
    light: Float32[Array, "S S 3"],
    row: int,
    seen: int,
    radius: int,
    weights: Float32[Array, "R"],
    padded: Float32[Array, "3*W"],
    ring: Float32[Array, "r*3*S"],
    line: Float32[Array, "3*S"],
) -> int:
    """A row of light out of focus; rows come in order.

    seen: how many rows are already blurred along themselves, of which it returns the new number.
    """
    size, width = len(light), len(line)
    if radius == 0:
        optics.copy(light[row].reshape(-1), line)
        return 0
    length, until = len(ring) // width, min(row + max(radius, 2) + 1, size)
    for ahead in range(seen, until):
        start = ahead % length * width
        optics.pad(light[ahead].reshape(-1), padded)
        optics.blur_row(padded, radius, weights, ring[start : start + width])
    optics.blur_column(ring, size, row, radius, weights, line)
    return until


@kernel
def record(
    light: Float32[Array, "3*S"],
    row: int,
    settings: Settings,
    line: Float32[Array, "3 S"],
    luma: Float32[Array, "S"],
) -> None:
    """A row of light as tones: exposed, with its noise, coloured; and their luma."""
    sensor.expose(light, row, settings.gain, settings.fall, line)
    if settings.shot > ZERO or settings.read > ZERO:
        sensor.add_noise(line, row, settings.shot, settings.read, settings.keys)
    flat = line.reshape(-1)
    if settings.shoulder < ONE:
        tones.roll_off(flat, settings.shoulder)
    tones.put_encoded(flat)
    if settings.contrast != ONE:
        tones.put_contrast(flat, settings.contrast)
    if settings.saturation != ONE or settings.sharpening > ZERO:
        finishing.find_luma(line, luma)
    if settings.saturation != ONE:
        finishing.saturate(line, luma, settings.saturation)


@kernel
def finish(
    picture: Float32[Array, "3 3 S"],
    luma: Float32[Array, "3 S"],
    row: int,
    sharpening: float,
    sums: Float32[Array, "S+2"],
    out: UInt8[Array, "S S 3"],
) -> None:
    """A row of tones, at its number modulo 3, sharpened and into 8 bits."""
    line = picture[row % 3]
    if sharpening > ZERO:
        finishing.sharpen(line, luma, row, sharpening, sums)
    finishing.put_bytes(line, out[row])


@kernel
def enlarge(picture: Float32[Array, "s 3 s"], room: Darkroom, out: UInt8[Array, "S S 3"]) -> None:
    """A smaller picture made larger, into 8 bits."""
    size, side = len(out), len(picture)
    first, taps, wide, line = room.first, room.taps.reshape(size, 4), room.low, room.line
    scaling.enlarge_taps(side, first, taps)
    for row in range(side):
        start = row * len(line)
        scaling.enlarge_row(picture[row].reshape(-1), first, taps, wide[start : start + len(line)])
    for row in range(size):
        scaling.enlarge_column(wide, first[row], taps[row], line)
        finishing.put_bytes(line.reshape(3, size), out[row])
