"""What a person's attributes (gender, age, ...) say of the coefficients: the linear part of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float32, Float64

from facegen.errors import ModelError
from facegen.files import Array

GROUPS = ("shape", "reflectance")
RANK = 1e-4  # Shares that sum to one leave a direction without variance.
QUANTUM = 2.0**-24


@dataclass(frozen=True)
class Attribute:
    """One attribute: its name, what its number means, and the range that makes sense."""

    name: str
    unit: str
    low: float
    high: float


@dataclass(frozen=True, eq=False)
class Attributes:
    """The attributes of the people a model was made of, and how its coefficients go with them.

    mean (A,) and covariance (A, A) of the attributes; shape and reflectance (A, k): their
    covariance with the coefficients, which are N(0, I).
    """

    described: tuple[Attribute, ...]
    mean: Float64[Array, "A"]
    covariance: Float64[Array, "A A"]
    shape: Float64[Array, "A s"]
    reflectance: Float64[Array, "A r"]

    def __post_init__(self) -> None:
        count = len(self.described)
        shapes = {"mean": (count,), "covariance": (count, count)}
        shapes |= {group: (count, getattr(self, group).shape[-1]) for group in GROUPS}
        for name, shape in shapes.items():
            array = getattr(self, name)
            if array.shape != shape or not np.isfinite(array).all():
                raise ModelError(f"the attributes' {name} is not {shape} finite numbers")
        if len(set(self.names)) < count:
            raise ModelError("the attributes' names are not different")
        covariance = self.covariance
        lowest = np.linalg.eigvalsh(covariance).min(initial=0)
        sound = np.allclose(covariance, covariance.T) and (np.diag(covariance) > 0).all()
        if not sound or lowest < -RANK * np.abs(covariance).max(initial=0):
            raise ModelError("the attributes' covariance is none")

    @property
    def names(self) -> tuple[str, ...]:
        """The attributes in order."""
        return tuple(attribute.name for attribute in self.described)

    def leading(self, shape: int | None, reflectance: int | None) -> "Attributes":
        """Those of a model with so many leading components."""
        return replace(
            self, shape=self.shape[:, :shape], reflectance=self.reflectance[:, :reflectance]
        )

    def given(self, names: Sequence[str]) -> "Conditional":
        """How coefficients are distributed when these attributes are known."""
        rows = [self.names.index(name) for name in names]
        sd = np.sqrt(np.diag(self.covariance)[rows])
        values, vectors = np.linalg.eigh(self.covariance[np.ix_(rows, rows)] / np.outer(sd, sd))
        kept = values > RANK
        half = vectors[:, kept] / np.sqrt(values[kept])
        loadings = {group: getattr(self, group)[rows] / sd[:, None] for group in GROUPS}
        return Conditional(
            names=tuple(names),
            mean=self.mean[rows],
            sd=sd,
            precision=_rounded(half @ half.T),
            loadings=loadings,
            shrinkage={group: _shrinkage(half, loadings[group]) for group in GROUPS},
        )

    def read(self, group: str, coefficients: Float32[Array, "N k"]) -> Float64[Array, "N A"]:
        """The attributes that one group's coefficients let expect, by linear regression."""
        return np.asarray(self.mean + coefficients @ getattr(self, group).T)


@dataclass(frozen=True, eq=False)
class Conditional:
    """Coefficients given S attributes, which are Gaussian: z ~ N(0, I) becomes them.

    With attributes a in standard deviations, precision P (S, S) and loadings L (S, k), the mean is
    a P L and the covariance I - L^T P L, whose symmetric root is I - L^T W L: W is the shrinkage.
    """

    names: tuple[str, ...]
    mean: Float64[Array, "S"]
    sd: Float64[Array, "S"]
    precision: Float64[Array, "S S"]
    loadings: Mapping[str, Float64[Array, "S k"]]
    shrinkage: Mapping[str, Float64[Array, "S S"]]

    def coefficients(
        self, group: str, attributes: Float64[Array, "N S"], noise: Float32[Array, "N k"]
    ) -> Float32[Array, "N k"]:
        """A group's coefficients for these attributes, and this standard normal noise."""
        loadings = self.loadings[group]
        stated = ordered_product((attributes - self.mean) / self.sd, self.precision)
        replaced = ordered_product(
            ordered_product(noise.astype(np.float64), loadings.T), self.shrinkage[group]
        )
        return np.asarray(noise + ordered_product(stated - replaced, loadings), np.float32)


def _shrinkage(half: Float64[Array, "S r"], loadings: Float64[Array, "S k"]) -> Array:
    """W (S, S), with P = half half^T: I - L^T W L squared is I - L^T P L."""
    seen = half.T @ loadings
    values, vectors = np.linalg.eigh(seen @ seen.T)
    values = values.clip(1e-12, 1 - 1e-6)
    turned = half @ vectors
    return _rounded((turned * ((1 - np.sqrt(1 - values)) / values)) @ turned.T)


def _rounded(matrix: Float64[Array, "S S"]) -> Float64[Array, "S S"]:
    """The matrix without the digits in which one machine's LAPACK differs from another's."""
    return np.asarray(np.round(matrix / QUANTUM) * QUANTUM)


def ordered_product(
    rows: Float64[Array, "N a"], matrix: Float64[Array, "a b"]
) -> Float64[Array, "N b"]:
    """rows @ matrix, summed in one order on every machine and for any number of rows."""
    out = np.zeros((len(rows), matrix.shape[1]))
    for column, values in zip(rows.T, matrix, strict=True):
        out += column[:, None] * values
    return out
