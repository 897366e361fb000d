"""The light that theta's label states: nine harmonics per channel that explain the photograph."""

import numpy as np
from numpy.typing import NDArray

from facegen.scene.lighting import basis

from .render import Take
from .tones import to_display

Float64 = NDArray[np.float64]

RIDGE = 0.0005
WELL_EXPOSED = (0.02, 0.95)


def fit_illumination(image: Float64, take: Take) -> Float64:
    """Illumination (9, 3) whose light on the true reflectance and normals is nearest the image.

    image (S, S, 3) in [0, 1], as displayed. Least squares over the face's well exposed pixels. A
    weak pull to flat light of coefficient one settles what the visible normals leave open.
    """
    inside = take.coverage > 0.99
    light = basis(_unit(take.normals[inside])).astype(np.float64)
    albedo = to_display(np.clip(take.reflectance[inside], 0, 1))
    seen = image[inside]
    return np.stack([_fit(light * albedo[:, [c]], seen[:, c]) for c in range(3)], axis=1)


def _fit(rows: Float64, values: Float64) -> Float64:
    """One channel's coefficients (9,) from rows (P, 9) and pixel values (P,)."""
    low, high = WELL_EXPOSED
    usable = (values > low) & (values < high)
    rows, values = rows[usable], values[usable]
    flat = np.eye(9)[0]
    pull = max(RIDGE * len(rows), 1e-6)
    return np.linalg.solve(rows.T @ rows + pull * np.eye(9), rows.T @ values + pull * flat)


def _unit(normals: Float64) -> Float64:
    return normals / np.maximum(np.linalg.norm(normals, axis=-1, keepdims=True), 1e-9)
