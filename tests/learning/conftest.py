"""What tests of learning share: a small data set, and one thread."""

import numpy as np
import pytest
import torch
from PIL import Image
from specs import generated, spec_of


@pytest.fixture(scope="session")
def spec(ellipsoid_file, tmp_path_factory):
    """A finished data set of 40 small faces in 4 shards, JPEG."""
    image = {"image": {"size": 64, "format": "jpg", "quality": 95}}
    out = tmp_path_factory.mktemp("learn") / "faces"
    return generated(spec_of(ellipsoid_file, out, image, count=40, shard_size=10))


@pytest.fixture(scope="session")
def marked(ellipsoid_file, tmp_path_factory):
    """A finished data set of 24 small faces with landmarks2d."""
    out = tmp_path_factory.mktemp("marked") / "faces"
    image = {"image": {"size": 32}}
    return generated(spec_of(ellipsoid_file, out, image, count=24, layers="landmarks2d"))


@pytest.fixture(autouse=True)
def _one_thread():
    """Small steps are quicker on one thread, most of all where cores are shared."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="session")
def masked(ellipsoid_file, tmp_path_factory):
    """A finished data set of 20 small faces in 2 shards, lossless, with masks."""
    out = tmp_path_factory.mktemp("estimate") / "faces"
    return generated(spec_of(ellipsoid_file, out, shard_size=10, layers="mask"))


@pytest.fixture
def photographs(tmp_path):
    """A folder of three images of different shapes, one level deep."""
    place = tmp_path / "photographs"
    (place / "more").mkdir(parents=True)
    for name, shape in {"a.png": (40, 60), "more/b.png": (32, 32), "c.png": (90, 50)}.items():
        pixels = np.random.default_rng(0).integers(0, 256, (*shape, 3), np.uint8)
        Image.fromarray(pixels).save(place / name)
    return place
