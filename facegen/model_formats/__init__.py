"""Face models on disk: where they lie, and how each format is read into the one MorphableModel."""

import os
from pathlib import Path

from facegen import assets
from facegen.errors import ModelError, located
from facegen.model_formats import basel
from facegen.morphable_model import MorphableModel


def names() -> list[str]:
    """The models that come along, and those that were imported."""
    return sorted(_files())


def find(name_or_path: str) -> Path:
    """The file of a model by name, or the path itself."""
    known = _files()
    if name_or_path in known:
        return known[name_or_path]
    if Path(name_or_path).suffix != ".h5" or "\0" in name_or_path:
        raise ModelError(
            f"model {name_or_path}: no model of that name; there are {', '.join(sorted(known))}",
            "give one of them, the path of an .h5 file, or `facegen models import FILE` first",
        )
    return Path(name_or_path)


def imported() -> Path:
    """The folder of imported models: the user's data folder."""
    home = os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share"
    return Path(home) / "facegen" / "models"


def digest(path: Path) -> str:
    """SHA-256 of a model's file, which must be one."""
    with located(path):
        return basel.digest(path)


def load(name_or_path: str) -> MorphableModel:
    """Read a model by name, or from a file in the Basel layout with facegen's attributes."""
    return basel.load(find(name_or_path))


def _files() -> dict[str, Path]:
    """Files by name; one that comes along hides an imported one of the same name."""
    folders = (imported(), assets.folder("morphable_models"))
    return {path.stem: path for folder in folders for path in folder.glob("*.h5")}
