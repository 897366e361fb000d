"""`facegen doctor`: one line for each thing that a run needs: ok, or what to do."""

import platform
import shutil
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass

import click

from facegen import __version__
from facegen.dataset.index import versions
from facegen.dataset.resolving import cores
from facegen.errors import DeviceError, FacegenError
from facegen.models import catalogue

LOW_DISK_GB = 5


@dataclass(frozen=True)
class Finding:
    """One thing looked at."""

    ok: bool
    what: str
    message: str


def examine() -> Iterator[Finding]:
    """Look at Python, packages, devices, the model and the disk, one after the other."""
    yield Finding(sys.version_info >= (3, 11), "Python", platform.python_version())
    packages = [f"{name} {version}" for name, version in versions().items() if name != "python"]
    yield Finding(True, "packages", ", ".join(packages) or __version__)
    yield from _devices()
    yield _model()
    yield _disk()


def _devices() -> Iterator[Finding]:
    try:
        from facegen.rendering.egl.context import is_software, list_devices, open_context
    except ImportError as error:
        yield Finding(False, "EGL", f"{error}; install moderngl again")
        return
    yield Finding(True, "cpu", f"{cores()} cores")
    devices = list_devices()
    for number, name in enumerate(devices):
        kind = "software" if is_software(name) else "hardware"
        yield Finding(True, f"egl:{number}", f"{name} ({kind})")
    if not devices:
        try:
            open_context(0).release()
        except DeviceError as error:
            yield Finding(True, "EGL", f"none, so rendering is on the CPU: {error}")


def _disk() -> Finding:
    try:
        free = shutil.disk_usage(".").free / 1e9
    except OSError:
        return Finding(False, "disk", "the working directory is gone")
    hint = "" if free >= LOW_DISK_GB else ": little; mind where --out is"
    return Finding(True, "disk", f"{free:.1f} GB free here{hint}")


def _model() -> Finding:
    started = time.perf_counter()
    try:
        model = catalogue.load("generic")
    except FacegenError as error:
        return Finding(False, "model", str(error))
    seconds = time.perf_counter() - started
    return Finding(
        True, "model", f"{model.name}: {model.vertices:,} vertices, read in {seconds:.2f} s"
    )


@click.command()
def doctor() -> None:
    """Check that everything a run needs is installed."""
    findings = list(examine())
    for finding in findings:
        click.echo(f"{'ok ' if finding.ok else 'NO '} {finding.what:9} {finding.message}")
    sys.exit(0 if all(finding.ok for finding in findings) else 1)
