"""Samples adult heads over MakeHuman's macro and local targets, as weights over fields."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from .calibration import calibrated
from .lids import settle
from .mesh import HeadMesh
from .people import People, macro_weights
from .places import Places
from .source import MPFB, Source
from .template import Template
from .warps import warps

TARGETS = MPFB + "targets/"
# Standard deviation of one local target's largest displacement, in mm, by folder.
LOCAL_MM = {
    "head": 2.0, "forehead": 1.5, "eyebrows": 0.9, "eyes": 0.8, "nose": 1.15, "mouth": 0.95,
    "chin": 1.6, "cheek": 1.1, "ears": 0.9, "neck": 1.5, "asym": 0.35,
}  # fmt: skip
# What MakeHuman's average adult lacks of the published mean sizes, as far as its targets have it.
MEAN_LOCAL = {
    "nose-scale-depth-incr": 0.7, "nose-base-up": 0.4, "mouth-trans-up": -0.4,
    "mouth-scale-vert-incr": -0.25, "mouth-lowerlip-height-incr": -0.2,
    "measure-neck-circ-incr": 0.6, "l-ear-scale-incr": 0.25,
}  # fmt: skip
# What sex, age (deviations from its mean) and weight (deviations) change beyond the macro targets.
TRAITS: dict[str, dict[str, float]] = {
    "gender": {
        "eyebrows-trans-forward": 0.35, "eyebrows-trans-up": -0.35, "chin-bones-incr": 0.35,
        "chin-width-incr": 0.30, "chin-prominent-incr": 0.20, "l-eye-height2-incr": -0.25,
        "mouth-upperlip-volume-incr": -0.35, "mouth-lowerlip-volume-incr": -0.30,
        "nose-hump-incr": 0.25, "nose-point-up": -0.25, "l-cheek-volume-incr": -0.20,
        "head-square": 0.12, "head-oval": -0.12,
    },
    "age": {
        "l-eye-bag-incr": 0.14, "l-eye-height2-incr": -0.12, "l-cheek-volume-incr": -0.10,
        "neck-double-incr": 0.10, "mouth-angles-up": -0.12, "nose-point-up": -0.10,
        "mouth-upperlip-volume-incr": -0.12, "mouth-lowerlip-volume-incr": -0.12,
    },
    "weight": {"head-fat-incr": 0.14, "neck-double-incr": 0.16, "l-cheek-volume-incr": 0.12},
}  # fmt: skip
LOCAL_SD = 0.25  # Never more of a target than this, in its own unit.
LEFT_OUT = ("head-age", "head-trans", "head-angle", "neck-trans", "neck-height",
            "neck-scale-vert", "ear-shape-pointed", "ear-shape-triangle", "chin-triangle",
            "asymm-", "eye-push", "jaw-drop")  # fmt: skip
OPPOSITES = {"incr": "decr", "up": "down", "out": "in", "forward": "backward",
             "convex": "concave", "uncompress": "compress"}  # fmt: skip
LIKE_SIDES = 0.97  # Correlation of the left and right side's targets.
WARPED = 0.3  # Share of the warps' deviations that heads have before they are brought to size.
HEAD_SCALE_SD = 0.020  # Head breadth and length vary by 3 to 4 % in adults (Gordon et al. 2014).

Field = np.ndarray
Load = Callable[[str], Field]


@dataclass(frozen=True)
class Population:
    """Sampled adults: weights (n, T) over fields (T, 3V)."""

    weights: np.ndarray
    fields: np.ndarray

    def heads(self, which: np.ndarray) -> np.ndarray:
        """Return the chosen samples as points (m, V, 3) in mm."""
        return (self.weights[which] @ self.fields).reshape(len(which), -1, 3)


def sample_population(
    source: Source, template: Template, people: People, places: Places, seed: int
) -> Population:
    """Draw the heads of people, of the published sizes, over rigidly aligned fields."""
    rng = np.random.default_rng(seed)
    load = _loader(source, template.mesh)
    macro = macro_weights(people, seed + 1)
    local, local_fields = _local(rng, source, load, people)
    macro_fields = np.array([load(f"{TARGETS}macrodetails/{name}.target.gz") for name in macro])
    warp_fields, spread = warps(template, places.points)
    fields = settle(np.concatenate([macro_fields, local_fields, warp_fields]), template)
    size = HEAD_SCALE_SD * rng.standard_normal(len(local))
    warped = WARPED * spread * rng.standard_normal((len(local), len(spread)))
    weights = np.column_stack([np.ones(len(local)), size, *macro.values(), local, warped])
    free = np.concatenate([np.zeros(weights.shape[1] - len(spread)), spread])
    base, typical, fields = _centred(fields, weights[:, 2:].mean(0), template)
    stacked = np.concatenate([base[None], typical[None], fields])
    groups = {0: np.flatnonzero(~people.men), 1: np.flatnonzero(people.men)}
    weights = calibrated(weights, stacked, places.measures(template.points), free, groups)
    return Population(weights, stacked.reshape(len(stacked), -1))


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


def _local(
    rng: np.random.Generator, source: Source, load: Load, people: People
) -> tuple[np.ndarray, np.ndarray]:
    """Return weights (n, L) and fields (L, V, 3) of the local targets, opposites paired."""
    fields, weights = [], []
    shared: dict[str, np.ndarray] = {}
    for folder, name in _local_names(source):
        field = _signed(load, name)
        deviation = min(LOCAL_SD, LOCAL_MM[folder] / np.linalg.norm(field, axis=1).max())
        own = rng.standard_normal(len(people.gender))
        common = shared.setdefault(name.replace("/r-", "/l-"), own)
        draw = own if common is own else _mixed(common, own, LIKE_SIDES)
        fields.append(field)
        weights.append(_trait(people, name) + deviation * draw)
    return np.array(weights).T, np.array(fields)


def _trait(people: People, name: str) -> np.ndarray:
    """Return what a person's sex, age and weight add (n,) to a local target, both sides alike."""
    stem = name.rpartition("/")[2].removesuffix(".target.gz")
    stem = "l-" + stem[2:] if stem.startswith("r-") else stem
    known = {"gender": people.gender, "age": people.elders, "weight": people.weight}
    return MEAN_LOCAL.get(stem, 0.0) + sum(known[of] * TRAITS[of].get(stem, 0.0) for of in known)


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
