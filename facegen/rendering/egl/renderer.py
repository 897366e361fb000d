"""The OpenGL renderer: batches of faces of one model at one size, all on the device.

Bases stay there. A batch is evaluated, given normals and drawn as one strip of tiles, with one draw
and one read for each layer; nothing is created per image.
"""

from collections import deque
from collections.abc import Mapping

import moderngl
import numpy as np

from facegen.files import Array
from facegen.models.morphable_model import MorphableModel
from facegen.rendering.contract import BENEATH_MAPS, Frames, Renderer, RenderSettings, Scene
from facegen.rendering.egl.context import device_name, open_context
from facegen.rendering.egl.strip import TARGETS, LayerPass, Strip, target_of
from facegen.rendering.egl.surface import Surface

BATCH = 32
MAX_STRIP = 16384
GL_CLIP_DISTANCE0 = 0x3000
NONE, FULL = np.uint8(0), np.uint8(255)
WORN_ALPHA, ONE_LEVEL = 128.5, 1 / 255


class EglRenderer(Renderer):
    """Renders batches of faces of one model at one size, all on the device."""

    ahead = 1

    def __init__(self, model: MorphableModel, settings: RenderSettings, index: int = 0) -> None:
        self._context = open_context(index)
        self.device = f"egl:{index} {device_name(self._context)}"
        self._size = settings.size
        self.batch = self._largest_batch(settings.size)
        known = (*TARGETS, *BENEATH_MAPS)
        self._layers = [name for name in known if settings.draws(name)]
        self._first = self._layers[0] if "image" in self._layers else "radiance"
        surfaces = settings.surfaces if settings.encoding == "srgb" else None
        self._surface = Surface(self._context, model, self.batch, surfaces)
        strip = Strip(settings.size, self.batch)
        self._passes = {
            name: LayerPass(self._context, self._surface, name, strip) for name in self._layers
        }
        shape = (self.batch, settings.size, settings.size)
        self._pixels: dict[str, Array] = {
            name: np.empty((*shape, target_of(name).components), target_of(name).numpy)
            for name in self._layers
        }
        self._free = deque(_Slot(self._context, self._pixels) for _ in range(self.ahead + 1))
        self._waiting: deque[_Slot] = deque()
        self._context.enable_only(moderngl.DEPTH_TEST)
        for plane in range(4):
            self._context.enable_direct(GL_CLIP_DISTANCE0 + plane)

    def submit(self, scene: Scene) -> None:
        """Begin a batch; the device reads it back into memory of its own."""
        slot = self._free.popleft()
        with self._context:
            with slot.evaluate:
                self._surface.evaluate(scene, self._size)
            with slot.render:
                for name in self._layers:
                    self._passes[name].draw(len(scene), slot.pixels[name])
        slot.count = len(scene)
        self._waiting.append(slot)

    def collect(self) -> Frames:
        """Wait for the oldest batch and read it."""
        slot = self._waiting.popleft()
        with self._context:
            strips = {name: self._fetch(name, slot) for name in self._layers}
            timers = {"evaluate": slot.evaluate.elapsed, "render": slot.render.elapsed}
        self._free.append(slot)
        alpha = strips[self._first][..., 3]
        least = WORN_ALPHA * (1 if alpha.dtype == np.uint8 else ONE_LEVEL)
        mask, covered = (np.where(alpha > low, FULL, NONE) for low in (least, 0))
        layers = {name: _without_alpha(strip) for name, strip in strips.items()}
        seconds = {stage: nanoseconds * 1e-9 for stage, nanoseconds in timers.items()}
        return Frames(mask, covered, layers, seconds)

    def close(self) -> None:
        """Release the context and all that lives in it."""
        with self._context:
            for layer_pass in self._passes.values():
                layer_pass.release()
        self._context.release()

    def _largest_batch(self, size: int) -> int:
        limit = min(int(self._context.info["GL_MAX_TEXTURE_SIZE"]), MAX_STRIP)
        return max(1, min(BATCH, limit // size))

    def _fetch(self, name: str, slot: "_Slot") -> Array:
        pixels = self._pixels[name][: slot.count]
        slot.pixels[name].read_into(pixels, size=pixels.nbytes)
        return pixels


class _Slot:
    """What one batch in progress needs: buffers that its pixels are read into, and its timers."""

    def __init__(self, context: moderngl.Context, pixels: Mapping[str, Array]) -> None:
        self.pixels = {name: context.buffer(reserve=array.nbytes) for name, array in pixels.items()}
        self.evaluate, self.render = context.query(time=True), context.query(time=True)
        self.count = 0


def _without_alpha(strip: Array) -> Array:
    if strip.shape[-1] == 1:
        return strip[..., 0]
    return np.ascontiguousarray(strip[..., :3])
