"""README and pages: commands and code run as they stand, at toy size; their tables hold."""

import contextlib
import re
import shlex
import subprocess
import tomllib
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

import facegen
from facegen.cli.main import main
from facegen.dataset.encoding import CODECS
from facegen.models.morphable_model import SEGMENTS
from facegen.recipe import recipe as recipe_module
from facegen.recipe.light import DISTRIBUTIONS
from facegen.recipe.loading import load, names
from facegen.recipe.photograph import SETTINGS
from facegen.recipe.recipe import GROUPS

ROOT = Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text("utf-8")
PAGES = {path.stem: path.read_text("utf-8") for path in sorted((ROOT / "docs").glob("*.md"))}
TRAIN = ["--every", "2", "--width", "0.1"]
TOY = {"render": ["--size", "32"], "bootstrap": ["--size", "32"], "train": TRAIN}
TOY |= {"verify": ["--device", "cpu"], "bench": ["--size", "32"]}
# Commands that need what a test has not: a cluster, a bucket, an hour.
NOT_RUN = (
    "make ",
    "pip ",
    "python ",
    "#",
    "facegen render --count 1M",
    "facegen render --count 100M",
)


def blocks(text, language):
    """The code blocks of a language, in order."""
    return re.findall(rf"^```{language}\n(.*?)^```", text, re.M | re.S)


def commands(text):
    """The shell commands of a text that are to be run."""
    lines = [line for block in blocks(text, "sh") for line in block.splitlines()]
    return [line for line in lines if line.strip() and not line.startswith(NOT_RUN)]


def toy(words):
    """The command with few samples and iterations, a narrow network and small images."""
    small = {"500": "2", "400": "100", "200": "20"}
    return [small.get(word, word) for word in words] + TOY.get(words[1], [])


def run(command, folder):
    """Run a command of the pages in a folder."""
    words = toy(shlex.split(command, comments=True))
    assert words[0] == "facegen", command
    with contextlib.chdir(folder):
        result = CliRunner().invoke(main, words[1:])
    assert result.exit_code == 0, result.output


@pytest.fixture(scope="module")
def walked(tmp_path_factory):
    """The folder in which `make demo` and the README's commands were run."""
    folder = tmp_path_factory.mktemp("readme")
    demo = "facegen render --count 1k --out data/demo"
    assert demo.partition(" ")[2] in (ROOT / "Makefile").read_text("utf-8")
    for command in [demo, *commands(README)]:
        run(command, folder)
    return folder


def test_the_loop_closes_in_five_commands(walked):
    assert len(commands(README)) == 5
    made = {path.relative_to(walked).as_posix() for path in walked.glob("data/*")}
    expected = {"data/faces", "data/net.pt", "data/real.h5", "data/around", "data/net-2.pt"}
    assert expected <= made
    assert (walked / "data/demo/preview.jpg").exists()


@pytest.mark.parametrize("page", ["quickstart", "loop"])
def test_commands_of_the_pages_run(walked, page):
    for command in [c for c in commands(PAGES[page]) if c not in commands(README)]:
        run(command, walked)


def test_every_command_of_the_other_pages_is_known():
    """What is not run is of a kind that cannot be."""
    shown = {line for page in ("clusters", "poster", "speed") for line in commands(PAGES[page])}
    assert not shown


PYTHON = [(name, code) for name, page in PAGES.items() for code in blocks(page, "python")]
PYTHON = [pair for pair in PYTHON if pair[0] != "models"]  # needs another project's package


@pytest.fixture(scope="module")
def layered(walked):
    """The data set with all layers that the page about them reads."""
    options = "--count 20 --layers all --format png --out data/layers"
    run(f"facegen render {options}", walked)
    return walked


@pytest.mark.filterwarnings(
    "ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning"
)
@pytest.mark.parametrize(
    ("place", "code"), [*(("README", code) for code in blocks(README, "python")), *PYTHON]
)
def test_the_code_runs(layered, place, code, monkeypatch):
    monkeypatch.chdir(layered)
    if "import datasets" in code:
        pytest.importorskip("datasets")
        code += "\nassert next(iter(faces))['theta.npy'] is not None"
    scope = {"__name__": place}
    exec(compile(code, place, "exec"), scope)
    if place == "layers":
        truth = list(facegen.open_dataset("data/layers"))[-1].layers["depth"]
        np.testing.assert_array_equal(scope["depth"], truth)


