"""The exponential moving average of a network's weights, which errs less than its last ones."""

from copy import deepcopy

import torch

from facegen.learning.networks import FaceNet


class Average:
    """A network that follows another: after many steps, the mean of about 1 / (1 - decay)."""

    def __init__(self, network: FaceNet, decay: float) -> None:
        self.network = deepcopy(network).eval().requires_grad_(requires_grad=False)
        self._decay = decay
        # Floating points are averaged, counters are not.
        pairs = zip(self.network.state_dict().values(), network.state_dict().values(), strict=True)
        self._pairs = [(mean, now) for mean, now in pairs if mean.is_floating_point()]

    @torch.no_grad()
    def follow(self, step: int) -> None:
        """Take in the other's weights after this step; the first ones count little."""
        share = 1 - min(self._decay, (1 + step) / (10 + step))
        means, now = zip(*self._pairs, strict=True)
        torch._foreach_lerp_(means, now, share)
