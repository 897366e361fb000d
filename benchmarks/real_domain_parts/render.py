"""The path tracer: a subject, a place and a camera -> linear radiance. Only this knows Mitsuba."""

from dataclasses import dataclass
from typing import Any

import drjit
import mitsuba
import numpy as np
from numpy.typing import NDArray

from facegen.models.morphable_model import SEGMENTS, MorphableModel
from facegen.scene.cameras import to_camera_space

from .body import Surface, draw_body, neck_rim
from .lights import Lamp, Lighting
from .randomness import Random
from .subjects import Subject
from .tones import to_linear

mitsuba.set_variant("scalar_rgb")
DEVICE = f"mitsuba {mitsuba.__version__} {mitsuba.variant()}"

Float64 = NDArray[np.float64]
Spec = dict[str, Any]
Transform = mitsuba.ScalarTransform4f

BOUNCES, HEAD_BOUNCES = 3, 4
GEOMETRY_SAMPLES = 16
NEAR_MM, FAR_MM = 50.0, 10_000.0
ROUGHNESS = {"eyes": 0.2, "lips": 0.75, "teeth": 0.4, "mouth": 0.6, "scalp": 1.3, "brows": 1.3}
WET = ("eyes", "teeth", "mouth")


@dataclass(frozen=True)
class Skin:
    """How skin shines: parameters of the principled BSDF."""

    roughness: float
    specular: float
    sheen: float


@dataclass(frozen=True, eq=False)
class Take:
    """What the camera saw in S x S pixels, linear.

    radiance (S, S, 3) and alpha (S, S) of face and body, premultiplied. Of the face alone, averaged
    over each pixel: coverage (S, S), normals (S, S, 3) in eye space, reflectance (S, S, 3).
    """

    radiance: Float64
    alpha: Float64
    coverage: Float64
    normals: Float64
    reflectance: Float64

    @property
    def mask(self) -> NDArray[np.bool_]:
        """Where the face is (S, S)."""
        return self.coverage >= 0.5


def draw_skin(rng: Random) -> Skin:
    """Dry to oily."""
    return Skin(rng.uniform(0.38, 0.65), rng.uniform(0.3, 0.6), rng.uniform(0, 0.3))


class Tracer:
    """Photographs one model's faces in `size` pixels with so many paths in each.

    One thread, because sums of floats depend on their order; run several processes instead.
    """

    def __init__(self, model: MorphableModel, size: int, samples: int) -> None:
        """Set Mitsuba up for this process."""
        drjit.set_thread_count(1)
        mitsuba.set_log_level(mitsuba.LogLevel.Error)
        self.model, self.size, self.samples = model, size, samples
        self._rim = neck_rim(model)
        self._roughness = np.ones(model.vertices)
        self._wetness = np.isin(model.segmentation, [SEGMENTS.index(name) for name in WET])
        for name, factor in ROUGHNESS.items():
            self._roughness[model.segmentation == SEGMENTS.index(name)] = factor

    def take(self, subject: Subject, lighting: Lighting, skin: Skin, rng: Random) -> Take:
        """Dress the subject and trace the image; `rng` draws the clothes and the paths."""
        face = self._face(subject)
        body = self._body(subject, face, rng)
        meshes = {"face": _mesh(face, self._skin(skin)), "body": _mesh(body, _cloth())}
        lights = {"far": _environment(lighting.environment)}
        lights |= {f"lamp{i}": _lamp(lamp, subject) for i, lamp in enumerate(lighting.lamps)}
        path = {"type": "path", "max_depth": BOUNCES, "hide_emitters": True}
        camera = self._camera(subject)
        seed = int(rng.integers(2**31))
        colour = _render(meshes | lights, path, camera, self.samples, seed)
        bare = {"type": "aov", "aovs": "n:sh_normal,a:albedo", "inner": {"type": "depth"}}
        shape = _render({"face": meshes["face"]}, bare, camera, GEOMETRY_SAMPLES, seed)
        parts = (colour[..., :3], colour[..., 3], shape[..., 3], shape[..., 4:7], shape[..., 7:10])
        return Take(*parts)

    def head(self, subject: Subject, environment: Float64, skin: Skin, seed: int) -> Float64:
        """The linear radiance (S, S, 3) of the head alone in distant light."""
        things = {"face": _mesh(self._face(subject), self._skin(skin))}
        things["far"] = _environment(environment)
        path = {"type": "path", "max_depth": HEAD_BOUNCES, "hide_emitters": True}
        return _render(things, path, self._camera(subject), self.samples, seed)[..., :3]

    def _face(self, subject: Subject) -> Surface:
        parameters = subject.parameters
        points = self.model.geometry.evaluate(parameters.geometry)
        colours = self.model.reflectance.evaluate(parameters.reflectance)[0]
        vertices = to_camera_space(points, subject.cameras.model_to_camera)[0]
        return Surface(vertices, self.model.triangles, np.clip(colours, 0, 1))

    def _body(self, subject: Subject, face: Surface, rng: Random) -> Surface:
        yaw, head = subject.parameters.rotation[0, 1], subject.cameras.model_to_camera[0, :3, 3]
        return draw_body(face.vertices[self._rim], face.colours[self._rim], yaw, head, rng)

    def _skin(self, skin: Skin) -> tuple[Spec, dict[str, Float64]]:
        """The skin's BSDF and the attributes per vertex that it reads."""
        bsdf = {
            "type": "principled",
            "base_color": _attribute("vertex_color"),
            "roughness": _attribute("vertex_roughness"),
            "clearcoat": _attribute("vertex_wetness"),
            "clearcoat_gloss": 0.97,
            "specular": skin.specular,
            "sheen": skin.sheen,
        }
        roughness = np.clip(self._roughness * skin.roughness, 0.05, 1)
        return bsdf, {"vertex_roughness": roughness, "vertex_wetness": 1.0 * self._wetness}

    def _camera(self, subject: Subject) -> Spec:
        """A perspective camera in the origin of eye space with the subject's K."""
        K, size = subject.cameras.K[0].astype(np.float64), self.size
        film = {"type": "hdrfilm", "width": size, "height": size, "pixel_format": "rgba"}
        return {
            "type": "perspective",
            "fov": float(np.degrees(2 * np.arctan(size / 2 / K[0, 0]))),
            "principal_point_offset_x": 0.5 - K[0, 2] / size,
            "principal_point_offset_y": 0.5 - K[1, 2] / size,
            "near_clip": NEAR_MM,
            "far_clip": FAR_MM,
            "to_world": Transform().look_at(origin=[0, 0, 0], target=[0, 0, -1], up=[0, 1, 0]),
            "film": film | {"rfilter": {"type": "box"}, "component_format": "float32"},
        }


