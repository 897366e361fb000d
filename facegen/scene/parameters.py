"""The schema of theta: which groups, how wide, in which unit, and where each lies in the vector.

The label in a shard, the network's output and estimates.h5 all follow it.
"""

from dataclasses import dataclass, fields
from functools import cached_property
from math import isclose, prod, sqrt
from typing import Any, Literal

import numpy as np
from jaxtyping import Float32

from facegen.errors import DatasetError, RecipeError
from facegen.files import Array

ANGLES = ("pitch", "yaw", "roll")
CHANNELS = ("red", "green", "blue")
SH_COEFFICIENTS = 9

UnitKind = Literal["radian", "standard deviation", "weight", "irradiance coefficient"]


@dataclass(frozen=True)
class CoefficientUnit:
    """What one of a coefficient is: `scale` of its kind. Weights run from 0 to 1."""

    kind: UnitKind
    scale: float = 1.0

    def __str__(self) -> str:
        return self.kind if self.scale == 1 else f"{self.scale:.4f} {self.kind}s"


STANDARD_DEVIATION = CoefficientUnit("standard deviation")
WEIGHT = CoefficientUnit("weight")
# U(-12, 12) of it has exactly the spread of the data.
POSTER_UNIT = CoefficientUnit("standard deviation", sqrt(3) / 12)

# What a recipe may call the unit of expression.
EXPRESSION_UNITS = {
    "standard deviation / (12 / sqrt 3)": POSTER_UNIT,
    "standard deviation": STANDARD_DEVIATION,
    "weight": WEIGHT,
}


@dataclass(frozen=True)
class Group:
    """One group of theta: its name, the shape of its value, the unit and the names of its numbers.

    Without names, numbers count from 0.
    """

    name: str
    shape: tuple[int, ...]
    unit: CoefficientUnit
    names: tuple[str, ...] = ()

    @property
    def width(self) -> int:
        """How many numbers it has."""
        return prod(self.shape)

    def factor(self, stated: CoefficientUnit) -> float:
        """How many of this group's unit one of a recipe's is; refused between kinds."""
        if self.width and stated.kind != self.unit.kind:
            raise RecipeError(
                f"[{self.name}] is stated in {stated.kind}s, the model's is in {self.unit.kind}s",
                "use --recipe ict, or bootstrap-ict around estimates"
                if self.unit.kind == WEIGHT.kind
                else "use --recipe basel or flame, or bootstrap around estimates",
            )
        same = isclose(stated.scale, self.unit.scale)
        return 1.0 if same else stated.scale / self.unit.scale


@dataclass(frozen=True)
class Parameters:
    """theta taken apart, one array per group: of N samples, or of one without the first axis.

    rotation: pitch, yaw, roll in radians; shape, expression, reflectance: coefficients of the
    model; illumination: coefficient by channel.
    """

    rotation: Float32[Array, "*N 3"]
    shape: Float32[Array, "*N s"]
    expression: Float32[Array, "*N e"]
    reflectance: Float32[Array, "*N r"]
    illumination: Float32[Array, "*N 9 3"]

    @property
    def geometry(self) -> Float32[Array, "*N s+e"]:
        """[shape, expression]: the coefficients of the model's geometry."""
        return np.concatenate([self.shape, self.expression], axis=-1)

    def __getitem__(self, rows: Any) -> "Parameters":
        return Parameters(*(getattr(self, field.name)[rows] for field in fields(self)))


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

    def named(self, name: str) -> Group:
        """The group of this name."""
        return next(group for group in self.groups if group.name == name)

    def unpack(self, theta: Float32[Array, "N m"]) -> Parameters:
        """Take theta apart; the arrays are views of it."""
        if theta.ndim != 2 or theta.shape[1] != self.width:
            raise DatasetError(f"theta is {theta.shape}, not (N, {self.width})")
        columns = {g.name: theta[:, self.slices[g.name]] for g in self.groups}
        return Parameters(
            **{g.name: columns[g.name].reshape(len(theta), *g.shape) for g in self.groups}
        )

    def pack(self, parameters: Parameters) -> Float32[Array, "N m"]:
        """Put the groups together."""
        values = [np.asarray(getattr(parameters, group.name)) for group in self.groups]
        rows = [value.reshape(len(value), prod(value.shape[1:])) for value in values]
        return np.concatenate(rows, axis=1, dtype=np.float32)

    def to_json(self) -> list[tuple[str, int]]:
        """[group, width] in the order of theta, as data sets record it."""
        return [(group.name, group.width) for group in self.groups]


def layout_of(
    shape: int,
    expression: int,
    reflectance: int,
    unit: CoefficientUnit = POSTER_UNIT,
    names: tuple[str, ...] = (),
) -> Layout:
    """The layout of theta for these numbers of coefficients; unit and names are expression's."""
    light = CoefficientUnit("irradiance coefficient")
    return Layout(
        (
            Group("rotation", (len(ANGLES),), CoefficientUnit("radian")),
            Group("shape", (shape,), STANDARD_DEVIATION),
            Group("expression", (expression,), unit, names),
            Group("reflectance", (reflectance,), STANDARD_DEVIATION),
            Group("illumination", (SH_COEFFICIENTS, len(CHANNELS)), light),
        )
    )


def layout_from_json(pairs: Any) -> Layout:
    """The layout that a data set or a checkpoint records as [[group, width], ...]."""
    try:
        widths = {str(name): int(width) for name, width in pairs}
        layout = layout_of(widths["shape"], widths["expression"], widths["reflectance"])
    except (TypeError, ValueError, KeyError, OverflowError):
        raise DatasetError("states no layout") from None
    if layout.to_json() != [tuple(pair) for pair in pairs] or min(widths.values()) < 0:
        raise DatasetError(f"states the layout {pairs}, which is none of facegen's")
    return layout
