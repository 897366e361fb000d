"""Small charts as inline SVG; their colours are the page's, so that they follow its scheme."""

from html import escape

import numpy as np
from numpy.typing import NDArray

from facegen.recipe.distributions import Distribution

Float64 = NDArray[np.float64]

WIDTH, HEIGHT = 300, 140
LEFT, RIGHT, TOP, BOTTOM = 8, 292, 8, 120
FEWEST_BINS, MOST_BINS = 12, 48
TICKS = 6
EDGE = 5e-4
MIDDLE = "middle"


def histogram(values: Float64, stated: Distribution | None = None, factor: float = 1.0) -> str:
    """Bars of how often values (n,) are seen, and over them what the stated distribution expects.

    `factor` turns values, and those of the distribution, into the unit shown.
    """
    low, high = span(values, stated)
    bins = int(np.clip(np.sqrt(len(values)), FEWEST_BINS, MOST_BINS))
    edges = np.linspace(low, high, bins + 1)
    shares = np.histogram(values, edges)[0] / max(len(values), 1)
    expected = np.diff(stated.cdf(edges)) if stated else np.zeros(bins)
    top = max(shares.max(), expected.max(), 1e-12) * 1.08
    width = (RIGHT - LEFT) / bins
    bars = [
        rect(LEFT + k * width, level(share / top), max(width - 0.8, 0.5), rise(share / top), "bar")
        for k, share in enumerate(shares)
        if share
    ]
    line = polyline(np.repeat(edges, 2)[1:-1], np.repeat(expected, 2) / top, low, high)
    return svg(*bars, line if stated else "", axis(low * factor, high * factor))


def span(values: Float64, stated: Distribution | None) -> tuple[float, float]:
    """The range to show: of the values, and of nearly all that is stated."""
    ends = [values.min(initial=np.inf), values.max(initial=-np.inf)]
    if stated is not None:
        ends += stated.ppf(np.array([EDGE, 1 - EDGE])).tolist()
    low, high = float(min(ends)), float(max(ends))
    margin = 0.04 * (high - low) if high > low else max(abs(high), 1.0) * 0.1
    return low - margin, high + margin


def heat_map(x: Float64, y: Float64, limits: tuple[float, float, float, float], side: int) -> str:
    """How often points (n,), (n,) fall into each of side x side cells; y grows upwards."""
    x0, x1, y0, y1 = limits
    counts = np.histogram2d(x, y, side, [[x0, x1], [y0, y1]])[0]
    top = max(np.quantile(counts[counts > 0], 0.98) if counts.any() else 1.0, 1.0)
    size = 200 / side
    return "".join(
        f'<rect x="{20 + i * size:.1f}" y="{210 - (j + 1) * size:.1f}" width="{size:.2f}" '
        f'height="{size:.2f}" class="heat" opacity="{min(counts[i, j] / top, 1):.2f}"/>'
        for i, j in np.argwhere(counts)
    )


def square(content: str, labels: tuple[str, str, str, str], note: str = "") -> str:
    """A frame of 200 x 200 around content, with labels left, right, below and above it."""
    left, right, below, above = labels
    texts = (
        text(20, 226, left, "start")
        + text(220, 226, right, "end")
        + text(120, 226, below)
        + text(12, 110, above, MIDDLE, "rotate(-90 12 110)")
    )
    return f'<svg viewBox="0 0 240 232" role="img">{content}{texts}{note}</svg>'


def frame() -> str:
    """The square's border, and a cross at its centre."""
    return (
        '<rect x="20" y="10" width="200" height="200" class="frame"/>'
        '<path d="M120 10V210M20 110H220" class="grid"/>'
    )


def disc() -> str:
    """The square's disc: the rim, and the ring of directions from the side."""
    ring = 100 / np.sqrt(2)
    return (
        '<circle cx="120" cy="110" r="100" class="frame"/>'
        f'<circle cx="120" cy="110" r="{ring:.1f}" class="grid"/>'
        '<path d="M120 10V210M20 110H220" class="grid"/>'
    )


def columns(heights: Float64, unit: str) -> str:
    """One bar an item, from zero, with the largest value written."""
    top = max(float(heights.max(initial=0.0)), 1e-12) * 1.15
    width = (RIGHT - LEFT) / max(len(heights), 1)
    gap = min(0.8, width / 4)
    bars = [
        rect(LEFT + k * width, level(h / top), width - gap, rise(h / top), "bar")
        for k, h in enumerate(heights.tolist())
    ]
    ends = f'<path d="M{LEFT} {BOTTOM}H{RIGHT}" class="axis"/>'
    labels = text(LEFT, 134, "first shard", "start") + text(RIGHT, 134, "last", "end")
    return svg(*bars, ends, labels, text(RIGHT, 16, f"at most {heights.max():,.0f} {unit}", "end"))


