"""Writers of tiny models in the exact layouts of other projects, all of one known truth.

The truth is in mm and [0, 1]; each writer puts it into its format's units, numbering and winding.
"""

import json
import pickle
import sys
import types
from dataclasses import dataclass
from unittest import mock

import h5py
import numpy as np
import scipy.io
import scipy.sparse
import synthetic
from foreign_meshes import ict, obj, obj_text, ply

__all__ = ["ict", "obj", "obj_text", "ply"]


@dataclass(frozen=True, eq=False)
class Truth:
    """points (V, 3), triangles (F, 3) outward; (columns of length one, sd) of each linear part."""

    points: np.ndarray
    triangles: np.ndarray
    shape: tuple
    expression: tuple
    colour: np.ndarray
    reflectance: tuple
    landmarks: np.ndarray

    @property
    def flat(self):
        return self.points.reshape(-1)


def truth(points=None, triangles=None, landmarks=None, seed=0):
    """A wavy ellipsoid, or a mesh of the caller's, with random orthonormal modes."""
    if points is None:
        points, triangles = synthetic.ellipsoid(10, 12)
    rng = np.random.default_rng(seed)
    landmarks = rng.permutation(len(points))[:68] if landmarks is None else landmarks

    def part(count, largest):
        columns = np.linalg.qr(rng.normal(size=(points.size, count)))[0]
        return columns.astype(np.float32), largest * 0.8 ** np.arange(count)

    return Truth(
        points=np.asarray(points, np.float32),
        triangles=np.asarray(triangles, np.int32),
        shape=part(5, 40.0),
        expression=part(4, 15.0),
        colour=rng.uniform(0.2, 0.8, points.shape).astype(np.float32),
        reflectance=part(3, 0.5),
        landmarks=landmarks.astype(np.int32),
    )


def variance(part):
    return np.square(part[1]).astype(np.float32)


def basel(path, t, version=(0, 9), expression=True, landmarks="json", one=False, cells=np.int32):
    """Basel Face Model 2017 or 2019: Statismo HDF5, version 0.9 or 0.8, and its small variants."""
    scalar = (lambda value: np.array([value])) if one else np.asarray
    zero = np.zeros(t.points.size)
    parts = {"shape": (t.flat, t.shape), "color": (t.colour.reshape(-1), t.reflectance)}
    if expression:
        parts["expression"] = (zero, t.expression)
    with h5py.File(path, "w") as file:
        for name, (mean, (columns, sd)) in parts.items():
            model = file.create_group(f"{name}/model")
            model["mean"] = mean.astype(np.float32)
            model["pcaBasis"] = (columns * (sd if version == (0, 8) else 1)).astype(np.float32)
            model["pcaVariance"] = np.square(sd).astype(np.float32)
            model["noiseVariance"] = scalar(np.float32(0))
            file[f"{name}/representer/cells"] = t.triangles.T.astype(cells)
            file[f"{name}/representer/points"] = t.points.T
        if version:
            file["version/majorVersion"] = scalar(np.int32(version[0]))
            file["version/minorVersion"] = scalar(np.int32(version[1]))
        _basel_landmarks(file, t, landmarks, scalar)
    return path


def _basel_landmarks(file, t, kind, scalar):
    names = {"center.nose.tip": 30, "right.eye.corner_outer": 36, "left.eye.corner_outer": 45,
             "some.other.place": 0}  # fmt: skip
    points = {name: t.points[t.landmarks[i]].tolist() for name, i in names.items()}
    if kind == "json":
        rows = [{"id": name, "coordinates": point} for name, point in points.items()]
        file["metadata/landmarks/json"] = scalar(np.bytes_(json.dumps(rows)))
    elif kind == "text":
        rows = [f"{name} 1 {' '.join(map(str, point))}" for name, point in points.items()]
        file["metadata/landmarks/text"] = scalar(np.bytes_("\n".join(rows) + "\n"))


