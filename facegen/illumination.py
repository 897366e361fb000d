"""Distant light on a diffuse surface: nine spherical-harmonic coefficients per channel."""

import numpy as np
from numpy.typing import NDArray

Float32 = NDArray[np.float32]

# Real spherical harmonics times the Lambertian kernel (pi, 2 pi / 3, pi / 4):
# Ramamoorthi & Hanrahan, An Efficient Representation for Irradiance Environment Maps, 2001, eq. 12.
CONSTANT = 0.886227
LINEAR = 1.023328
CROSS = 0.858086
ZONAL = 0.247708
SECTORAL = 0.429043


def basis(normals: Float32) -> Float32:
    """H(n): the nine basis functions at unit normals (..., 3) in eye space -> (..., 9) float32."""
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


def irradiance(normals: Float32, illumination: Float32) -> Float32:
    """H(n) . illumination: normals (..., 3) and illumination (9, 3) -> (..., 3) float32."""
    return basis(normals) @ np.asarray(illumination, np.float32)
