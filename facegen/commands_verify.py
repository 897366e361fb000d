"""`facegen verify` and `facegen report`: what a data set holds, proved and shown."""

import sys
from pathlib import Path
from typing import Any

import click
from tqdm import tqdm

from facegen import labels_table, report, report_page, verify
from facegen.engines import cores
from facegen.errors import UsageError, located
from facegen.job import Job
from facegen.opened import read_job
from facegen.renderers import devices
from facegen.stores import Store, open_store
from facegen.stores.folder import write_file
from facegen.studio import model_of
from facegen.verify import Verdict

LISTED = 50

EXISTING = click.Path(path_type=Path)
MODEL = click.option("--model", help="Name or .h5 file.  [default: the recorded name]")


def open_job(where: str, words: dict[str, Any]) -> tuple[Job, Store]:
    """The job of a data set, on the device and with the files that the command line gives."""
    store = open_store(where)
    job = read_job(
        store,
        words["model"],
        backgrounds=words.get("backgrounds"),
        estimates=words.get("estimates"),
        devices=devices.parse(words.get("device", "cpu")),
        workers=words.get("workers") or cores(),
    )
    return job, store


@click.command("verify")
@click.argument("dataset", metavar="DIR")
@click.option("--rerender", default=str(verify.DEFAULT_RERENDER), help="So many samples, or all.")
@click.option("--fix", is_flag=True, help="Remove what must be made again.")
@click.option("--strict", is_flag=True, help="Warnings are faults.")
@MODEL
@click.option("--device", default="auto", help="To render again on: auto, cpu, egl, egl:N.")
@click.option("--workers", type=click.IntRange(1, 1024), help="Processes.  [default: the cores]")
@click.option("--backgrounds", type=EXISTING, help="The folder of pictures it was made with.")
@click.option("--estimates", type=EXISTING, help="The .h5 file it was made with.")
def verify_command(dataset: str, rerender: str, fix: bool, strict: bool, **words: Any) -> None:
    """Prove a data set: hashes, labels, priors, and faces rendered again from their labels."""
    wanted = parse_rerender(rerender)
    job, store = open_job(dataset, words)
    with tqdm(total=job.count, unit="image", unit_scale=True, desc=dataset) as bar:
        verdict = verify.verify(job, store, wanted, bar.update)
    click.echo(table(verdict))
    if fix and not verdict.ok:
        with located(dataset):
            removed = verify.remove_faulty(job, store, verdict)
        click.echo(f"Removed {len(removed)} files: {', '.join(removed[:LISTED]) or 'none'}")
        click.echo("Run the same `facegen render` again to make what is missing.")
    sys.exit(0 if verdict.ok and not (strict and verdict.warnings) else 1)


def parse_rerender(text: str) -> int | None:
    """A number of samples, or None for all."""
    if text == "all":
        return None
    if not text.isascii() or not text.isdigit() or len(text) > 10:
        raise UsageError(f"--rerender: {text!r} is neither a number nor all")
    return int(text)


def table(verdict: Verdict) -> str:
    """The verdict for a person: a row for each check, then what is wrong."""
    rows = [
        f"{'ok   ' if not check.faults else 'WRONG'}  {check.name:9} {check.proves} "
        f"({check.looked_at})"
        for check in verdict.checks
    ]
    lines = [f"{one.check}: {one.where}: {one.fact}" for one in verdict.faults]
    if len(lines) > LISTED:
        lines = [*lines[:LISTED], f"… and {len(lines) - LISTED:,} more"]
    warnings = [f"warning: {one.where}: {one.fact}" for one in verdict.warnings[:LISTED]]
    said = f"Wrong: {len(verdict.faults)}" if verdict.faults else "All is as it should be."
    return "\n".join([*rows, *warnings, said, *lines])


@click.command("report")
@click.argument("dataset", metavar="DIR")
@click.option("--out", type=EXISTING, help="The page.  [default: DIR/report.html]")
@click.option("--parquet", type=EXISTING, help="Write all labels into this file, too.")
@MODEL
@click.option("--backgrounds", type=EXISTING, hidden=True)
@click.option("--estimates", type=EXISTING, help="The .h5 file it was made with.")
def report_command(dataset: str, out: Path | None, parquet: Path | None, **words: Any) -> None:
    """Show a data set: one page with faces, distributions, coverage, speed and hashes."""
    job, store = open_job(dataset, words)
    page = report_page.page(report.gather(job, store, model_of(job.recipe, job.model.path)))
    if out is None:
        store.write(verify.REPORT, page.encode())
    else:
        write_file(out, page.encode())
    click.echo(f"Report: {out or f'{dataset}/{verify.REPORT}'}")
    if parquet is not None:
        with tqdm(total=job.count, unit="label", unit_scale=True, desc=str(parquet)) as bar:
            labels_table.write_labels(job, store, parquet, bar.update)
        click.echo(f"Labels: {parquet}")
