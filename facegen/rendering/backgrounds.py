"""What stands behind the head: nothing, a colour, smooth noise, or a crop of an image."""

from functools import cache

import numpy as np
from jaxtyping import Float32, Float64, Int64, UInt8

from facegen.files import Array
from facegen.models.environments import environments_path, read_environments
from facegen.rendering.cpu.compositing import add_light, put_behind, put_noise
from facegen.rendering.cpu.scenery import (
    enlarge_behind,
    paint_environment,
    paint_gradient,
    paint_interior,
)
from facegen.rendering.image_folder import ImageFolder
from facegen.sampling.framing import COARSE, FINE, Background
from facegen.sampling.lights import TURNS
from facegen.sampling.scenery import ENVIRONMENT, INTERIOR, NOISE, VIEW, Scenery

FOCUSES = 3
_BYTES = np.arange(256) / 255
# sRGB's bytes as linear light (IEC 61966-2-1).
DECODED = np.where(_BYTES <= 0.04045, _BYTES / 12.92, ((_BYTES + 0.055) / 1.055) ** 2.4).astype(
    np.float32
)
COARSE_SHARE = np.float32(0.75)


def fill_background(
    images: UInt8[Array, "N S S 3"],
    mask: UInt8[Array, "N S S"],
    background: Background,
    folder: ImageFolder | None,
) -> None:
    """Fill the images where the mask is 0, in place: from the folder, if there is one."""
    nodes = background.colours.shape[1]
    if folder is not None:
        put_behind(images, mask, folder.crops(background.crops, images.shape[1]))
    elif nodes == 1:
        put_behind(images, mask, flat(background.colours[:, 0]))
    elif nodes:
        fill_noise(images, mask, background.colours)


def add_background(
    radiance: Float32[Array, "N S S 3"],
    covered: UInt8[Array, "N S S"],
    background: Background,
    folder: ImageFolder | None,
) -> None:
    """Add what is behind to linear light where nothing covers it, in place.

    There is nothing yet but what clear lenses reflect. Pictures and colours are sRGB.
    """
    scenery = background.scenery
    plain = np.arange(len(covered))
    if scenery is not None and folder is None:
        painted = scenery.kind != NOISE
        add_scenery(radiance, covered, scenery, np.flatnonzero(painted))
        plain = np.flatnonzero(~painted)
    if len(plain):
        images = np.zeros((len(plain), *radiance.shape[1:]), np.uint8)
        fill_background(images, covered[plain], background[plain], folder)
        add_light(radiance, covered, images, plain, DECODED)


def add_scenery(
    radiance: Float32[Array, "N S S 3"],
    covered: UInt8[Array, "N S S"],
    scenery: Scenery,
    rows: Int64[Array, "n"],
) -> None:
    """Add the scenery of these rows to linear light where nothing covers it, in place."""
    size = max(8, radiance.shape[1] // 2)
    picture = np.empty((size, size, 3), np.float32)
    for row in rows.tolist():
        draws = scenery.draws[row]
        if scenery.kind[row] == ENVIRONMENT:
            turn = np.float32(scenery.turn[row] / TURNS)
            paint_environment(panorama(int(scenery.environment[row]), draws), turn, draws, picture)
        elif scenery.kind[row] == INTERIOR:
            paint_interior(draws, picture)
        else:
            paint_gradient(draws, picture)
        enlarge_behind(picture, scenery.gain[row], covered[row], radiance[row])


def panorama(number: int, draws: Float32[Array, "D"]) -> Float32[Array, "H W 3"]:
    """An environment's picture, as far out of focus as its draws say."""
    return np.asarray(focused()[int(draws[VIEW + 2] * FOCUSES)][number])


@cache
def focused() -> tuple[Float32[Array, "E H W 3"], ...]:
    """The environments' pictures, each time half as sharp."""
    pictures = [read_environments(environments_path()).radiance]
    for _ in range(FOCUSES - 1):
        last = pictures[-1]
        parts = [last[:, i::2, j::2] for i in (0, 1) for j in (0, 1)]
        pictures.append(np.ascontiguousarray(np.mean(parts, axis=0, dtype=np.float32)))
    return tuple(pictures)


def fill_noise(
    images: UInt8[Array, "N S S 3"],
    mask: UInt8[Array, "N S S"],
    colours: Float64[Array, "N 80 3"],
) -> None:
    """Fill the images where the mask is 0 with smooth noise, in place.

    The colours, in [0, 1], stand on a coarse and on a fine lattice over the image.
    """
    count, size = mask.shape[:2]
    values = (255 * colours).astype(np.float32)
    coarse = COARSE_SHARE * values[:, : COARSE**2].reshape(count, COARSE, COARSE, 3)
    fine = (1 - COARSE_SHARE) * values[:, COARSE**2 :].reshape(count, FINE, FINE, 3)
    put_noise(images, mask, coarse, fine, *_steps(size, COARSE), *_steps(size, FINE))


def flat(colours: Float64[Array, "N 3"]) -> UInt8[Array, "N 1 1 3"]:
    """Colours in [0, 1] as images of one pixel."""
    return np.round(255 * colours).astype(np.uint8)[:, None, None, :]


def _steps(size: int, nodes: int) -> tuple[Int64[Array, "S"], Float32[Array, "S"]]:
    """For each pixel of a row, the node before it and how far it is to the next, smoothed."""
    place = (np.arange(size) + 0.5) / size * (nodes - 1)
    before = place.astype(np.int64)
    fraction = place - before
    return before, (fraction * fraction * (3 - 2 * fraction)).astype(np.float32)
