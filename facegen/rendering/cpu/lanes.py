"""Lanes: what a block of triangles needs, gathered into rows, so that arithmetic runs over rows.

Row offsets are known to the compiler, which lets it prove that rows do not overlap; without that it
makes no vector instructions.
"""

from jaxtyping import Float32, UInt32

from facegen.files import Array
from facegen.rendering.cpu.memory import BLOCK, kernel

X0, X1, X2, Y0, Y1, Y2, W0, W1, W2, UNUSED = range(0, 10 * BLOCK, BLOCK)


@kernel
def gather(
    triangles: UInt32[Array, "3*F"],
    screen: Float32[Array, "3*V"],
    chosen: UInt32[Array, "n"],
    lanes: Float32[Array, "rows*block"],
) -> None:
    """The corners of up to BLOCK chosen triangles (n,) of (3 F,), from the screen (3 V,)."""
    for j in range(len(chosen)):
        t = 3 * chosen[j]
        a, b, c = triangles[t], triangles[t + 1], triangles[t + 2]
        lanes[X0 + j], lanes[Y0 + j], lanes[W0 + j] = screen[a], screen[a + 1], screen[a + 2]
        lanes[X1 + j], lanes[Y1 + j], lanes[W1 + j] = screen[b], screen[b + 1], screen[b + 2]
        lanes[X2 + j], lanes[Y2 + j], lanes[W2 + j] = screen[c], screen[c + 1], screen[c + 2]


@kernel
def gather_xy(
    triangles: UInt32[Array, "3*F"],
    screen: Float32[Array, "3*V"],
    start: int,
    count: int,
    lanes: Float32[Array, "rows*block"],
) -> None:
    """Where on the screen the corners of `count` triangles from `start` are."""
    for j in range(count):
        t = 3 * (start + j)
        a, b, c = triangles[t], triangles[t + 1], triangles[t + 2]
        lanes[X0 + j], lanes[Y0 + j] = screen[a], screen[a + 1]
        lanes[X1 + j], lanes[Y1 + j] = screen[b], screen[b + 1]
        lanes[X2 + j], lanes[Y2 + j] = screen[c], screen[c + 1]


@kernel
def corners(lanes: Float32[Array, "rows*block"], j: int, x: float, y: float) -> tuple[float, ...]:
    """The corners of the j-th triangle, x0, x1, x2, y0, y1, y2, relative to a point."""
    x0, x1, x2 = lanes[X0 + j] - x, lanes[X1 + j] - x, lanes[X2 + j] - x
    return x0, x1, x2, lanes[Y0 + j] - y, lanes[Y1 + j] - y, lanes[Y2 + j] - y


@kernel
def edges(x0: float, x1: float, x2: float, y0: float, y1: float, y2: float) -> tuple[float, ...]:
    """The edge functions at the origin: twice the areas of the triangles opposite the corners."""
    return x1 * y2 - y1 * x2, x2 * y0 - y2 * x0, x0 * y1 - y0 * x1
