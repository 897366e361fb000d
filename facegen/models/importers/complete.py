"""What a foreign model lacks, filled in from ours: place, winding, landmarks, parts, skin.

The rules: model space as CONVENTIONS.md states it; triangles outward; a landmark is the vertex
nearest to the fitted generic head's; a part is that of the nearest fitted vertex; skin is the
generic model's reflectance, mean and modes, of the three nearest fitted vertices of the same part.
"""

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from facegen.errors import ModelError
from facegen.models.importers import fit as fitting
from facegen.models.importers.filled import Filled, filled
from facegen.models.importers.fit import Fit
from facegen.models.importers.foreign import UNKNOWN_LANDMARK, UNKNOWN_PART, ForeignModel, modes
from facegen.models.importers.surface import signed_volume
from facegen.models.model_file import Modes
from facegen.models.morphable_model import LANDMARKS, SEGMENTS, MorphableModel
from facegen.scene.alignment import Similarity

Float64 = NDArray[np.float64]

FAR_MM = 40.0  # of the origin from the middle between the ears: moved if farther
TURNED_DEGREES = 20.0
INSIDE_PENALTY_MM = 3.0
NEIGHBOURS = 3
GREY = 0.6
INSIDE = tuple(SEGMENTS.index(name) for name in ("teeth", "mouth"))
INNER = (*INSIDE, SEGMENTS.index("eyes"))


def complete(model: ForeignModel, generic: MorphableModel) -> Filled:
    """The model in our space with landmarks, parts, reflectance and expression."""
    model = bounded_colours(outward(model))
    whole = model.landmarks is not None and (model.landmarks >= 0).all()
    points = model.mean_face.astype(np.float64)
    fit = fitting.fit(generic, points, model.triangles, model.landmarks)
    try:
        model = model.noting(fitting.check(fit))
    except ModelError:
        if not whole:
            raise
        return _without_fit(model)
    if (
        whole
        and model.segmentation is not None
        and model.segmentation.all()
        and model.reflectance is not None
    ):
        return filled(model)
    model, fit = placed(model, fit)
    model = with_landmarks(model, generic, fit)
    model = with_parts(model, generic, fit)
    return filled(with_skin(model, generic, fit))


def outward(model: ForeignModel) -> ForeignModel:
    """The model with its triangles counter-clockwise from outside."""
    if signed_volume(model.mean_face, model.triangles) >= 0:
        return model
    turned = np.ascontiguousarray(model.triangles[:, ::-1])
    return model.noting("triangles were wound inward: turned", triangles=turned)


def bounded_colours(model: ForeignModel) -> ForeignModel:
    """Reflectance in [0, 1]: one of 0..255 is divided by 255, one far outside is said."""
    colours = model.reflectance
    if colours is None:
        return model
    if colours.mean.max() > 2.5 and colours.mean.min() > -25:
        return model.noting("colours of 0..255 divided by 255", reflectance=colours.scaled(1 / 255))
    outside = float(((colours.mean < 0) | (colours.mean > 1)).mean())
    note = f"WARNING: {outside:.0%} of the mean reflectance lies outside [0, 1]"
    return model.noting(note) if outside > 0.02 else model


def placed(model: ForeignModel, fit: Fit) -> tuple[ForeignModel, Fit]:
    """The model upright and with its origin between the ears, moved only if far from it."""
    pose = fit.pose
    turn = pose.rotation.T if fit.angle > TURNED_DEGREES else np.eye(3)
    off = float(np.linalg.norm(pose.shift))
    shift = -turn @ pose.shift if off > FAR_MM or fit.angle > TURNED_DEGREES else np.zeros(3)
    if not shift.any():
        return model, fit
    note = f"moved by {', '.join(f'{x:.0f}' for x in shift)} mm: the origin is between the ears"
    if fit.angle > TURNED_DEGREES:
        note = f"turned by {fit.angle:.0f} degrees and {note}"
    move = Similarity(turn, shift, 1.0)
    shape = Modes(
        move.apply(model.shape.mean.astype(np.float64)).astype(np.float32),
        _turned(model.shape.basis, turn),
        model.shape.sd,
    )
    expression = model.expression and Modes(
        (model.expression.mean @ turn.T).astype(np.float32),
        _turned(model.expression.basis, turn),
        model.expression.sd,
    )
    home = Similarity(turn @ pose.rotation, move.apply(pose.shift), pose.scale)
    moved = Fit(move.apply(fit.points), home, fit.rms)
    return model.noting(note, shape=shape, expression=expression), moved


def _turned(basis: NDArray[np.float32], turn: Float64) -> NDArray[np.float32]:
    if np.array_equal(turn, np.eye(3)):
        return basis
    vectors = basis.reshape(-1, 3, basis.shape[1])
    turned = np.einsum("ij,vjk->vik", turn.astype(np.float32), vectors)
    return np.ascontiguousarray(turned).reshape(basis.shape)


def with_landmarks(model: ForeignModel, generic: MorphableModel, fit: Fit) -> ForeignModel:
    """The model with all 68: those unknown are the outer vertices nearest to the fitted head's."""
    old = model.landmarks
    old = np.full(LANDMARKS, UNKNOWN_LANDMARK, np.int32) if old is None else old
    missing = np.flatnonzero(old < 0)
    if not len(missing):
        return model
    outer = np.arange(model.vertices)
    if model.segmentation is not None:
        outer = np.flatnonzero(~np.isin(model.segmentation, INNER))
    used = np.intersect1d(outer, model.triangles)
    points = fit.points[generic.landmarks[missing]]
    distance, nearest = cKDTree(model.mean_face[used]).query(points)
    new = old.copy()
    new[missing] = used[nearest]
    return model.noting(
        f"{len(missing)} of 68 landmarks by fitting our head: expect them to be "
        f"{fit.expected_error:.0f} mm off (surface within {np.median(distance):.1f} mm)",
        landmarks=new,
    )


