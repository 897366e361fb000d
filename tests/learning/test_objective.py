"""What is lowered: deviations come to be those of what is missed, and change no estimate."""

import numpy as np
import pytest
import torch

from facegen.learning.config import NetworkConfig
from facegen.learning.heads import Estimate, Standard
from facegen.learning.labelled import Batch
from facegen.learning.loss import ParameterLoss
from facegen.learning.networks import FaceNet
from facegen.learning.objective import Objective


@pytest.fixture
def objective():
    """Of three numbers, the last of which never varies."""
    config = NetworkConfig("small", 0.25, 32, 3, landmarks="direct", deviations=True)
    sd = np.array([1, 2, 0], np.float32)
    network = FaceNet(config, Standard(np.zeros(3), sd, np.full((68, 2), 0.5), 0.1))
    return Objective(ParameterLoss(), network)


def batch(count=400, known=True):
    """Truths of spread 3 in theta, 0.02 in landmarks; all are visible."""
    draws = torch.Generator().manual_seed(0)
    theta = 3 * torch.randn(count, 3, generator=draws)
    landmarks = 0.02 * torch.randn(count, 68, 2, generator=draws)
    images = torch.zeros(count, 32, 32, 3, dtype=torch.uint8)
    return Batch(images, theta, torch.full((count, 3), known), landmarks, torch.ones(count, 68))


def test_the_likeliest_deviation_is_that_of_what_is_missed(objective):
    truth = batch()
    missed = truth.theta[:, :2].square().mean().sqrt(), truth.landmarks.square().mean().sqrt()
    sd, places = (value.reshape(1).clone().requires_grad_() for value in missed)
    zeros, half = torch.zeros(400, 68, 2), torch.full((400, 68), 0.5)

    def slopes(by):
        wide, far = (by * sd).expand(400, 3), (by * places).expand(400, 68)
        value = objective(Estimate(torch.zeros(400, 3), wide, zeros, far, half), truth)
        return torch.stack(torch.autograd.grad(value, [sd, places])).flatten() * torch.stack(missed)

    assert slopes(1).abs().max() < 0.01
    assert (slopes(0.9) < -0.1).all()
    assert (slopes(1.1) > 0.1).all()


def test_deviations_change_no_estimate_and_estimates_no_deviation(objective):
    theta, sd = torch.zeros(400, 3, requires_grad=True), torch.ones(400, 3, requires_grad=True)
    truth = batch()
    objective(Estimate(theta, sd), truth).backward()
    plain = torch.zeros(400, 3, requires_grad=True)
    objective(Estimate(plain), truth).backward()
    torch.testing.assert_close(theta.grad, plain.grad)
    assert sd.grad[:, :2].abs().min() > 0
    assert (sd.grad[:, 2] == 0).all()


def test_what_is_not_known_teaches_nothing(objective):
    theta, sd = torch.zeros(400, 3, requires_grad=True), torch.ones(400, 3, requires_grad=True)
    objective(Estimate(theta, sd), batch(known=False)).backward()
    assert (theta.grad == 0).all()
    assert (sd.grad == 0).all()
