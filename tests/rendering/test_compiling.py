"""Compiled kernels are kept, and made again when any kernel's file changes."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import facegen
from facegen.imaging import develop, tones
from facegen.rendering.cpu import compiling, compositing, lanes, raster, shading

PACKAGE = Path(facegen.__file__).parent
INNER = "from compiling import compiled\n\n@compiled()\ndef inner(x):\n    return x + {step}\n"
OUTER = (
    "from compiling import compiled\nfrom inner import inner\n\n"
    "@compiled()\ndef outer(x):\n    return inner(x)\n"
)
CALL = "from outer import outer; print(outer(1), sum(outer.stats.cache_hits.values()))"


@pytest.fixture
def kernels(tmp_path):
    """A folder with two files of kernels, one of which calls the other's."""
    folder = tmp_path / "kernels"
    folder.mkdir()
    shutil.copy(compiling.__file__, folder)
    (folder / "inner.py").write_text(INNER.format(step=1))
    (folder / "outer.py").write_text(OUTER)
    return folder


def call(folder, **places):
    """What the outer kernel gives in a fresh process, and how often the cache was hit."""
    package = os.path.dirname(os.path.dirname(facegen.__file__))
    env = {
        **os.environ,
        "PYTHONPATH": package,
        "NUMBA_CACHE_DIR": str(folder.parent / "cache"),
    } | places
    command = [sys.executable, "-c", CALL]
    run = subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, check=True)
    value, hits = map(int, run.stdout.split())
    return value, hits


def test_kernels_are_compiled_once(kernels):
    assert call(kernels) == (2, 0)
    assert call(kernels) == (2, 1)


def test_a_change_in_another_kernels_file_is_noticed(kernels):
    assert call(kernels)[0] == 2
    (kernels / "inner.py").write_text(INNER.format(step=5))
    assert call(kernels)[0] == 6


DAMAGE = {
    "empty": lambda data: b"",
    "cut": lambda data: data[: len(data) // 2],
    "changed": lambda data: data[:-100] + bytes(byte ^ 1 for byte in data[-100:]),
}


@pytest.mark.parametrize("damage", DAMAGE)
@pytest.mark.parametrize("suffix", [".nbi", ".nbc"])
def test_damaged_machine_code_is_made_again(kernels, suffix, damage):
    call(kernels)
    files = sorted((kernels.parent / "cache").rglob(f"*{suffix}"))
    assert files
    for path in files:
        path.write_bytes(DAMAGE[damage](path.read_bytes()))
    assert call(kernels) == (2, 0)
    assert call(kernels) == (2, 1)


def test_without_a_folder_to_keep_them_in_kernels_are_compiled(kernels, tmp_path):
    (tmp_path / "file").touch()
    places = {name: str(tmp_path / "file") for name in ("XDG_CACHE_HOME", "TMPDIR")}
    assert call(kernels, NUMBA_CACHE_DIR=str(tmp_path / "file"), **places) == (2, 0)


def test_a_full_disk_costs_a_compilation_and_no_more(kernels, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(compiling._DataFile, "save", full)
    assert compiling.compiled()(lambda x: x + 1)(1) == 2


@pytest.mark.parametrize("file", ["inner.py", "outer.py", "compiling.py"])
def test_every_file_has_a_say(kernels, file):
    before = compiling.fingerprint(kernels)
    assert compiling.fingerprint(kernels) == before
    (kernels / file).write_text((kernels / file).read_text() + "\n")
    assert compiling.fingerprint(kernels) != before


@pytest.mark.parametrize("room", ["rendering.cpu.raster", "imaging.tones"])
def test_every_room_with_kernels_has_a_say(room):
    source = PACKAGE.joinpath(*room.split(".")).with_suffix(".py")
    assert source.exists()
    assert source.parent in compiling.sources()


def test_every_file_with_constants_of_kernels_has_a_say():
    rooms = [path for path in compiling.sources() if path.is_dir()]
    texts = [file.read_text() for room in rooms for file in room.glob("*.py")]
    texts = [text for text in texts if re.search(r"^@(compiled|kernel)", text, re.MULTILINE)]
    names = r"(?:\([^)]*|.*)\b(?:[A-Z][A-Z_]+|Pieces)\b"
    imported = rf"^from facegen\.((?:models|sampling|scene)\.\w+) import {names}"
    modules = {name for text in texts for name in re.findall(imported, text, re.MULTILINE)}
    assert modules >= {"models.attire", "models.wardrobe", "scene.cameras"}
    named = {PACKAGE.joinpath(*name.split(".")).with_suffix(".py") for name in modules}
    assert named <= set(compiling.sources())


def test_folders_are_told_apart(kernels, tmp_path):
    other = tmp_path / "other"
    other.mkdir()
    before = compiling.fingerprint(kernels, other)
    assert compiling.fingerprint(other, kernels) != before
    (other / "new.py").touch()
    assert compiling.fingerprint(kernels, other) != before


def test_all_kernels_lie_in_the_folder_of_their_sources():
    folder = str(compiling.kernel_folder())
    modules = (compositing, lanes, raster, shading, develop, tones)
    values = [value for module in modules for value in vars(module).values()]
    paths = {kernel._cache.cache_path for kernel in values if hasattr(kernel, "_cache")}
    assert paths
    assert all(path.startswith(folder) for path in paths)


@pytest.mark.parametrize("damage", [b"", b"abc", b"x" * 40])
def test_what_kernels_found_is_kept_and_checked(tmp_path, monkeypatch, damage):
    monkeypatch.setattr(compiling, "kernel_folder", lambda: tmp_path)
    assert compiling.recall("found") is None
    compiling.keep("found", b"some numbers")
    assert compiling.recall("found") == b"some numbers"
    (tmp_path / "found").write_bytes(damage)
    assert compiling.recall("found") is None
    monkeypatch.setattr(compiling, "kernel_folder", lambda: None)
    compiling.keep("found", b"nowhere")
    assert compiling.recall("found") is None


def test_folders_of_old_sources_do_not_pile_up(tmp_path):
    for number in range(9):
        (tmp_path / f"facegen-{number}").mkdir()
        os.utime(tmp_path / f"facegen-{number}", (number, number))
    compiling._remove_oldest(tmp_path)
    assert sorted(path.name[-1] for path in tmp_path.iterdir()) == ["6", "7", "8"]


BAD = OUTER.replace("outer(x)", "bad(x)").replace("inner(x)", "inner(x).gone")
FAIL = """
import contextlib, fcntl, numba
from bad import bad
from compiling import kernel_folder
with contextlib.suppress(numba.TypingError):
    bad(1)
with open(kernel_folder() / "turn") as turn:
    fcntl.flock(turn, fcntl.LOCK_EX | fcntl.LOCK_NB)
"""


def test_a_compilation_that_fails_keeps_no_other_process_waiting(kernels):
    (kernels / "bad.py").write_text(BAD)
    package = os.path.dirname(os.path.dirname(facegen.__file__))
    env = {**os.environ, "PYTHONPATH": package, "NUMBA_CACHE_DIR": str(kernels.parent / "cache")}
    subprocess.run([sys.executable, "-c", FAIL], cwd=kernels, env=env, check=True)
