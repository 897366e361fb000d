"""The undeformed model mesh with what is known about its places: masks, parts, distances."""

from dataclasses import dataclass, replace

import numpy as np
import scipy.sparse as sp
from scipy.spatial import cKDTree

from .mesh import EYES, HeadMesh
from .source import FACE_UNITS, BaseMesh, Source

ORIGIN_MM = np.array([0.0, 715.0, 30.0])  # The template's point between the ears in the base mesh.
EYE_RADIUS_MM = 14.95  # Of MakeHuman's eyeballs, on which the lids lie; ours are smaller.
AMBIENT_REACH_MM = 25.0
MOUTH_MM = np.array([0.0, -54.0])  # The middle of the lips' line in the front view (x, y).
CAVITY_REACH_MM, CAVITY_SHRINK = np.array([15.0, 9.0]), 0.62  # Beyond this reach it is drawn in.
MASKS = ("lips", "ears", "eyelids", "inside-mouth")


@dataclass(frozen=True)
class Template:
    """Points and normals (V, 3) in mm, and fields (V,) on the undeformed head."""

    mesh: HeadMesh
    points: np.ndarray
    normals: np.ndarray
    masks: dict[str, np.ndarray]
    lower_lip: np.ndarray
    lid_distance: np.ndarray
    openness: np.ndarray

    @property
    def body(self) -> np.ndarray:
        """Return the mask (V,) of vertices on the head's skin, inside included."""
        return self.mesh.of("body")

    @property
    def front(self) -> np.ndarray:
        """Return the mask (V,) of what lies on the outside rather than in a cavity."""
        return self.masks["inside-mouth"] < 0.5


def build_template(source: Source, base: BaseMesh, mesh: HeadMesh) -> Template:
    """Return the template with its masks read from MakeHuman's textures."""
    points = mesh.apply(base.points) - ORIGIN_MM
    normals = vertex_normals(points, mesh.cells)
    masks = _masks(source, base, mesh, points)
    jaw = mesh.apply(source.target(f"{FACE_UNITS}jawOpen.target", len(base.points)))
    lid = np.min([_eye_distance(points, mesh, eye) for eye in EYES], axis=0)
    openness = ambient(points, normals, mesh)
    return Template(mesh, points, normals, masks, jaw[:, 1] < -8.0, lid, openness)


def with_smaller_mouth(template: Template) -> HeadMesh:
    """Return the mesh with the mouth's cavity drawn in, so that it never comes through a cheek."""
    mesh = template.mesh
    inside = template.masks["inside-mouth"] * template.body
    away = np.abs(template.points[:, :2] - MOUTH_MM) / CAVITY_REACH_MM
    share = CAVITY_SHRINK * inside * (away.max(1) - 1).clip(0, 1)
    middle = sp.csr_matrix(mesh.operator[inside > 0.9].mean(0))
    moved = sp.diags(1 - share) @ mesh.operator + sp.csr_matrix(share[:, None]) @ middle
    return replace(mesh, operator=moved.tocsr())


def _masks(
    source: Source, base: BaseMesh, mesh: HeadMesh, points: np.ndarray
) -> dict[str, np.ndarray]:
    """Return MASKS as fields (V,) on the body, made symmetric and smoothed a little."""
    uv = mesh.apply(base.uv)
    average = _averaging(mesh.cells, len(points))
    twin = cKDTree(points).query(points * [-1, 1, 1])[1]
    raw = {name: mesh.of("body") * _sampled(source.mask(name), uv) for name in MASKS}
    return {name: average @ np.minimum(mask, mask[twin]) for name, mask in raw.items()}


def eye_centre(points: np.ndarray, mesh: HeadMesh, eye: str) -> np.ndarray:
    """Return the centre (3,) of one eyeball: halfway between its poles, first and last."""
    ball = points[mesh.of(eye)]
    return (ball[0] + ball[-1]) / 2


def _eye_distance(points: np.ndarray, mesh: HeadMesh, eye: str) -> np.ndarray:
    """Return the distance (V,) in mm from the surface of one eyeball, negative inside."""
    return np.linalg.norm(points - eye_centre(points, mesh, eye), axis=1) - EYE_RADIUS_MM


def _sampled(image: np.ndarray, uv: np.ndarray) -> np.ndarray:
    """Return an image's values (V,) at texture coordinates (V, 2)."""
    height, width = image.shape
    rows = ((1 - uv[:, 1]) * height).astype(int).clip(0, height - 1)
    return image[rows, (uv[:, 0] * width).astype(int).clip(0, width - 1)]


def vertex_normals(points: np.ndarray, cells: np.ndarray) -> np.ndarray:
    """Return area-weighted unit normals (V, 3)."""
    a, b, c = points[cells].transpose(1, 0, 2)
    faces = np.cross(b - a, c - a)
    columns = np.tile(np.arange(len(cells)), 3)
    spread = sp.csr_matrix(
        (np.ones(cells.size), (cells.T.ravel(), columns)), shape=(len(points), len(cells))
    )
    normals = spread @ faces
    return normals / np.linalg.norm(normals, axis=1, keepdims=True).clip(1e-12)


def _averaging(cells: np.ndarray, count: int) -> sp.csr_matrix:
    """Return the operator (V, V) that mixes each vertex half and half with its neighbours."""
    ends = cells[:, [0, 1, 1, 2, 2, 0]].reshape(-1, 2)
    both = np.vstack([ends, ends[:, ::-1]])
    link = sp.csr_matrix((np.ones(len(both)), both.T), shape=(count, count))
    link.data[:] = 1
    return 0.5 * sp.eye(count) + 0.5 * sp.diags(1 / np.asarray(link.sum(1)).ravel()) @ link


def ambient(points: np.ndarray, normals: np.ndarray, mesh: HeadMesh) -> np.ndarray:
    """Return how open (V,) each vertex is to its surroundings, by Bunnell's (2005) disks."""
    area = vertex_areas(points, mesh.cells)
    area[~mesh.of("body", *EYES)] = 0.0
    tree = cKDTree(points)
    shade = np.zeros(len(points))
    for block in np.array_split(np.arange(len(points)), len(points) // 500):
        near = tree.query_ball_point(points[block], AMBIENT_REACH_MM, return_sorted=True)
        rows = np.repeat(block, [len(n) for n in near])
        columns = np.concatenate(near).astype(int)
        dark = _occlusion(points, normals, area, rows, columns)
        shade += np.bincount(rows, dark, len(points))
    return 1 / (1 + shade)


def vertex_areas(points: np.ndarray, cells: np.ndarray) -> np.ndarray:
    """Return a third of the area (V,) of the triangles around each vertex in mm^2."""
    a, b, c = points[cells].transpose(1, 0, 2)
    area = np.linalg.norm(np.cross(b - a, c - a), axis=1) / 2
    return np.bincount(cells.ravel(), np.repeat(area / 3, 3), len(points))


def _occlusion(
    points: np.ndarray, normals: np.ndarray, area: np.ndarray, rows: np.ndarray, columns: np.ndarray
) -> np.ndarray:
    """Return how much each emitter's disk shades each receiver's, pair by pair."""
    gap = points[columns] - points[rows]
    square = np.einsum("ij,ij->i", gap, gap)
    way = gap / np.sqrt(square.clip(1e-6))[:, None]
    receive = np.einsum("ij,ij->i", way, normals[rows]).clip(0, 1)
    emit = np.abs(np.einsum("ij,ij->i", way, normals[columns]))
    return receive * emit * area[columns] / (np.pi * square + area[columns]).clip(1e-9)
