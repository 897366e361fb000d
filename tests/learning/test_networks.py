"""Losses against explicit meshes, networks, weights files and checkpoints."""

from dataclasses import replace

import msgspec
import numpy as np
import pytest
import torch

from facegen.errors import UsageError
from facegen.learning import heads, loss, mirror
from facegen.learning.config import NETWORKS, NetworkConfig, parse_weights
from facegen.learning.estimators import estimator_of
from facegen.learning.facts import NetworkError
from facegen.learning.found import in_parts
from facegen.learning.heads import Standard
from facegen.learning.networks import FaceNet, load_pretrained
from facegen.models.morphable_model import LinearModel

PLACES = np.random.default_rng(0).uniform(0.3, 0.7, (68, 2)).astype(np.float32)
ONES = dict.fromkeys(("rotation", "shape", "expression", "reflectance", "illumination"), 1.0)


@pytest.fixture(scope="module")
def orthonormal(ellipsoid):
    """The small model, its bases made orthogonal within shape and expression together."""
    k = ellipsoid.shape.components
    directions, _ = np.linalg.qr(ellipsoid.geometry.basis.T.astype(np.float64))
    basis = (directions.T * ellipsoid.geometry.component_scale[:, None]).astype(np.float32)
    component_scale = ellipsoid.geometry.component_scale
    return replace(
        ellipsoid,
        shape=LinearModel(ellipsoid.shape.mean, basis[:k], component_scale[:k]),
        expression=LinearModel(ellipsoid.expression.mean, basis[k:], component_scale[k:]),
    )


def thetas(layout, seed):
    return np.random.default_rng(seed).normal(size=(6, layout.width)).astype(np.float32)


def small(name="alexnet", width=0.125, size=64, outputs=7):
    return NetworkConfig(name, width, size, outputs)


def net(config, seed=0):
    torch.manual_seed(seed)
    mean = np.arange(config.outputs, dtype=np.float32)
    return FaceNet(config, Standard(mean, 2 * np.ones(config.outputs, np.float32), PLACES, 0.1))


def images(count, size=64):
    return torch.randint(0, 256, (count, size, size, 3), dtype=torch.uint8)


def test_model_space_is_the_distance_of_meshes_built_explicitly(orthonormal):
    layout = orthonormal.layout
    theta, truth = thetas(layout, 0), thetas(layout, 1)
    rest = [
        i
        for name in ("rotation", "reflectance", "illumination")
        for i in range(*layout.slices[name].indices(layout.width))
    ]
    theta[:, rest] = truth[:, rest]
    measure = loss.ModelSpaceLoss(loss.diagonal(layout, orthonormal, ONES))
    value = measure(torch.tensor(theta), torch.tensor(truth)).item()
    meshes = [orthonormal.geometry.evaluate(layout.unpack(t).geometry) for t in (theta, truth)]
    distance = np.square(meshes[0] - meshes[1], dtype=np.float64).sum((1, 2)).mean()
    assert value == pytest.approx(distance, rel=1e-4)


def test_reflectance_is_the_distance_of_reflectances(ellipsoid):
    layout, part = ellipsoid.layout, ellipsoid.layout.slices["reflectance"]
    theta = np.zeros((1, layout.width), np.float32)
    other = theta.copy()
    other[0, part.start + 2] = 1.5
    measure = loss.ModelSpaceLoss(loss.diagonal(layout, ellipsoid, ONES))
    built = ellipsoid.reflectance.evaluate(other[:, part]) - ellipsoid.reflectance.mean
    value = measure(torch.tensor(other), torch.tensor(theta)).item()
    assert value == pytest.approx(np.square(built).sum(), rel=1e-4)


def test_every_group_has_its_own_weight(ellipsoid):
    layout = ellipsoid.layout
    weights = dict(zip(ONES, (3.0, 5.0, 7.0, 11.0, 13.0), strict=True))
    scale = loss.diagonal(layout, ellipsoid, weights)
    np.testing.assert_array_equal(scale[layout.slices["rotation"]], 3)
    np.testing.assert_array_equal(scale[layout.slices["illumination"]], 13)
    np.testing.assert_allclose(
        scale[layout.slices["expression"]], 7 * ellipsoid.expression.component_scale
    )


def test_calibrated_weights_make_the_priors_loss_one_with_equal_shares(ellipsoid):
    layout = ellipsoid.layout
    sd = np.random.default_rng(0).uniform(0.1, 7, layout.width).astype(np.float32)
    weights = loss.calibrate(layout, ellipsoid, sd)
    measure = loss.ModelSpaceLoss(loss.diagonal(layout, ellipsoid, weights))
    value = measure(torch.tensor(sd[None]), torch.zeros(1, layout.width)).item()
    assert value == pytest.approx(1, rel=1e-5)
    shares = loss.shares(layout, ellipsoid, weights, sd)
    assert shares["rotation"] == pytest.approx(0.2)
    assert shares["shape"] + shares["expression"] == pytest.approx(0.4)
    assert weights["shape"] == weights["expression"]


def test_what_never_varies_needs_no_weight(ellipsoid):
    weights = loss.calibrate(ellipsoid.layout, ellipsoid, np.zeros(ellipsoid.layout.width))
    assert set(weights.values()) == {1.0}


def test_parameter_loss_is_the_mean_square():
    value = loss.ParameterLoss()(torch.tensor([[1.0, 3.0]]), torch.tensor([[0.0, 1.0]]))
    assert value.item() == pytest.approx((1 + 4) / 2)


