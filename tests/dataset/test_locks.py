"""Locks on shards: held by one process, named to others, freed when it ends; no link followed."""

import os
import platform
import subprocess
import sys
from contextlib import contextmanager

import pytest

from facegen.dataset.stores import locks
from facegen.dataset.stores.locks import locked
from facegen.errors import FacegenError

HOLD = (
    "import sys; from pathlib import Path; from facegen.dataset.stores.locks import locked\n"
    "with locked(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), 'here'):\n"
    "    print('held', flush=True); sys.stdin.read()"
)


@contextmanager
def holder(path, start, stop):
    """Another process that holds these shards."""
    words = [sys.executable, "-c", HOLD, str(path), str(start), str(stop)]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout.readline() == b"held\n"
        yield process
        process.stdin.close()


def refusal(path, start, stop):
    """Why these shards cannot be had."""
    with pytest.raises(FacegenError) as caught, locked(path, start, stop, "here"):
        pass
    return str(caught.value)


@pytest.fixture
def path(tmp_path):
    return tmp_path / ".lock"


def test_the_holder_is_named_by_process_and_host(path):
    with holder(path, 0, 4) as other:
        said = f"here: process {other.pid} on {platform.node()} is at work on these shards"
        assert refusal(path, 3, 9).startswith(said)
        with locked(path, 4, 9, "here"):
            pass


def test_the_holder_of_our_part_is_named_among_others(path):
    with holder(path, 0, 4), holder(path, 4, 8) as second, holder(path, 8, 12):
        assert f"process {second.pid} on " in refusal(path, 5, 6)


def test_one_that_was_killed_holds_nothing_and_is_not_named(path):
    with holder(path, 0, 4) as dead:
        dead.kill()
        dead.wait()
    with holder(path, 5, 7) as other:
        assert f" {dead.pid} " in path.read_text()
        assert f"process {other.pid} on " in refusal(path, 0, 9)
    with locked(path, 3, 9, "here"):
        assert f" {dead.pid} " not in path.read_text()


def test_the_file_goes_with_its_last_holder(path):
    with holder(path, 5, 7) as other:
        with locked(path, 0, 4, "here"):
            text = path.read_text()
            assert f"0 4 {os.getpid()} {platform.node()}\n" in text
        assert path.read_text() == f"5 7 {other.pid} {platform.node()}\n"
    assert not path.exists()


def test_a_file_that_went_meanwhile_is_made_again(path, monkeypatch):
    taken = []

    def gone_at_first(file, other):
        taken.append(other.unlink())
        monkeypatch.undo()
        return False

    monkeypatch.setattr(locks, "_is_at", gone_at_first)
    with locked(path, 0, 4, "here"):
        assert path.exists()
    assert len(taken) == 1


@pytest.mark.parametrize("text", ["x" * 3_000_000, "9 1 1 h\n", "1 2\n", "\0\xff\n", "0 9 1 h" * 9])
def test_odd_notes_are_passed_over(path, text):
    path.write_text(text)
    with holder(path, 0, 4) as other:
        assert f"process {other.pid} on " in refusal(path, 0, 4)


def test_a_link_is_not_written_through(path, tmp_path):
    (tmp_path / "mine").write_text("precious")
    path.symlink_to(tmp_path / "mine")
    assert ".lock: " in refusal(path, 0, 4)
    assert (tmp_path / "mine").read_text() == "precious"


def test_a_full_disk_does_not_stop_the_work(path, monkeypatch):
    path.symlink_to("/dev/full")
    monkeypatch.setattr(os, "O_NOFOLLOW", 0)
    with locked(path, 0, 4, "here"):
        pass
