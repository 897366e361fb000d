"""Masks over nose and mouth, with loops around the ears."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from .head import Field
from .piece import CLOTH, OTHER, Part, join, part, shell_triangles, step
from .shapes import tube, wrap

ROWS, COLUMNS = 26, 31
EAR_LOOP = np.array([(76, 13, -2), (80, 8, -18), (77, -14, -26), (76, -34, -16)], dtype=float)


@dataclass(frozen=True)
class Mask:
    """A mask in mm: how far off the skin, how high, its pleats, its fold down the middle."""

    clear: float = 6.0
    top: float = -7.0
    bottom: float = -122.0
    side: float = 58.0  # Half of its width, in degrees around the head.
    pleats: float = 0.0
    fold: float = 0.0
    cup: float = 0.0
    soft: float = 2.4  # How far it is smoothed down the face, in rows.
    bridge: int = 5  # Columns over which hollows are bridged.


MASKS: Mapping[str, Mask] = {
    "mask_surgical": Mask(pleats=2.4),
    "mask_cloth": Mask(clear=6.0, fold=2.0, side=60, bridge=9, soft=3.2),
    "mask_ffp2": Mask(clear=6.0, fold=6.0, cup=8.0, side=56, bridge=13, soft=3.8),
}


def make_mask(field: Field, mask: Mask, **change: float) -> Part:
    """Return a mask on the mean face."""
    mask = replace(mask, **{name: getattr(mask, name) + value for name, value in change.items()})
    points, share = _sheet(field, mask)
    t = share[:, None] + np.zeros(COLUMNS)
    crease = np.abs((t * 4.5) % 1 - 0.5) * 2
    inner = step(t, 0.15, 0.25) * step(1 - t, 0.15, 0.25)
    shade = 1 - (0.22 * step(crease, 0.6, 1.0) * inner if mask.pleats else 0.0 * t)
    sheet = part(points.reshape(-1, 3), shell_triangles(ROWS, COLUMNS, closed=False), OTHER, CLOTH,
                 shade=shade.ravel())  # fmt: skip
    hems = [_strip(points[0], 1.0), _strip(points[-1], 1.0)]
    loops = [_loop(points[:, k], side) for k, side in ((0, -1), (-1, 1))]
    return join(sheet, *hems, *loops)


def _sheet(field: Field, mask: Mask) -> tuple[np.ndarray, np.ndarray]:
    """Return the mask's points (ROWS, COLUMNS, 3) and the share of its height by row."""
    share = np.linspace(0, 1, ROWS)
    phi = np.radians(np.linspace(-mask.side, mask.side, COLUMNS))
    lateral = np.abs(np.linspace(-1, 1, COLUMNS))
    top = mask.top - 20 * step(lateral, 0.05, 0.55) - 6 * lateral
    bottom = mask.bottom + 34 * lateral**2
    heights = top + share[:, None] * (bottom - top)
    low = step(share, 0.75, 1.0)
    middle = 20.0 + 0 * low
    middle_fold = np.exp(-((lateral / 0.35) ** 2)) * np.sin(np.pi * share.clip(0, 1))[:, None]
    puff = mask.cup * np.sin(np.pi * share)[:, None] * (1 - lateral**2)
    clear = mask.clear + mask.fold * middle_fold + puff
    pleat = (
        np.abs((share * 4.5) % 1 - 0.5) * 2 * step(share, 0.12, 0.25) * step(1 - share, 0.12, 0.25)
    )
    clear = clear + mask.pleats * pleat[:, None] * (1 - lateral**4)
    points = wrap(
        field, heights, phi, clear, middle, (mask.soft, 2.4), (19, mask.bridge), 1 - 0.8 * low
    )
    return points, share


def _strip(line: np.ndarray, thick: float) -> Part:
    """Return a hem along an edge."""
    flat, faces = tube(line, thick, thick, 5)
    return part(flat, faces, OTHER, CLOTH, shade=0.9)


def _loop(edge: np.ndarray, side: int) -> Part:
    """Return an elastic loop from the mask's upper corner around the ear to its lower one."""
    behind = EAR_LOOP * [side, 1, 1]
    upper, lower = edge[1], edge[-2]
    line = np.vstack([upper, (upper + behind[0]) / 2 + [side * 3.0, 0, 0], behind,
                      (lower + behind[-1]) / 2 + [side * 4.0, 0, 0], lower])  # fmt: skip
    t = np.linspace(0, 1, 26)
    path = np.stack([np.interp(t, np.linspace(0, 1, len(line)), c) for c in line.T], 1)
    flat, faces = tube(path, 1.1, 1.1, 5)
    return part(flat, faces, OTHER, CLOTH, slot=1)
