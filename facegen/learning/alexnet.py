"""AlexNet, as torchvision has it and names its parameters.

Krizhevsky, One Weird Trick for Parallelizing Convolutional Neural Networks, 2014: no normalisation.
"""

from torch import Tensor, nn

from facegen.learning.config import NetworkConfig

LAST_LAYER = "classifier.6"
GRID = 6


class AlexNet(nn.Module):
    """Pictures (N, 3, H, W) -> (N, outputs).

    The first layer's stride is 4 at the paper's 224 or 240 pixels, and less for smaller images,
    so that the last grid keeps its 6 x 6 cells.
    """

    def __init__(self, config: NetworkConfig) -> None:
        super().__init__()
        a, b, c, d, e = (channels(n, config.width) for n in (64, 192, 384, 256, 4096))
        stride = min(4, max(1, round(config.size / 60)))
        self.features = nn.Sequential(
            nn.Conv2d(3, a, 11, stride, padding=2),
            nn.ReLU(inplace=True),
            nn.MaxPool2d(3, 2),
            nn.Conv2d(a, b, 5, padding=2),
            nn.ReLU(inplace=True),
            nn.MaxPool2d(3, 2),
            nn.Conv2d(b, c, 3, padding=1),
            nn.ReLU(inplace=True),
            nn.Conv2d(c, d, 3, padding=1),
            nn.ReLU(inplace=True),
            nn.Conv2d(d, d, 3, padding=1),
            nn.ReLU(inplace=True),
            nn.MaxPool2d(3, 2),
        )
        self.widths = (d,)
        self.avgpool = nn.AdaptiveAvgPool2d(GRID)
        self.classifier = nn.Sequential(
            nn.Dropout(config.dropout),
            nn.Linear(d * GRID * GRID, e),
            nn.ReLU(inplace=True),
            nn.Dropout(config.dropout),
            nn.Linear(e, e),
            nn.ReLU(inplace=True),
            nn.Linear(e, config.outputs),
        )

    def maps(self, x: Tensor) -> list[Tensor]:
        """Feature maps, `widths` wide, from fine to coarse."""
        return [self.features(x)]

    def vector(self, maps: list[Tensor]) -> Tensor:
        """What the last layer takes."""
        pooled: Tensor = self.avgpool(maps[-1]).flatten(1)
        features: Tensor = self.classifier[:-1](pooled)
        return features


def channels(full: int, width: float) -> int:
    """So many of the full network's channels, a multiple of eight."""
    return max(8, 8 * round(full * width / 8))