@pytest.mark.parametrize("text", ["1,2,3,4", "1,2,3,4,five", "1,2,3,4,-5", "", "1,2,3,4,nan"])
def test_weights_are_five_numbers(text):
    with pytest.raises(UsageError, match="five numbers"):
        parse_weights(text)


def test_the_papers_weights_are_read():
    assert parse_weights("400/50/50/100/20") == (400, 50, 50, 100, 20)


@pytest.mark.parametrize("name", NETWORKS)
@pytest.mark.parametrize("size", [64, 96])
def test_an_untrained_network_predicts_the_priors_mean(name, size):
    network = net(small(name, size=size)).eval()
    with torch.inference_mode():
        theta, *others = network(images(2, size))
    assert others == [None] * 4
    assert theta.shape == (2, 7)
    assert theta.dtype == torch.float32
    np.testing.assert_allclose(theta, np.arange(7)[None].repeat(2, 0), atol=0.2)


@pytest.mark.parametrize("landmarks", ["direct", "heatmaps"])
@pytest.mark.parametrize("name", NETWORKS)
def test_every_network_answers_all_heads(name, landmarks):
    config = msgspec.structs.replace(small(name), landmarks=landmarks, deviations=True)
    network = net(config).eval()
    with torch.inference_mode():
        found = network(images(3))
    np.testing.assert_allclose(found.sd, 2 * np.ones((3, 7)), rtol=0.2)
    assert found.landmarks.shape == (3, 68, 2)
    assert (found.landmarks - 0.5).abs().max() < 0.5
    np.testing.assert_allclose(found.landmarks_sd, np.full((3, 68), 0.1), rtol=0.2)
    np.testing.assert_allclose(found.visible, np.full((3, 68), 0.5), atol=0.1)


def test_the_mean_place_of_a_sharp_map_is_its_cell():
    maps = torch.zeros(1, 1, 4, 8)
    maps[0, 0, 1, 6] = 50
    np.testing.assert_allclose(heads.mean_place(maps)[0, 0], [6.5 / 8, 1.5 / 4], atol=1e-5)


@pytest.mark.parametrize(
    "config",
    [
        NetworkConfig("small", 1.0, 60, 10),
        NetworkConfig("large", 1.0, 16, 10),
        NetworkConfig("small", 1.0, 64, 0),
        NetworkConfig("small", 1.0, 64, 10, landmarks="many"),
        NetworkConfig("small", 0.0, 64, 10),
    ],
)
def test_what_cannot_be_built_is_refused(config):
    with pytest.raises(NetworkError):
        net(config)


def test_landmarks_found_are_those_of_an_image_and_its_mirror_image():
    network = net(msgspec.structs.replace(small("small"), landmarks="direct"))
    torch.nn.init.normal_(network.landmarks.places.linear.weight, std=0.1)
    estimator = estimator_of(network, torch.device("cpu"))
    pixels = images(3).numpy()
    found = in_parts(estimator, pixels, 2).landmarks
    reflected = estimator(np.ascontiguousarray(pixels[:, :, ::-1])).landmarks
    np.testing.assert_allclose(mirror.mirrored(reflected), found, atol=1e-5)
    assert np.abs(found - PLACES).max() > 0.01


@pytest.mark.parametrize(
    ("name", "parameters"),
    [("alexnet", 61_100_840), ("resnet18", 11_689_512), ("resnet50", 25_557_032)],
)
def test_full_networks_are_torchvisions(name, parameters):
    """The numbers of parameters that torchvision's documentation states, at 1000 outputs."""
    with torch.device("meta"):
        network = FaceNet(
            NetworkConfig(name, 1.0, 224, 1000), Standard(np.zeros(1000), np.ones(1000))
        )
    assert sum(p.numel() for p in network.body.parameters()) == parameters


def test_parameters_have_torchvisions_names():
    alexnet, resnet = (net(small(n)).body.state_dict() for n in ("alexnet", "resnet50"))
    assert {"features.0.weight", "features.10.bias", "classifier.6.weight"} <= alexnet.keys()
    names = {"bn1.running_var", "layer1.0.downsample.0.weight", "layer4.2.conv3.weight", "fc.bias"}
    assert names <= resnet.keys()
    assert not any("layer1.1.downsample" in name for name in resnet)


@pytest.mark.parametrize("name", ["alexnet", "resnet18"])
def test_weights_of_another_number_of_outputs_load_but_for_the_last_layer(name, tmp_path):
    donor = net(small(name, outputs=1000), seed=1).body.state_dict()
    old = {key: value for key, value in donor.items() if "num_batches" not in key}
    torch.save(old, tmp_path / "weights.pth")
    network = net(small(name))
    load_pretrained(network, tmp_path / "weights.pth")
    last = {"alexnet": "classifier.6", "resnet18": "fc"}[name]
    for key, value in network.body.state_dict().items():
        if not key.startswith(last) and key in old:
            torch.testing.assert_close(value, donor[key])
    assert network(images(2)).theta.shape == (2, 7)


def test_weights_of_another_network_are_refused_in_one_line(tmp_path):
    path = tmp_path / "weights.pth"
    torch.save(net(small("resnet18")).body.state_dict(), path)
    with pytest.raises(NetworkError, match="another network") as caught:
        load_pretrained(net(small("alexnet")), path)
    assert "\n" not in str(caught.value)
    torch.save(net(small("alexnet", width=0.25)).body.state_dict(), path)
    with pytest.raises(NetworkError, match=r"features\.0\.weight is"):
        load_pretrained(net(small("alexnet")), path)
