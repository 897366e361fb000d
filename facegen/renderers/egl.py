"""The OpenGL renderer, headless through EGL: the only room that knows OpenGL.

Bases stay on the device. A batch is evaluated, given normals and drawn as one strip of tiles, a
face in each, with one draw and one read for each layer; nothing is created per picture.
"""

import re
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import moderngl
import numpy as np
from numpy.typing import NDArray

from facegen.errors import DeviceError
from facegen.geometry import Cameras
from facegen.morphable_model import LinearModel, MorphableModel
from facegen.parameters import Float32
from facegen.renderers import FAR_MM, NEAR_MM, Frames, Renderer, RenderSettings, Scene

LIBRARIES = {"libgl": "libGL.so.1", "libegl": "libEGL.so.1"}
MEND = "install the EGL libraries (Debian: apt-get install libegl1 libgl1 libgl1-mesa-dri)"
FACES = 16
MAX_COMPONENTS = 1000
BATCH = 32
GROUP = 64
GL_CLIP_DISTANCE0 = 0x3000
FACE_FLOATS = 16 + 16 + 9 * 4


@dataclass(frozen=True)
class Target:
    """How a layer leaves the device: components, bytes of one, and its NumPy type."""

    components: int
    dtype: str
    numpy: type


COLOUR = Target(4, "f1", np.uint8)
TARGETS = {
    "image": COLOUR,
    "depth": Target(1, "f4", np.float32),
    "normal": COLOUR,
    "albedo": COLOUR,
    "parts": Target(1, "f1", np.uint8),
    "correspondence": COLOUR,
}


def device_name(context: moderngl.Context) -> str:
    """The renderer this context got, in the driver's own words."""
    return str(context.info["GL_RENDERER"])


def is_software(name: str) -> bool:
    """Whether the driver's name is that of a renderer on the CPU."""
    return bool(re.search(r"llvmpipe|softpipe|swrast|software", name, re.IGNORECASE))


def open_context(index: int) -> moderngl.Context:
    """A fresh OpenGL 4.3 context on EGL device `index`; DeviceError says what is missing."""
    options: dict[str, Any] = {"backend": "egl", "device_index": index, **LIBRARIES}
    try:
        return moderngl.create_context(require=430, standalone=True, **options)
    except Exception as error:
        fact = " ".join(str(error).split())
        mend = MEND if index == 0 else "`facegen doctor` lists the devices"
        raise DeviceError(f"device egl:{index}: no OpenGL 4.3 context: {fact}", mend) from None


def list_devices(limit: int = 16) -> list[str]:
    """The renderers of EGL devices 0, 1, ... by name."""
    found: list[str] = []
    for index in range(limit):
        try:
            context = open_context(index)
        except DeviceError:
            break
        found.append(device_name(context))
        context.release()
    return found


def hardware_devices() -> list[int]:
    """The EGL devices with hardware behind them."""
    return [i for i, name in enumerate(list_devices()) if not is_software(name)]


def default_device() -> int:
    """The first EGL device with hardware behind it, else the first."""
    return next(iter(hardware_devices()), 0)


