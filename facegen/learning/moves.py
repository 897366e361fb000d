"""Crops moved while training: shifted, enlarged, turned and mirrored, with all that labels them."""

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Bool, Float64, UInt8
from torch.nn import functional

from facegen.files import Array
from facegen.learning.labelled import LabelledFaces
from facegen.learning.mirror import MIRRORED
from facegen.learning.turning import turned


@dataclass(frozen=True)
class Moves:
    """How far crops are moved: each is drawn uniformly from - to +, about the image's middle.

    shift: right and down, in shares of the side; zoom: of the logarithm of the size; turn: degrees;
    mirror: the share of images that are mirrored.
    """

    shift: float = 0.0
    zoom: float = 0.0
    turn: float = 0.0
    mirror: float = 0.0


@dataclass(frozen=True, eq=False)
class Drawn:
    """The moves of N crops; turn counter-clockwise in radians, mirrored before turned."""

    shift: Float64[Array, "N 2"]
    zoom: Float64[Array, "N"]
    turn: Float64[Array, "N"]
    mirrored: Bool[Array, "N"]

    @property
    def matrices(self) -> Float64[Array, "N 2 2"]:
        """From places about the middle to where they come to lie, u right and v down."""
        cos, sin = self.zoom * np.cos(self.turn), self.zoom * np.sin(self.turn)
        sign = np.where(self.mirrored, -1, 1)
        return np.stack([sign * cos, sin, -sign * sin, cos], axis=1).reshape(-1, 2, 2)


def draw_moves(moves: Moves, rng: np.random.Generator, count: int) -> Drawn:
    """Moves of so many crops."""
    shift, zoom, turn = (
        rng.uniform(-reach, reach, (count, *shape))
        for reach, shape in ((moves.shift, (2,)), (moves.zoom, ()), (np.radians(moves.turn), ()))
    )
    return Drawn(shift, np.exp(zoom), turn, rng.uniform(size=count) < moves.mirror)


def moved(faces: LabelledFaces, drawn: Drawn) -> LabelledFaces:
    """Faces as they would lie in moved crops.

    The coefficients of mirrored faces are not known: a model need not be symmetric.
    """
    order = MIRRORED[: faces.landmarks.shape[1]]
    mirrored = drawn.mirrored[:, None]
    landmarks = np.where(mirrored[..., None], faces.landmarks[:, order], faces.landmarks)
    visible = np.where(mirrored, faces.visible[:, order], faces.visible)
    places = (landmarks - 0.5) @ np.swapaxes(drawn.matrices, 1, 2) + 0.5 + drawn.shift[:, None]
    known = faces.known.copy()
    theta = turned(faces.layout, faces.theta, drawn.turn, drawn.mirrored)
    slices = faces.layout.slices
    for name in ("shape", "expression", "reflectance"):
        known[drawn.mirrored, slices[name]] = False
    images = moved_images(faces.images, drawn)
    return LabelledFaces(faces.layout, images, theta, places.astype(np.float32), visible, known)


def moved_images(images: UInt8[Array, "N S S 3"], drawn: Drawn) -> UInt8[Array, "N S S 3"]:
    """Images resampled bilinearly; past their edges the outermost pixels go on."""
    back = np.linalg.inv(drawn.matrices)
    shift = -2 * back @ drawn.shift[:, :, None]
    affine = torch.from_numpy(np.concatenate([back, shift], axis=2).astype(np.float32))
    pixels = torch.from_numpy(images).permute(0, 3, 1, 2).float()
    grid = functional.affine_grid(affine, list(pixels.shape), align_corners=False)
    out = functional.grid_sample(pixels, grid, "bilinear", "border", align_corners=False)
    # Rounded, and last in memory again.
    return out.permute(0, 2, 3, 1).add_(0.5).to(torch.uint8).contiguous().numpy()