def _render(things: Spec, integrator: Spec, camera: Spec, samples: int, seed: int) -> Float64:
    sampler = {"type": "multijitter", "sample_count": samples}
    scene = {"type": "scene", "integrator": integrator, "sensor": camera | {"sampler": sampler}}
    return np.array(mitsuba.render(mitsuba.load_dict(scene | things), seed=seed), np.float64)


def _mesh(surface: Surface, look: tuple[Spec, dict[str, Float64]]) -> mitsuba.Mesh:
    """The surface with its BSDF, smooth, its colours made linear."""
    bsdf, attributes = look
    properties = mitsuba.Properties()
    properties["bsdf"] = mitsuba.load_dict(bsdf)
    counts = len(surface.vertices), len(surface.triangles)
    mesh = mitsuba.Mesh("mesh", *counts, has_vertex_normals=True, props=properties)
    mesh.add_attribute("vertex_color", 3, _flat(to_linear(surface.colours)))
    for name, values in attributes.items():
        mesh.add_attribute(name, 1, _flat(values))
    buffers = mitsuba.traverse(mesh)
    buffers["vertex_positions"] = _flat(surface.vertices)
    buffers["vertex_normals"] = _flat(_normals(surface))
    buffers["faces"] = surface.triangles.astype(np.uint32).ravel()
    buffers.update()
    return mesh


def _normals(surface: Surface) -> Float64:
    """Vertex normals (V, 3): the face normals around, weighted by area."""
    corners = surface.vertices[surface.triangles].astype(np.float64)
    faces = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    flat = surface.triangles.T.ravel()
    sums = [np.bincount(flat, np.tile(axis, 3), len(surface.vertices)) for axis in faces.T]
    normals = np.stack(sums, axis=1)
    return normals / np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-12)


def _cloth() -> tuple[Spec, dict[str, Float64]]:
    bsdf = {"type": "diffuse", "reflectance": _attribute("vertex_color")}
    return {"type": "twosided", "bsdf": bsdf}, {}


def _attribute(name: str) -> Spec:
    return {"type": "mesh_attribute", "name": name}


def _flat(values: Float64) -> NDArray[np.float32]:
    return np.ascontiguousarray(values, np.float32).ravel()


def _environment(radiance: Float64) -> Spec:
    return {"type": "envmap", "bitmap": mitsuba.Bitmap(radiance.astype(np.float32))}


def _lamp(lamp: Lamp, subject: Subject) -> Spec:
    head = subject.cameras.model_to_camera[0, :3, 3].astype(np.float64)
    towards = Transform().look_at(origin=head + lamp.position, target=head, up=[0, 1, 0])
    colour = {"type": "rgb", "value": lamp.radiance.tolist()}
    return {
        "type": "rectangle",
        "to_world": towards @ Transform().scale(lamp.half_side),
        "emitter": {"type": "area", "radiance": colour},
    }
