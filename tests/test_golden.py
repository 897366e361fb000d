"""What facegen computes does not change unnoticed: theta exactly, pixels to a level of 255."""

import hashlib

import golden_data
import numpy as np
import pytest

from facegen.rendering.devices import renderer_of

EXACT = ("theta", "identity", "parent", "index", "cls", "shards")
CAMERAS = {"K": (1e-2, 1e-4), "model_to_camera": (1e-5, 1e-6)}
LEVELS = ("image", "depth", "normal", "albedo", "pncc")
LABELS = ("mask", "segmentation")
SHARE = 0.999

# The renderer that made the golden files, by their hash: new pixels are those of a new version.
MADE_BY = {"03ca58bcfeef1323": "cpu-3"}


@pytest.fixture(scope="module")
def inputs(tmp_path_factory):
    """A folder that holds what the commands read."""
    folder = tmp_path_factory.mktemp("golden")
    golden_data.write_inputs(folder)
    return folder


@pytest.fixture(scope="module", params=golden_data.COMMANDS)
def pair(request, inputs):
    """A golden data set as it was made once, and as it is made now."""
    golden = dict(np.load(golden_data.FOLDER / f"{request.param}.npz"))
    return golden, golden_data.make(request.param, inputs)


def test_two_shards_hold_every_member(pair):
    golden, made = pair
    assert golden.keys() == made.keys()
    assert len(made["shards"]) >= 2
    assert {name: one.shape for name, one in golden.items()} == {
        name: one.shape for name, one in made.items()
    }


@pytest.mark.parametrize("name", EXACT)
def test_labels_are_the_same(pair, name):
    golden, made = pair
    np.testing.assert_array_equal(made[name], golden[name])


@pytest.mark.parametrize("name", CAMERAS)
def test_cameras_and_crops_are_the_same(pair, name):
    golden, made = pair
    absolute, relative = CAMERAS[name]
    np.testing.assert_allclose(made[name], golden[name], rtol=relative, atol=absolute)


@pytest.mark.parametrize("name", LEVELS)
def test_pixels_are_the_same_to_a_level(pair, name):
    golden, made = pair
    gap = np.abs(made[name].astype(int) - golden[name].astype(int))
    assert (gap <= 1).mean() >= SHARE


@pytest.mark.parametrize("name", LABELS)
def test_masks_and_segments_are_the_same(pair, name):
    golden, made = pair
    assert (made[name] == golden[name]).mean() >= SHARE


def test_the_background_is_the_same(pair):
    golden, made = pair
    behind = golden["mask"] == 0
    assert behind.mean() > 0.1
    gap = np.abs(made["image"].astype(int) - golden["image"].astype(int))[behind]
    assert (gap <= 1).mean() >= SHARE


@pytest.mark.parametrize("name", ["landmarks", "landmarks2d"])
def test_landmarks_are_the_same(pair, name):
    golden, made = pair
    np.testing.assert_allclose(made[name][..., :2], golden[name][..., :2], atol=0.01)
    assert (made[name][..., 2] == golden[name][..., 2]).mean() >= SHARE


def test_the_renderers_version_is_that_of_the_golden_files():
    digest = hashlib.sha256()
    for path in sorted(golden_data.FOLDER.glob("*.npz")):
        digest.update(path.read_bytes())
    assert MADE_BY[digest.hexdigest()[:16]] == renderer_of(["cpu"])
