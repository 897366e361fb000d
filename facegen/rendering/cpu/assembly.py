"""Kernels that put together what people wear: pieces varied, bound to their heads, and coloured."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float32, Int16, Int32, UInt8

from facegen.files import Array
from facegen.models.attire import BINDINGS
from facegen.models.wardrobe import Pieces
from facegen.rendering.contract import Meshes
from facegen.rendering.cpu.compiling import compiled

SURFACE, AFFINE, BODY, FREE = range(len(BINDINGS))
# Height (mm) over which the neck passes from the head's turn to that of the shoulders.
NECK_TOP, NECK_BASE = np.float32(-110), np.float32(-185)
ONE, ZERO, TINY = np.float32(1), np.float32(0), np.float32(1e-30)

kernel = compiled(error_model="numpy", fastmath={"contract", "nsz", "arcp"})


class Wearing(NamedTuple):
    """What N people wear, by slot, and how their heads' anchors are displaced (mm).

    hat: of each slot, whether its under_hat triangles are dropped.
    """

    pieces: Int16[Array, "N S"]
    variations: Float32[Array, "N S 3"]
    colours: Float32[Array, "N S 4 3"]
    hand: Float32[Array, "N 4 4"]
    body: Float32[Array, "N 3 3"]
    hatted: Int16[Array, "N"]
    displacement: Float32[Array, "N A 3"]
    neck: Float32[Array, "3"]


@kernel
def assemble(wearing: Wearing, pieces: Pieces, out: Meshes) -> None:
    """Fill the meshes of all people; `out.vertex_start` says where each one's begin."""
    for n in range(len(wearing.pieces)):
        vertex, triangle = out.vertex_start[n], out.triangle_start[n]
        for slot in range(wearing.pieces.shape[1]):
            piece = wearing.pieces[n, slot]
            if piece >= 0:
                place(wearing, pieces, out, n, slot, vertex)
                triangle = connect(wearing, pieces, out, n, slot, vertex, triangle)
                vertex += pieces.vertex_start[piece + 1] - pieces.vertex_start[piece]
        finish_triangles(out, n, triangle)
        find_normals(out, n)


@kernel
def place(wearing: Wearing, pieces: Pieces, out: Meshes, n: int, slot: int, vertex: int) -> None:
    """The vertices of one piece, from `vertex` on."""
    piece = wearing.pieces[n, slot]
    binding, first = pieces.binding[piece], pieces.vertex_start[piece]
    affine = np.zeros((4, 3), np.float32)
    if binding == AFFINE:
        fit(pieces.frame[piece], wearing.displacement[n], affine)
    last = pieces.vertex_start[piece + 1]
    until = vertex + last - first
    out.strand[vertex:until] = pieces.strand[first:last]
    out.tangent[vertex:until] = pieces.tangent[first:last]
    points = out.points[vertex:until]
    vary(wearing.variations[n, slot], pieces, first, last, points)
    shade, slots = pieces.shade[first:last], pieces.slot[first:last]
    colour(wearing.colours[n, slot], slots, shade, out.colours[vertex:until])
    if binding == AFFINE:
        move_stiffly(pieces.points[first:last], affine, points)
    elif binding == FREE:
        transform(wearing.hand[n], points)
    else:
        near, weight = pieces.near[first:last], pieces.weight[first:last]
        follow(near, weight, wearing.displacement[n], points)
    if binding == BODY:
        turn_body(pieces.points[first:last], wearing.body[n], wearing.neck, points)


@kernel
def vary(
    variations: Float32[Array, "3"],
    pieces: Pieces,
    first: int,
    last: int,
    out: Float32[Array, "p 3"],
) -> None:
    """A piece's points with its variations."""
    points, flat = pieces.points[first:last].reshape(-1), out.reshape(-1)
    one = pieces.offsets[0, first:last].reshape(-1)
    two = pieces.offsets[1, first:last].reshape(-1)
    three = pieces.offsets[2, first:last].reshape(-1)
    a, b, c = variations[0], variations[1], variations[2]
    for i in range(len(flat)):
        flat[i] = points[i] + a * one[i] + b * two[i] + c * three[i]


@kernel
def colour(
    colours: Float32[Array, "4 3"],
    slot: UInt8[Array, "p"],
    shade: Float32[Array, "p"],
    out: Float32[Array, "p 3"],
) -> None:
    """The colour of each of a piece's vertices."""
    for v in range(len(out)):
        for c in range(3):
            out[v, c] = colours[slot[v], c] * shade[v]


@kernel
def fit(
    frame: Float32[Array, "4 A"],
    displacement: Float32[Array, "A 3"],
    affine: Float32[Array, "4 3"],
) -> None:
    """The affine map that explains the anchors' displacements."""
    for a in range(frame.shape[1]):
        for row in range(4):
            weight = frame[row, a]
            for c in range(3):
                affine[row, c] += weight * displacement[a, c]


