"""The light's basis against scipy's spherical harmonics, and an integral over the sphere."""

import numpy as np
from harmonics import ORDER, harmonics

from facegen.scene.lighting import basis, irradiance

KERNEL = (np.pi, 2 * np.pi / 3, np.pi / 4)


def directions(count=200, seed=0):
    """Random unit vectors (N, 3)."""
    n = np.random.default_rng(seed).normal(size=(count, 3))
    return n / np.linalg.norm(n, axis=1, keepdims=True)


def sphere(rows=64, columns=128):
    """Directions (M, 3) and solid angles (M,) that integrate smooth functions on the sphere."""
    z, weights = np.polynomial.legendre.leggauss(rows)
    azimuth = 2 * np.pi * (np.arange(columns) + 0.5) / columns
    r = np.sqrt(1 - z**2)[:, None]
    xyz = np.stack([r * np.cos(azimuth), r * np.sin(azimuth), z[:, None] + 0 * azimuth], axis=-1)
    return xyz.reshape(-1, 3), np.repeat(weights, columns) * 2 * np.pi / columns


def test_the_basis_is_scipys_harmonics_times_the_lambertian_kernel():
    n = directions()
    kernel = [KERNEL[degree] for degree, _ in ORDER]
    np.testing.assert_allclose(basis(n), harmonics(n) * kernel, atol=3e-6)


def test_irradiance_is_the_cosine_weighted_integral_of_the_environment():
    n, (omega, solid_angle) = directions(20), sphere()
    light = np.random.default_rng(1).normal(size=(9, 3))
    radiance = harmonics(omega) @ light
    cosine = np.maximum(n @ omega.T, 0)
    expected = (cosine * solid_angle) @ radiance
    np.testing.assert_allclose(irradiance(n, light), expected, atol=2e-3 * abs(light).sum())


def test_the_integral_tells_a_basis_of_another_order_apart():
    n, light = directions(20), np.random.default_rng(1).normal(size=(9, 3))
    shuffled = light[[0, 2, 1, 3, 4, 5, 6, 7, 8]]
    assert abs(irradiance(n, light) - irradiance(n, shuffled)).max() > 0.1


def test_light_is_coefficient_by_channel():
    light = np.zeros((9, 3))
    light[1, 0], light[3, 2] = 1, 1
    up, right = irradiance(np.array([[0, 1, 0], [1, 0, 0]]), light)
    np.testing.assert_allclose([up, right], [[1.023328, 0, 0], [0, 0, 1.023328]], atol=1e-6)


def test_a_picture_of_normals_keeps_its_shape():
    assert irradiance(np.zeros((4, 5, 3)), np.zeros((9, 3))).shape == (4, 5, 3)
    assert basis(np.zeros((4, 5, 3))).dtype == np.float32
