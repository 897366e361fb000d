"""A data set shown: what is gathered from its shards, for one page that needs nothing else."""

import io
from collections import Counter
from dataclasses import dataclass
from itertools import islice
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageStat

from facegen import skin
from facegen.dataset import contact_sheet, spread
from facegen.distributions import Distribution
from facegen.errors import DatasetError
from facegen.illumination import CONSTANT
from facegen.job import Job
from facegen.morphable_model import MorphableModel
from facegen.opened import has_source, read_index
from facegen.parameters import ANGLES, CHANNELS, Float32, Group
from facegen.sampling import Indices, Prior
from facegen.shards import ShardReport, read_samples
from facegen.stopwatch import STAGES
from facegen.stores import Store
from facegen.verify import draws, find_shards
from facegen.verify_labels import read_array

Float64 = NDArray[np.float64]

SHARDS, SAMPLES, PICTURES, FACES = 64, 20_000, 2_000, 48
VERIFY = "run `facegen verify`"


@dataclass(frozen=True, eq=False)
class Panel:
    """Draws of one distribution: the dimensions' name, what was seen, what is stated.

    `factor` turns values into the unit to show.
    """

    name: str
    values: Float64
    stated: Distribution | None
    unit: str
    factor: float


@dataclass(frozen=True, eq=False)
class Gathered:
    """Samples spread over the data set: theta (n, m) of indices (n,), and their pictures.

    brightness (k,): mean luma of pictures in levels of 255; sheet: a contact sheet as JPEG.
    """

    indices: Indices
    theta: Float32
    brightness: Float64
    sheet: bytes


@dataclass(frozen=True, eq=False)
class Facts:
    """Everything that the page shows."""

    job: Job
    index: dict[str, Any]
    reports: list[ShardReport]
    gathered: Gathered
    panels: list[Panel]
    errors: Float64 | None
    tones: skin.Tones | None


def gather(job: Job, store: Store, model: MorphableModel) -> Facts:
    """Read what the page shows; the model gives the reflectance of skin."""
    reports = list(find_shards(job, store, store.names())[0].values())
    if not reports:
        raise DatasetError(f"{store.where}: no shard is finished", "run `facegen render` first")
    gathered = read_spread(job, store, reports)
    coefficients = job.layout.unpack(gathered.theta[:PICTURES]).reflectance
    panels, errors = panels_of(job, gathered)
    found = skin.tones(model, np.ascontiguousarray(coefficients))
    return Facts(job, read_index(store), reports, gathered, panels, errors, found)


