"""dataset.json: what a data set was made of, and its complete shards; written and read here."""

import platform
from collections.abc import Collection
from contextlib import suppress
from dataclasses import replace
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Annotated, Any

import msgspec

from facegen import __version__
from facegen.dataset.encoding import LAYERS, Layer
from facegen.dataset.report import ShardReport
from facegen.dataset.resolving import resolve_with
from facegen.dataset.spec import FORMAT, DatasetSpec, EstimatesFile, ResolvedSpec
from facegen.dataset.stores.store import Store
from facegen.errors import DatasetError, FacegenError, located
from facegen.files import name_in_words, sha256_of
from facegen.recipe.plan import SHARD_NAME, splits_of
from facegen.recipe.recipe import MAX_SAMPLES, Recipe, from_record
from facegen.rendering.image_folder import ImageFolder, list_images
from facegen.sampling.perturbation import Around
from facegen.sampling.randomness import SEEDS

INDEX = "dataset.json"
PACKAGES = ("numpy", "scipy", "pillow", "moderngl", "numba")
MAX_BYTES = 1 << 30
COUNTS = range(1, MAX_SAMPLES + 1)
ON_CPU = DatasetSpec(device="cpu", workers=1)
CONVENTIONS = (
    "Model space: mm, x right, y up, z out of the face. Camera space: OpenGL's. "
    "Pixels: u right, v down, (0, 0) the top-left corner; u = cx - f X/Z, v = cy + f Y/Z. "
    "R = R_z(roll) R_y(yaw) R_x(pitch), radians. "
    "Encoding display: colour = clip(reflectance * (H(n) . illumination), 0, 1); srgb: radiance = "
    "linear albedo * shading + specular, then the camera (image). See CONVENTIONS.md of facegen."
)


Whole = Annotated[int, msgspec.Meta(ge=0, le=MAX_SAMPLES)]
Bytes = Annotated[int, msgspec.Meta(ge=0, le=1 << 62)]


