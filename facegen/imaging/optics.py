"""Optics: what a lens out of focus and a moving hand make of points. No light is lost."""

import numpy as np
from jaxtyping import Float, Float32, Float64, Int32
from scipy.special import ive

from facegen.files import Array
from facegen.rendering.cpu.memory import U64, kernel

LEAST_SIGMA = 0.15  # Pixels; a blur that moves less than 2 % of the light is none.
_REACH = 3.3


def focus_weights(
    sigma: Float[Array, "N"],
) -> tuple[Int32[Array, "N"], Float32[Array, "N R"]]:
    """Radii, and the weights at distance 0 and on (R >= 3), of Gaussian blurs; sigma in pixels.

    Weights are e^-σ² I_k(σ²), the discrete Gaussian, whose variance is σ² however small (Lindeberg
    1990), cut off at 3.3 σ and made to sum to 1. In the smallest blurs the outermost weight makes
    up for the variance cut off. Radius 0 where there is no blur.
    """
    sigma = np.asarray(sigma, np.float64)
    reach = np.ceil(_REACH * sigma).astype(np.int32)
    radii = np.where(sigma < LEAST_SIGMA, np.int32(0), reach)
    steps = np.arange(max(radii.max(initial=0), 2) + 1)
    weights = ive(steps, np.maximum(sigma, LEAST_SIGMA)[:, None] ** 2)
    weights[steps > radii[:, None]] = 0
    weights /= (2 * _sums(weights) - weights[:, 0])[:, None]
    small = (radii > 0) & (radii <= 2)
    missing = np.where(small, sigma**2 - 2 * _sums(weights * steps**2), 0)
    weights[np.arange(len(radii)), radii] += missing / (2 * np.maximum(radii, 1) ** 2)
    weights[:, 0] = 1 - 2 * _sums(weights[:, 1:])
    return radii, weights.astype(np.float32)


def _sums(rows: Float64[Array, "N R"]) -> Float64[Array, "N"]:
    """The sums of rows, added one by one, so that zeros at their ends change no bit."""
    return np.asarray(np.cumsum(rows, axis=1)[:, -1])


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
    reach = int(np.ceil(np.abs(vector).max() / 2)) + 1
    grid = np.zeros((2 * reach + 1, 2 * reach + 1))
    draw_streak(vector[0], vector[1], 8 * int(np.ceil(length)), grid)
    rows, columns = np.nonzero(grid > 1e-9)
    place = np.stack([columns - reach, rows - reach], axis=1).astype(np.int32)
    return place, grid[rows, columns].astype(np.float32)


@kernel
def draw_streak(right: float, down: float, points: int, grid: Float64[Array, "n n"]) -> None:
    """Lay light of 1 evenly on a line through the middle of a grid, in so many points."""
    middle = len(grid) // 2
    for point in range(points):
        along = (point + 0.5) / points - 0.5
        x, y = middle + along * right, middle + along * down
        i, j = int(x), int(y)
        s, t = x - i, y - j
        grid[j, i] += (1 - s) * (1 - t) / points
        grid[j, i + 1] += s * (1 - t) / points
        grid[j + 1, i] += (1 - s) * t / points
        grid[j + 1, i + 1] += s * t / points


@kernel
def pad(line: Float32[Array, "3*S"], padded: Float32[Array, "3*W"]) -> None:
    """A row of pixels, the first and last repeated over the margins."""
    margin = (len(padded) - len(line)) // 2
    end = margin + len(line)
    start, last = U64(margin), len(line) - 3
    for i in range(len(line)):
        padded[start + U64(i)] = line[U64(i)]
    for x in range(margin):
        padded[x] = line[x % 3]
        padded[end + x] = line[last + x % 3]


@kernel
def smear(
    image: Float32[Array, "S S 3"],
    places: Int32[Array, "T 2"],
    weights: Float32[Array, "T"],
    padded: Float32[Array, "S W 3"],
    smeared: Float32[Array, "S S 3"],
) -> None:
    """Draw every point of an image out into its streak."""
    size = len(image)
    margin = (padded.shape[1] - size) // 2
    for row in range(size):
        pad(image[row].reshape(-1), padded[row].reshape(-1))
    smeared[:] = 0
    for row in range(size):
        line = smeared[row].reshape(-1)
        for tap in range(len(weights)):
            source = padded[min(max(row - places[tap, 1], 0), size - 1)].reshape(-1)
            start = 3 * (margin - places[tap, 0])
            add(line, source[start : start + len(line)], weights[tap])


@kernel
def blur_row(
    padded: Float32[Array, "3*W"],
    radius: int,
    weights: Float32[Array, "R"],
    out: Float32[Array, "3*S"],
) -> None:
    """Blur a row along itself."""
    here = (len(padded) - len(out)) // 2
    weigh(out, padded, here, here - 3, here + 3, here - 6, here + 6, weights)
    for k in range(3, radius + 1):
        add_both(out, padded, here - 3 * k, here + 3 * k, weights[k])


@kernel
def blur_column(
    ring: Float32[Array, "r*3*S"],
    size: int,
    row: int,
    radius: int,
    weights: Float32[Array, "R"],
    out: Float32[Array, "3*S"],
) -> None:
    """Blur across rows: one of `size` rows, which lie in the ring at their number modulo r."""
    width, last = len(out), size - 1
    length = len(ring) // width
    here = row % length * width
    one, two = max(row - 2, 0) % length * width, max(row - 1, 0) % length * width
    three, four = min(row + 1, last) % length * width, min(row + 2, last) % length * width
    weigh(out, ring, here, two, three, one, four, weights)
    for k in range(3, radius + 1):
        above, below = max(row - k, 0) % length, min(row + k, last) % length
        add_both(out, ring, above * width, below * width, weights[k])


@kernel
def weigh(
    out: Float32[Array, "n"],
    rows: Float32[Array, "m"],
    here: int,
    left: int,
    right: int,
    first: int,
    last: int,
    weights: Float32[Array, "R"],
) -> None:
    """The weighted sum of five rows, by where they start: the middle, those beside, the outer."""
    a, b, c, d, e = U64(first), U64(left), U64(here), U64(right), U64(last)
    p, q, r = weights[0], weights[1], weights[2]
    for i in range(len(out)):
        x = U64(i)
        near, far = rows[b + x] + rows[d + x], rows[a + x] + rows[e + x]
        out[x] = p * rows[c + x] + q * near + r * far


@kernel
def add_both(
    out: Float32[Array, "n"], rows: Float32[Array, "m"], one: int, other: int, weight: float
) -> None:
    """Add the sum of two rows times a weight."""
    a, b = U64(one), U64(other)
    for i in range(len(out)):
        x = U64(i)
        out[x] += weight * (rows[a + x] + rows[b + x])


@kernel
def copy(source: Float32[Array, "n"], out: Float32[Array, "n"]) -> None:
    """Copy a row."""
    for x in range(len(out)):
        out[x] = source[x]


@kernel
def add(line: Float32[Array, "n"], source: Float32[Array, "n"], weight: float) -> None:
    """Add a row times a weight."""
    for x in range(len(line)):
        line[x] += weight * source[x]
