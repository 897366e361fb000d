"""Signals at any moment, streams that fail, no working directory: one line, the right code."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

import facegen

HERE = Path(facegen.__file__).parent.parent
STOPPED = "facegen: stopped; run the same command again to continue\n"
START = "import sys; from facegen.cli.entry import main; main()"

# A signal at a known moment: when a module is imported for the first time.
AT_IMPORT = """
import os, sys
class Stop:
    def find_spec(self, name, path=None, target=None):
        if name == "{module}":
            os.kill(os.getpid(), {number})
sys.meta_path.insert(0, Stop())
from facegen.cli.entry import main
main()
"""

# A command in place of facegen's own.
INSTEAD = """
import signal, sys, time, weakref
import facegen.cli.main
from facegen.cli.entry import main
class Dying: pass
def command(**options):
    {body}
facegen.cli.main.main = command
main()
"""


def run(*options, program=START, cwd=None, **settings):
    """facegen in a process of its own."""
    streams = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE} | settings
    words = [sys.executable, "-c", program, *map(str, options)]
    env = {**os.environ, "PYTHONPATH": str(HERE)}
    return subprocess.run(words, cwd=cwd, env=env, text=True, timeout=120, check=False, **streams)


def instead(body):
    """What becomes of a command with this body."""
    return run(program=INSTEAD.format(body="\n    ".join(body.splitlines())))


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
@pytest.mark.parametrize("module", ["click", "facegen.cli.options", "numpy", "tqdm"])
def test_a_stop_while_modules_are_imported(module, number):
    done = run("recipes", program=AT_IMPORT.format(module=module, number=int(number)))
    assert (done.returncode, done.stderr) == (128 + number, STOPPED)


def test_a_stop_that_an_import_swallows_is_a_stop():
    done = instead("try: signal.raise_signal(signal.SIGINT)\nexcept BaseException: pass")
    assert (done.returncode, done.stderr) == (130, STOPPED)


def test_a_stop_that_is_lost_in_a_callback_comes_again():
    done = instead(
        "dying = Dying()\n"
        "watch = weakref.ref(dying, lambda _: signal.raise_signal(signal.SIGTERM))\n"
        "del dying\n"
        "time.sleep(60)"
    )
    assert (done.returncode, done.stderr) == (143, STOPPED)


def test_a_hang_up_is_ignored_where_it_was_before():
    body = "signal.raise_signal(signal.SIGHUP)\nprint('done')"
    program = INSTEAD.format(body=body.replace("\n", "\n    "))
    nohup = f"import signal; signal.signal(signal.SIGHUP, signal.SIG_IGN)\n{program}"
    done = run(program=nohup)
    assert (done.returncode, done.stdout) == (0, "done\n")


def test_another_error_is_not_hidden():
    done = instead("raise ZeroDivisionError")
    assert done.returncode == 1
    assert "ZeroDivisionError" in done.stderr


@pytest.mark.parametrize(
    ("error", "words"),
    [
        ("MemoryError", "facegen: more memory is needed than there is"),
        ("OSError(13, 'Permission denied', 'a\\nb')", "facegen: a b: Permission denied"),
    ],
)
def test_what_the_system_refuses_is_one_line(error, words):
    program = (
        "from facegen.cli import entry\n"
        "from facegen.recipe import loading\n"
        f"def fail(*_): raise {error}\n"
        "loading.load = fail\n"
        "entry.main()"
    )
    done = run("recipes", program=program)
    assert done.returncode == 1
    assert done.stderr.startswith(words)
    assert done.stderr.count("\n") == 1


def shell(line, tmp_path):
    """A line of shell in which `$F` is facegen."""
    words = f"F() {{ '{sys.executable}' -c '{START}' \"$@\"; }}; {line}"
    env = {**os.environ, "PYTHONPATH": str(HERE)}
    done = subprocess.run(
        ["bash", "-c", words], cwd=tmp_path, env=env, capture_output=True, text=True, check=False
    )
    assert "Traceback" not in done.stdout + done.stderr
    return done


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("F recipes >&-", 0),
        ("F recipes 2>&-", 0),
        ("F recipes <&- >&- 2>&-", 0),
        ("F recipes 2>/dev/full", 0),
        ("F recipes >/dev/full", 1),
        ("F recipes show inversefacenet | true; exit ${PIPESTATUS[0]}", 0),
        ("F recipes show none 2>&-", 1),
        ("F recipes show none 2>/dev/full", 1),
        ("F recipes show none 2>&1 | true; exit ${PIPESTATUS[0]}", 1),
        ("F render --count x 2>&-", 2),
        ("F --help >&-", 0),
        ("F --version", 0),
    ],
)
def test_streams_that_are_closed_full_or_cut_off(line, code, tmp_path):
    assert shell(line, tmp_path).returncode == code


def test_a_full_disk_under_standard_output_is_said(tmp_path):
    done = shell("F recipes >/dev/full", tmp_path)
    assert done.stderr == "facegen: standard output: No space left on device\n"


SMALL = "render --count 6 --size 32 --workers 1 --device cpu"


@pytest.fixture(scope="module")
def undisturbed(ellipsoid_file, tmp_path_factory):
    """The bytes of a shard that was made with all streams there."""
    folder = tmp_path_factory.mktemp("streams")
    assert shell(f"F {SMALL} --model {ellipsoid_file} --out out", folder).returncode == 0
    return (folder / "out" / "train-000000.tar").read_bytes()


@pytest.mark.parametrize("streams", ["2>&-", "2>/dev/full | true", "<&- >&- 2>&-"])
def test_a_run_needs_no_streams(streams, undisturbed, ellipsoid_file, tmp_path):
    """Nor does a file take a closed one's number, and its output."""
    line = f"F {SMALL} --model {ellipsoid_file} --out out {streams}; exit ${{PIPESTATUS[0]}}"
    assert shell(line, tmp_path).returncode == 0
    assert (tmp_path / "out" / "train-000000.tar").read_bytes() == undisturbed


