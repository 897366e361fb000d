"""What a model holds, in words and numbers, and what looks wrong with it."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from facegen.models.importers.foreign import ForeignModel
from facegen.models.importers.surface import normals_of, signed_volume
from facegen.models.morphable_model import LANDMARKS, SEGMENTS, MorphableModel
from facegen.scene.parameters import WEIGHT, CoefficientUnit, layout_of

EYE_CORNERS = (36, 45)
USUAL_CORNERS_MM, CORNERS_MM = 90.0, (65.0, 120.0)
USUAL_HEAD_MM, HEAD_MM = 220.0, (100.0, 700.0)
FIRST_MM = (0.1, 20.0)  # RMS displacement of the first shape component that looks sound
NOSE_TIP = 30


@dataclass(frozen=True, eq=False)
class Facts:
    """What is described: arrays of any model, ours or another's, and words about its file."""

    name: str
    licence: str
    points: NDArray[np.float32]
    triangles: NDArray[np.int32]
    components: tuple[int, int, int]
    first_mm: float
    colours: NDArray[np.float32]
    landmarks: NDArray[np.int32]
    segmentation: NDArray[np.uint8]
    texts: dict[str, str]

    @property
    def extent(self) -> NDArray[np.float32]:
        """The mean face's width, height and depth (3,); unused vertices have no say."""
        return np.asarray(np.ptp(self.points[np.unique(self.triangles)], axis=0))


def facts_of(model: MorphableModel, texts: dict[str, str]) -> Facts:
    """The facts of a model of ours."""
    groups = (model.shape, model.expression, model.reflectance)
    shape, expression, reflectance = (group.components for group in groups)
    return Facts(
        name=model.name,
        licence=model.licence or "not stated",
        points=model.mean_face,
        triangles=model.triangles,
        components=(shape, expression, reflectance),
        first_mm=rms(model.shape.component_scale, model.vertices),
        colours=model.reflectance.mean,
        landmarks=model.landmarks,
        segmentation=model.segmentation,
        texts=texts | {"expression": unit_text(model.expression_unit), "sha256": model.sha256},
    )


def facts_of_foreign(model: ForeignModel) -> Facts:
    """The facts of a file that was not imported yet."""
    counts = [part.count if part else 0 for part in (model.expression, model.reflectance)]
    length = np.linalg.norm(model.shape.basis[:, :1], axis=0) * model.shape.sd[:1]
    nothing = np.zeros((0, 3), np.float32)
    return Facts(
        name=model.name,
        licence=model.licence,
        points=model.mean_face,
        triangles=model.triangles,
        components=(model.shape.count, counts[0], counts[1]),
        first_mm=rms(length, model.vertices),
        colours=model.reflectance.mean if model.reflectance else nothing,
        landmarks=model.landmarks if model.landmarks is not None else np.full(LANDMARKS, -1),
        segmentation=model.segmentation
        if model.segmentation is not None
        else np.zeros(model.vertices, np.uint8),
        texts={
            "format": f"{model.family}, not imported yet",
            "unit": model.unit,
            "expression": unit_text(model.expression_unit),
            "notes": "\n".join(model.notes),
        },
    )


def rms(lengths: NDArray[np.float32], vertices: int) -> float:
    """RMS displacement of the vertices, mm, by the first component: its length spread over them."""
    return float(np.sqrt(np.square(lengths[:1]).sum() / vertices))


def unit_text(unit: CoefficientUnit) -> str:
    """The unit of an expression coefficient."""
    if unit.kind == WEIGHT.kind:
        return "weights from 0 to 1"
    return f"{unit.kind}s" if unit.scale == 1 else f"one unit is {unit}"


