"""Which triangle of what a person wears is seen at which pixel, into the keys of the face's.

These triangles are larger than the face's, lie in many layers, and those of hair have holes. The
nearer half is drawn first; what lies behind all that tiles of pixels show by then is left out.
"""

import numpy as np
from jaxtyping import Float32, UInt8, UInt32, UInt64

from facegen.files import Array
from facegen.models.attire import CLEAR, STRANDS
from facegen.rendering.cpu.lanes import gather
from facegen.rendering.cpu.memory import (
    BLOCK,
    I32,
    ONE,
    TILE,
    U32,
    U64,
    ZERO,
    F,
    Work,
    kernel,
)
from facegen.rendering.cpu.raster import REACH
from facegen.rendering.cpu.spans import HAIR, O0, O1, O2, S0, S1, S2, draw_block, ends, set_up

STRANDS_U8, CLEAR_U8 = np.uint8(STRANDS), np.uint8(CLEAR)
ALL, ROUNDED_UP = U64(0xFFFFFFFFFFFFFFFF), F(1.00001)


@kernel
def draw_worn(
    triangles: UInt32[Array, "T 3"],
    material: UInt8[Array, "T"],
    strand: Float32[Array, "P 3"],
    screen: Float32[Array, "3*P"],
    work: Work,
    first: int,
) -> None:
    """Draw triangles from the snapped screen into the keys, numbered from first."""
    middle = screen[2::3].mean()
    for half in range(2):
        find_farthest(work.keys, work.farthest)
        nearest, farthest = (middle, REACH) if half == 0 else (ZERO, middle)
        chosen = list_visible(triangles, material, screen, (nearest, farthest), False, work)
        listed = work.worn_list[:chosen]
        draw_listed(listed, triangles, material, strand, screen, work.keys, work, first)


@kernel
def list_visible(
    triangles: UInt32[Array, "T 3"],
    material: UInt8[Array, "T"],
    screen: Float32[Array, "3*P"],
    between: tuple[float, float],
    clear: bool,
    work: Work,
) -> int:
    """List clear lenses or all else whose nearest 1 / distance is in a range; how many there are.

    Triangles that are not on the screen, or behind all that it shows there, are left out.
    """
    listed, farthest, last, count = work.worn_list, work.farthest, F(len(work.keys) - 1), 0
    for t in range(len(triangles)):
        a, b, c = triangles[t, 0], triangles[t, 1], triangles[t, 2]
        near = max(screen[a + 2], screen[b + 2], screen[c + 2])
        if near < between[0] or near >= between[1] or (material[t] == CLEAR_U8) != clear:
            continue
        left, right = ends(screen[a], screen[b], screen[c], last)
        top, bottom = ends(screen[a + 1], screen[b + 1], screen[c + 1], last)
        if left > right or top > bottom or max(screen[a], screen[b], screen[c]) >= REACH:
            continue
        key = U64(F(near * ROUNDED_UP).view(np.uint32)) << U64(32)
        if not hidden(key, I32(left), I32(right), I32(top), I32(bottom), farthest):
            listed[count] = t
            count += 1
    return count


@kernel
def find_farthest(keys: UInt64[Array, "S S"], farthest: UInt64[Array, "tiles+1 S"]) -> None:
    """The least key of each tile of pixels; the last row of `farthest` is for work."""
    size, line = len(keys), farthest[len(farthest) - 1]
    for top in range(0, size, 1 << TILE):
        line[:] = ALL
        for row in range(top, min(top + (1 << TILE), size)):
            pixels = keys[row]
            for column in range(size):
                line[column] = min(line[column], pixels[column])
        tiles = farthest[top >> TILE]
        tiles[:] = ALL
        for column in range(size):
            tiles[column >> TILE] = min(tiles[column >> TILE], line[column])


@kernel
def hidden(
    nearest: int,
    left: int,
    right: int,
    top: int,
    bottom: int,
    farthest: UInt64[Array, "tiles+1 S"],
) -> bool:
    """Whether a key up to `nearest` is nowhere the greatest in a box of pixels."""
    for row in range(top >> TILE, (bottom >> TILE) + 1):
        for column in range(left >> TILE, (right >> TILE) + 1):
            if farthest[row, column] <= nearest:
                return False
    return True


@kernel
def draw_listed(
    listed: UInt32[Array, "n"],
    triangles: UInt32[Array, "T 3"],
    material: UInt8[Array, "T"],
    strand: Float32[Array, "P 3"],
    screen: Float32[Array, "3*P"],
    keys: UInt64[Array, "S S"],
    work: Work,
    first: int,
) -> None:
    """Draw the listed triangles into the keys."""
    lanes, numbers, size = work.lanes, work.pixel, len(keys)
    for start in range(0, len(listed), BLOCK):
        chosen = listed[start : start + BLOCK]
        gather(triangles.reshape(-1), screen, chosen, lanes)
        gather_strands(triangles, material, strand, chosen, lanes)
        set_up(lanes, work.spans, len(chosen), size)
        for j in range(len(chosen)):
            numbers[j] = U32(first) + chosen[j]
        draw_block(lanes, numbers[: len(chosen)], work.spans, keys)


@kernel
def gather_strands(
    triangles: UInt32[Array, "T 3"],
    material: UInt8[Array, "T"],
    strand: Float32[Array, "P 3"],
    chosen: UInt32[Array, "n"],
    lanes: Float32[Array, "rows*block"],
) -> None:
    """s and opacity at the corners of triangles, and whether they are hair."""
    for j in range(len(chosen)):
        t = chosen[j]
        a, b, c = triangles[t, 0] // 3, triangles[t, 1] // 3, triangles[t, 2] // 3
        lanes[S0 + j], lanes[S1 + j], lanes[S2 + j] = strand[a, 0], strand[b, 0], strand[c, 0]
        lanes[O0 + j], lanes[O1 + j], lanes[O2 + j] = strand[a, 2], strand[b, 2], strand[c, 2]
        lanes[HAIR + j] = ONE if material[t] == STRANDS_U8 else ZERO
