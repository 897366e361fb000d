"""How well what is learned on renderings is true of photographs.

    python benchmarks/transfer.py PHOTOS --work data/transfer

PHOTOS is a folder of photographs of faces with landmarks.json {file: [[x, y] x 68]}; nothing is
trained on them. Each row of the table is a recipe whose faces a small network is trained on. The
photographs are cropped to their marked landmarks, as the recipe's faces are on average; an error is
the mean over five crops, a few percent larger, smaller and aside. Choose by the first half of the
photographs (by name); the second half is for reporting. The intervals are over faces, the means of
the seeds; those of differences are paired.

Every run has a number of steps that --minutes fixes beforehand, on one thread, so that results can
be had again. The same command continues where it was cut off, by row, seed and step; finished
results are in WORK/results.json.
"""

from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path

import click
import msgspec
import numpy as np
from transfer_parts.photographs import crop, read_photographs
from transfer_parts.report import tables
from transfer_parts.rows import Row, chosen, usable
from transfer_parts.sheet import sheet
from transfer_parts.trial import Result, Task, end_with_parent, perform, render, result_name

from facegen.dataset.resolving import cores
from facegen.errors import FacegenError
from facegen.files import write_file
from facegen.generation.processes import spawning
from facegen.learning.frames import framing_of

RESULTS = "results.json"
Trial = tuple[Row, int]
Results = dict[str, Result]


def stored(task: Task) -> Results:
    """The results of all that was finished, by what decides them."""
    path = task.work / RESULTS
    if not path.exists():
        return {}
    try:
        return msgspec.json.decode(path.read_bytes(), type=Results)
    except msgspec.MsgspecError as error:
        raise FacegenError(f"{path}: not results of this benchmark: {error}") from None


def measured(rows: Sequence[Row], seeds: int, task: Task, jobs: int) -> list[Result]:
    """The results of every row and seed, in order; what is missing is made."""
    trials = {result_name(row, seed, task): (row, seed) for row in rows for seed in range(seeds)}
    results = stored(task)
    missing = {name: trial for name, trial in trials.items() if name not in results}
    for row in {row.key: row for row, _ in missing.values()}.values():
        render(row, task)
    for name, result in performed(missing, task, jobs):
        results[name] = result
        write_file(task.work / RESULTS, msgspec.json.encode(results))
    return [results[name] for name in trials]


def performed(missing: dict[str, Trial], task: Task, jobs: int) -> Iterator[tuple[str, Result]]:
    """Results as they come, so many trained side by side."""
    if not missing:
        return
    with spawning() as context:
        pool = ProcessPoolExecutor(min(jobs, len(missing)), context, end_with_parent)
        futures = {
            pool.submit(perform, row, seed, task): name for name, (row, seed) in missing.items()
        }
    with pool:
        try:
            for future in as_completed(futures):
                yield futures[future], future.result()
        finally:
            pool.shutdown(wait=False, cancel_futures=True)


def draw(rows: Sequence[Row], results: Sequence[Result], task: Task, path: Path) -> None:
    """A contact sheet of each row's first seed, beside `path` with the row's key."""
    pictures = read_photographs(task.photographs)
    for row in rows:
        result = next(result for result in results if result.row == row.name)
        crops = crop(pictures, framing_of(row.stated.camera, row.size), 0)
        image = sheet(crops, np.array(result.direct), np.array(result.theta))
        image.save(path.with_name(f"{path.stem}-{row.key}.png"))


@click.command(help=__doc__.partition("\n")[0])
@click.argument("photos", type=click.Path(path_type=Path, exists=True, file_okay=False))
@click.option("--work", type=click.Path(path_type=Path), default=Path("data/transfer"))
@click.option("--rows", "names", help="Only these, by key, separated by commas.")
@click.option("--seeds", type=click.IntRange(1), default=3, show_default=True)
@click.option("--minutes", type=float, default=10.0, show_default=True, help="Of one training.")
@click.option("--real", type=click.Path(path_type=Path, exists=True), help="real_domain.py's.")
@click.option("--jobs", type=click.IntRange(1), default=cores(), help="Trainings side by side.")
@click.option("--plot", type=click.Path(path_type=Path), help="Save sheets as FILE-<row>.png.")
def main(
    photos: Path,
    work: Path,
    names: str | None,
    seeds: int,
    minutes: float,
    real: Path | None,
    jobs: int,
    plot: Path | None,
) -> None:
    """Train every row with every seed, measure it on PHOTOS, and print the tables."""
    task = Task(photos, work, minutes, real)
    try:
        rows = usable(chosen(names), click.echo)
        if not rows:
            raise FacegenError("no row can be made here")
        results = measured(rows, seeds, task, jobs)
        click.echo(tables(results))
        if plot:
            draw(rows, results, task, plot)
    except FacegenError as error:
        raise click.ClickException(str(error)) from None


if __name__ == "__main__":
    main()
