"""One recipe's tables over another's: what is stated anew, and what goes with it."""

from typing import Any

from facegen.recipe.image import QUALITY, SURFACES
from facegen.recipe.light import DISTRIBUTIONS, SHARES
from facegen.recipe.photograph import KEYS
from facegen.recipe.tables import Table

# Keys of a table that only one value of its kind has: they go where another is stated.
BELONGING: dict[tuple[str, str, str], set[str]] = {
    ("background", "kind", "mixed"): {"shares"},
    ("light", "kind", "environments"): {*SHARES, *DISTRIBUTIONS},
    ("image", "encoding", "srgb"): {*SURFACES, *KEYS},
}


# Tables of a prior that go where a perturbation is stated instead.
OF_PRIORS = ("face_units", "attributes")


def merged(base: Table, changes: Table) -> Table:
    """Key by key, but a table that names its own distribution replaces the old one whole.

    Where another kind is stated than the base has, what belongs to the base's is left out.
    """
    table = {**base, **_freed(base, changes)}
    if (base.get("kind"), changes.get("kind")) == ("prior", "perturbation"):
        table = {key: value for key, value in table.items() if key not in OF_PRIORS}
    for key, value in changes.items():
        old = table.get(key)
        nested = isinstance(old, dict) and isinstance(value, dict) and "distribution" not in value
        table[key] = merged(table[key], value) if nested else value
    return table


def _freed(base: Table, changes: Table) -> dict[str, Any]:
    """The base's tables whose kind changes, without what belongs to the old one."""
    freed: dict[str, Any] = {}
    for (name, key, kind), keys in BELONGING.items():
        old, new = base.get(name), changes.get(name)
        if not (isinstance(old, dict) and isinstance(new, dict) and old.get(key) == kind):
            continue
        if new.get(key, kind) != kind:
            freed[name] = {k: v for k, v in old.items() if k not in keys}
            if isinstance(old.get("quality"), dict):
                freed[name]["quality"] = QUALITY
    return freed
