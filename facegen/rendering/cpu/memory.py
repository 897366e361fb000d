"""What the kernels of the CPU renderer read and write, and the types they count in."""

from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float32, Float64, Int32, UInt8, UInt32, UInt64

from facegen.files import Array
from facegen.rendering.cpu.compiling import compiled
from facegen.rendering.rings import rings

# A plain number would turn float32 into float64 and uint32 into int64.
F: Any = np.float32
F64: Any = np.float64
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

# Queued pixels of what is worn.
ROOM = 2048
# Tiles of 2^TILE x 2^TILE pixels, of which one knows what is furthest away.
TILE = 3

# Rows of `lanes`, each of BLOCK numbers, gathered and worked on at once.
BLOCK, ROWS = 256, 38

kernel = compiled(error_model="numpy", fastmath={"contract", "nsz", "arcp"})


class Mesh(NamedTuple):
    """What all faces share.

    triangles: three times the number of each corner, where its values start; segmentation: labels;
    mean in [0, 1]; transfer: of each vertex nine numbers that say how much light its surroundings
    keep from it, or none; ring: the other two corners of each triangle around a vertex, those of
    vertex v from ring_start[v] to ring_start[v + 1].
    """

    triangles: UInt32[Array, "3*F"]
    segmentation: UInt8[Array, "F"]
    mean: Float32[Array, "3*V"]
    transfer: Float32[Array, "9*V"]
    ring_start: UInt32[Array, "V+1"]
    ring: UInt32[Array, "6*F"]


class Faces(NamedTuple):
    """A batch of N: points in mm, reflectance, cameras and light.

    illumination: each coefficient times the constant of its basis function; local: the same light
    in model space; key: the direction that most of it comes from, and its colour; highlights: the
    share of them that is shown.
    """

    points: Float32[Array, "N 3*V"]
    reflectance: Float32[Array, "N 3*V"]
    model_to_camera: Float32[Array, "N 4 4"]
    K: Float32[Array, "N 3 3"]
    k1: Float32[Array, "N"]
    illumination: Float32[Array, "N 9 3"]
    local: Float32[Array, "N 9 3"]
    key: Float32[Array, "N 2 3"]
    highlights: float


class Surface(NamedTuple):
    """What pixels are shaded from: a mesh on the screen, and what its vertices and triangles have.

    triangles as in Mesh; mean: of PNCC, or no values; kept_off: the light that surroundings keep
    off, or no values; finish: which row of FINISHES a triangle has, counted from first_finish.
    """

    triangles: UInt32[Array, "3*F"]
    screen: Float32[Array, "3*V"]
    normals: Float32[Array, "3*V"]
    reflectance: Float32[Array, "3*V"]
    segmentation: UInt8[Array, "F"]
    mean: Float32[Array, "3*V"]
    kept_off: Float32[Array, "3*V"]
    finish: UInt8[Array, "F"]
    first_finish: int


class Pixels(NamedTuple):
    """Pixels of a surface in order: their rows and columns, and the triangles seen there."""

    place: UInt32[Array, "n"]
    triangle: UInt32[Array, "n"]


class Images(NamedTuple):
    """What is drawn, a row for each face and P pixels; layers not asked for have no rows.

    mask: where the face is seen; covered: where anything is; depth in mm; radiance, shading and
    specular: linear light.
    """

    images: UInt8[Array, "N 3*P"]
    mask: UInt8[Array, "N P"]
    covered: UInt8[Array, "N P"]
    depth: Float32[Array, "N P"]
    normal: UInt8[Array, "N 3*P"]
    albedo: UInt8[Array, "N 3*P"]
    segmentation: UInt8[Array, "N P"]
    pncc: UInt8[Array, "N 3*P"]
    radiance: Float32[Array, "N 3*P"]
    shading: Float32[Array, "N 3*P"]
    specular: Float32[Array, "N 3*P"]


class Spans(NamedTuple):
    """Memory of a block of triangles, of a block of their rows, and of queued pixels.

    exact: edge functions; row_slot and row: a row's triangle in the block and its number in the
    triangle's box, start and stop: its pixels that are inside; slot: a pixel's triangle in the
    block, place: its row and column in the box, near, along and opacity: 1 / distance, s and
    opacity there.
    """

    exact: Float64[Array, "12*{BLOCK}"]
    row_slot: UInt32[Array, "{BLOCK}"]
    row: Float32[Array, "{BLOCK}"]
    start: Float32[Array, "{BLOCK}"]
    stop: Float32[Array, "{BLOCK}"]
    slot: UInt32[Array, "{ROOM}"]
    place: UInt32[Array, "{ROOM}"]
    near: Float32[Array, "{ROOM}"]
    along: Float32[Array, "{ROOM}"]
    opacity: Float32[Array, "{ROOM}"]


