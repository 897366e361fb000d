"""A data set opened again: the job that dataset.json records, whole, as if it were to be made."""

import json
from pathlib import Path
from typing import Any

from facegen import recipe
from facegen.backgrounds import Pictures, list_pictures
from facegen.errors import DatasetError, FacegenError, located
from facegen.files import digest
from facegen.job import FORMAT, EstimatesFile, Job
from facegen.layers import LAYERS
from facegen.plan import shards_of
from facegen.recipe_tables import Table, get
from facegen.sampling import SEEDS
from facegen.stores import Store
from facegen.studio import prepare_job

INDEX = "dataset.json"
COUNTS = range(1, recipe.MAX_SAMPLES + 1)


def read_job(
    store: Store,
    model: str | None = None,
    backgrounds: Path | None = None,
    estimates: Path | None = None,
    devices: tuple[str, ...] = ("cpu",),
    workers: int = 1,
) -> Job:
    """The job a data set was made by; what it was made of is checked by hash.

    The files of backgrounds and estimates are known by their hash alone: give them again where
    they are needed (see `can_render`).
    """
    with located(f"{store.where}/{INDEX}"):
        return _job(
            read_index(store),
            store,
            model,
            backgrounds,
            estimates,
            devices=devices,
            workers=workers,
        )


def read_index(store: Store) -> Table:
    """What dataset.json says."""
    if INDEX not in store.names():
        raise DatasetError("is not there, so this is no data set", "give the folder of one")
    try:
        table = json.loads(store.read(INDEX))
    except (ValueError, RecursionError) as error:
        raise DatasetError(f"not JSON: {error}", "run the same `facegen render` again") from None
    if not isinstance(table, dict) or table.get("format") != FORMAT:
        raise DatasetError(f"not an index of format {FORMAT}", "use the facegen that wrote it")
    return table


def has_source(job: Job) -> bool:
    """Whether theta can be drawn again: the estimates, if there are any, are at hand."""
    return job.estimates is None or job.estimates.path.is_file()


def can_render(job: Job) -> bool:
    """Whether the samples can be made again: estimates and backgrounds are at hand, if any."""
    return has_source(job) and (job.backgrounds is None or bool(job.backgrounds.files))


def _job(
    table: Table,
    store: Store,
    model: str | None,
    backgrounds: Path | None,
    estimates: Path | None,
    **facts: Any,
) -> Job:
    stated = get(table, "recipe", dict)
    get(stated, "name", str)  # A data set names its recipe.
    chosen = recipe.from_record(stated)
    count, size = (_whole(table, key, COUNTS) for key in ("count", "shard_size"))
    job = prepare_job(
        recipe=chosen,
        model=model or get(get(table, "model", dict), "name", str),
        estimates=_estimates(table.get("estimates"), estimates),
        seed=_whole(table, "seed", SEEDS),
        count=count,
        shard_size=size,
        part=(0, len(shards_of(chosen, count, size))),
        layers=_layers(get(table, "layers", list)),
        backgrounds=_backgrounds(table.get("backgrounds"), backgrounds),
        out=store.where,
        **facts,
    )
    _check_model(job, get(get(table, "model", dict), "sha256", str))
    return job


def _whole(table: Table, key: str, among: range) -> int:
    value = get(table, key, int)
    if value not in among:
        raise DatasetError(f"{key} = {value} is not from {among[0]} to {among[-1]}")
    return value


def _check_model(job: Job, sha256: str) -> None:
    if job.model.sha256 != sha256:
        raise FacegenError(
            f"made with another face model than {job.model.path} (its sha256 is {sha256[:16]}…)",
            "give --model the file it was made with",
        )


def _layers(names: list[Any]) -> frozenset[str]:
    if not set(map(str, names)) <= set(LAYERS):
        raise DatasetError(f"layers = {names} are not of {', '.join(LAYERS)}")
    return frozenset(names)


def _backgrounds(digest: str | None, folder: Path | None) -> Pictures | None:
    """The pictures behind the heads; without the folder only their digest is known."""
    if digest is None:
        return None
    if folder is None:
        return Pictures((), digest)
    pictures = list_pictures(folder)
    if pictures.digest != digest:
        raise DatasetError(f"--backgrounds {folder}: not the pictures it was made with")
    return pictures


def _estimates(stated: Table | None, file: Path | None) -> EstimatesFile | None:
    """The estimates that were resampled around; without the file only its hash is known."""
    if stated is None:
        return None
    if not isinstance(stated, dict):
        raise DatasetError(f"estimates = {stated!r} is not a table")
    sha256 = get(stated, "sha256", str)
    if file is not None and digest(file) != sha256:
        raise DatasetError(f"--estimates {file}: not the estimates it was made with")
    return EstimatesFile(file or Path(), sha256, bool(stated.get("weighted")))
