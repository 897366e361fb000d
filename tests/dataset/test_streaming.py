"""Samples streamed for training: all of them, in webdataset's own shuffled order, and no others."""

import random

import pytest
from specs import folder, read_tar

from facegen.dataset.streaming import shuffled, stream_samples
from facegen.errors import DatasetError


@pytest.fixture(scope="module")
def tars(faces):
    """The shards of the data set."""
    return sorted(folder(faces).glob("train-*.tar"))


def keys(samples):
    """The keys of samples."""
    return [key for key, _ in samples]


def test_without_a_seed_samples_come_in_order(tars):
    samples = dict(stream_samples(tars, {"theta.npy", "json"}, None))
    assert list(samples) == [f"{i:010d}" for i in range(20)]
    assert all(members.keys() == {"theta.npy", "json"} for members in samples.values())


def test_members_are_the_files_bytes(tars):
    ((_, members), *_) = stream_samples(tars, {"cls"}, None)
    assert int(members["cls"]) == next(iter(read_tar(tars[0]).values()))["cls"]


@pytest.mark.parametrize("seed", ["0:0", "0:1"])
def test_a_seed_gives_every_sample_once_in_an_order_of_its_own(tars, seed):
    order = keys(stream_samples(tars, {"json"}, seed))
    assert sorted(order) == keys(stream_samples(tars, {"json"}, None)) != order
    assert order == keys(stream_samples(tars, {"json"}, seed))
    assert order != keys(stream_samples(tars, {"json"}, f"{seed}+"))


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(("count", "size"), [(100, 16), (7, 16), (16, 16), (1, 1), (0, 4)])
def test_the_buffer_shuffles_as_webdatasets(count, size):
    from webdataset.filters import _shuffle

    expected = list(_shuffle(iter(range(count)), size, size, random.Random(3)))
    assert list(shuffled(range(count), size, random.Random(3))) == expected


def test_a_choice_is_by_shard_and_key(tars):
    chosen = keys(stream_samples(tars, {"json"}, None, lambda path, key: path == tars[1]))
    assert chosen == [f"{i:010d}" for i in range(8, 16)]


def test_a_shard_that_is_cut_off_is_named(tars, tmp_path):
    path = tmp_path / "train-000000.tar"
    path.write_bytes(tars[0].read_bytes()[:3000])
    with pytest.raises(DatasetError, match=r"train-000000\.tar: the shard is cut off"):
        list(stream_samples([path], {"png", "depth.png"}, None))
