"""Keeps lids on their eyeballs: displacements near an eyeball follow it along its radius.

To first order a lid then keeps its distance from the eyeball, and what is left, sliding along the
ball, can only lift it (by slide^2 / 2 radius), so that no mixture of components pokes through.
"""

import numpy as np

from .mesh import EYES
from .template import EYE_RADIUS_MM, Template, eye_centre

FULL_MM, NONE_MM = 1.5, 6.0  # Distance from the eyeball up to which, and from which on not.


def settle(fields: np.ndarray, template: Template) -> np.ndarray:
    """Return displacements (T, V, 3) whose radial part at the lids is the eyeball's own."""
    settled = fields.copy()
    for eye in EYES:
        _settle_one(settled, template, eye)
    return settled


def _settle_one(fields: np.ndarray, template: Template, eye: str) -> None:
    """Correct the lids of one eye in place."""
    ball = template.mesh.of(eye)
    centre = eye_centre(template.points, template.mesh, eye)
    offset = template.points - centre
    length = np.linalg.norm(offset, axis=1)
    weight = _fade(np.abs(length - EYE_RADIUS_MM)) * template.body
    lids = np.flatnonzero(weight)
    homogeneous = np.column_stack([offset, np.ones(len(offset))])
    carry = homogeneous[lids] @ np.linalg.pinv(homogeneous[ball])
    relative = fields[:, lids] - np.einsum("lb,tbk->tlk", carry, fields[:, ball], optimize=True)
    radius = offset[lids] / length[lids, None]
    outward = np.einsum("tlk,lk->tl", relative, radius)
    fields[:, lids] -= (outward * weight[lids])[..., None] * radius


def _fade(distance: np.ndarray) -> np.ndarray:
    """Return 1 below FULL_MM and 0 above NONE_MM, smoothly between."""
    t = ((NONE_MM - distance) / (NONE_MM - FULL_MM)).clip(0, 1)
    return t * t * (3 - 2 * t)
