"""What tests share: the generic model, a gate for EGL, small jobs, and one small data set."""

import os
import signal

import basel_files
import pytest
import synthetic
from specs import generated, spec_of

from facegen.errors import DeviceError
from facegen.models import catalogue
from facegen.rendering.cpu.compiling import kernel_folder


@pytest.fixture(scope="session", autouse=True)
def _own_caches(tmp_path_factory):
    """Caches of facegen and of the readers lie in the test's own folder; nothing goes online."""
    with pytest.MonkeyPatch.context() as patch:
        # Compiled kernels stay: they are named by what they are made from.
        patch.setenv("NUMBA_CACHE_DIR", str(kernel_folder().parent))
        for name in ("XDG_CACHE_HOME", "XDG_DATA_HOME", "HF_HOME"):
            patch.setenv(name, str(tmp_path_factory.mktemp(name.lower())))
        patch.setenv("HF_HUB_OFFLINE", "1")
        yield


@pytest.fixture(scope="session", autouse=True)
def _signals():
    """A job in the background ignores some signals, and so would the processes that it starts."""
    for number in (signal.SIGINT, signal.SIGHUP):
        if signal.getsignal(number) is signal.SIG_IGN:
            signal.signal(number, lambda *_: None)


@pytest.fixture(scope="session")
def egl():
    """The test needs OpenGL through EGL: skipped without, unless it must be there."""
    from facegen.rendering.egl.context import open_context

    try:
        open_context(0).release()
    except DeviceError as error:
        if os.environ.get("FACEGEN_REQUIRE_GL") == "1" or os.environ.get("CI"):
            pytest.fail(f"OpenGL is required here: {error}")
        pytest.skip(str(error))


@pytest.fixture(scope="session")
def generic():
    """The generic model, whole."""
    return catalogue.load("generic")


@pytest.fixture(scope="session")
def arkit():
    """The generic model with its named expressions."""
    return catalogue.load("generic-arkit")


@pytest.fixture(scope="session")
def ellipsoid():
    """A small morphable model."""
    return synthetic.model()


@pytest.fixture(scope="session")
def ellipsoid_file(ellipsoid, tmp_path_factory):
    """The small model in a file."""
    return basel_files.write(tmp_path_factory.mktemp("models") / "ellipsoid.h5", ellipsoid)


@pytest.fixture
def small_spec(ellipsoid_file, tmp_path):
    """A function that makes a small spec of the small model: `out` is a name, the rest fields."""
    return lambda out="out", **fields: spec_of(ellipsoid_file, tmp_path / out, **fields)


@pytest.fixture(scope="session")
def faces(tmp_path_factory):
    """The spec of a finished data set: 20 generic faces in 3 shards, every layer, PNG."""
    out = tmp_path_factory.mktemp("data") / "faces"
    return generated(spec_of("generic", out, layers="all", shard_size=8))
