"""How a recipe's tables of theta's groups are read: one distribution a component."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import product
from typing import Any

from facegen.errors import RecipeError, located, meant
from facegen.recipe.distributions import Distribution, Scaled
from facegen.recipe.tables import Table, distribution, get, known
from facegen.scene.parameters import ANGLES, CHANNELS, EXPRESSION_UNITS, CoefficientUnit, Group

_COMPONENT_NAMES = {"rotation": (ANGLES,), "illumination": (range(9), CHANNELS)}
_UNITS = {"rotation": ("_degrees", math.pi / 180)}


@dataclass(frozen=True)
class GroupPrior:
    """The prior of one group of theta: a distribution, and those of the components that differ.

    symmetric: the share of pairs, by the model's names, whose right side is as the left.
    """

    default: Distribution | None
    overrides: Mapping[tuple[int, ...], Distribution]
    coefficients: int | None
    unit: CoefficientUnit | None = None
    named: Mapping[str, Distribution] = field(default_factory=dict)
    symmetric: float | None = None

    def components(self, group: Group) -> list[Distribution]:
        """One distribution per component, in the order of theta and the unit of the group."""
        factor = group.factor(self.unit) if self.unit else 1.0
        overrides = {**self.overrides, **self._placed(group)}
        indices = product(*map(range, group.shape))
        distributions = [self._of(index, group.name, overrides) for index in indices]
        return (
            distributions
            if factor == 1
            else [Scaled(distribution, factor) for distribution in distributions]
        )

    def _placed(self, group: Group) -> dict[tuple[int, ...], Distribution]:
        """The overrides of components that the model has names for."""
        placed: dict[tuple[int, ...], Distribution] = {
            (number_of(group, name),): stated for name, stated in self.named.items()
        }
        for index in placed.keys() & self.overrides.keys():
            name = group.names[index[0]]
            raise RecipeError(f"[{group.name}] states {name!r} by its number {index[0]} as well")
        return placed

    def _of(
        self, index: tuple[int, ...], name: str, overrides: Mapping[tuple[int, ...], Distribution]
    ) -> Distribution:
        for depth in range(len(index), 0, -1):
            if index[:depth] in overrides:
                return overrides[index[:depth]]
        if self.default is None:
            where = ".".join(map(str, index))
            raise RecipeError(f"[{name}] states no distribution for component {where}")
        return self.default


def number_of(group: Group, name: str) -> int:
    """Which component of the group has this name; RecipeError where none has."""
    if name in group.names:
        return group.names.index(name)
    hint = meant(name, group.names, "use --model generic-arkit, or numbers")
    raise RecipeError(f"[{group.name}] the model has no component of the name {name!r}", hint)


def group_prior(group: str, table: Table) -> GroupPrior:
    """The prior that a group's table states; RecipeError names the key that is wrong."""
    with located(f"[{group}]"):
        return _read_group(group, table)


def _read_group(group: str, table: Table) -> GroupPrior:
    """The default of all components, and the overrides of those with a table of their own."""
    components = dict(_component_tables(group, table))
    by_name = _named_tables(table) if group == "expression" else {}
    own_keys = {path[0] for path, _ in components.values()} | by_name.keys()
    shared = {key: value for key, value in table.items() if key not in own_keys}
    count = None
    if group not in _COMPONENT_NAMES:
        count = _coefficients(shared)
    elif "distribution" not in shared:
        known(shared, {"distribution", *map(str, _COMPONENT_NAMES[group][0])})
    unit = _unit(shared) if group == "expression" else None
    symmetric = _symmetric(shared) if group == "expression" else None
    suffix, factor = _UNITS.get(group, ("", 1.0))
    overrides = {}
    for index, (path, entry) in components.items():
        with located(".".join(path)):
            if count is not None and index[0] >= count:
                raise RecipeError(f"there is no such component among the {count} that vary")
            overrides[index] = distribution(entry, suffix, factor)
    named = {}
    for name, entry in by_name.items():
        with located(name):
            named[name] = distribution(entry, suffix, factor)
    default = distribution(shared, suffix, factor) if shared else None
    return GroupPrior(default, overrides, count, unit, named, symmetric)


def _named_tables(table: Table) -> dict[str, Table]:
    """The tables of components that a model has names for."""
    return {k: v for k, v in table.items() if isinstance(v, dict) and not k[:1].isdigit()}


def _coefficients(table: Table) -> int | None:
    """How many leading components vary, taken out of the table; None is all."""
    count = table.pop("coefficients", None)
    if not (count is None or (type(count) is int and 0 <= count <= 10_000)):
        raise RecipeError(f"coefficients = {count!r} is not a whole number from 0 to 10000")
    return count


def _symmetric(table: Table) -> float | None:
    """The share of pairs whose sides are alike, taken out of the table."""
    if "symmetric" not in table:
        return None
    share = get({"symmetric": table.pop("symmetric")}, "symmetric", float)
    if not 0 <= share <= 1:
        raise RecipeError(f"symmetric = {share!r} is not a share from 0 to 1")
    return share


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