@kernel
def move_stiffly(
    places: Float32[Array, "p 3"], affine: Float32[Array, "4 3"], points: Float32[Array, "p 3"]
) -> None:
    """Add the affine map's displacements at places to points."""
    for v in range(len(points)):
        x, y, z = places[v, 0], places[v, 1], places[v, 2]
        for c in range(3):
            points[v, c] += x * affine[0, c] + y * affine[1, c] + z * affine[2, c] + affine[3, c]


@kernel
def follow(
    near: Int32[Array, "p 4"],
    weight: Float32[Array, "p 4"],
    displacement: Float32[Array, "A 3"],
    points: Float32[Array, "p 3"],
) -> None:
    """Add the weighted displacements of each point's anchors."""
    for v in range(len(points)):
        a, b, c, d = near[v, 0], near[v, 1], near[v, 2], near[v, 3]
        p, q, r, s = weight[v, 0], weight[v, 1], weight[v, 2], weight[v, 3]
        for k in range(3):
            points[v, k] += p * displacement[a, k] + q * displacement[b, k]
            points[v, k] += r * displacement[c, k] + s * displacement[d, k]


@kernel
def transform(matrix: Float32[Array, "4 4"], points: Float32[Array, "p 3"]) -> None:
    """Points through a rigid transform."""
    for v in range(len(points)):
        x, y, z = points[v, 0], points[v, 1], points[v, 2]
        for c in range(3):
            points[v, c] = matrix[c, 0] * x + matrix[c, 1] * y + matrix[c, 2] * z + matrix[c, 3]


@kernel
def turn_body(
    places: Float32[Array, "p 3"],
    body: Float32[Array, "3 3"],
    neck: Float32[Array, "3"],
    points: Float32[Array, "p 3"],
) -> None:
    """Turn points about the neck as the shoulders are, the less the nearer their places' head."""
    for v in range(len(points)):
        share = (NECK_TOP - places[v, 1]) / (NECK_TOP - NECK_BASE)
        share = min(max(share, ZERO), ONE)
        share = share * share * (np.float32(3) - np.float32(2) * share)
        x, y, z = points[v, 0] - neck[0], points[v, 1] - neck[1], points[v, 2] - neck[2]
        for c in range(3):
            turned = body[c, 0] * x + body[c, 1] * y + body[c, 2] * z + neck[c]
            points[v, c] += share * (turned - points[v, c])


@kernel
def connect(
    wearing: Wearing,
    pieces: Pieces,
    out: Meshes,
    n: int,
    slot: int,
    vertex: int,
    triangle: int,
) -> int:
    """The triangles of one piece, from `triangle` on; where the next one's begin."""
    piece, shift = wearing.pieces[n, slot], vertex - out.vertex_start[n]
    for t in range(pieces.triangle_start[piece], pieces.triangle_start[piece + 1]):
        if wearing.hatted[n] and pieces.under_hat[t]:
            continue
        for c in range(3):
            out.triangles[triangle, c] = 3 * (pieces.triangles[t, c] + shift)
        out.segment[triangle], out.material[triangle] = pieces.segment[t], pieces.material[t]
        triangle += 1
    return triangle


@kernel
def finish_triangles(out: Meshes, n: int, triangle: int) -> None:
    """Make what is left of one's triangles empty ones."""
    for t in range(triangle, out.triangle_start[n + 1]):
        out.triangles[t], out.segment[t], out.material[t] = 0, 0, 0


@kernel
def find_normals(out: Meshes, n: int) -> None:
    """Unit normals of one's vertices: of the faces around, weighted by area."""
    first, last = out.vertex_start[n], out.vertex_start[n + 1]
    points, normals = out.points[first:last].reshape(-1), out.normals[first:last].reshape(-1)
    normals[:] = ZERO
    for t in range(out.triangle_start[n], out.triangle_start[n + 1]):
        i, j, k = out.triangles[t, 0], out.triangles[t, 1], out.triangles[t, 2]
        x, y, z = points[i], points[i + 1], points[i + 2]
        bx, by, bz = points[j] - x, points[j + 1] - y, points[j + 2] - z
        cx, cy, cz = points[k] - x, points[k + 1] - y, points[k + 2] - z
        nx, ny, nz = by * cz - bz * cy, bz * cx - bx * cz, bx * cy - by * cx
        for at in (i, j, k):
            normals[at] += nx
            normals[at + 1] += ny
            normals[at + 2] += nz
    for at in range(0, len(normals), 3):
        x, y, z = normals[at], normals[at + 1], normals[at + 2]
        scale = ONE / np.sqrt(max(x * x + y * y + z * z, TINY))
        normals[at], normals[at + 1], normals[at + 2] = x * scale, y * scale, z * scale
