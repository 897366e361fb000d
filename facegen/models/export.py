"""One face of a model as a file of other programs: obj, ply, glb with morph targets."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from jaxtyping import Float32, Int32, UInt8

from facegen.errors import FacegenError, ModelError, in_one_line, located
from facegen.files import Array, write_file
from facegen.models import extras, hdf5
from facegen.models.morphable_model import MorphableModel
from facegen.scene.parameters import Parameters

KINDS = {".obj": b"# facegen", ".ply": b"ply", ".glb": b"glTF"}
METRES_PER_MM = np.float32(0.001)


@dataclass(frozen=True, eq=False)
class Texture:
    """Texture coordinates (M, 2), and which of them each triangle's corners have (F, 3)."""

    uv: Float32[Array, "M 2"]
    triangles: Int32[Array, "F 3"]


@dataclass(frozen=True, eq=False)
class Face:
    """A face in model space: vertices (V, 3) in mm, colours (V, 3), triangles (F, 3).

    targets: displacements (V, 3) of named expressions; weights: how much of each there is already.
    """

    name: str
    points: Float32[Array, "V 3"]
    colours: UInt8[Array, "V 3"]
    triangles: Int32[Array, "F 3"]
    texture: Texture | None = None
    targets: Mapping[str, Float32[Array, "V 3"]] = field(default_factory=dict)
    weights: tuple[float, ...] = ()


def face_of(model: MorphableModel, path: Path, parameters: Parameters | None) -> Face:
    """The face of one sample's parameters, or the mean face; path: the model's file."""
    with located(path), hdf5.opened(extras.inside(path)[0], ModelError) as file:
        uv, shapes = extras.read_texture(file), extras.read_targets(file, model.vertices)
        if uv and len(uv[1]) != len(model.triangles):
            raise ModelError("its texture is that of another number of triangles")
    points, reflectance, weights = model.mean_face, model.reflectance.mean, np.zeros(len(shapes))
    if model.expression_names:
        moves = model.expression.basis.reshape(-1, model.vertices, 3)
        shapes = dict(zip(model.expression_names, moves, strict=True))
        weights = np.zeros(len(shapes))
    if parameters is not None:
        geometry = parameters.geometry
        if model.expression_names:  # Kept apart, so that other programs can change them.
            weights = parameters.expression[0]
            neutral = np.zeros_like(parameters.expression)
            geometry = np.concatenate([parameters.shape, neutral], axis=1)
        points = model.geometry.evaluate(geometry)[0]
        reflectance = model.reflectance.evaluate(parameters.reflectance)[0]
    return Face(
        in_one_line(model.name),
        points,
        np.round(255 * reflectance.clip(0, 1)).astype(np.uint8),
        model.triangles,
        Texture(*uv) if uv else None,
        shapes,
        tuple(weights.tolist()),
    )


def posed(face: Face) -> Float32[Array, "V 3"]:
    """The vertices with the named expressions that the face has already, for files without them."""
    moves = [w * target for w, target in zip(face.weights, face.targets.values(), strict=True)]
    return np.asarray(face.points + sum(moves, np.zeros_like(face.points)), np.float32)


def write_face(path: Path, face: Face) -> None:
    """Write the face in the format of the path's suffix; FacegenError says why it cannot be."""
    write_file(path, {".obj": _obj, ".ply": _ply, ".glb": _glb}[path.suffix.lower()](face))


def _obj(face: Face) -> bytes:
    """Wavefront: vertices in mm with colours from 0 to 1, texture coordinates, triangles from 1."""
    points = np.column_stack([posed(face), face.colours / 255])
    lines = [f"# facegen: {face.name}, millimetres"]
    lines += ["v {:.5f} {:.5f} {:.5f} {:.4f} {:.4f} {:.4f}".format(*row) for row in points]
    if face.texture is None:
        lines += ["f {} {} {}".format(*row) for row in face.triangles + 1]
        return "\n".join([*lines, ""]).encode()
    lines += ["vt {:.6f} {:.6f}".format(*row) for row in face.texture.uv]
    corners = np.stack([face.triangles, face.texture.triangles], axis=2).reshape(-1, 6) + 1
    lines += ["f {}/{} {}/{} {}/{}".format(*row) for row in corners]
    return "\n".join([*lines, ""]).encode()