def describe(facts: Facts) -> dict[str, str]:
    """Lines of (what, words), warnings last."""
    width, height, depth = facts.extent
    shape, expression, reflectance = facts.components
    named = [name for name in np.unique(facts.segmentation) if name]
    lines = {
        "name": facts.name,
        "licence": facts.licence,
        "vertices": f"{len(facts.points):,}",
        "triangles": f"{len(facts.triangles):,}",
        "coefficients": f"{shape} shape, {expression} expression, {reflectance} reflectance",
        "theta": f"{layout_of(shape, expression, reflectance).width} dimensions",
        "mean face": f"{width:.4g} x {height:.4g} x {depth:.4g} mm (x, y, z)",
        "shape component 0": f"moves vertices {facts.first_mm:.2f} mm (RMS) at one deviation",
        "landmarks": _landmark_words(facts),
        "segmentation": ", ".join(SEGMENTS[i] for i in named) or "none told",
        "winding": "outward" if _outward(facts) else "inward",
        **facts.texts,
    }
    problems = list(warnings(facts))
    return lines | {f"WARNING {i}": text for i, text in enumerate(problems, 1)}


def warnings(facts: Facts) -> Iterator[str]:
    """What looks wrong: size, axes, winding, deviations, colours."""
    yield from _size_warning(facts)
    if not _outward(facts):
        yield "the triangles are wound inward"
    low, high = FIRST_MM
    if facts.components[0] and not low <= facts.first_mm <= high:
        yield (
            f"the first shape component moves vertices {facts.first_mm:.3g} mm: variances and "
            f"deviations may be confused"
        )
    colours = facts.colours
    if colours.size and ((colours < -0.01) | (colours > 1.01)).mean() > 0.02:
        yield f"mean colours run from {colours.min():.3g} to {colours.max():.3g}, not in [0, 1]"
    if (facts.landmarks >= 0).all():
        yield from _axis_warnings(facts)


def _size_warning(facts: Facts) -> Iterator[str]:
    """Units wrong by 10 or 1000 are the usual bug of an importer."""
    size, usual, bounds, name = _size(facts)
    if not bounds[0] <= size <= bounds[1]:
        power = round(np.log10(usual / size)) if size > 0 else 0
        guess = f"wrong by a factor of {10.0 ** abs(power):g}" if power else "not a head's"
        yield f"{name} {size:.3g} mm, {usual:.0f} are usual: lengths look {guess}"


def _size(facts: Facts) -> tuple[float, float, tuple[float, float], str]:
    corners = facts.landmarks[list(EYE_CORNERS)]
    if (corners >= 0).all():
        right, left = facts.points[corners]
        distance = float(np.linalg.norm(left - right))
        return distance, USUAL_CORNERS_MM, CORNERS_MM, "the outer corners of the eyes are apart by"
    longest = float(facts.extent.max())
    return longest, USUAL_HEAD_MM, HEAD_MM, "the longest side of the mean face is"


def _axis_warnings(facts: Facts) -> Iterator[str]:
    points = facts.points[facts.landmarks]
    right, left = points[list(EYE_CORNERS)]
    mouth, tip = points[48:68].mean(axis=0), points[NOSE_TIP]
    if right[0] >= left[0]:
        yield "landmark 36 is not to the left of 45 in the image: mirrored, or not in iBUG's order"
    if mouth[1] >= (right[1] + left[1]) / 2:
        yield "the mouth is not below the eyes: y does not point up"
    if tip[2] <= (right[2] + left[2]) / 2:
        yield "the nose is not before the eyes: z does not point out of the face"
    if len(np.unique(facts.landmarks)) < LANDMARKS - 10:
        yield f"only {len(np.unique(facts.landmarks))} of the landmarks are different vertices"


def _landmark_words(facts: Facts) -> str:
    count = int((facts.landmarks >= 0).sum())
    if count < LANDMARKS:
        return f"{count} of {LANDMARKS} known"
    normals = normals_of(facts.points.astype(np.float64), facts.triangles)
    forward = int((normals[facts.landmarks[17:], 2] > 0).sum())
    distance = _size(facts)[0]
    text = f"{LANDMARKS}, {forward} of the inner 51 face forward"
    return f"{text}; eye corners {distance:.1f} mm apart"


def _outward(facts: Facts) -> bool:
    return signed_volume(facts.points, facts.triangles) >= 0
