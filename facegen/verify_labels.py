"""What a sample's label should say, and what one says instead."""

import io
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from facegen import sampling
from facegen.geometry import Cameras, crop_to_landmarks, model_to_camera, to_camera
from facegen.job import Job
from facegen.morphable_model import LANDMARKS
from facegen.opened import has_source
from facegen.parameters import Float32
from facegen.plan import identities_of
from facegen.sampling import Indices
from facegen.shards import sample_key
from facegen.studio import Source, model_of, source_of
from facegen.verify_faults import FaultList

Sample = tuple[str, Mapping[str, bytes]]

LABEL_KEYS = {"index", "K", "model_to_camera", "identity", "parent"}
# (atol, rtol): what another BLAS, or another size of batch, may do to a camera.
TOLERANCES = {"K": (1e-2, 1e-4), "model_to_camera": (1e-5, 1e-6)}


@dataclass(frozen=True, eq=False)
class Labels:
    """Labels of N samples: theta (N, m), or None where it is not known, nor then are parents."""

    indices: Indices
    theta: Float32 | None
    cameras: Cameras
    owners: Indices
    parents: list[dict[str, Any] | None] | None


class Truth:
    """What the labels of a job's samples should be."""

    def __init__(self, job: Job) -> None:
        self._job = job
        self._landmarks = model_of(job.recipe, job.model.path).landmark_geometry
        self._source: Source | None = source_of(job, job.layout) if has_source(job) else None

    def labels(self, indices: Indices, stored: Float32) -> Labels:
        """The labels due; their cameras follow the stored theta (N, m) where no other is known."""
        job, source = self._job, self._source
        theta = source.theta(job.seed, indices) if source else None
        parameters = job.layout.unpack(stored if theta is None else theta)
        distance, crop = sampling.sample_cameras(job.recipe.camera, job.seed, indices)
        transform = model_to_camera(parameters.rotation, distance)
        points = to_camera(self._landmarks.evaluate(parameters.geometry), transform)
        K = crop_to_landmarks(points, crop, job.recipe.image.size)
        parents = source.parents(job.seed, indices) if source else None
        owners = identities_of(job.recipe, indices)
        return Labels(indices, theta, Cameras(transform, K), owners, parents)


def read_theta(group: list[Sample], width: int, faults: FaultList) -> Float32 | None:
    """theta (N, m) as stored, if every row is one."""
    theta = np.zeros((len(group), width), np.float32)
    before = len(faults)
    for row, (key, members) in enumerate(group):
        try:
            theta[row] = read_array(members["theta.npy"], (width,))
        except ValueError as error:
            faults.add("theta", f"sample {key}: theta.npy {error}")
    return theta if len(faults) == before else None


def read_array(data: bytes, shape: tuple[int, ...]) -> Float32:
    """A float32 array of this shape, all finite; ValueError says what it is instead."""
    try:
        array = np.load(io.BytesIO(data), allow_pickle=False)
    except (ValueError, OSError, EOFError) as error:
        raise ValueError(f"is no array: {error}") from None
    if array.shape != shape or array.dtype != np.float32:
        raise ValueError(f"is {array.dtype} {array.shape}, not float32 {shape}")
    bad = np.count_nonzero(~np.isfinite(array))
    if bad:
        raise ValueError(f"holds {bad} values that are NaN or infinite")
    return array


def check_theta(theta: Float32, due: Labels, faults: FaultList) -> None:
    """theta is bit by bit what (recipe, seed, index) gives."""
    if due.theta is None:
        return
    for row in np.flatnonzero((theta != due.theta).any(axis=1)).tolist():
        gap = np.abs(theta[row] - due.theta[row])
        faults.add(
            "theta",
            f"sample {sample_key(int(due.indices[row]))}: theta is not what recipe, seed and index "
            f"give: {np.count_nonzero(gap)} of {len(gap)} dimensions differ, by up to "
            f"{gap.max():.3g}",
        )


def check_label(row: int, sample: Sample, due: Labels, faults: FaultList) -> dict[str, Any]:
    """The sample's json and what goes with it, held against what is due."""
    key, members = sample
    label: dict[str, Any] = {}
    facts: list[str] = []
    try:
        label = json.loads(members["json"])
        facts += label_facts(row, label, due)
        if "landmarks.npy" in members:
            read_array(members["landmarks.npy"], (LANDMARKS, 3))
    except (ValueError, TypeError, AttributeError, RecursionError) as error:
        facts.append(f"the label cannot be read: {error}")
    if members.get("cls", owner := str(due.owners[row]).encode()) != owner:
        facts.append("cls is not its identity")
    for fact in facts:
        faults.add("labels", f"sample {key}: {fact}")
    return label


def label_facts(row: int, label: dict[str, Any], due: Labels) -> Iterator[str]:
    """What is wrong with a label."""
    if label.keys() != LABEL_KEYS:
        yield f"the json has {', '.join(label)}"
        return
    if label["index"] != due.indices[row]:
        yield f"index {label['index']} is another sample's"
    if label["identity"] != due.owners[row]:
        yield f"identity {label['identity']} should be {due.owners[row]}"
    if due.parents is not None and label["parent"] != due.parents[row]:
        yield f"parent {label['parent']} should be {due.parents[row]}"
    for name, (atol, rtol) in TOLERANCES.items():
        stored, wanted = np.asarray(label[name], np.float64), getattr(due.cameras, name)[row]
        if stored.shape != wanted.shape:
            yield f"{name} is {stored.shape}, not {wanted.shape}"
        elif not np.allclose(stored, wanted, rtol, atol):
            gap = np.abs(stored - wanted).max()
            yield f"{name} is not that of its camera and crop (off by {gap:.3g})"