def dots(values: Float64, limit: float, starts: dict[str, int]) -> str:
    """One dot an item around zero; a band of +-3; a line and a name where each group starts."""
    width, middle, reach = 940, 80, 58

    def x(item: float) -> float:
        return 10 + width * (item + 0.5) / max(len(values), 1)

    def y(value: float) -> float:
        return middle - reach * float(np.clip(value / limit, -1, 1))

    band = f'<rect x="10" y="{y(3):.1f}" width="{width}" height="{y(-3) - y(3):.1f}" class="band"/>'
    lines = "".join(f'<path d="M{x(k - 0.5):.1f} 4V140" class="grid"/>' for k in starts.values())
    ends = [*list(starts.values())[1:], len(values)]
    names = "".join(
        text(round(x(k), 1), 14, name, "start")
        for (name, k), end in zip(starts.items(), ends, strict=True)
        if x(end) - x(k) > 7 * len(name)
    )
    marks = "".join(
        f'<circle cx="{x(k):.1f}" cy="{y(v):.1f}" r="1.7" class="dot"/>'
        for k, v in enumerate(values.tolist())
    )
    zero = f'<path d="M10 {middle}H{10 + width}" class="axis"/>'
    return f'<svg viewBox="0 0 960 144" role="img">{band}{lines}{zero}{marks}{names}</svg>'


def share_bar(shares: list[tuple[str, float]]) -> str:
    """One bar parted by shares that sum to one."""
    parts, x = [], 0.0
    for k, (name, share) in enumerate(shares):
        title = f"<title>{escape(name)} {share:.1%}</title>"
        parts.append(
            f'<rect x="{x:.2f}" width="{300 * share:.2f}" height="22" class="part{k}">'
            f"{title}</rect>"
        )
        x += 300 * share
    return f'<svg viewBox="0 0 300 22" role="img" class="shares">{"".join(parts)}</svg>'


def svg(*content: str) -> str:
    """A chart of the usual size."""
    return f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img">{"".join(content)}</svg>'


def axis(low: float, high: float) -> str:
    """The line below bars, with round numbers under it."""
    marks = ""
    for tick in ticks(low, high):
        x = LEFT + (RIGHT - LEFT) * (tick - low) / (high - low)
        anchor = "start" if x < LEFT + 12 else "end" if x > RIGHT - 12 else MIDDLE
        marks += f'<path d="M{x:.1f} {BOTTOM}v4" class="axis"/>'
        marks += text(round(x, 1), 136, number(tick), anchor)
    return f'<path d="M{LEFT} {BOTTOM}H{RIGHT}" class="axis"/>{marks}'


def ticks(low: float, high: float) -> list[float]:
    """A few round numbers between low and high."""
    rough = (high - low) / TICKS
    power = 10.0 ** np.floor(np.log10(rough))
    step = next(power * digit for digit in (1, 2, 5, 10) if power * digit >= rough)
    first = int(np.ceil(low / step))
    return [k * step for k in range(first, int(np.floor(high / step)) + 1)]


def polyline(x: Float64, heights: Float64, low: float, high: float) -> str:
    """A line through points, x in data's unit, heights in [0, 1]."""
    across = LEFT + (RIGHT - LEFT) * (x - low) / (high - low)
    points = " ".join(f"{a:.1f},{level(h):.1f}" for a, h in zip(across, heights, strict=True))
    return f'<polyline points="{points}" class="stated"/>'


def level(share: float) -> float:
    """Where a height in [0, 1] lies."""
    return BOTTOM - (BOTTOM - TOP) * share


def rise(share: float) -> float:
    """How many units a height in [0, 1] is."""
    return (BOTTOM - TOP) * share


def rect(x: float, y: float, width: float, height: float, kind: str) -> str:
    """A rectangle."""
    place = f'x="{x:.2f}" y="{y:.2f}" width="{width:.2f}" height="{height:.2f}"'
    return f'<rect {place} class="{kind}"/>'


def text(x: float, y: float, content: str, anchor: str = MIDDLE, turn: str = "") -> str:
    """A label."""
    turned = f' transform="{turn}"' if turn else ""
    return f'<text x="{x:g}" y="{y:g}" text-anchor="{anchor}"{turned}>{escape(content)}</text>'


def number(value: float) -> str:
    """A number for an axis, with a true minus."""
    return f"{value:.3g}".replace("-", "\N{MINUS SIGN}")
