"""How far a model's landmarks lie from where people mark them, after the best fit to photographs.

For each photograph in DIR (pictures, and landmarks.json {file: [[x, y] x 68]}) the model is fitted
to the 68 marked points: weak perspective, the leading shape and expression coefficients, residuals
in outer eye distances, plus 0.01 x each coefficient in prior standard deviations; least squares.
"""

import argparse
import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import least_squares
from scipy.spatial.transform import Rotation

import facegen
from facegen.models.morphable_model import MorphableModel
from facegen.sampling.prior import prior_of

SHAPES, EXPRESSIONS = 40, 20
SHRINKAGE = 0.01  # Of a coefficient in prior standard deviations, against outer eye distances.
OUTER_CORNERS, INNER = [36, 45], slice(17, 68)
POSE = 6  # log scale, rotation vector, translation

Points = NDArray[np.float64]


@dataclass(frozen=True)
class Face:
    """Landmarks (68, 3) in outer eye distances, linear in coefficients of prior deviations."""

    mean: Points
    basis: Points

    def project(self, parameters: Points) -> Points:
        """The landmarks (68, 2) seen in weak perspective, y down."""
        scale, turn, shift = parameters[0], parameters[1:4], parameters[4:POSE]
        points = self.mean + np.tensordot(parameters[POSE:], self.basis, 1)
        seen = Rotation.from_rotvec(turn).apply(points)[:, :2] * [1, -1]
        return np.asarray(np.exp(scale) * seen + shift)


def face_of(model: MorphableModel, recipe: str) -> Face:
    """The model's landmarks and their leading components, one prior deviation each."""
    stated = facegen.load_recipe(recipe)
    sd = prior_of(stated, model.layout).moments()[1]
    linear, slices = model.landmark_geometry, model.layout.slices
    rows = linear.basis.reshape(linear.components, -1, 3)
    shapes = rows[: model.shape.components] * sd[slices["shape"], None, None]
    moves = rows[model.shape.components :] * sd[slices["expression"], None, None]
    basis = np.concatenate([shapes[:SHAPES], moves[:EXPRESSIONS]]).astype(np.float64)
    mean = linear.mean - linear.mean.mean(axis=0)
    size = np.linalg.norm(np.subtract(*mean[OUTER_CORNERS]))
    return Face(mean / size, basis / size)


def normalised(marked: Points) -> Points:
    """Marked points in outer eye distances, upright, about the middle of the outer corners."""
    right, left = marked[OUTER_CORNERS]
    axis = (left - right) / np.square(left - right).sum()
    turn = np.array([[axis[0], axis[1]], [-axis[1], axis[0]]])
    return np.asarray((marked - (right + left) / 2) @ turn.T)


def residuals(face: Face, marked: Points) -> Points:
    """What the best fit leaves (68, 2) of normalised points, right and down."""

    def cost(parameters: Points) -> Points:
        gap = (face.project(parameters) - marked).ravel()
        return np.concatenate([gap, SHRINKAGE * parameters[POSE:]])

    starts = (_start(face, marked, yaw) for yaw in np.radians([-35, 0, 35]))
    fits = (least_squares(cost, start, method="lm") for start in starts)
    best = min(fits, key=lambda fit: fit.cost)
    return face.project(best.x) - marked


def _start(face: Face, marked: Points, yaw: float) -> Points:
    start = np.zeros(POSE + len(face.basis))
    start[2] = yaw
    start[4:POSE] = marked.mean(axis=0)
    return start


def table(errors: Points) -> str:
    """The landmarks' systematic residuals in percent, the worst first."""
    bias = 100 * errors.mean(axis=0)
    order = np.argsort(-np.linalg.norm(bias, axis=1))
    lines = ["landmark  right   down  length"]
    lines += [
        f"{i:8d} {bias[i, 0]:6.2f} {bias[i, 1]:6.2f} {np.hypot(*bias[i]):7.2f}" for i in order
    ]
    return "\n".join(lines)


def main() -> None:
    """Fit every photograph, print the systematic residuals and the mean errors."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, metavar="DIR")
    parser.add_argument("--model", default="generic")
    parser.add_argument("--recipe", default="inversefacenet", help="whose prior deviations count")
    arguments = parser.parse_args()
    face = face_of(facegen.load_model(arguments.model), arguments.recipe)
    marked = json.loads((arguments.folder / "landmarks.json").read_text())
    errors = np.array([residuals(face, normalised(np.array(m, float))) for m in marked.values()])
    distances = 100 * np.linalg.norm(errors, axis=2)
    print(table(errors))
    without = 100 * np.linalg.norm(errors - errors.mean(axis=0), axis=2)
    print(f"systematic part taken away: {without.mean():.2f}, inner {without[:, INNER].mean():.2f}")
    print(f"NME 68: {distances.mean():.2f} inner 51: {distances[:, INNER].mean():.2f}")


if __name__ == "__main__":
    main()
