"""estimates.h5: theta estimated from photographs, in the schema's own names.

/theta (N, m) float32 is all a file needs; /key (N) UTF-8, /confidence (N), the root attributes
layout, model, model_sha256 and source, and what `Estimates` lists beside them, say more.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from jaxtyping import Float32, Float64

from facegen.errors import FacegenError, located
from facegen.files import Array, written_whole
from facegen.models import hdf5
from facegen.models.morphable_model import LANDMARKS
from facegen.scene.parameters import Layout

SIGNATURE = hdf5.SIGNATURE
MAX_KEY_BYTES = 4096
# What is said of each row by name: its shape (none: theta's), and the type of its numbers.
PLACES: dict[str, tuple[tuple[int, ...], type]] = {
    "sd": ((), np.float32),
    "box": ((4,), np.float32),
    "landmarks": ((LANDMARKS, 2), np.float32),
    "K": ((3, 3), np.float64),
    "model_to_camera": ((4, 4), np.float64),
}
_HINT = "write /theta (N, m) float32 with h5py"


class EstimatesError(FacegenError):
    """A file is not the estimates it should be."""


@dataclass(frozen=True)
class Origin:
    """Where estimates come from: the layout and model they speak of, and who made them.

    layout: [[group, width], ...] or None where the file does not say; the texts may be empty.
    """

    layout: tuple[tuple[str, int], ...] | None = None
    model: str = ""
    model_sha256: str = ""
    source: str = ""


@dataclass(frozen=True, eq=False)
class Estimates:
    """N estimated faces, and what is known of them; each row of a photograph's face.

    confidence: 0 to 1; sd: theta's standard deviations; box: left, top, right, bottom about the
    face, and landmarks: landmarks2d, in the photograph's pixels; K and model_to_camera: its camera,
    and the head before it.
    """

    theta: Float32[Array, "N m"]
    keys: tuple[str, ...] | None = None
    confidence: Float64[Array, "N"] | None = None
    origin: Origin = Origin()
    sd: Float32[Array, "N m"] | None = None
    box: Float32[Array, "N 4"] | None = None
    landmarks: Float32[Array, "N 68 2"] | None = None
    K: Float64[Array, "N 3 3"] | None = None
    model_to_camera: Float64[Array, "N 4 4"] | None = None

    def __len__(self) -> int:
        return len(self.theta)


def write(path: Path, estimates: Estimates) -> None:
    """Write all that is known, whole or not at all."""
    with located(path):
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with written_whole(path) as temporary, h5py.File(temporary, "w") as file:
                _fill(file, estimates)
        except OSError as error:
            raise EstimatesError(error.strerror or str(error), "write it elsewhere") from None


def read(path: Path) -> Estimates:
    """Read and check a file that anybody may have written; EstimatesError says what is wrong."""
    # Values that overflow are refused where they are checked.
    with (
        located(path),
        np.errstate(all="ignore"),
        hdf5.opened(path, EstimatesError, _HINT) as file,
    ):
        return _read(file)


def check_layout(estimates: Estimates, layout: Layout, model_sha256: str) -> list[str]:
    """Refuse estimates of another layout or model; say what they leave to be assumed."""
    origin, width = estimates.origin, estimates.theta.shape[1]
    expected = tuple(layout.to_json())
    if origin.layout is not None and origin.layout != expected:
        raise EstimatesError(f"layout is {_text(origin.layout)}, but the model's {_text(expected)}")
    if width != layout.width:
        raise EstimatesError(
            f"/theta has {width} columns, but the layout {layout.width}: {_text(expected)}"
        )
    if origin.model_sha256 not in ("", model_sha256):
        raise EstimatesError(
            "estimated with another model file of that name",
            "give --model the file it was made with",
        )
    notes = [] if origin.layout else [f"the file states no layout: taken as {_text(expected)}"]
    unknown_model = "the file states no model: taken from the recipe"
    return notes if origin.model_sha256 else [*notes, unknown_model]


def _fill(file: h5py.File, estimates: Estimates) -> None:
    file["theta"] = np.asarray(estimates.theta, np.float32)
    if estimates.keys is not None:
        file.create_dataset("key", data=list(estimates.keys), dtype=h5py.string_dtype("utf-8"))
    if estimates.confidence is not None:
        file["confidence"] = np.asarray(estimates.confidence, np.float64)
    for name in PLACES:
        if getattr(estimates, name) is not None:
            file[name] = getattr(estimates, name)
    origin = estimates.origin
    if origin.layout is not None:
        file.attrs["layout"] = json.dumps([list(pair) for pair in origin.layout])
    for name in ("model", "model_sha256", "source"):
        if getattr(origin, name):
            file.attrs[name] = getattr(origin, name)


def _read(file: h5py.File) -> Estimates:
    if not hdf5.names(file, "theta"):
        raise EstimatesError("/theta is missing", _HINT)
    theta = hdf5.numbers(file, "theta")
    if theta.ndim != 2 or 0 in theta.shape:
        raise EstimatesError(f"/theta is {theta.shape}, not (N, m) with estimates in it", _HINT)
    theta = theta.astype(np.float32)
    _check_finite("/theta", theta)
    places = {name: _places(file, name, len(theta), theta.shape[1]) for name in PLACES}
    keys, confidence = _keys(file, len(theta)), _confidence(file, len(theta))
    return Estimates(theta, keys, confidence, _origin(file), **places)


def _check_finite(name: str, values: Array) -> None:
    infinite = np.argwhere(~np.isfinite(values))
    if len(infinite):
        where = ", column ".join(str(i) for i in infinite[0])
        raise EstimatesError(
            f"{name} holds {len(infinite):,} values that are NaN or infinite, "
            f"the first in row {where}",
            "leave such estimates out",
        )


def _keys(file: h5py.File, count: int) -> tuple[str, ...] | None:
    if not hdf5.names(file, "key"):
        return None
    keys = hdf5.texts(file, "key", MAX_KEY_BYTES)
    if len(keys) != count:
        raise EstimatesError(f"/key has {len(keys)} rows, but /theta {count}", _HINT)
    return tuple(keys)


def _places(file: h5py.File, name: str, count: int, width: int) -> Any:
    """One of PLACES, if it is there."""
    if not hdf5.names(file, name):
        return None
    values = hdf5.numbers(file, name)
    shape = (count, *(PLACES[name][0] or (width,)))
    if values.shape != shape:
        raise EstimatesError(f"/{name} is {values.shape}, not {shape}", _HINT)
    values = values.astype(PLACES[name][1])
    _check_finite(f"/{name}", values)
    return values


def _confidence(file: h5py.File, count: int) -> Float64[Array, "N"] | None:
    if not hdf5.names(file, "confidence"):
        return None
    values = hdf5.numbers(file, "confidence")
    if values.shape != (count,):
        raise EstimatesError(f"/confidence is {values.shape}, but /theta has {count} rows", _HINT)
    values = values.astype(np.float64)
    _check_finite("/confidence", values)
    if values.min() < 0 or values.sum() <= 0:
        row = int(values.argmin())
        raise EstimatesError(f"/confidence is below zero in row {row}, or zero everywhere", _HINT)
    return values


def _origin(file: h5py.File) -> Origin:
    texts = {name: _attribute(file, name) for name in ("layout", "model", "model_sha256", "source")}
    layout = texts.pop("layout")
    return Origin(_layout(layout) if layout else None, **texts)


def _attribute(file: h5py.File, name: str) -> str:
    value = hdf5.attribute(file, name)
    if isinstance(value, float):
        raise EstimatesError(f"the attribute {name} is a number, not a text", _HINT)
    return value or ""


def _layout(text: str) -> tuple[tuple[str, int], ...]:
    try:
        return tuple((str(name), int(width)) for name, width in json.loads(text))
    except (ValueError, TypeError, RecursionError):
        raise EstimatesError(
            "the attribute layout is not a JSON list of [group, width]", _HINT
        ) from None


def _text(layout: tuple[tuple[str, int], ...]) -> str:
    return ", ".join(f"{name} {width}" for name, width in layout)