def basel_2009(path, t):
    """01_MorphableModel.mat: micrometres, deviations, colours of 0..255, from 1, wound inward."""
    scipy.io.savemat(path, _basel_2009(t), format="5")
    return path


def basel_2009_as_73(path, t):
    """The same arrays in a MATLAB 7.3 file: HDF5, each array transposed."""
    with h5py.File(path, "w", userblock_size=512) as file:
        for name, array in _basel_2009(t).items():
            file[name] = np.asarray(array).T
    with path.open("r+b") as file:
        file.write(b"MATLAB 7.3 MAT-file, Platform: GLNXA64")
    return path


def _basel_2009(t):
    return {
        "shapeMU": (1000 * t.flat[:, None]).astype(np.float32),
        "shapePC": t.shape[0],
        "shapeEV": (1000 * t.shape[1][:, None]).astype(np.float32),
        "texMU": (255 * t.colour.reshape(-1, 1)).astype(np.float32),
        "texPC": t.reflectance[0],
        "texEV": (255 * t.reflectance[1][:, None]).astype(np.float32),
        "tl": (t.triangles[:, ::-1] + 1).astype(np.float64),
        "segbin": np.zeros((len(t.points), 4), np.uint8),
    }


def face3d(path, t):
    """BFM.mat of face3d: a struct `model`, micrometres, tri (3, F) and kpt_ind from 1."""
    known = _basel_2009(t)
    model = {name: known[name] for name in ("shapeMU", "shapePC", "shapeEV")}
    model |= {name: known[name] for name in ("texMU", "texPC", "texEV")}
    model["expMU"] = np.zeros((t.points.size, 1), np.float32)
    model["expPC"], model["expEV"] = t.expression[0], 1000 * t.expression[1][:, None]
    model["tri"] = (t.triangles.T + 1).astype(np.int32)
    model["tri_mouth"] = np.zeros((3, 0), np.int32)
    model["kpt_ind"] = (t.landmarks[None] + 1).astype(np.int32)
    scipy.io.savemat(path, {"model": model}, do_compression=True)
    return path


def deep3d(path, t):
    """BFM_model_front.mat of Deep3DFaceRecon: decimetres, deviations multiplied in, from 1."""
    scipy.io.savemat(
        path,
        {
            "meanshape": t.flat[None] / 100,
            "idBase": t.shape[0] * t.shape[1] / 100,
            "exBase": t.expression[0] * t.expression[1] / 100,
            "meantex": 255 * t.colour.reshape(1, -1),
            "texBase": 255 * t.reflectance[0] * t.reflectance[1],
            "tri": t.triangles + 1.0,
            "keypoints": t.landmarks[None] + 1.0,
            "point_buf": np.zeros((len(t.points), 8)),
        },
    )
    return path


def lsfm(path, t):
    """LSFM: eigenvalues are variances, trilist from 0."""
    table = {"mean": t.flat, "components": t.shape[0], "eigenvalues": variance(t.shape)}
    table |= {"trilist": t.triangles, "n_training_samples": 9, "map_full_to_cropped": [-1]}
    scipy.io.savemat(path, table)
    return path


def lyhm(path, t):
    """LYHM: structs shp, tex and tri; eigVal are variances; faces from 1, wound inward."""
    table = {
        "shp": {"eigVec": t.shape[0], "eigVal": variance(t.shape)[:, None], "mu": t.flat[None]},
        "tex": {
            "eigVec": t.reflectance[0],
            "eigVal": variance(t.reflectance)[:, None],
            "mu": t.colour.reshape(1, -1),
        },
        "tri": {"faces": (t.triangles[:, [0, 2, 1]] + 1).astype(np.float64)},
    }
    scipy.io.savemat(path, table)
    return path


