"""Writers of tiny meshes and folders of meshes: OBJ, PLY, ICT-FaceKit."""

import json

import numpy as np


def obj_text(points, triangles, colours=None, material=""):
    """An OBJ: faces from 1, with texture and normal numbers as exporters write them."""
    rows = points if colours is None else np.concatenate([points, colours], axis=1)
    lines = ["# a mesh", *(f"v {' '.join(f'{x:.9g}' for x in row)}" for row in rows), "vt 0 0"]
    lines += [f"usemtl {material}"] if material else []
    lines += [f"f {' '.join(f'{i + 1}/1' for i in face)}" for face in triangles]
    return "\n".join(lines) + "\n"


def obj(path, t):
    """A scan in metres, with colours."""
    path.write_text(obj_text(t.points / 1000, t.triangles, t.colour))
    return path


def ply(path, t):
    """A binary PLY in cm, with colours of 0..255."""
    vertices = np.zeros(len(t.points), "<f4,<f4,<f4,u1,u1,u1")
    for i in range(3):
        vertices[f"f{i}"] = t.points[:, i] / 10
        vertices[f"f{i + 3}"] = np.round(255 * t.colour[:, i])
    faces = np.zeros(len(t.triangles), "u1,(3,)<i4")
    faces["f0"], faces["f1"] = 3, t.triangles
    header = ["ply", "format binary_little_endian 1.0", f"element vertex {len(vertices)}"]
    header += [f"property float {axis}" for axis in "xyz"]
    header += [f"property uchar {channel}" for channel in ("red", "green", "blue")]
    header += [f"element face {len(faces)}", "property list uchar int vertex_indices", "end_header"]
    path.write_bytes("\n".join(header).encode() + b"\n" + vertices.tobytes() + faces.tobytes())
    return path


def ict(path, t):
    """ICT-FaceKit: a folder of OBJ in cm; materials; weights of expressions by name."""
    path.mkdir()
    half = len(t.triangles) - 10
    names = ["jawOpen", "mouthSmile_L", "browDown_L", "eyeBlink_R"]
    for name, columns in (
        ("generic_neutral_mesh", np.zeros(t.points.size)),
        *((f"identity{i:03d}", c) for i, c in enumerate((t.shape[0] * t.shape[1]).T)),
        *zip(names, (t.expression[0] * t.expression[1]).T, strict=True),
    ):
        points = (t.points + columns.reshape(-1, 3)) / 10
        text = obj_text(points, t.triangles[:half], material="M_Face")
        text += "usemtl M_Teeth\n" + "".join(
            f"f {' '.join(f'{i + 1}/1/1' for i in face)}\n" for face in t.triangles[half:]
        )
        (path / f"{name}.obj").write_text(text)
    facts = {"expressions": names, "idx_to_landmark_verts": t.landmarks.tolist()}
    (path / "vertex_indices.json").write_text(json.dumps(facts))
    return path
