"""A mesh as binary glTF: the only room that knows pygltflib."""

from collections.abc import Mapping, Sequence

import numpy as np
import pygltflib as gltf
from jaxtyping import Float32, Int32

from facegen.files import Array


def glb(
    name: str,
    attributes: Mapping[str, Float32[Array, "V c"]],
    triangles: Int32[Array, "F 3"],
    targets: Mapping[str, Float32[Array, "V 3"]],
    weights: Sequence[float],
) -> bytes:
    """The bytes of a .glb: one mesh with these attributes, and morph targets by name."""
    document, blob = gltf.GLTF2(), bytearray()
    document.asset.generator = "facegen"
    indices = _add(
        document, blob, triangles.astype(np.uint32).reshape(-1, 1), gltf.ELEMENT_ARRAY_BUFFER
    )
    places = {
        key: _add(document, blob, values.astype(np.float32), gltf.ARRAY_BUFFER)
        for key, values in attributes.items()
    }
    moves = [
        {"POSITION": _add(document, blob, move.astype(np.float32), gltf.ARRAY_BUFFER)}
        for move in targets.values()
    ]
    primitive = gltf.Primitive(
        attributes=gltf.Attributes(**places), indices=indices, material=0, targets=moves
    )
    material = gltf.PbrMetallicRoughness(metallicFactor=0.0, roughnessFactor=0.8)
    document.materials.append(gltf.Material(name="skin", pbrMetallicRoughness=material))
    extra = {"targetNames": list(targets)} if targets else {}
    mesh = gltf.Mesh(name=name, primitives=[primitive], extras=extra)
    mesh.weights = [float(weight) for weight in weights]
    document.meshes.append(mesh)
    document.nodes.append(gltf.Node(name=name, mesh=0))
    document.scenes.append(gltf.Scene(nodes=[0]))
    document.scene = 0
    document.buffers.append(gltf.Buffer(byteLength=len(blob)))
    document.set_binary_blob(bytes(blob))
    return b"".join(document.save_to_bytes())


def _add(document: gltf.GLTF2, blob: bytearray, values: Array, target: int) -> int:
    """Add an array to the buffer; the number of its accessor."""
    kinds = {1: gltf.SCALAR, 2: gltf.VEC2, 3: gltf.VEC3}
    whole = values.dtype == np.uint32
    view = gltf.BufferView(buffer=0, byteOffset=len(blob), byteLength=values.nbytes, target=target)
    document.bufferViews.append(view)
    document.accessors.append(
        gltf.Accessor(
            bufferView=len(document.bufferViews) - 1,
            componentType=gltf.UNSIGNED_INT if whole else gltf.FLOAT,
            count=len(values),
            type=kinds[values.shape[1]],
            min=values.min(axis=0).tolist(),
            max=values.max(axis=0).tolist(),
        )
    )
    blob += np.ascontiguousarray(values).tobytes()
    return len(document.accessors) - 1
