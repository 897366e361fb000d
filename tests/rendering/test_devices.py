"""Devices by name, the renderers behind them, and what a device's words must tell."""

import os
import subprocess
import sys
from dataclasses import replace

import pytest
from specs import InProcess, generated

from facegen.dataset.index import open_spec, read_index
from facegen.dataset.spec import DatasetSpec
from facegen.dataset.stores.opening import open_store
from facegen.errors import DatasetError, UsageError
from facegen.generation.progress import Unwatched
from facegen.generation.run import run
from facegen.rendering.devices import in_short, parse, renderer_of

NAME = "from facegen.rendering.cpu.renderer import device_name; print(device_name())"


@pytest.mark.parametrize(
    ("devices", "renderer"), [("cpu", "cpu-3"), ("egl", "egl-2"), ("egl:0,egl:3", "egl-2")]
)
def test_a_renderer_is_a_kind_and_a_version(devices, renderer):
    assert renderer_of(parse(devices)) == renderer


def test_two_renderers_do_not_make_one_data_set():
    with pytest.raises(UsageError, match="cpu and egl are two renderers"):
        renderer_of(parse("cpu,egl:0"))


def test_the_fingerprint_holds_the_renderer_and_no_device(small_spec):
    spec = small_spec()
    assert replace(spec, renderer="cpu-9").fingerprint != spec.fingerprint
    assert replace(spec, devices=("egl:1",)).fingerprint == spec.fingerprint


@pytest.mark.parametrize(
    ("renderer", "hint"),
    [("cpu-9", "use the facegen that began it"), ("egl-2", "give --device egl")],
)
def test_another_renderer_does_not_continue_a_data_set(small_spec, renderer, hint):
    spec = small_spec()
    generated(replace(spec, renderer=renderer))
    with pytest.raises(DatasetError, match=f"begun by the renderer {renderer}.*{hint}"):
        run(spec, InProcess(), Unwatched())


def test_a_data_set_is_opened_with_the_renderer_that_made_it(small_spec):
    spec = generated(replace(small_spec(), renderer="egl-2"))
    store = open_store(spec.out)
    assert read_index(store).renderer == "egl-2"
    here = DatasetSpec(device="cpu", model=spec.model.path)
    assert open_spec(store, here).fingerprint == spec.fingerprint


@pytest.mark.parametrize(
    "words",
    [
        {"OPENBLAS_CORETYPE": "Haswell"},
        {"OPENBLAS_CORETYPE": "Prescott"},
        {"NUMBA_CPU_NAME": "generic", "NUMBA_CPU_FEATURES": ""},
        {"NUMBA_CPU_FEATURES": "+sse2"},
    ],
)
def test_the_cpus_device_names_all_that_decides_bytes(words):
    plain, other = (named(env) for env in ({}, words))
    assert plain != other
    assert in_short(plain).startswith("cpu ")
    assert "+" not in in_short(plain)


def named(words):
    """What the CPU renderer calls itself in an environment."""
    env = {**os.environ, **words}
    command = [sys.executable, "-c", NAME]
    return subprocess.run(command, env=env, capture_output=True, text=True, check=True).stdout
