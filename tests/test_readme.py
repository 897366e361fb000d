"""The README's commands, run as they stand, at toy size."""

import re
import shlex
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from facegen import recipe

ROOT = Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text("utf-8")
TOY = {"render": ["--size", "32"], "bootstrap": ["--size", "32"], "train": ["--every", "2"]}


def blocks(language):
    """The code blocks of a language, in order."""
    return re.findall(rf"^```{language}\n(.*?)^```", README, re.M | re.S)


def section(title):
    """The text under a heading."""
    return README.split(f"\n## {title}\n")[1].split("\n## ")[0]


def toy(words):
    """The command with few iterations, a narrow network and small pictures."""
    small = [re.sub(r"^500$", "2", re.sub(r"^0\.25$", "0.1", word)) for word in words]
    return small + TOY.get(words[1], [])


def run(words, folder):
    code = "import sys; from facegen.cli import main; main(prog_name='facegen')"
    done = subprocess.run(
        [sys.executable, "-c", code, *words[1:]], cwd=folder, capture_output=True, check=False
    )
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout.decode()


@pytest.fixture(scope="module")
def walked(tmp_path_factory):
    """The folder in which the five commands of the loop were run."""
    folder = tmp_path_factory.mktemp("readme")
    commands = section("The loop").split("```sh\n")[1].split("```")[0].splitlines()
    assert len(commands) == 5
    for command in commands:
        run(toy(shlex.split(command)), folder)
    return folder


def test_the_loop_closes_in_five_commands(walked):
    made = {path.relative_to(walked).as_posix() for path in walked.glob("data/*")}
    expected = {"data/demo", "data/net.pt", "data/real.h5", "data/around", "data/net-2.pt"}
    assert expected <= made
    assert (walked / "data/demo/preview.jpg").exists()


def test_the_proof_is_as_shown(walked):
    for command in section("Proof").split("```sh\n")[1].split("```")[0].splitlines():
        words = shlex.split(command, comments=True)
        run(words + (["--device", "cpu"] if words[1] == "verify" else []), walked)
    assert (walked / "data/demo/report.html").exists()


@pytest.mark.filterwarnings(
    "ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning"
)
@pytest.mark.parametrize("number", [0, 1])
def test_the_readers_read(walked, number, monkeypatch):
    monkeypatch.chdir(walked)
    code = blocks("python")[number]
    if number == 1:
        pytest.importorskip("datasets")
        code += "\nassert next(iter(faces))['theta.npy'] is not None"
    exec(compile(code, "README.md", "exec"), {})


@pytest.mark.parametrize("text", blocks("toml"))
def test_the_recipes_are_recipes(text, tmp_path):
    path = tmp_path / "mine.toml"
    path.write_text(text)
    assert tomllib.loads(text)["extends"] == "inversefacenet"
    assert recipe.load(str(path)).priors


def test_the_file_tree_names_what_there_is():
    tree = section("Where things are").split("```")[1]
    named = re.findall(r"^  (\w+)[.*/]", tree, re.M)
    package = ROOT / "facegen"
    assert named
    for name in named:
        assert list(package.glob(f"{name}*")), name
