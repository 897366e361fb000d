"""OpenGL renderers as resources: opened, used side by side, closed; batches and layers as asked."""

import os

import numpy as np
import pytest
import synthetic
from meshes import render

from facegen.rendering.contract import RENDERED_LAYERS, RenderSettings, Scene
from facegen.rendering.egl.context import device_name, is_software, list_devices
from facegen.rendering.egl.renderer import EglRenderer

pytestmark = pytest.mark.usefixtures("egl")


def test_it_says_which_renderer_it_got(open_renderer, ellipsoid):
    renderer = open_renderer(ellipsoid, 64)
    name = device_name(renderer._context)
    assert renderer.device == f"egl:0 {name}"
    assert list_devices()[0] == name
    assert is_software("llvmpipe (LLVM 15.0.6, 256 bits)")
    assert not is_software("NVIDIA H100 80GB HBM3/PCIe/SSE2")


def test_a_full_batch_and_a_smaller_one_fit(open_renderer, ellipsoid):
    renderer = open_renderer(ellipsoid, 32, ["depth"])
    full = render(renderer, synthetic.scene(ellipsoid, renderer.batch, 32))
    assert len(full["image"]) == len(full["depth"]) == renderer.batch
    assert all(mask.any() for mask in full["mask"])


def test_only_the_layers_asked_for_are_made(open_renderer, ellipsoid):
    found = render(
        open_renderer(ellipsoid, 32, ["segmentation"]), synthetic.scene(ellipsoid, 1, 32)
    )
    assert set(found) == {"image", "mask", "segmentation"}


@pytest.mark.parametrize("counts", [(5, 0, 6), (0, 0, 0), (0, 4, 0)])
def test_a_model_without_some_coefficients_is_rendered(open_renderer, ellipsoid, counts):
    model = ellipsoid.truncated(*counts)
    found = render(open_renderer(model, 32), synthetic.scene(model, 2, 32))
    assert found["mask"].any(axis=(1, 2)).all()


def test_truncation_is_the_same_as_zero_coefficients(open_renderer, ellipsoid):
    scene = synthetic.scene(ellipsoid, 3, 48)
    scene.parameters.expression[:] = 0
    without = ellipsoid.truncated(None, 0, None)
    groups = {**vars(scene.parameters), "expression": np.zeros((3, 0), np.float32)}
    same = Scene(type(scene.parameters)(**groups), scene.cameras)
    expected = render(open_renderer(ellipsoid, 48), scene)["image"].astype(int)
    found = render(open_renderer(without, 48), same)["image"]
    assert abs(found - expected).max() <= 1


def test_two_renderers_do_not_disturb_each_other(open_renderer, ellipsoid):
    first = open_renderer(ellipsoid, 64)
    scene = synthetic.scene(ellipsoid, 2, 64)
    before = render(first, scene)["image"]
    second = open_renderer(ellipsoid, 32)
    other = render(second, synthetic.scene(ellipsoid, 2, 32))["image"]
    np.testing.assert_array_equal(render(first, scene)["image"], before)
    assert other.any(axis=(1, 2, 3)).all()


def held():
    """File descriptors and threads of this process."""
    return len(os.listdir("/proc/self/fd")), len(os.listdir("/proc/self/task"))


def test_opening_and_closing_leaves_nothing_behind(ellipsoid):
    scene = synthetic.scene(ellipsoid, 2, 64)
    images, counts = [], []
    for _ in range(10):
        renderer = EglRenderer(ellipsoid, RenderSettings(64, frozenset(RENDERED_LAYERS)))
        images.append(render(renderer, scene)["image"])
        assert renderer._context.error == "GL_NO_ERROR"
        renderer.close()
        counts.append(held())
    assert all((image == images[0]).all() for image in images)
    assert counts[-1] == counts[2]
