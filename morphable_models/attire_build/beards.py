"""Beards: short strands on the skin of jaw, chin and lip over a stubbled ground."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from scipy.spatial import cKDTree

from .head import Field, Head
from .piece import BEARD, STRANDS, Part, join, part, step
from .strands import Comb, Cut, Roots, grow, ribbons

LIPS, SKIN = 2, 1
CHEEK_LINE = np.array([(0, -84), (14, -84), (30, -62), (42, -50), (58, -34), (66, -12), (80, 4)])
NECK_LINE = np.array([(5, -62), (22, -86), (50, -118), (70, -130), (95, -136)])  # z, y.


@dataclass(frozen=True)
class Beard:
    """A beard: how dense it is in each region, its lengths in mm, and its ground."""

    lip: float = 0.0
    chin: float = 0.0
    jaw: float = 0.0
    burns: float = 0.0
    length: float = 8.0
    chin_length: float = 0.0  # What is added on the chin.
    count: int = 190
    ground: float = 0.75  # Opacity of the stubble below.
    volume: float = 3.0
    curl: float = 0.0
    width: float = 6.0
    spread: float = 0.3
    seed: int = 3


BEARDS: Mapping[str, Beard] = {
    "stubble": Beard(1, 1, 1, 1, length=2.0, count=0, ground=0.42),
    "stubble_heavy": Beard(1, 1, 1, 1, length=3.2, count=130, ground=0.55, width=4, volume=1),
    "short_full": Beard(1, 1, 1, 1, length=9, chin_length=5, count=220),
    "long_full": Beard(
        1, 1, 1, 0.8, length=24, chin_length=55, count=220, volume=9, width=8, spread=-0.1
    ),
    "curly_full": Beard(1, 1, 1, 1, length=22, chin_length=18, count=200, volume=8, curl=3),
    "goatee": Beard(0, 1, 0, 0, length=10, chin_length=12, count=90, volume=4),
    "moustache": Beard(1, 0, 0, 0, length=11, count=90, volume=3, width=5, spread=0.9),
    "moustache_and_goatee": Beard(1, 1, 0, 0, length=9, chin_length=8, count=140),
    "sideburns_chin_strap": Beard(0, 0, 0.0, 1, length=6, count=190, width=5),
}


@dataclass(frozen=True)
class Face:
    """Where a beard may grow on the head: the densities of its regions by vertex."""

    head: Head
    field: Field
    regions: Mapping[str, np.ndarray]


def read_face(head: Head, field: Field) -> Face:
    """Return the beard's regions: lip, chin, jaw, and the strap from the sideburns along it."""
    x, y, z = head.points.T
    x = np.abs(x)
    lips = cKDTree(head.points[head.parts == LIPS]).query(head.points)[0]
    free = step(lips, 3.0, 5.5) * (head.parts != LIPS) * head.outside * (head.parts < 9)
    free = free * ~np.isin(head.parts, (4, 7))
    nose = step(-y, 47.0, 51.0) * step(34 - x, 0, 6)
    lip = free * nose * step(y, -76, -70) * step(z, 88, 96) * step(-y - 0.35 * x, 44, 48)
    chin = step(30 - x, 0, 8) * step(-y, 82, 88) * step(z, 60, 75)
    chin = np.maximum(chin, step(7 - x, 0, 3) * step(-y, 80, 84) * step(z, 90, 95))
    ring = step(-np.hypot((x - 0) / 1.1, (y + 76) / 1.0), -40, -34) * step(z, 85, 92)
    ring = ring * step(-y, 66, 72) * step(x, 22, 27)
    edge = np.interp(z, *NECK_LINE.T)
    under = step(y - edge, -5, 7) * step(z, 2, 16)
    line = np.interp(x, *CHEEK_LINE.T)
    jaw = step(line - y, 0, 9) * under
    edge = np.interp(y, [-118, -100, -75, -50, -20, 5], [80, 66, 46, 34, 30, 31])
    strap = step(11 - np.abs(z - edge + 6), 0, 5) * step(-y, -8, 4) * under
    strap = np.maximum(strap, step(-y, 104, 109) * under)
    regions = {"lip": lip, "chin": np.maximum(chin * under, ring), "jaw": jaw, "burns": strap}
    return Face(head, field, {name: free * value for name, value in regions.items()})


def make_beard(face: Face, beard: Beard, **change: float) -> Part:
    """Return a beard's mesh."""
    dense = np.max([getattr(beard, n) * r for n, r in face.regions.items()], axis=0)
    beard = replace(beard, **{name: getattr(beard, name) + value for name, value in change.items()})
    parts = [_ground(face, dense, beard)]
    if beard.count:
        starts = _roots(face, dense, beard)
        comb = Comb(part=0, spread=beard.spread, forward=0.15, reach=14, lift=0.55, mess=0.3,
                    volume=beard.volume, hold=0, clear=0, curl=beard.curl,
                    curl_length=16)  # fmt: skip
        path = grow(starts, comb, face.field)
        cut = Cut(BEARD, rows=4, width=beard.width, fade=0.5, tip=0.35, dark=0.75, round=0.16)
        parts.append(ribbons(path, starts, cut, STRANDS, face.field))
    return join(*parts)


def _ground(face: Face, dense: np.ndarray, beard: Beard) -> Part:
    """Return the stubble: the skin itself, lifted a little, drawn where a hair is."""
    rng = np.random.default_rng(beard.seed)
    triangles = face.head.triangles[(dense[face.head.triangles] > 0.02).any(1)]
    used, index = np.unique(triangles, return_inverse=True)
    points = face.head.points[used] + 0.7 * face.head.normals[used]
    s = 90.0 * rng.random(len(used))  # So uneven that every triangle has its own grain.
    opacity = beard.ground * dense[used]
    strand = np.stack([s, np.full(len(s), 0.3), opacity], 1)
    return part(points, index.reshape(-1, 3), BEARD, STRANDS, shade=0.85, strand=strand)


def _roots(face: Face, dense: np.ndarray, beard: Beard) -> Roots:
    """Return roots spread over the skin by how densely a beard grows."""
    rng = np.random.default_rng(beard.seed + 1)
    points, triangles = face.head.points, face.head.triangles
    a, b, c = points[triangles].transpose(1, 0, 2)
    area = np.linalg.norm(np.cross(b - a, c - a), axis=1) * (dense[triangles].min(1) > 0.4)
    total = np.cumsum(area)
    spots = (np.arange(beard.count) + rng.random(beard.count)) / beard.count * total[-1]
    chosen = triangles[np.searchsorted(total, spots).clip(0, len(total) - 1)]
    share = rng.dirichlet((1, 1, 1), beard.count)
    where = np.einsum("nk,nki->ni", share, points[chosen])
    off = np.einsum("nk,nki->ni", share, face.head.normals[chosen])
    luck = rng.random((beard.count, 8))
    low = step(-where[:, 1], 78, 112) * step(where[:, 2], 20, 80)
    length = (beard.length + beard.chin_length * low) * (0.7 + 0.6 * luck[:, 4])
    lip = step(where[:, 1], -74, -66) * step(where[:, 2], 85, 95)
    length = length * (1 - lip) + np.minimum(length, 6.0) * lip
    return Roots(where, off, length, luck[:, 2], np.ones(beard.count), luck)
