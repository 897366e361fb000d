"""Distant light on a diffuse surface: nine spherical-harmonic coefficients per channel."""

import numpy as np
from jaxtyping import Float, Float32

from facegen.files import Array

# Real spherical harmonics times the Lambertian kernel (pi, 2 pi / 3, pi / 4):
# Ramamoorthi & Hanrahan, An Efficient Representation for Irradiance Environment Maps, 2001, eq. 12.
CONSTANT = 0.886227
LINEAR = 1.023328
CROSS = 0.858086
ZONAL = 0.247708
SECTORAL = 0.429043


def basis(normals: Float[Array, "*N 3"]) -> Float32[Array, "*N 9"]:
    """H(n): the nine basis functions at unit normals in camera space."""
    x, y, z = np.moveaxis(np.asarray(normals, np.float32), -1, 0)
    bands = [
        np.full_like(x, CONSTANT),
        LINEAR * y,
        LINEAR * z,
        LINEAR * x,
        CROSS * x * y,
        CROSS * y * z,
        ZONAL * (3 * z * z - 1),
        CROSS * x * z,
        SECTORAL * (x * x - y * y),
    ]
    return np.stack(bands, axis=-1).astype(np.float32)


def irradiance(
    normals: Float[Array, "*N 3"], illumination: Float[Array, "9 3"]
) -> Float32[Array, "*N 3"]:
    """H(n) . illumination, in red, green and blue."""
    return basis(normals) @ np.asarray(illumination, np.float32)
