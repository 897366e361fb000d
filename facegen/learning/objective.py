"""What a training lowers: the loss of theta and, of what else a network estimates, its own."""

import torch
from jaxtyping import Float32
from torch import Tensor, nn
from torch.nn import functional

from facegen.learning.heads import Estimate
from facegen.learning.labelled import Batch
from facegen.learning.networks import FaceNet

# Of the landmarks and of their visibility, beside theta's loss of about one.
LANDMARKS, VISIBLE = 4.0, 0.1
# The error, in shares of the image's side, from which on smooth L1 is linear.
KNEE = 0.01
TINY = 1e-12


class Objective(nn.Module):
    """(Estimate, Batch) -> the loss; `of_theta` is that of theta (N, m) and its truth.

    Deviations are learned of what theta and landmarks miss, and change neither (Gaussian negative
    log-likelihood, of means that are held fixed).
    """

    sd: Tensor

    def __init__(self, of_theta: nn.Module, network: FaceNet) -> None:
        super().__init__()
        self.of_theta = of_theta
        self.register_buffer("sd", network.sd.detach().clone())
        self.spread = network.spread

    def forward(self, estimate: Estimate, batch: Batch) -> Float32[Tensor, ""]:
        # What is not known is taken as right.
        truth = torch.where(batch.known, batch.theta, estimate.theta.detach())
        loss: Tensor = self.of_theta(estimate.theta, truth)
        if estimate.sd is not None:
            loss = loss + self._of_sd(estimate.theta, estimate.sd, batch)
        if estimate.landmarks is not None:
            loss = loss + self._of_landmarks(estimate, batch)
        return loss

    def _of_sd(self, theta: Tensor, sd: Tensor, batch: Batch) -> Tensor:
        """The mean over what is known and varies."""
        counts = (batch.known & (self.sd > 0)).float()
        missed = ((theta - batch.theta).detach() / sd.clamp_min(TINY)).square()
        terms = (sd / self.sd.clamp_min(TINY)).clamp_min(TINY).log() + missed / 2
        return (terms * counts).sum() / counts.sum().clamp_min(1)

    def _of_landmarks(self, estimate: Estimate, batch: Batch) -> Tensor:
        places, sd, visible = estimate.landmarks, estimate.landmarks_sd, estimate.visible
        assert places is not None
        assert sd is not None
        assert visible is not None
        gap = (places - batch.landmarks) / self.spread
        loss = functional.smooth_l1_loss(gap, torch.zeros_like(gap), beta=KNEE / self.spread)
        missed = (places - batch.landmarks).detach().square().sum(2) / sd.square()
        deviations = (2 * (sd / self.spread).log() + missed / 2).mean()
        seen = functional.binary_cross_entropy(visible, batch.visible)
        return LANDMARKS * loss + deviations + VISIBLE * seen
