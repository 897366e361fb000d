"""Draws people: what is known of each (their attributes), and MakeHuman's macro weights for it."""

from dataclasses import dataclass, fields
from itertools import product

import numpy as np

from .source import RACES

YOUNG_YEARS, OLD_YEARS = 25.0, 90.0  # Of MakeHuman's targets.
AGES = (18.0, 82.0)
SEX_SPREAD = (
    1.0,
    9.0,
)  # Beta of how far a woman is from MakeHuman's female target, a man likewise.
MUSCLE_SD, WEIGHT_SD = 0.12, 0.14
# Melanin of the skin, 0 very light to 1 very dark: mean of each ethnic share, and its spread.
MELANIN = {"african": 0.80, "asian": 0.45, "caucasian": 0.30}
MELANIN_SD = 0.09


@dataclass(frozen=True)
class Attribute:
    """What an attribute's number means: its unit in words, and the range that makes sense."""

    name: str
    unit: str
    low: float
    high: float


ATTRIBUTES = (
    Attribute("gender", "-1 a woman, 1 a man", -1.0, 1.0),
    Attribute("age", "years", *AGES),
    Attribute("weight", "standard deviations of the body's weight", -3.0, 3.0),
    Attribute("african", "share of MakeHuman's African features, 0 to 1", 0.0, 1.0),
    Attribute("asian", "share of MakeHuman's Asian features, 0 to 1", 0.0, 1.0),
    Attribute("caucasian", "share of MakeHuman's Caucasian features, 0 to 1", 0.0, 1.0),
    Attribute("melanin", "of the skin, 0 very light to 1 very dark", 0.0, 1.0),
)


@dataclass(frozen=True)
class People:
    """n people's attributes, (n,) each, in the order of ATTRIBUTES."""

    gender: np.ndarray
    age: np.ndarray
    weight: np.ndarray
    african: np.ndarray
    asian: np.ndarray
    caucasian: np.ndarray
    melanin: np.ndarray

    @property
    def table(self) -> np.ndarray:
        """Return the attributes (n, A)."""
        return np.column_stack([getattr(self, field.name) for field in fields(self)])

    @property
    def elders(self) -> np.ndarray:
        """Return each one's age (n,) in standard deviations of the population."""
        return (self.age - self.age.mean()) / self.age.std()

    @property
    def men(self) -> np.ndarray:
        """Return who is a man (n,)."""
        return self.gender > 0

    def shares(self) -> dict[str, np.ndarray]:
        """Return the ethnic shares (n,) by MakeHuman's name."""
        return {race: getattr(self, race) for race in RACES}


def draw_people(count: int, seed: int) -> People:
    """Draw adults: as many women as men, every age, any mixture of the three ethnic targets."""
    rng = np.random.default_rng(seed)
    low, high = AGES
    shares = rng.dirichlet([0.6] * len(RACES), count)
    melanin = shares @ [MELANIN[race] for race in RACES]
    return People(
        np.where(rng.random(count) < 0.5, -1.0, 1.0),
        low + (high - low) * rng.beta(1.1, 1.5, count),
        rng.standard_normal(count).clip(-3, 3),
        *shares.T,
        (melanin + MELANIN_SD * rng.standard_normal(count)).clip(0.02, 0.98),
    )


def macro_weights(people: People, seed: int) -> dict[str, np.ndarray]:
    """Return MakeHuman's macro weights (n,) by target: products of the factors' shares."""
    rng = np.random.default_rng(seed)
    count = len(people.gender)
    away = rng.beta(*SEX_SPREAD, count)
    male = np.where(people.men, 1 - away, away)
    old = ((people.age - YOUNG_YEARS) / (OLD_YEARS - YOUNG_YEARS)).clip(0)
    sexes = {"female": 1 - male, "male": male}
    ages = {"young": 1 - old, "old": old}
    muscle = _three_way(rng.normal(0.5, MUSCLE_SD, count), "muscle")
    weight = _three_way(0.5 + WEIGHT_SD * people.weight, "weight")
    body = {
        f"universal-{s}-{a}-{m}-{w}": sexes[s] * ages[a] * muscle[m] * weight[w]
        for s, a, m, w in product(sexes, ages, muscle, weight)
    }
    races = people.shares()
    face = {
        f"{r}-{s}-{a}": races[r] * sexes[s] * ages[a] for r, s, a in product(races, sexes, ages)
    }
    return body | face


def _three_way(value: np.ndarray, name: str) -> dict[str, np.ndarray]:
    """Return shares of the min, average and max target for values in [0, 1]."""
    offset = 2 * value.clip(0, 1) - 1
    return {f"min{name}": (-offset).clip(0), f"average{name}": 1 - abs(offset),
            f"max{name}": offset.clip(0)}  # fmt: skip
