"""Networks written as ONNX files, and taken from them into PyTorch again."""

import logging
import warnings
from copy import deepcopy
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import onnx
import torch
from onnx import TensorProto, helper, numpy_helper
from torch import nn

from facegen.errors import FacegenError, located
from facegen.files import read_bytes, write_file
from facegen.learning.checkpoint import Checkpoint, built
from facegen.learning.facts import NetworkError, read_facts
from facegen.learning.found import Found
from facegen.learning.heads import Estimate
from facegen.learning.networks import FaceNet
from facegen.learning.onnx_network import FACTS, HINT, INPUT, MAX_BYTES, session_of

CHECKED = 4
TOLERANCE = 1e-4
HALF = "_float16"
HALVED = 4096  # Tensors of so many numbers are; others weigh nothing.


def export(checkpoint: Checkpoint, path: Path, half: bool) -> float:
    """Write a network as ONNX -> the most by which any output differs from PyTorch's.

    half: all but small tensors are kept as float16. FacegenError where outputs differ by more
    than TOLERANCE of their spreads.
    """
    network = rounded(checkpoint.network) if half else checkpoint.network
    model = model_of(network)
    entry = model.metadata_props.add()
    entry.key, entry.value = FACTS, msgspec.json.encode(checkpoint.facts).decode()
    if half:
        halve(model)
    data = model.SerializeToString()
    difference = difference_of(data, network)
    if not difference <= TOLERANCE:
        raise FacegenError(f"the file's answers differ from PyTorch's by {difference:.2g}")
    write_file(path, data)
    return difference


class Within(nn.Module):
    """A network within another, which gives its weights' names a beginning that no value has."""

    def __init__(self, network: FaceNet) -> None:
        super().__init__()
        self.network = network

    def forward(self, images: torch.Tensor) -> Estimate:
        return Estimate(*self.network(images))


def model_of(network: FaceNet) -> Any:
    """The network as an ONNX model for any number of images; its weights keep their names."""
    size = network.config.size
    images = torch.zeros(2, size, size, 3, dtype=torch.uint8)
    present = [part is not None for part in network.eval()(images)]
    names = [name for name, there in zip(Found._fields, present, strict=True) if there]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        logging.disable(logging.WARNING)
        try:
            program = torch.onnx.export(
                Within(network.cpu()),
                (images,),
                dynamo=True,
                dynamic_shapes=({0: torch.export.Dim("N")},),
                input_names=[INPUT],
                output_names=names,
                optimize=False,  # Else norms melt into convolutions: no network to train on.
                verbose=False,
            )
        finally:
            logging.disable(logging.NOTSET)
    assert program is not None
    return program.model_proto


def rounded(network: FaceNet) -> FaceNet:
    """The network with the weights that a file of float16 keeps."""
    network = deepcopy(network)
    with torch.no_grad():
        for parameter in network.parameters():
            if parameter.numel() >= HALVED:
                parameter.copy_(parameter.half().float())
    return network


def halve(model: Any) -> None:
    """Keep all but small tensors as float16, each made float32 again by a node."""
    casts = []
    for tensor in model.graph.initializer:
        if tensor.data_type == TensorProto.FLOAT and np.prod(tensor.dims) >= HALVED:
            name, values = tensor.name, numpy_helper.to_array(tensor).astype(np.float16)
            tensor.CopyFrom(numpy_helper.from_array(values, name + HALF))
            casts.append(helper.make_node("Cast", [name + HALF], [name], to=TensorProto.FLOAT))
    nodes = [*casts, *model.graph.node]
    del model.graph.node[:]
    model.graph.node.extend(nodes)


def difference_of(data: bytes, network: FaceNet) -> float:
    """By how much the outputs of a model and a network differ, in shares of their spreads."""
    size = network.config.size
    images = np.random.default_rng(0).integers(0, 256, (CHECKED, size, size, 3), np.uint8)
    session = session_of(data, 1)
    names = [output.name for output in session.get_outputs()]
    values = dict(zip(names, session.run(names, {INPUT: images}), strict=True))
    with torch.inference_mode():
        estimate = Estimate(*network.eval()(torch.from_numpy(images)))
    differences = []
    for name, part in zip(Found._fields, estimate, strict=True):
        if part is not None:
            scale = np.maximum(1, np.abs(part.numpy()))
            differences.append(np.abs((values[name] - part.numpy()) / scale).max())
    return float(max(differences))


def load_onnx(path: Path) -> Checkpoint:
    """The network of an ONNX file for PyTorch: NetworkError where it is not one of facegen's."""
    with located(path):
        try:
            model = onnx.load_from_string(read_bytes(path, MAX_BYTES))
        except FacegenError:
            raise
        except Exception as error:
            raise NetworkError("not an ONNX network", HINT) from error
        facts = read_facts({p.key: p.value for p in model.metadata_props}.get(FACTS, ""), HINT)
        network = built(facts, _weights(model))
        network.eval()
        return Checkpoint(network, facts, {}, path)


def _weights(model: Any) -> dict[str, torch.Tensor]:
    """The weights of a model that `export` wrote, by their names in PyTorch."""
    tensors = {
        tensor.name.removeprefix("network.").removesuffix(HALF): tensor
        for tensor in model.graph.initializer
    }
    constants = {"pixel_mean", "pixel_sd"}
    return {
        name: torch.tensor(numpy_helper.to_array(tensor).astype(np.float32))
        for name, tensor in tensors.items()
        if name not in constants and tensor.data_location != TensorProto.EXTERNAL
    }
