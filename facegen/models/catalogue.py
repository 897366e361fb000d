"""Face models on disk: where they lie, and how each format is read into the one MorphableModel."""

import os
from contextlib import suppress
from pathlib import Path

from facegen.errors import FacegenError, ModelError
from facegen.folders import data_folder, package_data
from facegen.models import model_file
from facegen.models.extras import INSIDE, SUFFIX, inside
from facegen.models.morphable_model import MorphableModel

NAMED = ("generic",)  # those that come along with named expressions as well


def names() -> list[str]:
    """The models that come along, and those that were imported."""
    return sorted(_files())


def find(name_or_path: str) -> Path:
    """The file of a model by name, or the path itself, in which ~ is the user's home."""
    files = _files()
    if name_or_path in files:
        return files[name_or_path]
    if inside(Path(name_or_path))[0].suffix != ".h5" or "\0" in name_or_path:
        raise ModelError(
            f"model {name_or_path}: no model of that name; there are {', '.join(sorted(files))}",
            "give one of them, the path of an .h5 file, or `facegen models import FILE` first",
        )
    return Path(os.path.expanduser(name_or_path))


def imported() -> Path:
    """The folder of imported models: the user's data folder."""
    return data_folder() / "models"


def load(name_or_path: str) -> MorphableModel:
    """Read a model by name, or from a file in the Basel layout with facegen's attributes."""
    return model_file.load(find(name_or_path))


def _files() -> dict[str, Path]:
    """Files by name; one that comes along hides an imported one of the same name."""
    folders = [package_data("morphable_models")]
    with suppress(FacegenError):  # Without a home there are no imported ones.
        folders.insert(0, imported())
    files = {path.stem: path for folder in folders for path in folder.glob("*.h5")}
    return files | {f"{name}{SUFFIX}": files[name] / INSIDE for name in NAMED if name in files}
