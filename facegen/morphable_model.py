"""A 3D morphable face model: mean + basis . (sigma * coefficients), for a batch at a time."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from facegen.errors import ModelError
from facegen.parameters import DEVIATION, POSTER_SIZE, Layout, layout_of

Float32 = NDArray[np.float32]
Int32 = NDArray[np.int32]

LANDMARKS = 68
PARTS = (
    "background",
    "skin",
    "lips",
    "brows",
    "eyes",
    "teeth",
    "mouth",
    "ears",
    "neck",
    "scalp",
)


@dataclass(frozen=True, eq=False)
class LinearModel:
    """Values per vertex that depend linearly on coefficients.

    mean (V, 3); basis (k, 3 V), each row scaled so that a coefficient of one adds it; float32.
    sigma (k,): the length of each row, which multiplies coefficients in model space.
    """

    mean: Float32
    basis: Float32
    sigma: Float32

    @property
    def components(self) -> int:
        return len(self.basis)

    def evaluate(self, coefficients: Float32, out: Float32 | None = None) -> Float32:
        """Coefficients (N, k) -> values (N, V, 3) float32, one product for the batch."""
        if out is None:
            out = np.empty((len(coefficients), *self.mean.shape), np.float32)
        flat = out.reshape(len(coefficients), -1)
        np.matmul(coefficients, self.basis, out=flat)
        flat += self.mean.reshape(-1)
        return out

    def project(self, values: Float32) -> Float32:
        """The coefficients (N, k) whose values are nearest to these (N, V, 3): least squares."""
        offsets = (values - self.mean).reshape(len(values), -1).astype(np.float64)
        basis = self.basis.astype(np.float64)
        return np.linalg.solve(basis @ basis.T, basis @ offsets.T).T.astype(np.float32)

    def leading(self, count: int | None) -> "LinearModel":
        """The model of the first `count` components, or of all."""
        return LinearModel(self.mean, self.basis[:count], self.sigma[:count])

    def at(self, vertices: Int32) -> "LinearModel":
        """The model of these vertices alone."""
        basis = self.basis.reshape(self.components, len(self.mean), 3)[:, vertices]
        return LinearModel(
            self.mean[vertices],
            np.ascontiguousarray(basis.reshape(self.components, 3 * len(vertices))),
            self.sigma,
        )


@dataclass(frozen=True, eq=False)
class MorphableModel:
    """A face model in millimetres: CONVENTIONS.md says where its origin and axes are.

    shape and reflectance are linear models with a mean; expression adds to shape. triangles (F, 3)
    int32, counter-clockwise from outside; landmarks (68,) int32 vertices in the iBUG order; parts
    (V,) uint8, indices into PARTS. sha256 is that of the file. One of expression is
    expression_size standard deviations, or weights that run from 0 to 1.
    """

    name: str
    shape: LinearModel
    expression: LinearModel
    reflectance: LinearModel
    triangles: Int32
    landmarks: Int32
    parts: NDArray[np.uint8]
    sha256: str
    licence: str = ""
    expression_unit: str = DEVIATION
    expression_size: float = POSTER_SIZE

    def __post_init__(self) -> None:
        vertices = len(self.shape.mean)
        for name in ("shape", "expression", "reflectance"):
            _check_linear(name, getattr(self, name), vertices)
        for name, indices in (("triangles", self.triangles), ("landmarks", self.landmarks)):
            if indices.size and not (indices.min() >= 0 and indices.max() < vertices):
                raise ModelError(f"{name} name vertices that do not exist: there are {vertices}")
        if self.parts.shape != (vertices,) or self.parts.max(initial=0) >= len(PARTS):
            raise ModelError(f"parts are not one of {len(PARTS)} labels for each vertex")

    @property
    def vertices(self) -> int:
        return len(self.shape.mean)

    @property
    def layout(self) -> Layout:
        """The schema of theta with all of this model's coefficients."""
        return layout_of(
            self.shape.components,
            self.expression.components,
            self.reflectance.components,
            unit=self.expression_unit,
            size=self.expression_size,
        )

    @cached_property
    def geometry(self) -> LinearModel:
        """Shape and expression as one linear model of [shape, expression] coefficients."""
        return LinearModel(
            self.shape.mean + self.expression.mean,
            _stacked(self.shape.basis, self.expression.basis),
            np.concatenate([self.shape.sigma, self.expression.sigma]),
        )

    @cached_property
    def landmark_geometry(self) -> LinearModel:
        """The geometry of the landmarks alone."""
        return self.geometry.at(self.landmarks)

    @cached_property
    def mean_face(self) -> Float32:
        """The mean face's vertices (V, 3) in mm."""
        return self.geometry.mean

    @cached_property
    def normalised_mean(self) -> Float32:
        """The mean face's coordinates (V, 3), its bounding box stretched over [0, 1]^3."""
        low, high = self.mean_face.min(axis=0), self.mean_face.max(axis=0)
        return (self.mean_face - low) / np.where(high > low, high - low, 1)

    @cached_property
    def triangle_parts(self) -> NDArray[np.uint8]:
        """The label of each triangle (F,): the middle one of its corners'; two outvote one."""
        return np.sort(self.parts[self.triangles], axis=1)[:, 1]

    def truncated(
        self, shape: int | None, expression: int | None, reflectance: int | None
    ) -> "MorphableModel":
        """The model with at most so many leading components in each group; None is all."""
        return MorphableModel(
            self.name,
            self.shape.leading(shape),
            self.expression.leading(expression),
            self.reflectance.leading(reflectance),
            self.triangles,
            self.landmarks,
            self.parts,
            self.sha256,
            self.licence,
            self.expression_unit,
            self.expression_size,
        )


def _stacked(first: Float32, second: Float32) -> Float32:
    """Two bases as one; those that already lie one after the other in memory are not copied."""
    adjacent = first.ctypes.data + first.nbytes == second.ctypes.data
    if adjacent and first.flags.c_contiguous and second.flags.c_contiguous:
        shape = (len(first) + len(second), first.shape[1])
        return np.lib.stride_tricks.as_strided(first, shape, writeable=False)
    return np.concatenate([first, second])


def _check_linear(name: str, model: LinearModel, vertices: int) -> None:
    if model.mean.shape != (vertices, 3):
        raise ModelError(f"the mean of {name} is {model.mean.shape}, not ({vertices}, 3)")
    if model.basis.shape != (len(model.sigma), 3 * vertices):
        raise ModelError(
            f"the basis of {name} is {model.basis.shape}, not ({len(model.sigma)}, {3 * vertices})"
        )
    for what, array in (("mean", model.mean), ("basis", model.basis), ("sigma", model.sigma)):
        if not np.isfinite(array).all():
            raise ModelError(f"the {what} of {name} holds values that are not finite")
