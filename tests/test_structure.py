"""The house: imports run one way, walls stand, rooms stay small, and data comes along."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import facegen
from facegen import assets, model_formats, recipe

PACKAGE = Path(facegen.__file__).parent
ROOT = Path(__file__).resolve().parent.parent

# From the ground up: a room imports only rooms above it in this list.
ROOMS = [
    "errors",
    "files",
    "assets",
    "distributions",
    "parameters",
    "recipe_tables",
    "recipe_groups",
    "recipe",
    "plan",
    "geometry",
    "illumination",
    "morphable_model",
    "model_formats",
    "model_store",
    "sampling",
    "estimates",
    "bootstrap",
    "renderers",
    "backgrounds",
    "layers",
    "stores",
    "shards",
    "stopwatch",
    "job",
    "dataset",
    "studio",
    "generate",
    "opened",
    "engines",
    "bench",
    "progress",
    "skin",
    "verify_faults",
    "verify_priors",
    "verify_labels",
    "verify_pictures",
    "verify_checks",
    "verify",
    "report_charts",
    "labels_table",
    "report",
    "report_page",
    "commands_verify",
    "doctor",
    "learning",
    "cli",
]

# Who may know what: libraries by the only rooms that import them.
WALLS = {
    "moderngl": "renderers/egl",
    "tarfile": "shards",
    "webdataset": "shards",
    "torch": "learning/",
    "torchvision": "learning/",
    "ray": "engines/ray",
    "fsspec": "stores/url",
}


def room(path):
    """The room that a file belongs to."""
    return path.relative_to(PACKAGE).with_suffix("").parts[0]


FILES = sorted(path for path in PACKAGE.rglob("*.py") if path.parent != PACKAGE / "recipes")
INSIDE = [path for path in FILES if path != PACKAGE / "__init__.py"]


def name(path):
    return path.relative_to(PACKAGE).with_suffix("").as_posix()


def imports(path):
    """Every module that a file imports, wherever in it, by full name."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: a relative import"
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def rooms_imported(path):
    """The rooms of facegen that a file imports."""
    parts = [module.split(".") for module in imports(path)]
    return {p[1] for p in parts if p[0] == "facegen" and len(p) > 1 and p[1] in ROOMS}


def functions(path):
    """Every function of a file as (name, lines)."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield f"{name(path)}.{node.name}", node.end_lineno - node.lineno + 1


def test_every_room_has_its_place():
    assert {room(path) for path in INSIDE} <= set(ROOMS)


@pytest.mark.parametrize("path", INSIDE, ids=name)
def test_a_room_imports_only_rooms_above_it(path):
    own = ROOMS.index(room(path))
    below = {other for other in rooms_imported(path) if ROOMS.index(other) > own}
    assert not below


@pytest.mark.parametrize("path", FILES, ids=name)
def test_walls_stand(path):
    known = {module.split(".")[0] for module in imports(path)} & set(WALLS)
    trespassing = {library for library in known if not name(path).startswith(WALLS[library])}
    assert not trespassing


def test_importing_facegen_brings_no_renderer_tar_or_network():
    code = "import sys, facegen; print(*sorted(sys.modules))"
    modules = told(code).split()
    assert "facegen" in modules
    assert not set(modules) & {"moderngl", "tarfile", "torch", "numba", "webdataset"}


def test_the_command_line_brings_no_renderer_and_no_network():
    code = "import sys, facegen.cli; print(*sorted(sys.modules))"
    assert not set(told(code).split()) & {"moderngl", "torch", "webdataset"}


def told(code):
    """What a fresh Python prints."""
    run = [sys.executable, "-c", code]
    env = {"PYTHONPATH": str(PACKAGE.parent)}
    return subprocess.run(run, capture_output=True, text=True, check=True, env=env).stdout


def test_functions_are_short():
    lengths = [pair for path in FILES for pair in functions(path)]
    assert not [one for one in lengths if one[1] > 60]
    long = [one for one in lengths if one[1] > 30]
    assert len(long) <= 0.03 * len(lengths), long


@pytest.mark.parametrize("folder", [PACKAGE, ROOT / "tests"], ids=["facegen", "tests"])
def test_files_are_short(folder):
    long = [p.name for p in folder.rglob("*.py") if len(p.read_text("utf-8").splitlines()) >= 350]
    assert not long


def test_every_file_says_what_it_is():
    for path in FILES:
        assert ast.get_docstring(ast.parse(path.read_text("utf-8"))), path


def test_recipes_and_the_generic_model_come_along():
    assert "inversefacenet" in recipe.names()
    assert "generic" in model_formats.names()
    for kind in ("recipes", "morphable_models"):
        assert assets.folder(kind).parent in (PACKAGE, PACKAGE.parent)
        assert assets.folder(kind).is_dir()
    assert model_formats.find("generic").stat().st_size <= 25e6


def test_shaders_come_along():
    shaders = PACKAGE / "renderers" / "shaders"
    assert {"face.vert", "image.frag", "evaluate.comp"} <= {p.name for p in shaders.iterdir()}


@pytest.mark.parametrize("file", ["README.md", "CONVENTIONS.md", "LICENSE", "pyproject.toml"])
def test_a_checkout_has_its_papers(file):
    assert (ROOT / file).stat().st_size > 0