def test_64_faces_take_five_lines():
    code = blocks(PAGES["api"], "python")[0]
    assert len(code.splitlines()) == 5
    scope = {}
    exec(code, scope)
    faces = scope["faces"]
    assert faces.images.shape == (64, 240, 240, 3)
    assert faces.layers["depth"].dtype == np.float32
    assert set(faces.layers) == {"depth", "segmentation"}


@pytest.mark.parametrize(
    "text", [t for t in blocks(PAGES["recipes"], "toml") if "include" not in t]
)
def test_the_recipes_are_recipes(text, tmp_path):
    path = tmp_path / "mine.toml"
    path.write_text(text)
    assert tomllib.loads(text)["extends"] in names()
    assert load(str(path)).priors


def rows(page):
    """The rows of a page's tables, as cells without marks."""
    lines = [line for line in PAGES[page].splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def test_every_key_of_a_recipe_is_explained():
    explained = " ".join(row[0] for row in rows("recipes"))
    keys = recipe_module.TOP_KEYS - {"camera", "crop", "splits", "image", "background"}
    keys -= {"attributes", "grid", "attire", "light", "face_units"}
    keys |= {"encoding", "around", "grey"}
    tables = {
        *GROUPS,
        "attributes.age",
        "grid.rotation.yaw",
        "camera.distance",
        "crop.scale",
        "crop.shift",
        "background",
        "background.shares",
        "image",
        "attire",
        "light",
        "face_units",
        "camera.distortion",
        *(f"light.{name}" for name in DISTRIBUTIONS),
        *(f"image.{name}" for name in SETTINGS if name != "quality"),
    }
    tables |= {"rotation.pitch", "rotation.yaw", "rotation.roll", "splits"} - {"rotation"}
    for key in {f"`{key}`" for key in keys} | {f"`[{table}]`" for table in tables - {"rotation"}}:
        assert key in explained, key
    assert {row[0].strip("`") for row in rows("recipes")} >= {"constant", "uniform", "normal"}
    listed = " ".join(row[0] for row in rows("recipes")[-10:])
    assert all(f"`{name}`" in listed for name in names())


def test_every_layer_is_in_the_table():
    table = {row[0]: row[1].strip("`") for row in rows("layers")[2:]}
    assert table == {name: codec.suffix for name, codec in CODECS.items()}
    stated = next(row for row in rows("layers") if row[0] == "segmentation")[3]
    assert stated == ", ".join(f"{number} {name}" for number, name in enumerate(SEGMENTS))


def test_the_api_page_names_the_api():
    for name in facegen.__all__:
        assert re.search(rf"^::: facegen\.([\w.]+\.)?{name}$", PAGES["api"], re.M), name


def tree():
    """The names in the README's tree: of the checkout, and of the package."""
    text = README.split("## Where things are")[1].split("```")[1]
    own = re.findall(r"^  ([\w.]+/?) ", text, re.M)
    top = re.findall(r"^([\w.]+/?) ", text, re.M) + re.findall(r"  (tests/)  ", text)
    return set(top), set(own)


def test_the_file_tree_is_the_tree():
    top, own = tree()
    package = [
        p for p in (ROOT / "facegen").iterdir() if p.name not in ("__pycache__", "__init__.py")
    ]
    shown = {f"{p.name}/" if p.is_dir() else p.name for p in package}
    assert own == shown - {"recipes/", "morphable_models/"}
    tracked = subprocess.run(
        ["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False
    ).stdout.split()
    folders = {f"{name.split('/')[0]}/" for name in tracked if "/" in name and name[0] != "."}
    assert not folders or folders - {"tools/"} == {name for name in top if name.endswith("/")}
    assert all((ROOT / name).exists() for name in top)


def test_the_readme_is_short():
    assert len(README.splitlines()) <= 150


@pytest.mark.parametrize("place", ["README", "CONTRIBUTING", *PAGES])
def test_links_lead_somewhere(place):
    folder = ROOT / "docs" if place in PAGES else ROOT
    text = (folder / f"{place}.md").read_text("utf-8")
    for target in re.findall(r"\]\(([^)#:]+)\)", text):
        assert (folder / target).exists(), target


@pytest.mark.parametrize(
    "name", re.findall(r"`((?:[a-z_]+/)+\w+\.\w+)`", (ROOT / "CONTRIBUTING.md").read_text())
)
def test_contributing_names_files_that_exist(name):
    name = name.replace("NAME", "depth").replace(
        "tests/test_conventions*", "tests/test_conventions"
    )
    assert any((folder / name).exists() for folder in (ROOT, ROOT / "facegen")), name
