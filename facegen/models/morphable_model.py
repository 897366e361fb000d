"""A 3D morphable face model: mean + basis . coefficients, for a batch at a time."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np
from jaxtyping import Float32, Float64, Int, Int32, UInt8

from facegen.errors import ModelError
from facegen.files import Array
from facegen.models.attributes import GROUPS, Attributes
from facegen.models.contour import ContourLines, contour_lines
from facegen.scene.parameters import POSTER_UNIT, CoefficientUnit, Layout, layout_of

LANDMARKS = 68
SEGMENTS = (
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

    basis: a coefficient of one adds its row to the mean; component_scale: the length of each row,
    which multiplies coefficients in model space.
    """

    mean: Float32[Array, "V 3"]
    basis: Float32[Array, "k 3*V"]
    component_scale: Float32[Array, "k"]

    @property
    def components(self) -> int:
        """How many coefficients it takes."""
        return len(self.basis)

    def evaluate(
        self, coefficients: Float32[Array, "N k"], out: Float32[Array, "N V 3"] | None = None
    ) -> Float32[Array, "N V 3"]:
        """The values of N faces, one product for the batch; into `out` where it is given."""
        if out is None:
            out = np.empty((len(coefficients), *self.mean.shape), np.float32)
        flat = out.reshape(len(coefficients), self.mean.size)
        np.matmul(coefficients, self.basis, out=flat)
        flat += self.mean.reshape(-1)
        return out

    def leading(self, count: int | None) -> "LinearModel":
        """The model of the first `count` components, or of all."""
        return LinearModel(self.mean, self.basis[:count], self.component_scale[:count])

    def at(self, vertices: Int[Array, "n"]) -> "LinearModel":
        """The model of these vertices alone."""
        basis = self.basis.reshape(self.components, len(self.mean), 3)[:, vertices]
        return LinearModel(
            self.mean[vertices],
            np.ascontiguousarray(basis.reshape(self.components, 3 * len(vertices))),
            self.component_scale,
        )


@dataclass(frozen=True, eq=False)
class FaceUnits:
    """Named movements of the face in coefficients of expression.

    A face in which each moves by its weight, from 0 to 1, has the expression neutral + weights .
    coefficients.
    """

    names: tuple[str, ...]
    coefficients: Float64[Array, "U e"]
    neutral: Float64[Array, "e"]

    def leading(self, count: int | None) -> "FaceUnits":
        """Those of a model with so many leading components, which are orthogonal."""
        return FaceUnits(self.names, self.coefficients[:, :count], self.neutral[:count])


