"""The losses: model space (Kim et al., CVPR 2018), and plain parameters, their baseline."""

from collections.abc import Mapping

import numpy as np
import torch
from jaxtyping import Float32
from torch import Tensor, nn

from facegen.files import Array
from facegen.learning.config import PAPER_WEIGHTS
from facegen.models.morphable_model import MorphableModel
from facegen.scene.parameters import Layout

# Shape and expression have one weight, so that their part stays a distance between meshes.
TERMS = (("rotation",), ("shape", "expression"), ("reflectance",), ("illumination",))

Weights = Mapping[str, float]


class ModelSpaceLoss(nn.Module):
    """||theta - truth||²_A over theta (N, m), mean over N; A = Sigma^T Sigma, Sigma = diag(scale).

    With an orthonormal basis this is the squared distance between meshes and between reflectances.
    """

    scale: Tensor

    def __init__(self, scale: Float32[Array, "m"]) -> None:
        super().__init__()
        self.register_buffer("scale", torch.tensor(scale, dtype=torch.float32))

    def forward(
        self, theta: Float32[Tensor, "N m"], truth: Float32[Tensor, "N m"]
    ) -> Float32[Tensor, ""]:
        return ((theta - truth) * self.scale).square().sum(1).mean()


class ParameterLoss(nn.Module):
    """||theta - truth||² / m over theta (N, m), mean over N: every number of theta counts as it is.

    The division by m only keeps the size of steps near that of the calibrated model-space loss.
    """

    def forward(
        self, theta: Float32[Tensor, "N m"], truth: Float32[Tensor, "N m"]
    ) -> Float32[Tensor, ""]:
        return (theta - truth).square().mean()


def loss_of(name: str, layout: Layout, model: MorphableModel, weights: Weights) -> nn.Module:
    """The loss of this name."""
    if name == "parameter":
        return ParameterLoss()
    return ModelSpaceLoss(diagonal(layout, model, weights))


def diagonal(layout: Layout, model: MorphableModel, weights: Weights) -> Float32[Array, "m"]:
    """Sigma's diagonal: (w_R 1_3, w_s scale_s, w_e scale_e, w_r scale_r, w_i 1_27).

    The component scale is the length of a coefficient's row of the basis: mm over all vertices for
    geometry.
    """
    factors = _component_scales(model)
    parts = [
        weights[group.name] * factors.get(group.name, np.ones(group.width, np.float32))
        for group in layout.groups
    ]
    return np.concatenate(parts).astype(np.float32)


def calibrate(layout: Layout, model: MorphableModel, sd: Float32[Array, "m"]) -> dict[str, float]:
    """Weights with which the loss is one where all of theta is off by sd.

    Rotation, reflectance and illumination have a fifth each, shape and expression two together.
    """
    equal = dict.fromkeys(layout.slices, 1.0)
    energy = np.square(diagonal(layout, model, equal) * sd, dtype=np.float64)
    weights: dict[str, float] = {}
    for term in TERMS:
        off = sum(energy[layout.slices[name]].sum() for name in term)
        weights |= dict.fromkeys(term, float(np.sqrt(len(term) / 5 / off)) if off > 0 else 1.0)
    return weights


def shares(
    layout: Layout, model: MorphableModel, weights: Weights, sd: Float32[Array, "m"]
) -> dict[str, float]:
    """Each group's part of the model-space loss where all of theta is off by sd."""
    energy = np.square(diagonal(layout, model, weights) * sd, dtype=np.float64)
    parts = {name: float(energy[part].sum()) for name, part in layout.slices.items()}
    total = sum(parts.values()) or 1.0
    return {name: part / total for name, part in parts.items()}


def describe(weights: Weights, parts: Weights) -> str:
    """Weights and shares beside the paper's weights, as a table."""
    lines = ["group         weight     share  paper's weight"]
    for name, paper in PAPER_WEIGHTS.items():
        lines.append(f"{name:12} {weights[name]:8.4g} {100 * parts[name]:8.1f}% {paper:8.0f}")
    return "\n".join(lines)


def _component_scales(model: MorphableModel) -> dict[str, Float32[Array, "k"]]:
    names = ("shape", "expression", "reflectance")
    return {name: getattr(model, name).component_scale for name in names}
