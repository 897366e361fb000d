"""A sample's json: what it says beside theta, encoded and decoded."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from jaxtyping import Float32

from facegen.errors import DatasetError
from facegen.files import Array
from facegen.sampling.prior import Parent
from facegen.sampling.samples import Samples
from facegen.scene.cameras import Cameras

MAX_LABEL = 1 << 20
LARGEST = 2**63 - 1
LABEL_KEYS = {"index", "K", "model_to_camera", "identity"}
STATED = ("attributes", "grid", "expression", "attire", "image", "lens")
ABSENT = object()


@dataclass(frozen=True, eq=False)
class Label:
    """What a sample's json says beside theta."""

    index: int
    K: Float32[Array, "3 3"]
    model_to_camera: Float32[Array, "4 4"]
    identity: int
    parent: Parent | None
    attributes: Mapping[str, float] = field(default_factory=dict)
    grid: Mapping[str, int] = field(default_factory=dict)
    expression: Mapping[str, float] = field(default_factory=dict)
    attire: Mapping[str, str] = field(default_factory=dict)
    image: Mapping[str, Any] = field(default_factory=dict)
    lens: Mapping[str, float] = field(default_factory=dict)


def label_of(samples: Samples, row: int) -> Label:
    """The label of one of the samples."""
    group = samples.layout.named("expression")
    distortion = samples.cameras.distortion
    weights = samples.theta[row, samples.layout.slices["expression"]]
    return Label(
        int(samples.indices[row]),
        samples.cameras.K[row],
        samples.cameras.model_to_camera[row],
        int(samples.identities[row]),
        samples.parents[row],
        {name: float(values[row]) for name, values in samples.attributes.items()},
        {name: int(steps[row]) for name, steps in samples.grid.items()},
        dict(zip(group.names, weights.tolist(), strict=False)),
        samples.attire.worn(row) if samples.attire else {},
        samples.photography.record(row) if samples.photography else {},
        {} if distortion is None else {"k1": float(distortion[row])},
    )


def cameras_of(labels: Sequence[Label]) -> Cameras:
    """The cameras of labels, with their lenses where these say something of them."""
    k1 = np.array([label.lens.get("k1", 0.0) for label in labels], np.float32)
    return Cameras(
        np.stack([label.model_to_camera for label in labels]),
        np.stack([label.K for label in labels]),
        k1 if any(label.lens for label in labels) else None,
    )


def encode_label(label: Label) -> bytes:
    """A label as compact JSON; a number that is not finite is an error.

    What there is none of (`parent`, `attributes`, `grid`, `expression` by name, `attire`, `image`,
    `lens`) is absent: collate functions take no null.
    """
    values = {
        "index": label.index,
        "K": label.K.tolist(),
        "model_to_camera": label.model_to_camera.tolist(),
        "identity": label.identity,
    }
    if label.parent:
        values["parent"] = {"row": label.parent.row, "key": label.parent.key}
    values |= {name: dict(stated) for name in STATED if (stated := getattr(label, name))}
    return json.dumps(values, separators=(",", ":"), allow_nan=False).encode()


def decode_label(data: bytes) -> Label:
    """A label that anybody may have written; DatasetError says what is wrong with it."""
    if len(data) > MAX_LABEL:
        raise DatasetError(f"the json is not a label: {len(data):,} bytes")
    try:
        values = json.loads(data)
        if values.keys() - {"parent", *STATED} != LABEL_KEYS:
            raise ValueError(f"its keys are {', '.join(values)}")
        parent = values.get("parent", ABSENT)
        return Label(
            _whole(values["index"]),
            _matrix("K", values["K"], 3),
            _matrix("model_to_camera", values["model_to_camera"], 4),
            _whole(values["identity"]),
            None if parent is ABSENT else Parent(_whole(parent["row"]), str(parent["key"])),
            {name: _finite(value) for name, value in values.get("attributes", {}).items()},
            {name: _whole(value) for name, value in values.get("grid", {}).items()},
            {name: _finite(value) for name, value in values.get("expression", {}).items()},
            {name: str(piece) for name, piece in values.get("attire", {}).items()},
            {name: _setting(value) for name, value in values.get("image", {}).items()},
            {name: _finite(value) for name, value in values.get("lens", {}).items()},
        )
    except (
        ValueError,
        TypeError,
        KeyError,
        AttributeError,
        OverflowError,
        RecursionError,
    ) as error:
        raise DatasetError(f"the json is not a label: {error}") from None


def _matrix(name: str, values: Any, side: int) -> Float32[Array, "n n"]:
    matrix = np.array(values, np.float32)
    if matrix.shape != (side, side) or not np.isfinite(matrix).all():
        raise ValueError(f"{name} is not {side} x {side} finite numbers")
    return matrix


def _whole(value: Any) -> int:
    if type(value) is not int or not 0 <= value <= LARGEST:
        raise ValueError(f"{str(value)[:40]} is not a whole number from 0")
    return value


def _setting(value: Any) -> Any:
    """A number, a pair of them, or whether something is so."""
    if isinstance(value, list):
        return [_finite(one) for one in value]
    return value if isinstance(value, bool) else _number(value)


def _number(value: Any) -> Any:
    return _whole(value) if type(value) is int else _finite(value)


def _finite(value: Any) -> float:
    if type(value) not in (int, float) or not abs(value) < LARGEST:
        raise ValueError(f"{str(value)[:40]} is not a finite number")
    return float(value)
