"""Recipes of the package, or from .toml files, each merged into what it extends."""

import tomllib
from pathlib import Path

from facegen.errors import RecipeError, located, meant
from facegen.folders import package_data
from facegen.recipe.merging import merged
from facegen.recipe.recipe import Recipe, parse
from facegen.recipe.tables import Table

MAX_BYTES = 1_000_000
DEFAULT = "inversefacenet"
_HINT_NAME = "give a name that `facegen recipes` lists, or the path of a .toml file"


def names() -> list[str]:
    """The recipes that come along."""
    return sorted(path.stem for path in package_data("recipes").glob("*.toml"))


def source(name_or_path: str) -> str:
    """The TOML text of a recipe that comes along, or of a file."""
    path = Path(name_or_path)
    if name_or_path in names():
        path = package_data("recipes") / f"{name_or_path}.toml"
    if path.suffix != ".toml":
        hint = meant(name_or_path, names(), _HINT_NAME)
        raise RecipeError(f"no recipe of that name; there are {', '.join(names())}", hint)
    try:
        if path.stat().st_size > MAX_BYTES:
            raise RecipeError(f"larger than {MAX_BYTES:,} bytes, so not a recipe")
        return path.read_text("utf-8")
    except OSError as error:
        raise RecipeError(error.strerror or str(error), _HINT_NAME) from None
    except UnicodeDecodeError:
        raise RecipeError("not a text file in UTF-8") from None


def load(name_or_path: str) -> Recipe:
    """Read a recipe by name, or from a .toml file."""
    with located(f"recipe {name_or_path}"):
        return parse(Path(name_or_path).stem, _resolve(name_or_path, ()))


def _resolve(name_or_path: str, above: tuple[str, ...]) -> Table:
    if name_or_path in above:
        raise RecipeError(f"extends itself: {' -> '.join((*above, name_or_path))}")
    try:
        table = tomllib.loads(source(name_or_path))
    except (ValueError, RecursionError) as error:
        raise RecipeError(f"not valid TOML: {error}") from None
    base = table.pop("extends", None)
    if base is None:
        return table
    if not isinstance(base, str) or "\0" in base:
        raise RecipeError("extends: must be the name of a recipe")
    with located(f"extends {base}"):
        beside = Path(name_or_path).parent / base
        base_name = str(beside.resolve()) if base.endswith(".toml") else base
        return merged(_resolve(base_name, (*above, name_or_path)), table)
