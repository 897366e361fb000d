"""`facegen verify` and `facegen report`: what a data set holds, proved and shown."""

import sys
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import click
from tqdm import tqdm

from facegen.cli.options import FILE, NAME, RECORDED_MODEL, WORKERS
from facegen.dataset.index import open_spec
from facegen.dataset.spec import DatasetSpec, ResolvedSpec
from facegen.dataset.stores.opening import open_store
from facegen.dataset.stores.store import Store
from facegen.errors import UsageError, located
from facegen.files import check_output, write_file
from facegen.inspection import labels_table, page, report, verify
from facegen.inspection.checks.faults import Verdict
from facegen.inspection.checks.files import REPORT

LISTED = 50
PAGE, PARQUET = b"<!doctype html>", b"PAR1"  # how files of these kinds begin

BACKGROUNDS = click.option(
    "--backgrounds", type=FILE, help="The folder of background images it was made with."
)
ESTIMATES = click.option(
    "--estimates", type=FILE, help="The .h5 file of estimates it was made with."
)
RERENDER = click.option(
    "--rerender",
    default=str(verify.DEFAULT_RERENDER),
    help="Samples to render again: a number, or all.",
)
DEVICE = click.option("--device", default="auto", help="Renders: auto, cpu, egl or egl:N.")


@click.command("verify")
@click.argument("dataset", metavar="DIR", type=NAME)
@RERENDER
@click.option("--fix", is_flag=True, help="Remove shards that must be made again.")
@click.option("--strict", is_flag=True, help="Treat warnings as faults.")
@RECORDED_MODEL
@DEVICE
@WORKERS
@BACKGROUNDS
@ESTIMATES
def verify_command(dataset: str, rerender: str, fix: bool, strict: bool, **options: Any) -> None:
    """Prove a data set.

    Checks hashes, members, labels and priors, and renders faces again from their labels.
    """
    picked = parse_rerender(rerender)
    store = open_store(dataset)
    spec = open_spec(store, DatasetSpec(**options))
    # No run may make, while we look, what --fix would then remove.
    with store.lock(spec.start, spec.stop) if fix else nullcontext():
        verdict = watched_verify(spec, store, picked)
        click.echo(table(verdict))
        if fix and not verdict.ok:
            report_removed(dataset, store, verdict)
    sys.exit(0 if verdict.ok and not (strict and verdict.warnings) else 1)


def watched_verify(spec: ResolvedSpec, store: Store, picked: int | None) -> Verdict:
    """The verdict, while a person watches."""
    with tqdm(total=spec.count, unit="image", unit_scale=True, desc=spec.out) as bar:
        return verify.verify(spec, store, picked, bar.update)


def report_removed(dataset: str, store: Store, verdict: Verdict) -> None:
    """Remove what must be made again, and say so."""
    with located(dataset):
        removed = verify.remove_faulty(store, verdict)
    click.echo(f"Removed {len(removed)} files: {', '.join(removed[:LISTED]) or 'none'}")
    click.echo("Run the same `facegen render` again to make what is missing.")


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
    lines = [f"{fault.check}: {fault.where}: {fault.message}" for fault in verdict.faults]
    if len(lines) > LISTED:
        lines = [*lines[:LISTED], f"… and {len(lines) - LISTED:,} more"]
    warnings = [f"warning: {fault.where}: {fault.message}" for fault in verdict.warnings[:LISTED]]
    result = f"Wrong: {len(verdict.faults)}" if verdict.faults else "All is as it should be."
    return "\n".join([*rows, *warnings, result, *lines])


@click.command("report")
@click.argument("dataset", metavar="DIR", type=NAME)
@click.option("--out", type=FILE, help="Where to write the page.  [default: DIR/report.html]")
@click.option("--parquet", type=FILE, help="Write all labels into this file as well.")
@RECORDED_MODEL
@ESTIMATES
def report_command(dataset: str, out: Path | None, parquet: Path | None, **options: Any) -> None:
    """Show a data set on one HTML page.

    Faces, distributions, coverage, skin tones, speed and hashes.
    """
    read = (options["estimates"], options["model"] and Path(options["model"]))
    if out is not None:
        check_output("--out", out, PAGE, read)
    if parquet is not None:
        check_output("--parquet", parquet, PARQUET, (*read, out))
    store = open_store(dataset)
    spec = open_spec(store, DatasetSpec(device="cpu", **options))
    html = page.page(report.gather(spec, store, spec.load_model()))
    if out is None:
        store.write(REPORT, html.encode())
    else:
        write_file(out, html.encode())
    click.echo(f"Report: {out or f'{dataset}/{REPORT}'}")
    if parquet is not None:
        with tqdm(total=spec.count, unit="label", unit_scale=True, desc=str(parquet)) as bar:
            labels_table.write_labels(spec, store, parquet, bar.update)
        click.echo(f"Labels: {parquet}")


COMMANDS = (verify_command, report_command)
