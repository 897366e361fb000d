"""The two renderers are two roads to the same pixel: the CPU's kernels and OpenGL."""

import sys
from pathlib import Path

import numpy as np
import pytest

from facegen import recipe
from facegen.geometry import Cameras, crop_to_landmarks, model_to_camera, to_camera
from facegen.layers import find_landmarks
from facegen.model_formats import basel
from facegen.renderers import RenderSettings, Scene
from facegen.renderers.cpu import CpuRenderer
from facegen.renderers.egl import EglRenderer
from facegen.sampling import sample_cameras, source_of

SIZE, SEED, STEP = 240, 11, 20
SETTINGS = RenderSettings(SIZE, frozenset({"depth"}))
BENCHMARKS = Path(__file__).resolve().parent.parent / "benchmarks"


@pytest.fixture(scope="module")
def basel_size(tmp_path_factory):
    """The benchmarks' model of 53,490 vertices."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "path", [str(BENCHMARKS), *sys.path])
        import synthetic_model
    path = tmp_path_factory.mktemp("models") / "basel_size.h5"
    synthetic_model.main([str(path)], standalone_mode=False)
    return basel.load(path)


def scene_of(model, indices):
    """Faces of the default recipe -> (scene, landmarks in eye space)."""
    chosen = recipe.load("inversefacenet")
    parameters = model.layout.unpack(source_of(chosen, model.layout).theta(SEED, indices))
    distance, crop = sample_cameras(chosen.camera, SEED, indices)
    transform = model_to_camera(parameters.rotation, distance)
    points = to_camera(model.landmark_geometry.evaluate(parameters.geometry), transform)
    cameras = Cameras(transform, crop_to_landmarks(points, crop, SIZE))
    return Scene(parameters, cameras), points


def compare(model, count):
    """Both renderers' images, masks, depths and visible landmarks of `count` faces, as arrays."""
    renderers = CpuRenderer(model, SETTINGS), EglRenderer(model, SETTINGS)
    found = [[], []]
    for start in range(0, count, STEP):
        scene, points = scene_of(model, np.arange(start, min(start + STEP, count)))
        for renderer, kept in zip(renderers, found, strict=True):
            frames = renderer.render(scene)
            depth = frames.layers["depth"].copy()
            visible = find_landmarks(points, scene.cameras.K, depth)[..., 2]
            kept.append((frames.images.copy(), frames.mask > 0, depth, visible))
    for renderer in renderers:
        renderer.close()
    return [[np.concatenate(parts) for parts in zip(*kept, strict=True)] for kept in found]


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
