"""Writes environments.h5, the same bytes every time."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import h5py
import numpy as np

BRIGHTEST = 32.0
MEANINGS = {
    "names": "of the environments, in alphabetical order",
    "held_out": "kept for measuring: never drawn in training data",
    "sources": "the package and the file that the environment is made from",
    "panoramas": "equirectangular radiance x, linear sRGB, mean luminance of the sphere 1 before "
    "clipping: x = 32 (2^(8 v / 255) - 1) / 255. Row 0 is up (+y), the middle of the width is -z "
    "(behind the face), right of it +x, the edges are +z (behind the camera)",
    "illumination": "t (9, 3): H(n) . t is irradiance / pi at the normal n in camera space",
    "suns": "the two strongest compact sources: direction to it (3), irradiance / pi (3) that it "
    "alone gives a surface facing it; 0 where none. It is part of the illumination",
}


@dataclass(frozen=True)
class Environment:
    """One row of the file; panorama (128, 256, 3) is radiance, not yet encoded."""

    name: str
    source: str
    held_out: bool
    panorama: np.ndarray
    illumination: np.ndarray
    suns: np.ndarray


def encoded(radiance: np.ndarray) -> np.ndarray:
    """Return bytes v for radiance x: round(255 log2(1 + 255 min(x / 32, 1)) / 8)."""
    share = (radiance / BRIGHTEST).clip(0, 1)
    return np.round(255 * np.log2(1 + 255 * share) / 8).astype(np.uint8)


def decoded(values: np.ndarray) -> np.ndarray:
    """Return the radiance of bytes."""
    return BRIGHTEST * (2 ** (8 * values.astype(np.float64) / 255) - 1) / 255


def write(path: Path, rows: list[Environment], texts: Mapping[str, str]) -> None:
    """Write the environments beside `path` and move them there in one step."""
    draft = path.with_suffix(".tmp")
    columns = {
        "names": np.array([row.name for row in rows], "S"),
        "held_out": np.array([row.held_out for row in rows]),
        "sources": np.array([row.source for row in rows], "S"),
        "panoramas": np.array([encoded(row.panorama) for row in rows]),
        "illumination": np.array([row.illumination for row in rows], np.float32),
        "suns": np.array([row.suns for row in rows], np.float32),
    }
    with h5py.File(draft, "w", libver="earliest", track_order=False) as file:
        for name, data in columns.items():
            _put(file, name, data)
        file.attrs.update(texts)
    os.replace(draft, path)


def _put(file: h5py.File, name: str, data: np.ndarray) -> None:
    """Create one dataset without time stamps, packed environment by environment."""
    packed = {"compression": 9, "chunks": (1, *data.shape[1:])} if data.ndim > 1 else {}
    file.create_dataset(name, data=data, track_times=False, **packed)
    file[name].attrs["meaning"] = MEANINGS[name]
