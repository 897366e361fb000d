"""A data set shown: what is gathered from its shards, for one page that needs nothing else."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice

import numpy as np
from jaxtyping import Float32, Float64, Int64
from PIL import Image, ImageStat

from facegen.dataset.card import contact_sheet, spread
from facegen.dataset.encoding import THETA, decode_array, decode_image
from facegen.dataset.index import Index, read_index
from facegen.dataset.report import ShardReport
from facegen.dataset.scan import complete_reports, scan_shards
from facegen.dataset.shards import read_samples, sample_key
from facegen.dataset.spec import ResolvedSpec
from facegen.dataset.stores.store import Store
from facegen.errors import DatasetError
from facegen.files import Array
from facegen.generation.timing import stage_milliseconds
from facegen.inspection import skin
from facegen.models.morphable_model import MorphableModel
from facegen.recipe.distributions import Distribution, Empirical
from facegen.sampling.prior import Prior
from facegen.scene.lighting import CONSTANT
from facegen.scene.parameters import ANGLES, CHANNELS, Group

SHARDS, SAMPLES, IMAGES, FACES = 64, 20_000, 2_000, 48
VERIFY = "run `facegen verify`"


@dataclass(frozen=True, eq=False)
class Panel:
    """Draws of one distribution: the dimensions' name, what was seen, what is stated.

    `factor` turns values into the unit to show.
    """

    name: str
    values: Float64[Array, "..."]
    stated: Distribution | None
    unit: str
    factor: float


@dataclass(frozen=True, eq=False)
class Gathered:
    """Samples spread over the data set: theta (n, m) of indices (n,), and their images.

    brightness (k,): mean luma of images in levels of 255; sheet: a contact sheet as JPEG.
    """

    indices: Int64[Array, "k"]
    theta: Float32[Array, "..."]
    brightness: Float64[Array, "..."]
    sheet: bytes


@dataclass(frozen=True, eq=False)
class Facts:
    """Everything that the page shows."""

    spec: ResolvedSpec
    index: Index
    reports: list[ShardReport]
    gathered: Gathered
    panels: list[Panel]
    errors: Float64[Array, "..."] | None
    tones: skin.Tones | None


def gather(spec: ResolvedSpec, store: Store, model: MorphableModel) -> Facts:
    """Read what the page shows; the model gives the reflectance of skin."""
    scans = scan_shards(spec, store, store.names())
    reports = complete_reports(scans)
    if not reports:
        raise DatasetError(f"{store.where}: no shard is complete", "run `facegen render` first")
    gathered = read_spread(spec, store, reports)
    coefficients = spec.layout.unpack(gathered.theta[:IMAGES]).reflectance
    panels, errors = panels_of(spec, gathered)
    tones = skin.tones(model, np.ascontiguousarray(coefficients))
    return Facts(spec, read_index(store), reports, gathered, panels, errors, tones)


def read_spread(spec: ResolvedSpec, store: Store, reports: list[ShardReport]) -> Gathered:
    """Labels and images of samples from shards spread over the data set."""
    sampled = spread(reports, SHARDS)
    labels, measured, shown = (-(-most // len(sampled)) for most in (SAMPLES, IMAGES, FACES))
    theta, indices, images, brightness = [], [], [], []
    for report in sampled:
        with store.local(f"{report.name}.tar") as path:
            for row, (key, members) in enumerate(islice(read_samples(path), labels)):
                try:
                    check_key(key, report.start + row)
                    theta.append(decode_array(members[THETA], (spec.layout.width,)))
                    indices.append(report.start + row)
                    image = members[spec.recipe.image.format]
                    brightness += [luma(image)] if row < measured else []
                except (KeyError, DatasetError) as error:
                    raise DatasetError(f"{path}: sample {key}: {error}", VERIFY) from None
                images += [image] if row < shown else []
    sheet = contact_sheet(spread(images, FACES))
    return Gathered(np.array(indices), np.stack(theta), np.array(brightness), sheet)


def check_key(key: str, index: int) -> None:
    """DatasetError unless this is the key of the sample of this index."""
    if key != sample_key(index):
        raise DatasetError(f"stands where {sample_key(index)} should be")


def luma(encoded: bytes) -> float:
    """The mean luma of an encoded image, 0 to 255."""
    image = Image.fromarray(decode_image(encoded))
    return float(ImageStat.Stat(image.convert("L")).mean[0])


def panels_of(
    spec: ResolvedSpec, gathered: Gathered
) -> tuple[list[Panel], Float64[Array, "..."] | None]:
    """A panel for each distribution of each group; and each dimension's mean in standard errors."""
    if not spec.has_source:
        every = np.arange(spec.layout.width)
        return ordered_panels(spec, [(None, every)], list(gathered.theta.T)), None
    source = spec.source()
    draws = source.independent(spec.seed, gathered.indices, gathered.theta)
    prior = source.distributions
    shown = [draw if len(draw) else gathered.theta[:, c] for c, draw in enumerate(draws)]
    return ordered_panels(spec, shown_blocks(prior), shown), standard_errors(prior, draws)


