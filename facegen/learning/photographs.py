"""How far landmarks found in photographs are from those that people marked."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float32, Float64

from facegen.errors import FacegenError, located
from facegen.files import Array
from facegen.learning import metrics
from facegen.learning.estimate import EstimateSettings, estimate
from facegen.learning.faces import Cropping, rows_by_photograph
from facegen.learning.found import Trained
from facegen.learning.images import FoundImage, find_images
from facegen.learning.opening import open_network
from facegen.learning.points import PhotographPoints, read_points
from facegen.learning.seen import SeenLandmarks
from facegen.models.morphable_model import LANDMARKS
from facegen.sampling.estimates import Estimates

# Faces seen from ever more aside: yaw in degrees.
POSES = ((0, 15), (15, 45), (45, 90))
NEAR = 0.5  # How far a face may lie from where it is marked, by its size.


@dataclass(frozen=True, eq=False)
class Marked:
    """N marked faces and what is found of them; NME in percent of 68 landmarks and of the inner 51.

    direct: of the landmarks found, as they are; theta: of theta's, mean: of the mean face's, both
    aligned by a similarity; yaw: estimated, in degrees. lost: marked faces that were not found.
    """

    keys: tuple[str, ...]
    direct: Float64[Array, "N 2"]
    theta: Float64[Array, "N 2"]
    mean: Float64[Array, "N 2"]
    yaw: Float64[Array, "N"]
    lost: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        """The means over the faces."""
        names = ("direct", "theta", "mean")
        figures = {name: getattr(self, name).mean(axis=0).round(4).tolist() for name in names}
        return {"faces": len(self.keys), "lost": list(self.lost), "nme": figures}


def evaluate_photographs(
    trained: Trained,
    images: Sequence[FoundImage],
    marks: PhotographPoints,
    settings: EstimateSettings,
) -> Marked:
    """Estimate the faces of photographs, and compare with the marked landmarks."""
    estimates, _ = estimate(trained, images, settings)
    if estimates.landmarks is None:
        raise FacegenError("the network estimates no landmarks", "train with --layers landmarks2d")
    rows, marked, lost = _matched(estimates, images, marks)
    if not rows:
        raise FacegenError("none of the marked faces was found", "give --crop given")
    seen = SeenLandmarks(trained.facts.prior)
    theta, goal = estimates.theta[rows], np.stack(marked)
    answer = np.tile(seen.source.distributions.moments()[0].astype(np.float32), (len(rows), 1))
    answer[:, trained.facts.theta.slices["rotation"]] = 0
    return Marked(
        tuple((estimates.keys or ())[row] for row in rows),
        metrics.nme(estimates.landmarks[rows], goal),
        metrics.nme(metrics.aligned(seen.landmarks(theta), goal), goal),
        metrics.nme(metrics.aligned(seen.landmarks(answer), goal), goal),
        np.degrees(trained.facts.theta.unpack(theta).rotation[:, 1].astype(np.float64)),
        tuple(lost),
    )


def evaluate_files(network: Path, paths: Sequence[Path], marks: Path) -> Marked:
    """The landmarks that a network finds in photographs, from a detector on."""
    trained = open_network(network, "auto")
    settings = EstimateSettings(Cropping("detect", trained.framing))
    images = list(find_images(paths, lambda _: None))
    return evaluate_photographs(trained, images, read_points(marks), settings)


def _matched(
    estimates: Estimates,
    images: Sequence[FoundImage],
    marks: PhotographPoints,
) -> tuple[list[int], list[Float32[Array, "68 2"]], list[str]]:
    """The estimate of each marked face, its landmarks, and the faces that none lies near to."""
    rows, goals, lost = [], [], []
    of_photographs = rows_by_photograph(estimates.keys or ())
    for image in images:
        of_image = of_photographs.get(image.key, [])
        for number, points in enumerate(_marks_of(image.key, marks)):
            row = _nearest(estimates, of_image, points)
            if row is None:
                lost.append(f"{image.key}#{number + 1}" if number else image.key)
            else:
                rows.append(row)
                goals.append(points)
    return rows, goals, lost


def _marks_of(key: str, marks: PhotographPoints) -> Sequence[Float32[Array, "68 2"]]:
    """The landmarks of each face of a photograph."""
    with located(key):
        faces = marks.of(key)
        if any(len(points) != LANDMARKS for points in faces):
            raise FacegenError(f"has a box, not {LANDMARKS} landmarks", "mark them")
        return faces


def _nearest(estimates: Estimates, rows: list[int], points: Float32[Array, "68 2"]) -> int | None:
    """Which of these estimates lies where a face is marked."""
    assert estimates.landmarks is not None
    middle, size = points.mean(axis=0), float(np.ptp(points, axis=0).max())
    away = {
        row: float(np.linalg.norm(estimates.landmarks[row].mean(axis=0) - middle)) for row in rows
    }
    near = [row for row, distance in away.items() if distance < NEAR * size]
    return min(near, key=away.__getitem__) if near else None


def table(marked: Marked) -> str:
    """NME of all faces and by pose, beside the mean face's."""
    lines = [
        f"{len(marked.keys)} faces, {len(marked.lost)} lost: NME in % of the outer eye distance",
        f"{'':24}{'faces':>6}{'landmarks':>18}{'of theta, aligned':>20}{'mean face':>18}",
    ]
    everyone = np.ones(len(marked.yaw), bool)
    bins = {f"yaw {low} to {high} degrees": _within(marked.yaw, low, high) for low, high in POSES}
    for name, chosen in {"all": everyone, **bins}.items():
        if chosen.any():
            kinds = (marked.direct, marked.theta, marked.mean)
            cells = [errors[chosen].mean(axis=0) for errors in kinds]
            text = "".join(f"{whole:>11.2f} ({inner:.2f})" for whole, inner in cells)
            lines.append(f"{name:24}{chosen.sum():>6}{text}")
    area = 100 * metrics.area_under_curve(marked.direct[:, 0])
    lines.append(f"area under the curve of landmarks up to 8 %: {area:.1f} %")
    lines.append("68 landmarks (inner 51)")
    return "\n".join([*lines, *(f"lost: {key}" for key in marked.lost)])


def _within(yaw: Float64[Array, "N"], low: int, high: int) -> Array:
    return np.asarray((np.abs(yaw) >= low) & (np.abs(yaw) < high))
