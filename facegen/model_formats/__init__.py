"""Face models on disk: where they lie, and how each format is read into the one MorphableModel."""

from pathlib import Path

from facegen import assets
from facegen.errors import ModelError, located
from facegen.model_formats import basel
from facegen.morphable_model import MorphableModel


def names() -> list[str]:
    """The models that come along."""
    return sorted(path.stem for path in assets.folder("morphable_models").glob("*.h5"))


def find(name_or_path: str) -> Path:
    """The file of a model that comes along, or the path itself."""
    if name_or_path in names():
        return assets.folder("morphable_models") / f"{name_or_path}.h5"
    if Path(name_or_path).suffix != ".h5":
        raise ModelError(
            f"model {name_or_path}: no model of that name; there are {', '.join(names())}",
            "give one of them, or the path of an .h5 file",
        )
    return Path(name_or_path)


def digest(path: Path) -> str:
    """SHA-256 of a model's file, which must be one."""
    with located(path):
        return basel.digest(path)


def load(name_or_path: str) -> MorphableModel:
    """Read a model by name, or from a file in the Basel layout with facegen's attributes."""
    return basel.load(find(name_or_path))
