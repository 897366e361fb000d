"""Samples adult heads over MakeHuman's macro and local targets, as weights over fields."""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import product

import numpy as np

from .lids import settle
from .mesh import HeadMesh
from .source import MPFB, RACES, Source
from .template import Template

TARGETS = MPFB + "targets/"
# Standard deviation of one local target's largest displacement, in mm, by folder.
LOCAL_MM = {
    "head": 2.0, "forehead": 1.5, "eyebrows": 0.9, "eyes": 0.8, "nose": 1.15, "mouth": 0.95,
    "chin": 1.6, "cheek": 1.1, "ears": 0.9, "neck": 1.5, "asym": 0.35,
}  # fmt: skip
# What MakeHuman's average adult lacks of the published mean proportions (see anthropometry.py).
SIZE = 1.02
MEAN_LOCAL = {
    "head-scale-vert-incr": 0.25, "head-scale-horiz-incr": 0.05, "head-back-scale-depth-incr": -0.1,
    "l-eye-trans-out": 0.42, "r-eye-trans-out": 0.42, "mouth-scale-horiz-incr": 0.6,
    "nose-width3-incr": -0.3, "nose-nostrils-width-incr": -0.25,
}  # fmt: skip
LOCAL_SD = 0.25  # Never more of a target than this, in its own unit.
LEFT_OUT = ("head-age", "head-trans", "head-angle", "neck-trans", "neck-height",
            "neck-scale-vert", "ear-shape-pointed", "ear-shape-triangle", "chin-triangle",
            "asymm-", "eye-push", "jaw-drop")  # fmt: skip
OPPOSITES = {"incr": "decr", "up": "down", "out": "in", "forward": "backward",
             "convex": "concave", "uncompress": "compress"}  # fmt: skip
LIKE_SIDES = 0.97  # Correlation of the left and right side's targets.
HEAD_SCALE_SD = 0.020  # Head breadth and length vary by 3 to 4 % in adults (Gordon et al. 2014).

Field = np.ndarray
Load = Callable[[str], Field]


@dataclass(frozen=True)
class Population:
    """Sampled adults: weights (n, T) over fields (T, 3V), and their gender (n,), 1 is male."""

    weights: np.ndarray
    fields: np.ndarray
    gender: np.ndarray

    def heads(self, which: np.ndarray) -> np.ndarray:
        """Return the chosen samples as points (m, V, 3) in mm."""
        return (self.weights[which] @ self.fields).reshape(len(which), -1, 3)


def sample_population(source: Source, template: Template, count: int, seed: int) -> Population:
    """Draw `count` adults and the rigidly aligned displacement fields they are made of."""
    rng = np.random.default_rng(seed)
    load = _loader(source, template.mesh)
    gender = rng.beta(1.2, 1.2, count)
    macro = _macro_weights(rng, gender)
    local, local_fields = _local(rng, source, load, count)
    scale = SIZE - 1 + HEAD_SCALE_SD * rng.standard_normal(count)
    weights = np.column_stack([*macro.values(), local])
    macro_fields = np.array([load(f"{TARGETS}macrodetails/{name}.target.gz") for name in macro])
    fields = settle(np.concatenate([macro_fields, local_fields]), template)
    base, size, fields = _centred(fields, weights.mean(0), template)
    stacked = np.concatenate([base[None], size[None], fields])
    weights = np.column_stack([np.ones(count), scale, weights])
    return Population(weights, stacked.reshape(len(stacked), -1), gender)


def _loader(source: Source, mesh: HeadMesh) -> Load:
    """Return what reads a target as displacements (V, 3) of the model's vertices."""
    count = mesh.operator.shape[1]
    return lambda name: mesh.apply(source.target(name, count))


