"""Makes a model of the Basel Face Model's size out of the generic one, to measure with.

    python benchmarks/synthetic_model.py basel_size.h5

The generic head's longest edges are halved until it has 53,490 vertices and about 106,000
triangles: the same surface, so the same image, with triangles as small as a scanned face's. Its
320 components (128 shape, 64 expression, 128 reflectance) are as many as the default recipe uses.
The same file comes out every time; it holds no data of the Basel Face Model.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
import h5py
import numpy as np
from numpy.typing import NDArray

from facegen.models import catalogue

VERTICES = 53_490
PARTS = ("shape", "expression", "color")
NAME, DESCRIPTION = "basel-size", "The generic model resampled to the Basel model's size."

# The triangles left of one, by the number of its sides halved: corners 0, 1, 2, middles 3, 4, 5.
PIECES = {
    0: [(0, 1, 2)],
    1: [(0, 3, 2), (3, 1, 2)],
    2: [(0, 3, 2), (3, 4, 2), (3, 1, 4)],
    3: [(0, 3, 5), (3, 1, 4), (5, 4, 2), (3, 4, 5)],
}

Int = NDArray[np.int64]
Array = NDArray[Any]


@dataclass(frozen=True, eq=False)
class Refinement:
    """A mesh with some edges (E, 2) halved, its triangles (F, 3), and its vertices' new order."""

    halved: Int
    triangles: Int
    order: Int

    def values(self, old: Array) -> Array:
        """Values (V, ...) of the vertices; those in an edge's middle have its ends' mean."""
        return np.concatenate([old, (old[self.halved[:, 0]] + old[self.halved[:, 1]]) / 2])[
            self.order
        ]

    def labels(self, old: Array) -> Array:
        """Labels (V,) of the vertices; those in an edge's middle have an end's."""
        return np.concatenate([old, old[self.halved[:, 0]]])[self.order]

    @property
    def numbers(self) -> Int:
        """The vertices' new numbers."""
        return np.argsort(self.order)


@click.command()
@click.argument("out", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--vertices", type=click.IntRange(min=1), default=VERTICES, show_default=True)
def main(out: Path, vertices: int) -> None:
    """Write the model to OUT."""
    with h5py.File(catalogue.find("generic")) as generic, h5py.File(out, "w") as file:
        refinement = refine(generic, vertices)
        for part in PARTS:
            write_linear(file.create_group(f"{part}/model"), generic[f"{part}/model"], refinement)
        file["shape/representer/cells"] = np.int32(refinement.triangles.T)
        write_names(file.create_group("facegen"), generic["facegen"], refinement)
    click.echo(f"{out}: {vertices:,} vertices, {len(refinement.triangles):,} triangles")


def refine(model: h5py.File, vertices: int) -> Refinement:
    """Halve as many of the mean face's longest edges as new vertices are wanted."""
    points = np.float64(model["shape/model/mean"][()] + model["expression/model/mean"][()])
    points = points.reshape(-1, 3)
    triangles = np.int64(model["shape/representer/cells"][()].T)
    edges, at = edges_of(triangles)
    extra = vertices - len(points)
    if not 0 <= extra <= len(edges):
        raise click.UsageError(f"from {len(points):,} to {len(points) + len(edges):,} vertices")
    lengths = np.linalg.norm(np.diff(points[edges], axis=1), axis=(1, 2))
    chosen = np.sort(np.argsort(-lengths, kind="stable")[:extra])
    middle = np.full(len(edges), -1)
    middle[chosen] = len(points) + np.arange(extra)
    # A new vertex is stored after its edge's first: neighbours lie together, as in scanned models.
    order = np.argsort(np.concatenate([np.arange(len(points)), edges[chosen, 0]]), kind="stable")
    return Refinement(edges[chosen], np.argsort(order)[split(triangles, middle[at])], order)


def edges_of(triangles: Int) -> tuple[Int, Int]:
    """The edges (E, 2) of triangles (F, 3), and each triangle's: from corner 0, 1 and 2 on."""
    sides = np.sort(np.stack([triangles, np.roll(triangles, -1, axis=1)], axis=-1), axis=-1)
    edges, at = np.unique(sides.reshape(-1, 2), axis=0, return_inverse=True)
    return edges, at.reshape(triangles.shape)


def split(triangles: Int, middle: Int) -> Int:
    """Split triangles (F, 3) at the middles (F, 3) of their sides, in place; -1 is a whole side."""
    count = (middle >= 0).sum(axis=1)
    # Turned so that with one middle it is side 0's, and with two they are those of sides 0 and 1.
    first = np.where(count == 2, np.argmin(middle, axis=1) + 1, np.argmax(middle, axis=1))
    turn = (first[:, None] + np.arange(3)) % 3
    corners = np.concatenate(
        [np.take_along_axis(triangles, turn, 1), np.take_along_axis(middle, turn, 1)], axis=1
    )
    parts = [(np.flatnonzero(count == n), piece) for n in PIECES for piece in PIECES[n]]
    order = np.argsort(np.concatenate([rows for rows, _ in parts]), kind="stable")
    return np.concatenate([corners[rows][:, piece] for rows, piece in parts])[order]


def write_linear(out: h5py.Group, old: h5py.Group, refinement: Refinement) -> None:
    """Write one linear model at all vertices, its columns of length one as in the generic file."""
    basis, variance = old["pcaBasis"][()], old["pcaVariance"][()]
    values = refinement.values(basis.reshape(-1, 3, len(variance))).reshape(-1, len(variance))
    length = np.linalg.norm(values, axis=0)
    out["mean"] = refinement.values(old["mean"][()].reshape(-1, 3)).reshape(-1)
    out["pcaBasis"] = (values / length).astype(np.float32)
    out["pcaVariance"] = (variance * length**2).astype(np.float32)
    out["noiseVariance"] = old["noiseVariance"][()]


def write_names(out: h5py.Group, old: h5py.Group, refinement: Refinement) -> None:
    """Write what facegen adds to the layout: landmarks, parts, and facts in words."""
    out["landmarks"] = np.int32(refinement.numbers[old["landmarks"][()]])
    out["parts"] = refinement.labels(old["parts"][()])
    out["uv"] = refinement.values(old["uv"][()])
    out.attrs.update(old.attrs)
    out.attrs.update(name=NAME, description=DESCRIPTION)


if __name__ == "__main__":
    main()
