"""Who is photographed, how they hold their head, and where the camera stands.

Another distribution than the training prior's: faces look at the camera or past it, expressions
are few muscles at a time that move together, mouths are mostly closed.
"""

from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from facegen.models.morphable_model import MorphableModel
from facegen.recipe.recipe import Recipe
from facegen.scene.cameras import Cameras, Crop, crop_to_landmarks, model_to_camera, to_camera_space
from facegen.scene.parameters import CHANNELS, SH_COEFFICIENTS, Parameters

from .randomness import Random

Float64 = NDArray[np.float64]

SHAPE_SD, REFLECTANCE_SD = 0.9, 0.9
ACTIONS, ACTION_WIDTH, ACTION_SD = 16, 24, 7.0
EXPRESSION_LIMIT, MOUTH_LIMIT = 12.0, 4.8
ANGLE_LIMIT = np.radians([40, 40, 15])


@dataclass(frozen=True, eq=False)
class Subject:
    """One subject before one camera; both hold a batch of one. The light is still zero."""

    parameters: Parameters
    cameras: Cameras


def draw_subject(
    model: MorphableModel, recipe: Recipe, identity: Random, camera: Random
) -> Subject:
    """One subject, posed, and framed as the recipe says."""
    parameters = draw_parameters(model, identity)
    prior, draws = recipe.camera, camera.random((1, 4))
    transform = model_to_camera(parameters.rotation, prior.distance.ppf(draws[:, 0]))
    landmarks = to_camera_space(model.landmark_geometry.evaluate(parameters.geometry), transform)
    crop = Crop(prior.scale.ppf(draws[:, 1]), prior.shift.ppf(draws[:, 2:]))
    K = crop_to_landmarks(landmarks, crop, recipe.image.size)
    return Subject(parameters, Cameras(transform, K))


def draw_parameters(model: MorphableModel, rng: Random) -> Parameters:
    """Identity, expression and pose, each (1, k) float32."""
    values = {
        "rotation": draw_rotation(rng),
        "shape": rng.normal(0, SHAPE_SD, model.shape.components),
        "expression": draw_expression(rng, model.expression.components),
        "reflectance": rng.normal(0, REFLECTANCE_SD, model.reflectance.components),
        "illumination": np.zeros((SH_COEFFICIENTS, len(CHANNELS))),
    }
    return Parameters(**{name: value[None].astype(np.float32) for name, value in values.items()})


def draw_rotation(rng: Random) -> Float64:
    """Pitch, yaw, roll (3,) in radians: frontal, or three-quarter to either side."""
    frontal = rng.random() < 0.55
    side = rng.choice([-1.0, 1.0])
    mean = [0.0, 0.0, 0.0] if frontal else [3.0, 27.0 * side, 2.0 * side]
    angles = np.radians(rng.normal(mean, [6.0, 7.0, 4.0]))
    return np.clip(angles, -ANGLE_LIMIT, ANGLE_LIMIT)


def draw_expression(rng: Random, components: int) -> Float64:
    """Coefficients (k,): a few actions at a time, many smiles, and the mouth mostly closed."""
    active = rng.random(ACTIONS) < 0.15
    strengths = active * rng.normal(0, ACTION_SD, ACTIONS)
    values = rng.normal(0, 0.5, components) + strengths @ actions(components)
    smile = rng.uniform(2, 11) if rng.random() < 0.5 else 0.0
    mouth = rng.normal(-4.0, 0.5) if rng.random() < 0.7 else rng.uniform(-3, 4)
    values[1:2] += smile
    values = np.clip(values, -EXPRESSION_LIMIT, EXPRESSION_LIMIT)
    values[:1] = np.clip(mouth, -MOUTH_LIMIT, MOUTH_LIMIT)
    return values


@cache
def actions(components: int) -> Float64:
    """Directions (16, k) the faces of this domain move in: four leading components each."""
    rng = np.random.Generator(np.random.PCG64(0))
    width = min(ACTION_WIDTH, components)
    directions = np.zeros((ACTIONS, components))
    for row in directions:
        chosen = rng.choice(width, size=min(4, width), replace=False)
        row[chosen] = rng.normal(size=len(chosen))
    return directions / np.maximum(np.linalg.norm(directions, axis=1, keepdims=True), 1e-9)
