"""The CPU renderer: numba kernels on one core, a batch of faces a call."""

import time
from collections.abc import Collection

import numba
import numpy as np
from jaxtyping import Float32
from threadpoolctl import threadpool_info

from facegen.errors import DeviceError
from facegen.files import Array
from facegen.models.morphable_model import MorphableModel
from facegen.recipe.image import SIZES
from facegen.rendering.contract import (
    BENEATH,
    BENEATH_MAPS,
    Frames,
    Meshes,
    Renderer,
    RenderSettings,
    Scene,
)
from facegen.rendering.cpu.compiling import cpu
from facegen.rendering.cpu.drawing import draw_bare, draw_dressed
from facegen.rendering.cpu.memory import F, Faces, Images, mesh_of, with_room, work_for
from facegen.rendering.cpu.occlusion import transfer_of
from facegen.scene.lighting import CONSTANTS, key_light, turned

BATCH, BATCH_PIXELS = 64, 64 * 256**2
LAYERS = {
    "image": (3, np.uint8),
    "depth": (1, np.float32),
    "normal": (3, np.uint8),
    "albedo": (3, np.uint8),
    "segmentation": (1, np.uint8),
    "pncc": (3, np.uint8),
    "radiance": (3, np.float32),
    "shading": (3, np.float32),
    "specular": (3, np.float32),
}
FIELDS = {"image": "images"}
HARMONICS = CONSTANTS.astype(np.float32)


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
        lit = settings.encoding == "srgb"
        share = settings.surfaces.occlusion if lit else 0.0
        kept_off = np.float32(share) * transfer_of(model) if share else np.empty(0, np.float32)
        segments = model.triangle_segments
        self._mesh = mesh_of(model.triangles, segments, model.normalised_mean, kept_off.reshape(-1))
        self._work = work_for(model.vertices, len(model.triangles), settings.size)
        self._points = np.empty((batch, model.vertices, 3), np.float32)
        self._reflectance = np.empty_like(self._points)
        beneath = {name.removesuffix(BENEATH) for name in settings.layers if name in BENEATH_MAPS}
        plain = {name for name in LAYERS if settings.draws(name)}
        self._images = images_for(settings.size, batch, plain)
        self._beneath = images_for(settings.size, batch if beneath else 0, beneath)

    def submit(self, scene: Scene) -> None:
        self._scenes.append(scene)

    def collect(self) -> Frames:
        scene = self._scenes.pop(0)
        started = time.perf_counter()
        faces = self._evaluate(scene)
        evaluated = time.perf_counter()
        if scene.attire is None:
            draw_bare(faces, self._mesh, self._work, self._images)
        else:
            self._make_room(scene.attire)
            draw_dressed(faces, scene.attire, self._mesh, self._work, self._images)
        if len(self._beneath.mask):
            draw_bare(faces, self._mesh, self._work, self._beneath)
        seconds = {"evaluate": evaluated - started, "render": time.perf_counter() - evaluated}
        return self._frames(len(scene), seconds)

    def close(self) -> None:
        self._scenes.clear()

    def _evaluate(self, scene: Scene) -> Faces:
        count, parameters, cameras = len(scene), scene.parameters, scene.cameras
        points, reflectance = self._points[:count], self._reflectance[:count]
        self._model.geometry.evaluate(parameters.geometry, points)
        self._model.reflectance.evaluate(contiguous(parameters.reflectance), reflectance)
        illumination, local, key = self._light(scene)
        return Faces(
            points.reshape(count, -1),
            reflectance.reshape(count, -1),
            contiguous(cameras.model_to_camera),
            contiguous(cameras.K),
            contiguous(cameras.k1),
            illumination,
            local,
            key,
            F(self._settings.surfaces.highlights),
        )

    def _light(
        self, scene: Scene
    ) -> tuple[Float32[Array, "N 9 3"], Float32[Array, "N 9 3"], Float32[Array, "N 2 3"]]:
        """The light times its basis' constants, in camera and in model space, and its key light."""
        illumination = scene.parameters.illumination
        scaled = contiguous(illumination * HARMONICS[:, None])
        if self._settings.encoding == "display":
            return scaled, scaled, contiguous(scaled[:, :2])
        local = turned(illumination, scene.cameras.model_to_camera[:, :3, :3])
        return scaled, contiguous(local * HARMONICS[:, None]), key_light(illumination)

    def _make_room(self, meshes: Meshes) -> None:
        """Have memory for what is worn on the screen."""
        vertices = int(np.diff(meshes.vertex_start).max(initial=0))
        triangles = int(np.diff(meshes.triangle_start).max(initial=0))
        self._work = with_room(self._work, vertices, triangles)

    def _frames(self, count: int, seconds: dict[str, float]) -> Frames:
        square = (count, self._settings.size, self._settings.size)
        layers = self._layers(self._images, square)
        beneath = self._layers(self._beneath, square)
        layers |= {name + BENEATH: layer for name, layer in beneath.items()}
        mask, covered = (a[:count].reshape(square) for a in self._images[1:3])
        return Frames(mask, covered, layers, seconds)

    def _layers(self, images: Images, square: tuple[int, int, int]) -> dict[str, Array]:
        """The layers that have rows, as (N, S, S) or (N, S, S, 3)."""
        rows = {name: getattr(images, FIELDS.get(name, name)) for name in LAYERS}
        return {
            name: rows[name][: square[0]].reshape(*square, *[3] * (LAYERS[name][0] == 3))
            for name in LAYERS
            if len(rows[name])
        }


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


def images_for(size: int, batch: int, names: Collection[str]) -> Images:
    """Images for a batch, with rows only for these layers."""
    pixels = size**2
    rows = {
        FIELDS.get(name, name): np.zeros((batch if name in names else 0, channels * pixels), kind)
        for name, (channels, kind) in LAYERS.items()
    }
    mask, covered = np.zeros((2, batch, pixels), np.uint8)
    return Images(mask=mask, covered=covered, **rows)
