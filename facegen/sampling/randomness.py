"""Random bits by position: a sample's numbers depend on seed, stream and index, and nothing else.

Sample i owns a fixed block of raw Philox bits (Salmon et al., Parallel Random Numbers: As Easy as
1, 2, 3, 2011): the counter is the sample, the key is the seed and the stream.
"""

from collections.abc import Iterator
from enum import IntEnum
from itertools import pairwise

import numpy as np
from jaxtyping import Float64, Int64

from facegen.files import Array

WORDS_PER_COUNT = 4
SEEDS = range(2**63)


class Stream(IntEnum):
    """What is drawn; each has bits of its own, so that adding one never shifts another."""

    THETA = 0
    CAMERA = 1
    BACKGROUND = 2
    PARENT = 3
    IDENTITY = 4
    BACKGROUND_IMAGE = 5
    ATTRIBUTES = 6
    SYMMETRY = 7
    HAIR = 8
    BEARD = 9
    GLASSES = 10
    HAT = 11
    MASK = 12
    CLOTHES = 13
    HAND = 14
    PERSONA = 15
    PHOTOGRAPH = 16
    SCENERY = 17
    LENS = 18
    LIGHT = 19
    FACE_UNITS = 20


def uniforms(
    seed: int, stream: Stream, indices: Int64[Array, "N"], width: int
) -> Float64[Array, "N {width}"]:
    """Uniforms in (0, 1), `width` for each sample: a pure function of (seed, stream, index)."""
    blocks = -(-width // WORDS_PER_COUNT)
    bits = np.empty((len(indices), blocks * WORDS_PER_COUNT), np.uint64)
    for start, stop in _runs(indices):
        generator = np.random.Philox(
            key=np.array([seed, stream], np.uint64), counter=int(indices[start]) * blocks
        )
        bits[start:stop] = generator.random_raw((stop - start) * bits.shape[1]).reshape(
            stop - start, -1
        )
    whole = (bits[:, :width] >> np.uint64(11)).astype(np.float64)
    # The last step would round up to one, where a normal is infinite.
    return np.minimum((whole + 0.5) * 2.0**-53, 1 - 2.0**-53)


def _runs(indices: Int64[Array, "N"]) -> Iterator[tuple[int, int]]:
    """Stretches of consecutive indices as (start, stop) positions."""
    breaks = (np.flatnonzero(np.diff(indices) != 1) + 1).tolist()
    return ((a, b) for a, b in pairwise([0, *breaks, len(indices)]) if b > a)