def _centred(
    fields: np.ndarray, mean: np.ndarray, template: Template
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return template and typical head about its origin (V, 3) each, and aligned fields."""
    typical = template.points + np.tensordot(mean, fields, 1)
    fields = aligned(fields, typical, template.mesh)
    centre = _centre(template.points + np.tensordot(mean, fields, 1), template.mesh)
    base = template.points - centre
    return base, base + np.tensordot(mean, fields, 1), fields


def _macro_weights(rng: np.random.Generator, gender: np.ndarray) -> dict[str, np.ndarray]:
    """Return MakeHuman's macro weights (n,) by target: products of the factors' shares."""
    count = len(gender)
    old = 0.9 * rng.beta(1.2, 2.0, count)
    sexes = {"female": 1 - gender, "male": gender}
    ages = {"young": 1 - old, "old": old}
    muscle = _three_way(rng.normal(0.5, 0.12, count), "muscle")
    weight = _three_way(rng.normal(0.5, 0.13, count), "weight")
    races = dict(zip(RACES, rng.dirichlet([0.8] * 3, count).T, strict=True))
    body = {
        f"universal-{s}-{a}-{m}-{w}": sexes[s] * ages[a] * muscle[m] * weight[w]
        for s, a, m, w in product(sexes, ages, muscle, weight)
    }
    face = {
        f"{r}-{s}-{a}": races[r] * sexes[s] * ages[a] for r, s, a in product(races, sexes, ages)
    }
    return body | face


def _three_way(value: np.ndarray, name: str) -> dict[str, np.ndarray]:
    """Return shares of the min, average and max target for values in [0, 1]."""
    offset = 2 * value.clip(0, 1) - 1
    return {f"min{name}": (-offset).clip(0), f"average{name}": 1 - abs(offset),
            f"max{name}": offset.clip(0)}  # fmt: skip


def _local(
    rng: np.random.Generator, source: Source, load: Load, count: int
) -> tuple[np.ndarray, np.ndarray]:
    """Return weights (n, L) and fields (L, V, 3) of the local targets, opposites paired."""
    fields, weights = [], []
    shared: dict[str, np.ndarray] = {}
    for folder, name in _local_names(source):
        field = _signed(load, name)
        deviation = min(LOCAL_SD, LOCAL_MM[folder] / np.linalg.norm(field, axis=1).max())
        own = rng.standard_normal(count)
        common = shared.setdefault(name.replace("/r-", "/l-"), own)
        draw = own if common is own else _mixed(common, own, LIKE_SIDES)
        stem = name.rpartition("/")[2].removesuffix(".target.gz")
        fields.append(field)
        weights.append(MEAN_LOCAL.get(stem, 0.0) + deviation * draw)
    return np.array(weights).T, np.array(fields)


def _signed(load: Load, name: str) -> Field:
    """Return a target's field (V, 3), half the difference to its opposite if it has one."""
    opposite = _opposite(name)
    return (load(name) - load(opposite)) / 2 if opposite else load(name)


def _mixed(common: np.ndarray, own: np.ndarray, correlation: float) -> np.ndarray:
    """Return standard normal draws (n,) that correlate with `common` as asked."""
    return correlation * common + np.sqrt(1 - correlation**2) * own


def _local_names(source: Source) -> list[tuple[str, str]]:
    """Return (folder, target) of the local targets in use, one of every pair of opposites."""
    names = [(f, n) for f in LOCAL_MM for n in source.names(f"{TARGETS}{f}/")]
    seconds = tuple(f"-{low}.target.gz" for low in OPPOSITES.values())
    return [
        (f, n)
        for f, n in names
        if not n.endswith(seconds) and not any(part in n for part in LEFT_OUT)
    ]


def _opposite(name: str) -> str | None:
    """Return the target that undoes the named one, if it has one."""
    stem, _, word = name.removesuffix(".target.gz").rpartition("-")
    return f"{stem}-{OPPOSITES[word]}.target.gz" if word in OPPOSITES else None


def _centre(points: np.ndarray, mesh: HeadMesh) -> np.ndarray:
    """Return the origin: on the midline, between the ears, a little before them."""
    body = points[mesh.of("body")]
    widest = body[np.argsort(abs(body[:, 0]))[-40:]]
    return np.array([0.0, widest[:, 1].mean(), widest[:, 2].mean() + 10.0])


def aligned(fields: np.ndarray, points: np.ndarray, mesh: HeadMesh) -> np.ndarray:
    """Remove from displacements (T, V, 3) what is a rigid motion of the skull to first order."""
    skull = mesh.of("body") & (points[:, 1] > np.median(points[mesh.of("body"), 1]) - 40)
    centred = points - points[skull].mean(0)
    moves = [np.broadcast_to(axis, points.shape) for axis in np.eye(3)]
    moves += [np.cross(axis, centred) for axis in np.eye(3)]
    motion = np.array(moves)
    part = motion[:, skull].reshape(6, -1)
    found = fields[:, skull].reshape(len(fields), -1) @ np.linalg.pinv(part)
    return fields - np.tensordot(found, motion, 1)
