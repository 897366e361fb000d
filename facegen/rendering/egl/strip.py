"""A layer's pass: a batch drawn as one strip of tiles, a face in each, and read into a buffer."""

from dataclasses import dataclass

import moderngl
import numpy as np

from facegen.recipe.image import Surfaces
from facegen.rendering.contract import BENEATH
from facegen.rendering.egl.programs import fragment_shader, vertex_shader
from facegen.rendering.egl.surface import Surface


@dataclass(frozen=True)
class Target:
    """How a layer leaves the device: components, bytes of one, and its NumPy type."""

    components: int
    dtype: str
    numpy: type


GL_BLEND = 0x0BE2
GLAZED = ("radiance", "specular")
COLOUR, LIGHT = Target(4, "f1", np.uint8), Target(4, "f4", np.float32)
TARGETS = {
    "image": COLOUR,
    "depth": Target(1, "f4", np.float32),
    "normal": COLOUR,
    "albedo": COLOUR,
    "segmentation": Target(1, "f1", np.uint8),
    "pncc": COLOUR,
    "radiance": LIGHT,
    "shading": LIGHT,
    "specular": LIGHT,
}


def target_of(layer: str) -> Target:
    """How a layer, or one beneath attire, leaves the device."""
    return TARGETS[layer.removesuffix(BENEATH)]


@dataclass(frozen=True)
class Strip:
    """The tiles of a strip: pixels a side, and how many."""

    size: int
    tiles: int

    @property
    def pixels(self) -> tuple[int, int]:
        """Width and height."""
        return self.size, self.size * self.tiles


class LayerPass:
    """One layer: its programs, and the strip it draws into; of the face alone where `beneath`."""

    def __init__(
        self, context: moderngl.Context, surface: Surface, layer: str, strip: Strip
    ) -> None:
        name = layer.removesuffix(BENEATH)
        self._context = context
        self._surface, self._target, self._size = surface, target_of(layer), strip.size
        self._beneath = name != layer
        self._program, self._worn_program = (
            context.program(vertex_shader(worn), fragment_shader=fragment_shader(name, worn))
            for worn in (False, True)
        )
        self._glazed = name in GLAZED and not self._beneath
        colour = context.texture(strip.pixels, self._target.components, dtype=self._target.dtype)
        depth = context.depth_renderbuffer(strip.pixels)
        self._framebuffer = context.framebuffer([colour], depth)
        self._faces = context.vertex_array(self._program, [], surface.triangles)
        self._worn = context.vertex_array(self._worn_program, [])
        self._program["vertices"], self._program["tiles"] = surface.vertices, strip.tiles
        self._worn_program["tiles"] = strip.tiles
        if surface.surfaces:
            self._light_up(surface.surfaces)

    def _light_up(self, surfaces: Surfaces) -> None:
        """Tell the shaders that have linear light what surfaces show of it."""
        if "lit" in self._program:
            self._program["lit"] = surfaces.occlusion > 0
        for program in (self._program, self._worn_program):
            if "highlights" in program:
                program["highlights"] = surfaces.highlights

    def draw(self, count: int, into: moderngl.Buffer) -> None:
        """Draw the first `count` faces and have the strip copied, its first row the top's."""
        self._framebuffer.use()
        self._framebuffer.clear()
        self._surface.bind()
        self._faces.render(instances=count)
        if not self._beneath:
            self._draw_worn()
        self._framebuffer.read_into(
            into,
            viewport=(self._size, self._size * count),
            components=self._target.components,
            dtype=self._target.dtype,
            alignment=1,
        )

    def _draw_worn(self) -> None:
        """Draw what is worn; what clear lenses reflect is added to what is seen through them."""
        worn, clear = self._surface.worn_triangles, self._surface.clear_triangles
        if worn:
            self._worn.render(moderngl.TRIANGLES, vertices=3 * worn)
        if clear and self._glazed:
            self._glaze(3 * worn, 3 * clear)

    def _glaze(self, first: int, vertices: int) -> None:
        """Add what the nearest lenses reflect: their depth comes first, whatever their order."""
        self._context.enable_direct(GL_BLEND)
        for blend, depth in (((moderngl.ZERO, moderngl.ONE), "<"), ((moderngl.ONE,) * 2, "<=")):
            self._context.blend_func, self._context.depth_func = blend, depth
            self._worn.render(moderngl.TRIANGLES, first=first, vertices=vertices)
        self._context.depth_func = "<"
        self._context.disable_direct(GL_BLEND)

    def release(self) -> None:
        """Free what was made for the pass."""
        for resource in (
            self._faces,
            self._worn,
            self._framebuffer,
            self._program,
            self._worn_program,
        ):
            resource.release()
