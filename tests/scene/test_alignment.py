"""Point sets are brought onto one another exactly, and never mirrored."""

import numpy as np
import pytest

from facegen.scene.alignment import rigidly_aligned, similarity

POINTS = np.random.default_rng(0).normal(size=(20, 3))


def turn(seed):
    """A random rotation."""
    matrix = np.linalg.qr(np.random.default_rng(seed).normal(size=(3, 3)))[0]
    return matrix * np.sign(np.linalg.det(matrix))


def test_similarities_are_exact():
    rotation = turn(1)
    pose = similarity(POINTS, 2.5 * POINTS @ rotation.T + [1, 2, 3])
    np.testing.assert_allclose(pose.rotation, rotation, atol=1e-12)
    np.testing.assert_allclose(pose.shift, [1, 2, 3], atol=1e-12)
    assert pose.scale == pytest.approx(2.5)


def test_points_of_no_weight_have_no_say():
    target = 0.5 * POINTS @ turn(2).T
    target[:5] += 100
    weights = np.ones(20)
    weights[:5] = 0
    pose = similarity(POINTS, target, weights)
    np.testing.assert_allclose(pose.apply(POINTS)[5:], target[5:], atol=1e-12)


def test_sets_of_points_are_aligned_each_by_its_own_rotation():
    points = np.stack([POINTS, POINTS + 4])
    target = np.stack([POINTS @ turn(3).T + 1, POINTS @ turn(4).T])
    np.testing.assert_allclose(rigidly_aligned(points, target), target, atol=1e-12)


def test_a_rigid_alignment_neither_scales_nor_mirrors():
    aligned = rigidly_aligned(2 * POINTS[None], POINTS[None])[0]
    lengths = np.linalg.norm(aligned - aligned.mean(0), axis=1)
    np.testing.assert_allclose(lengths, 2 * np.linalg.norm(POINTS - POINTS.mean(0), axis=1))
    mirrored = POINTS * [1, 1, -1]
    assert np.abs(rigidly_aligned(mirrored[None], POINTS[None])[0] - POINTS).max() > 0.1
    assert np.linalg.det(similarity(mirrored, POINTS).rotation) == pytest.approx(1)
