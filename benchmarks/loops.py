"""The other ways to render a morphable model's faces: one at a time, as one would write it plainly.

Each face is a matrix-vector product with the bases in NumPy, vertex normals by a sparse matrix,
an upload, a draw, a read-back, a JPEG and its label. Every core runs such a loop in a process of
its own; samples, process set-up and JPEG encoder are facegen's, in the loops' favour.
"""

import os
from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import moderngl
import numpy as np
import scipy.sparse
from jaxtyping import Float32, UInt8
from msgspec.structs import replace

from facegen.dataset.encoding import encode_image
from facegen.dataset.report import ShardReport
from facegen.dataset.shards import sample_key
from facegen.errors import FacegenError
from facegen.files import Array
from facegen.generation.worker import OnSamples, Worker
from facegen.models.morphable_model import MorphableModel
from facegen.recipe.plan import Shard
from facegen.rendering.contract import FAR_MM, NEAR_MM
from facegen.rendering.egl.context import default_device, device_name, open_context
from facegen.sampling.framing import draw_colours
from facegen.sampling.samples import Samples
from facegen.scene.lighting import irradiance

Vertices = Float32[Array, "V 3"]

VERTEX_SHADER = """
#version 330
uniform mat4 to_clip;
uniform mat4 to_camera;
in vec3 position, vertex_normal, reflectance;
out vec3 normal, albedo;

void main() {
    gl_Position = to_clip * vec4(position, 1);
    normal = mat3(to_camera) * vertex_normal;
    albedo = reflectance;
}
"""
FRAGMENT_SHADER = """
#version 330
uniform vec3 illumination[9];
in vec3 normal, albedo;
out vec4 colour;

void main() {
    vec3 n = normalize(normal);
    float h[9] = float[9](
        0.886227, 1.023328 * n.y, 1.023328 * n.z, 1.023328 * n.x,
        0.858086 * n.x * n.y, 0.858086 * n.y * n.z, 0.247708 * (3 * n.z * n.z - 1),
        0.858086 * n.x * n.z, 0.429043 * (n.x * n.x - n.y * n.y));
    vec3 irradiance = vec3(0);
    for (int i = 0; i < 9; ++i) irradiance += h[i] * illumination[i];
    colour = vec4(clamp(albedo * irradiance, 0, 1), 1);
}
"""


@dataclass(frozen=True, eq=False)
class Face:
    """One face to draw: coefficients, camera, light, and the colour behind it."""

    geometry: Float32[Array, "g"]
    reflectance: Float32[Array, "r"]
    model_to_camera: Float32[Array, "4 4"]
    K: Float32[Array, "3 3"]
    illumination: Float32[Array, "9 3"]
    background: Float32[Array, "3"]


class Loop(ABC):
    """A renderer of one face at a time; device: what it renders on, in words."""

    device: str

    def __init__(self, model: MorphableModel, size: int) -> None:
        """Keep the bases, and which triangles meet at each vertex."""
        self.model, self.size = model, size
        self.triangles = np.ascontiguousarray(model.triangles)
        count = len(self.triangles)
        identity = (self.triangles.reshape(-1), np.repeat(np.arange(count), 3))
        ones = np.ones(3 * count, np.float32)
        self._fans = scipy.sparse.csr_matrix((ones, identity), (model.vertices, count))

    @abstractmethod
    def draw(self, face: Face) -> UInt8[Array, "H W 3"]:
        """The face's image."""

    def surface(self, face: Face) -> tuple[Vertices, Vertices, Vertices]:
        """Positions, vertex normals and reflectance."""
        geometry, reflectance = self.model.geometry, self.model.reflectance
        positions = face.geometry @ geometry.basis + geometry.mean.reshape(-1)
        colours = face.reflectance @ reflectance.basis + reflectance.mean.reshape(-1)
        positions = positions.reshape(-1, 3)
        return positions, self.vertex_normals(positions), colours.reshape(-1, 3)

    def vertex_normals(self, positions: Vertices) -> Vertices:
        """The unit normals of vertices."""
        a, b, c = (positions[corner] for corner in self.triangles.T)
        normals = self._fans @ np.cross(b - a, c - a)
        return normals / np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-12)


class ModernglLoop(Loop):
    """Three vertex buffers, one draw, light at each pixel in the shader."""

    def __init__(self, model: MorphableModel, size: int) -> None:
        """Open a context, its buffers and its program."""
        super().__init__(model, size)
        context = open_context(default_device())
        context.enable_only(moderngl.DEPTH_TEST)
        self.device = device_name(context)
        self._program = context.program(VERTEX_SHADER, FRAGMENT_SHADER)
        self._buffers = [context.buffer(reserve=12 * model.vertices) for _ in range(3)]
        names = ("position", "vertex_normal", "reflectance")
        inputs = [(buffer, "3f", name) for buffer, name in zip(self._buffers, names, strict=True)]
        triangles = context.buffer(self.triangles)
        self._surface = context.vertex_array(self._program, inputs, triangles)
        self._target = context.simple_framebuffer((size, size), components=4)

    def draw(self, face: Face) -> UInt8[Array, "H W 3"]:
        for buffer, values in zip(self._buffers, self.surface(face), strict=True):
            buffer.write(values)
        to_clip = clip_matrix(face.K, self.size) @ face.model_to_camera
        self._program["to_clip"].write(np.ascontiguousarray(to_clip.T))
        self._program["to_camera"].write(np.ascontiguousarray(face.model_to_camera.T))
        self._program["illumination"].write(np.ascontiguousarray(face.illumination))
        self._target.use()
        self._target.clear(*face.background)
        self._surface.render()
        pixels = np.frombuffer(self._target.read(components=3, alignment=1), np.uint8)
        return np.ascontiguousarray(pixels.reshape(self.size, self.size, 3)[::-1])


