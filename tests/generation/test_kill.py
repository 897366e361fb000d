"""Runs that are killed, stopped, crowded out or starved of disk leave a data set that continues.

Each kill comes when a real run has written a stated share of its bytes; FACEGEN_KILLS=30 makes it
thirty (the long form).
"""

import contextlib
import os
import resource
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from specs import hashes

KILLS = int(os.environ.get("FACEGEN_KILLS", "5"))
RUN = [
    sys.executable,
    "-c",
    "from facegen.cli.entry import main; main()",
    "render",
]
SMALL = ["--size", "48", "--format", "png", "--device", "cpu", "--shard-size", "25"]
COUNT = 200
DEADLINE_S = 120
STOP_S = 5


@contextlib.contextmanager
def running(model, out, **settings):
    """A real run as the leader of a process group, which ends with the block."""
    options = ["--model", str(model), "--out", str(out), "--count", str(COUNT)]
    process = subprocess.Popen(
        [*RUN, *SMALL, *options, "--workers", "2"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        **settings,
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
    """Hashes of a run that nobody disturbs, and the bytes of its shards."""
    out = tmp_path_factory.mktemp("kill") / "whole"
    with running(ellipsoid_file, out) as process:
        assert ended(process)[1] == 0
    return hashes(out), sum(shard_bytes(out).values())


def shard_bytes(out):
    """The bytes of shards that are on disk by now, finished or half written, by name."""
    sizes = {}
    for path in out.glob("train-*.tar*"):
        with contextlib.suppress(FileNotFoundError):
            sizes[path.name] = path.stat().st_size
    return sizes


def share(turn):
    """A share from 0 to 0.9 for each turn, evenly spread however many there are."""
    return 0.9 * (turn * (5**0.5 - 1) / 2 % 1)


def wait_for_share(share, whole, out, process):
    """Wait until a run has written this share of the bytes that are missing."""
    stale = {name for name in shard_bytes(out) if name.endswith(".partial")}
    complete = sum(size for name, size in shard_bytes(out).items() if name not in stale)
    target = complete + share * (whole - complete)

    def written():
        return sum(size for name, size in shard_bytes(out).items() if name not in stale)

    wait_for(lambda: process.poll() is not None or written() >= target, process)


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


def test_kills_lose_nothing_and_make_nothing_twice(undisturbed, ellipsoid_file, tmp_path):
    whole, size = undisturbed
    out, landed = tmp_path / "out", 0
    for turn in range(3 * KILLS):
        if landed == KILLS:
            break
        if hashes(out) == whole:
            out = tmp_path / f"out{turn}"
        whom = ("all", "parent", "worker")[landed % 3]
        with running(ellipsoid_file, out) as process:
            wait_for_share(share(turn), size, out, process)
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
    [("SIGHUP", "dataset.json"), ("SIGTERM", "train-*.json"), ("SIGINT", "train-*.partial")],
)
def test_a_run_that_is_asked_to_stop_does_and_says_how_to_continue(
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
        wait_for_share(share(turn) / 2, undisturbed[1], out, process)
        check_stopped(process, signal.SIGINT if turn % 2 else signal.SIGTERM, out)


def check_stopped(process, number, out):
    """Send a signal: the run ends at once, says how to continue, and leaves no half of anything."""
    started = time.monotonic()
    # A terminal's signals reach the whole group, a service manager's SIGTERM the parent alone.
    group = number in (signal.SIGINT, signal.SIGHUP)
    os.killpg(process.pid, number) if group else process.send_signal(number)
    error, code = ended(process)
    assert time.monotonic() - started < STOP_S
    assert code == 128 + number
    assert error.splitlines()[-1] == "facegen: stopped; run the same command again to continue"
    assert "Traceback" not in error
    assert not list(out.glob("*.partial"))


def test_a_second_run_into_the_folder_is_refused(undisturbed, ellipsoid_file, tmp_path):
    out = tmp_path / "out"
    with running(ellipsoid_file, out) as first:
        wait_for((out / "dataset.json").exists, first)
        with running(ellipsoid_file, out) as second:
            error, code = ended(second)
        assert code == 1
        assert f"{out}: process {first.pid} on " in error.splitlines()[-1]
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


def test_a_disk_that_is_full_at_any_moment_stops_the_run_in_one_line(
    undisturbed, ellipsoid_file, small_disk
):
    whole, size = undisturbed
    for turn in range(1, 1 + KILLS // 5):
        out = small_disk / f"out{turn}"
        resize(small_disk, 8192 + int(share(turn) * size))
        with running(ellipsoid_file, out) as process:
            check_starved(*ended(process), out, "No space left on device")
        resize(small_disk, 64 << 20)
        with running(ellipsoid_file, out) as process:
            assert ended(process)[1] == 0
        assert hashes(out) == whole
        shutil.rmtree(out)


def resize(disk, size):
    """Give the file system so many bytes."""
    subprocess.run(["mount", "-o", f"remount,size={size}", str(disk)], check=True)


@pytest.mark.parametrize("turn", range(1, 1 + KILLS // 5))
def test_verify_fix_may_be_killed_at_any_moment(turn, undisturbed, ellipsoid_file, tmp_path):
    """After a run that was: what both left is made whole, and nothing sound is made again."""
    whole, size = undisturbed
    out = tmp_path / "out"
    with running(ellipsoid_file, out) as process:
        wait_for_share(share(turn), size, out, process)
        kill(process, "all")
    verify = [*RUN[:-1], "verify", str(out), "--fix", "--rerender", "all", "--workers", "2"]
    verify += ["--model", str(ellipsoid_file), "--device", "cpu"]
    sound = hashes(out)
    with subprocess.Popen(verify, stdout=subprocess.DEVNULL, start_new_session=True) as process:
        time.sleep(5 * share(turn))
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
    assert hashes(out) == sound
    with running(ellipsoid_file, out) as process:
        assert ended(process)[1] == 0
    assert hashes(out) == whole
    assert subprocess.run(verify, check=False, stdout=subprocess.DEVNULL).returncode == 0


def limit_files():
    """Files of this process may be 100 kB, less than a shard."""
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, resource.RLIM_INFINITY))


def test_a_file_that_may_not_grow_stops_the_run_in_one_line(ellipsoid_file, tmp_path):
    out = tmp_path / "out"
    with running(ellipsoid_file, out, preexec_fn=limit_files) as process:
        check_starved(*ended(process), out, "File too large")


def check_starved(error, code, out, message):
    """One line, exit code 1, and no half of anything."""
    assert code == 1
    last = error.splitlines()[-1]
    assert last.startswith("facegen: ")
    assert message in last
    assert last.endswith("run the same command again to continue")
    assert "Traceback" not in error
    assert not list(out.glob("*.partial"))
    for report in out.glob("train-*.json"):
        assert report.with_suffix(".tar").exists()
