"""The colour of each covered pixel, and its layers: once, after all triangles are drawn."""

from jaxtyping import Float32

from facegen.files import Array
from facegen.rendering.contract import Meshes
from facegen.rendering.cpu import radiance
from facegen.rendering.cpu.gathering import (
    find_kept_off,
    find_normals,
    list_seen,
    mark,
)
from facegen.rendering.cpu.lanes import gather
from facegen.rendering.cpu.memory import (
    BLOCK,
    ONE,
    ZERO,
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
    VALUES,
    add_exact,
    find_pixels,
    interpolate,
    put,
    turn,
    weigh,
)
from facegen.rendering.cpu.strands import comb
from facegen.rendering.finishes import MATERIALS


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
            look(pixels, n, faces, work.lanes)
            light_up(pixels, n, surface, faces, work)
            finish_light(pixels, n, surface, faces, work)
        paint(pixels, n, surface, faces, work, images)


@kernel
def worn_surface(n: int, attire: Meshes, work: Work) -> Surface:
    """What one wears, as pixels are shaded from it."""
    a, b = attire.vertex_start[n], attire.vertex_start[n + 1]
    s, t = attire.triangle_start[n], attire.triangle_start[n + 1]
    material, nothing = attire.material[s:t], work.normals[:0]
    return Surface(
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


@kernel
def shade_worn(
    counts: tuple[int, int], n: int, attire: Meshes, faces: Faces, work: Work, images: Images
) -> None:
    """Colour the pixels where one sees what is worn: so many of hair, and so many others."""
    a, b = attire.vertex_start[n], attire.vertex_start[n + 1]
    surface = worn_surface(n, attire, work)
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
            look(pixels, n, faces, work.lanes)
            light_up(pixels, n, surface, faces, work)
            finish_light(pixels, n, surface, faces, work)
        paint(pixels, n, surface, faces, work, images)


@kernel
def look(pixels: Pixels, n: int, faces: Faces, lanes: Float32[Array, "rows*block"]) -> None:
    """The unit vectors from what pixels show to the camera, into lanes."""
    radiance.look(lanes, pixels.place, faces.K[n])
    if faces.k1[n] != ZERO:
        radiance.straighten(lanes, len(pixels.place), faces.k1[n])


@kernel
def light_up(pixels: Pixels, n: int, surface: Surface, faces: Faces, work: Work) -> None:
    """Linear albedo, irradiance and highlights of pixels as VIEW sees them, into lanes."""
    lanes, chosen, count = work.lanes, pixels.triangle, len(pixels.place)
    radiance.linearise(lanes)
    radiance.irradiate(lanes, count, faces.illumination[n], SHADING)
    radiance.shine(lanes, count, faces.illumination[n])
    finish, first = surface.finish, surface.first_finish
    radiance.pick_finishes(lanes, chosen, finish, first, faces.highlights)
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
    radiance.linearise(lanes)
    radiance.irradiate(lanes, count, faces.illumination[n], SHADING)
    look(pixels, n, faces, lanes)
    interpolate(surface.triangles, pixels.triangle, tangent, lanes, TANGENT)
    turn(lanes, count, faces.model_to_camera[n], TANGENT)
    radiance.gleam(lanes, count, faces.key[n], faces.highlights)
    finish_light(pixels, n, surface, faces, work)


@kernel
def finish_light(pixels: Pixels, n: int, surface: Surface, faces: Faces, work: Work) -> None:
    """Take off the light that surroundings keep off, and add all up."""
    lanes = work.lanes
    if len(surface.kept_off):
        interpolate(surface.triangles, pixels.triangle, surface.kept_off, lanes, TANGENT)
        radiance.keep_off(lanes, faces.illumination[n], TANGENT)
        radiance.shine_less(lanes, TANGENT)
    else:
        radiance.clip_below(lanes, faces.illumination[n])
    radiance.add_up(lanes)


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
        add_exact(lanes, VALUES, pixel, images.radiance[n])
    if len(images.shading):
        add_exact(lanes, SHADING, pixel, images.shading[n])
    if len(images.specular):
        add_exact(lanes, GLOSS, pixel, images.specular[n])
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