def _ply(face: Face) -> bytes:
    """Binary PLY: vertices in mm with colours, one for each texture coordinate; triangles."""
    corners = _corners(face)
    fields = [("p", "<f4", 3), ("c", "u1", 3), *([("t", "<f4", 2)] if face.texture else [])]
    table = np.zeros(len(corners.vertices), fields)
    table["p"], table["c"] = posed(face)[corners.vertices], face.colours[corners.vertices]
    if face.texture is not None:
        table["t"] = face.texture.uv[corners.uv]
    rows = np.zeros(len(corners.triangles), [("n", "u1"), ("v", "<i4", 3)])
    rows["n"], rows["v"] = 3, corners.triangles
    properties = [f"property float {axis}" for axis in "xyz"]
    properties += [f"property uchar {channel}" for channel in ("red", "green", "blue")]
    properties += [f"property float {axis}" for axis in "st"] if face.texture is not None else []
    header = [
        "ply",
        "format binary_little_endian 1.0",
        f"comment facegen: {face.name}, millimetres",
        f"element vertex {len(table)}",
        *properties,
        f"element face {len(rows)}",
        "property list uchar int vertex_indices",
        "end_header\n",
    ]
    return "\n".join(header).encode() + table.tobytes() + rows.tobytes()


@dataclass(frozen=True, eq=False)
class Corners:
    """Different pairs of vertex and texture coordinate (n,), and triangles (F, 3) of pairs."""

    vertices: Int32[Array, "n"]
    uv: Int32[Array, "n"]
    triangles: Int32[Array, "F 3"]


def _corners(face: Face) -> Corners:
    """A vertex on a seam once for each of its texture coordinates."""
    if face.texture is None:
        every = np.arange(len(face.points), dtype=np.int32)
        return Corners(every, every, face.triangles)
    pairs = np.stack([face.triangles, face.texture.triangles], axis=2).reshape(-1, 2)
    different, index = np.unique(pairs, axis=0, return_inverse=True)
    return Corners(different[:, 0], different[:, 1], index.reshape(-1, 3).astype(np.int32))


def _glb(face: Face) -> bytes:
    """Binary glTF 2.0: metres, linear colours, the named expressions as morph targets."""
    try:
        from facegen.models.gltf import glb
    except ImportError:
        raise FacegenError("a .glb needs pygltflib", "pip install 'facegen[export]'") from None
    corners = _corners(face)
    linear = _linear(face.colours[corners.vertices].astype(np.float32) / 255)
    return glb(
        face.name,
        {
            "POSITION": METRES_PER_MM * face.points[corners.vertices],
            "COLOR_0": linear,
            **({"TEXCOORD_0": _flipped(face.texture.uv[corners.uv])} if face.texture else {}),
        },
        corners.triangles,
        {n: METRES_PER_MM * move[corners.vertices] for n, move in face.targets.items()},
        face.weights,
    )


def _linear(colours: Float32[Array, "V 3"]) -> Float32[Array, "V 3"]:
    """Colours as displays take them -> as light adds (IEC 61966-2-1, sRGB)."""
    low = colours / 12.92
    return np.asarray(np.where(colours <= 0.04045, low, ((colours + 0.055) / 1.055) ** 2.4))


def _flipped(uv: Float32[Array, "n 2"]) -> Float32[Array, "n 2"]:
    """Texture coordinates from the lower left -> from the upper left, as glTF counts them."""
    return np.column_stack([uv[:, 0], 1 - uv[:, 1]]).astype(np.float32)
