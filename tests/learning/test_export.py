"""ONNX files: they answer as PyTorch does, come back into it, and others' are refused."""

from functools import partial

import msgspec
import numpy as np
import onnx
import pytest
import torch
from estimators import trained

from facegen.errors import FacegenError
from facegen.learning import export, onnx_network, opening
from facegen.learning.checkpoint import Checkpoint
from facegen.learning.config import NetworkConfig
from facegen.learning.facts import NetworkError
from facegen.learning.heads import Standard
from facegen.learning.networks import FaceNet


def checkpoint_of(name="small", size=64, landmarks="direct"):
    """An untrained network, its norms' statistics not those of one that saw nothing."""
    torch.manual_seed(0)
    facts = trained(None, size=size).facts
    width = facts.network.outputs
    heads = {"landmarks": landmarks, "deviations": landmarks != "none"}
    config = NetworkConfig(name, 0.25, size, width, **heads)
    network = FaceNet(config, Standard(np.zeros(width), np.ones(width), np.full((68, 2), 0.5), 0.1))
    network.train()
    network(torch.randint(0, 256, (4, size, size, 3), dtype=torch.uint8))
    return Checkpoint(network.eval(), msgspec.structs.replace(facts, network=config))


@pytest.mark.parametrize("half", [False, True])
@pytest.mark.parametrize(
    ("name", "size", "landmarks"),
    [("small", 64, "direct"), ("medium", 96, "heatmaps"), ("alexnet", 64, "none")],
)
def test_a_file_answers_as_pytorch_does(tmp_path, name, size, landmarks, half):
    made = checkpoint_of(name, size, landmarks)
    path = tmp_path / "net.onnx"
    assert export.export(made, path, half) < 1e-4
    opened = opening.open_network(path, "auto")
    assert opened.facts == made.facts
    assert opened.source.startswith("net.onnx sha256 ")
    images = np.random.default_rng(1).integers(0, 256, (3, size, size, 3), np.uint8)
    again = opening.open_checkpoint(path)
    found = opened.estimator(images)
    with torch.inference_mode():
        theta, *others = again.network(torch.from_numpy(images))
    np.testing.assert_allclose(found.theta, theta, atol=1e-4)
    assert [part is None for part in found[1:]] == [part is None for part in others]
    for key, value in made.network.state_dict().items():
        if value.is_floating_point():
            torch.testing.assert_close(
                again.network.state_dict()[key], value, atol=2e-3 if half else 0, rtol=0
            )


def test_half_the_bits_are_about_half_the_bytes(tmp_path):
    made = checkpoint_of()
    for name, half in (("whole.onnx", False), ("half.onnx", True)):
        export.export(made, tmp_path / name, half)
    sizes = [(tmp_path / name).stat().st_size for name in ("whole.onnx", "half.onnx")]
    assert sizes[1] < 0.7 * sizes[0]


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    path = tmp_path_factory.mktemp("onnx") / "net.onnx"
    export.export(checkpoint_of(), path, half=True)
    return path


@pytest.mark.parametrize("content", [b"", b"no network", b"\x08\x09" * 50])
def test_what_is_no_network_is_refused_in_one_line(tmp_path, content):
    path = tmp_path / "net.onnx"
    path.write_bytes(content)
    for opener in (opening.open_checkpoint, partial(opening.open_network, device="cpu")):
        with pytest.raises(FacegenError) as caught:
            opener(path)
        assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("facts", "message"),
    [
        (None, "not a network of facegen"),
        ("{}", "not a network of facegen"),
        ({"layout": [["shape", 3]]}, "layout"),
        ({"format": 7}, "format 7"),
    ],
)
def test_facts_that_do_not_fit_are_refused(written, tmp_path, facts, message):
    model = onnx.load(written)
    (entry,) = [entry for entry in model.metadata_props if entry.key == onnx_network.FACTS]
    if isinstance(facts, dict):
        facts = msgspec.json.encode(msgspec.json.decode(entry.value) | facts).decode()
    entry.value = facts or ""
    path = tmp_path / "net.onnx"
    onnx.save(model, path)
    for opener in (opening.open_checkpoint, partial(opening.open_network, device="cpu")):
        with pytest.raises(NetworkError, match=message):
            opener(path)


def test_another_image_size_is_refused(written, tmp_path):
    model = onnx.load(written)
    (entry,) = model.metadata_props
    entry.value = entry.value.replace('"size":64', '"size":80')
    path = tmp_path / "net.onnx"
    onnx.save(model, path)
    with pytest.raises(NetworkError, match="cannot be run"):
        opening.open_network(path, "cpu")


def test_nothing_beside_the_file_is_read(written, tmp_path):
    model = onnx.load(written)
    secret = tmp_path / "secret.bin"
    onnx.save(
        model,
        tmp_path / "net.onnx",
        save_as_external_data=True,
        location=secret.name,
        size_threshold=0,
    )
    assert secret.exists()
    with pytest.raises(FacegenError):
        opening.open_network(tmp_path / "net.onnx", "cpu")
    with pytest.raises(FacegenError):
        opening.open_checkpoint(tmp_path / "net.onnx")


def test_without_the_extra_it_is_named(monkeypatch, written):
    monkeypatch.setattr(opening, "find_spec", lambda name: None)
    with pytest.raises(FacegenError, match=r"pip install 'facegen\[estimate\]'"):
        opening.open_network(written, "cpu")
