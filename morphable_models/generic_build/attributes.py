"""What people's attributes say of their coefficients: the linear part of it."""

from dataclasses import dataclass

import numpy as np

from .people import ATTRIBUTES, Attribute, People
from .statistics import Linear


@dataclass(frozen=True)
class Attributes:
    """Mean (A,) and covariance (A, A) of the attributes, and their covariance with coefficients.

    shape, reflectance: (A, k), coefficients in standard deviations.
    """

    described: tuple[Attribute, ...]
    mean: np.ndarray
    covariance: np.ndarray
    shape: np.ndarray
    reflectance: np.ndarray


def attributes_of(people: People, shape: np.ndarray, reflectance: np.ndarray) -> Attributes:
    """Return how people's attributes go with their coefficients (n, k) of shape and reflectance."""
    table = people.table
    offset = table - table.mean(0)
    return Attributes(
        ATTRIBUTES,
        table.mean(0),
        offset.T @ offset / len(table),
        offset.T @ shape / len(table),
        offset.T @ reflectance / len(table),
    )


def coefficients(weights: np.ndarray, fields: np.ndarray, linear: Linear) -> np.ndarray:
    """Return the coefficients (n, k), in standard deviations, of `weights @ fields`."""
    seen = fields @ linear.basis
    return (weights - weights.mean(0)) @ seen / np.sqrt(linear.variance)
