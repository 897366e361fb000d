"""Samples plausible expressions from face units; the jaw's opening is split off as the first."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from .lids import settle
from .mesh import HeadMesh
from .source import MPFB, RACES, Source
from .statistics import Linear, principal
from .template import Template

# Draws are U(-12, 12) on every component, a unit being sqrt(3)/12 deviations; the jaw's component
# is drawn from U(-4.8, 4.8) only, so its listed variance is the data's over (4.8/12)^2.
JAW_SHARE = 4.8 / 12
JAW_MEAN, JAW_HALF = 0.13, 0.15  # Uniform range of jawOpen: closed to openly speaking.
SIDES = ("Left", "Right")
# Mean and standard deviation of each unit's activation (Left and Right nearly alike).
UNITS: dict[str, tuple[float, float]] = {
    "browDown": (0.05, 0.22), "browInnerUp": (0.06, 0.22), "browOuterUp": (0.06, 0.22),
    "cheekPuff": (0.02, 0.10), "cheekSquint": (0.10, 0.18), "eyeBlink": (0.06, 0.13),
    "eyeSquint": (0.05, 0.16), "eyeWide": (0.03, 0.14), "jawForward": (0.0, 0.14),
    "jawLeft": (0.0, 0.06), "jawRight": (0.0, 0.06), "mouthDimple": (0.05, 0.16),
    "mouthFrown": (0.03, 0.18), "mouthFunnel": (0.04, 0.13), "mouthLeft": (0.0, 0.07),
    "mouthRight": (0.0, 0.07), "mouthLowerDown": (0.02, 0.13), "mouthPress": (0.03, 0.12),
    "mouthPucker": (0.03, 0.16), "mouthRollLower": (0.02, 0.08), "mouthRollUpper": (0.02, 0.08),
    "mouthShrugLower": (0.02, 0.10), "mouthShrugUpper": (0.02, 0.10), "mouthSmile": (0.16, 0.25),
    "mouthStretch": (0.03, 0.11), "mouthUpperUp": (0.02, 0.12), "noseSneer": (0.03, 0.16),
}  # fmt: skip
# Where both eyes turn, by the units of one way and of the other; the deviation of the activation:
# draws reach sqrt(3) deviations, sideways the whole 25 degrees.
GAZE: dict[tuple[tuple[str, str], tuple[str, str]], float] = {
    (("eyeLookUpLeft", "eyeLookUpRight"), ("eyeLookDownLeft", "eyeLookDownRight")): 0.45,
    (("eyeLookOutLeft", "eyeLookInRight"), ("eyeLookInLeft", "eyeLookOutRight")): 0.58,
}
# Units that go together: pairs and the correlation of their activations.
TOGETHER = {
    ("mouthSmile", "cheekSquint"): 0.7, ("mouthSmile", "eyeSquint"): 0.4,
    ("mouthSmile", "mouthFrown"): -0.5, ("mouthSmile", "mouthPucker"): -0.4,
    ("browDown", "browInnerUp"): -0.5, ("browDown", "noseSneer"): 0.5,
    ("browInnerUp", "browOuterUp"): 0.5, ("browOuterUp", "eyeWide"): 0.4,
    ("eyeWide", "eyeBlink"): -0.6, ("eyeSquint", "cheekSquint"): 0.5,
    ("eyeWide", "eyeSquint"): -0.4, ("mouthFunnel", "mouthPucker"): 0.3,
}  # fmt: skip
# MakeHuman's own expression units add finer variety: deviation of each, mean zero.
EXTRA = {
    "eyebrows-*-inner-up": 0.08, "eyebrows-*-up": 0.08, "eyebrows-*-down": 0.08,
    "eyebrows-*-extern-up": 0.08, "nose-*-elevation": 0.10, "nose-*-dilatation": 0.12,
    "nose-compression": 0.10, "nose-depression": 0.10, "mouth-corner-puller": 0.07,
    "mouth-elevation": 0.07, "mouth-depression": 0.07, "mouth-eversion": 0.07,
    "mouth-compression": 0.06, "mouth-protusion": 0.07, "mouth-pursing": 0.06,
    "mouth-parling": 0.06, "mouth-retraction": 0.07, "mouth-upward-retraction": 0.07,
    "mouth-depression-retraction": 0.07, "mouth-part-later": 0.06,
}  # fmt: skip
LIKE_SIDES = 0.94
COUNT = 20_000


@dataclass(frozen=True)
class Expressions:
    """Sampled activations (n, U) over unit fields (U, 3V), and the jaw's own (n,) and (3V,)."""

    weights: np.ndarray
    fields: np.ndarray
    jaw_weights: np.ndarray
    jaw: np.ndarray


