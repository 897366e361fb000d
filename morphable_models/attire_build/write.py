"""Writes the pieces into one HDF5 file, the same bytes for the same pieces."""

import json
from pathlib import Path

import h5py
import numpy as np

from .head import Head
from .piece import Piece

FORMAT = 1
POINT_STEP, OFFSET_STEP, STRAND_STEP = 1 / 16, 1 / 16, 1 / 64


def write(path: Path, pieces: dict[str, Piece], head: Head, command: str) -> None:
    """Write the pieces, in the order of their names."""
    with h5py.File(path, "w", libver="latest", track_order=False) as file:
        file.attrs["format"] = FORMAT
        file.attrs["licence"] = "CC0-1.0"
        file.attrs["command"] = command
        landmarks = head.landmarks.astype(np.float32)
        file.create_dataset("landmarks", data=landmarks, track_times=False)
        for name in sorted(pieces):
            _write_piece(file.create_group(f"pieces/{name}"), pieces[name])


def _write_piece(group: h5py.Group, piece: Piece) -> None:
    """Write one piece into its group."""
    group.attrs["kind"] = piece.kind
    group.attrs["binding"] = piece.binding
    group.attrs["tags"] = json.dumps(piece.tags, sort_keys=True)
    group.attrs["variations"] = json.dumps(piece.names)
    part = piece.part
    _store(group, "points", _rounded(part.points, POINT_STEP))
    _store(group, "triangles", part.triangles.astype(np.uint16))
    _store(group, "offsets", _rounded(piece.offsets, OFFSET_STEP))
    for name in ("segment", "material", "slot", "shade"):
        _store(group, name, getattr(part, name))
    if part.strand.any():
        _store(group, "strand", _rounded(part.strand, STRAND_STEP))
    if piece.kind == "hair":
        _store(group, "under_hat", part.under_hat)


def _rounded(values: np.ndarray, step: float) -> np.ndarray:
    """Return values as float16, on multiples of a step so that they compress."""
    return (np.round(values / step) * step + 0.0).astype(np.float16)


def _store(group: h5py.Group, name: str, values: np.ndarray) -> None:
    """Store one compressed dataset without a time stamp."""
    chunks = tuple(max(n, 1) for n in values.shape)
    group.create_dataset(
        name,
        data=values,
        chunks=chunks,
        compression="gzip",
        compression_opts=9,
        shuffle=True,
        track_times=False,
    )