def flame_arrays(t, joints=True):
    """FLAME's dictionary: metres, shapedirs (V, 3, identity + expression) of one deviation each."""
    directions = np.concatenate([p[0] * p[1] for p in (t.shape, t.expression)], axis=1) / 1000
    filler = np.zeros((t.points.size, 300 - t.shape[1].size))
    count = t.shape[1].size
    directions = np.concatenate([directions[:, :count], filler, directions[:, count:]], axis=1)
    table = {
        "v_template": t.points.astype(np.float64) / 1000,
        "shapedirs": directions.reshape(len(t.points), 3, -1),
        "f": t.triangles.astype(np.uint32),
        "bs_style": "lbs",
        "kintree_table": np.array([[4294967295, 0, 1, 1, 1], [0, 1, 2, 3, 4]], np.uint32),
    }
    if joints:
        weights = np.zeros((len(t.points), 5))
        weights[:, 2] = t.points[:, 1] < -20
        table |= {"weights": weights, "posedirs": np.zeros((len(t.points), 3, 36))}
        regressor = np.zeros((5, len(t.points)))
        regressor[:, 0] = 1
        table["J_regressor"] = scipy.sparse.csc_matrix(regressor)
    return table


def flame_pkl(path, t, protocol=2):
    """FLAME as a pickle of Python 2 with chumpy arrays inside, chumpy not being installed."""
    room = types.ModuleType("chumpy.ch")

    class Ch:
        """Stands for chumpy's array while the file is written."""

        def __init__(self, x):
            self.x, self._dirty_vars, self._no_vars = x, {"x"}, set()

    Ch.__module__, Ch.__qualname__, room.Ch = "chumpy.ch", "Ch", Ch
    table = flame_arrays(t)
    for name in ("v_template", "shapedirs"):
        table[name] = Ch(table[name])
    with mock.patch.dict(sys.modules, {"chumpy": types.ModuleType("chumpy"), "chumpy.ch": room}):
        path.write_bytes(pickle.dumps(table, protocol))
    return path


def flame_npz(path, t):
    """FLAME's arrays as an npz, without joints."""
    table = flame_arrays(t, joints=False)
    np.savez(path, **table)
    return path


def gnm(path, t):
    """GNM head: metres, bases (k, V, 3) of one deviation each, vertex groups by name."""
    rows = {
        name: ((p[0] * p[1]).T / 1000).reshape(-1, *t.points.shape).astype(np.float32)
        for name, p in (("identity", t.shape), ("expression", t.expression))
    }
    np.savez(
        path,
        version="3.0",
        variant="head",
        template_vertex_positions=t.points / 1000,
        vertex_identity_basis=rows["identity"],
        expression_basis=rows["expression"],
        identity_names=np.array([f"head_{i}" for i in range(5)]),
        triangles=t.triangles.astype(np.int32),
        quads=np.zeros((1, 4), np.int32),
        vertex_groups=np.stack([t.points[:, 2] > 80, t.points[:, 2] <= 80]).astype(np.float32),
        vertex_group_names=np.array(["teeth_upper", "skin"]),
    )
    return path


def eos(path, t):
    """The Surrey model as eos's getters give it, in JSON."""

    def pca(mean, part):
        return {
            "mean": mean.reshape(-1).tolist(),
            "orthonormal_pca_basis": part[0].tolist(),
            "eigenvalues": variance(part).tolist(),
            "triangle_list": t.triangles.tolist(),
        }

    shapes = (t.expression[0] * t.expression[1]).T
    table = {
        "shape_model": pca(t.points, t.shape),
        "color_model": pca(t.colour, t.reflectance),
        "blendshapes": [{"name": str(i), "deformation": s.tolist()} for i, s in enumerate(shapes)],
    }
    path.write_text(json.dumps(table))
    return path


def eos_h5(path, t):
    """The same in HDF5."""
    with h5py.File(path, "w") as file:
        for name, mean, part in (("shape_model", t.points, t.shape),
                                 ("color_model", t.colour, t.reflectance)):  # fmt: skip
            file[f"{name}/mean"] = mean.reshape(-1)
            file[f"{name}/orthonormal_pca_basis"] = part[0]
            file[f"{name}/eigenvalues"] = variance(part)
            file[f"{name}/triangle_list"] = t.triangles
        file["blendshapes"] = (t.expression[0] * t.expression[1]).T
    return path
