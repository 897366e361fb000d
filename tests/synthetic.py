"""Small morphable models that tests make, and scenes of them."""

import numpy as np

from facegen.models.morphable_model import LANDMARKS, SEGMENTS, LinearModel, MorphableModel
from facegen.rendering.contract import Scene
from facegen.scene.cameras import Cameras, Crop, crop_to_landmarks, model_to_camera, to_camera_space
from facegen.scene.parameters import Parameters


def ellipsoid(rows: int = 24, columns: int = 32) -> tuple[np.ndarray, np.ndarray]:
    """A closed head-sized ellipsoid: vertices (V, 3) in mm, triangles (F, 3) outward."""
    latitude = np.pi * np.arange(1, rows) / rows
    longitude = 2 * np.pi * np.arange(columns) / columns
    ring = np.stack(
        [
            np.outer(np.sin(latitude), np.sin(longitude)),
            np.outer(np.cos(latitude), np.ones(columns)),
            np.outer(np.sin(latitude), np.cos(longitude)),
        ],
        axis=-1,
    ).reshape(-1, 3)
    points = np.concatenate([ring, [[0, 1, 0], [0, -1, 0]]]) * [75, 110, 95]
    a = np.arange(columns)
    b = (a + 1) % columns
    quads = [
        np.stack(
            [r * columns + a, (r + 1) * columns + a, (r + 1) * columns + b, r * columns + b], 1
        )
        for r in range(rows - 2)
    ]
    quads = np.concatenate(quads)
    top, bottom, last = len(ring), len(ring) + 1, (rows - 2) * columns
    caps = [
        np.stack([np.full(columns, top), a, b], 1),
        np.stack([np.full(columns, bottom), last + b, last + a], 1),
    ]
    triangles = np.concatenate([quads[:, [0, 1, 2]], quads[:, [0, 2, 3]], *caps])
    return points.astype(np.float32), triangles.astype(np.int32)


def linear(mean: np.ndarray, components: int, sd: float, seed: int) -> LinearModel:
    """A linear model of smooth random waves over the mean's vertices, `sd` large at a vertex."""
    generator = np.random.default_rng(seed)
    waves = generator.normal(size=(components, 3, 3)) / 60
    phases = generator.uniform(0, 2 * np.pi, (components, 1, 3))
    points = ellipsoid_points(mean)
    basis = sd * np.sin(np.einsum("vi,kij->kvj", points, waves) + phases)
    basis = basis.reshape(components, -1).astype(np.float32)
    return LinearModel(mean.astype(np.float32), basis, np.linalg.norm(basis, axis=1))


def ellipsoid_points(mean: np.ndarray) -> np.ndarray:
    """Coordinates the waves run over: the index itself where the mean is no geometry."""
    if np.ptp(mean) > 2:
        return mean
    t = np.linspace(0, 6 * np.pi, len(mean))
    return 80 * np.stack([np.cos(t), np.cos(3 * t), np.sin(t)], axis=1)


def model(rows: int = 24, columns: int = 32, coefficients=(5, 4, 6)) -> MorphableModel:
    """A small morphable model of a wavy ellipsoid."""
    points, triangles = ellipsoid(rows, columns)
    shape, expression, reflectance = coefficients
    front = np.flatnonzero(points[:, 2] > 40)
    return MorphableModel(
        name="ellipsoid",
        shape=linear(points, shape, 2.0, 1),
        expression=linear(np.zeros_like(points), expression, 0.3, 2),
        reflectance=linear(np.full_like(points, 0.5), reflectance, 0.08, 3),
        triangles=triangles,
        landmarks=front[np.linspace(0, len(front) - 1, LANDMARKS).astype(int)].astype(np.int32),
        segmentation=(1 + np.arange(len(points)) % (len(SEGMENTS) - 1)).astype(np.uint8),
        sha256="0" * 64,
    )


def scene(model: MorphableModel, count: int, size: int, seed: int = 0, fill: float = 1.6) -> Scene:
    """Random faces of the model, framed around their landmarks."""
    generator = np.random.default_rng(seed)
    layout = model.layout
    theta = generator.normal(size=(count, layout.width)).astype(np.float32) * 0.3
    parameters = layout.unpack(theta)
    parameters.illumination[:] *= 0.5
    parameters.illumination[:, 0] += 0.8
    transform = model_to_camera(parameters.rotation, np.full(count, 700.0))
    landmarks = to_camera_space(model.landmark_geometry.evaluate(parameters.geometry), transform)
    crop = Crop(np.full(count, fill), np.zeros((count, 2)))
    return Scene(parameters, Cameras(transform, crop_to_landmarks(landmarks, crop, size)))


__all__ = ["Parameters", "ellipsoid", "linear", "model", "scene"]