Block = tuple[Distribution | None, Int64[Array, "k"]]


def shown_blocks(prior: Prior) -> list[Block]:
    """The prior's blocks, those known by draws alone as one without a stated distribution."""
    known = [(d, columns) for d, columns in prior.blocks if not isinstance(d, Empirical)]
    others = [columns for d, columns in prior.blocks if isinstance(d, Empirical)]
    return [*known, *([(None, np.sort(np.concatenate(others)))] if others else [])]


def ordered_panels(
    spec: ResolvedSpec, blocks: Sequence[Block], draws: list[Float32[Array, "k"]]
) -> list[Panel]:
    """The panels in the order of theta, every angle by itself."""
    panels: list[tuple[int, Panel]] = []
    for group in spec.layout.groups:
        where = spec.layout.slices[group.name]
        for stated, columns in blocks:
            dimensions = columns[(columns >= where.start) & (columns < where.stop)] - where.start
            for part in dimensions[:, None] if group.name == "rotation" else [dimensions]:
                if len(part):
                    values = np.concatenate([draws[where.start + column] for column in part])
                    panels.append((int(part[0]) + where.start, panel(group, part, stated, values)))
    return [panel for _, panel in sorted(panels, key=lambda pair: pair[0])]


def panel(
    group: Group,
    dimensions: Int64[Array, "k"],
    stated: Distribution | None,
    values: Float32[Array, "..."],
) -> Panel:
    """The panel of these dimensions (k,) of a group."""
    unit, factor = ("degree", 180 / np.pi) if group.name == "rotation" else (str(group.unit), 1.0)
    return Panel(
        dimension_names(group, dimensions), values.astype(np.float64), stated, unit, factor
    )


def dimension_names(group: Group, dimensions: Int64[Array, "k"]) -> str:
    """'pitch', 'expression 1\N{EN DASH}63', 'illumination 0'."""
    if group.name == "rotation":
        return ANGLES[int(dimensions[0])]
    numbers = np.unique(dimensions // len(CHANNELS) if group.name == "illumination" else dimensions)
    first, last = int(numbers[0]), int(numbers[-1])
    if first == last:
        return f"{group.name} {first}"
    gapless = last - first == len(numbers) - 1
    return f"{group.name} {first}\N{EN DASH}{last}" + ("" if gapless else ", some")


def standard_errors(prior: Prior, draws: list[Float32[Array, "k"]]) -> Float64[Array, "..."]:
    """(mean - stated mean) / (stated sd / sqrt n) of each dimension (m,); 0 for a constant."""
    errors = np.zeros(prior.width)
    for distribution, columns in prior.blocks:
        for column in columns.tolist() if distribution.sd else []:
            values = draws[column].astype(np.float64)
            if not len(values):
                continue
            error = distribution.sd / np.sqrt(len(values))
            errors[column] = (values.mean() - distribution.mean) / error
    return errors


def pose(content: Facts) -> tuple[Float64[Array, "..."], Float64[Array, "..."]]:
    """Yaw and pitch in degrees (n,), (n,)."""
    rotation = np.degrees(content.spec.layout.unpack(content.gathered.theta).rotation)
    return rotation[:, 1].astype(np.float64), rotation[:, 0].astype(np.float64)


def light(
    content: Facts,
) -> tuple[Float64[Array, "..."], Float64[Array, "..."], Float64[Array, "..."]]:
    """Where light comes from, on an equal-area disc seen along the view axis, and how bright it is.

    x, y (n,) in [-1, 1]: the centre is light from the camera, the rim from behind; brightness (n,):
    mean irradiance over all directions, the constant coefficient times its basis function.
    """
    illumination = content.spec.layout.unpack(content.gathered.theta).illumination
    mean = illumination.astype(np.float64).mean(axis=2)
    direction = mean[:, [3, 1, 2]]
    direction /= np.maximum(np.linalg.norm(direction, axis=1, keepdims=True), 1e-12)
    # Lambert's azimuthal equal-area projection, scaled so that the rim is at one.
    scale = 1 / np.sqrt(np.maximum(2 * (1 + direction[:, 2]), 1e-12))
    return direction[:, 0] * scale, direction[:, 1] * scale, CONSTANT * mean[:, 0]


def speeds(reports: list[ShardReport]) -> Float64[Array, "..."]:
    """Images/s of a worker, by shard."""
    return np.array([r.samples / max(sum(r.seconds.values()), 1e-9) for r in reports])


def stage_shares(reports: list[ShardReport]) -> list[tuple[str, float, float]]:
    """(stage, milliseconds an image, share of the time) in the order of the work."""
    stages = stage_milliseconds(reports)
    total = max(sum(stages.values()), 1e-9)
    return [(stage, ms, ms / total) for stage, ms in stages.items()]
