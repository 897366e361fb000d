"""States what was built: sizes, variance kept, anthropometry, clipped colours, lids' clearance."""

import time
from collections.abc import Iterator
from pathlib import Path

import h5py
import numpy as np

from .anthropometry import table
from .mesh import EYE_SCALE, EYES
from .model import Built
from .statistics import Linear
from .template import EYE_RADIUS_MM, Template, eye_centre
from .write import EXPRESSION_UNIT, PART_NAMES, Model

HEADS, FACES = 2000, 300
EXPRESSION_RANGE, JAW_RANGE = 12.0, 4.8  # Half ranges of the uniform draws.


def summary(path: Path, built: Built) -> str:
    """Return the report as text."""
    model, template = built.model, built.template
    kept = {"shape": model.shape, "expression": model.expression, "reflectance": model.color}
    lines = [
        f"vertices {len(model.parts)}, triangles {len(model.cells)}",
        *(f"{name}: {100 * linear.kept:.2f} % of the variance" for name, linear in kept.items()),
        f"file {path.stat().st_size / 1e6:.1f} MB, read in {_load_time(path):.2f} s",
        _clipped(model),
        _clearance(model, template),
        _sizes(built),
    ]
    return "\n".join(lines)


def _sizes(built: Built) -> str:
    """Return the table of the population's measures."""
    heads = built.population.heads(np.arange(HEADS))
    rulers = built.places.measures(built.template.points)
    values = np.column_stack([ruler.of(heads) for ruler in rulers])
    men = built.people.men[:HEADS]
    return table(values, rulers, men, ~men)


def _load_time(path: Path) -> float:
    """Return the seconds that reading the three bases takes."""
    start = time.perf_counter()
    with h5py.File(path) as file:
        for name in ("shape", "expression", "color"):
            file[f"{name}/model/pcaBasis"][:]
    return time.perf_counter() - start


def _draw(linear: Linear, deviations: np.ndarray) -> np.ndarray:
    """Return vertices (V, 3) for coefficients in standard deviations."""
    values = linear.mean + linear.basis @ (np.sqrt(linear.variance) * deviations)
    return values.reshape(-1, 3)


def _clipped(model: Model) -> str:
    """Return the share of colour values outside [0, 1], overall and by part."""
    rng = np.random.default_rng(10)
    count = len(model.color.variance)
    colours = np.array([_draw(model.color, rng.standard_normal(count)) for _ in range(FACES)])
    out = (colours < 0) | (colours > 1)
    by_part = [
        f"{name} {100 * out[:, model.parts == k].mean():.2f}"
        for k, name in enumerate(PART_NAMES)
        if k
    ]
    below, above = 100 * (colours < 0).mean(), 100 * (colours > 1).mean()
    return (
        f"clipped: {below:.2f} % below 0, {above:.2f} % above 1 (% by part: {', '.join(by_part)})"
    )


def _clearance(model: Model, template: Template) -> str:
    """Return how far lids stay off the eyeballs over random faces, in mm."""
    gaps = np.array(list(_gaps(model, template)))
    low, middle = np.percentile(gaps, [1, 50])
    return (
        f"lid to eyeball: median {middle:.2f} mm, 1st percentile {low:.2f} mm, "
        f"worst {gaps.min():.2f} mm, below -0.1 mm in {100 * (gaps < -0.1).mean():.1f} % of eyes"
    )


def _gaps(model: Model, template: Template) -> Iterator[float]:
    """Yield each eye's least distance between lid and ball, the ball made round again."""
    rng = np.random.default_rng(11)
    count = len(model.expression.variance)
    for _ in range(FACES):
        move = rng.uniform(-EXPRESSION_RANGE, EXPRESSION_RANGE, count) * EXPRESSION_UNIT
        move[0] *= JAW_RANGE / EXPRESSION_RANGE
        shape = _draw(model.shape, rng.standard_normal(len(model.shape.variance)))
        points = shape + _draw(model.expression, move)
        for eye in EYES:
            yield _gap(points, template, eye)


def _gap(points: np.ndarray, template: Template, eye: str) -> float:
    """Return one eye's least distance (mm) between the lids' front and the eyeball."""
    mesh, rest = template.mesh, template.points
    centre = eye_centre(rest, mesh, eye)
    near = np.linalg.norm(rest - centre, axis=1) - EYE_RADIUS_MM
    lid = template.body & (near > 0.2) & (near < 9) & (template.normals[:, 2] > 0.2)
    moved = eye_centre(points, mesh, eye)
    ball = mesh.of(eye)
    undo = np.linalg.lstsq(points[ball] - moved, rest[ball] - centre, rcond=None)[0]
    return float(
        np.linalg.norm((points[lid] - moved) @ undo, axis=1).min() - EYE_SCALE * EYE_RADIUS_MM
    )
