"""The pixels and vertices that are seen, listed, and what vertices need to be shaded."""

import numpy as np
from jaxtyping import Float32, UInt8, UInt32

from facegen.files import Array
from facegen.rendering.contract import Meshes
from facegen.rendering.cpu.memory import (
    EMPTY,
    IDS,
    ONE,
    U32,
    ZERO,
    Faces,
    Images,
    Mesh,
    Work,
    kernel,
)
from facegen.rendering.cpu.pixels import TINY
from facegen.rendering.cpu.raster import distort, project
from facegen.rendering.cpu.worn import STRANDS_U8, draw_worn


@kernel
def see_worn(attire: Meshes, n: int, faces: Faces, first: int, work: Work) -> None:
    """Add to the keys what the camera sees of what one wears, its triangles numbered from first."""
    a, b = attire.vertex_start[n], attire.vertex_start[n + 1]
    s, t = attire.triangle_start[n], attire.triangle_start[n + 1]
    screen = work.worn_screen[: 3 * (b - a)]
    project(attire.points[a:b].reshape(-1), faces.model_to_camera[n], faces.K[n], screen)
    if faces.k1[n] != ZERO:
        distort(faces.K[n], faces.k1[n], screen)
    material, strand = attire.material[s:t], attire.strand[a:b]
    draw_worn(attire.triangles[s:t], material, strand, screen, work, first)


@kernel
def collect(work: Work, images: Images, n: int) -> int:
    """List the covered pixels and their triangles, fill mask and covered; how many there are."""
    keys, place, triangle = work.keys, work.place, work.triangle
    size, count = len(keys), 0
    for row in range(size):
        for column in range(size):
            key = keys[row, column]
            place[count] = (row << 16) | column
            triangle[count] = IDS - U32(key)
            count += key > EMPTY
    flat, mask, covered = keys.reshape(-1), images.mask[n], images.covered[n]
    for pixel in range(len(flat)):
        mask[pixel] = covered[pixel] = 255 if flat[pixel] > EMPTY else 0
    return count


@kernel
def collect_both(work: Work, faces: int, images: Images, n: int) -> tuple[int, int]:
    """As `collect`, of the face and of what is worn; how many there are of each.

    First those of the face's triangles, so many, then those of what is worn.
    """
    keys, place, triangle = work.keys, work.place, work.triangle
    size, count, worn = len(keys), 0, 0
    for row in range(size):
        for column in range(size):
            key = keys[row, column]
            number = IDS - U32(key)
            place[count] = work.worn_place[worn] = (row << 16) | column
            triangle[count] = number
            work.worn_triangle[worn] = number - U32(faces)
            count += (key > EMPTY) & (number < faces)
            worn += (key > EMPTY) & (number >= faces)
    flat, mask, covered = keys.reshape(-1), images.mask[n], images.covered[n]
    for pixel in range(len(flat)):
        covered[pixel] = 255 if flat[pixel] > EMPTY else 0
        mask[pixel] = covered[pixel] if IDS - U32(flat[pixel]) < faces else 0
    return count, worn


@kernel
def part_hair(attire: Meshes, n: int, count: int, work: Work) -> tuple[int, int]:
    """Part hair from the other pixels of what is worn; how many there are of each."""
    material = attire.material[attire.triangle_start[n] : attire.triangle_start[n + 1]]
    hair = others = 0
    for k in range(count):
        place, triangle = work.worn_place[k], work.worn_triangle[k]
        work.hair_place[hair], work.hair_triangle[hair] = place, triangle
        work.worn_place[others], work.worn_triangle[others] = place, triangle
        is_hair = material[triangle] == STRANDS_U8
        hair += is_hair
        others += not is_hair
    return hair, others


@kernel
def mark(
    triangles: UInt32[Array, "3*F"], chosen: UInt32[Array, "n"], seen: UInt8[Array, "3*V"]
) -> None:
    """Flag the vertices of the chosen triangles, at three times their number."""
    seen[:] = 0
    for t in chosen:
        seen[triangles[3 * t]] = 1
        seen[triangles[3 * t + 1]] = 1
        seen[triangles[3 * t + 2]] = 1


@kernel
def list_seen(work: Work, vertices: int) -> int:
    """List the vertices that are flagged; how many there are."""
    count = 0
    for vertex in range(vertices):
        work.vertices[count] = vertex
        count += work.seen[3 * vertex]
    return count


@kernel
def find_normals(mesh: Mesh, points: Float32[Array, "3*V"], count: int, work: Work) -> None:
    """The unit normals of the vertices seen: of the faces around, weighted by area."""
    ring, ring_start, normals, vertices = mesh.ring, mesh.ring_start, work.normals, work.vertices
    for i in range(count):
        vertex = vertices[i]
        a = 3 * vertex
        x, y, z = points[a], points[a + 1], points[a + 2]
        nx = ny = nz = ZERO
        for corner in range(ring_start[vertex], ring_start[vertex + 1], 2):
            b, c = ring[corner], ring[corner + 1]
            bx, by, bz = points[b] - x, points[b + 1] - y, points[b + 2] - z
            cx, cy, cz = points[c] - x, points[c + 1] - y, points[c + 2] - z
            nx += by * cz - bz * cy
            ny += bz * cx - bx * cz
            nz += bx * cy - by * cx
        scale = ONE / np.sqrt(max(nx * nx + ny * ny + nz * nz, TINY))
        normals[a], normals[a + 1], normals[a + 2] = nx * scale, ny * scale, nz * scale


@kernel
def find_kept_off(
    transfer: Float32[Array, "9*V"], local: Float32[Array, "9 3"], count: int, work: Work
) -> None:
    """The light that surroundings add to (below zero: keep off) each vertex seen."""
    for i in range(count):
        vertex = work.vertices[i]
        at, first = 3 * vertex, 9 * vertex
        red = green = blue = ZERO
        for k in range(9):
            weight = transfer[first + k]
            red += weight * local[k, 0]
            green += weight * local[k, 1]
            blue += weight * local[k, 2]
        work.kept_off[at], work.kept_off[at + 1], work.kept_off[at + 2] = red, green, blue
