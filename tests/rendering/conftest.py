"""What tests of the OpenGL renderer share."""

import pytest

from facegen.rendering.contract import RenderSettings
from facegen.rendering.egl.renderer import EglRenderer


@pytest.fixture
def open_renderer():
    """A function that opens a renderer; it leaves no GL error, and is closed afterwards."""
    opened = []

    def open_one(model, size, layers=()):
        opened.append(EglRenderer(model, RenderSettings(size, frozenset(layers))))
        return opened[-1]

    yield open_one
    errors = {renderer._context.error for renderer in opened}
    for renderer in opened:
        renderer.close()
    assert errors <= {"GL_NO_ERROR"}