class PyrenderLoop(Loop):
    """Has no such light: vertex colours are lit in NumPy, and drawn flat."""

    def __init__(self, model: MorphableModel, size: int) -> None:
        """Open pyrender's renderer through EGL."""
        super().__init__(model, size)
        # Both are read when the library is imported, and when its renderer is made.
        os.environ["PYOPENGL_PLATFORM"] = "egl"
        os.environ["EGL_DEVICE_ID"] = str(default_device())
        try:
            import pyrender
            from OpenGL.GL import GL_RENDERER, glGetString
        except ImportError as error:
            raise FacegenError(str(error), "pip install 'facegen[benchmarks]'") from None

        self._pyrender = pyrender
        self._renderer = pyrender.OffscreenRenderer(size, size)
        self.device = glGetString(GL_RENDERER).decode()
        self._material = pyrender.MetallicRoughnessMaterial(doubleSided=True)

    def draw(self, face: Face) -> UInt8[Array, "H W 3"]:
        K, flat = face.K, self._pyrender.RenderFlags.FLAT
        focal, centre = (K[0, 0], K[1, 1]), (K[0, 2], K[1, 2])
        camera = self._pyrender.IntrinsicsCamera(*focal, *centre, znear=NEAR_MM, zfar=FAR_MM)
        scene = self._pyrender.Scene(bg_color=face.background)
        scene.add(camera, pose=np.eye(4))
        scene.add(self._pyrender.Mesh([self._lit(face)]), pose=face.model_to_camera)
        return self._renderer.render(scene, flags=flat)[0]

    def _lit(self, face: Face) -> Any:
        """The face as pyrender's primitive, its vertex colours already lit."""
        positions, normals, reflectance = self.surface(face)
        light = irradiance(normals @ face.model_to_camera[:3, :3].T, face.illumination)
        return self._pyrender.Primitive(
            positions=positions,
            color_0=np.clip(reflectance * light, 0, 1),
            indices=self.triangles,
            material=self._material,
            mode=self._pyrender.GLTF.TRIANGLES,
        )


def make_one_by_one(
    kind: type[Loop], worker: Worker, shard: Shard, on_samples: OnSamples
) -> ShardReport:
    """Make the samples of a shard in a loop: the image and theta of each as files."""
    loop, image = open_loop(kind, worker), worker.spec.recipe.image
    for indices in worker.batches(shard):
        samples = worker.sampler.draw(indices)
        for row, face in enumerate(faces_of(worker, samples)):
            path = Path(worker.spec.out) / sample_key(int(indices[row]))
            data = encode_image(loop.draw(face), image)
            path.with_suffix(f".{image.format}").write_bytes(data)
            np.save(path.with_suffix(".npy"), samples.theta[row])
            on_samples(1)
    return replace(worker.report(shard, 0, ""), device=loop.device)


@lru_cache(maxsize=1)
def open_loop(kind: type[Loop], worker: Worker) -> Loop:
    """The worker's loop, in place of its own renderer."""
    worker.close()
    return kind(worker.model, worker.spec.recipe.image.size)


def faces_of(worker: Worker, samples: Samples) -> Iterator[Face]:
    """The samples' faces one by one."""
    backgrounds = draw_colours(worker.spec.recipe.background, worker.spec.seed, samples.indices, 1)[
        :, 0
    ]
    parameters, cameras = samples.parameters, samples.cameras
    columns = (
        parameters.geometry,
        parameters.reflectance,
        cameras.model_to_camera,
        cameras.K,
        parameters.illumination,
        backgrounds,
    )
    return (Face(*row) for row in zip(*columns, strict=True))


def clip_matrix(K: Float32[Array, "3 3"], size: int) -> Float32[Array, "4 4"]:
    """Camera space to OpenGL's clip space for a square image."""
    matrix = np.zeros((4, 4), np.float32)
    matrix[0, 0], matrix[1, 1] = 2 * K[0, 0] / size, 2 * K[1, 1] / size
    matrix[0, 2], matrix[1, 2] = 1 - 2 * K[0, 2] / size, 2 * K[1, 2] / size - 1
    matrix[2, 2] = -(FAR_MM + NEAR_MM) / (FAR_MM - NEAR_MM)
    matrix[2, 3] = -2 * FAR_MM * NEAR_MM / (FAR_MM - NEAR_MM)
    matrix[3, 2] = -1
    return matrix
