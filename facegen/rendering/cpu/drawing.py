"""A batch of faces drawn: what is seen, then its colours and layers."""

from facegen.rendering.contract import Meshes
from facegen.rendering.cpu.gathering import collect, collect_both, part_hair, see_worn
from facegen.rendering.cpu.glass import glaze
from facegen.rendering.cpu.memory import Faces, Images, Mesh, Work, kernel
from facegen.rendering.cpu.raster import see
from facegen.rendering.cpu.shading import shade_face, shade_worn


@kernel
def draw_bare(faces: Faces, mesh: Mesh, work: Work, images: Images) -> None:
    """Draw a batch of faces, one after the other; what is worn is compiled where it is needed."""
    for n in range(len(faces.points)):
        draw_one(n, faces, mesh, work, images)


@kernel
def draw_one(n: int, faces: Faces, mesh: Mesh, work: Work, images: Images) -> None:
    """Draw the n-th face, that of somebody who wears nothing."""
    clear(images, n)
    see(mesh, faces.points[n], faces.model_to_camera[n], faces.K[n], faces.k1[n], work)
    shade_face(collect(work, images, n), n, mesh, faces, work, images)


@kernel
def draw_dressed(faces: Faces, attire: Meshes, mesh: Mesh, work: Work, images: Images) -> None:
    """Draw a batch of faces, one after the other, and what their people wear."""
    for n in range(len(faces.points)):
        if attire.vertex_start[n + 1] == attire.vertex_start[n]:
            draw_one(n, faces, mesh, work, images)
            continue
        clear(images, n)
        see(mesh, faces.points[n], faces.model_to_camera[n], faces.K[n], faces.k1[n], work)
        see_worn(attire, n, faces, len(mesh.segmentation), work)
        counts = collect_both(work, len(mesh.segmentation), images, n)
        shade_face(counts[0], n, mesh, faces, work, images)
        shade_worn(part_hair(attire, n, counts[1], work), n, attire, faces, work, images)
        if len(images.radiance):
            glaze(n, attire, faces, work, images)


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
