"""Runs that are killed, stopped, crowded out or starved of disk leave a data set that goes on.

The kills come at random moments of real runs; FACEGEN_KILLS=30 makes it thirty (the long form).
"""

import contextlib
import os
import random
import resource
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest
from crashing import CURSED, die_at_a_shard, die_once
from jobs import InProcess, hashes, job_of

from facegen.engines.local import LocalEngine
from facegen.errors import FacegenError
from facegen.generate import generate
from facegen.progress import failures
from facegen.stores.folder import FolderStore

KILLS = int(os.environ.get("FACEGEN_KILLS", "5"))
RUN = [sys.executable, "-c", "from facegen.cli import main; main(prog_name='facegen')", "render"]
SMALL = ["--size", "48", "--format", "png", "--device", "cpu", "--shard-size", "25"]
COUNT = 200
DEADLINE_S = 120
STOP_S = 5


def quiet(samples):
    """Hear nothing."""


@contextlib.contextmanager
def running(model, out, count=COUNT, workers=2, **options):
    """A real run as the leader of a process group, which ends with the block."""
    words = ["--model", str(model), "--out", str(out), "--count", str(count)]
    process = subprocess.Popen(
        [*RUN, *SMALL, *words, "--workers", str(workers)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        **options,
    )
    try:
        yield process
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()


def ended(process):
    """What a run said on standard error, and its exit code."""
    _, error = process.communicate(timeout=DEADLINE_S)
    return error, process.returncode


def wait_for(condition, process):
    """Wait until something is so, while the run is at work."""
    until = time.monotonic() + DEADLINE_S
    while not condition():
        assert process.poll() is None, process.communicate()[1]
        assert time.monotonic() < until
        time.sleep(0.01)


def workers_of(process):
    """The pids of a run's workers; the first child that spawn starts is a tracker of resources."""
    try:
        children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
    except FileNotFoundError:
        return []
    return [pid for pid in map(int, children) if "spawn_main" in command_of(pid)]


def command_of(pid):
    """A process's command line."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_text()
    except OSError:
        return ""


@pytest.fixture(scope="module")
def undisturbed(ellipsoid_file, tmp_path_factory):
    """Hashes of a run nobody disturbs, and how long one is at work once it has begun."""
    out = tmp_path_factory.mktemp("kill") / "whole"
    with running(ellipsoid_file, out) as process:
        assert ended(process)[1] == 0
    again = out.with_name("again")
    with running(ellipsoid_file, again) as process:
        wait_for((again / "dataset.json").exists, process)
        started = time.monotonic()
        assert ended(process)[1] == 0
    assert hashes(again) == hashes(out)
    return hashes(out), time.monotonic() - started


def kill(process, whom):
    """SIGKILL to everything, to the parent alone, or to one worker."""
    workers = workers_of(process)
    with contextlib.suppress(ProcessLookupError):
        if whom == "all":
            os.killpg(process.pid, signal.SIGKILL)
        elif whom == "parent":
            process.kill()
        elif workers:
            os.kill(workers[-1], signal.SIGKILL)


def test_kills_at_random_moments_lose_nothing_and_make_nothing_twice(
    undisturbed, ellipsoid_file, tmp_path
):
    whole, seconds = undisturbed
    chance = random.Random(0)
    out, landed = tmp_path / "out", 0
    for turn in range(3 * KILLS):
        if landed == KILLS:
            break
        if hashes(out) == whole:
            out = tmp_path / f"out{turn}"
        whom = ("all", "parent", "worker")[landed % 3]
        with running(ellipsoid_file, out) as process:
            time.sleep(0.3)
            wait_for((out / "dataset.json").exists, process)
            time.sleep(chance.uniform(0, 0.9) * seconds)
            landed += process.poll() is None
            kill(process, whom)
            code = ended(process)[1]
            assert code == 0 or whom != "worker"
        assert hashes(out).items() <= whole.items()
    with running(ellipsoid_file, out) as process:
        assert ended(process)[1] == 0
    assert hashes(out) == whole
    assert not list(out.glob("*.partial"))
    assert landed == KILLS
    print(f"{landed} kills survived")


@pytest.mark.parametrize(
    ("how", "after"),
    [("SIGTERM", "dataset.json"), ("SIGTERM", "train-*.json"), ("SIGINT", "train-*.partial")],
)
def test_a_run_that_is_asked_to_stop_does_and_says_how_to_go_on(
    how, after, undisturbed, ellipsoid_file, tmp_path
):
    out = tmp_path / "out"
    with running(ellipsoid_file, out) as process:
        wait_for(lambda: list(out.glob(after)), process)
        check_stopped(process, getattr(signal, how), out)
    assert hashes(out).items() < undisturbed[0].items()
    if after == "train-*.json":
        with running(ellipsoid_file, out) as process:
            assert ended(process)[1] == 0
        assert hashes(out) == undisturbed[0]


@pytest.mark.parametrize("turn", range(max(2, KILLS // 3)))
def test_a_run_may_be_asked_to_stop_at_any_moment(turn, undisturbed, ellipsoid_file, tmp_path):
    out = tmp_path / "out"
    with running(ellipsoid_file, out) as process:
        wait_for((out / "dataset.json").exists, process)
        time.sleep(random.Random(turn).uniform(0, 0.5) * undisturbed[1])
        check_stopped(process, signal.SIGINT if turn % 2 else signal.SIGTERM, out)


def check_stopped(process, number, out):
    """Send a run a signal: it ends at once, says how to go on, and leaves no half of anything."""
    started = time.monotonic()
    # Ctrl-C reaches the whole group, a service manager's SIGTERM the parent alone.
    os.killpg(process.pid, number) if number == signal.SIGINT else process.send_signal(number)
    error, code = ended(process)
    assert time.monotonic() - started < STOP_S
    assert code == 130
    assert error.splitlines()[-1] == "facegen: stopped; run the same command again to go on"
    assert "Traceback" not in error
    assert not list(out.glob("*.partial"))


def test_a_second_run_into_the_folder_is_refused(undisturbed, ellipsoid_file, tmp_path):
    out = tmp_path / "out"
    with running(ellipsoid_file, out) as first:
        wait_for((out / "dataset.json").exists, first)
        with running(ellipsoid_file, out) as second:
            error, code = ended(second)
        assert code == 1
        assert f"{out}: another run is making these shards" in error.splitlines()[-1]
        assert ended(first)[1] == 0
    assert hashes(out) == undisturbed[0]


@pytest.fixture
def small_disk(tmp_path):
    """A file system of 500 kB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=500k", "tmpfs", str(folder)]
    try:
        if subprocess.run(mount, capture_output=True, check=False).returncode:
            pytest.skip("a tmpfs may not be mounted here")
    except FileNotFoundError:
        pytest.skip("there is no mount here")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


def test_a_full_disk_stops_the_run_in_one_line(undisturbed, ellipsoid_file, small_disk):
    out = small_disk / "out"
    with running(ellipsoid_file, out) as process:
        check_starved(*ended(process), out, "No space left on device")
    subprocess.run(["mount", "-o", "remount,size=64m", str(small_disk)], check=True)
    with running(ellipsoid_file, out) as process:
        assert ended(process)[1] == 0
    assert hashes(out) == undisturbed[0]


def limit_files():
    """Files of this process may be 100 kB, less than a shard."""
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, resource.RLIM_INFINITY))


