"""The distributions a recipe can state: true names, true statistics.

Each turns uniforms into draws, knows its own mean, standard deviation and CDF, and draws one value
from one uniform, so that a sample is a pure function of its random bits.
"""

import math
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from jaxtyping import Float64
from scipy.special import ndtr, ndtri

from facegen.errors import RecipeError
from facegen.files import Array

LARGEST = 1e30


class Distribution(Protocol):
    """A distribution of one real number."""

    @property
    def mean(self) -> float: ...

    @property
    def sd(self) -> float: ...

    def ppf(self, uniforms: Float64[Array, "*N"]) -> Float64[Array, "*N"]:
        """Percent point function, the inverse of the CDF: uniforms in (0, 1) -> draws."""
        ...

    def cdf(self, x: Float64[Array, "*N"]) -> Float64[Array, "*N"]:
        """Probability of a draw <= x."""
        ...


@dataclass(frozen=True)
class Constant:
    """Always the same value."""

    value: float

    def __post_init__(self) -> None:
        _finite(value=self.value)

    @property
    def mean(self) -> float:
        return self.value

    @property
    def sd(self) -> float:
        return 0.0

    def ppf(self, uniforms: Float64[Array, "*N"]) -> Float64[Array, "*N"]:
        return np.full_like(uniforms, self.value)

    def cdf(self, x: Float64[Array, "*N"]) -> Float64[Array, "*N"]:
        return (np.asarray(x) >= self.value).astype(np.float64)


@dataclass(frozen=True)
class Uniform:
    """Equally likely everywhere between low and high."""

    low: float
    high: float

    def __post_init__(self) -> None:
        _finite(low=self.low, high=self.high)
        if self.low >= self.high:
            raise RecipeError(f"low {self.low:g} is not below high {self.high:g}")

    @property
    def mean(self) -> float:
        return (self.low + self.high) / 2

    @property
    def sd(self) -> float:
        return (self.high - self.low) / math.sqrt(12)

    def ppf(self, uniforms: Float64[Array, "*N"]) -> Float64[Array, "*N"]:
        return self.low + (self.high - self.low) * uniforms

    def cdf(self, x: Float64[Array, "*N"]) -> Float64[Array, "*N"]:
        return np.clip((x - self.low) / (self.high - self.low), 0.0, 1.0)


@dataclass(frozen=True)
class LogUniform:
    """Its logarithm equally likely everywhere between those of low and high, which are above 0."""

    low: float
    high: float

    def __post_init__(self) -> None:
        _finite(low=self.low, high=self.high)
        if not 0 < self.low < self.high:
            raise RecipeError(f"low {self.low:g} is not above 0 and below high {self.high:g}")

    @property
    def mean(self) -> float:
        return (self.high - self.low) / self._span

    @property
    def sd(self) -> float:
        second = (self.high**2 - self.low**2) / (2 * self._span)
        return math.sqrt(max(second - self.mean**2, 0.0))

    def ppf(self, uniforms: Float64[Array, "*N"]) -> Float64[Array, "*N"]:
        return np.asarray(self.low * np.exp(self._span * uniforms))

    def cdf(self, x: Float64[Array, "*N"]) -> Float64[Array, "*N"]:
        shares = np.log(np.maximum(x, self.low) / self.low) / self._span
        return np.asarray(np.clip(shares, 0.0, 1.0))

    @property
    def _span(self) -> float:
        return math.log(self.high / self.low)


@dataclass(frozen=True)
class Normal:
    """Gaussian of a mean and a standard deviation (never a variance)."""

    mean: float
    sd: float

    def __post_init__(self) -> None:
        _finite(mean=self.mean, sd=self.sd)
        if self.sd <= 0:
            raise RecipeError(
                f"sd {self.sd:g} is not positive", "use distribution = 'constant' for no spread"
            )

    def ppf(self, uniforms: Float64[Array, "*N"]) -> Float64[Array, "*N"]:
        return np.asarray(self.mean + self.sd * ndtri(uniforms))

    def cdf(self, x: Float64[Array, "*N"]) -> Float64[Array, "*N"]:
        return np.asarray(ndtr((x - self.mean) / self.sd))


