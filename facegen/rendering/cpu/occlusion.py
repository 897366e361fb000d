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

DIRECTIONS = 384
DEPTH_MAP = 512
BIAS_MM = 2.0
BOUNCE = 0.45  # Mean reflectance of what is seen from a vertex.
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
        a, b, c = seen[triangles[t, 0]], seen[triangles[t, 1]], seen[triangles[t, 2]]
        area = (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])
        if abs(area) < 1e-6:
            continue
        left, right = int(np.ceil(min(a[0], b[0], c[0]))), int(max(a[0], b[0], c[0]))
        top, bottom = int(np.ceil(min(a[1], b[1], c[1]))), int(max(a[1], b[1], c[1]))
        for row in range(top, bottom + 1):
            for column in range(left, right + 1):
                x, y = column - a[0], row - a[1]
                v = (x * (c[1] - a[1]) - y * (c[0] - a[0])) / area
                w = (y * (b[0] - a[0]) - x * (b[1] - a[1])) / area
                if min(v, w) >= 0 and v + w <= 1:
                    z = a[2] + v * (b[2] - a[2]) + w * (c[2] - a[2])
                    depth[row, column] = max(depth[row, column], z)
