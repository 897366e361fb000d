"""Clear lenses: what they reflect is added to what is seen through them; labels stay."""

import numpy as np
from jaxtyping import Float32, UInt8

from facegen.files import Array
from facegen.rendering.contract import Meshes
from facegen.rendering.cpu.memory import (
    BLOCK,
    IDS,
    U32,
    ZERO,
    Faces,
    Images,
    Pixels,
    Work,
    kernel,
)
from facegen.rendering.cpu.pixels import GLOSS, NORMAL, VIEW, add_exact, find_pixels
from facegen.rendering.cpu.raster import REACH
from facegen.rendering.cpu.shading import find_values, light_up, look, worn_surface
from facegen.rendering.cpu.worn import CLEAR_U8, draw_listed, find_farthest, list_visible


@kernel
def glaze(n: int, attire: Meshes, faces: Faces, work: Work, images: Images) -> None:
    """Add what one's clear lenses reflect to the n-th image."""
    count, surface = see_glass(n, attire, work), worn_surface(n, attire, work)
    for start in range(0, count, BLOCK):
        stop = min(start + BLOCK, count)
        pixels = Pixels(work.worn_place[start:stop], work.worn_triangle[start:stop])
        find_values(pixels, n, surface, faces, work)
        look(pixels, n, faces, work.lanes)
        face_viewer(work.lanes, len(pixels.place))
        light_up(pixels, n, surface, faces, work)
        pixel = work.pixel[: len(pixels.place)]
        find_pixels(pixels.place, len(work.keys), pixel)
        add_exact(work.lanes, GLOSS, pixel, images.radiance[n])
        if len(images.specular):
            add_exact(work.lanes, GLOSS, pixel, images.specular[n])


@kernel
def see_glass(n: int, attire: Meshes, work: Work) -> int:
    """List the pixels before which a clear lens stands, and its triangles; how many there are."""
    a, b = attire.vertex_start[n], attire.vertex_start[n + 1]
    s, t = attire.triangle_start[n], attire.triangle_start[n + 1]
    triangles, material, screen = attire.triangles[s:t], attire.material[s:t], work.worn_screen
    if not any_clear(material):
        return 0
    keys, glass, count = work.keys, work.glass, 0
    glass[:] = keys
    find_farthest(keys, work.farthest)
    listed = list_visible(triangles, material, screen, (ZERO, REACH), True, work)
    strand = attire.strand[a:b]
    draw_listed(work.worn_list[:listed], triangles, material, strand, screen, glass, work, 0)
    for row in range(len(keys)):
        for column in range(len(keys)):
            key = glass[row, column]
            work.worn_place[count] = (row << 16) | column
            work.worn_triangle[count] = IDS - U32(key)
            count += key != keys[row, column]
    return count


@kernel
def any_clear(material: UInt8[Array, "T"]) -> bool:
    """Whether any triangle is a clear lens."""
    found = np.uint8(0)
    for t in range(len(material)):
        found |= material[t] == CLEAR_U8
    return bool(found > 0)


@kernel
def face_viewer(lanes: Float32[Array, "rows*block"], count: int) -> None:
    """Turn normals to the camera: lenses have no back."""
    for j in range(count):
        x, y, z = lanes[NORMAL + j], lanes[NORMAL + BLOCK + j], lanes[NORMAL + 2 * BLOCK + j]
        facing = x * lanes[VIEW + j] + y * lanes[VIEW + BLOCK + j] + z * lanes[VIEW + 2 * BLOCK + j]
        x, y, z = (-x, -y, -z) if facing < ZERO else (x, y, z)
        lanes[NORMAL + j], lanes[NORMAL + BLOCK + j], lanes[NORMAL + 2 * BLOCK + j] = x, y, z
