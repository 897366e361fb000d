"""`facegen.estimate`: photographs in memory, by any network."""

import msgspec
import numpy as np
import pytest
import torch
from estimators import trained

import facegen
from facegen.errors import FacegenError, UsageError
from facegen.learning import checkpoint, export
from facegen.learning.checkpoint import Checkpoint
from facegen.learning.config import NetworkConfig
from facegen.learning.heads import Standard
from facegen.learning.networks import FaceNet


@pytest.fixture(scope="module")
def networks(tmp_path_factory):
    """The same network as a checkpoint and as an ONNX file."""
    torch.manual_seed(0)
    facts = trained(None, size=32).facts
    width = facts.network.outputs
    config = NetworkConfig("small", 0.25, 32, width, landmarks="direct", deviations=True)
    places = np.random.default_rng(0).uniform(0.3, 0.7, (68, 2))
    network = FaceNet(config, Standard(np.zeros(width), np.ones(width), places, 0.1)).eval()
    made = Checkpoint(network, msgspec.structs.replace(facts, network=config))
    folder = tmp_path_factory.mktemp("networks")
    checkpoint.save(folder / "net.pt", made)
    export.export(made, folder / "net.onnx", half=False)
    return folder


@pytest.fixture(scope="module")
def images():
    draws = np.random.default_rng(0)
    return [draws.integers(0, 256, shape, np.uint8) for shape in ((40, 60, 3), (32, 32, 3))]


def test_both_kinds_of_files_answer_alike_in_pixels(networks, images):
    first, second = (
        facegen.estimate(images, networks / name, crop="whole") for name in ("net.pt", "net.onnx")
    )
    assert first.keys == ("0", "1")
    for name in ("theta", "sd", "landmarks", "box", "K", "confidence"):
        np.testing.assert_allclose(
            getattr(first, name), getattr(second, name), rtol=1e-3, atol=1e-3, err_msg=name
        )
    assert (first.landmarks[0, :, 0] > 10).all()  # The middle square of 60 x 40 pixels.
    assert (first.landmarks[0, :, 0] < 50).all()
    assert first.model_to_camera is None  # Nobody has the face model.


def test_faces_are_looked_for(networks, images):
    with pytest.raises(FacegenError, match="no face was found"):
        facegen.estimate(images, networks / "net.onnx")


@pytest.mark.parametrize(
    "image", [np.zeros((4, 4), np.uint8), np.zeros((4, 4, 3)), np.zeros((0, 4, 3), np.uint8)]
)
def test_what_is_no_photograph_is_refused(networks, image):
    with pytest.raises(FacegenError, match="image 0 is"):
        facegen.estimate([image], networks / "net.onnx")


def test_an_unknown_crop_is_refused(networks, images):
    with pytest.raises(UsageError, match="known: detect, whole"):
        facegen.estimate(images, networks / "net.onnx", crop="given")
