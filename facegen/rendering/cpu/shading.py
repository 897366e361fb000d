"""The colour of each covered pixel, and its layers: once, after all triangles are drawn."""

import numpy as np
from jaxtyping import Float32, UInt8, UInt32

from facegen.files import Array
from facegen.rendering.cpu.lanes import UNUSED, W0, W1, W2, corners, edges, gather
from facegen.rendering.cpu.memory import (
    BLOCK,
    EMPTY,
    HALF,
    I32,
    IDS,
    ONE,
    SUBPIXELS,
    U32,
    ZERO,
    F,
    Faces,
    Images,
    Mesh,
    Work,
    kernel,
)
from facegen.rendering.cpu.raster import see

FULL, TINY = F(255), F(1e-30)
ALBEDO, NORMAL, VALUES, WEIGHT = (UNUSED + 3 * k * BLOCK for k in range(4))
DEPTH = UNUSED + 12 * BLOCK


@kernel
def draw_faces(faces: Faces, mesh: Mesh, work: Work, images: Images) -> None:
    """Draw a batch of faces, one after the other."""
    for n in range(len(faces.points)):
        points, transform = faces.points[n], faces.model_to_camera[n]
        see(mesh, points, transform, faces.K[n], work)
        count = collect(work, images.mask[n])
        mark(mesh.triangles, work.triangle[:count], work.seen)
        find_normals(mesh, points, work)
        clear(images, n)
        for start in range(0, count, BLOCK):
            shade(start, min(start + BLOCK, count), n, faces, mesh, work, images)


