"""The house: each folder's docstring lists its rooms in order, imports run one way, walls stand."""

import ast
import re
import statistics
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

import facegen
from facegen.folders import package_data
from facegen.models import catalogue
from facegen.recipe import loading

PACKAGE = Path(facegen.__file__).parent
ROOT = Path(__file__).resolve().parent.parent
DATA = {"recipes", "morphable_models"}

# Which rooms alone may import a library.
WALLS = {
    "fsspec": ("dataset/stores/url",),
    "h5py": ("models/", "sampling/estimates"),
    "llvmlite": ("rendering/cpu/",),
    "moderngl": ("rendering/egl/",),
    "onnx": ("learning/export",),
    "onnxruntime": ("learning/onnx_network",),
    "numba": ("models/", "rendering/cpu/"),
    "pillow_heif": ("rendering/pictures",),
    "pygltflib": ("models/gltf",),
    "pyarrow": ("inspection/labels_table",),
    "ray": ("generation/engines/ray",),
    "tarfile": ("dataset/shards",),
    "torch": ("learning/",),
    "torchvision": ("learning/",),
    "webdataset": (),
}
HEAVY = {"h5py", "moderngl", "numba", "numpy", "scipy", "tarfile", "torch", "webdataset"}

FILES = sorted(path for path in PACKAGE.rglob("*.py") if not DATA & set(path.parts))
ROOMS = [path for path in FILES if path.parent != PACKAGE or not path.stem.startswith("__")]
FOLDERS = sorted({path.parent for path in FILES})


def name(path):
    """A file's or folder's path in the package, without suffix."""
    return path.relative_to(PACKAGE).as_posix().removesuffix(".py")


@cache
def listed(folder):
    """The rooms that a folder's docstring lists, in order."""
    text = ast.get_docstring(ast.parse((folder / "__init__.py").read_text("utf-8")), clean=False)
    return re.findall(r"^(\w+/?)  +\S", text, re.MULTILINE)


def entries(folder):
    """The rooms that lie in a folder."""
    files = {path.stem for path in folder.glob("*.py") if not path.stem.startswith("__")}
    return files | {f"{path.name}/" for path in folder.iterdir() if (path / "__init__.py").exists()}


@cache
def imports(path):
    """Every module that a file imports, wherever in it, by full name."""
    return tuple(_imports(path))


def _imports(path):
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: a relative import"
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def place(parts):
    """Where a room stands: its number in each folder on the way to it."""
    numbers, folder = [], PACKAGE
    for part in parts:
        rooms = [room.rstrip("/") for room in listed(folder)]
        if part not in rooms:
            break
        numbers.append(rooms.index(part))
        folder = folder / part
        if not folder.is_dir():
            break
    return numbers


def climbs(path):
    """The modules of facegen that a room imports although they stand below it."""
    own = place(path.relative_to(PACKAGE).with_suffix("").parts)
    modules = {module for module in imports(path) if module.startswith("facegen.")}
    return sorted(module for module in modules if place(module.split(".")[1:]) > own)


def functions(path):
    """Every function of a file as (name, lines)."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield f"{name(path)}.{node.name}", node.end_lineno - node.lineno + 1


@pytest.mark.parametrize("folder", FOLDERS, ids=name)
def test_a_folder_lists_its_rooms(folder):
    rooms = listed(folder)
    assert len(rooms) == len(set(rooms))
    assert set(rooms) == entries(folder)


@pytest.mark.parametrize("path", ROOMS, ids=name)
def test_a_room_imports_only_rooms_above_it(path):
    assert not climbs(path)


@pytest.mark.parametrize("path", FILES, ids=name)
def test_walls_stand(path):
    libraries = {module.split(".")[0] for module in imports(path)} & set(WALLS)
    trespassing = {one for one in libraries if not name(path).startswith(WALLS[one] or "-")}
    assert not trespassing


def test_the_house_has_few_rooms_and_no_families():
    shown = [path.name for path in PACKAGE.iterdir() if path.name not in {"__pycache__", *DATA}]
    assert len(shown) <= 17
    assert not [file for file in shown if "_" in file and not file.startswith("__")]


def modules_after(code):
    """The modules that a fresh Python has loaded after this code."""
    run = [sys.executable, "-c", f"import sys; {code}; print(*sorted(sys.modules))"]
    env = {"PYTHONPATH": str(PACKAGE.parent)}
    printed = subprocess.run(run, capture_output=True, text=True, check=True, env=env).stdout
    return set(printed.split())


def test_importing_facegen_brings_nothing_heavy():
    modules = modules_after("import facegen")
    assert "facegen" in modules
    assert not modules & HEAVY


def test_the_command_line_brings_no_renderer_and_no_network():
    modules = modules_after("import facegen.cli.main")
    assert not modules & {"llvmlite", "moderngl", "numba", "ray", "torch", "webdataset"}


def test_functions_are_short():
    lengths = [length for path in FILES for length in functions(path)]
    assert not [function for function in lengths if function[1] > 40]
    assert statistics.median(lines for _, lines in lengths) <= 8


@pytest.mark.parametrize(
    "folder", [PACKAGE, ROOT / "tests", ROOT / "benchmarks"], ids=lambda path: path.name
)
def test_files_are_short(folder):
    lengths = {path: len(path.read_text("utf-8").splitlines()) for path in folder.rglob("*.py")}
    assert not {path: lines for path, lines in lengths.items() if lines > 300}


def test_every_file_says_what_it_is():
    for path in FILES:
        assert ast.get_docstring(ast.parse(path.read_text("utf-8"))), path


def test_recipes_and_the_generic_model_come_along():
    assert "inversefacenet" in loading.names()
    assert "generic" in catalogue.names()
    for kind in DATA:
        assert package_data(kind).parent in (PACKAGE, PACKAGE.parent)
        assert package_data(kind).is_dir()
    assert catalogue.find("generic").stat().st_size <= 25e6


def test_data_of_the_package_comes_along():
    shaders = PACKAGE / "rendering" / "egl" / "shaders"
    assert {"face.vert", "image.frag", "evaluate.comp"} <= {p.name for p in shaders.iterdir()}
    assert (PACKAGE / "py.typed").exists()


@pytest.mark.parametrize("file", ["README.md", "CONVENTIONS.md", "LICENSE", "pyproject.toml"])
def test_a_checkout_has_its_papers(file):
    assert (ROOT / file).stat().st_size > 0
