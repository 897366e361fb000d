"""Temporary files of a data set by URL: those of living processes stay, those of dead ones go."""

import subprocess
import sys

import pytest

from facegen.dataset.stores.scratch import Scratch
from facegen.errors import DatasetError

MAKE = (
    "from facegen.dataset.stores.scratch import Scratch\n"
    "print(Scratch('s3://a').new('train-000000.tar'), flush=True); input()"
)


@pytest.fixture(autouse=True)
def _temporary(tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.setenv("TMPDIR", str(tmp_path))


def begun():
    """A process that makes a file, and the file."""
    process = subprocess.Popen(
        [sys.executable, "-c", MAKE], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    return process, process.stdout.readline().strip()


def files(scratch):
    return sorted(str(path) for path in scratch.folder.iterdir())


def test_files_of_living_processes_stay_and_those_of_dead_ones_go():
    process, name = begun()
    with process:
        assert files(Scratch("s3://a")) == [name]
        process.kill()
        process.wait()
        assert files(Scratch("s3://a")) == []


def test_each_data_set_has_a_folder_of_its_own():
    one, other = Scratch("s3://a"), Scratch("s3://b")
    path = one.new("train-000000.tar")
    assert files(Scratch("s3://a")) == [str(path)]
    assert files(other) == []
    one.remove(path)
    one.remove(path)
    assert files(one) == []


def test_only_its_user_can_look_into_it():
    assert Scratch("s3://a").folder.stat().st_mode & 0o777 == 0o700


def test_a_link_in_its_place_is_refused(tmp_path):
    folder = Scratch("s3://a").folder
    folder.rmdir()
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "mine").write_text("precious")
    folder.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(DatasetError, match="belongs to another"):
        Scratch("s3://a")
    assert (tmp_path / "elsewhere" / "mine").exists()


def test_a_temporary_folder_that_is_missing_is_said(monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", "/nowhere")
    with pytest.raises(DatasetError, match="No such file or directory; set TMPDIR"):
        Scratch("s3://a")
