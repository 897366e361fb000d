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