def sample_expressions(
    source: Source, template: Template, units: Mapping[str, np.ndarray], seed: int
) -> Expressions:
    """Draw correlated, mostly symmetric activations of the face units, gaze and finer units."""
    rng = np.random.default_rng(seed)
    common = rng.standard_normal((COUNT, len(UNITS))) @ _correlation_root().T
    weights, fields = [], []
    for shared, (name, (mean, deviation)) in zip(common.T, UNITS.items(), strict=True):
        for field in _sides(units, name):
            weights.append(mean + deviation * _one_side(rng, shared))
            fields.append(field)
    for ways, deviation in GAZE.items():
        turn = rng.uniform(-np.sqrt(3), np.sqrt(3), COUNT) * deviation
        weights += [turn.clip(0), (-turn).clip(0)]
        fields += [sum(units[name] for name in way) for way in ways]
    finer_weights, finer = _finer(rng, source, template)
    jaw_weights = rng.uniform(JAW_MEAN - JAW_HALF, JAW_MEAN + JAW_HALF, COUNT)
    stacked = np.array([*fields, *finer]).reshape(len(fields) + len(finer), -1)
    table = np.array([*weights, *finer_weights]).T
    return Expressions(table, stacked, jaw_weights, units["jawOpen"].ravel())


def _finer(
    rng: np.random.Generator, source: Source, template: Template
) -> tuple[list[np.ndarray], np.ndarray]:
    """Return weights and settled fields (E, V, 3) of MakeHuman's own expression units."""
    weights, fields = [], []
    for name, deviation in EXTRA.items():
        shared = rng.standard_normal(COUNT)
        for field in _extra_fields(source, template.mesh, name):
            weights.append(deviation * _one_side(rng, shared))
            fields.append(field)
    return weights, settle(np.array(fields), template)


def _correlation_root() -> np.ndarray:
    """Return a square root (U, U) of the units' correlation, positive part."""
    names = list(UNITS)
    correlation = np.eye(len(names))
    for (a, b), value in TOGETHER.items():
        i, j = names.index(a), names.index(b)
        correlation[i, j] = correlation[j, i] = value
    values, vectors = np.linalg.eigh(correlation)
    return vectors * np.sqrt(values.clip(0))


def _one_side(rng: np.random.Generator, shared: np.ndarray) -> np.ndarray:
    """Return one side's draws (n,), nearly those that both sides share."""
    own = rng.standard_normal(len(shared))
    return LIKE_SIDES * shared + np.sqrt(1 - LIKE_SIDES**2) * own


def _sides(units: Mapping[str, np.ndarray], name: str) -> list[np.ndarray]:
    """Return a unit's displacement fields, one for each side where it has two."""
    return [units[name]] if name in units else [units[name + side] for side in SIDES]


def _extra_fields(source: Source, mesh: HeadMesh, name: str) -> list[np.ndarray]:
    """Return MakeHuman's expression unit, the mean over its ethnic variants, for each side."""
    sides = [name.replace("*", side) for side in ("left", "right")] if "*" in name else [name]
    count = mesh.operator.shape[1]

    def load(race: str, side: str) -> np.ndarray:
        name = f"{MPFB}targets/expression/units/{race}/{side}.target.gz"
        return mesh.apply(source.target(name, count))

    return [np.mean([load(race, side) for race in RACES], axis=0) for side in sides]


def expression_model(data: Expressions, count: int) -> Linear:
    """Return the jaw as first component and the principal components of the remainder."""
    length = np.linalg.norm(data.jaw)
    axis = data.jaw / length
    along = data.fields @ axis
    rest = principal(data.weights, data.fields - along[:, None] * axis, count - 1)
    jaw_data = data.jaw_weights * length
    return Linear(
        data.weights.mean(0) @ data.fields + jaw_data.mean() * axis,
        np.column_stack([axis, rest.basis]),
        np.concatenate([[jaw_data.var() / JAW_SHARE**2], rest.variance]),
        rest.kept,
    )
