"""How a recipe's tables of theta's groups are read: one distribution a component."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import product
from typing import Any

from facegen.errors import RecipeError, located
from facegen.recipe.distributions import Distribution, Scaled
from facegen.recipe.tables import Table, distribution, known
from facegen.scene.parameters import ANGLES, CHANNELS, EXPRESSION_UNITS, CoefficientUnit, Group

_COMPONENT_NAMES = {"rotation": (ANGLES,), "illumination": (range(9), CHANNELS)}
_UNITS = {"rotation": ("_degrees", math.pi / 180)}


@dataclass(frozen=True)
class GroupPrior:
    """The prior of one group of theta: a distribution, and those of the components that differ."""

    default: Distribution | None
    overrides: Mapping[tuple[int, ...], Distribution]
    coefficients: int | None
    unit: CoefficientUnit | None = None

    def components(self, group: Group) -> list[Distribution]:
        """One distribution per component, in the order of theta and the unit of the group."""
        factor = group.factor(self.unit) if self.unit else 1.0
        distributions = [self._of(index, group.name) for index in product(*map(range, group.shape))]
        return (
            distributions
            if factor == 1
            else [Scaled(distribution, factor) for distribution in distributions]
        )

    def _of(self, index: tuple[int, ...], name: str) -> Distribution:
        for depth in range(len(index), 0, -1):
            if index[:depth] in self.overrides:
                return self.overrides[index[:depth]]
        if self.default is None:
            where = ".".join(map(str, index))
            raise RecipeError(f"[{name}] states no distribution for component {where}")
        return self.default


def group_prior(group: str, table: Table) -> GroupPrior:
    """The prior that a group's table states; RecipeError names the key that is wrong."""
    with located(f"[{group}]"):
        return _read_group(group, table)


def _read_group(group: str, table: Table) -> GroupPrior:
    """The default of all components, and the overrides of those with a table of their own."""
    components = dict(_component_tables(group, table))
    own_keys = {path[0] for path, _ in components.values()}
    shared = {key: value for key, value in table.items() if key not in own_keys}
    count = None
    if group not in _COMPONENT_NAMES:
        count = _coefficients(shared)
    elif "distribution" not in shared:
        known(shared, {"distribution", *map(str, _COMPONENT_NAMES[group][0])})
    unit = _unit(shared) if group == "expression" else None
    suffix, factor = _UNITS.get(group, ("", 1.0))
    overrides = {}
    for index, (path, entry) in components.items():
        with located(".".join(path)):
            if count is not None and index[0] >= count:
                raise RecipeError(f"there is no such component among the {count} that vary")
            overrides[index] = distribution(entry, suffix, factor)
    default = distribution(shared, suffix, factor) if shared else None
    return GroupPrior(default, overrides, count, unit)


def _coefficients(table: Table) -> int | None:
    """How many leading components vary, taken out of the table; None is all."""
    count = table.pop("coefficients", None)
    if not (count is None or (type(count) is int and 0 <= count <= 10_000)):
        raise RecipeError(f"coefficients = {count!r} is not a whole number from 0 to 10000")
    return count


def _unit(table: Table) -> CoefficientUnit:
    name = table.pop("unit", next(iter(EXPRESSION_UNITS)))
    if not isinstance(name, str) or name not in EXPRESSION_UNITS:
        raise RecipeError(f"unknown unit {name!r}", f"known: {', '.join(EXPRESSION_UNITS)}")
    return EXPRESSION_UNITS[name]


def _component_tables(
    group: str, table: Table
) -> Iterator[tuple[tuple[int, ...], tuple[tuple[str, ...], Table]]]:
    """Every component's own table as (index, (its path of keys, the table))."""
    axes = _COMPONENT_NAMES.get(group, (None,))
    for key, value in table.items():
        index = _component_index(key, axes[0])
        if index is None or not isinstance(value, dict):
            continue
        if len(axes) == 1 or "distribution" in value:
            yield (index,), ((key,), value)
            continue
        known(value, set(map(str, axes[1] or ())))
        for inner, entry in value.items():
            yield (index, (axes[1] or ()).index(inner)), ((key, inner), entry)


def _component_index(key: str, names: Any) -> int | None:
    if names is None:
        return int(key) if key.isascii() and key.isdigit() and len(key) < 6 else None
    texts = list(map(str, names))
    return texts.index(key) if key in texts else None