@kernel
def collect(work: Work, mask: UInt8[Array, "P"]) -> int:
    """List the covered pixels and their triangles, fill the mask (P,); how many there are."""
    keys, place, triangle = work.keys, work.place, work.triangle
    size, count = len(keys), 0
    for row in range(size):
        for column in range(size):
            key = keys[row, column]
            place[count] = (row << 16) | column
            triangle[count] = IDS - U32(key)
            count += key > EMPTY
    flat = keys.reshape(-1)
    for pixel in range(len(flat)):
        mask[pixel] = 255 if flat[pixel] > EMPTY else 0
    return count


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
def find_normals(mesh: Mesh, points: Float32[Array, "3*V"], work: Work) -> None:
    """The unit normals of the vertices seen: of the faces around, weighted by area."""
    ring, ring_start, normals, vertices = mesh.ring, mesh.ring_start, work.normals, work.vertices
    count = 0
    for vertex in range(len(points) // 3):
        vertices[count] = vertex
        count += work.seen[3 * vertex]
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
def clear(images: Images, n: int) -> None:
    """Make the n-th image and its layers empty."""
    images.images[n] = 0
    for layer in (images.normal, images.albedo, images.pncc):
        if len(layer):
            layer[n] = 0
    if len(images.segmentation):
        images.segmentation[n] = 0
    if len(images.depth):
        images.depth[n] = 0


@kernel
def shade(
    start: int, stop: int, n: int, faces: Faces, mesh: Mesh, work: Work, images: Images
) -> None:
    """Colour up to BLOCK of the covered pixels listed, in the n-th image and its layers."""
    lanes, chosen, pixel = work.lanes, work.triangle[start:stop], work.pixel[: stop - start]
    gather(mesh.triangles, work.screen, chosen, lanes)
    weigh(lanes, work.place[start:stop])
    find_pixels(work.place[start:stop], len(work.keys), pixel)
    interpolate(mesh.triangles, chosen, work.normals, lanes, NORMAL)
    turn(lanes, len(chosen), faces.model_to_camera[n])
    interpolate(mesh.triangles, chosen, faces.reflectance[n], lanes, ALBEDO)
    light(lanes, len(chosen), faces.illumination[n])
    put(work, VALUES, ZERO, pixel, images.images[n])
    if len(images.albedo):
        put(work, ALBEDO, ZERO, pixel, images.albedo[n])
    if len(images.normal):
        put(work, NORMAL, -ONE, pixel, images.normal[n])
    if len(images.pncc):
        interpolate(mesh.triangles, chosen, mesh.mean, lanes, VALUES)
        put(work, VALUES, ZERO, pixel, images.pncc[n])
    if len(images.segmentation):
        for j in range(len(chosen)):
            images.segmentation[n, pixel[j]] = mesh.segmentation[chosen[j]]
    if len(images.depth):
        for j in range(len(chosen)):
            images.depth[n, pixel[j]] = lanes[DEPTH + j]


@kernel
def find_pixels(place: UInt32[Array, "n"], size: int, pixel: UInt32[Array, "n"]) -> None:
    """Where pixels of these rows and columns are in the image."""
    for j in range(len(place)):
        pixel[j] = (place[j] >> U32(16)) * U32(size) + (place[j] & U32(0xFFFF))


@kernel
def weigh(lanes: Float32[Array, "rows*block"], place: UInt32[Array, "n"]) -> None:
    """The perspective-correct weights of each triangle's corners at its pixel, and its distance."""
    for j in range(len(place)):
        x = SUBPIXELS * F(I32(place[j] & U32(0xFFFF)))
        y = SUBPIXELS * F(I32(place[j] >> U32(16)))
        x0, x1, x2, y0, y1, y2 = corners(lanes, j, x, y)
        e0, e1, e2 = edges(x0, x1, x2, y0, y1, y2)
        area = e0 + e1 + e2
        e0, e1, e2 = e0 * lanes[W0 + j], e1 * lanes[W1 + j], e2 * lanes[W2 + j]
        scale = ONE / (e0 + e1 + e2)
        lanes[WEIGHT + j] = e0 * scale
        lanes[WEIGHT + BLOCK + j] = e1 * scale
        lanes[WEIGHT + 2 * BLOCK + j] = e2 * scale
        lanes[DEPTH + j] = area * scale


@kernel
def interpolate(
    triangles: UInt32[Array, "3*F"],
    chosen: UInt32[Array, "n"],
    values: Float32[Array, "3*V"],
    lanes: Float32[Array, "rows*block"],
    to: int,
) -> None:
    """Values (3 V,) at the pixels of the chosen triangles, into three rows from `to`."""
    out = lanes[to : to + 3 * BLOCK]
    for j in range(len(chosen)):
        t = 3 * chosen[j]
        a, b, c = triangles[t], triangles[t + 1], triangles[t + 2]
        p, q, r = lanes[WEIGHT + j], lanes[WEIGHT + BLOCK + j], lanes[WEIGHT + 2 * BLOCK + j]
        out[j] = p * values[a] + q * values[b] + r * values[c]
        out[BLOCK + j] = p * values[a + 1] + q * values[b + 1] + r * values[c + 1]
        out[2 * BLOCK + j] = p * values[a + 2] + q * values[b + 2] + r * values[c + 2]


@kernel
def turn(lanes: Float32[Array, "rows*block"], count: int, transform: Float32[Array, "4 4"]) -> None:
    """Normals from model space into eye space, made of unit length."""
    m00, m01, m02 = transform[0, 0], transform[0, 1], transform[0, 2]
    m10, m11, m12 = transform[1, 0], transform[1, 1], transform[1, 2]
    m20, m21, m22 = transform[2, 0], transform[2, 1], transform[2, 2]
    for j in range(count):
        x, y, z = lanes[NORMAL + j], lanes[NORMAL + BLOCK + j], lanes[NORMAL + 2 * BLOCK + j]
        scale = ONE / np.sqrt(max(x * x + y * y + z * z, TINY))
        x, y, z = x * scale, y * scale, z * scale
        lanes[NORMAL + j] = m00 * x + m01 * y + m02 * z
        lanes[NORMAL + BLOCK + j] = m10 * x + m11 * y + m12 * z
        lanes[NORMAL + 2 * BLOCK + j] = m20 * x + m21 * y + m22 * z


@kernel
def light(
    lanes: Float32[Array, "rows*block"], count: int, illumination: Float32[Array, "9 3"]
) -> None:
    """Reflectance times irradiance, into VALUES; illumination (9, 3) times its basis' constants."""
    for channel in range(3):
        weights = illumination[:, channel]
        l0, l1, l2, l3, l4 = weights[0], weights[1], weights[2], weights[3], weights[4]
        l5, l6, l7, l8 = weights[5], weights[6], weights[7], weights[8]
        row = channel * BLOCK
        for j in range(count):
            x, y, z = lanes[NORMAL + j], lanes[NORMAL + BLOCK + j], lanes[NORMAL + 2 * BLOCK + j]
            linear = l0 + l1 * y + l2 * z + l3 * x
            cross = l4 * x * y + l5 * y * z + l7 * x * z
            square = l6 * (F(3) * z * z - ONE) + l8 * (x * x - y * y)
            lanes[VALUES + row + j] = lanes[ALBEDO + row + j] * (linear + cross + square)


@kernel
def put(
    work: Work, row: int, low: float, pixel: UInt32[Array, "n"], image: UInt8[Array, "3*P"]
) -> None:
    """Three rows of lanes, [low, 1] made [0, 255] and rounded, into an image (3 P,)."""
    values, quantised = work.lanes[row : row + 3 * BLOCK], work.quantised
    scale = FULL / (ONE - low)
    for j in range(3 * BLOCK):
        value = min(max(scale * (values[j] - low), ZERO), FULL)
        quantised[j] = np.uint8(I32(value + HALF))
    for j in range(len(pixel)):
        at = 3 * pixel[j]
        image[at] = quantised[j]
        image[at + 1] = quantised[BLOCK + j]
        image[at + 2] = quantised[2 * BLOCK + j]
