"""A trained network by its file, whichever kind it is of, or the one that comes along."""

from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from facegen.errors import FacegenError
from facegen.folders import package_data
from facegen.learning.found import Trained
from facegen.learning.onnx_network import open_onnx

if TYPE_CHECKING:
    from facegen.learning.checkpoint import Checkpoint

SHIPPED = "shipped"


def need(extra: str, *packages: str) -> None:
    """Say how to install what is missing."""
    missing = [package for package in packages if find_spec(package) is None]
    if missing:
        message = f"{' and '.join(missing)} must be installed for this"
        raise FacegenError(message, f"pip install 'facegen[{extra}]'")


def named(network: str) -> Path:
    """The file of a network: one's own, or that of the one that is shipped."""
    return shipped() if network == SHIPPED else Path(network)


def shipped() -> Path:
    """The file of the network that comes along."""
    return package_data("morphable_models") / "assets" / "estimator.onnx"


def open_checkpoint(path: Path) -> "Checkpoint":
    """The network of a checkpoint or an ONNX file for PyTorch, to train it further."""
    from facegen.learning import checkpoint

    if path.suffix != ".onnx":
        return checkpoint.load(path)
    need("train", "onnx")
    from facegen.learning.export import load_onnx

    return load_onnx(path)


def open_network(path: Path, device: str) -> Trained:
    """The network of an ONNX file, or of a checkpoint on PyTorch's device."""
    if path.suffix == ".onnx":
        need("estimate", "onnxruntime")
        return open_onnx(path)
    need("train", "torch")
    from facegen.learning import checkpoint
    from facegen.learning.devices import device_of
    from facegen.learning.estimators import trained

    return trained(checkpoint.load(path), device_of(device))
