"""Do stored parameters follow the distributions a recipe states? Asked of the numbers alone."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import nnls
from scipy.stats import chi2, kstwo

from facegen.distributions import Distribution, Mixture
from facegen.parameters import ANGLES, CHANNELS, Float32, Layout
from facegen.plan import identities_of
from facegen.recipe import Recipe
from facegen.sampling import Indices, Prior, PriorSource

Float64 = NDArray[np.float64]

# A sound data set fails by chance once in a million, all its tests together.
FAMILY_ALPHA = 1e-6
SMALLEST_CELL = 5.0
QUANTILES = np.array([0.02, 0.25, 0.5, 0.75, 0.98])


@dataclass(frozen=True)
class Trial:
    """One test of one thing: what was tested, its p-value, and what was seen."""

    what: str
    p: float
    fact: str


def try_dimensions(
    prior: Prior, layout: Layout, theta: Float32, free: list[Float32]
) -> list[Trial]:
    """Kolmogorov-Smirnov for every dimension of theta (N, m); `free` as `independent` gives it."""
    trials = []
    for distribution, columns in prior.blocks:
        for column in columns.tolist():
            values = free[column].astype(np.float64)
            distance = ks_distance(distribution, values, fuzz(theta[:, column]))
            p = float(kstwo.sf(distance, len(values)))
            seen = f"mean {values.mean():.4g}, sd {values.std():.4g}"
            stated = f"stated {distribution.mean:.4g} and {distribution.sd:.4g}"
            trials.append(Trial(column_name(layout, column), p, f"{seen}; {stated}; p = {p:.1g}"))
    return trials


def try_mixtures(prior: Prior, layout: Layout, theta: Float32, free: list[Float32]) -> list[Trial]:
    """Chi-square of the weights of every mixture, over all the dimensions that share it."""
    trials = []
    for distribution, columns in prior.blocks:
        if not isinstance(distribution, Mixture):
            continue
        values = np.concatenate([free[column] for column in columns]).astype(np.float64)
        edges = cell_edges(distribution, fuzz(theta[:, columns]), len(values))
        counts = np.histogram(values, edges)[0]
        p = chi_square(distribution, edges, counts)
        seen = _words(fitted_weights(distribution, edges, counts))
        stated = _words(np.array(distribution.weights))
        name = f"{column_name(layout, int(columns[0]))} (and {len(columns) - 1} like it)"
        trials.append(Trial(name, p, f"weights {seen}; stated {stated}; p = {p:.1g}"))
    return trials


def independent(
    recipe: Recipe, source: PriorSource, indices: Indices, theta: Float32
) -> list[Float32]:
    """The independent values of each column of theta (N, m): what people keep, once a person."""
    if recipe.identities is None:
        return list(theta.T)
    once = np.unique(identities_of(recipe, indices), return_index=True)[1]
    kept = np.zeros(theta.shape[1], bool)
    for columns in source.kept:
        kept[columns] = True
    return [theta[once, c] if kept[c] else theta[:, c] for c in range(theta.shape[1])]


def ks_distance(distribution: Distribution, values: Float64, rounding: float) -> float:
    """The largest gap between the values' and the stated CDF, atoms and rounding allowed for."""
    x = np.sort(values)
    steps = np.arange(len(x) + 1) / len(x)
    above = steps[1:] - distribution.cdf(x + rounding)
    below = distribution.cdf(x - rounding) - steps[:-1]
    return float(max(above.max(), below.max(), 0.0))


def cell_edges(mixture: Mixture, rounding: float, count: int) -> Float64:
    """Edges of cells between quantiles of the components, each expecting enough of the values."""
    inner = np.concatenate([c.draw(QUANTILES) for c in mixture.components])
    candidates = np.unique(np.concatenate([inner - rounding, inner + rounding]))
    edges, below = [-np.inf], 0.0
    for edge, cdf in zip(candidates, mixture.cdf(candidates), strict=True):
        if min(cdf - below, 1 - cdf) * count >= SMALLEST_CELL:
            edges.append(edge)
            below = cdf
    return np.array([*edges, np.inf])


def chi_square(mixture: Mixture, edges: Float64, counts: NDArray[np.int64]) -> float:
    """The p-value of these counts between the edges."""
    expected = np.diff(_cdf(mixture, edges)) * counts.sum()
    statistic = float(np.sum((counts - expected) ** 2 / expected))
    return float(chi2.sf(statistic, len(counts) - 1)) if len(counts) > 1 else 1.0


def fitted_weights(mixture: Mixture, edges: Float64, counts: NDArray[np.int64]) -> Float64:
    """The weights (k,) that explain the counts best."""
    shares = np.stack([np.diff(_cdf(c, edges)) for c in mixture.components], axis=1)
    return nnls(shares, counts / max(counts.sum(), 1))[0]


def fuzz(values: Float32) -> float:
    """What rounding to float32 can do to values of this size."""
    return float(np.spacing(np.abs(values).max(initial=1e-30)))


def column_name(layout: Layout, column: int) -> str:
    """The name of a dimension of theta: 'rotation pitch', 'shape 17', 'illumination 0 red'."""
    group = next(g for g in layout.groups if column < layout.slices[g.name].stop)
    offset = column - layout.slices[group.name].start
    if group.name == "rotation":
        return f"rotation {ANGLES[offset]}"
    if group.name == "illumination":
        return f"illumination {offset // len(CHANNELS)} {CHANNELS[offset % len(CHANNELS)]}"
    return f"{group.name} {offset}"


def _cdf(distribution: Distribution, edges: Float64) -> Float64:
    """The CDF at edges of which the first and last are infinite."""
    return np.concatenate([[0.0], distribution.cdf(edges[1:-1]), [1.0]])


def _words(weights: Float64) -> str:
    return " / ".join(f"{weight:.3f}" for weight in weights)
