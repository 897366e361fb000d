"""A face model as another project wrote it, put into words and arrays that are ours."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from facegen.errors import ModelError
from facegen.models.model_file import Modes
from facegen.models.morphable_model import LANDMARKS, SEGMENTS
from facegen.scene.parameters import STANDARD_DEVIATION, CoefficientUnit

Array = NDArray[Any]
Float32 = NDArray[np.float32]

UNKNOWN_LANDMARK = -1
UNKNOWN_PART = 0
MAX_VERTICES = 2_000_000
MAX_VALUES = 400_000_000


@dataclass(frozen=True, eq=False)
class ForeignModel:
    """What a file of another project holds: mm, colours in [0, 1], triangles (F, 3) int32.

    expression and reflectance may be missing; landmarks (68,) are vertices in the iBUG order, -1
    where unknown; segmentation (V,) are indices into SEGMENTS, 0 where unknown. expression_unit is
    that of an expression coefficient, expression_names are the expressions' where they have any.
    scale is how many mm one unit of the file is, unit says so in words; notes say what was found.
    """

    name: str
    family: str
    shape: Modes
    triangles: NDArray[np.int32]
    unit: str
    licence: str
    expression: Modes | None = None
    reflectance: Modes | None = None
    landmarks: NDArray[np.int32] | None = None
    segmentation: NDArray[np.uint8] | None = None
    expression_unit: CoefficientUnit = STANDARD_DEVIATION
    scale: float = 1.0
    notes: tuple[str, ...] = ()
    expression_names: tuple[str, ...] = ()

    @property
    def vertices(self) -> int:
        return len(self.shape.mean)

    @property
    def mean_face(self) -> Float32:
        """The mean face (V, 3) in mm."""
        mean = self.shape.mean
        return mean if self.expression is None else mean + self.expression.mean

    def noting(self, *notes: str, **changes: Any) -> "ForeignModel":
        """The model with changes, and words about them."""
        return replace(self, notes=(*self.notes, *notes), **changes)


def modes(group: str, mean: Array, basis: Array | None, sd: Array | None) -> Modes:
    """Modes from arrays of any float type: mean 3 V values, basis (3 V, k), sd (k,); checked."""
    flat = np.asarray(mean).reshape(-1)
    if basis is None or sd is None:
        basis, sd = np.zeros((len(flat), 0), np.float32), np.zeros(0, np.float32)
    sd = np.asarray(sd).reshape(-1)
    if not flat.size or len(flat) % 3 or basis.shape != (len(flat), len(sd)):
        raise ModelError(
            f"the {group} has a mean of {len(flat)}, a basis of {basis.shape} and {len(sd)} "
            f"deviations, which do not belong together"
        )
    if basis.size > MAX_VALUES:
        raise ModelError(f"the {group} has more than {MAX_VALUES:,} values")
    checked_modes = Modes(
        flat.astype(np.float32).reshape(-1, 3),
        np.asarray(basis, np.float32),
        sd.astype(np.float32),
    )
    _check_finite(group, checked_modes)
    return checked_modes


def deviations(group: str, variance: Array) -> Array:
    """Standard deviations (k,) from variances."""
    variance = np.asarray(variance, np.float64).reshape(-1)
    if not (variance >= 0).all():
        raise ModelError(f"a variance of the {group} is below zero or not a number")
    return np.sqrt(variance)


def checked(model: ForeignModel) -> ForeignModel:
    """The model if its arrays belong together; broken triangles dropped if they are few."""
    count = model.vertices
    if not 3 <= count <= MAX_VERTICES:
        raise ModelError(f"{count:,} vertices, not between 3 and {MAX_VERTICES:,}")
    for name in ("expression", "reflectance"):
        part: Modes | None = getattr(model, name)
        if part is not None and len(part.mean) != count:
            raise ModelError(f"the {name} has {len(part.mean)} vertices, the shape {count}")
    for name, indices in (("triangles", model.triangles), ("landmarks", model.landmarks)):
        low = UNKNOWN_LANDMARK if name == "landmarks" else 0
        if indices is None or not indices.size:
            continue
        if not low <= indices.min() <= indices.max() < count:
            raise ModelError(f"the {name} name vertices that do not exist: there are {count}")
    if model.landmarks is not None and model.landmarks.shape != (LANDMARKS,):
        raise ModelError(f"the landmarks are {model.landmarks.shape}, not ({LANDMARKS},)")
    if model.segmentation is not None and (
        len(model.segmentation) != count or model.segmentation.max() >= len(SEGMENTS)
    ):
        raise ModelError("the parts are not one label for each vertex")
    return _surface(model)


def triangles_of(cells: Array, first: int = 0) -> NDArray[np.int32]:
    """Triangles (F, 3) int32 from cells, (F, 3) or (3, F), whose first vertex is number `first`."""
    cells = np.asarray(cells)
    if cells.ndim != 2 or 3 not in cells.shape:
        raise ModelError(f"the triangles are {cells.shape}, not three vertices each")
    cells = cells if cells.shape[1] == 3 else cells.T
    if not np.isfinite(cells).all() or np.abs(cells).max(initial=0) > MAX_VERTICES:
        raise ModelError("the triangles name vertices that do not exist")
    return np.ascontiguousarray(cells.astype(np.int64) - first).astype(np.int32)


def _check_finite(group: str, checked_modes: Modes) -> None:
    for name, array in (
        ("mean", checked_modes.mean),
        ("basis", checked_modes.basis),
        ("deviations", checked_modes.sd),
    ):
        # A sum is finite unless a value is not (float64: no overflow of float32 values).
        if not np.isfinite(array.sum(dtype=np.float64)):
            raise ModelError(f"the {name} of the {group} holds values that are not finite")


def _surface(model: ForeignModel) -> ForeignModel:
    """Drop triangles that name a vertex twice; refuse what is no surface at all."""
    triangles = model.triangles
    if not len(triangles):
        raise ModelError("no triangles: facegen draws surfaces, not points")
    a, b, c = triangles.T
    whole = (a != b) & (b != c) & (c != a)
    if whole.mean() < 0.99:
        raise ModelError(f"{(~whole).sum():,} of its triangles name a vertex twice")
    edges = np.sort(np.concatenate([triangles[:, [i, (i + 1) % 3]] for i in range(3)]))
    keys = edges[:, 0].astype(np.int64) * model.vertices + edges[:, 1]
    counts = np.unique(keys, return_counts=True)[1]
    if (crowded := (counts > 2).mean()) > 0.05:
        raise ModelError(f"not a surface: {crowded:.0%} of its edges belong to over two triangles")
    if whole.all():
        return model
    note = f"{(~whole).sum()} triangles that name a vertex twice were dropped"
    return model.noting(note, triangles=triangles[whole])
