"""Workers that crash, stores that fill up, and parts side by side."""

import os
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from crashing import CURSED, die_at_a_shard, die_once
from specs import Heard, InProcess, hashes, spec_of

from facegen.cli.progress import failures
from facegen.dataset.stores.folder import FolderStore
from facegen.errors import FacegenError
from facegen.generation.engines.local import LocalEngine
from facegen.generation.progress import Unwatched
from facegen.generation.run import run


def small_spec(model, out):
    """20 faces in 4 shards."""
    return spec_of(model, out, count=20, shard_size=5)


@pytest.fixture(scope="module")
def four_shards(ellipsoid_file, tmp_path_factory):
    """Hashes of the small data set, undisturbed."""
    spec = small_spec(ellipsoid_file, tmp_path_factory.mktemp("crash") / "whole")
    run(spec, InProcess(), Unwatched())
    return hashes(Path(spec.out))


def test_a_shard_that_kills_its_worker_is_tried_thrice_and_named(
    four_shards, ellipsoid_file, tmp_path
):
    spec = small_spec(ellipsoid_file, tmp_path / "out")
    heard = Heard()
    summary = run(spec, LocalEngine(die_at_a_shard), heard)
    assert (tmp_path / "tries").read_text().split().count(CURSED) == 3
    assert {report.name for report in summary.made} == four_shards.keys() - {CURSED}
    [line] = failures(spec, summary)
    assert line.startswith(f"{CURSED}: given up at samples 8 to 9, seed 0: its process died")
    assert heard.samples == 15
    again = run(spec, InProcess(), Unwatched())
    assert [report.name for report in again.made] == [CURSED]
    assert hashes(tmp_path / "out") == four_shards


def test_a_worker_that_dies_once_is_replaced(four_shards, ellipsoid_file, tmp_path):
    spec = replace(small_spec(ellipsoid_file, tmp_path / "out"), workers=2)
    summary = run(spec, LocalEngine(die_once), Unwatched())
    assert not summary.failed
    assert hashes(tmp_path / "out") == four_shards


def test_a_command_with_a_shard_that_cannot_be_made_exits_1(ellipsoid_file, tmp_path):
    spec = small_spec(ellipsoid_file, tmp_path / "out")
    only = replace(spec, start=1, stop=2)
    with pytest.raises(FacegenError, match="no shard could be made: its process died"):
        run(only, LocalEngine(die_at_a_shard), Unwatched())


def test_a_store_that_fills_up_leaves_no_half_file(tmp_path, monkeypatch):
    store = FolderStore(tmp_path)

    def full(descriptor):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises((OSError, FacegenError), match="No space left"):
        store.write("dataset.json", b"{}")
    assert not list(tmp_path.iterdir())


def test_neighbouring_parts_are_locked_side_by_side(tmp_path):
    """By two processes, for one process's locks never refuse its own."""
    with FolderStore(tmp_path).lock(0, 3):
        code = (
            "from pathlib import Path; from facegen.dataset.stores.folder import FolderStore\n"
            f"with FolderStore(Path({str(tmp_path)!r})).lock(%s): print('locked')"
        )
        runs = {
            part: subprocess.run(
                [sys.executable, "-c", code % part], capture_output=True, text=True, check=False
            )
            for part in ("3, 6", "2, 6")
        }
    assert runs["3, 6"].stdout == "locked\n"
    assert re.search(r"process \d+ on \S+ is at work on these shards", runs["2, 6"].stderr)
