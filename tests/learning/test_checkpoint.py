"""Checkpoints: built again as they were, and refused where they are not what they should be."""

import pickle

import msgspec
import numpy as np
import pytest
import synthetic
import torch

from facegen.dataset.index import ModelEntry
from facegen.errors import FacegenError
from facegen.learning import checkpoint
from facegen.learning.checkpoint import Checkpoint
from facegen.learning.config import NetworkConfig
from facegen.learning.facts import Facts, NetworkError
from facegen.learning.heads import Standard
from facegen.learning.networks import FaceNet
from facegen.recipe.loading import load

ONES = dict.fromkeys(("rotation", "shape", "expression", "reflectance", "illumination"), 1.0)


def small(outputs):
    return NetworkConfig("alexnet", 0.125, 64, outputs)


def net(config):
    mean = np.arange(config.outputs, dtype=np.float32)
    return FaceNet(config, Standard(mean, 2 * np.ones(config.outputs, np.float32)))


def images(count):
    return torch.randint(0, 256, (count, 64, 64, 3), dtype=torch.uint8)


def a_checkpoint(config, layout):
    facts = Facts(
        network=config,
        recipe=load("inversefacenet").record,
        layout=layout.to_json(),
        model=ModelEntry("ellipsoid", "0" * 64),
        weights=ONES,
        settings={"seed": 3},
        step=12,
    )
    return Checkpoint(net(config), facts, {"random": checkpoint.random_state()})


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    """A checkpoint and its file."""
    layout = synthetic.model().layout
    made = a_checkpoint(small(layout.width), layout)
    path = tmp_path_factory.mktemp("checkpoint") / "net.pt"
    checkpoint.save(path, made)
    return made, path


def test_a_checkpoint_builds_itself_again(saved):
    made, path = saved
    loaded = checkpoint.load(path)
    assert loaded.facts == made.facts
    assert loaded.facts.theta == synthetic.model().layout
    assert loaded.facts.prior.fingerprint == load("inversefacenet").fingerprint
    assert loaded.source.startswith("net.pt sha256 ")
    pixels = images(3)
    torch.testing.assert_close(loaded.network(pixels).theta, made.network.eval()(pixels).theta)
    assert list(path.parent.iterdir()) == [path]


class Evil:
    """What a pickle can do that is read without care."""

    def __reduce__(self):
        return print, ("run",)


def test_a_malicious_pickle_is_refused_and_not_run(tmp_path, capsys):
    path = tmp_path / "net.pt"
    torch.save({"facts": "{}", "network": Evil(), "progress": {}}, path)
    with pytest.raises(NetworkError, match="not a file of plain weights"):
        checkpoint.load(path)
    path.write_bytes(pickle.dumps(Evil()))
    with pytest.raises(NetworkError, match="not a file of plain weights"):
        checkpoint.load(path)
    assert "run" not in capsys.readouterr().out


@pytest.mark.parametrize("content", [b"", b"hello", b"PK\x03\x04 but no more"])
def test_what_is_no_checkpoint_is_refused(tmp_path, content):
    path = tmp_path / "net.pt"
    path.write_bytes(content)
    with pytest.raises(FacegenError) as caught:
        checkpoint.load(path)
    assert "\n" not in str(caught.value)


def test_a_missing_checkpoint_is_named(tmp_path):
    with pytest.raises(FacegenError, match=r"absent\.pt: No such file"):
        checkpoint.load(tmp_path / "absent.pt")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"network": {"name": "vgg"}}, "not a network of facegen: Invalid enum value 'vgg'"),
        ({"network": {"width": 1e6}}, "width"),
        ({"network": {"width": "1"}}, r"not a network .*network\.width"),
        ({"more": 1}, "unknown field `more`"),
        ({"network": {"outputs": 44}}, "layout is not that"),
        ({"network": {"size": 96, "extra": 1}}, "not a network"),
        ({"layout": [["shape", 3]]}, "layout"),
        ({"layout": 5}, "layout"),
        ({"model": {}}, "not a network"),
        ({"format": 9}, "format 9"),
    ],
)
def test_facts_that_do_not_fit_are_refused(saved, tmp_path, change, message):
    made, path = saved
    facts = msgspec.to_builtins(made.facts)
    network = facts["network"] | change.get("network", {})
    content = torch.load(path, weights_only=True)
    content["facts"] = msgspec.json.encode(facts | change | {"network": network}).decode()
    torch.save(content, tmp_path / "net.pt")
    with pytest.raises(FacegenError, match=message) as caught:
        checkpoint.load(tmp_path / "net.pt")
    assert "\n" not in str(caught.value)


def test_weights_that_are_not_finite_are_refused(saved, tmp_path):
    broken = a_checkpoint(small(45), synthetic.model().layout)
    torch.nn.init.constant_(broken.network.get_parameter("body.features.0.bias"), torch.nan)
    checkpoint.save(tmp_path / "net.pt", broken)
    with pytest.raises(NetworkError, match="not finite"):
        checkpoint.load(tmp_path / "net.pt")
