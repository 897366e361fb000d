"""What each sample's image is framed with: the camera's distance, the crop, the background."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float32, Float64, Int64

from facegen.errors import RecipeError, located
from facegen.files import Array
from facegen.recipe.background import BackgroundPrior
from facegen.recipe.recipe import Recipe
from facegen.sampling.grid import grid_values
from facegen.sampling.lights import Lights
from facegen.sampling.randomness import Stream, uniforms
from facegen.sampling.scenery import Scenery, draw_scenery
from facegen.scene.cameras import Crop
from facegen.scene.parameters import CHANNELS

HEAD_RADIUS_MM = 250.0
# Nodes a side of the two lattices of colours that smooth noise is interpolated from.
COARSE, FINE = 4, 8
NODES = {"off": 0, "colour": 1, "noise": COARSE**2 + FINE**2}


@dataclass(frozen=True, eq=False)
class Background:
    """What stands behind N heads.

    colours (N, k, 3) in [0, 1]: of the nodes of a lattice, one for a flat colour, none for black;
    crops (N, 4): uniforms that choose an image of a folder, and the part of it to use; scenery: of
    photographs.
    """

    colours: Float64[Array, "N k 3"]
    crops: Float64[Array, "N 4"]
    scenery: Scenery | None = None

    def __getitem__(self, rows: Any) -> "Background":
        scenery = None if self.scenery is None else self.scenery[rows]
        return Background(self.colours[rows], self.crops[rows], scenery)


def draw_cameras(
    recipe: Recipe, seed: int, indices: Int64[Array, "N"]
) -> tuple[Float64[Array, "N"], Crop]:
    """The camera's distance in mm, and the crop; what the grid states is as it states."""
    camera, draws = recipe.camera, uniforms(seed, Stream.CAMERA, indices, 4)
    distance = grid_values(recipe, indices, ("camera", "distance"))
    scale = grid_values(recipe, indices, ("crop", "scale"))
    return (
        camera.distance.ppf(draws[:, 0]) if distance is None else distance,
        Crop(
            camera.scale.ppf(draws[:, 1]) if scale is None else scale,
            camera.shift.ppf(draws[:, 2:]),
        ),
    )


def draw_distortion(
    recipe: Recipe, seed: int, indices: Int64[Array, "N"]
) -> Float32[Array, "N"] | None:
    """The lens's radial distortion k1, where the recipe states one."""
    stated = recipe.camera.distortion
    if stated is None:
        return None
    return stated.ppf(uniforms(seed, Stream.LENS, indices, 1)[:, 0]).astype(np.float32)


def draw_background(
    prior: BackgroundPrior, seed: int, indices: Int64[Array, "N"], lights: Lights | None = None
) -> Background:
    """The background of these samples; lights: what theirs is drawn from, where that is natural."""
    crops = uniforms(seed, Stream.BACKGROUND_IMAGE, indices, 4)
    nodes = NODES[prior.kind if not prior.is_scenery else "noise"]
    scenery = draw_scenery(prior, seed, indices, lights) if prior.is_scenery else None
    return Background(draw_colours(prior, seed, indices, nodes), crops, scenery)


def draw_colours(
    prior: BackgroundPrior, seed: int, indices: Int64[Array, "N"], nodes: int
) -> Float64[Array, "N {nodes} 3"]:
    """So many of the background's colours for each sample, in [0, 1]."""
    draws = uniforms(seed, Stream.BACKGROUND, indices, nodes * len(CHANNELS))
    draws = draws.reshape(len(indices), nodes, len(CHANNELS))
    colours = [distribution.ppf(draws[..., k]) for k, distribution in enumerate(prior.colours)]
    return np.asarray(np.clip(np.stack(colours, axis=-1), 0, 1))


def check_camera(recipe: Recipe) -> None:
    """Refuse a recipe whose camera may stand inside the head, or whose image may have no size."""
    camera = recipe.camera
    lows = {axis.path: axis.low for axis in recipe.grid.axes} if recipe.grid else {}
    bounds = np.array([2.0**-54, 1 - 2.0**-53])
    with located("[camera]", "distance"):
        nearest = min(camera.distance.ppf(bounds).min(), lows.get(("camera", "distance"), np.inf))
        if nearest < HEAD_RADIUS_MM:
            raise RecipeError(
                f"a draw can fall below {HEAD_RADIUS_MM:.0f} mm, inside the head",
                "raise its lower end",
            )
    with located("[crop]", "scale"):
        if min(camera.scale.ppf(bounds).min(), lows.get(("crop", "scale"), np.inf)) <= 0:
            raise RecipeError("a draw can fall to zero or below", "raise its lower end")
