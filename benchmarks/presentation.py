"""What the comparison found, for a README: a table, a bar chart, faces side by side."""

import statistics
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

OURS = "facegen"
OUR_COLOUR, OTHER_COLOUR, INK, FAINT = "#1f6f8b", "#b9c0c7", "#222222", "#6b7280"
SHOWN = 6
HEAD = ("renderer", "model", "images/s", "min–max", "difference", "device")


@dataclass(frozen=True)
class Row:
    """One peer with one model; difference: mean inside the face, of 255, from the plain loop's."""

    model: str
    peer: str
    device: str
    workers: int
    image: str
    images_per_s: tuple[float, ...]
    difference: float | None

    @property
    def median(self) -> float:
        return statistics.median(self.images_per_s)


def report(rows: list[Row], skipped: list[str]) -> str:
    """A Markdown table, and what is not in it."""
    lines = [HEAD, ("---", "---", "---:", "---:", "---:", "---"), *map(cells, rows)]
    table = [f"| {' | '.join(line)} |" for line in lines]
    return "\n".join([*table, "", conditions(rows), *(f"\n{message}" for message in skipped)])


def cells(row: Row) -> tuple[str, ...]:
    """A row's cells."""
    low, high = min(row.images_per_s), max(row.images_per_s)
    differs = "" if row.difference is None else f"{row.difference:.3f}"
    spread = f"{in_words(low)}–{in_words(high)}"
    return row.peer, row.model, in_words(row.median), spread, differs, row.device


def conditions(rows: list[Row]) -> str:
    """What all rows have in common."""
    repeats, workers = len(rows[0].images_per_s), rows[0].workers
    return (
        f"{rows[0].image}, written to disk by {workers} processes; medians of {repeats} runs in "
        "turns. Difference: mean absolute difference inside the face from the moderngl loop's "
        "image, of 255. pyrender draws vertex colours lit beforehand, four samples a pixel."
    )


def in_words(speed: float) -> str:
    """Images/s to three figures or so."""
    return f"{speed:,.0f}" if speed >= 20 else f"{speed:.1f}"


def draw_chart(rows: list[Row], path: Path) -> None:
    """One panel of bars for each model, on one scale, the numbers on the bars."""
    from matplotlib.figure import Figure

    models = list(dict.fromkeys(row.model for row in rows))
    figure = Figure(figsize=(8.4, 2.5), dpi=200, layout="constrained")
    figure.get_layout_engine().set(w_pad=0.12, h_pad=0.08)
    panels = figure.subplots(1, len(models), sharex=True, squeeze=False)[0]
    for panel, model in zip(panels, models, strict=True):
        draw_panel(panel, [row for row in rows if row.model == model])
        panel.set_title(f"{model} model", loc="left", fontsize=10, color=INK)
    panels[0].set_xlim(right=1.2 * max(row.median for row in rows))
    caption = f"images/s, {rows[0].image}, written to disk by {rows[0].workers} processes"
    figure.supxlabel(caption, fontsize=9, color=FAINT)
    figure.savefig(path)


def draw_panel(panel: Any, rows: list[Row]) -> None:
    """One model's bars, the fastest on top."""
    rows = sorted(rows, key=lambda row: row.median)
    colours = [OUR_COLOUR if row.peer.startswith(OURS) else OTHER_COLOUR for row in rows]
    medians = [row.median for row in rows]
    bars = panel.barh([row.peer for row in rows], medians, height=0.66, color=colours)
    labels = [in_words(median) for median in medians]
    panel.bar_label(bars, labels, padding=4, fontsize=9, color=INK, fontweight="bold")
    panel.spines[["top", "right", "bottom"]].set_visible(False)
    panel.spines["left"].set_color(OTHER_COLOUR)
    panel.tick_params(axis="y", length=0, labelsize=9, labelcolor=INK)
    panel.xaxis.set_visible(False)


def contact_sheet(peers: list[NDArray[np.uint8]]) -> Image.Image:
    """The first faces of each peer, a row each."""
    strips = [np.concatenate(list(images[:SHOWN]), axis=1) for images in peers]
    return Image.fromarray(np.concatenate(strips))
