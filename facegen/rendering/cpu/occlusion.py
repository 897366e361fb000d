"""How much light a face's own surface keeps from each vertex, and throws onto it: baked once.

Precomputed radiance transfer of diffuse surfaces (Sloan, Kautz and Snyder 2002) on the mean face,
with a bounce of average light: irradiance is transfer . light, whose nine harmonics are given in
model space.
"""

import numpy as np
from jaxtyping import Bool, Float32, Float64, Int32

from facegen.files import Array
from facegen.models.morphable_model import MorphableModel
from facegen.rendering.cpu.compiling import compiled
from facegen.scene.lighting import CONSTANTS, basis

DIRECTIONS = 192
DEPTH_MAP = 320
BIAS_MM = 2.0
BOUNCE = 0.45  # Mean reflectance of what is seen from a vertex.
ONE, ZERO, TINY = np.float32(1), np.float32(0), np.float32(1e-6)
# How irradiance's constants exceed those of radiance, band by band.
BANDS = np.array([1.0, *[1.5] * 3, *[4.0] * 5])


def transfer_of(model: MorphableModel) -> Float32[Array, "V 9"]:
    """What the surroundings add to each vertex's harmonics of irradiance, less than zero for most.

    In units of the coefficients times CONSTANTS, as `rendering` has light.
    """
    points, triangles = model.mean_face.astype(np.float32), model.triangles
    normals = vertex_normals(points, triangles)
    directions = sphere(DIRECTIONS)
    seen = np.stack([visible(points, triangles, d.astype(np.float32)) for d in directions], axis=1)
    cosines = (normals @ directions.T).clip(0)
    radiance = basis(directions) * BANDS
    share = 4 / DIRECTIONS  # Of a direction: its solid angle over pi.
    open_sky = (cosines * seen) @ radiance * share
    whole = cosines @ radiance * share
    hidden = ((cosines * ~seen).sum(axis=1) * share)[:, None]
    bounced = BOUNCE * hidden * open_sky.mean(axis=0)
    return np.asarray((open_sky + bounced - whole) / CONSTANTS, np.float32)


def sphere(count: int) -> Float64[Array, "count 3"]:
    """Directions spread evenly (a Fibonacci lattice)."""
    z = 1 - (2 * np.arange(count) + 1) / count
    angle = np.pi * (3 - np.sqrt(5)) * np.arange(count)
    radius = np.sqrt(1 - z * z)
    return np.stack([radius * np.cos(angle), radius * np.sin(angle), z], axis=1)


def vertex_normals(
    points: Float32[Array, "V 3"], triangles: Int32[Array, "F 3"]
) -> Float64[Array, "V 3"]:
    """The sum of the normals around, weighted by area, of unit length."""
    a, b, c = points[triangles].transpose(1, 0, 2).astype(np.float64)
    normal = np.cross(b - a, c - a)
    total = np.zeros(points.shape)
    for corner in range(3):
        np.add.at(total, triangles[:, corner], normal)
    return np.asarray(total / np.linalg.norm(total, axis=1, keepdims=True).clip(1e-12))


def visible(
    points: Float32[Array, "V 3"],
    triangles: Int32[Array, "F 3"],
    direction: Float32[Array, "3"],
) -> Bool[Array, "V"]:
    """Which vertices a distant light in this direction reaches, by a depth map as it sees them."""
    across = np.cross(direction, [0.0, 1.0, 0.0] if abs(direction[1]) < 0.9 else [1.0, 0.0, 0.0])
    across /= np.linalg.norm(across)
    frame = np.stack([across, np.cross(direction, across), direction]).astype(np.float32)
    seen = points @ frame.T
    low = seen.min(axis=0)
    seen -= low
    seen[:, :2] *= (DEPTH_MAP - 2) / max(float(seen[:, :2].max()), 1e-6)
    depth = np.full((DEPTH_MAP, DEPTH_MAP), -1, np.float32)
    draw_depth(seen, triangles, depth)
    column, row = np.round(seen[:, :2]).astype(np.intp).T
    return np.asarray(seen[:, 2] > depth[row, column] - BIAS_MM)


@compiled()
def draw_depth(
    seen: Float32[Array, "V 3"], triangles: Int32[Array, "F 3"], depth: Float32[Array, "H W"]
) -> None:
    """Keep the largest third coordinate of the triangles at each whole (second, first)."""
    for t in range(len(triangles)):
        i, j, k = triangles[t]
        x, y, z = seen[i]
        bx, by, bz = seen[j, 0] - x, seen[j, 1] - y, seen[j, 2] - z
        cx, cy, cz = seen[k, 0] - x, seen[k, 1] - y, seen[k, 2] - z
        area = bx * cy - by * cx
        if abs(area) < TINY:
            continue
        scale = ONE / area
        left, right = np.ceil(x + min(ZERO, bx, cx)), x + max(ZERO, bx, cx)
        top, bottom = np.ceil(y + min(ZERO, by, cy)), y + max(ZERO, by, cy)
        for row in range(int(top), int(bottom) + 1):
            up = np.float32(row) - y
            for column in range(int(left), int(right) + 1):
                along = np.float32(column) - x
                v = (along * cy - up * cx) * scale
                w = (up * bx - along * by) * scale
                if min(v, w) >= ZERO and v + w <= ONE:
                    depth[row, column] = max(depth[row, column], z + v * bz + w * cz)
