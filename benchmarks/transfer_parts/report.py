"""The results as Markdown tables, one for each measure."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64

from facegen.files import Array
from transfer_parts.errors import Interval, difference, interval
from transfer_parts.trial import Result

MEASURES = {
    "direct": ("mean", "Landmarks, as they are in the crop"),
    "theta": ("mean_aligned", "Landmarks of theta, after a similarity alignment"),
}
POINTS = ("68 landmarks", "inner 51")
SETS = {"photographs": "photographs", "real": "path-traced photographs"}
NONE = "–"


@dataclass(frozen=True)
class Table:
    """Which figures a table shows: the set, the measure, and the column of its points."""

    pictures: str
    measure: str
    points: int

    @property
    def title(self) -> str:
        """What stands above it."""
        what = MEASURES[self.measure][1]
        return f"{what}: NME of {SETS[self.pictures]}, {POINTS[self.points]} [%]"

    def values(self, results: Sequence[Result], name: str) -> Float64[Array, "N"]:
        """Each picture's figure, the mean of the seeds."""
        seeds = [getattr(getattr(result, self.pictures), name) for result in results]
        return np.mean(seeds, axis=0)[:, self.points]

    def lines(self, rows: Mapping[str, Sequence[Result]]) -> Iterator[str]:
        """Its lines in Markdown."""
        columns = ("row", "seeds", "in domain", "mean face", *self.halves, "all [95 %]")
        heads = (*columns, "less the row before [95 %]", f"less {next(iter(rows))} [95 %]")
        yield f"**{self.title}**\n"
        yield _line(heads)
        yield "|" + "---|" * len(heads)
        values = {name: self.values(results, self.measure) for name, results in rows.items()}
        names = list(rows)
        for before, name in zip([None, *names], names, strict=False):
            compared = [_differing(values, name, other) for other in (before, names[0])]
            yield _line([*self.cells(name, rows[name], values[name]), *compared])

    @property
    def halves(self) -> tuple[str, ...]:
        """The columns of the halves: one to choose by, one to report."""
        return ("first half", "second half") if self.pictures == "photographs" else ()

    def cells(self, name: str, results: Sequence[Result], values: Float64[Array, "N"]) -> list[str]:
        """A row's cells but for its differences."""
        domain = [getattr(r.domain, self.measure) for r in results]
        inside = np.mean(domain, axis=(0, 1))[self.points]
        mean = self.values(results, MEASURES[self.measure][0]).mean()
        parts = np.split(values, [len(values) // 2]) if self.halves else []
        figures = [inside, mean, *(part.mean() for part in parts)]
        return [name, str(len(results)), *(f"{x:.2f}" for x in figures), _cell(interval(values))]


def tables(results: Sequence[Result]) -> str:
    """All tables of the results, rows in their order."""
    rows: dict[str, list[Result]] = {}
    for result in results:
        rows.setdefault(result.row, []).append(result)
    every = all(result.real for result in results)
    shown = [
        Table(pictures, measure, points)
        for pictures in (SETS if every else ["photographs"])
        for measure in MEASURES
        for points in range(len(POINTS))
    ]
    return "\n\n".join("\n".join(table.lines(rows)) for table in shown)


def _differing(values: Mapping[str, Array], name: str, other: str | None) -> str:
    if other is None or other == name:
        return NONE
    return _cell(difference(values[name], values[other]), "+")


def _cell(value: Interval, sign: str = "") -> str:
    return f"{value.mean:{sign}.2f} [{value.low:{sign}.2f}, {value.high:{sign}.2f}]"


def _line(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cells) + " |"