@dataclass(frozen=True)
class Mixture:
    """One of several distributions, chosen once per draw with exactly the stated weights."""

    weights: tuple[float, ...]
    components: tuple[Distribution, ...]

    def __post_init__(self) -> None:
        if not self.components or len(self.weights) != len(self.components):
            raise RecipeError("a mixture needs components, each with a weight")
        if any(not weight > 0 for weight in self.weights):
            raise RecipeError("every weight of a mixture must be positive")
        total = math.fsum(self.weights)
        if abs(total - 1) > 1e-6:
            raise RecipeError(f"the weights of the mixture sum to {total:g}, not to 1")

    @property
    def mean(self) -> float:
        return math.fsum(w * c.mean for w, c in self._pairs())

    @property
    def sd(self) -> float:
        second = math.fsum(w * (c.sd**2 + c.mean**2) for w, c in self._pairs())
        return math.sqrt(max(second - self.mean**2, 0.0))

    def ppf(self, uniforms: Float64[Array, "*N"]) -> Float64[Array, "*N"]:
        """The uniform chooses the component; where it falls within that choice is the draw."""
        edges = np.concatenate([[0.0], np.cumsum(self.weights)]) / math.fsum(self.weights)
        numbers = np.clip(
            np.searchsorted(edges, uniforms, side="right") - 1, 0, len(self.weights) - 1
        )
        out = np.empty_like(uniforms)
        for k, component in enumerate(self.components):
            inside = numbers == k
            remainders = (uniforms[inside] - edges[k]) / (edges[k + 1] - edges[k])
            out[inside] = component.ppf(np.clip(remainders, 2.0**-54, 1 - 2.0**-53))
        return out

    def cdf(self, x: Float64[Array, "*N"]) -> Float64[Array, "*N"]:
        return np.asarray(np.sum([w * c.cdf(x) for w, c in self._pairs()], axis=0))

    def _pairs(self) -> "zip[tuple[float, Distribution]]":
        return zip(self.weights, self.components, strict=True)


@dataclass(frozen=True, eq=False)
class Empirical:
    """What has no closed form, known by many draws of it, sorted."""

    draws: Float64[Array, "n"]

    @property
    def mean(self) -> float:
        return float(self.draws.mean())

    @property
    def sd(self) -> float:
        constant = len(self.draws) and self.draws[0] == self.draws[-1]
        return 0.0 if constant else float(self.draws.std())

    def ppf(self, uniforms: Float64[Array, "*N"]) -> Float64[Array, "*N"]:
        return np.asarray(np.quantile(self.draws, uniforms))

    def cdf(self, x: Float64[Array, "*N"]) -> Float64[Array, "*N"]:
        return np.asarray(np.searchsorted(self.draws, x, side="right") / len(self.draws))


@dataclass(frozen=True)
class Scaled:
    """Another distribution's draws times a positive factor: the same one in another unit."""

    inner: Distribution
    factor: float

    @property
    def mean(self) -> float:
        return self.factor * self.inner.mean

    @property
    def sd(self) -> float:
        return self.factor * self.inner.sd

    def ppf(self, uniforms: Float64[Array, "*N"]) -> Float64[Array, "*N"]:
        return self.factor * self.inner.ppf(uniforms)

    def cdf(self, x: Float64[Array, "*N"]) -> Float64[Array, "*N"]:
        return self.inner.cdf(np.asarray(x) / self.factor)


def _finite(**values: float) -> None:
    for name, value in values.items():
        if not abs(value) < LARGEST:
            raise RecipeError(f"{name} is {value}, not a finite number below {LARGEST:g}")