class Work(NamedTuple):
    """Memory that every face uses again, for V vertices, F triangles and S x S pixels.

    screen: x and y in 1/256 pixel, pixel centres at multiples of 256, and 1 / distance; queues of
    triangles by the size of their box, their counts and, of a block, kinds; keys: 1 / distance and
    triangle, glass: those with clear lenses; of each covered pixel, place (row and column) and
    triangle, of the face, of hair or of what else is worn; worn_screen and worn_list, of triangles:
    of what is worn; farthest: the least key of each tile, and a row for work; seen: flags of
    vertices, vertices their list, their normals and the light kept off; spans; of a block, pixel,
    lanes and quantised.
    """

    screen: Float32[Array, "3*V"]
    queues: UInt32[Array, "{QUEUES} F"]
    counts: UInt32[Array, "{QUEUES}"]
    kinds: UInt32[Array, "{BLOCK}"]
    keys: UInt64[Array, "S S"]
    glass: UInt64[Array, "S S"]
    place: UInt32[Array, "S*S+1"]
    triangle: UInt32[Array, "S*S+1"]
    worn_place: UInt32[Array, "S*S+1"]
    worn_triangle: UInt32[Array, "S*S+1"]
    hair_place: UInt32[Array, "S*S+1"]
    hair_triangle: UInt32[Array, "S*S+1"]
    worn_screen: Float32[Array, "3*P"]
    worn_list: UInt32[Array, "T"]
    farthest: UInt64[Array, "tiles+1 S"]
    seen: UInt8[Array, "3*V"]
    vertices: UInt32[Array, "V+1"]
    normals: Float32[Array, "3*V"]
    kept_off: Float32[Array, "3*V"]
    spans: Spans
    pixel: UInt32[Array, "{BLOCK}"]
    lanes: Float32[Array, "{ROWS}*{BLOCK}"]
    quantised: UInt8[Array, "3*{BLOCK}"]


def spans() -> Spans:
    """Memory for spans."""
    return Spans(
        np.zeros(12 * BLOCK, np.float64),
        np.zeros(BLOCK, U32),
        *np.zeros((3, BLOCK), F),
        *np.zeros((2, ROOM), U32),
        *np.zeros((3, ROOM), F),
    )


def work_for(vertices: int, triangles: int, size: int) -> Work:
    """Memory for meshes and square images of this size."""
    pixels = size * size + 1
    return Work(
        screen=np.empty(3 * vertices, F),
        queues=np.empty((QUEUES, triangles), U32),
        counts=np.empty(QUEUES, U32),
        kinds=np.empty(BLOCK, U32),
        keys=np.empty((size, size), U64),
        glass=np.empty((size, size), U64),
        place=np.empty(pixels, U32),
        triangle=np.empty(pixels, U32),
        worn_place=np.empty(pixels, U32),
        worn_triangle=np.empty(pixels, U32),
        hair_place=np.empty(pixels, U32),
        hair_triangle=np.empty(pixels, U32),
        worn_screen=np.empty(0, F),
        worn_list=np.empty(0, U32),
        farthest=np.empty(((size >> TILE) + 2, size), U64),
        seen=np.empty(3 * vertices, np.uint8),
        vertices=np.empty(vertices + 1, U32),
        normals=np.empty(3 * vertices, F),
        kept_off=np.zeros(3 * vertices, F),
        spans=spans(),
        pixel=np.empty(BLOCK, U32),
        lanes=np.zeros(ROWS * BLOCK, F),
        quantised=np.empty(3 * BLOCK, np.uint8),
    )


def with_room(work: Work, vertices: int, triangles: int) -> Work:
    """The memory with room for so many vertices and triangles of what is worn."""
    if 3 * vertices > len(work.worn_screen):
        work = work._replace(worn_screen=np.empty(3 * vertices, F))
    if triangles > len(work.worn_list):
        work = work._replace(worn_list=np.empty(triangles, U32))
    return work


def mesh_of(
    triangles: Int32[Array, "F 3"],
    segmentation: UInt8[Array, "F"],
    mean: Float32[Array, "V 3"],
    transfer: Float32[Array, "9*V"],
) -> Mesh:
    """The mesh of triangles, their labels, the vertices' coordinates and the light kept off."""
    corners = triangles.reshape(-1)
    others = np.stack([np.roll(triangles, -k, axis=1)[:, 1:] for k in range(3)], axis=1)
    starts, ring = rings(corners, others.reshape(-1, 2), len(mean))
    return Mesh(
        3 * corners.astype(U32),
        np.ascontiguousarray(segmentation, np.uint8),
        np.ascontiguousarray(mean, F).reshape(-1),
        transfer,
        2 * starts.astype(U32),
        3 * ring.reshape(-1).astype(U32),
    )
