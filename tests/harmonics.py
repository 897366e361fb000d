"""Real spherical harmonics from scipy's, in the order of facegen's light."""

import numpy as np
from scipy.special import sph_harm_y

ORDER = ((0, 0), (1, -1), (1, 0), (1, 1), (2, -2), (2, -1), (2, 0), (2, 1), (2, 2))


def harmonics(n):
    """The nine real spherical harmonics without the Condon-Shortley sign (N, 9), from scipy's."""
    polar, azimuth = np.arccos(n[:, 2]), np.arctan2(n[:, 1], n[:, 0])
    columns = []
    for degree, order in ORDER:
        complex_one = sph_harm_y(degree, abs(order), polar, azimuth)
        part = complex_one.imag if order < 0 else complex_one.real
        columns.append(part * ((-1) ** order * np.sqrt(2) if order else 1))
    return np.stack(columns, axis=1)
