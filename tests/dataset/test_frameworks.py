"""Data sets under the loaders that people train with, by their default collate functions."""

import datasets
import numpy as np
import pytest
import torch
import webdataset
from specs import folder, generated, spec_of
from torch.utils.data import DataLoader

import facegen
from facegen.sampling import estimates
from facegen.sampling.estimates import Estimates

pytestmark = pytest.mark.filterwarnings("ignore")


@pytest.fixture(scope="module")
def sets(ellipsoid_file, tmp_path_factory):
    """Data sets of 20 samples: as by default, with all layers, and bootstrapped."""
    place = tmp_path_factory.mktemp("frameworks")
    image = {"image": {"size": 32, "format": "jpg", "quality": 90}}
    plain = spec_of(ellipsoid_file, place / "plain", image)
    theta = np.zeros((3, plain.layout.width), np.float32)
    estimates.write(place / "real.h5", Estimates(theta, ("a", "b", "c")))
    bootstrapped = {"base": "bootstrap", "estimates": place / "real.h5", "per_image": None}
    return {
        "plain": generated(plain),
        "layers": generated(spec_of(ellipsoid_file, place / "layers", image, layers="all")),
        "bootstrapped": generated(
            spec_of(ellipsoid_file, place / "bootstrapped", image, **bootstrapped)
        ),
    }


@pytest.fixture(params=["plain", "layers", "bootstrapped"])
def made(request, sets):
    return sets[request.param]


def shards(spec):
    return [str(path) for path in sorted(folder(spec).glob("*.tar"))]


def check(batches, spec):
    """Every sample once, in batches of tensors."""
    expected = np.stack([sample.vector for sample in facegen.open_dataset(spec.out)])
    thetas = torch.cat([batch["theta.npy"] for batch in batches])
    np.testing.assert_array_equal(np.sort(thetas.numpy(), axis=0), np.sort(expected, axis=0))
    for batch in batches:
        assert batch["jpg"].shape[1:] == (3, 32, 32)
        assert isinstance(batch["json"]["identity"], torch.Tensor)


@pytest.mark.parametrize("workers", [0, 2])
def test_webdataset_under_a_data_loader(made, workers):
    samples = webdataset.WebDataset(shards(made), shardshuffle=10).shuffle(99).decode("torchrgb")
    check(list(DataLoader(samples, batch_size=4, num_workers=workers)), made)


@pytest.mark.parametrize("workers", [0, 2])
def test_webdatasets_own_loader(made, workers):
    samples = webdataset.WebDataset(shards(made), shardshuffle=False).decode("torchrgb")
    loader = webdataset.WebLoader(samples, batch_size=4, num_workers=workers)
    check(list(loader), made)


def test_hugging_face_streaming(made, tmp_path):
    faces = datasets.load_dataset(made.out, split="train", streaming=True, cache_dir=str(tmp_path))
    batches = list(DataLoader(faces.with_format("torch"), batch_size=4))
    check(batches, made)


def test_an_open_data_set_by_index(made):
    def stacked(samples):
        return np.stack([s.image for s in samples]), [s.index for s in samples]

    dataset = facegen.open_dataset(made.out)
    loader = DataLoader(dataset, batch_size=4, shuffle=True, num_workers=2, collate_fn=stacked)
    indices = [index for _, batch in loader for index in batch]
    assert sorted(indices) == list(range(20))
