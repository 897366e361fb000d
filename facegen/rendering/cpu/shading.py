"""The colour of each covered pixel, and its layers: once, after all triangles are drawn."""

import numpy as np
from jaxtyping import Float32, UInt8, UInt32

from facegen.files import Array
from facegen.rendering.contract import Meshes
from facegen.rendering.cpu import radiance
from facegen.rendering.cpu.lanes import gather
from facegen.rendering.cpu.memory import (
    BLOCK,
    EMPTY,
    IDS,
    ONE,
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
from facegen.rendering.cpu.pixels import (
    ALBEDO,
    DEPTH,
    GLOSS,
    NORMAL,
    SHADING,
    TANGENT,
    TINY,
    VALUES,
    find_pixels,
    interpolate,
    put,
    put_exact,
    turn,
    weigh,
)
from facegen.rendering.cpu.raster import distort, project, see
from facegen.rendering.cpu.strands import comb
from facegen.rendering.cpu.worn import STRANDS_U8, draw_worn
from facegen.rendering.finishes import MATERIALS


@kernel
def draw_faces(faces: Faces, attire: Meshes, mesh: Mesh, work: Work, images: Images) -> None:
    """Draw a batch of faces, one after the other, and what their people wear."""
    for n in range(len(faces.points)):
        clear(images, n)
        see(mesh, faces.points[n], faces.model_to_camera[n], faces.K[n], faces.k1[n], work)
        worn = attire.vertex_start[n + 1] > attire.vertex_start[n]
        if worn:
            see_worn(attire, n, faces, len(mesh.segmentation), work)
        if not worn:
            shade_face(collect(work, images, n), n, mesh, faces, work, images)
            continue
        counts = collect_both(work, len(mesh.segmentation), images, n)
        shade_face(counts[0], n, mesh, faces, work, images)
        shade_worn(part_hair(attire, n, counts[1], work), n, attire, faces, work, images)


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
    draw_worn(attire.triangles[s:t], material, strand, screen, work.keys, first)


@kernel
def shade_face(count: int, n: int, mesh: Mesh, faces: Faces, work: Work, images: Images) -> None:
    """Colour the pixels where the face is seen."""
    mark(mesh.triangles, work.triangle[:count], work.seen)
    seen = list_seen(work, len(faces.points[n]) // 3)
    find_normals(mesh, faces.points[n], seen, work)
    kept_off = work.kept_off[:0]
    if len(mesh.transfer) and len(images.radiance):
        find_kept_off(mesh.transfer, faces.local[n], seen, work)
        kept_off = work.kept_off
    surface = Surface(
        mesh.triangles,
        work.screen,
        work.normals,
        faces.reflectance[n],
        mesh.segmentation,
        mesh.mean,
        kept_off,
        mesh.segmentation,
        0,
    )
    for start in range(0, count, BLOCK):
        stop = min(start + BLOCK, count)
        pixels = Pixels(work.place[start:stop], work.triangle[start:stop])
        find_values(pixels, n, surface, faces, work)
        if len(images.radiance):
            light_up(pixels, n, surface, faces, work)
            finish_light(pixels, surface, work)
        paint(pixels, n, surface, faces, work, images)


@kernel
def shade_worn(
    counts: tuple[int, int], n: int, attire: Meshes, faces: Faces, work: Work, images: Images
) -> None:
    """Colour the pixels where one sees what is worn: so many of hair, and so many others."""
    a, b = attire.vertex_start[n], attire.vertex_start[n + 1]
    s, t = attire.triangle_start[n], attire.triangle_start[n + 1]
    material, nothing = attire.material[s:t], work.normals[:0]
    surface = Surface(
        attire.triangles[s:t].reshape(-1),
        work.worn_screen,
        attire.normals[a:b].reshape(-1),
        attire.colours[a:b].reshape(-1),
        attire.segment[s:t],
        nothing,
        nothing,
        material,
        MATERIALS,
    )
    strand, tangent = attire.strand[a:b].reshape(-1), attire.tangent[a:b].reshape(-1)
    for start in range(0, counts[0], BLOCK):
        stop = min(start + BLOCK, counts[0])
        pixels = Pixels(work.hair_place[start:stop], work.hair_triangle[start:stop])
        find_values(pixels, n, surface, faces, work)
        interpolate(surface.triangles, pixels.triangle, strand, work.lanes, VALUES)
        comb(work.lanes, len(pixels.place), VALUES, ALBEDO)
        if len(images.radiance):
            light_hair(pixels, n, tangent, surface, faces, work)
        paint(pixels, n, surface, faces, work, images)
    for start in range(0, counts[1], BLOCK):
        stop = min(start + BLOCK, counts[1])
        pixels = Pixels(work.worn_place[start:stop], work.worn_triangle[start:stop])
        find_values(pixels, n, surface, faces, work)
        if len(images.radiance):
            light_up(pixels, n, surface, faces, work)
            finish_light(pixels, surface, work)
        paint(pixels, n, surface, faces, work, images)


@kernel
def light_up(pixels: Pixels, n: int, surface: Surface, faces: Faces, work: Work) -> None:
    """Linear albedo, irradiance and highlights of pixels, into lanes."""
    lanes, chosen, count = work.lanes, pixels.triangle, len(pixels.place)
    radiance.linearise(lanes, count)
    radiance.irradiate(lanes, count, faces.illumination[n], SHADING)
    radiance.look(lanes, pixels.place, faces.K[n])
    radiance.shine(lanes, count, faces.illumination[n])
    radiance.pick_finishes(lanes, chosen, surface.finish, surface.first_finish)
    radiance.highlight(lanes, count, faces.key[n])


@kernel
def light_hair(
    pixels: Pixels,
    n: int,
    tangent: Float32[Array, "3*P"],
    surface: Surface,
    faces: Faces,
    work: Work,
) -> None:
    """Linear albedo, irradiance and highlights of hair, into lanes, and all added up."""
    lanes, count = work.lanes, len(pixels.place)
    radiance.linearise(lanes, count)
    radiance.irradiate(lanes, count, faces.illumination[n], SHADING)
    radiance.look(lanes, pixels.place, faces.K[n])
    interpolate(surface.triangles, pixels.triangle, tangent, lanes, TANGENT)
    turn(lanes, count, faces.model_to_camera[n], TANGENT)
    radiance.gleam(lanes, count, faces.key[n])
    finish_light(pixels, surface, work)


@kernel
def finish_light(pixels: Pixels, surface: Surface, work: Work) -> None:
    """Take off the light that surroundings keep off, and add all up."""
    lanes, count = work.lanes, len(pixels.place)
    if len(surface.kept_off):
        interpolate(surface.triangles, pixels.triangle, surface.kept_off, lanes, TANGENT)
        radiance.keep_off(lanes, count, TANGENT)
        radiance.shine_less(lanes, count, TANGENT)
    else:
        radiance.clip_below(lanes, count)
    radiance.add_up(lanes, count)


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


@kernel
def clear(images: Images, n: int) -> None:
    """Make the n-th image and its layers empty."""
    for layer in (images.images, images.normal, images.albedo, images.pncc):
        if len(layer):
            layer[n] = 0
    if len(images.segmentation):
        images.segmentation[n] = 0
    if len(images.depth):
        images.depth[n] = 0
    for exact in (images.radiance, images.shading, images.specular):
        if len(exact):
            exact[n] = 0


@kernel
def find_values(pixels: Pixels, n: int, surface: Surface, faces: Faces, work: Work) -> None:
    """Weights, depth, normals and albedo of up to BLOCK pixels, into lanes."""
    lanes, chosen = work.lanes, pixels.triangle
    gather(surface.triangles, surface.screen, chosen, lanes)
    weigh(lanes, pixels.place)
    interpolate(surface.triangles, chosen, surface.normals, lanes, NORMAL)
    turn(lanes, len(chosen), faces.model_to_camera[n], NORMAL)
    interpolate(surface.triangles, chosen, surface.reflectance, lanes, ALBEDO)


@kernel
def paint(
    pixels: Pixels, n: int, surface: Surface, faces: Faces, work: Work, images: Images
) -> None:
    """Light pixels whose values are in lanes, and put them into the n-th image and its layers."""
    lanes, chosen, pixel = work.lanes, pixels.triangle, work.pixel[: len(pixels.place)]
    find_pixels(pixels.place, len(work.keys), pixel)
    if len(images.radiance):
        put_exact(lanes, VALUES, pixel, images.radiance[n])
    if len(images.shading):
        put_exact(lanes, SHADING, pixel, images.shading[n])
    if len(images.specular):
        put_exact(lanes, GLOSS, pixel, images.specular[n])
    if len(images.images):
        radiance.light(lanes, len(chosen), faces.illumination[n])
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
