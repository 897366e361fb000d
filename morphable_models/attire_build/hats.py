"""Hats: crowns wrapped about the skull, brims, and bands."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np

from .hair import HAT_LINE
from .head import Skull, direction
from .piece import CLOTH, HAT, Part, grid_triangles, join, part, shell_triangles, step
from .shapes import around

COLUMNS = 48


@dataclass(frozen=True)
class Hat:
    """A hat in mm: how loose and how high its crown is, and its brim."""

    loose: float = 13.0
    tall: float = 8.0  # More above the crown of the head than at the band.
    flat: float = 0.0  # How far the top is pressed flat.
    ribs: float = 0.0
    band: float = 0.0  # Height of a band or turned-up cuff.
    brim: float = 0.0
    visor: float = 0.0
    slope: float = 0.0  # How steeply the brim falls.
    curl: float = 0.0  # How far the brim's sides turn up.
    pinch: float = 0.0
    low: float = 0.0


HATS: Mapping[str, Hat] = {
    "cap": Hat(loose=11, tall=4, visor=72, slope=0.30, band=0),
    "cap_flat_visor": Hat(loose=12, tall=14, visor=76, slope=0.12, band=0),
    "beanie": Hat(loose=8, tall=14, ribs=1.3, band=42, low=6),
    "beanie_slouchy": Hat(loose=10, tall=34, ribs=1.6, band=0, low=2),
    "wide_brim": Hat(loose=11, tall=22, flat=0.35, brim=92, slope=0.12, curl=-10, band=22),
    "fedora": Hat(loose=10, tall=30, flat=0.4, brim=54, slope=0.02, curl=16, pinch=16, band=30),
    "bucket": Hat(loose=10, tall=16, flat=0.8, brim=56, slope=0.75),
}


def hat_theta(skull: Skull, phi: np.ndarray, low: float) -> np.ndarray:
    """Return the polar angle (n,) at which the skull meets the plane of a hat's edge."""
    near, far = np.full(len(phi), 0.4), np.full(len(phi), 2.3)
    for _ in range(24):
        middle = (near + far) / 2
        point = skull.at(middle, phi)
        above = point[:, 1] - HAT_LINE[1] * point[:, 2] > HAT_LINE[0] - 4 - low
        near, far = np.where(above, middle, near), np.where(above, far, middle)
    return near


def make_hat(skull: Skull, hat: Hat, **change: float) -> Part:
    """Return a hat on the mean head."""
    hat = replace(hat, **{name: getattr(hat, name) + value for name, value in change.items()})
    phi = around(COLUMNS)
    theta = hat_theta(skull, phi, hat.low)
    parts = [_crown(skull, hat, phi, theta)]
    if hat.band:
        parts.append(_band(skull, hat, phi, theta))
    if hat.brim or hat.visor:
        parts.append(_brim(skull, hat, phi, theta))
    if hat.visor:
        parts.append(_button(skull, hat))
    return join(*parts)


def _shell(
    skull: Skull, hat: Hat, phi: np.ndarray, theta: np.ndarray, share: np.ndarray, more: float
) -> np.ndarray:
    """Return points (rows, columns, 3) over the skull, at shares of the way to the edge."""
    grown = share[:, None] * theta[None]
    ways = direction(grown, np.broadcast_to(phi, grown.shape))
    base = skull.at(grown, np.broadcast_to(phi, grown.shape))
    top = 1 - step(share, 0.15, 1.0)[:, None]
    off = hat.loose + more + hat.tall * top
    off = off + hat.ribs * np.cos(COLUMNS / 2 * phi)[None] * step(share, 0.05, 0.3)[:, None]
    points = base + off[..., None] * ways
    ceiling = 118.0 + hat.loose + hat.tall * (1 - hat.flat)
    over = (points[..., 1] - ceiling).clip(0)
    points[..., 1] -= 0.85 * over if hat.flat else 0.0
    dent = np.exp(-((points[..., 0] / 16) ** 2)) * step(points[..., 1], 100, 128)
    side = np.exp(-(((np.abs(points[..., 0]) - 40) / 18) ** 2)) * step(points[..., 2], 20, 60)
    points[..., 1] -= hat.pinch * dent
    points[..., 0] -= 0.5 * hat.pinch * side * np.sign(points[..., 0]) * top
    return points


