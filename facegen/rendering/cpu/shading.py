"""The colour of each covered pixel, and its layers: once, after all triangles are drawn."""

import numpy as np
from jaxtyping import Float32, UInt8, UInt32

from facegen.files import Array
from facegen.rendering.contract import Meshes
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
    Pixels,
    Surface,
    Work,
    kernel,
)
from facegen.rendering.cpu.raster import project, see
from facegen.rendering.cpu.strands import comb
from facegen.rendering.cpu.worn import STRANDS_U8, draw_worn

FULL, TINY = F(255), F(1e-30)
ALBEDO, NORMAL, VALUES, WEIGHT = (UNUSED + 3 * k * BLOCK for k in range(4))
DEPTH = UNUSED + 12 * BLOCK


@kernel
def draw_faces(faces: Faces, attire: Meshes, mesh: Mesh, work: Work, images: Images) -> None:
    """Draw a batch of faces, one after the other, and what their people wear."""
    for n in range(len(faces.points)):
        points, transform = faces.points[n], faces.model_to_camera[n]
        clear(images, n)
        see(mesh, points, transform, faces.K[n], work)
        worn = attire.vertex_start[n + 1] > attire.vertex_start[n]
        if worn:
            see_worn(attire, n, faces, len(mesh.segmentation), work)
        count, worn_count = collect(work, len(mesh.segmentation), images, n)
        mark(mesh.triangles, work.triangle[:count], work.seen)
        find_normals(mesh, points, work)
        surface = Surface(
            mesh.triangles,
            work.screen,
            work.normals,
            faces.reflectance[n],
            mesh.segmentation,
            mesh.mean,
        )
        for start in range(0, count, BLOCK):
            stop = min(start + BLOCK, count)
            shade(
                Pixels(work.place[start:stop], work.triangle[start:stop]),
                n,
                surface,
                faces,
                work,
                images,
            )
        if worn:
            shade_worn(worn_count, n, attire, faces, work, images)


@kernel
def see_worn(attire: Meshes, n: int, faces: Faces, first: int, work: Work) -> None:
    """Add to the keys what the camera sees of what one wears; `first`: its first triangle's number."""
    a, b = attire.vertex_start[n], attire.vertex_start[n + 1]
    s, t = attire.triangle_start[n], attire.triangle_start[n + 1]
    screen = work.worn_screen[: 3 * (b - a)]
    project(attire.points[a:b].reshape(-1), faces.model_to_camera[n], faces.K[n], screen)
    draw_worn(
        attire.triangles[s:t], attire.material[s:t], attire.strand[a:b], screen, work.keys, first
    )


@kernel
def shade_worn(
    count: int, n: int, attire: Meshes, faces: Faces, work: Work, images: Images
) -> None:
    """Colour the pixels where one sees what is worn."""
    a, b = attire.vertex_start[n], attire.vertex_start[n + 1]
    s, t = attire.triangle_start[n], attire.triangle_start[n + 1]
    surface = Surface(
        attire.triangles[s:t].reshape(-1),
        work.worn_screen,
        attire.normals[a:b].reshape(-1),
        attire.colours[a:b].reshape(-1),
        attire.segment[s:t],
        work.normals[:0],
    )
    strand = attire.strand[a:b].reshape(-1)
    for start in range(0, count, BLOCK):
        stop = min(start + BLOCK, count)
        pixels = Pixels(work.worn_place[start:stop], work.worn_triangle[start:stop])
        find_values(pixels, n, surface, faces, work)
        interpolate(surface.triangles, pixels.triangle, strand, work.lanes, VALUES)
        comb_strands(attire.material[s:t], pixels.triangle, work.lanes)
        paint(pixels, n, surface, faces, work, images)


@kernel
def comb_strands(
    material: UInt8[Array, "T"], chosen: UInt32[Array, "n"], lanes: Float32[Array, "rows*block"]
) -> None:
    """Give what is no hair one tone, and hair that of its locks."""
    for j in range(len(chosen)):
        lanes[VALUES + j] *= F(material[chosen[j]] == STRANDS_U8)
    comb(lanes, len(chosen), VALUES, ALBEDO)


@kernel
def collect(work: Work, faces: int, images: Images, n: int) -> tuple[int, int]:
    """List the covered pixels and their triangles, fill mask and covered; how many there are.

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
    pixels: Pixels, n: int, surface: Surface, faces: Faces, work: Work, images: Images
) -> None:
    """Colour up to BLOCK pixels of the face, in the n-th image and its layers."""
    find_values(pixels, n, surface, faces, work)
    paint(pixels, n, surface, faces, work, images)


@kernel
def find_values(pixels: Pixels, n: int, surface: Surface, faces: Faces, work: Work) -> None:
    """Weights, depth, normals and albedo of up to BLOCK pixels, into lanes."""
    lanes, chosen = work.lanes, pixels.triangle
    gather(surface.triangles, surface.screen, chosen, lanes)
    weigh(lanes, pixels.place)
    interpolate(surface.triangles, chosen, surface.normals, lanes, NORMAL)
    turn(lanes, len(chosen), faces.model_to_camera[n])
    interpolate(surface.triangles, chosen, surface.reflectance, lanes, ALBEDO)


@kernel
def paint(
    pixels: Pixels, n: int, surface: Surface, faces: Faces, work: Work, images: Images
) -> None:
    """Light pixels whose values are in lanes, and put them into the n-th image and its layers."""
    lanes, chosen, pixel = work.lanes, pixels.triangle, work.pixel[: len(pixels.place)]
    find_pixels(pixels.place, len(work.keys), pixel)
    light(lanes, len(chosen), faces.illumination[n])
    put(work, VALUES, ZERO, pixel, images.images[n])
    if len(images.albedo):
        put(work, ALBEDO, ZERO, pixel, images.albedo[n])
    if len(images.normal):
        put(work, NORMAL, -ONE, pixel, images.normal[n])
    if len(images.pncc) and len(surface.mean):
        interpolate(surface.triangles, chosen, surface.mean, lanes, VALUES)
        put(work, VALUES, ZERO, pixel, images.pncc[n])
    if len(images.segmentation):
        for j in range(len(chosen)):
            images.segmentation[n, pixel[j]] = surface.segmentation[chosen[j]]
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
