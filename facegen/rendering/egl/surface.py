"""A batch's geometry, normals and reflectance, evaluated on the device from the model's bases."""

import moderngl
import numpy as np
from jaxtyping import Float32, Int32, UInt32

from facegen.errors import DeviceError
from facegen.files import Array
from facegen.models.attire import CLEAR
from facegen.models.morphable_model import LinearModel, MorphableModel
from facegen.recipe.image import Surfaces
from facegen.rendering.contract import FAR_MM, NEAR_MM, Meshes, Scene
from facegen.rendering.cpu.occlusion import transfer_of
from facegen.rendering.egl.programs import bind, shader
from facegen.rendering.rings import rings
from facegen.scene.cameras import Cameras
from facegen.scene.lighting import CONSTANTS, key_light, turned

FACES = 16
MAX_COMPONENTS = 1000
GROUP = 64
# Two matrices, light in two spaces, the key light, and the lens.
FACE_FLOATS = 16 + 16 + 9 * 4 + 9 * 4 + 2 * 4 + 4


class Surface:
    """The model's bases and the batch's geometry, normals and reflectance, on the device."""

    def __init__(
        self,
        context: moderngl.Context,
        model: MorphableModel,
        batch: int,
        surfaces: Surfaces | None = None,
    ) -> None:
        self._context, self.vertices, self.surfaces = context, model.vertices, surfaces
        self._geometry = DeviceModel(context, model.geometry, batch)
        self._reflectance = DeviceModel(context, model.reflectance, batch)
        self._normals = context.compute_shader(shader("normals.comp"))
        self._normals["vertices"] = model.vertices
        starts, corners = corner_rings(model.triangles, model.vertices)
        self._starts, self._corners = context.buffer(starts), context.buffer(corners)
        self._vertex_normals = context.buffer(reserve=12 * model.vertices * batch)
        self._mean = context.buffer(np.ascontiguousarray(model.normalised_mean, np.float32))
        self._faces = context.buffer(reserve=4 * FACE_FLOATS * batch)
        self._segmentation = context.buffer(model.triangle_segments.astype(np.uint32))
        share = np.float32(surfaces.occlusion if surfaces else 0)
        transfer = transfer_of(model) if share else np.zeros((1, 9), np.float32)
        self._transfer = context.buffer(share * transfer)
        self.worn_triangles = self.clear_triangles = 0
        self._worn_vertices, self._worn_corners = (context.buffer(reserve=16) for _ in range(2))
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
        self._put_on(scene.attire)

    def bind(self) -> None:
        """Bind what face.vert and the fragment shaders read."""
        bind(
            (
                self._geometry.values,
                self._vertex_normals,
                self._reflectance.values,
                self._mean,
                self._faces,
                self._segmentation,
                self._worn_vertices,
                self._worn_corners,
                self._transfer,
            )
        )

    def _put_on(self, attire: Meshes | None) -> None:
        """Bring what is worn onto the device, clear lenses last."""
        self.worn_triangles = self.clear_triangles = 0
        if attire is None or not len(attire.triangles):
            return
        clear = attire.material == CLEAR
        self.clear_triangles = int(np.count_nonzero(clear))
        self.worn_triangles = len(clear) - self.clear_triangles
        parts = (attire.points, attire.normals, attire.colours, attire.strand, attire.tangent)
        corners = corner_table(attire)[np.argsort(clear, kind="stable")]
        self._worn_vertices = self._filled(self._worn_vertices, np.concatenate(parts, axis=1))
        self._worn_corners = self._filled(self._worn_corners, corners)

    def _filled(self, buffer: moderngl.Buffer, content: Array) -> moderngl.Buffer:
        """The buffer, or a larger one in its place, with this content."""
        if content.nbytes > buffer.size:
            buffer.release()
            buffer = self._context.buffer(reserve=2 * content.nbytes)
        buffer.write(np.ascontiguousarray(content))
        return buffer


class DeviceModel:
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

    def evaluate(self, coefficients: Float32[Array, "N k"]) -> None:
        """Fill `values`, N times V vertices."""
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


def corner_rings(
    triangles: Int32[Array, "F 3"], vertices: int
) -> tuple[Int32[Array, "V+1"], Int32[Array, "3*F 2"]]:
    """Each vertex's triangles: where they start, and the other two corners of each."""
    others = np.concatenate([np.roll(triangles, -k, axis=1)[:, 1:] for k in range(3)])
    starts, ring = rings(triangles.T.reshape(-1), others, vertices)
    return starts.astype(np.int32), np.ascontiguousarray(ring, np.int32)


def corner_table(attire: Meshes) -> UInt32[Array, "T 4"]:
    """The vertices of each triangle worn, and its owner, material and label."""
    counts = np.diff(attire.triangle_start)
    owner = np.repeat(np.arange(len(counts)), counts)
    table = np.empty((len(owner), 4), np.uint32)
    table[:, :3] = attire.triangles // 3 + attire.vertex_start[owner][:, None]
    table[:, 3] = owner + (attire.material.astype(np.uint32) << 16)
    table[:, 3] += attire.segment.astype(np.uint32) << 24
    return table


def face_table(scene: Scene, size: int) -> Float32[Array, "N {FACE_FLOATS}"]:
    """The shaders' struct Face of each face: matrices by columns, light padded to vec4."""
    table = np.zeros((len(scene), FACE_FLOATS), np.float32)
    cameras, light = scene.cameras, scene.parameters.illumination
    table[:, :16] = np.swapaxes(clip_matrices(cameras, size), 1, 2).reshape(-1, 16)
    table[:, 16:32] = np.swapaxes(cameras.model_to_camera, 1, 2).reshape(-1, 16)
    table[:, -4] = cameras.k1
    vectors = table[:, 32:-4].reshape(-1, 20, 4)[..., :3]
    vectors[:, :9] = light
    vectors[:, 9:18] = turned(light, cameras.model_to_camera[:, :3, :3]) * CONSTANTS[:, None]
    vectors[:, 18:] = key_light(light)
    return table


def clip_matrices(cameras: Cameras, size: int) -> Float32[Array, "N 4 4"]:
    """Camera space to clip space: v = 0, the image's top, is the strip's first row."""
    K = cameras.K
    matrix = np.zeros((len(K), 4, 4), np.float64)
    matrix[:, 0, 0] = 2 * K[:, 0, 0] / size
    matrix[:, 0, 2] = 1 - 2 * K[:, 0, 2] / size
    matrix[:, 1, 1] = -2 * K[:, 1, 1] / size
    matrix[:, 1, 2] = 1 - 2 * K[:, 1, 2] / size
    matrix[:, 2, 2] = -(FAR_MM + NEAR_MM) / (FAR_MM - NEAR_MM)
    matrix[:, 2, 3] = -2 * FAR_MM * NEAR_MM / (FAR_MM - NEAR_MM)
    matrix[:, 3, 2] = -1
    return np.asarray(matrix, np.float32)
