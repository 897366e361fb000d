"""Muon, the cycle of rates, what each optimiser moves, and the average that follows."""

import numpy as np
import pytest
import torch

from facegen.learning import muon, optimisers
from facegen.learning.average import Average
from facegen.learning.config import NetworkConfig
from facegen.learning.heads import Standard
from facegen.learning.networks import FaceNet


@pytest.fixture
def network():
    """A narrow network of all heads."""
    torch.manual_seed(0)
    config = NetworkConfig("small", 0.25, 32, 5, landmarks="heatmaps", deviations=True)
    return FaceNet(config, Standard(np.zeros(5), np.ones(5), np.full((68, 2), 0.5)))


@pytest.mark.parametrize("shape", [(8, 20), (20, 8), (6, 6)])
def test_a_matrix_is_made_nearly_orthogonal(shape):
    matrix = torch.randn(*shape, generator=torch.Generator().manual_seed(1))
    matrix *= torch.linspace(1, 0.1, shape[1])
    made = muon.orthogonal(matrix)
    values = torch.linalg.svdvals(made)
    assert values.min() > 0.6
    assert values.max() < 1.3
    left, _, right = torch.linalg.svd(matrix, full_matrices=False)
    inner = left.T @ made @ right.T
    assert abs(inner - torch.diag(torch.diag(inner))).max() < 0.02
    assert torch.diag(inner).min() > 0.6


def test_muon_moves_by_its_rate_whatever_the_gradient():
    for scale in (1e-3, 1e3):
        weight = torch.nn.Parameter(torch.zeros(4, 3, 3, 3))
        gradient = torch.randn(4, 27, generator=torch.Generator().manual_seed(2))
        weight.grad = scale * gradient.reshape(4, 3, 3, 3)
        muon.Muon([weight], lr=0.5).step()
        moved = torch.linalg.svdvals(weight.detach().flatten(1))
        assert moved.min() > 0.3
        assert moved.max() < 0.65


def moved_by(gradients, start=None, **options):
    """Where a weight is after steps with these gradients."""
    weight = torch.nn.Parameter(torch.zeros(3, 5) if start is None else start.clone())
    optimiser = muon.Muon([weight], lr=0.1, **options)
    for gradient in gradients:
        weight.grad = gradient
        optimiser.step()
    return weight.detach()


def test_muon_takes_earlier_gradients_along():
    first, second = torch.randn(2, 3, 5, generator=torch.Generator().manual_seed(4))
    ahead = second + 0.5 * (0.5 * first + second)
    expected = -0.1 * (muon.orthogonal(1.5 * first) + muon.orthogonal(ahead))
    torch.testing.assert_close(moved_by([first, second], momentum=0.5), expected)


def test_muon_lets_weights_decay():
    gradient, start = torch.randn(2, 3, 5, generator=torch.Generator().manual_seed(5))
    plain = moved_by([gradient], start)
    decayed = moved_by([gradient], start, weight_decay=2.0)
    torch.testing.assert_close(plain - decayed, 0.2 * start)


def test_the_rate_rises_once_and_falls():
    rates = [optimisers.one_cycle(step, 100) for step in range(100)]
    top = int(np.argmax(rates))
    assert rates[top] == pytest.approx(1)
    assert (np.diff(rates[: top + 1]) > 0).all()
    assert (np.diff(rates[top:]) < 0).all()
    assert rates[-1] < 1 / 100
    assert optimisers.rates_of("adadelta", 100)(50) == 1


@pytest.mark.parametrize("name", ["muon", "adadelta"])
def test_every_parameter_is_moved_once_at_its_rate(network, name):
    made = optimisers.optimisers_of(name, network, 0.01)
    parameters = [p for one in made for group in one.param_groups for p in group["params"]]
    assert len(parameters) == len(set(parameters)) == len(list(network.parameters()))
    for parameter in parameters:
        parameter.grad = torch.zeros_like(parameter)
    optimisers.advance(made, 0.5)
    rates = [group["lr"] for one in made for group in one.param_groups]
    highest = [0.01 * optimisers.BLOCK_RATE, 0.01, 0.01] if name == "muon" else [0.01]
    assert rates == pytest.approx([0.5 * rate for rate in highest])


def test_muon_has_the_convolutions_but_the_first(network):
    moved = set(optimisers.muon_of(network, 0.01).param_groups[0]["params"])
    body = network.body
    assert body.stages[0][0].conv1.weight in moved
    assert body.stem[0].weight not in moved
    assert body.fc.weight not in moved


def test_the_average_follows(network):
    average = Average(network, 0.9)
    weight, before = network.body.fc.weight, network.body.fc.weight.detach().clone()
    mean = before.clone()
    for step in range(200):
        with torch.no_grad():
            weight.add_(1)
        average.follow(step)
        share = 1 - min(0.9, (1 + step) / (10 + step))
        mean = mean + share * (weight.detach() - mean)
    torch.testing.assert_close(average.network.body.fc.weight, mean)
    torch.testing.assert_close(weight - mean, torch.full_like(mean, 9.0), rtol=0.01, atol=0)
    assert not average.network.training
