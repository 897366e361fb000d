"""Residual networks for small images, which a core or two train.

He et al., Deep Residual Learning for Image Recognition, CVPR 2016, narrower, and without the blocks
at half the image's side: they cost most and bring least.
"""

import itertools

from torch import Tensor, nn
from torch.nn import functional

from facegen.learning.alexnet import channels
from facegen.learning.config import NetworkConfig
from facegen.learning.resnet import BasicBlock, convolution

LAST_LAYER = "fc"
WIDTHS = {"small": 32, "medium": 48, "large": 64}  # Of the first of three stages.
STAGES = 3
GRID = 4  # Cells a side of what the last layer sees: where things are still counts.
MULTIPLE = 2 << STAGES  # What an image's side is one of: its features halve it so often.
SMALLEST = 32


class Small(nn.Module):
    """Pictures (N, 3, H, W) -> (N, outputs).

    A 3 x 3 stem of stride 2, then three stages of two basic blocks, of sides H/4, H/8, H/16 and w,
    2w, 4w wide.
    """

    def __init__(self, config: NetworkConfig) -> None:
        super().__init__()
        width = channels(WIDTHS[config.name], config.width)
        first = 3 * width // 4
        self.widths = tuple(width << stage for stage in range(STAGES))
        self.stem = nn.Sequential(
            convolution(3, first, 3, 2), nn.BatchNorm2d(first), nn.ReLU(inplace=True)
        )
        self.stages = nn.ModuleList(
            nn.Sequential(BasicBlock(inputs, planes, 2), BasicBlock(planes, planes, 1))
            for inputs, planes in itertools.pairwise([first, *self.widths])
        )
        self.fc = nn.Linear(self.widths[-1] * GRID**2, config.outputs)

    def maps(self, x: Tensor) -> list[Tensor]:
        """Feature maps, `widths` wide, from fine to coarse."""
        x = self.stem(x)
        maps = []
        for stage in self.stages:
            x = stage(x)
            maps.append(x)
        return maps

    def vector(self, maps: list[Tensor]) -> Tensor:
        """What the last layer takes: the means in the cells of a grid."""
        last = maps[-1]
        if last.shape[2:] != (GRID, GRID):
            last = functional.adaptive_avg_pool2d(last, GRID)
        return last.flatten(1)
