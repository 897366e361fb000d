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
CONSTANTS = np.array([CONSTANT, LINEAR, LINEAR, LINEAR, CROSS, CROSS, ZONAL, CROSS, SECTORAL])
LUMINANCE = np.array([0.2126, 0.7152, 0.0722])  # Of linear sRGB (IEC 61966-2-1).
LINEAR_OF_DIRECTION = 0.488603
KEY_SHARE = 0.7


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


def turned(
    illumination: Float[Array, "N 9 3"], rotation: Float[Array, "N 3 3"]
) -> Float32[Array, "N 9 3"]:
    """The coefficients of the same light in a space that `rotation` takes to camera space.

    As a function of the normal, irradiance is c + v . n + n . Q n (Ramamoorthi & Hanrahan 2001,
    eq. 11): v and Q turn.
    """
    terms = illumination * CONSTANTS[:, None]
    vector = terms[:, (3, 1, 2)]
    square = np.empty((len(terms), 3, 3, 3))
    xy, yz, zz, xz, xx = (terms[:, k] for k in range(4, 9))
    square[:, 0, 0], square[:, 1, 1], square[:, 2, 2] = xx - zz, -xx - zz, 2 * zz
    square[:, 0, 1] = square[:, 1, 0] = xy / 2
    square[:, 1, 2] = square[:, 2, 1] = yz / 2
    square[:, 0, 2] = square[:, 2, 0] = xz / 2
    vector = np.einsum("nji,njc->nic", rotation, vector)
    square = np.einsum("nji,njkc,nkl->nilc", rotation, square, rotation)
    out = np.empty(terms.shape)
    out[:, 0], out[:, (3, 1, 2)] = terms[:, 0], vector
    out[:, 4], out[:, 5], out[:, 7] = (2 * square[:, i, j] for i, j in ((0, 1), (1, 2), (0, 2)))
    out[:, 6], out[:, 8] = square[:, 2, 2] / 2, (square[:, 0, 0] - square[:, 1, 1]) / 2
    return np.asarray(out / CONSTANTS[:, None], np.float32)


def key_light(illumination: Float[Array, "N 9 3"]) -> Float32[Array, "N 2 3"]:
    """The direction that most light comes from, in camera space, and the colour of a light there.

    A distant light of irradiance pi k has linear coefficients of length 0.4886 k; KEY_SHARE of
    them is taken for one, where it is not below zero.
    """
    linear = np.asarray(illumination, np.float64)[:, (3, 1, 2)]
    direction = linear @ LUMINANCE
    length = np.linalg.norm(direction, axis=1, keepdims=True)
    direction = np.where(length > 1e-9, direction / np.maximum(length, 1e-9), [0.0, 0.0, 1.0])
    strength = np.einsum("nkc,nk->nc", linear, direction) / LINEAR_OF_DIRECTION
    return np.stack([direction, KEY_SHARE * strength.clip(0)], axis=1).astype(np.float32)
