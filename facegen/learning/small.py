"""A small residual network for small images, which one core trains in minutes.

He et al., Deep Residual Learning for Image Recognition, CVPR 2016, narrower, and without the blocks
at half the image's side: they cost most and bring least.
"""

import itertools

import torch
from jaxtyping import Float32, UInt8
from torch import Tensor, nn

from facegen.learning.resnet import BasicBlock, convolution

STAGES = 3
MIDDLE, RANGE = 127.5, 64.0


class Trunk(nn.Module):
    """Images -> the features of three stages, of sides S/4, S/8, S/16 and w, 2w, 4w wide.

    A 3 x 3 stem of stride 2, then two basic blocks a stage.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self.widths = [width << stage for stage in range(STAGES)]
        first = 3 * width // 4
        self.stem = nn.Sequential(
            convolution(3, first, 3, 2), nn.BatchNorm2d(first), nn.ReLU(inplace=True)
        )
        self.stages = nn.ModuleList(
            nn.Sequential(BasicBlock(inputs, planes, 2), BasicBlock(planes, planes, 1))
            for inputs, planes in itertools.pairwise([first, *self.widths])
        )
        initialise(self)

    def forward(self, images: UInt8[Tensor, "N S S 3"]) -> list[Float32[Tensor, "N c s s"]]:
        # Channels stay last in memory, as decoded: the faster order for convolutions.
        x = self.stem(((images - MIDDLE) / RANGE).permute(0, 3, 1, 2))
        features = []
        for stage in self.stages:
            x = stage(x)
            features.append(x)
        return features


def initialise(module: nn.Module) -> None:
    """Random weights that keep the size of signals; blocks begin as their short cuts."""
    for part in module.modules():
        if isinstance(part, nn.Conv2d | nn.Linear):
            nn.init.kaiming_normal_(part.weight, mode="fan_in", nonlinearity="relu")
            if part.bias is not None:
                nn.init.zeros_(part.bias)
        if isinstance(part, BasicBlock):
            nn.init.zeros_(part.bn2.weight)
    module.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
