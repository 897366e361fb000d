"""What is written: never over an input or another kind of file, checked before the work begins."""

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

from facegen.cli.main import main
from facegen.errors import UsageError
from facegen.files import check_output
from facegen.learning import checkpoint
from facegen.sampling import estimates
from facegen.sampling.estimates import Estimates

KIND = b"PK\x03\x04"


def call(*options):
    return CliRunner().invoke(main, [str(option) for option in options])


def refusal(path, *inputs):
    with pytest.raises(UsageError) as caught:
        check_output("--out", path, KIND, inputs)
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize("before", [None, b"", KIND + b"old"])
def test_a_new_file_or_one_of_its_kind_may_be_written(before, tmp_path):
    path = tmp_path / "new" / "net.pt"
    if before is not None:
        path.parent.mkdir()
        path.write_bytes(before)
    check_output("--out", path, KIND, (tmp_path / "other", None))
    assert [p.name for p in path.parent.iterdir()] == ([] if before is None else ["net.pt"])


def test_an_input_is_not_written_over_by_any_of_its_names(tmp_path):
    path, link, hard = (tmp_path / name for name in ("a.pt", "link.pt", "hard.pt"))
    path.write_bytes(KIND)
    link.symlink_to(path)
    hard.hardlink_to(path)
    for out in (path, link, hard, tmp_path / "." / "a.pt"):
        assert "is read as well; write to another file" in refusal(out, tmp_path / "b.pt", path)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("", "names no file"),
        ("folder", "names no file"),
        ("note.txt", "of another kind"),
        ("x" * 300, "name too long"),
        ("note.txt/net.pt", "Not a directory"),
        ("a\0b", "null"),
    ],
)
def test_what_cannot_be_written_is_refused(name, words, tmp_path):
    (tmp_path / "folder").mkdir()
    (tmp_path / "note.txt").write_text("mine")
    assert words.lower() in refusal(tmp_path / name).lower()
    assert (tmp_path / "note.txt").read_text() == "mine"


@pytest.fixture
def inputs(tmp_path):
    """A network that is none, a picture, landmarks, estimates: their bytes by path."""
    Image.fromarray(np.zeros((40, 40, 3), np.uint8)).save(tmp_path / "a.png")
    (tmp_path / "net.pt").write_bytes(KIND)
    (tmp_path / "l.json").write_text("{}")
    estimates.write(tmp_path / "real.h5", Estimates(np.zeros((2, 9), np.float32)))
    return {path: path.read_bytes() for path in tmp_path.iterdir()}


def commands(folder):
    """Commands whose output is one of their inputs, or a file of another kind."""
    net, picture, points, real = (folder / n for n in ("net.pt", "a.png", "l.json", "real.h5"))
    estimate = ("estimate", net, picture, "--landmarks", points, "--out")
    return [
        *((*estimate, out) for out in (net, picture, points)),
        ("train", folder / "faces", "--out", picture),
        ("train", folder / "faces", "--from", net, "--out", folder / "l.json"),
        ("evaluate", net, folder / "faces", "--comparison", net),
        ("report", folder, "--out", picture),
        ("report", folder, "--parquet", real),
        ("models", "import", real, "--out", real),
    ]


@pytest.mark.parametrize("number", range(9))
def test_no_command_writes_over_what_it_reads_or_another_kind(
    number, inputs, tmp_path, monkeypatch
):
    monkeypatch.setattr(checkpoint, "load", None)  # It is not come to.
    result = call(*commands(tmp_path)[number])
    assert result.exit_code == 2
    assert len(result.stderr.splitlines()) == 1 or "Usage:" in result.stderr
    assert {path: path.read_bytes() for path in tmp_path.iterdir()} == inputs


def test_a_run_does_not_write_among_its_backgrounds(inputs, tmp_path):
    for out in (tmp_path, tmp_path / "faces", tmp_path / "more" / "faces"):
        result = call("render", "--count", 6, "--backgrounds", tmp_path, "--out", out)
        assert result.exit_code == 2
        assert "lies in --backgrounds" in result.stderr
    assert {path: path.read_bytes() for path in tmp_path.iterdir()} == inputs
