"""A spec checked, its defaults filled in: DatasetSpec -> ResolvedSpec."""

import os
import re
from pathlib import Path

from facegen.dataset.encoding import check_layers
from facegen.dataset.spec import DatasetSpec, EstimatesFile, ModelFile, ResolvedSpec
from facegen.errors import RecipeError, UsageError, located
from facegen.files import sha256_of
from facegen.folders import cache_notes
from facegen.imaging.faces import rendered_layers
from facegen.models import catalogue
from facegen.models.cache import open_model
from facegen.models.morphable_model import MorphableModel
from facegen.recipe.loading import load
from facegen.recipe.plan import shards_of
from facegen.recipe.recipe import Recipe
from facegen.rendering import devices
from facegen.rendering.image_folder import ImageFolder, list_images
from facegen.sampling import estimates as estimates_file
from facegen.sampling.estimates import Estimates
from facegen.sampling.framing import check_camera
from facegen.sampling.perturbation import Around, perturbation_of
from facegen.sampling.prior import source_of

TARGET_SHARDS = 200
SMALLEST_SHARD, LARGEST_SHARD = 100, 10_000


def resolve(spec: DatasetSpec) -> ResolvedSpec:
    """Check a spec and fill in its defaults; FacegenError says why it cannot end well.

    Nothing is written.
    """
    if spec.backgrounds:
        _check_apart(str(spec.out), spec.backgrounds)
    backgrounds = list_images(spec.backgrounds) if spec.backgrounds else None
    file = None
    if spec.estimates:
        how = Around(spec.weighted, spec.adaptive)
        file = EstimatesFile(spec.estimates, sha256_of(spec.estimates), how)
    return resolve_with(spec, file, backgrounds)


def resolve_with(
    spec: DatasetSpec, file: EstimatesFile | None, backgrounds: ImageFolder | None
) -> ResolvedSpec:
    """Resolve a spec whose own files are known already, perhaps by their hashes alone."""
    estimates = _read_estimates(file)
    recipe = _recipe(spec)
    count = _count(spec, recipe, estimates)
    shard_size = spec.shard_size or default_shard_size(count)
    with located(f"recipe {recipe.name}"):
        shards = len(shards_of(recipe, count, shard_size))
    start, stop = parse_part(spec.shards, shards) if spec.shards else (0, shards)
    path, model = _model(spec, recipe, estimates)
    parsed = devices.parse(spec.device)
    resolved = ResolvedSpec(
        recipe=recipe,
        model=ModelFile(model.name, path, model.sha256),
        layout=model.layout,
        attributes=model.attributes,
        face_units=model.face_units,
        seed=spec.seed,
        count=count,
        shard_size=shard_size,
        layers=check_layers(spec.layers),
        backgrounds=backgrounds,
        estimates=file,
        out=_absolute(str(spec.out)),
        start=start,
        stop=stop,
        devices=parsed,
        renderer=devices.renderer_of(parsed),
        workers=spec.workers or cores(),
        notes=_notes(backgrounds, file, estimates, model),
    )
    _check(resolved, estimates)
    return resolved


