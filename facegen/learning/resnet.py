"""Residual networks, as torchvision has them and names their parameters.

He et al., Deep Residual Learning for Image Recognition, CVPR 2016; bottlenecks have their stride in
the 3 x 3 convolution.
"""

from typing import cast

from torch import Tensor, nn

from facegen.learning.alexnet import channels
from facegen.learning.config import NetworkConfig

LAST_LAYER = "fc"
DEPTHS = {
    "resnet18": (2, 2, 2, 2),
    "resnet50": (3, 4, 6, 3),
    "resnet101": (3, 4, 23, 3),
}


class BasicBlock(nn.Module):
    """Two 3 x 3 convolutions beside a short cut."""

    expansion = 1

    def __init__(self, inputs: int, planes: int, stride: int) -> None:
        super().__init__()
        self.conv1 = convolution(inputs, planes, 3, stride)
        self.bn1 = nn.BatchNorm2d(planes)
        self.conv2 = convolution(planes, planes, 3)
        self.bn2 = nn.BatchNorm2d(planes)
        self.relu = nn.ReLU(inplace=True)
        self.downsample = shortcut(inputs, planes, stride)

    @property
    def closing_norm(self) -> nn.BatchNorm2d:
        """The norm that ends the block."""
        return self.bn2

    def forward(self, x: Tensor) -> Tensor:
        out = self.relu(self.bn1(self.conv1(x)))
        out = self.relu(self.bn2(self.conv2(out)) + self.downsample(x))
        return cast(Tensor, out)


class Bottleneck(nn.Module):
    """1 x 1, 3 x 3 and 1 x 1 convolutions beside a short cut."""

    expansion = 4

    def __init__(self, inputs: int, planes: int, stride: int) -> None:
        super().__init__()
        outputs = planes * self.expansion
        self.conv1 = convolution(inputs, planes, 1)
        self.bn1 = nn.BatchNorm2d(planes)
        self.conv2 = convolution(planes, planes, 3, stride)
        self.bn2 = nn.BatchNorm2d(planes)
        self.conv3 = convolution(planes, outputs, 1)
        self.bn3 = nn.BatchNorm2d(outputs)
        self.relu = nn.ReLU(inplace=True)
        self.downsample = shortcut(inputs, outputs, stride)

    @property
    def closing_norm(self) -> nn.BatchNorm2d:
        """The norm that ends the block."""
        return self.bn3

    def forward(self, x: Tensor) -> Tensor:
        out = self.relu(self.bn1(self.conv1(x)))
        out = self.relu(self.bn2(self.conv2(out)))
        out = self.relu(self.bn3(self.conv3(out)) + self.downsample(x))
        return cast(Tensor, out)


class ResNet(nn.Module):
    """Images (N, 3, H, W) -> (N, outputs)."""

    def __init__(self, config: NetworkConfig) -> None:
        super().__init__()
        block = BasicBlock if config.name == "resnet18" else Bottleneck
        planes = [channels(n, config.width) for n in (64, 128, 256, 512)]
        self.conv1 = convolution(3, planes[0], 7, 2)
        self.bn1 = nn.BatchNorm2d(planes[0])
        self.relu = nn.ReLU(inplace=True)
        self.maxpool = nn.MaxPool2d(3, 2, padding=1)
        self.widths = tuple(width * block.expansion for width in planes)
        inputs = planes[0]
        for i, depth in enumerate(DEPTHS[config.name]):
            outputs = planes[i] * block.expansion
            first = block(inputs, planes[i], 1 if i == 0 else 2)
            others = (block(outputs, planes[i], 1) for _ in range(depth - 1))
            self.add_module(f"layer{i + 1}", nn.Sequential(first, *others))
            inputs = outputs
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        self.fc = nn.Linear(inputs, config.outputs)

    def maps(self, x: Tensor) -> list[Tensor]:
        """Feature maps, `widths` wide, from fine to coarse."""
        x = self.maxpool(self.relu(self.bn1(self.conv1(x))))
        maps = []
        for name in ("layer1", "layer2", "layer3", "layer4"):
            x = self.get_submodule(name)(x)
            maps.append(x)
        return maps

    def vector(self, maps: list[Tensor]) -> Tensor:
        """What the last layer takes."""
        pooled: Tensor = self.avgpool(maps[-1])
        return pooled.flatten(1)


def convolution(inputs: int, outputs: int, kernel: int, stride: int = 1) -> nn.Conv2d:
    """A convolution that keeps the image's size but for its stride; the norm has the bias."""
    return nn.Conv2d(inputs, outputs, kernel, stride, padding=kernel // 2, bias=False)


def shortcut(inputs: int, outputs: int, stride: int) -> nn.Module:
    """The way past a block: as it is, or projected where its shape changes."""
    if stride == 1 and inputs == outputs:
        return nn.Identity()
    return nn.Sequential(convolution(inputs, outputs, 1, stride), nn.BatchNorm2d(outputs))


def initialise(module: nn.Module) -> None:
    """Random weights that keep the size of signals (He et al., ICCV 2015)."""
    for part in module.modules():
        if isinstance(part, nn.Conv2d | nn.Linear):
            nn.init.kaiming_normal_(part.weight, mode="fan_in", nonlinearity="relu")
            if part.bias is not None:
                nn.init.zeros_(part.bias)
        # Blocks begin as their short cuts (Goyal et al., 2017): signals keep their size.
        if isinstance(part, BasicBlock | Bottleneck):
            nn.init.zeros_(part.closing_norm.weight)
