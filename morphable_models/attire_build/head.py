"""The mean head that attire is modelled on: its surface, its distance field, its skull."""

from dataclasses import dataclass

import numpy as np
from scipy.ndimage import gaussian_filter, map_coordinates
from scipy.spatial import cKDTree

from .piece import unit

VOXEL_MM = 4.0
LOW, HIGH = np.array([-230.0, -440.0, -190.0]), np.array([230.0, 230.0, 210.0])
INSIDE = (5, 6)  # Parts that are no outer surface: teeth and mouth.
EARS = 7
CENTRE = np.array([0.0, 15.0, 0.0])  # Of the skull's polar coordinates.
POLE = np.array([0.0, 0.958, -0.287])  # The crown, where hair whirls.
FRONT = np.array([0.0, 0.287, 0.958])


@dataclass(frozen=True)
class Head:
    """The mean face: points, normals (V, 3), triangles (F, 3), parts (V,), points by name."""

    points: np.ndarray
    normals: np.ndarray
    triangles: np.ndarray
    parts: np.ndarray
    marks: dict[str, np.ndarray]
    landmarks: np.ndarray

    @property
    def outside(self) -> np.ndarray:
        """Return the mask (V,) of the outer surface."""
        return ~np.isin(self.parts, INSIDE)


def read_head() -> Head:
    """Return the generic model's mean head."""
    import facegen

    model = facegen.load_model("generic")
    points = np.asarray(model.mean_face, dtype=float)
    triangles = np.asarray(model.triangles, dtype=int)
    marks = {name: points[i] for name, i in model.points.items()}
    normals = normals_of(points, triangles)
    parts, landmarks = np.asarray(model.segmentation), points[model.landmarks]
    return Head(points, normals, triangles, parts, marks, landmarks)


def normals_of(points: np.ndarray, triangles: np.ndarray) -> np.ndarray:
    """Return unit vertex normals (V, 3), weighted by area."""
    a, b, c = points[triangles].transpose(1, 0, 2)
    faces = np.cross(b - a, c - a)
    index = triangles.T.ravel()
    sums = [np.bincount(index, np.tile(faces[:, k], 3), len(points)) for k in range(3)]
    return unit(np.stack(sums, 1))


class Field:
    """The signed distance in mm from a surface, positive outside, on a grid of voxels."""

    def __init__(self, points: np.ndarray, normals: np.ndarray) -> None:
        """Sample the distance from a cloud of surface points."""
        axes = [np.arange(a, b, VOXEL_MM) for a, b in zip(LOW, HIGH, strict=True)]
        places = np.stack(np.meshgrid(*axes, indexing="ij"), -1)
        near, index = cKDTree(points).query(places.reshape(-1, 3), k=3)
        gap = places.reshape(-1, 1, 3) - points[index]
        side = np.einsum("nki,nki->nk", gap, normals[index]).mean(1)
        far = np.where(near[:, 0] < 8, side, np.copysign(near[:, 0], side))
        self._values = gaussian_filter(far.reshape(places.shape[:3]), 0.7)
        self._slopes = np.stack(np.gradient(self._values, VOXEL_MM))

    def distance(self, points: np.ndarray) -> np.ndarray:
        """Return the signed distance (...,) at points (..., 3)."""
        where = ((points - LOW) / VOXEL_MM).reshape(-1, 3).T
        values = map_coordinates(self._values, where, order=1, mode="nearest")
        return values.reshape(points.shape[:-1])

    def normal(self, points: np.ndarray) -> np.ndarray:
        """Return the direction away from the surface (..., 3)."""
        where = ((points - LOW) / VOXEL_MM).reshape(-1, 3).T
        slopes = [map_coordinates(s, where, order=1, mode="nearest") for s in self._slopes]
        return unit(np.stack(slopes, -1).reshape(points.shape))

    def pushed(self, points: np.ndarray, least: np.ndarray | float, times: int = 2) -> np.ndarray:
        """Return points moved outward to at least a distance from the surface."""
        for _ in range(times):
            lack = (least - self.distance(points)).clip(0)
            points = points + lack[..., None] * self.normal(points)
        return points


class Skull:
    """The head without ears in polar coordinates about CENTRE: theta from the crown, phi."""

    def __init__(self, head: Head) -> None:
        """Keep the directions of the outer surface, ears left out."""
        keep = head.outside & (head.parts != EARS) & (head.parts != 4)
        rays = head.points[keep] - CENTRE
        self._radius = np.linalg.norm(rays, axis=1)
        self._tree = cKDTree(rays / self._radius[:, None])

    def radius(self, ways: np.ndarray) -> np.ndarray:
        """Return the distance (...,) of the surface from CENTRE along unit directions."""
        near, index = self._tree.query(ways.reshape(-1, 3), k=12)
        weight = 1 / (near + 0.02) ** 2
        mean = (weight * self._radius[index]).sum(1) / weight.sum(1)
        return mean.reshape(ways.shape[:-1])

    def at(self, theta: np.ndarray, phi: np.ndarray) -> np.ndarray:
        """Return the surface's points (..., 3) at angles in radians; phi 0 is the front."""
        ways = direction(theta, phi)
        return CENTRE + self.radius(ways)[..., None] * ways


def direction(theta: np.ndarray, phi: np.ndarray) -> np.ndarray:
    """Return unit directions (..., 3) of polar angles; phi turns to the person's left (+x)."""
    side = np.cross(FRONT, POLE) * -1.0
    around = np.cos(phi)[..., None] * FRONT + np.sin(phi)[..., None] * side
    return np.cos(theta)[..., None] * POLE + np.sin(theta)[..., None] * around


def angles(points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return theta and phi (...,) of points (..., 3)."""
    ways = unit(points - CENTRE)
    theta = np.arccos((ways @ POLE).clip(-1, 1))
    return theta, np.arctan2(ways[..., 0], ways @ FRONT)