@pytest.mark.parametrize(
    ("options", "code"),
    [
        ("recipes", 0),
        ("recipes show inversefacenet", 0),
        ("models", 0),
        (SMALL + " --model {model} --out {out}", 0),
        (SMALL + " --model {model} --out out", 2),
        ("verify out", 1),
        ("models info m.h5", 1),
    ],
)
def test_a_working_directory_that_is_gone(options, code, ellipsoid_file, tmp_path):
    (tmp_path / "gone").mkdir()
    words = options.format(model=ellipsoid_file, out=tmp_path / "out")
    done = shell(f"cd gone && rmdir ../gone && F {words}", tmp_path)
    assert done.returncode == code
    assert code == 0 or done.stderr.startswith("facegen: ")


def test_a_name_that_is_not_utf_8(ellipsoid_file, tmp_path):
    words = f"{SMALL} --model {ellipsoid_file}"
    verify = f"verify $'f\\xff' --device cpu --model {ellipsoid_file}"
    done = shell(f"F {words} --out $'f\\xff' && F {verify}", tmp_path)
    assert done.returncode == 0
    assert "All is as it should be" in done.stdout


def test_ctrl_c_while_verify_looks_with_several_processes(ellipsoid_file, tmp_path):
    words = SMALL.replace("--count 6", "--count 60") + " --shard-size 5"
    assert shell(f"F {words} --model {ellipsoid_file} --out out", tmp_path).returncode == 0
    line = f"F verify out --rerender all --workers 2 --device cpu --model {ellipsoid_file}"
    stop = "sleep 1.6; kill -INT -- -$!; wait $!"
    done = shell(f"set -m; {line} >words.txt 2>&1 & {stop}", tmp_path)
    assert "Traceback" not in (tmp_path / "words.txt").read_text()
    assert done.returncode in (0, 130)
