"""The pieces of attire: hair, beards, glasses, hats, masks, clothes, hands, as meshes in a file.

They are modelled in mm around the mean face of the generic model. morphable_models/assets/attire.h5
holds them; `morphable_models/build_attire.py` makes it.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from jaxtyping import Bool, Float32, Int32, UInt8

from facegen.errors import ModelError, located
from facegen.files import Array, sha256_of
from facegen.folders import package_data
from facegen.models import hdf5

KINDS = ("hair", "beard", "glasses", "hat", "scarf", "mask", "clothes", "hand")
BINDINGS = ("surface", "affine", "body", "free")
VARIATIONS, COLOURS, SKIN_COLOUR = 3, 3, 3
MATTE, STRANDS, GLOSSY, CLEAR, DARK, SKIN = range(6)
# Labels beyond those of the morphable model.
ATTIRE_SEGMENTS = ("hair", "beard", "glasses", "hat", "clothes", "hand", "other")
FILE = "attire.h5"


@dataclass(frozen=True, eq=False)
class Piece:
    """One piece: its mesh in mm, and how it varies, is worn, drawn and chosen.

    binding: of BINDINGS; tags: who wears it, and how. offsets: what a standard deviation of each
    variation adds; segment: labels of triangles, after those of the morphable model; material: of
    triangles, MATTE to SKIN; slot: which of the drawn colours a vertex has (SKIN_COLOUR: the
    skin's); shade: its darkening; strand: of a vertex, s across the strands (1: a lock of about a
    mm), t from root to tip, and opacity; under_hat: triangles that a hat hides.
    """

    name: str
    kind: str
    binding: str
    tags: Mapping[str, Any]
    variations: tuple[str, ...]
    points: Float32[Array, "P 3"]
    offsets: Float32[Array, "{VARIATIONS} P 3"]
    triangles: Int32[Array, "T 3"]
    segment: UInt8[Array, "T"]
    material: UInt8[Array, "T"]
    slot: UInt8[Array, "P"]
    shade: Float32[Array, "P"]
    strand: Float32[Array, "P 3"]
    under_hat: Bool[Array, "T"]


@dataclass(frozen=True, eq=False)
class Library:
    """All pieces; landmarks (68, 3) of the face that they are modelled around; the file's hash."""

    pieces: tuple[Piece, ...]
    landmarks: Float32[Array, "68 3"]
    sha256: str

    @cached_property
    def numbers(self) -> dict[str, list[int]]:
        """The numbers of the pieces of each kind."""
        return {kind: [i for i, p in enumerate(self.pieces) if p.kind == kind] for kind in KINDS}


def library_path() -> Path:
    """The file of the package."""
    return package_data("morphable_models") / "assets" / FILE


def read_library(path: Path) -> Library:
    """Read the pieces; ModelError says what is wrong with the file."""
    with located(path), hdf5.opened(path, ModelError) as file:
        group = file["pieces"]
        pieces = tuple(_read_piece(name, group[name]) for name in sorted(group))
        landmarks = hdf5.numbers(file, "landmarks").astype(np.float32)
        return Library(pieces, landmarks, sha256_of(path))


def _read_piece(name: str, group: h5py.Group) -> Piece:
    arrays = {key: hdf5.numbers(group, key) for key in group}
    points = arrays["points"].astype(np.float32)
    triangles = arrays["triangles"].astype(np.int32)
    segment, material = arrays["segment"].astype(np.uint8), arrays["material"].astype(np.uint8)
    slot = arrays["slot"].astype(np.uint8)
    slot[triangles[material == SKIN]] = SKIN_COLOUR
    stated = arrays["offsets"].astype(np.float32)[:VARIATIONS]
    offsets = np.zeros((VARIATIONS, *points.shape), np.float32)
    offsets[: len(stated)] = stated
    strand = arrays.get("strand", np.ones_like(points)).astype(np.float32)
    under_hat = arrays.get("under_hat", np.zeros(len(triangles))).astype(bool)
    return Piece(
        name=name,
        kind=str(group.attrs["kind"]),
        binding=str(group.attrs["binding"]),
        tags=json.loads(group.attrs["tags"]),
        variations=tuple(json.loads(group.attrs["variations"]))[:VARIATIONS],
        points=points,
        offsets=offsets,
        triangles=triangles,
        segment=segment,
        material=material,
        slot=slot,
        shade=arrays["shade"].astype(np.float32) / np.float32(255),
        strand=strand,
        under_hat=under_hat,
    )