def read_spread(job: Job, store: Store, reports: list[ShardReport]) -> Gathered:
    """Labels and pictures of samples from shards spread over the data set."""
    chosen = spread(reports, SHARDS)
    labels, measured, shown = (-(-most // len(chosen)) for most in (SAMPLES, PICTURES, FACES))
    theta, indices, pictures, brightness = [], [], [], []
    for report in chosen:
        with store.local(f"{report.name}.tar") as path:
            for row, (key, members) in enumerate(islice(read_samples(path), labels)):
                try:
                    theta.append(read_array(members["theta.npy"], (job.layout.width,)))
                    indices.append(int(key))
                    picture = members[job.recipe.image.format]
                    brightness += [luma(picture)] if row < measured else []
                except (KeyError, ValueError, OSError) as error:
                    raise DatasetError(f"{path}: sample {key}: {error}", VERIFY) from None
                pictures += [picture] if row < shown else []
    sheet = contact_sheet(spread(pictures, FACES))
    return Gathered(np.array(indices), np.stack(theta), np.array(brightness), sheet)


def luma(picture: bytes) -> float:
    """The mean luma of an encoded picture, 0 to 255."""
    with Image.open(io.BytesIO(picture)) as image:
        return float(ImageStat.Stat(image.convert("L")).mean[0])


def panels_of(job: Job, gathered: Gathered) -> tuple[list[Panel], Float64 | None]:
    """A panel for each distribution of each group; and each dimension's mean in standard errors."""
    if not has_source(job):
        every = np.arange(job.layout.width)
        return ordered_panels(job, [(None, every)], list(gathered.theta.T)), None
    prior, free = draws(job, gathered.indices, gathered.theta)
    return ordered_panels(job, list(prior.blocks), free), standard_errors(prior, free)


def ordered_panels(
    job: Job, blocks: list[tuple[Any, NDArray[np.intp]]], free: list[Float32]
) -> list[Panel]:
    """The panels in the order of theta, every angle by itself."""
    found: list[tuple[int, Panel]] = []
    for group in job.layout.groups:
        where = job.layout.slices[group.name]
        for stated, columns in blocks:
            own = columns[(columns >= where.start) & (columns < where.stop)] - where.start
            for part in own[:, None] if group.name == "rotation" else [own]:
                if len(part):
                    values = np.concatenate([free[where.start + column] for column in part])
                    found.append((int(part[0]) + where.start, panel(group, part, stated, values)))
    return [one for _, one in sorted(found, key=lambda pair: pair[0])]


def panel(group: Group, own: Indices, stated: Distribution | None, values: Float32) -> Panel:
    """The panel of these dimensions `own` (k,) of a group."""
    unit, factor = ("degree", 180 / np.pi) if group.name == "rotation" else (group.unit, 1.0)
    return Panel(dimension_names(group, own), values.astype(np.float64), stated, unit, factor)


def dimension_names(group: Group, own: Indices) -> str:
    """'pitch', 'expression 1\N{EN DASH}63', 'illumination 0'."""
    if group.name == "rotation":
        return ANGLES[int(own[0])]
    numbers = np.unique(own // len(CHANNELS) if group.name == "illumination" else own)
    first, last = int(numbers[0]), int(numbers[-1])
    if first == last:
        return f"{group.name} {first}"
    gapless = last - first == len(numbers) - 1
    return f"{group.name} {first}\N{EN DASH}{last}" + ("" if gapless else ", some")


def standard_errors(prior: Prior, free: list[Float32]) -> Float64:
    """(mean - stated mean) / (stated sd / sqrt n) of each dimension (m,); 0 for a constant."""
    found = np.zeros(prior.width)
    for distribution, columns in prior.blocks:
        for column in columns.tolist() if distribution.sd else []:
            values = free[column].astype(np.float64)
            error = distribution.sd / np.sqrt(len(values))
            found[column] = (values.mean() - distribution.mean) / error
    return found


def pose(facts: Facts) -> tuple[Float64, Float64]:
    """Yaw and pitch in degrees (n,), (n,)."""
    rotation = np.degrees(facts.job.layout.unpack(facts.gathered.theta).rotation)
    return rotation[:, 1].astype(np.float64), rotation[:, 0].astype(np.float64)


def light(facts: Facts) -> tuple[Float64, Float64, Float64]:
    """Where light comes from, on an equal-area disc seen along the view axis, and how bright it is.

    x, y (n,) in [-1, 1]: the centre is light from the camera, the rim from behind; brightness (n,):
    mean irradiance over all directions, the constant coefficient times its basis function.
    """
    illumination = facts.job.layout.unpack(facts.gathered.theta).illumination
    mean = illumination.astype(np.float64).mean(axis=2)
    direction = mean[:, [3, 1, 2]]
    direction /= np.maximum(np.linalg.norm(direction, axis=1, keepdims=True), 1e-12)
    # Lambert's azimuthal equal-area projection, scaled so that the rim is at one.
    scale = 1 / np.sqrt(np.maximum(2 * (1 + direction[:, 2]), 1e-12))
    return direction[:, 0] * scale, direction[:, 1] * scale, CONSTANT * mean[:, 0]


def speeds(reports: list[ShardReport]) -> Float64:
    """Images/s of a worker, by shard."""
    return np.array([r.samples / max(sum(r.seconds.values()), 1e-9) for r in reports])


def stage_shares(reports: list[ShardReport]) -> list[tuple[str, float, float]]:
    """(stage, milliseconds an image, share of the time) in the order of the work."""
    seconds: Counter[str] = Counter()
    for report in reports:
        seconds.update(report.seconds)
    samples, total = sum(r.samples for r in reports), max(sum(seconds.values()), 1e-9)
    return [(s, 1000 * seconds[s] / samples, seconds[s] / total) for s in STAGES]
