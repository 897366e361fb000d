"""How a recipe's tables are read: keys known or refused, values and distributions checked."""

import math
from collections.abc import Callable
from typing import Any, TypeVar

from facegen.errors import RecipeError, located, meant
from facegen.recipe.distributions import (
    Constant,
    Distribution,
    LogUniform,
    Mixture,
    Normal,
    Uniform,
)

Table = dict[str, Any]
T = TypeVar("T")

RENAMED = {"centred": "zero_mean"}

_KINDS: dict[str, Callable[..., Distribution]] = {
    "constant": Constant,
    "uniform": Uniform,
    "loguniform": LogUniform,
    "normal": Normal,
}
_FIELDS = {
    "constant": ("value",),
    "uniform": ("low", "high"),
    "loguniform": ("low", "high"),
    "normal": ("mean", "sd"),
}


def known(table: Table, allowed: set[str]) -> None:
    """Refuse a key that is not among those allowed."""
    for key in table.keys() - allowed:
        if key in RENAMED:
            raise RecipeError(f"the key {key!r} is now called {RENAMED[key]!r}", "rename it")
        hint = meant(key, allowed, f"known: {', '.join(sorted(allowed))}")
        raise RecipeError(f"unknown key {key!r}", hint)


def get(table: Table, key: str, kind: type[T]) -> T:
    """The value of a key that must be there and of this kind."""
    if key not in table:
        raise RecipeError(f"the key {key!r} is missing")
    value = table[key]
    if kind is float and isinstance(value, int) and not isinstance(value, bool):
        value = float(value) if abs(value) < 1e300 else math.inf
    if not isinstance(value, kind) or isinstance(value, bool):
        kinds = {
            dict: "a table",
            list: "a list",
            str: "a text",
            int: "a whole number",
            float: "a number",
        }
        raise RecipeError(f"{key} = {value!r} is not {kinds[kind]}")
    return value


def one_of(value: str, choices: tuple[T, ...], what: str) -> T:
    """The value, which must be one of the choices."""
    for choice in choices:
        if choice == value:
            return choice
    raise RecipeError(f"unknown {what} {value!r}", f"known: {', '.join(map(str, choices))}")


def distribution(table: Table, unit: str = "", factor: float = 1.0) -> Distribution:
    """A distribution from its table; `unit` ends its keys, `factor` converts them."""
    if not isinstance(table, dict):
        raise RecipeError(f"{table!r} is not a table")
    kind = get(table, "distribution", str)
    if kind == "mixture":
        return _mixture(table, unit, factor)
    if kind not in _FIELDS:
        raise RecipeError(
            f"unknown distribution {kind!r}", f"known: {', '.join((*_FIELDS, 'mixture'))}"
        )
    keys = [name + unit for name in _FIELDS[kind]]
    known(table, {"distribution", *keys})
    values = [get(table, key, float) * factor for key in keys]
    return _KINDS[kind](*values)


def _mixture(table: Table, unit: str, factor: float) -> Mixture:
    known(table, {"distribution", "components"})
    weights, components = [], []
    for i, entry in enumerate(get(table, "components", list)):
        with located(f"components[{i}]"):
            if not isinstance(entry, dict):
                raise RecipeError("is not a table")
            weights.append(get(entry, "weight", float))
            inner = {key: value for key, value in entry.items() if key != "weight"}
            components.append(distribution(inner, unit, factor))
    return Mixture(tuple(weights), tuple(components))


def named(table: Table, key: str) -> Distribution:
    """The distribution that a key holds."""
    with located(key):
        return distribution(get(table, key, dict))
