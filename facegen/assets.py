"""Where the data that comes along lies: in the installed package, or beside it in a checkout."""

from pathlib import Path


def folder(name: str) -> Path:
    """The folder of 'recipes' or 'morphable_models'."""
    package = Path(__file__).parent
    installed = package / name
    return installed if installed.is_dir() else package.parent / name