def test_a_file_that_may_not_grow_stops_the_run_in_one_line(ellipsoid_file, tmp_path):
    out = tmp_path / "out"
    with running(ellipsoid_file, out, preexec_fn=limit_files) as process:
        check_starved(*ended(process), out, "File too large")


def check_starved(error, code, out, fact):
    """One line, exit code 1, and no half of anything."""
    assert code == 1
    last = error.splitlines()[-1]
    assert last.startswith("facegen: ")
    assert fact in last
    assert last.endswith("run the same command again to go on")
    assert "Traceback" not in error
    assert not list(out.glob("*.partial"))
    for report in out.glob("train-*.json"):
        assert report.with_suffix(".tar").exists()


def small_job(model, out):
    """20 faces in 4 shards."""
    return job_of(model, out, count=20, shard_size=5, devices=("cpu",))


@pytest.fixture(scope="module")
def four_shards(ellipsoid_file, tmp_path_factory):
    """Hashes of the small job, undisturbed."""
    job = small_job(ellipsoid_file, tmp_path_factory.mktemp("crash") / "whole")
    generate(job, InProcess(), quiet)
    return hashes(Path(job.out))


def test_a_shard_that_kills_its_worker_is_tried_thrice_and_named(
    four_shards, ellipsoid_file, tmp_path
):
    job = small_job(ellipsoid_file, tmp_path / "out")
    heard = []
    done = generate(job, LocalEngine(die_at_a_shard), heard.append)
    assert (tmp_path / "tries").read_text().split().count(CURSED) == 3
    assert {report.name for report in done.made} == four_shards.keys() - {CURSED}
    [line] = failures(job, done)
    assert line.startswith(f"{CURSED}: given up at samples 8 to 9, seed 0: its process died")
    assert sum(heard) == 15
    again = generate(job, InProcess(), quiet)
    assert [report.name for report in again.made] == [CURSED]
    assert hashes(tmp_path / "out") == four_shards


def test_a_worker_that_dies_once_is_replaced(four_shards, ellipsoid_file, tmp_path):
    job = replace(small_job(ellipsoid_file, tmp_path / "out"), workers=2)
    done = generate(job, LocalEngine(die_once), quiet)
    assert not done.failed
    assert hashes(tmp_path / "out") == four_shards


def test_a_command_with_a_shard_that_cannot_be_made_exits_1(ellipsoid_file, tmp_path):
    job = small_job(ellipsoid_file, tmp_path / "out")
    only = replace(job, part=(1, 2))
    with pytest.raises(FacegenError, match="no shard could be made: its process died"):
        generate(only, LocalEngine(die_at_a_shard), quiet)


def test_a_store_that_fills_up_leaves_no_half_file(tmp_path, monkeypatch):
    store = FolderStore(tmp_path)

    def full(descriptor):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises((OSError, FacegenError), match="No space left"):
        store.write("dataset.json", b"{}")
    assert not list(tmp_path.iterdir())


def test_neighbouring_parts_are_claimed_side_by_side(tmp_path):
    """By two processes, for one process's locks never refuse its own."""
    with FolderStore(tmp_path).claim(0, 3):
        code = (
            "from pathlib import Path; from facegen.stores.folder import FolderStore\n"
            f"with FolderStore(Path({str(tmp_path)!r})).claim(%s): print('claimed')"
        )
        runs = {
            part: subprocess.run(
                [sys.executable, "-c", code % part], capture_output=True, text=True, check=False
            )
            for part in ("3, 6", "2, 6")
        }
    assert runs["3, 6"].stdout == "claimed\n"
    assert "another run is making these shards" in runs["2, 6"].stderr
