"""Workers that fail, die or are stopped: one clear error, and nothing half done."""

import multiprocessing
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest
from specs import Heard, folder, hashes

import facegen
from facegen.dataset.shards import read_samples
from facegen.errors import FacegenError
from facegen.generation.engines.local import Crash, Duty, LocalEngine, as_message, work
from facegen.generation.run import run
from facegen.generation.worker import Worker

HERE = Path(facegen.__file__).parent.parent


class Hearing(Heard):
    """Calls back whenever samples were made."""

    def __init__(self, callback):
        super().__init__()
        self.callback = callback

    def advanced(self, samples):
        super().advanced(samples)
        self.callback()


def make(spec, progress=None):
    """Generate in two processes."""
    return run(replace(spec, workers=2), LocalEngine(), progress or Heard())


def check_nothing_is_half_done(place):
    """Every tar is whole, every report has its tar, and no worker is left."""
    tars, reports = (
        {path.stem for path in place.glob(f"train-*.{end}")} for end in ("tar", "json")
    )
    assert reports <= tars
    for name in tars:
        assert list(read_samples(place / f"{name}.tar"))
    assert multiprocessing.active_children() == []


def test_workers_make_every_shard(small_spec):
    spec = small_spec(count=40, shard_size=5)
    heard = Heard()
    summary = make(spec, heard)
    assert sorted(report.name for report in summary.made) == [f"train-{i:06d}" for i in range(8)]
    assert heard.samples == 40
    assert multiprocessing.active_children() == []


def test_there_are_no_more_workers_than_shards(small_spec):
    spec = replace(small_spec(count=3), workers=50)
    seen = []

    run(spec, LocalEngine(), Hearing(lambda: seen.append(len(multiprocessing.active_children()))))
    assert max(seen) == 1


def test_a_worker_that_fails_raises_one_error(small_spec):
    spec = replace(small_spec(), devices=("egl:99",))
    with pytest.raises(FacegenError, match=r"egl:99: .*`facegen doctor` lists") as caught:
        make(spec)
    assert "\n" not in str(caught.value)
    check_nothing_is_half_done(folder(spec))


def test_a_worker_that_loses_its_model_names_the_file(small_spec, tmp_path):
    spec = small_spec()
    lost = replace(spec.model, path=tmp_path / "gone.h5")
    with pytest.raises(FacegenError, match=r"gone\.h5: No such file") as caught:
        make(replace(spec, model=lost))
    assert "\n" not in str(caught.value)


def test_a_worker_that_is_killed_is_replaced_and_nothing_is_lost(small_spec):
    whole, spec = small_spec("whole", count=60, shard_size=10), small_spec(count=60, shard_size=10)
    make(whole)

    def kill_once():
        if len(heard.events) == 3:
            os.kill(multiprocessing.active_children()[0].pid, signal.SIGKILL)

    heard = Hearing(kill_once)
    summary = make(spec, heard)
    assert not summary.failed
    assert heard.samples == 60
    assert hashes(folder(spec)) == hashes(folder(whole))
    check_nothing_is_half_done(folder(spec))


def test_a_worker_whose_parent_hangs_up_ends_quietly(small_spec, capfd):
    """Even with messages of its own unread."""
    spec = small_spec()
    folder(spec).mkdir()
    parent_end, worker_end = multiprocessing.Pipe()
    context = multiprocessing.get_context("spawn")
    process = context.Process(target=work, args=(Duty(spec, "cpu", Worker.make), worker_end))
    process.start()
    worker_end.close()
    parent_end.send(spec.shards[0])
    wait_for((folder(spec) / "train-000000.json").exists)
    parent_end.close()
    process.join(20)
    assert process.exitcode == 0
    assert capfd.readouterr().err == ""


def test_an_error_of_the_progress_ends_the_workers(small_spec):
    def interrupt():
        raise KeyboardInterrupt

    spec = small_spec(count=40, shard_size=5)
    with pytest.raises(KeyboardInterrupt):
        make(spec, Hearing(interrupt))
    check_nothing_is_half_done(folder(spec))


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL])
def test_a_run_that_is_stopped_leaves_nothing_half_done(ellipsoid_file, tmp_path, how):
    """The same command then goes on, and a killed parent's workers end too."""
    options = ["render", "--count", "2000", "--shard-size", "20", "--size", "64", "--workers", "2"]
    out = tmp_path / "out"
    options += ["--model", str(ellipsoid_file), "--out", str(out), "--device", "cpu"]
    code = f"import sys; from facegen.cli.entry import main; sys.argv[1:] = {options!r}; main()"
    env = {**os.environ, "PYTHONPATH": str(HERE)}
    python = [sys.executable, "-c", code]
    run = subprocess.Popen(python, cwd=tmp_path, env=env, stderr=subprocess.PIPE, text=True)
    wait_for(lambda: list(out.glob("train-*.json")))
    workers = children_of(run.pid)
    run.send_signal(how)
    _, error = run.communicate(timeout=60)
    wait_for(lambda: not [pid for pid in workers if Path(f"/proc/{pid}").exists()])
    check_nothing_is_half_done(out)
    assert "Traceback" not in error
    if how == signal.SIGINT:
        assert run.returncode == 130
        assert error.splitlines()[-1] == "facegen: stopped; run the same command again to continue"
        assert not list(out.glob("*.partial"))


def children_of(pid):
    """The processes that a process started."""
    text = Path(f"/proc/{pid}/task/{pid}/children").read_text()
    return [int(pid) for pid in text.split()]


def wait_for(condition, seconds=60):
    """Until the condition holds."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited too long"
        time.sleep(0.05)


def test_an_error_of_the_machine_ends_the_work_and_any_other_only_a_try():
    message = as_message(OSError(28, "No space left on device", "a.tar"))
    assert isinstance(message, FacegenError)
    assert str(message).startswith("a.tar: No space left on device; fix that")
    assert as_message(MemoryError("no memory")) == Crash("MemoryError: no memory")