class EglRenderer(Renderer):
    """Renders batches of faces of one model at one size, all on the device."""

    ahead = 1

    def __init__(self, model: MorphableModel, settings: RenderSettings, index: int = 0) -> None:
        self._context = open_context(index)
        self.device = f"egl:{index} {device_name(self._context)}"
        self._size = settings.size
        self.batch = self._largest_batch(settings.size)
        self._layers = [name for name in TARGETS if name == "image" or name in settings.layers]
        self._surface = _Surface(self._context, model, self.batch)
        self._passes = {name: self._open_pass(name) for name in self._layers}
        shape = (self.batch, settings.size, settings.size)
        self._pixels: dict[str, NDArray[Any]] = {
            name: np.empty((*shape, TARGETS[name].components), TARGETS[name].numpy)
            for name in self._layers
        }
        self._free = deque(_Slot(self._context, self._pixels) for _ in range(self.ahead + 1))
        self._waiting: deque[_Slot] = deque()
        self._context.enable_only(moderngl.DEPTH_TEST)
        for plane in range(4):
            self._context.enable_direct(GL_CLIP_DISTANCE0 + plane)

    def submit(self, scene: Scene) -> None:
        """Send a batch on its way; the device reads it back into memory of its own."""
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
        """Wait for the oldest batch and bring it over; see the contract in facegen.renderers."""
        slot = self._waiting.popleft()
        with self._context:
            strips = {name: self._fetch(name, slot) for name in self._layers}
            timers = {"evaluate": slot.evaluate.elapsed, "render": slot.render.elapsed}
        self._free.append(slot)
        image = strips.pop("image")
        mask = np.ascontiguousarray(image[..., 3])
        layers = {name: _without_alpha(strip) for name, strip in strips.items()}
        seconds = {stage: nanoseconds * 1e-9 for stage, nanoseconds in timers.items()}
        return Frames(_without_alpha(image), mask, layers, seconds)

    def close(self) -> None:
        """Release the context and all that lives in it."""
        with self._context:
            for one in self._passes.values():
                one.release()
        self._context.release()

    def _largest_batch(self, size: int) -> int:
        limit = min(self._context.info["GL_MAX_TEXTURE_SIZE"], 16384)
        return max(1, min(BATCH, limit // size))

    def _fetch(self, name: str, slot: "_Slot") -> NDArray[Any]:
        pixels = self._pixels[name][: slot.count]
        slot.pixels[name].read_into(pixels, size=pixels.nbytes)
        return pixels

    def _open_pass(self, name: str) -> "_Pass":
        program = self._context.program(shader("face.vert"), fragment_shader=shader(f"{name}.frag"))
        target = TARGETS[name]
        return _Pass(self._context, self._surface, program, target, self._size, self.batch)


class _Slot:
    """What one batch on its way needs: pixel buffers to be read back into, and its timers."""

    def __init__(self, context: moderngl.Context, pixels: Mapping[str, NDArray[Any]]) -> None:
        self.pixels = {name: context.buffer(reserve=one.nbytes) for name, one in pixels.items()}
        self.evaluate, self.render = context.query(time=True), context.query(time=True)
        self.count = 0


class _Surface:
    """The model's bases and the batch's geometry, normals and reflectance, on the device."""

    def __init__(self, context: moderngl.Context, model: MorphableModel, batch: int) -> None:
        self._context, self.vertices = context, model.vertices
        self._geometry = _Linear(context, model.geometry, batch)
        self._reflectance = _Linear(context, model.reflectance, batch)
        self._normals = context.compute_shader(shader("normals.comp"))
        self._normals["vertices"] = model.vertices
        starts, corners = fans(model.triangles, model.vertices)
        self._starts, self._corners = context.buffer(starts), context.buffer(corners)
        self._vertex_normals = context.buffer(reserve=12 * model.vertices * batch)
        self._mean = context.buffer(np.ascontiguousarray(model.normalised_mean, np.float32))
        self._faces = context.buffer(reserve=4 * FACE_FLOATS * batch)
        self._parts = context.buffer(model.triangle_parts.astype(np.uint32))
        self.triangles = context.buffer(np.ascontiguousarray(model.triangles, np.int32))

    def evaluate(self, scene: Scene, size: int) -> None:
        """Bring the batch's geometry, normals, reflectance, cameras and light onto the device."""
        parameters = scene.parameters
        self._geometry.evaluate(parameters.geometry)
        self._reflectance.evaluate(parameters.reflectance)
        bind((self._geometry.values, self._starts, self._corners, self._vertex_normals))
        self._normals.run(-(-self.vertices // GROUP), len(scene), 1)
        self._context.memory_barrier()
        self._faces.write(face_table(scene, size))

    def bind(self) -> None:
        """Bind what face.vert and the fragment shaders read."""
        bind(
            (
                self._geometry.values,
                self._vertex_normals,
                self._reflectance.values,
                self._mean,
                self._faces,
                self._parts,
            )
        )


class _Linear:
    """One linear model on the device: its basis, and the values of the batch."""

    def __init__(self, context: moderngl.Context, model: LinearModel, batch: int) -> None:
        self._components = max(1, model.components)
        if self._components > MAX_COMPONENTS:
            raise DeviceError(
                f"a basis of {model.components} components is over the {MAX_COMPONENTS} that fit",
                "state fewer coefficients in the recipe",
            )
        text = shader("evaluate.comp").replace("COMPONENTS", str(self._components))
        self._context, self._program = context, context.compute_shader(text)
        self._width = model.mean.size
        self._program["width"] = self._width
        basis = model.basis if model.components else np.zeros((1, self._width), np.float32)
        self._mean = context.buffer(np.ascontiguousarray(model.mean))
        self._basis = context.buffer(np.ascontiguousarray(basis))
        blocks = -(-batch // FACES)
        self._columns = np.zeros((blocks, self._components, FACES), np.float32)
        self._coefficients = [context.buffer(reserve=block.nbytes) for block in self._columns]
        self.values = context.buffer(reserve=4 * self._width * blocks * FACES)

    def evaluate(self, coefficients: Float32) -> None:
        """Fill `values` (N, V, 3) from coefficients (N, k)."""
        rows = self._columns.transpose(0, 2, 1).reshape(-1, self._components).copy()
        rows[: len(coefficients), : coefficients.shape[1]] = coefficients
        self._columns[:] = rows.reshape(-1, FACES, self._components).transpose(0, 2, 1)
        bind((self._mean, self._basis, self.values))
        for block in range(-(-len(coefficients) // FACES)):
            self._coefficients[block].write(self._columns[block])
            self._coefficients[block].bind_to_uniform_block(0)
            self._program["first"] = block * FACES
            self._program.run(-(-self._width // GROUP))
        self._context.memory_barrier()


def bind(buffers: tuple[moderngl.Buffer, ...]) -> None:
    """Bind storage buffers to 0, 1, ..."""
    for binding, buffer in enumerate(buffers):
        buffer.bind_to_storage_buffer(binding)


class _Pass:
    """One layer: a program, the strip it draws into, and the memory the strip is read into."""

    def __init__(
        self,
        context: moderngl.Context,
        surface: _Surface,
        program: moderngl.Program,
        target: Target,
        size: int,
        batch: int,
    ) -> None:
        self._surface, self._program, self._target, self._size = surface, program, target, size
        strip = (size, size * batch)
        colour = context.texture(strip, target.components, dtype=target.dtype)
        self._strip = context.framebuffer([colour], context.depth_renderbuffer(strip))
        self._faces = context.vertex_array(program, [], surface.triangles)
        program["vertices"], program["tiles"] = surface.vertices, batch

    def draw(self, count: int, into: moderngl.Buffer) -> None:
        """Draw the first `count` faces and have the strip copied, its first row the top's."""
        self._strip.use()
        self._strip.clear()
        self._surface.bind()
        self._faces.render(instances=count)
        self._strip.read_into(
            into,
            viewport=(self._size, self._size * count),
            components=self._target.components,
            dtype=self._target.dtype,
            alignment=1,
        )

    def release(self) -> None:
        """Free what was made for the pass."""
        for one in (self._faces, self._strip, self._program):
            one.release()


def shader(name: str) -> str:
    """The text of a shader."""
    return (Path(__file__).parent / "shaders" / name).read_text("utf-8")


def fans(
    triangles: NDArray[np.int32], vertices: int
) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """Each vertex's faces: starts (V + 1,), and the other two corners (3 F, 2) in their order."""
    corner = triangles.T.reshape(-1)
    others = np.concatenate([np.roll(triangles, -k, axis=1)[:, 1:] for k in range(3)])
    order = np.argsort(corner, kind="stable")
    starts = np.searchsorted(corner[order], np.arange(vertices + 1))
    return starts.astype(np.int32), np.ascontiguousarray(others[order], np.int32)


def face_table(scene: Scene, size: int) -> Float32:
    """The shaders' struct Face of each face: matrices by columns, light padded to vec4."""
    table = np.zeros((len(scene), FACE_FLOATS), np.float32)
    to_clip = clip_matrix(scene.cameras, size) @ scene.cameras.model_to_camera
    table[:, :16] = np.swapaxes(to_clip, 1, 2).reshape(-1, 16)
    table[:, 16:32] = np.swapaxes(scene.cameras.model_to_camera, 1, 2).reshape(-1, 16)
    table[:, 32:].reshape(-1, 9, 4)[..., :3] = scene.parameters.illumination
    return table


def clip_matrix(cameras: Cameras, size: int) -> Float32:
    """Eye space to clip space (N, 4, 4): v = 0, the picture's top, is the strip's first row."""
    K = cameras.K
    matrix = np.zeros((len(K), 4, 4), np.float64)
    matrix[:, 0, 0] = 2 * K[:, 0, 0] / size
    matrix[:, 0, 2] = 1 - 2 * K[:, 0, 2] / size
    matrix[:, 1, 1] = -2 * K[:, 1, 1] / size
    matrix[:, 1, 2] = 1 - 2 * K[:, 1, 2] / size
    matrix[:, 2, 2] = -(FAR_MM + NEAR_MM) / (FAR_MM - NEAR_MM)
    matrix[:, 2, 3] = -2 * FAR_MM * NEAR_MM / (FAR_MM - NEAR_MM)
    matrix[:, 3, 2] = -1
    return matrix.astype(np.float32)


def _without_alpha(strip: NDArray[Any]) -> NDArray[Any]:
    if strip.shape[-1] == 1:
        return strip[..., 0]
    return np.ascontiguousarray(strip[..., :3])
