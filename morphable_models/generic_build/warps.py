"""Smooth deformations of the whole head, what makes up for sizes that no target of MakeHuman has.

Each carries the surroundings of one anthropometric point, and of its mirror image, along one axis
by a Gaussian of its distance: a Gaussian process over displacements (Luethi et al., Gaussian
Process Morphable Models, PAMI 2018) of a few length scales.
"""

import numpy as np

from .mesh import EYES, TEETH, TONGUE
from .template import Template

# Length scale in mm: the deviation of its deformations in mm, and the points that have one.
SCALES: dict[float, tuple[float, tuple[str, ...]]] = {
    45.0: (2.0, ("v", "op", "eu_r", "g", "t_r", "go_r", "zy_r", "c", "gn", "prn")),
    22.0: (1.5, ("v", "op", "eu_r", "g", "n", "prn", "sn", "sl", "gn", "c", "t_r", "go_r", "zy_r",
                 "ft_r", "ch_r", "ex_r", "sa_r", "sba_r", "pa_r")),
    11.0: (1.0, ("n", "sn", "ls", "li", "sl", "gn", "al_r", "ac_r", "ch_r", "ex_r", "en_r",
                 "sa_r", "sba_r", "pra_r", "pa_r", "go_r")),
    5.5: (0.4, ("sn", "ls", "sto", "li", "sl", "al_r", "ac_r", "sbal_r", "cph_r", "ch_r",
                "ex_r", "en_r")),
}  # fmt: skip
RIGID = (*EYES, *TEETH, TONGUE)  # Carried whole, by their mean displacement.


def warps(template: Template, points: dict[str, int]) -> tuple[np.ndarray, np.ndarray]:
    """Return the deformations (W, V, 3), and the standard deviation (W,) of each one's weight."""
    fields, deviations = [], []
    for scale, (deviation, names) in SCALES.items():
        for name in names:
            own = _symmetric(template, template.points[points[name]], scale)
            fields += own
            deviations += [deviation] * len(own)
    return np.array(fields), np.array(deviations)


def _symmetric(template: Template, centre: np.ndarray, scale: float) -> list[np.ndarray]:
    """Return the deformations (V, 3) about a point and its mirror image, by axis."""
    bumps = [
        np.exp(-((template.points - centre * [side, 1, 1]) ** 2).sum(1) / (2 * scale**2))
        for side in (1, -1)
    ]
    paired = abs(centre[0]) > 1.0
    right, left = bumps if paired else (bumps[0], np.zeros_like(bumps[0]))
    axes = (0, 1, 2) if paired else (1, 2)
    signs = {0: -1.0, 1: 1.0, 2: 1.0}
    return [_carried(template, right + signs[axis] * left, axis) for axis in axes]


def _carried(template: Template, amount: np.ndarray, axis: int) -> np.ndarray:
    """Return the displacement (V, 3) by `amount` (V,) along an axis, rigid parts as one."""
    field = np.zeros((len(amount), 3))
    field[:, axis] = amount
    for name in RIGID:
        part = template.mesh.of(name)
        field[part] = field[part].mean(0)
    return field
