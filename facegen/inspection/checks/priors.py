"""Do stored parameters follow the distributions a recipe states? Asked of the numbers alone."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32, Float64, Int64
from scipy import optimize, special

from facegen.dataset.spec import ResolvedSpec
from facegen.files import Array
from facegen.inspection.checks.faults import Check, Fault
from facegen.recipe.distributions import Distribution, Empirical, Mixture
from facegen.sampling.prior import Prior
from facegen.scene.parameters import ANGLES, CHANNELS, Layout

# A sound data set fails by chance once in a million, all its tests together.
FAMILY_ALPHA = 1e-6
SMALLEST_CELL = 5.0
QUANTILES = np.array([0.02, 0.25, 0.5, 0.75, 0.98])


@dataclass(frozen=True)
class Trial:
    """One test of one thing: what was tested, its p-value, and what was seen."""

    what: str
    p: float
    message: str


def prior_checks(
    spec: ResolvedSpec, indices: Int64[Array, "n"], theta: Float32[Array, "n m"]
) -> Iterator[Check]:
    """The stored parameters against the recipe's distributions."""
    if not spec.has_source or not len(theta):
        reason = "skipped: give --estimates" if len(theta) else "skipped: no sound label"
        yield from (Check(name, reason) for name in ("prior", "mixture"))
        return
    source = spec.source()
    draws = source.independent(spec.seed, indices, theta)
    trials = {
        "prior": try_dimensions(source.distributions, spec.layout, theta, draws),
        "mixture": try_mixtures(source.distributions, spec.layout, theta, draws),
    }
    limit = FAMILY_ALPHA / max(1, sum(map(len, trials.values())))
    for name, tests in trials.items():
        yield Check(name, summary(tests, len(theta)), tuple(unlikely(name, tests, limit)))


def summary(trials: list[Trial], samples: int) -> str:
    """The trial that went worst."""
    if not trials:
        return "there are none"
    worst = min(trials, key=lambda trial: trial.p)
    least = f"least likely: {worst.what}, p = {worst.p:.2g}"
    return f"{len(trials):,} tests of {samples:,} samples; {least}"


def unlikely(name: str, trials: list[Trial], limit: float) -> Iterator[Fault]:
    """Trials that a sound data set does not fail."""
    for trial in trials:
        if trial.p < limit:
            yield Fault(name, trial.what, f"does not follow its distribution: {trial.message}")


def try_dimensions(
    prior: Prior, layout: Layout, theta: Float32[Array, "n m"], draws: list[Float32[Array, "k"]]
) -> list[Trial]:
    """Kolmogorov-Smirnov for every dimension of theta; draws: the independent ones of a column."""
    from scipy.stats import kstwo  # takes half a second, which no other command should wait

    trials = []
    for distribution, columns in prior.blocks:
        for column in columns.tolist():
            values = draws[column].astype(np.float64)
            if not len(values):  # Stated by a grid: the check of theta holds it exactly.
                continue
            distance = ks_distance(distribution, values, rounding_of(theta[:, column]))
            p = float(kstwo.sf(distance, evidence(distribution, len(values))))
            measured = f"mean {values.mean():.4g}, sd {values.std():.4g}"
            stated = f"stated {distribution.mean:.4g} and {distribution.sd:.4g}"
            trials.append(
                Trial(column_name(layout, column), p, f"{measured}; {stated}; p = {p:.1g}")
            )
    return trials


def try_mixtures(
    prior: Prior, layout: Layout, theta: Float32[Array, "n m"], draws: list[Float32[Array, "k"]]
) -> list[Trial]:
    """Chi-square of the weights of every mixture, over all the dimensions that share it."""
    trials = []
    for distribution, columns in prior.blocks:
        drawn = sum(len(draws[column]) for column in columns.tolist())
        if not isinstance(distribution, Mixture) or not drawn:
            continue
        values = np.concatenate([draws[column] for column in columns]).astype(np.float64)
        edges = cell_edges(distribution, rounding_of(theta[:, columns]), len(values))
        counts = np.histogram(values, edges)[0]
        p = chi_square(distribution, edges, counts)
        fitted = _shares(fitted_weights(distribution, edges, counts))
        stated = _shares(np.array(distribution.weights))
        name = f"{column_name(layout, int(columns[0]))} (and {len(columns) - 1} like it)"
        trials.append(Trial(name, p, f"weights {fitted}; stated {stated}; p = {p:.1g}"))
    return trials


def evidence(distribution: Distribution, count: int) -> int:
    """How many draws so many are worth, against a distribution that is known by draws itself."""
    if isinstance(distribution, Empirical):
        return int(count * len(distribution.draws) / (count + len(distribution.draws)))
    return count


def ks_distance(distribution: Distribution, values: Float64[Array, "k"], rounding: float) -> float:
    """The largest gap between the values' and the stated CDF, atoms and rounding allowed for."""
    x = np.sort(values)
    steps = np.arange(len(x) + 1) / len(x)
    above = steps[1:] - distribution.cdf(x + rounding)
    below = distribution.cdf(x - rounding) - steps[:-1]
    return float(max(above.max(), below.max(), 0.0))


def cell_edges(mixture: Mixture, rounding: float, count: int) -> Float64[Array, "e"]:
    """Edges of cells between quantiles of the components, each expecting enough of the values."""
    inner = np.concatenate([c.ppf(QUANTILES) for c in mixture.components])
    candidates = np.unique(np.concatenate([inner - rounding, inner + rounding]))
    edges, below = [-np.inf], 0.0
    for edge, cdf in zip(candidates, mixture.cdf(candidates), strict=True):
        if min(cdf - below, 1 - cdf) * count >= SMALLEST_CELL:
            edges.append(edge)
            below = cdf
    return np.array([*edges, np.inf])


def chi_square(mixture: Mixture, edges: Float64[Array, "e"], counts: Int64[Array, "c"]) -> float:
    """The p-value of these counts between the edges."""
    expected = np.diff(_cdf(mixture, edges)) * counts.sum()
    statistic = float(np.sum((counts - expected) ** 2 / expected))
    return float(special.chdtrc(len(counts) - 1, statistic)) if len(counts) > 1 else 1.0


def fitted_weights(
    mixture: Mixture, edges: Float64[Array, "e"], counts: Int64[Array, "c"]
) -> Float64[Array, "e"]:
    """The weights (k,) that explain the counts best."""
    shares = np.stack([np.diff(_cdf(c, edges)) for c in mixture.components], axis=1)
    return np.asarray(optimize.nnls(shares, counts / max(counts.sum(), 1))[0])


def rounding_of(values: Float32[Array, "*k"]) -> float:
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


def _cdf(distribution: Distribution, edges: Float64[Array, "e"]) -> Float64[Array, "e"]:
    """The CDF at edges of which the first and last are infinite."""
    return np.concatenate([[0.0], distribution.cdf(edges[1:-1]), [1.0]])


def _shares(weights: Float64[Array, "k"]) -> str:
    return " / ".join(f"{weight:.3f}" for weight in weights)
