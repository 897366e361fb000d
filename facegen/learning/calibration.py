"""Whether estimated standard deviations say how far off estimates are."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float32, Float64
from scipy.stats import spearmanr

from facegen.files import Array
from facegen.scene.parameters import Layout

Errors = dict[str, Float64[Array, "N"]]
WITHIN, EXPECTED = "within_sd_", "expected_"


class Calibration(NamedTuple):
    """Of a group of theta: the share of numbers that are off by less than their deviation (0.68 of
    Gaussian errors), and the rank correlation of expected and found errors over the faces."""

    within: float
    spearman: float | None


def of_faces(
    theta: Float32[Array, "N m"],
    sd: Float32[Array, "N m"],
    truth: Float32[Array, "N m"],
    layout: Layout,
) -> Errors:
    """For each group and face: the share of numbers within a deviation, and the expected RMS."""
    figures: Errors = {}
    for name, part in layout.slices.items():
        if part.stop > part.start:
            missed = np.abs(theta[:, part] - truth[:, part])
            figures[WITHIN + name] = (missed < sd[:, part]).mean(axis=1, dtype=np.float64)
            squares = np.square(sd[:, part], dtype=np.float64)
            figures[EXPECTED + name] = np.sqrt(squares.mean(axis=1))
    return figures


def calibrations(errors: Errors) -> dict[str, Calibration]:
    """Each group's, of the errors and figures of all faces."""
    names = [name.removeprefix(WITHIN) for name in errors if name.startswith(WITHIN)]
    return {
        name: Calibration(
            float(errors[WITHIN + name].mean()),
            _rank_correlation(errors[EXPECTED + name], errors[name]),
        )
        for name in names
    }


def _rank_correlation(expected: Float64[Array, "N"], found: Float64[Array, "N"]) -> float | None:
    """Spearman's; none where either does not vary."""
    if len(expected) < 3 or np.ptp(expected) == 0 or np.ptp(found) == 0:
        return None
    return float(spearmanr(expected, found).statistic)
