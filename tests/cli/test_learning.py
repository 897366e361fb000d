"""`facegen train`, `estimate` and `evaluate` as a user calls them."""

import json
import subprocess
import sys

import pytest
from click.testing import CliRunner
from PIL import Image
from specs import folder, generated, spec_of

from facegen.cli import learning
from facegen.cli.main import OneLine
from facegen.learning import opening
from facegen.sampling import estimates


@pytest.fixture(scope="module")
def masked(ellipsoid_file, tmp_path_factory):
    """A finished data set of 20 small faces in 2 shards, lossless, with masks."""
    out = tmp_path_factory.mktemp("estimate") / "faces"
    return generated(spec_of(ellipsoid_file, out, shard_size=10, layers="mask"))


@pytest.fixture(scope="module")
def program():
    """The three commands as the command line has them."""
    group = OneLine("facegen")
    for command in learning.COMMANDS:
        group.add_command(command)
    return group


def run(program, *options):
    return CliRunner().invoke(program, [str(option) for option in options])


def test_train_estimate_evaluate_from_the_command_line(program, masked, tmp_path):
    net, out, comparison = (tmp_path / name for name in ("net.pt", "real.h5", "p.png"))
    model = ("--model", masked.model.path)
    few = ("--iterations", 2, "--width", 0.25, "--batch", 4, "--every", 1)
    result = run(program, "train", folder(masked), "--out", net, *few, *model)
    assert result.exit_code == 0, result.output
    result = run(program, "estimate", net, *sorted(folder(masked).glob("*.tar")), "--out", out)
    assert result.exit_code == 0, result.output
    estimated = estimates.read(out)
    assert len(estimated) == 20
    assert estimated.keys[3] == "0000000003"
    assert estimated.origin.model_sha256 == masked.model.sha256
    assert estimated.origin.source.startswith("net.pt sha256 ")
    assert estimates.check_layout(estimated, masked.layout, masked.model.sha256) == []
    result = run(
        program, "evaluate", net, folder(masked), "--json", "--comparison", comparison, *model
    )
    assert result.exit_code == 0, result.output
    assert json.loads(result.output)["images"] == 20
    with Image.open(comparison) as shown:
        assert shown.size == (8 * 64, 3 * 64)
    result = run(program, "evaluate", net, folder(masked), "--count", 3, *model)
    assert "geometric, rigidly aligned [mm]" in result.output


@pytest.fixture(scope="module")
def net(program, masked, tmp_path_factory):
    """A checkpoint of hardly any training."""
    path = tmp_path_factory.mktemp("net") / "net.pt"
    few = ("--iterations", 1, "--width", 0.25, "--batch", 4, "--model", masked.model.path)
    result = run(program, "train", folder(masked), "--out", path, *few)
    assert result.exit_code == 0, result.output
    return path


@pytest.fixture
def photographs(tmp_path):
    """A folder with a picture, and what is none."""
    place = tmp_path / "photographs"
    place.mkdir()
    Image.new("RGB", (50, 40), (90, 80, 70)).save(place / "a.png")
    (place / "b.png").write_bytes(b"no picture")
    return place


@pytest.mark.parametrize("named", ["first", "by option"])
def test_bad_photographs_are_passed_over_named_and_counted(
    program, net, photographs, tmp_path, named
):
    out, drawn = tmp_path / "real.h5", tmp_path / "drawn"
    network = (net,) if named == "first" else ("--network", net, "--crop", "whole")
    result = run(program, "estimate", *network, photographs, "--out", out, "--overlay", drawn)
    assert result.exit_code == 3
    assert "1 estimates, 1 images passed over" in result.output
    assert "passed over: b.png: not an image" in result.output
    assert estimates.read(out).keys == ("a.png",)
    assert sorted(path.name for path in drawn.iterdir()) == ["a.png.overlay.jpg", "faces.jpg"]


def test_strict_stops_at_the_first_bad_one(program, net, photographs, tmp_path):
    out = tmp_path / "real.h5"
    result = run(program, "estimate", net, photographs, "--out", out, "--strict")
    assert result.exit_code == 1
    assert "b.png" in result.output
    assert not out.exists()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--crop", "given"), "give --landmarks"),
        (("--crop", "whole", "--landmarks", "marks.json"), "leave --landmarks out"),
        ((), "no photographs are named"),
    ],
)
def test_what_does_not_go_together_is_refused(program, net, photographs, options, message):
    paths = (photographs,) if options else ()
    result = run(program, "estimate", net, *paths, *options)
    assert result.exit_code != 0
    assert message in result.output


def test_a_network_is_exported_and_reads_photographs(program, net, photographs, tmp_path):
    onnx, out = tmp_path / "net.onnx", tmp_path / "real.h5"
    result = run(program, "export-onnx", net, onnx, "--half")
    assert result.exit_code == 0, result.output
    assert "of PyTorch" in result.output
    result = run(program, "estimate", onnx, photographs / "a.png", "--out", out)
    assert result.exit_code == 0, result.output
    assert estimates.read(out).origin.source.startswith("net.onnx sha256 ")


def test_errors_are_one_line(program, tmp_path):
    result = run(program, "estimate", tmp_path / "absent.pt", tmp_path)
    assert result.exit_code == 1
    assert result.output.count("\n") == 1


def test_without_torch_the_extra_is_named(program, monkeypatch, tmp_path):
    monkeypatch.setattr(opening, "find_spec", lambda name: None)
    result = run(program, "train", tmp_path)
    assert result.exit_code == 1
    assert "pip install 'facegen[train]'" in result.output


def test_the_commands_open_without_torch():
    code = "import sys, facegen.cli.main; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.parametrize("command", learning.COMMANDS, ids=lambda c: c.name)
def test_every_option_says_its_default(command):
    for option in command.params:
        if option.param_type_name == "option" and option.default is None:
            assert option.help, option.name
