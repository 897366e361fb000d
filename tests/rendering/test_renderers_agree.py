"""The two renderers are two roads to the same pixel: the CPU's kernels and OpenGL."""

import sys
from pathlib import Path

import numpy as np
import pytest

from facegen.imaging.faces import scene_of
from facegen.models import model_file
from facegen.recipe.loading import load
from facegen.rendering.contract import RenderSettings
from facegen.rendering.cpu.renderer import CpuRenderer
from facegen.rendering.egl.renderer import EglRenderer
from facegen.rendering.landmarks import find_landmarks
from facegen.sampling.samples import draw

SIZE, SEED, STEP = 240, 11, 20
SETTINGS = RenderSettings(SIZE, frozenset({"depth"}))
BENCHMARKS = Path(__file__).resolve().parents[2] / "benchmarks"


@pytest.fixture(scope="module")
def basel_size(tmp_path_factory):
    """The benchmarks' model of 53,490 vertices."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "path", [str(BENCHMARKS), *sys.path])
        import synthetic_model
    path = tmp_path_factory.mktemp("models") / "basel_size.h5"
    synthetic_model.main([str(path)], standalone_mode=False)
    return model_file.load(path)


def samples_of(model, indices):
    """Samples of the default recipe."""
    return draw(
        load("inversefacenet").with_changes({"image": {"size": SIZE}}), model, SEED, indices
    )


def rendered(renderer, samples):
    """A renderer's images, masks, depths and visible landmarks of samples."""
    frames = renderer.render(scene_of(samples))
    depth = frames.layers["depth"].copy()
    visible = find_landmarks(samples.landmarks, samples.cameras, depth)[..., 2]
    return frames.images.copy(), frames.mask > 0, depth, visible


def compare(model, count):
    """What both renderers make of `count` faces, as arrays."""
    both = []
    for kind in (CpuRenderer, EglRenderer):
        renderer = kind(model, SETTINGS)
        steps = [range(start, min(start + STEP, count)) for start in range(0, count, STEP)]
        batches = [rendered(renderer, samples_of(model, step)) for step in steps]
        both.append([np.concatenate(arrays) for arrays in zip(*batches, strict=True)])
        renderer.close()
    return both


def check_agreement(model, count):
    (a, a_mask, a_depth, a_seen), (b, b_mask, b_depth, b_seen) = compare(model, count)
    both = a_mask & b_mask
    assert (a_mask != b_mask).mean() < 0.001
    off = abs(a.astype(np.int16) - b)[both]
    assert (off > 2).mean() < 0.001
    assert off.mean() < 0.25
    assert (abs(a_depth - b_depth)[both] > 0.1).mean() < 0.001
    assert (a_seen != b_seen).mean() < 0.002


def test_200_faces_of_the_default_recipe_agree(egl, generic):
    check_agreement(generic, 200)


def test_faces_of_the_basel_size_agree(egl, basel_size):
    check_agreement(basel_size, STEP)