def _crown(skull: Skull, hat: Hat, phi: np.ndarray, theta: np.ndarray) -> Part:
    """Return the crown, with its edge turned in so that no gap shows."""
    share = np.linspace(0, 1, 14)
    points = _shell(skull, hat, phi, theta, share, 0.0)
    inner = _shell(skull, hat, phi, theta, np.array([0.99, 0.93]), 0.0)
    inner[..., [0, 2]] *= 1 - (hat.loose - 3) / 100
    points = np.concatenate([points, inner])
    triangles = shell_triangles(len(points), COLUMNS)
    shade = np.concatenate([0.9 + 0.1 * np.cos(np.pi * (share - 0.3)), [0.5, 0.4]])
    shade = np.repeat(shade, COLUMNS) * _ribbed(hat, len(points))
    return part(points.reshape(-1, 3), triangles, HAT, CLOTH, shade=shade)


def _ribbed(hat: Hat, rows: int) -> np.ndarray:
    """Return the darkening between ribs (rows x COLUMNS,)."""
    valley = np.tile(np.arange(COLUMNS) % 2, rows)
    return 1 - (0.3 * valley if hat.ribs else 0.0 * valley)


def _band(skull: Skull, hat: Hat, phi: np.ndarray, theta: np.ndarray) -> Part:
    """Return a band around the crown, or the cuff of a cap: a thick ring."""
    share = 1 - np.array([0.0, 0.0, 0.5, 1.0, 1.0]) * hat.band / 125
    thick = 6.0 if hat.ribs else 1.2
    rows = [
        _shell(skull, hat, phi, theta, share[k : k + 1], m * thick)[0]
        for k, m in enumerate((-1.0, 0.8, 1.0, 0.8, -1.0))
    ]
    points = np.stack(rows[::-1])
    triangles = shell_triangles(len(points), COLUMNS)
    slot = 1 if not hat.ribs else 0
    return part(points.reshape(-1, 3), triangles, HAT, CLOTH, slot, _ribbed(hat, 5))


def _brim(skull: Skull, hat: Hat, phi: np.ndarray, theta: np.ndarray) -> Part:
    """Return the brim around the edge, or a visor over the eyes, with two sides."""
    edge = _shell(skull, hat, phi, theta, np.array([0.985]), -1.0)[0]
    out = np.stack([np.sin(phi), 0 * phi, np.cos(phi)], 1)
    front = np.cos(np.clip(phi * 1.35, -np.pi / 2, np.pi / 2)) ** 0.6
    reach = hat.brim + hat.visor * front
    share = np.linspace(0, 1, 7)[:, None]
    side = np.sin(phi) ** 2
    fall = hat.slope * reach * (0.6 + 0.4 * share) * share
    bend = hat.curl * side * share**2 - (18 * side * front * share if hat.visor else 0)
    upper = edge + (reach * share)[..., None] * out
    upper[..., 1] += bend - fall
    lower = upper[::-1] - [0, 1.8, 0]
    points = np.concatenate([upper, lower])
    triangles = shell_triangles(len(points), COLUMNS)
    if hat.visor:
        corners = np.abs(phi)[np.arange(len(points) * COLUMNS) % COLUMNS]
        triangles = triangles[(corners[triangles] < 1.3).all(1)]
    shade = np.repeat([1.0, 0.62], 7 * COLUMNS)
    return part(points.reshape(-1, 3), triangles, HAT, CLOTH, slot=int(hat.visor > 0), shade=shade)


def _button(skull: Skull, hat: Hat) -> Part:
    """Return the button on the top of a cap."""
    top = skull.at(np.zeros(1), np.zeros(1))[0] + (hat.loose + hat.tall) * direction(
        np.zeros(1), np.zeros(1))[0]  # fmt: skip
    turn = np.linspace(0, 2 * np.pi, 11)
    rings = [(7.0, -1.0), (6.0, 2.0), (0.1, 3.5)]
    points = [[r * np.cos(turn), h + 0 * turn, r * np.sin(turn)] for r, h in rings]
    flat = top + np.transpose(points, (0, 2, 1)).reshape(-1, 3)
    return part(flat, grid_triangles(3, 11)[:, ::-1], HAT, CLOTH, slot=1)


Maker = Callable[..., Part]
