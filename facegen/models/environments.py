"""Natural environments: their light as nine harmonics, and pictures of them.

morphable_models/assets/environments.h5 holds them; `morphable_models/build_environments.py` makes
it.
"""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from jaxtyping import Float32, Float64, UInt8

from facegen.errors import ModelError, located
from facegen.files import Array, sha256_of
from facegen.folders import package_data
from facegen.models import hdf5

FILE = "environments.h5"
BRIGHTEST = 32.0
MAX_NAME = 200


@dataclass(frozen=True, eq=False)
class Environments:
    """E environments of mean radiance 1.

    illumination (E, 9, 3): as in theta, of directions in camera space; panoramas: radiance by
    latitude and longitude, coded in bytes, the middle column being what the camera looks at.
    """

    names: tuple[str, ...]
    illumination: Float64[Array, "E 9 3"]
    panoramas: UInt8[Array, "E H W 3"]
    sha256: str

    def __len__(self) -> int:
        return len(self.names)

    @cached_property
    def radiance(self) -> Float32[Array, "E H W 3"]:
        """The panoramas as linear light."""
        codes = np.arange(256) / 255
        table = BRIGHTEST * (2.0 ** (8 * codes) - 1) / 255
        return np.asarray(table.astype(np.float32)[self.panoramas])


def environments_path() -> Path:
    """The file of the package."""
    return package_data("morphable_models") / "assets" / FILE


def read_environments(path: Path) -> Environments:
    """Read those that may be drawn, not those held out for measuring; ModelError where damaged."""
    with located(path), hdf5.opened(path, ModelError) as file:
        drawn = ~hdf5.numbers(file, "held_out").astype(bool)
        names = hdf5.texts(file, "names", MAX_NAME)
        return Environments(
            tuple(name for name, kept in zip(names, drawn, strict=True) if kept),
            hdf5.numbers(file, "illumination").astype(np.float64)[drawn],
            hdf5.numbers(file, "panoramas").astype(np.uint8)[drawn],
            sha256_of(path),
        )