class ModelEntry(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The face model by name and hash of its file."""

    name: str
    sha256: str


class EstimatesEntry(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The estimates that were resampled around."""

    file: str
    sha256: str
    weighted: bool
    adaptive: bool = False


class ShardEntry(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A complete shard."""

    name: Annotated[str, msgspec.Meta(pattern=rf"\A{SHARD_NAME}\Z")]
    samples: Annotated[int, msgspec.Meta(ge=1, le=MAX_SAMPLES)]
    bytes: Bytes
    sha256: str


class Index(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What dataset.json says. recipe: {"name": ..., **table}; layout: [group, width], in order."""

    format: int
    fingerprint: str
    count: Whole
    done: Whole
    seed: int
    recipe: dict[str, Any]
    model: ModelEntry
    layout: list[tuple[str, Whole]]
    splits: dict[str, Whole]
    estimates: EstimatesEntry | None
    layers: list[str]
    backgrounds: str | None
    renderer: Annotated[str, msgspec.Meta(pattern=r"\A[a-z]{1,9}-\d{1,4}\Z")]
    devices: list[str]
    conventions: str
    versions: dict[str, str]
    shard_size: Whole
    shards: list[ShardEntry]


class _Format(msgspec.Struct):
    format: int


def index_of(spec: ResolvedSpec, reports: list[ShardReport]) -> Index:
    """The index of a data set whose shards with these reports are complete."""
    return Index(
        format=FORMAT,
        fingerprint=spec.fingerprint,
        count=spec.count,
        done=sum(report.samples for report in reports),
        seed=spec.seed,
        recipe=spec.recipe.record,
        model=ModelEntry(spec.model.name, spec.model.sha256),
        layout=spec.layout.to_json(),
        splits=split_sizes(spec),
        estimates=_estimates_entry(spec.estimates),
        layers=sorted(spec.layers),
        backgrounds=spec.backgrounds.fingerprint if spec.backgrounds else None,
        renderer=spec.renderer,
        devices=sorted({report.device for report in reports}),
        conventions=CONVENTIONS,
        versions=versions(),
        shard_size=spec.shard_size,
        shards=[entry_of(report) for report in reports],
    )


def entry_of(report: ShardReport) -> ShardEntry:
    """How dataset.json lists a shard."""
    return ShardEntry(report.name, report.samples, report.bytes, report.sha256)


def split_sizes(spec: ResolvedSpec) -> dict[str, int]:
    """The number of samples of each split."""
    return {split.name: split.stop - split.start for split in splits_of(spec.recipe, spec.count)}


def versions() -> dict[str, str]:
    """The versions of what has a say in the pixels."""
    numbers = {"facegen": __version__, "python": platform.python_version()}
    for package in PACKAGES:
        try:
            numbers[package] = version(package)
        except PackageNotFoundError:
            continue
    return numbers


def write_index(store: Store, index: Index) -> None:
    """Write dataset.json."""
    store.write(INDEX, encode_index(index))


def encode_index(index: Index) -> bytes:
    """The bytes of a dataset.json."""
    return msgspec.json.format(msgspec.json.encode(index), indent=1) + b"\n"


def read_index(store: Store) -> Index:
    """What dataset.json says; DatasetError says why it cannot be read."""
    with located(f"{store.where}/{INDEX}"):
        size = store.names().get(INDEX)
        if size is None:
            raise DatasetError("is not there, so this is no data set", "give the folder of one")
        if size > MAX_BYTES:
            raise DatasetError(f"larger than {MAX_BYTES:,} bytes, so not an index")
        return decode_index(store.read(INDEX))


def check_format(store: Store, names: Collection[str]) -> None:
    """Refuse a data set of another format; a dataset.json that cannot be read will be replaced."""
    if INDEX in names:
        with located(f"{store.where}/{INDEX}"), suppress(msgspec.MsgspecError, ValueError):
            _refuse_format(msgspec.json.decode(store.read(INDEX), type=_Format).format)


def check_renderer(spec: ResolvedSpec, store: Store, names: Collection[str]) -> None:
    """Refuse to continue a data set that differs in its renderer alone."""
    if INDEX not in names:
        return
    try:
        index = read_index(store)
    except FacegenError:
        return
    began = replace(spec, renderer=index.renderer)
    if spec.renderer != index.renderer and began.fingerprint == index.fingerprint:
        kind = index.renderer.partition("-")[0]
        same = spec.renderer.startswith(f"{kind}-")
        hint = "use the facegen that began it" if same else f"give --device {kind}"
        message = f"begun by the renderer {index.renderer}, and this run's is {spec.renderer}"
        raise DatasetError(f"{store.where}: {message}", f"{hint}, or use another --out")


def decode_index(data: bytes) -> Index:
    """The index in the bytes of a dataset.json."""
    try:
        _refuse_format(msgspec.json.decode(data, type=_Format).format)
        return msgspec.json.decode(data, type=Index)
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        raise DatasetError(f"not an index of facegen: {error}", _HINT) from None


def _refuse_format(number: int) -> None:
    """DatasetError for any format but this one."""
    if number == 1:
        raise DatasetError("has format 1, of facegen 0.1", "read it with facegen 0.1.0")
    if number != FORMAT:
        raise DatasetError(f"has format {number}, not {FORMAT}", "use the facegen that wrote it")


_HINT = "run the same `facegen render` again"


def open_spec(store: Store, local: DatasetSpec = ON_CPU) -> ResolvedSpec:
    """The spec that a data set was made by, all of it checked by hash.

    Of `local` count the files (model, backgrounds, estimates), device and workers. Backgrounds and
    estimates that are not given are known by hash alone (see ResolvedSpec.can_render).
    """
    index = read_index(store)
    with located(f"{store.where}/{INDEX}"):
        spec = replace(
            local,
            recipe=recipe_of(index),
            model=local.model or index.model.name,
            seed=_within("seed", index.seed, SEEDS),
            count=_within("count", index.count, COUNTS),
            shard_size=_within("shard_size", index.shard_size, COUNTS),
            layers=layers_of(index),
            out=store.where,
        )
        estimates = _estimates(index.estimates, local.estimates)
        resolved = resolve_with(spec, estimates, _backgrounds(index.backgrounds, local.backgrounds))
        _check_model(resolved, index.model)
        return replace(resolved, renderer=index.renderer)


def recipe_of(index: Index) -> Recipe:
    """The recipe that an index keeps, checked anew."""
    if not isinstance(index.recipe.get("name"), str):
        raise DatasetError("recipe: states no name")
    return from_record(index.recipe)


def _within(key: str, value: int, allowed: range) -> int:
    if value not in allowed:
        raise DatasetError(f"{key} = {value} is not from {allowed[0]} to {allowed[-1]}")
    return value


def _check_model(resolved: ResolvedSpec, entry: ModelEntry) -> None:
    if resolved.model.sha256 != entry.sha256:
        raise FacegenError(
            f"made with another face model than {resolved.model.path} "
            f"(its sha256 is {entry.sha256[:16]}…)",
            "give --model the file it was made with",
        )


def layers_of(index: Index) -> frozenset[Layer]:
    """The layers that an index lists; DatasetError where they are none of facegen's."""
    if not set(index.layers) <= set(LAYERS):
        raise DatasetError(f"layers = {index.layers} are not of {', '.join(LAYERS)}")
    return frozenset(name for name in LAYERS if name in index.layers)


def _backgrounds(fingerprint: str | None, folder: Path | None) -> ImageFolder | None:
    """The images behind the heads; without the folder only their fingerprint is known."""
    if fingerprint is None:
        return None
    if folder is None:
        return ImageFolder((), (), fingerprint)
    images = list_images(folder)
    if images.fingerprint != fingerprint:
        raise DatasetError(f"--backgrounds {folder}: not the images it was made with")
    return images


def _estimates(entry: EstimatesEntry | None, path: Path | None) -> EstimatesFile | None:
    """The estimates that were resampled around; without the file only its hash is known."""
    if entry is None:
        return None
    if path is not None and sha256_of(path) != entry.sha256:
        raise DatasetError(f"--estimates {path}: not the estimates it was made with")
    return EstimatesFile(path or Path(), entry.sha256, Around(entry.weighted, entry.adaptive))


def _estimates_entry(file: EstimatesFile | None) -> EstimatesEntry | None:
    if file is None:
        return None
    return EstimatesEntry(name_in_words(file.path.name), file.sha256, *file.how)
