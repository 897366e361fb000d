"""Models of one given mesh, scenes that look at it, and a slow renderer that shares no code."""

from dataclasses import fields

import numpy as np

from facegen.models.morphable_model import LANDMARKS, LinearModel, MorphableModel
from facegen.rendering.contract import Scene
from facegen.scene.cameras import Cameras, model_to_camera

NO_LIGHT = np.zeros((9, 3))
PLAIN_LIGHT = np.concatenate([np.full((1, 3), 1 / 0.886227), np.zeros((8, 3))])


def fixed(values):
    """A linear model that is always these values (V, 3)."""
    values = np.asarray(values, np.float32)
    return LinearModel(values, np.zeros((0, values.size), np.float32), np.zeros(0, np.float32))


def bare(points, triangles, reflectance=None, segmentation=None, landmarks=None):
    """A model of one mesh, without any coefficients."""
    points = np.asarray(points, np.float32)
    return MorphableModel(
        name="bare",
        shape=fixed(points),
        expression=fixed(np.zeros_like(points)),
        reflectance=fixed(np.full_like(points, 0.5) if reflectance is None else reflectance),
        triangles=np.asarray(triangles, np.int32),
        landmarks=np.zeros(LANDMARKS, np.int32) if landmarks is None else landmarks,
        segmentation=np.ones(len(points), np.uint8)
        if segmentation is None
        else np.asarray(segmentation, np.uint8),
        sha256="0" * 64,
    )


def changed(model, **changes):
    """The model with other arrays."""
    return MorphableModel(**{f.name: getattr(model, f.name) for f in fields(model)} | changes)


def square(side=400.0):
    """A square in the plane z = 0, facing the camera."""
    corners = [[-1, -1, 0], [1, -1, 0], [1, 1, 0], [-1, 1, 0]]
    return np.float32(corners) * side / 2, [[0, 1, 2], [0, 2, 3]]


def camera_matrix(size, focal, centre=None):
    """K of square pixels, looking straight on unless a centre is given."""
    cx, cy = centre or (size / 2, size / 2)
    return np.array([[focal, 0, cx], [0, focal, cy], [0, 0, 1]], np.float32)


def look(model, K, rotation=(0, 0, 0), distance=1000.0, light=PLAIN_LIGHT, theta=None):
    """One face, its coefficients zero unless theta (m,) is given, before one camera."""
    layout = model.layout
    if theta is None:
        theta = np.zeros(layout.width, np.float32)
        theta[layout.slices["rotation"]] = rotation
        theta[layout.slices["illumination"]] = np.asarray(light).reshape(-1)
    parameters = layout.unpack(np.asarray(theta, np.float32)[None])
    transform = model_to_camera(parameters.rotation, np.array([distance]))
    return Scene(parameters, Cameras(transform, np.asarray(K, np.float32)[None]))


def part(scene, rows):
    """Some faces of a scene."""
    groups = {name: value[rows] for name, value in vars(scene.parameters).items()}
    cameras = Cameras(scene.cameras.model_to_camera[rows], scene.cameras.K[rows])
    return Scene(type(scene.parameters)(**groups), cameras)


def copied(frames):
    """What frames hold, by name, safe from the next render."""
    whole = {"image": frames.images, "mask": frames.mask, **frames.layers}
    return {name: array.copy() for name, array in whole.items()}


def vertex_normals(points, triangles):
    """Area-weighted unit normals (V, 3), in double precision and one face at a time."""
    normals = np.zeros(points.shape)
    for a, b, c in triangles:
        normals[[a, b, c]] += np.cross(points[b] - points[a], points[c] - points[a])
    return normals / np.linalg.norm(normals, axis=1, keepdims=True)


def cast(points, triangles, K, size):
    """The first triangle that the ray through each pixel's centre meets, by brute force.

    Eye-space points (V, 3) -> triangle (S, S), -1 for none; weights of its corners (S, S, 3) and
    depth (S, S). A ray d meets a triangle of corners M where M w = d has no negative weight.
    """
    u, v = np.meshgrid(np.arange(size) + 0.5, np.arange(size) + 0.5)
    rays = np.stack([(u - K[0, 2]) / K[0, 0], (K[1, 2] - v) / K[1, 1], -np.ones_like(u)], axis=-1)
    triangle, weights = np.full(u.shape, -1), np.zeros((*u.shape, 3))
    depth = np.full(u.shape, np.inf)
    for k, corners in enumerate(points[np.asarray(triangles)]):
        w = rays @ np.linalg.inv(corners.T).T
        with np.errstate(divide="ignore"):
            t = 1 / w.sum(axis=-1)
        nearer = (w >= 0).all(axis=-1) & (t < depth)
        triangle[nearer], depth[nearer] = k, t[nearer]
        weights[nearer] = w[nearer] * t[nearer, None]
    return triangle, weights, np.where(triangle >= 0, depth, 0)


def render(renderer, scene):
    """The scene's image and layers by name."""
    return copied(renderer.render(scene))
