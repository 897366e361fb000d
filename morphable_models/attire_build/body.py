"""The body below the head: MakeHuman's, of mean build, arms down, its neck fitted to the head."""

import json
import zipfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from generic_build.mesh import NECK_CUT_MM, NECK_CUT_SLOPE, build_mesh
from generic_build.source import MPFB, BaseMesh, Source
from generic_build.subdivide import loop_step, triangulate
from generic_build.template import ORIGIN_MM
from scipy.spatial import cKDTree
from scipy.spatial.transform import Rotation

from .head import Head, normals_of
from .piece import step

MACRO = f"{MPFB}targets/macrodetails/"
BUILDS = ("universal-{}-young-averagemuscle-averageweight",
          *(f"{race}-{{}}-young" for race in ("african", "asian", "caucasian")))  # fmt: skip
ARMS_DOWN_DEG = 33.0
OVERLAP_MM = 42.0  # How far the body's neck reaches up inside the head's.
BOTTOM_MM = -470.0
ARM = ("upperarm", "lowerarm", "wrist", "finger", "metacarpal")


@dataclass(frozen=True)
class Figure:
    """The base mesh of a mean adult in model space (N, 3), and what men are more than women."""

    points: np.ndarray
    manly: np.ndarray
    base: BaseMesh
    weights: dict[str, np.ndarray]
    bones: dict[str, np.ndarray]


@dataclass(frozen=True)
class Torso:
    """Shoulders, chest and neck: points, normals (P, 3), triangles, and what men have more.

    The first `coarse` points have triangles of their own, a quarter as many.
    """

    points: np.ndarray
    normals: np.ndarray
    triangles: np.ndarray
    manly: np.ndarray
    coarse: int
    coarse_triangles: np.ndarray


def read_figure(wheel: Path) -> Figure:
    """Read the base mesh with its mean build, skinning weights and bones."""
    source = Source(wheel)
    base = source.base()
    count = len(base.points)
    sexes = [_build(source, sex, count) for sex in ("male", "female")]
    points = base.points + (sexes[0] + sexes[1]) / 2
    with zipfile.ZipFile(wheel) as archive:
        rig = json.loads(archive.read(f"{MPFB}rigs/standard/rig.default.json"))
        table = json.loads(archive.read(f"{MPFB}rigs/standard/weights.default.json"))["weights"]
    weights = {name: _dense(rows, count) for name, rows in table.items()}
    bones = {name: _ends(bone, points, base) - ORIGIN_MM for name, bone in rig.items()}
    return Figure(points - ORIGIN_MM, (sexes[0] - sexes[1]) / 2, base, weights, bones)


def _build(source: Source, sex: str, count: int) -> np.ndarray:
    """Return the displacement (N, 3) to a young adult of one sex, of mean ancestry."""
    names = [f"{MACRO}{name.format(sex)}.target.gz" for name in BUILDS]
    shares = (1.0, 1 / 3, 1 / 3, 1 / 3)
    return sum(s * source.target(n, count) for s, n in zip(shares, names, strict=True))


def _dense(rows: list[list[float]], count: int) -> np.ndarray:
    """Return one bone's weights (N,)."""
    weights = np.zeros(count)
    for index, weight in rows:
        weights[int(index)] = weight
    return weights


def _ends(bone: dict[str, dict[str, object]], points: np.ndarray, base: BaseMesh) -> np.ndarray:
    """Return a bone's head and tail (2, 3) as its rig places them."""
    return np.array([_end(bone[end], points, base) for end in ("head", "tail")])


def _end(end: dict[str, object], points: np.ndarray, base: BaseMesh) -> np.ndarray:
    """Return the place (3,) of a bone's end: the middle of a cube or of vertices."""
    strategy = end["strategy"]
    if strategy == "CUBE":
        return points[np.unique(base.quads[str(end["cube_name"])])].mean(0)
    if strategy == "VERTEX":
        return points[end["vertex_index"]]
    if strategy == "MEAN":
        return points[end["vertex_indices"]].mean(0)
    raise ValueError(f"strategy {strategy} of a bone's end")


def arms_down(figure: Figure) -> np.ndarray:
    """Return the figure's points with both arms turned down at the shoulders."""
    moved = figure.points.copy()
    for side, sign in (("L", 1), ("R", -1)):
        names = [n for n in figure.weights if n.startswith(ARM) and n.endswith(side)]
        share = sum(figure.weights[n] for n in names).clip(0, 1)[:, None]
        pivot = figure.bones[f"upperarm01.{side}"][0]
        turn = Rotation.from_euler("z", -sign * ARMS_DOWN_DEG, degrees=True)
        moved += share * (turn.apply(figure.points - pivot) + pivot - figure.points)
    return moved


def make_torso(figure: Figure, head: Head) -> Torso:
    """Return the refined surface below the head, its neck on the mean head's."""
    points = arms_down(figure)
    points = points + _fit(figure, points, head)
    quads = figure.base.quads["body"]
    height = figure.base.points[quads]
    tilted = height[..., 1] + NECK_CUT_SLOPE * (height[..., 2] - 20.0)
    kept = tilted.max(1) < NECK_CUT_MM + OVERLAP_MM
    kept &= points[quads][..., 1].max(1) > BOTTOM_MM
    used, local = np.unique(quads[kept], return_inverse=True)
    local = local.reshape(-1, 4)
    triangles = triangulate(points[used], local, local)
    operator, fine_triangles = loop_step(triangles, len(used))
    fine = operator @ points[used]
    manly = operator @ figure.manly[used]
    normals = normals_of(fine, fine_triangles)
    more = _below(fine, manly, head)
    return Torso(fine, normals, fine_triangles, more, len(used), triangles)


def _below(points: np.ndarray, manly: np.ndarray, head: Head) -> np.ndarray:
    """Return what men have more below the neck, from none at the neck on."""
    neck = head.points[head.parts == 8]
    far = cKDTree(neck).query(points)[0]
    manly = manly - manly[far < 8].mean(0)
    return manly * step(far, 5, 110)[:, None] * [1, 0.5, 1]


def _fit(figure: Figure, points: np.ndarray, head: Head) -> np.ndarray:
    """Return the displacement (N, 3) that brings the neck to the head's, fading downward."""
    theirs = build_mesh(figure.base).apply(points)
    neck = head.parts == 8
    lack = head.points[neck] - theirs[neck] - 0.8 * head.normals[neck]
    low = head.points[neck][:, 1] < np.percentile(head.points[neck][:, 1], 35)
    shift = lack[low].mean(0)
    near, index = cKDTree(theirs[neck]).query(points, k=8)
    weight = 1 / (near + 2.0) ** 2
    local = np.einsum("nk,nki->ni", weight, lack[index]) / weight.sum(1)[:, None]
    fade = np.exp(-((near[:, :1] / 70) ** 2))
    return shift + fade * (local - shift)
