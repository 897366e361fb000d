"""What the kernels of the CPU renderer read and write, and the types they count in."""

from typing import Any, NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

UInt8 = NDArray[np.uint8]
UInt32 = NDArray[np.uint32]
UInt64 = NDArray[np.uint64]
Float32 = NDArray[np.float32]

# A plain number would turn float32 into float64 and uint32 into int64.
F: Any = np.float32
I32: Any = np.int32
I64: Any = np.int64
U32: Any = np.uint32
U64: Any = np.uint64
ZERO, HALF, ONE = F(0), F(0.5), F(1)
SUBPIXELS, PIXEL = F(256), F(1 / 256)
IDS = U32(0xFFFFFFFF)
EMPTY = U64(0xFFFFFFFF)

# Boxes of up to STAMP x STAMP pixels have a queue for each size, larger and empty ones one each.
STAMP = 8
LARGE, NOWHERE, QUEUES = STAMP**2, STAMP**2 + 1, STAMP**2 + 2

# Rows of `lanes`, each of BLOCK numbers, gathered and worked on at once.
BLOCK, ROWS = 256, 22

# The cache does not notice changes in other files: after one, remove __pycache__.
kernel = njit(nogil=True, cache=True, error_model="numpy", fastmath={"contract", "nsz", "arcp"})


class Mesh(NamedTuple):
    """What all faces share.

    triangles (3 F,) uint32: three times the number of each corner, where its values start; parts
    (F,) uint8 labels; mean (3 V,) float32 in [0, 1]; ring (6 F,) uint32: the other two corners of
    each face around a vertex, those of vertex v from ring_start[v] to ring_start[v + 1], (V + 1,).
    """

    triangles: UInt32
    parts: UInt8
    mean: Float32
    ring_start: UInt32
    ring: UInt32


class Faces(NamedTuple):
    """A batch of N: points in mm and reflectance (N, 3 V), float32 as all.

    model_to_camera (N, 4, 4); K (N, 3, 3); illumination (N, 9, 3), each coefficient times the
    constant of its basis function.
    """

    points: Float32
    reflectance: Float32
    model_to_camera: Float32
    K: Float32
    illumination: Float32


class Pictures(NamedTuple):
    """What is drawn, a row for each face and P pixels; layers not asked for have no rows.

    images, normal, albedo, correspondence (N, 3 P) uint8; mask, parts (N, P) uint8; depth (N, P)
    float32 in mm.
    """

    images: UInt8
    mask: UInt8
    depth: Float32
    normal: UInt8
    albedo: UInt8
    parts: UInt8
    correspondence: UInt8


class Work(NamedTuple):
    """Memory that every face uses again, for V vertices, F triangles and S x S pixels.

    screen (3 V,): x and y in 1/256 pixel, pixel centres at multiples of 256, and 1 / distance;
    queues (QUEUES, F) of triangles by the size of their box and counts (QUEUES,); kinds (BLOCK,);
    keys (S, S) uint64: 1 / distance and triangle; of each covered pixel, place (S S + 1,), row and
    column, and triangle; seen (3 V,) flags of vertices, vertices (V + 1,) their list, and normals
    (3 V,); of a block, pixel (BLOCK,), lanes (ROWS * BLOCK,) and quantised (3 * BLOCK,) uint8.
    Unless said otherwise float32, and uint32 what counts.
    """

    screen: Float32
    queues: UInt32
    counts: UInt32
    kinds: UInt32
    keys: UInt64
    place: UInt32
    triangle: UInt32
    seen: UInt8
    vertices: UInt32
    normals: Float32
    pixel: UInt32
    lanes: Float32
    quantised: UInt8


def work_for(vertices: int, triangles: int, size: int) -> Work:
    """Memory for meshes and square pictures of this size."""
    pixels = size * size + 1
    return Work(
        screen=np.empty(3 * vertices, F),
        queues=np.empty((QUEUES, triangles), U32),
        counts=np.empty(QUEUES, U32),
        kinds=np.empty(BLOCK, U32),
        keys=np.empty((size, size), U64),
        place=np.empty(pixels, U32),
        triangle=np.empty(pixels, U32),
        seen=np.empty(3 * vertices, np.uint8),
        vertices=np.empty(vertices + 1, U32),
        normals=np.empty(3 * vertices, F),
        pixel=np.empty(BLOCK, U32),
        lanes=np.zeros(ROWS * BLOCK, F),
        quantised=np.empty(3 * BLOCK, np.uint8),
    )


def mesh_of(triangles: NDArray[np.int32], parts: UInt8, mean: Float32) -> Mesh:
    """The mesh of triangles (F, 3), their labels (F,) and the vertices' coordinates (V, 3)."""
    corners = triangles.reshape(-1)
    order = np.argsort(corners, kind="stable")
    others = np.stack([np.roll(triangles, -k, axis=1)[:, 1:] for k in range(3)], axis=1)
    ring = others.reshape(-1, 2)[order]
    starts = np.searchsorted(corners[order], np.arange(len(mean) + 1))
    return Mesh(
        3 * corners.astype(U32),
        np.ascontiguousarray(parts, np.uint8),
        np.ascontiguousarray(mean, F).reshape(-1),
        2 * starts.astype(U32),
        3 * ring.reshape(-1).astype(U32),
    )
