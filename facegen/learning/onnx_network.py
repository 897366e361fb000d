"""A network in an ONNX file, run by onnxruntime alone."""

from pathlib import Path
from typing import Any

import numpy as np

from facegen.dataset.resolving import cores
from facegen.errors import located
from facegen.files import read_bytes, sha256_of
from facegen.learning.facts import Facts, NetworkError, read_facts
from facegen.learning.found import Estimator, Found, Images, Trained, averaging

INPUT = "images"
FACTS = "facegen"
MAX_BYTES = 2**31
HINT = "give a file that `facegen export-onnx` wrote"


def open_onnx(path: Path) -> Trained:
    """A network in a file that anybody may have made, ready to estimate on the CPU."""
    with located(path):
        session = session_of(read_bytes(path, MAX_BYTES), cores())
        facts = read_facts(session.get_modelmeta().custom_metadata_map.get(FACTS, ""), HINT)
        _check(session, facts)
        return Trained(estimator_of(session), facts, f"{path.name} sha256 {sha256_of(path)}")


def session_of(data: bytes, threads: int) -> Any:
    """A model in memory, ready to run; nothing beside it is read."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.log_severity_level = 4
    try:
        return onnxruntime.InferenceSession(data, options, ["CPUExecutionProvider"])
    except Exception as error:  # Its errors have no class in common but this.
        raise NetworkError(f"not an ONNX network: {_first_line(error)}", HINT) from None


def estimator_of(session: Any) -> Estimator:
    """The network as a function; landmarks are averaged with those of mirror images."""
    fields = [output.name for output in session.get_outputs()]

    def run(images: Images) -> Found:
        return Found(**dict(zip(fields, session.run(fields, {INPUT: images}), strict=True)))

    return averaging(run)


def _check(session: Any, facts: Facts) -> None:
    """Refuse a network that does not answer as its facts say."""
    images = np.zeros((2, facts.network.size, facts.network.size, 3), np.uint8)
    try:
        found = estimator_of(session)(images)
        shape = found.theta.shape
    except Exception as error:
        raise NetworkError(f"cannot be run: {_first_line(error)}", HINT) from None
    if shape != (2, facts.network.outputs):
        raise NetworkError(f"answers {shape}, not (2, {facts.network.outputs})", HINT)


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [repr(error)])[0][:200]
