"""What a sample's label should say, held against what one says."""

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
from jaxtyping import Float32

from facegen.dataset.encoding import CODECS, LABEL, THETA, decode_array
from facegen.dataset.labels import STATED, Label, decode_label, label_of
from facegen.dataset.shards import Encoded, sample_key
from facegen.errors import DatasetError
from facegen.files import Array
from facegen.imaging.faces import MARKS
from facegen.inspection.checks.faults import FaultList
from facegen.sampling.samples import Samples

# (atol, rtol): what another BLAS, or another size of batch, may do to a camera.
TOLERANCES = {"K": (1e-2, 1e-4), "model_to_camera": (1e-5, 1e-6)}


def read_theta(
    group: Sequence[Encoded], width: int, faults: FaultList
) -> Float32[Array, "N m"] | None:
    """theta as stored, if every sample has one."""
    theta = np.zeros((len(group), width), np.float32)
    before = len(faults)
    for row, (key, members) in enumerate(group):
        try:
            theta[row] = decode_array(members[THETA], (width,))
        except DatasetError as error:
            faults.add("theta", f"sample {key}: {THETA} {error.message}")
    return theta if len(faults) == before else None


def check_theta(theta: Float32[Array, "N m"], expected: Samples, faults: FaultList) -> None:
    """theta is bit by bit what (recipe, seed, index) gives."""
    for row in np.flatnonzero((theta != expected.theta).any(axis=1)).tolist():
        difference = np.abs(theta[row] - expected.theta[row])
        faults.add(
            "theta",
            f"sample {sample_key(int(expected.indices[row]))}: theta is not what recipe, seed and "
            f"index give: {np.count_nonzero(difference)} of {len(difference)} dimensions differ, "
            f"by up to {difference.max():.3g}",
        )


def check_label(
    row: int, sample: Encoded, expected: Samples, check_parent: bool, faults: FaultList
) -> Label | None:
    """The sample's label, and what goes with it, held against what is expected in this row."""
    key, members = sample
    before = len(faults)
    label = None
    try:
        label = decode_label(members[LABEL])
        for message in label_faults(row, label, expected, check_parent):
            faults.add("labels", f"sample {key}: {message}")
        _check_members(row, members, expected)
    except DatasetError as error:
        faults.add("labels", f"sample {key}: {error.message}")
    return label if len(faults) == before else None


def label_faults(row: int, label: Label, expected: Samples, check_parent: bool) -> Iterator[str]:
    """What is wrong with a label."""
    if label.index != expected.indices[row]:
        yield f"index {label.index} is another sample's"
    if label.identity != expected.identities[row]:
        yield f"identity {label.identity} should be {expected.identities[row]}"
    if check_parent and label.parent != expected.parents[row]:
        yield f"parent {label.parent} should be {expected.parents[row]}"
    yield from stated_faults(label, label_of(expected, row))
    for name, (atol, rtol) in TOLERANCES.items():
        stored = getattr(label, name).astype(np.float64)
        drawn = getattr(expected.cameras, name)[row]
        if not np.allclose(stored, drawn, rtol, atol):
            largest = np.abs(stored - drawn).max()
            yield f"{name} is not that of its camera and crop (off by {largest:.3g})"


def stated_faults(label: Label, drawn: Label) -> Iterator[str]:
    """What is wrong with what a label says of attributes, grid and named expressions."""
    for name in STATED:
        stored, expected = getattr(label, name), getattr(drawn, name)
        wrong = [key for key in expected | stored if stored.get(key) != expected.get(key)]
        if wrong:
            was, should = stored.get(wrong[0]), expected.get(wrong[0])
            yield f"{name} {wrong[0]} is {was}, should be {should}"


def _check_members(row: int, members: Mapping[str, bytes], expected: Samples) -> None:
    """The landmarks are landmarks, and the class is the identity."""
    for codec in (codec for name, codec in CODECS.items() if name in MARKS):
        if codec.suffix in members:
            codec.decode(members[codec.suffix])
    cls = CODECS["cls"]
    if cls.suffix in members and cls.decode(members[cls.suffix]) != expected.identities[row]:
        raise DatasetError("cls is not its identity")