def with_parts(model: ForeignModel, generic: MorphableModel, fit: Fit) -> ForeignModel:
    """The model with a part for each vertex: where none is told, that of the nearest on our head.

    The inside of the mouth counts as 3 mm farther, so that closed lips stay lips. Where the file
    tells eyes, teeth or mouth, no other vertex becomes one.
    """
    old = (
        model.segmentation if model.segmentation is not None else np.zeros(model.vertices, np.uint8)
    )
    missing = np.flatnonzero(old == UNKNOWN_PART)
    if not len(missing):
        return model
    points = model.mean_face[missing]
    inner = np.intersect1d(old, INNER)
    open_to = ~np.isin(generic.segmentation, inner)
    inside = np.isin(generic.segmentation, INSIDE)
    near, part = [], []
    for group, penalty in ((~inside, 0.0), (inside, INSIDE_PENALTY_MM)):
        members = np.flatnonzero(group & open_to)
        if not len(members):
            continue
        distance, nearest = cKDTree(fit.points[members]).query(points, workers=2)
        near.append(distance + penalty)
        part.append(generic.segmentation[members[nearest]])
    new = old.copy()
    new[missing] = np.choose(np.argmin(near, axis=0), part)
    # Vertices that no triangle uses may lie anywhere: they must not be taken for eyes or teeth.
    unused = np.setdiff1d(missing, model.triangles)
    new[unused] = SEGMENTS.index("skin")
    extent = "all parts" if len(missing) == len(old) else "parts that the file does not tell"
    return model.noting(f"{extent} are those of our head, fitted", segmentation=new)


def with_skin(model: ForeignModel, generic: MorphableModel, fit: Fit) -> ForeignModel:
    """The model with a reflectance: its own, or our procedural skin by part."""
    if model.reflectance is not None:
        return model
    assert model.segmentation is not None
    indices, weights = skin_sources(model.mean_face, model.segmentation, generic, fit.points)
    skin = generic.reflectance
    mean = np.einsum("vn,vnc->vc", weights, skin.mean[indices])
    basis = np.empty((model.vertices, 3, skin.components), np.float32)
    for k, row in enumerate(skin.basis.reshape(skin.components, -1, 3)):
        np.einsum("vn,vnc->vc", weights, row[indices], out=basis[:, :, k])
    flat = basis.reshape(-1, skin.components)
    skin_modes = modes("reflectance", mean, flat, np.ones(skin.components))
    return model.noting(
        "no reflectance in the file: our procedural skin by part", reflectance=skin_modes
    )


def skin_sources(
    points: NDArray[np.float32],
    segmentation: NDArray[np.uint8],
    generic: MorphableModel,
    fitted: Float64,
) -> tuple[NDArray[np.intp], NDArray[np.float32]]:
    """For each vertex three of ours of the same part (V, 3), and their weights (V, 3)."""
    indices = np.zeros((len(points), NEIGHBOURS), np.intp)
    weights = np.full((len(points), NEIGHBOURS), 1 / NEIGHBOURS, np.float32)
    for part in np.unique(segmentation):
        for side in (-1, 1):
            targets = np.flatnonzero((segmentation == part) & ((points[:, 0] >= 0) == (side > 0)))
            candidates = np.flatnonzero(
                (generic.segmentation == part) & ((fitted[:, 0] >= 0) == (side > 0))
            )
            candidates = candidates if len(candidates) >= NEIGHBOURS else np.arange(len(fitted))
            if len(targets):
                source = (
                    _overlaid(fitted[candidates], points[targets])
                    if part in INNER
                    else fitted[candidates]
                )
                distance, nearest = cKDTree(source).query(points[targets], NEIGHBOURS, workers=2)
                w = 1 / np.maximum(distance, 0.05) ** 2
                indices[targets], weights[targets] = (
                    candidates[nearest],
                    w / w.sum(axis=1, keepdims=True),
                )
    return indices, weights


def _overlaid(source: Float64, target: NDArray[np.float32]) -> Float64:
    """Our eye, teeth or mouth stretched into the other's bounding box."""
    low, high = source.min(axis=0), source.max(axis=0)
    to_low, to_high = target.min(axis=0), target.max(axis=0)
    shares = (source - low) / np.maximum(high - low, 1e-6)
    return np.asarray(to_low + shares * (to_high - to_low))


def _without_fit(model: ForeignModel) -> Filled:
    """A surface that is no head of ours, with landmarks of the user's: one part, one grey."""
    parts = (
        model.segmentation if model.segmentation is not None else np.zeros(model.vertices, np.uint8)
    )
    parts = np.where(parts == UNKNOWN_PART, SEGMENTS.index("skin"), parts).astype(np.uint8)
    notes = [
        "WARNING: our head does not fit this one: it stays where it is, unknown parts are skin"
    ]
    reflectance = model.reflectance
    if reflectance is None:
        notes.append(f"no reflectance in the file: a constant {GREY}")
        reflectance = modes("reflectance", np.full(3 * model.vertices, GREY), None, None)
    return filled(model.noting(*notes, segmentation=parts, reflectance=reflectance))
