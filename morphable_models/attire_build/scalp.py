"""Where hair grows: the hairline, roots within it, and the dark cap under the hair."""

from dataclasses import dataclass

import numpy as np
from scipy.interpolate import PchipInterpolator

from .head import Field, Skull, angles, direction
from .piece import HAIR, STRANDS, Part, part, shell_triangles, step

# The hairline of the mean head from the forehead's middle around the ear to the nape, in mm.
HAIRLINE = np.array(
    [
        *[(0, 85, 88), (20, 86, 85), (42, 80, 74), (58, 64, 62), (68, 38, 48), (71, 15, 32)],
        *[(73, -4, 21), (74, 6, 10), (76, 20, 2), (77, 24, -8), (77, 12, -24), (74, -12, -31)],
        *[(64, -42, -36), (45, -60, -46), (20, -66, -58), (0, -66, -62)],
    ],
    dtype=float,
)
GOLDEN = np.pi * (3 - np.sqrt(5))
MM = 1 / 105  # Radians of theta that are about a millimetre on the scalp.


@dataclass(frozen=True)
class Hairline:
    """Changes of the hairline in mm: corners back, all of it back, a peak, longer sideburns."""

    recede: float = 0.0
    height: float = 0.0
    peak: float = 0.0
    sideburn: float = 0.0
    nape: float = 0.0

    def theta(self, phi: np.ndarray) -> np.ndarray:
        """Return the polar angle (...,) at which hair ends."""
        line_theta, line_phi = angles(HAIRLINE)
        line_phi[-1] = np.pi
        order = np.argsort(line_phi)
        side = np.abs(phi)
        theta = PchipInterpolator(line_phi[order], line_theta[order])(side)
        deg = np.degrees(side)
        front = 1 - step(deg, 38, 66)
        theta = theta - MM * self.height * front
        theta = theta - MM * self.recede * np.exp(-(((deg - 27) / 15) ** 2))
        theta = theta + MM * self.peak * np.exp(-((deg / 9) ** 2))
        theta = theta + MM * self.sideburn * np.exp(-(((deg - 79) / 5) ** 2))
        return theta + MM * self.nape * step(deg, 120, 150)


def roots(count: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Return about `count` roots, even over the scalp: share of the way to the hairline, phi."""
    line = Hairline()
    spots = _spiral(4000)
    inside = (spots[0] < line.theta(spots[1])).mean()
    theta, phi = _spiral(int(count / inside))
    phi = phi + rng.normal(0, 0.35 / np.sqrt(count), len(phi))
    theta = theta + rng.normal(0, 0.6 / np.sqrt(count), len(phi))
    share = np.abs(theta) / line.theta(phi)
    keep = share < 1
    return share[keep], phi[keep]


def _spiral(count: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the angles of points evenly spread over a sphere."""
    index = np.arange(count) + 0.5
    phi = (index * GOLDEN + np.pi) % (2 * np.pi) - np.pi
    return np.arccos(1 - 2 * index / count), phi


def cap(
    skull: Skull,
    field: Field,
    line: Hairline,
    lift: float,
    bald: float | None = None,
    grain: bool = False,
) -> Part:
    """Return the opaque under-cap, `lift` mm above the scalp, with a soft edge at the hairline.

    Above the height `bald` it is bare; with `grain` it is fuzz rather than strands.
    """
    rows, columns = 13, 44
    share = np.linspace(0.0, 1, rows) ** 0.8
    phi = np.linspace(-np.pi, np.pi, columns, endpoint=False)
    theta = share[:, None] * line.theta(phi)[None]
    points = skull.at(theta, np.broadcast_to(phi, theta.shape))
    edge = step(share, 0.72 if lift > 4 else 0.9, 1.0)
    lumps = 1 + 0.12 * np.sin(9 * phi + 5 * np.sin(7 * theta)) * np.sin(11 * theta + phi)
    points = field.pushed(points, (lift + (0.8 - lift) * edge)[:, None] * lumps, 3)
    opacity = step(1 - share, -0.02, 0.16)[:, None] * (share < 0.999)[:, None] + 0 * theta
    if bald is not None:
        opacity = 0.9 * opacity * haired(points, bald)
    strand = np.stack([_grain(theta, phi, grain), 0.2 + 0.3 * theta, opacity], -1).reshape(-1, 3)
    shade = 0.74 + 0.12 * step(share, 0.7, 1)[:, None] + 0 * theta
    triangles = shell_triangles(rows, columns)
    return part(points.reshape(-1, 3), triangles, HAIR, STRANDS, 0, shade.ravel(), strand)


def _grain(theta: np.ndarray, phi: np.ndarray, grain: bool) -> np.ndarray:
    """Return s of a cap's points: across the strands, or so uneven that they are fuzz."""
    if grain:
        return 150 * np.random.default_rng(9).random(theta.shape)
    return np.broadcast_to((phi + np.pi) * 100, theta.shape)


def haired(points: np.ndarray, bald: float) -> np.ndarray:
    """Return how much hair grows (...,) at points where the top is bald down to a height."""
    y, z = points[..., 1], points[..., 2]
    return (1 - step(y + 0.12 * z, bald - 12, bald + 8)) * (1 - step(z, 32, 48))


def whorl(points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the directions (..., 3) away from the crown and around it."""
    theta, phi = angles(points)
    away = direction(theta + 0.01, phi) - direction(theta - 0.01, phi)
    around = direction(np.full_like(theta, np.pi / 2), phi + np.pi / 2)
    return away / np.linalg.norm(away, axis=-1, keepdims=True), around
