"""`verify --fix` beside runs, and tars that are not the data set's."""

import os
import shutil
import subprocess
import sys

import pytest
from click.testing import CliRunner
from corruptions import SHARD, missing_report
from specs import generated

from facegen.cli.main import main
from facegen.errors import DatasetError
from facegen.generation.run import join
from facegen.inspection import verify


def words_of(spec, *options):
    """A `verify` of the spec's data set."""
    model = str(spec.model.path)
    return ["verify", spec.out, "--device", "cpu", "--workers", "1", "--model", model, *options]


@pytest.mark.parametrize("name", ["train-000009.tar", "mine.tar"])
def test_a_tar_that_is_no_shard_of_it_is_a_fault_and_not_removed(copy, name):
    spec, folder = copy
    shutil.copy(folder / "train-000000.tar", folder / name)
    result = CliRunner().invoke(main, words_of(spec, "--fix"))
    assert result.exit_code == 1
    assert "no shard of this data set; move it" in result.output
    assert (folder / name).exists()
    for make in (generated, join):
        with pytest.raises(DatasetError, match=r"no shard of this data set|shards more"):
            make(spec)


def test_fix_looks_and_removes_nothing_while_a_run_is_at_work(copy):
    spec, folder = copy
    missing_report(folder)
    code = (
        "import sys; from facegen.dataset.stores.opening import open_store\n"
        "with open_store(sys.argv[1]).lock(0, 4): print('held', flush=True); sys.stdin.read()"
    )
    words = words_of(spec, "--fix")
    with subprocess.Popen(
        [sys.executable, "-c", code, str(folder)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as other:
        other.stdout.readline()
        result = CliRunner().invoke(main, words)
        assert (result.exit_code, (folder / f"{SHARD}.tar").exists()) == (1, True)
        assert f"process {other.pid} on " in result.output
        other.stdin.close()
    assert f"Removed 1 files: {SHARD}.tar" in CliRunner().invoke(main, words).output


def test_no_run_starts_while_fix_looks(copy, monkeypatch):
    spec, folder = copy
    code = (
        "import sys; from facegen.dataset.stores.opening import open_store\n"
        "from facegen.errors import DatasetError\n"
        "try:\n    with open_store(sys.argv[1]).lock(1, 2): print('held')\n"
        "except DatasetError as error: print(error)"
    )
    said = []

    def look(*_):
        run = [sys.executable, "-c", code, str(folder)]
        said.append(subprocess.run(run, capture_output=True, text=True, check=True).stdout)
        return verify.Verdict(())

    monkeypatch.setattr(verify, "verify", look)
    for options in ([], ["--fix"]):
        CliRunner().invoke(main, words_of(spec, *options))
    assert said[0] == "held\n"
    assert f"process {os.getpid()} on " in said[1]
