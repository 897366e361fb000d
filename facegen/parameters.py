"""The schema of theta: which groups, how wide, in which unit, and where each lies in the vector.

The tar label, the network's output and estimates.h5 are all this.
"""

from dataclasses import dataclass
from functools import cached_property
from math import isclose, prod, sqrt

import numpy as np
from numpy.typing import NDArray

from facegen.errors import DatasetError, RecipeError

Float32 = NDArray[np.float32]

ANGLES = ("pitch", "yaw", "roll")
CHANNELS = ("red", "green", "blue")
SH_COEFFICIENTS = 9
DEVIATION, WEIGHT = "standard deviation", "weight"
POSTER_UNIT = "standard deviation / (12 / sqrt 3)"
POSTER_SIZE = sqrt(3) / 12  # deviations: U(-12, 12) of it has exactly the spread of the data

# What a recipe may call the unit of expression -> (the kind, how many of it one is).
EXPRESSION_UNITS = {
    POSTER_UNIT: (DEVIATION, POSTER_SIZE),
    "standard deviation": (DEVIATION, 1.0),
    "weight": (WEIGHT, 1.0),
}


@dataclass(frozen=True)
class Group:
    """One group of theta: its name, the shape of its value, and how many of `unit` one is."""

    name: str
    shape: tuple[int, ...]
    unit: str
    size: float = 1.0

    @property
    def width(self) -> int:
        return prod(self.shape)

    def factor(self, stated: str) -> float:
        """How many of this group one of a recipe's unit is; refused between kinds."""
        kind, size = EXPRESSION_UNITS[stated]
        if self.width and kind != self.unit:
            raise RecipeError(
                f"[{self.name}] is stated in {kind}s, the model's is in {self.unit}s",
                "use --recipe ict, or bootstrap-ict around estimates"
                if self.unit == WEIGHT
                else "use --recipe basel or flame, or bootstrap around estimates",
            )
        return 1.0 if isclose(size, self.size) else size / self.size

    @property
    def words(self) -> str:
        """What one of this group is."""
        return self.unit if self.size == 1 else f"{self.size:.4f} {self.unit}s"


@dataclass(frozen=True)
class Parameters:
    """theta taken apart: one array per group, the sample first, float32.

    rotation (N, 3) pitch, yaw, roll in radians; shape, expression, reflectance (N, k) coefficients;
    illumination (N, 9, 3), coefficient by channel.
    """

    rotation: Float32
    shape: Float32
    expression: Float32
    reflectance: Float32
    illumination: Float32

    @property
    def geometry(self) -> Float32:
        """[shape, expression] (N, k): the coefficients of the model's geometry."""
        return np.concatenate([self.shape, self.expression], axis=1)


@dataclass(frozen=True)
class Layout:
    """The order and widths of the groups in theta."""

    groups: tuple[Group, ...]

    @property
    def width(self) -> int:
        return sum(group.width for group in self.groups)

    @cached_property
    def slices(self) -> dict[str, slice]:
        """Where each group lies in theta."""
        ends = np.cumsum([group.width for group in self.groups]).tolist()
        return {g.name: slice(end - g.width, end) for g, end in zip(self.groups, ends, strict=True)}

    def unpack(self, theta: Float32) -> Parameters:
        """Take theta (N, m) apart; the arrays are views of it."""
        if theta.ndim != 2 or theta.shape[1] != self.width:
            raise DatasetError(f"theta is {theta.shape}, not (N, {self.width})")
        parts = {g.name: theta[:, self.slices[g.name]] for g in self.groups}
        return Parameters(
            **{g.name: parts[g.name].reshape(len(theta), *g.shape) for g in self.groups}
        )

    def pack(self, parameters: Parameters) -> Float32:
        """Put the groups together: theta (N, m) float32."""
        values = [np.asarray(getattr(parameters, group.name)) for group in self.groups]
        rows = [value.reshape(len(value), prod(value.shape[1:])) for value in values]
        return np.concatenate(rows, axis=1, dtype=np.float32)

    def to_json(self) -> list[list[str | int]]:
        """[[group, width], ...] in the order of theta, as data sets record it."""
        return [[group.name, group.width] for group in self.groups]


def layout_of(
    shape: int,
    expression: int,
    reflectance: int,
    *,
    unit: str = DEVIATION,
    size: float = POSTER_SIZE,
) -> Layout:
    """The layout of theta for these numbers of coefficients; one of expression is `size` units."""
    return Layout(
        (
            Group("rotation", (len(ANGLES),), "radian"),
            Group("shape", (shape,), DEVIATION),
            Group("expression", (expression,), unit, size),
            Group("reflectance", (reflectance,), DEVIATION),
            Group("illumination", (SH_COEFFICIENTS, len(CHANNELS)), "irradiance coefficient"),
        )
    )