@dataclass(frozen=True, eq=False)
class MorphableModel:
    """A face model in millimetres: CONVENTIONS.md says where its origin and axes are.

    shape and reflectance are linear models with a mean; expression adds to shape. triangles are
    counter-clockwise from outside; landmarks are vertices in the iBUG order; segmentation holds
    indices into SEGMENTS. sha256 is that of the file. expression_names: of the components, where
    they have names; points: vertices of anthropometric points by name, tapes: those along a tape;
    attributes: what gender, age, ... say of the coefficients, where that is known; face_units:
    named movements in coefficients of expression.
    """

    name: str
    shape: LinearModel
    expression: LinearModel
    reflectance: LinearModel
    triangles: Int32[Array, "F 3"]
    landmarks: Int32[Array, "68"]
    segmentation: UInt8[Array, "V"]
    sha256: str
    licence: str = ""
    expression_unit: CoefficientUnit = POSTER_UNIT
    expression_names: tuple[str, ...] = ()
    points: Mapping[str, int] = field(default_factory=dict)
    tapes: Mapping[str, Int32[Array, "n"]] = field(default_factory=dict)
    attributes: Attributes | None = None
    face_units: FaceUnits | None = None

    def __post_init__(self) -> None:
        vertices = len(self.shape.mean)
        for name in ("shape", "expression", "reflectance"):
            _check_linear(name, getattr(self, name), vertices)
        places = {"triangles": self.triangles, "landmarks": self.landmarks, **self.tapes}
        places["points"] = np.array(list(self.points.values()), np.int64)
        for name, indices in places.items():
            if indices.size and not (indices.min() >= 0 and indices.max() < vertices):
                raise ModelError(f"{name} name vertices that do not exist: there are {vertices}")
        for group in GROUPS if self.attributes else ():
            if getattr(self.attributes, group).shape[1] != getattr(self, group).components:
                raise ModelError(f"the attributes speak of other components of {group}")
        if self.expression_names and len(self.expression_names) != self.expression.components:
            raise ModelError("the expressions' names are not one for each")
        labels = self.segmentation
        if labels.shape != (vertices,) or labels.max(initial=0) >= len(SEGMENTS):
            raise ModelError(
                f"the segmentation is not one of {len(SEGMENTS)} labels for each vertex"
            )

    @property
    def vertices(self) -> int:
        """How many there are."""
        return len(self.shape.mean)

    @property
    def layout(self) -> Layout:
        """The schema of theta with all of this model's coefficients."""
        return layout_of(
            self.shape.components,
            self.expression.components,
            self.reflectance.components,
            self.expression_unit,
            self.expression_names,
        )

    @cached_property
    def geometry(self) -> LinearModel:
        """Shape and expression as one linear model of [shape, expression] coefficients."""
        return LinearModel(
            self.shape.mean + self.expression.mean,
            _stacked(self.shape.basis, self.expression.basis),
            np.concatenate([self.shape.component_scale, self.expression.component_scale]),
        )

    @cached_property
    def landmark_geometry(self) -> LinearModel:
        """The geometry of the landmarks alone."""
        return self.geometry.at(self.landmarks)

    @cached_property
    def contour_lines(self) -> ContourLines:
        """Where on the mean face the contour's landmarks may lie when a head turns."""
        return contour_lines(self.mean_face, self.triangles, self.landmarks, self.segmentation)

    @cached_property
    def mean_face(self) -> Float32[Array, "V 3"]:
        """The mean face's vertices in mm."""
        return self.geometry.mean

    @cached_property
    def normalised_mean(self) -> Float32[Array, "V 3"]:
        """The mean face's coordinates, its bounding box stretched over [0, 1]^3 (PNCC, 3DDFA).

        Vertices that no triangle uses have no say.
        """
        surface = self.mean_face[np.unique(self.triangles)]
        low, high = surface.min(axis=0), surface.max(axis=0)
        return np.asarray((self.mean_face - low) / np.where(high > low, high - low, 1))

    @cached_property
    def triangle_segments(self) -> UInt8[Array, "F"]:
        """The label of each triangle: the middle one of its corners'; two outvote one."""
        return np.sort(self.segmentation[self.triangles], axis=1)[:, 1]

    def truncated(
        self, shape: int | None, expression: int | None, reflectance: int | None
    ) -> "MorphableModel":
        """The model with at most so many leading components in each group; None is all."""
        return replace(
            self,
            shape=self.shape.leading(shape),
            expression=self.expression.leading(expression),
            reflectance=self.reflectance.leading(reflectance),
            expression_names=self.expression_names[:expression],
            attributes=self.attributes and self.attributes.leading(shape, reflectance),
            face_units=self.face_units and self.face_units.leading(expression),
        )


def _stacked(
    first: Float32[Array, "a V"], second: Float32[Array, "b V"]
) -> Float32[Array, "a+b V"]:
    """Two bases as one; those that already lie one after the other in memory are not copied."""
    adjacent = first.ctypes.data + first.nbytes == second.ctypes.data
    if adjacent and first.flags.c_contiguous and second.flags.c_contiguous:
        shape = (len(first) + len(second), first.shape[1])
        return np.lib.stride_tricks.as_strided(first, shape, writeable=False)
    return np.concatenate([first, second])


def _check_linear(name: str, model: LinearModel, vertices: int) -> None:
    if model.mean.shape != (vertices, 3):
        raise ModelError(f"the mean of {name} is {model.mean.shape}, not ({vertices}, 3)")
    if model.basis.shape != (len(model.component_scale), 3 * vertices):
        raise ModelError(
            f"the basis of {name} is {model.basis.shape}, "
            f"not ({len(model.component_scale)}, {3 * vertices})"
        )
    for part, array in (
        ("mean", model.mean),
        ("basis", model.basis),
        ("component scale", model.component_scale),
    ):
        if not np.isfinite(array).all():
            raise ModelError(f"the {part} of {name} holds values that are not finite")
