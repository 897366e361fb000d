"""Optics: what a lens out of focus and a moving hand make of points. No light is lost."""

import numpy as np
from jaxtyping import Float, Float32, Int32
from scipy.special import ive

from facegen.files import Array
from facegen.rendering.cpu.memory import kernel

LEAST_SIGMA = 0.15  # Pixels; a blur that moves less than 2 % of the light is none.
_REACH = 3.5


def focus_weights(
    sigma: Float[Array, "N"],
) -> tuple[Int32[Array, "N"], Float32[Array, "N R"]]:
    """Radii, and the weights at distance 0 and on, of Gaussian blurs; sigma in pixels.

    Weights are e^-σ² I_k(σ²), the discrete Gaussian, whose variance is σ² however small (Lindeberg
    1990), cut off where they vanish and made to sum to 1. Radius 0 where there is no blur.
    """
    sigma = np.asarray(sigma, np.float64)
    reach = np.ceil(_REACH * sigma + 0.5).astype(np.int32)
    radii = np.where(sigma < LEAST_SIGMA, np.int32(0), reach)
    steps = np.arange(radii.max(initial=0) + 1)
    weights = ive(steps, np.maximum(sigma, LEAST_SIGMA)[:, None] ** 2)
    weights[steps > radii[:, None]] = 0
    totals = 2 * weights.sum(axis=1) - weights[:, 0]
    return radii, (weights / totals[:, None]).astype(np.float32)


def streaks(
    motion: Float[Array, "N 2"],
) -> tuple[Int32[Array, "N"], Int32[Array, "N T 2"], Float32[Array, "N T"]]:
    """Taps of straight streaks: how many, how far right and down, weights; motion in pixels.

    A streak is centred on its point. Its light lies evenly on the line, and falls to the pixels
    around by bilinear weights. No taps where the streak is shorter than a quarter of a pixel.
    """
    taps = [_streak(np.asarray(vector, np.float64)) for vector in motion]
    counts = np.array([len(weights) for _, weights in taps], np.int32)
    most = int(counts.max(initial=0))
    places = np.zeros((len(taps), most, 2), np.int32)
    shares = np.zeros((len(taps), most), np.float32)
    for row, (place, weights) in enumerate(taps):
        places[row, : len(weights)], shares[row, : len(weights)] = place, weights
    return counts, places, shares


def _streak(vector: Float[Array, "2"]) -> tuple[Int32[Array, "T 2"], Float32[Array, "T"]]:
    length = float(np.hypot(*vector))
    if length < 0.25:
        return np.zeros((0, 2), np.int32), np.zeros(0, np.float32)
    points = 8 * int(np.ceil(length))
    along = (np.arange(points) + 0.5) / points - 0.5
    x, y = (along[:, None] * vector).T
    reach = int(np.ceil(np.abs(vector).max() / 2)) + 1
    grid = np.zeros((2 * reach + 1, 2 * reach + 1))
    left, top = np.floor(x).astype(int), np.floor(y).astype(int)
    for right in (0, 1):
        for down in (0, 1):
            share = np.abs(1 - right - (x - left)) * np.abs(1 - down - (y - top))
            np.add.at(grid, (top + down + reach, left + right + reach), share)
    rows, columns = np.nonzero(grid > 1e-9)
    place = np.stack([columns - reach, rows - reach], axis=1).astype(np.int32)
    return place, (grid[rows, columns] / points).astype(np.float32)


@kernel
def part(image: Float32[Array, "S S 3"], padded: Float32[Array, "S 3 W"], margin: int) -> None:
    """An image as rows of three channels, with margins."""
    for row in range(len(image)):
        source, line = image[row], padded[row]
        for x in range(len(source)):
            line[0, margin + x] = source[x, 0]
            line[1, margin + x] = source[x, 1]
            line[2, margin + x] = source[x, 2]
    pad(padded, margin)


@kernel
def pad(padded: Float32[Array, "S 3 W"], margin: int) -> None:
    """Repeat the first and last pixel of each row over its margins."""
    end = padded.shape[2] - margin
    for row in range(len(padded)):
        for c in range(3):
            line = padded[row, c]
            line[:margin] = line[margin]
            line[end:] = line[end - 1]


@kernel
def smear(
    padded: Float32[Array, "S 3 W"],
    margin: int,
    places: Int32[Array, "T 2"],
    weights: Float32[Array, "T"],
    planes: Float32[Array, "S 3 S"],
) -> None:
    """Draw every point out into its streak, from padded rows into others."""
    size = len(planes)
    planes[:] = 0
    for row in range(size):
        for tap in range(len(weights)):
            source = padded[min(max(row - places[tap, 1], 0), size - 1)]
            start, weight = margin - places[tap, 0], weights[tap]
            for c in range(3):
                for x in range(size):
                    planes[row, c, x] += weight * source[c, start + x]


@kernel
def blur_rows(
    padded: Float32[Array, "S 3 W"],
    margin: int,
    radius: int,
    weights: Float32[Array, "R"],
    planes: Float32[Array, "S 3 S"],
) -> None:
    """Blur along rows, from padded rows into others."""
    for row in range(len(planes)):
        for c in range(3):
            source, line = padded[row, c], planes[row, c]
            for x in range(len(line)):
                line[x] = weights[0] * source[margin + x]
            for k in range(1, radius + 1):
                weight, left, right = weights[k], margin - k, margin + k
                for x in range(len(line)):
                    line[x] += weight * (source[left + x] + source[right + x])


@kernel
def blur_column(
    planes: Float32[Array, "S 3 S"],
    row: int,
    radius: int,
    weights: Float32[Array, "R"],
    line: Float32[Array, "3 S"],
) -> None:
    """Blur across rows, into one row."""
    last, here, out = len(planes) - 1, planes[row].reshape(-1), line.reshape(-1)
    for x in range(len(out)):
        out[x] = weights[0] * here[x]
    for k in range(1, radius + 1):
        weight = weights[k]
        above = planes[max(row - k, 0)].reshape(-1)
        below = planes[min(row + k, last)].reshape(-1)
        for x in range(len(out)):
            out[x] += weight * (above[x] + below[x])
