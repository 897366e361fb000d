"""The CPU renderer: numba kernels on one core, a batch of faces a call."""

import time

import numba
import numpy as np
from jaxtyping import Float32
from threadpoolctl import threadpool_info

from facegen.errors import DeviceError
from facegen.files import Array
from facegen.models.morphable_model import MorphableModel
from facegen.recipe.recipe import SIZES
from facegen.rendering.contract import Frames, Meshes, Renderer, RenderSettings, Scene
from facegen.rendering.cpu.compiling import cpu
from facegen.rendering.cpu.memory import Faces, Images, mesh_of, work_for
from facegen.rendering.cpu.shading import draw_faces
from facegen.scene.lighting import CONSTANT, CROSS, LINEAR, SECTORAL, ZONAL

BATCH, BATCH_PIXELS = 64, 64 * 256**2
LAYERS = {"depth": 1, "normal": 3, "albedo": 3, "segmentation": 1, "pncc": 3}
HARMONICS = np.array(
    [CONSTANT, LINEAR, LINEAR, LINEAR, CROSS, CROSS, ZONAL, CROSS, SECTORAL], np.float32
)


class CpuRenderer(Renderer):
    """Renders batches of faces of one model at one size; a scene when it is collected."""

    def __init__(
        self, model: MorphableModel, settings: RenderSettings, batch: int | None = None
    ) -> None:
        if not 1 <= settings.size <= SIZES[-1]:
            raise DeviceError(
                f"images of {settings.size} pixels cannot be drawn on the CPU",
                f"state a size from 1 to {SIZES[-1]}",
            )
        self.device = device_name()
        batch = batch or max(1, min(BATCH, BATCH_PIXELS // settings.size**2))
        self.batch = batch
        self._model, self._settings = model, settings
        self._scenes: list[Scene] = []
        self._mesh = mesh_of(model.triangles, model.triangle_segments, model.normalised_mean)
        self._work = work_for(model.vertices, len(model.triangles), settings.size)
        self._points = np.empty((batch, model.vertices, 3), np.float32)
        self._reflectance = np.empty_like(self._points)
        self._images = images_for(settings, batch)

    def submit(self, scene: Scene) -> None:
        self._scenes.append(scene)

    def collect(self) -> Frames:
        scene = self._scenes.pop(0)
        started = time.perf_counter()
        faces = self._evaluate(scene)
        evaluated = time.perf_counter()
        draw_faces(faces, self._worn(scene), self._mesh, self._work, self._images)
        seconds = {"evaluate": evaluated - started, "render": time.perf_counter() - evaluated}
        return self._frames(len(scene), seconds)

    def close(self) -> None:
        self._scenes.clear()

    def _evaluate(self, scene: Scene) -> Faces:
        count, parameters = len(scene), scene.parameters
        points, reflectance = self._points[:count], self._reflectance[:count]
        self._model.geometry.evaluate(parameters.geometry, points)
        self._model.reflectance.evaluate(contiguous(parameters.reflectance), reflectance)
        return Faces(
            points.reshape(count, -1),
            reflectance.reshape(count, -1),
            contiguous(scene.cameras.model_to_camera),
            contiguous(scene.cameras.K),
            contiguous(parameters.illumination * HARMONICS[:, None]),
        )

    def _worn(self, scene: Scene) -> Meshes:
        """What is worn, with memory for it on the screen."""
        meshes = nothing_worn(len(scene)) if scene.attire is None else scene.attire
        needed = 3 * int(np.diff(meshes.vertex_start).max(initial=0))
        if needed > len(self._work.worn_screen):
            self._work = self._work._replace(worn_screen=np.empty(needed, np.float32))
        return meshes

    def _frames(self, count: int, seconds: dict[str, float]) -> Frames:
        square = (count, self._settings.size, self._settings.size)
        drawn = self._images
        layers = {
            name: getattr(drawn, name)[:count].reshape(*square, *[3] * (channels == 3))
            for name, channels in LAYERS.items()
            if name in self._settings.layers
        }
        images, mask = drawn.images[:count].reshape(*square, 3), drawn.mask[:count].reshape(square)
        covered = drawn.covered[:count].reshape(square)
        return Frames(images, mask, covered, layers, seconds)


def device_name() -> str:
    """All that decides this renderer's bytes: the CPU compiled for, numba, BLAS, its kernels."""
    name, features = cpu()
    return f"cpu {name} (numba {numba.__version__}, {blas()}); {features or 'no features'}"


def blas() -> str:
    """The library behind NumPy's matrix products, its version, and the core it chose."""
    loaded = [one for one in threadpool_info() if one["user_api"] == "blas"]
    loaded.sort(key=lambda one: "numpy" not in one["filepath"])
    if not loaded:
        return "BLAS unknown"
    keys = ("internal_api", "version", "architecture")
    return " ".join(str(loaded[0][key]) for key in keys if loaded[0].get(key))


def contiguous(values: Array) -> Float32[Array, "..."]:
    """The values as kernels and BLAS take them: float32, one after the other."""
    return np.ascontiguousarray(values, np.float32)


def images_for(settings: RenderSettings, batch: int) -> Images:
    """Images for a batch, with rows only for what is asked for."""
    pixels = settings.size**2

    def layer(name: str) -> Array:
        rows = batch if name in settings.layers else 0
        kind = np.float32 if name == "depth" else np.uint8
        return np.zeros((rows, LAYERS[name] * pixels), kind)

    images = np.zeros((batch, 3 * pixels), np.uint8)
    mask, covered = np.zeros((2, batch, pixels), np.uint8)
    return Images(images, mask, covered, **{name: layer(name) for name in LAYERS})


def nothing_worn(count: int) -> Meshes:
    """The meshes of people who wear nothing."""
    starts = np.zeros(count + 1, np.int64)
    rows = [np.empty((0, 3), np.float32) for _ in range(5)]
    labels = [np.empty(0, np.uint8) for _ in range(2)]
    return Meshes(starts, starts, *rows, np.empty((0, 3), np.uint32), *labels)