def parse_part(text: str, shards: int) -> tuple[int, int]:
    """The shards that 'A:B' or 'k/N' names, as (start, stop)."""
    match = re.fullmatch(r"(\d{1,9}):(\d{1,9})|(\d{1,9})/(\d{1,9})", text)
    if not match:
        raise UsageError(f"--shards: {text!r} is neither A:B nor k/N", "say 0:100, or 3/16")
    if match[1]:
        start, stop = int(match[1]), int(match[2])
    else:
        k, n = int(match[3]), int(match[4])
        start, stop = ((k - 1) * shards // n, k * shards // n) if 1 <= k <= n else (0, 0)
    if not 0 <= start < stop <= shards:
        raise UsageError(
            f"--shards: {text!r} names no shards; there are {shards}", "k counts from 1"
        )
    return start, stop


def default_shard_size(count: int) -> int:
    """A round number of samples, for about two hundred shards of a hundred to ten thousand."""
    steps: list[int] = [digit * 10**power for power in range(2, 5) for digit in (1, 2, 5)]
    target = min(max(count / TARGET_SHARDS, SMALLEST_SHARD), LARGEST_SHARD)
    return max(step for step in steps if step <= target)


def cores() -> int:
    """The cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _recipe(spec: DatasetSpec) -> Recipe:
    """The recipe with what size, format and quality say."""
    recipe = spec.recipe if isinstance(spec.recipe, Recipe) else load(str(spec.recipe))
    changes = {"size": spec.size, "format": spec.format, "quality": spec.quality}
    image = {key: value for key, value in changes.items() if value is not None}
    try:
        return recipe.with_changes({"image": image}) if image else recipe
    except RecipeError as error:
        raise UsageError(f"--size, --format, --quality: {error.message}", error.hint) from None


def _read_estimates(file: EstimatesFile | None) -> Estimates | None:
    if file is None or not file.path.is_file():
        return None
    estimates = estimates_file.read(file.path)
    if file.how.weighted and estimates.confidence is None:
        raise UsageError(f"--weighted: {file.path} has no /confidence", "leave --weighted out")
    if file.how.adaptive and estimates.sd is None:
        raise UsageError(f"--adaptive: {file.path} has no /sd", "leave --adaptive out")
    return estimates


def _count(spec: DatasetSpec, recipe: Recipe, estimates: Estimates | None) -> int:
    if spec.count and spec.per_image:
        raise UsageError("--count and --per-image say the same thing", "give one of them")
    if spec.count:
        return spec.count
    if estimates is not None:
        return len(estimates) * (spec.per_image or 1)
    if recipe.identities is None:
        raise UsageError("--count is missing", "say how many: --count 1k")
    return recipe.identities.total


def _model(
    spec: DatasetSpec, recipe: Recipe, estimates: Estimates | None
) -> tuple[Path, MorphableModel]:
    """The model asked for, else that of the estimates, else that of the recipe; and its file."""
    name = spec.model or (estimates and estimates.origin.model) or recipe.model
    path = catalogue.find(str(name))
    return path, open_model(path, recipe.coefficients)


def _notes(
    backgrounds: ImageFolder | None,
    file: EstimatesFile | None,
    estimates: Estimates | None,
    model: MorphableModel,
) -> tuple[str, ...]:
    """What the user should know: of the cache, of files passed over, of what is assumed."""
    notes = [*cache_notes(), *([backgrounds.note] if backgrounds and backgrounds.note else [])]
    if file is not None and estimates is not None:
        with located(file.path):
            assumed = estimates_file.check_layout(estimates, model.layout, model.sha256)
        notes += [f"{file.path}: {note}" for note in assumed]
    return tuple(notes)


def _check(resolved: ResolvedSpec, estimates: Estimates | None) -> None:
    """Refuse what cannot be sampled."""
    file, recipe, layout = resolved.estimates, resolved.recipe, resolved.layout
    rendered_layers(resolved.layers, recipe.image.encoding)
    with located(f"recipe {recipe.name}"):
        _check_kind(resolved)
        check_camera(recipe)
        source_of(recipe, layout, resolved.attributes, resolved.face_units)
    if file is not None and estimates is not None:
        with located(file.path):
            perturbation_of(recipe, layout, estimates, file.how)


def _check_kind(resolved: ResolvedSpec) -> None:
    kind = "perturbation" if resolved.estimates else "prior"
    if resolved.recipe.kind == kind:
        return
    if resolved.estimates:
        raise RecipeError("states a prior, not a perturbation", "try --recipe bootstrap")
    raise RecipeError("states a perturbation of estimates", "use it with `facegen bootstrap`")


def _check_apart(out: str, backgrounds: Path) -> None:
    """Refuse to write among the backgrounds: the preview would be one of them."""
    folder = backgrounds.resolve()
    if folder in (Path(_absolute(out)).resolve(), *Path(_absolute(out)).resolve().parents):
        raise UsageError(f"--out {out}: lies in --backgrounds {backgrounds}", "write elsewhere")


def _absolute(out: str) -> str:
    try:
        return out if "://" in out else str(Path(out).absolute())
    except OSError:
        hint = "give an absolute path"
        raise UsageError(f"--out {out}: the working directory is gone", hint) from None
