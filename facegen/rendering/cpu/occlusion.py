"""How much light a face's own surface keeps from each vertex, and throws onto it: baked once.

Precomputed radiance transfer of diffuse surfaces (Sloan, Kautz and Snyder 2002) on the mean face,
with a bounce of average light: irradiance is transfer . light, whose nine harmonics are given in
model space. Teeth are seen between parted lips alone, and lit as there.
"""

import hashlib

import numpy as np
from jaxtyping import Bool, Float32, Float64, Int32

from facegen.files import Array
from facegen.models.morphable_model import SEGMENTS, MorphableModel
from facegen.rendering.cpu.compiling import compiled, keep, recall
from facegen.scene.lighting import CONSTANTS, basis

DIRECTIONS = 192
DEPTH_MAP = 320
BIAS_MM = 2.0
BOUNCE = 0.45  # Mean reflectance of what is seen from a vertex.
BEHIND_LIPS = ("teeth", "mouth")
# Expressions that part the lips as a smile does, and their weights.
PARTING = {
    "jawOpen": 0.4,
    **{
        unit + side: 1.0
        for unit in ("mouthSmile", "mouthUpperUp", "mouthLowerDown")
        for side in ("Left", "Right")
    },
}
I32 = np.int32
ONE, ZERO, TINY = np.float32(1), np.float32(0), np.float32(1e-6)
# How irradiance's constants exceed those of radiance, band by band.
BANDS = np.array([1.0, *[1.5] * 3, *[4.0] * 5])


def transfer_of(model: MorphableModel) -> Float32[Array, "V 9"]:
    """What the surroundings add to each vertex's harmonics of irradiance, less than zero for most.

    In units of the coefficients times CONSTANTS, as `rendering` has light.
    """
    transfer = kept(model.mean_face, model.triangles)
    within = np.isin(model.segmentation, [SEGMENTS.index(name) for name in BEHIND_LIPS])
    coefficients = parting(model)
    if within.any() and coefficients is not None:
        moved = (coefficients @ model.expression.basis).reshape(-1, 3)
        transfer[within] = kept(model.mean_face + moved, model.triangles)[within]
    return transfer


def parting(model: MorphableModel) -> Float32[Array, "e"] | None:
    """The expression whose lips are parted; None where a model's expressions have no names."""
    units = model.face_units
    names = model.expression_names or (units.names if units else ())
    if not set(names) & set(PARTING):
        return None
    weights = np.array([PARTING.get(name, 0.0) for name in names])
    if units and not model.expression_names:
        weights = units.neutral + weights @ units.coefficients
    return np.asarray(weights, np.float32)


def kept(points: Float32[Array, "V 3"], triangles: Int32[Array, "F 3"]) -> Float32[Array, "V 9"]:
    """The transfer of a surface, found once and kept from run to run."""
    surface = points.tobytes() + triangles.tobytes()
    digest = hashlib.sha256(np.__version__.encode() + surface).hexdigest()  # Its BLAS has a say.
    data = recall(f"transfer-{digest}")
    if data is None:
        data = transfer_on(points, triangles).tobytes()
        keep(f"transfer-{digest}", data)
    return np.frombuffer(data, np.float32).reshape(len(points), -1).copy()


def transfer_on(
    points: Float32[Array, "V 3"], triangles: Int32[Array, "F 3"]
) -> Float32[Array, "V 9"]:
    """The transfer of a surface."""
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
        i, j, k = triangles[t, 0], triangles[t, 1], triangles[t, 2]
        x, y, z = seen[i, 0], seen[i, 1], seen[i, 2]
        bx, by, bz = seen[j, 0] - x, seen[j, 1] - y, seen[j, 2] - z
        cx, cy, cz = seen[k, 0] - x, seen[k, 1] - y, seen[k, 2] - z
        area = bx * cy - by * cx
        if abs(area) < TINY:
            continue
        scale = ONE / area
        left, right = I32(np.ceil(x + min(ZERO, bx, cx))), I32(x + max(ZERO, bx, cx))
        top, bottom = I32(np.ceil(y + min(ZERO, by, cy))), I32(y + max(ZERO, by, cy))
        for row in range(top, bottom + 1):
            up = np.float32(row) - y
            for column in range(left, right + 1):
                along = np.float32(column) - x
                v = (along * cy - up * cx) * scale
                w = (up * bx - along * by) * scale
                if min(v, w) >= ZERO and v + w <= ONE:
                    depth[row, column] = max(depth[row, column], z + v * bz + w * cz)
