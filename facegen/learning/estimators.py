"""A network as a function of images in memory, run by PyTorch."""

import torch

from facegen.learning.checkpoint import Checkpoint
from facegen.learning.found import Estimator, Found, Images, Trained, averaging
from facegen.learning.networks import FaceNet


def trained(checkpoint: Checkpoint, device: torch.device) -> Trained:
    """The network of a checkpoint, ready to estimate."""
    return Trained(estimator_of(checkpoint.network, device), checkpoint.facts, checkpoint.source)


def estimator_of(network: FaceNet, device: torch.device) -> Estimator:
    """The network as a function; landmarks are averaged with those of mirror images."""
    network = network.to(device).eval()

    def run(images: Images) -> Found:
        with torch.inference_mode():
            theta, *others = network(torch.from_numpy(images).to(device))
            rest = (None if part is None else part.cpu().numpy() for part in others)
            return Found(theta.cpu().numpy(), *rest)

    return averaging(run)
