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
from jobs import folder, hashes

import facegen
from facegen.engines.local import Crash, Duty, LocalEngine, as_message, work
from facegen.errors import FacegenError
from facegen.generate import generate
from facegen.shards import read_samples
from facegen.studio import Studio

HERE = Path(facegen.__file__).parent.parent


def make(job, listen=lambda samples: None):
    """Generate in two processes."""
    return generate(replace(job, workers=2), LocalEngine(), listen)


def check_nothing_is_half_done(place):
    """Every tar is whole, every report has its tar, and no worker is left."""
    tars, reports = (
        {path.stem for path in place.glob(f"train-*.{end}")} for end in ("tar", "json")
    )
    assert reports <= tars
    for name in tars:
        assert list(read_samples(place / f"{name}.tar"))
    assert multiprocessing.active_children() == []


def test_workers_make_every_shard(small_job):
    job = small_job(count=40, shard_size=5)
    heard = []
    summary = make(job, heard.append)
    assert sorted(report.name for report in summary.made) == [f"train-{i:06d}" for i in range(8)]
    assert sum(heard) == 40
    assert multiprocessing.active_children() == []


def test_there_are_no_more_workers_than_shards(small_job):
    job = replace(small_job(count=3), workers=50)
    seen = []

    def listen(samples):
        seen.append(len(multiprocessing.active_children()))

    generate(job, LocalEngine(), listen)
    assert max(seen) == 1


def test_a_worker_that_fails_raises_one_error(small_job):
    job = replace(small_job(), devices=("egl:99",))
    with pytest.raises(FacegenError, match=r"egl:99: .*`facegen doctor` lists") as caught:
        make(job)
    assert "\n" not in str(caught.value)
    check_nothing_is_half_done(folder(job))


def test_a_worker_that_loses_its_model_names_the_file(small_job, tmp_path):
    job = small_job()
    lost = replace(job.model, path=tmp_path / "gone.h5")
    with pytest.raises(FacegenError, match=r"gone\.h5: No such file") as caught:
        make(replace(job, model=lost))
    assert "\n" not in str(caught.value)


def test_a_worker_that_is_killed_is_replaced_and_nothing_is_lost(small_job):
    whole, job = small_job("whole", count=60, shard_size=10), small_job(count=60, shard_size=10)
    make(whole)
    heard = []

    def kill_once(samples):
        heard.append(samples)
        if len(heard) == 3:
            os.kill(multiprocessing.active_children()[0].pid, signal.SIGKILL)

    done = make(job, kill_once)
    assert not done.failed
    assert sum(heard) == 60
    assert hashes(folder(job)) == hashes(folder(whole))
    check_nothing_is_half_done(folder(job))


def test_a_worker_whose_parent_hangs_up_ends_quietly(small_job, capfd):
    """Even with words of its own unread."""
    job = small_job()
    folder(job).mkdir()
    ours, theirs = multiprocessing.Pipe()
    context = multiprocessing.get_context("spawn")
    process = context.Process(target=work, args=(Duty(job, "egl", Studio.make), theirs))
    process.start()
    theirs.close()
    ours.send(job.shards[0])
    wait_for((folder(job) / "train-000000.json").exists)
    ours.close()
    process.join(20)
    assert process.exitcode == 0
    assert capfd.readouterr().err == ""


def test_an_error_of_the_listener_ends_the_workers(small_job):
    def listen(samples):
        if samples:
            raise KeyboardInterrupt

    job = small_job(count=40, shard_size=5)
    with pytest.raises(KeyboardInterrupt):
        make(job, listen)
    check_nothing_is_half_done(folder(job))


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL])
def test_a_run_that_is_stopped_leaves_nothing_half_done(egl, ellipsoid_file, tmp_path, how):
    """The same command then goes on, and a killed parent's workers end too."""
    words = ["render", "--count", "2000", "--shard-size", "20", "--size", "64", "--workers", "2"]
    out = tmp_path / "out"
    words += ["--model", str(ellipsoid_file), "--out", str(out), "--device", "egl"]
    code = f"from facegen.cli import main; main({words!r})"
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
        assert error.splitlines()[-1] == "facegen: stopped; run the same command again to go on"
        assert not list(out.glob("*.partial"))


def children_of(pid):
    """The processes that a process started."""
    text = Path(f"/proc/{pid}/task/{pid}/children").read_text()
    return [int(word) for word in text.split()]


def wait_for(condition, seconds=60):
    """Until the condition holds."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited too long"
        time.sleep(0.05)


def test_a_fact_about_the_world_ends_the_work_and_a_fault_only_a_try():
    fact = as_message(OSError(28, "No space left on device", "a.tar"))
    assert isinstance(fact, FacegenError)
    assert str(fact).startswith("a.tar: No space left on device; mend it")
    assert as_message(MemoryError("no memory")) == Crash("MemoryError: no memory")
