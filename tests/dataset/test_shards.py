"""Shards: plain tars that appear whole or not at all, and that other programs read."""

import hashlib
import json
import tarfile

import numpy as np
import pytest
import webdataset
from specs import folder, read_tar
from tars import SAMPLES, write

from facegen.dataset import shards
from facegen.dataset.report import ShardReport, read_report, write_report
from facegen.dataset.shards import open_shard, read_samples
from facegen.dataset.stores.folder import FolderStore
from facegen.errors import DatasetError
from facegen.recipe.plan import Shard

REPORT = ShardReport("train-000000", 0, 2, 10, "ab", "cd", "egl:0", {"write": 0.1})


@pytest.fixture
def tar(tmp_path):
    path = tmp_path / "train-000000.tar"
    write(path)
    return path


def test_a_shard_is_read_back(tar):
    assert dict(read_samples(tar)) == SAMPLES


def test_commit_says_the_files_size_and_hash(tmp_path):
    path = tmp_path / "a.tar"
    size, sha256 = write(path)
    data = path.read_bytes()
    assert (size, sha256) == (len(data), hashlib.sha256(data).hexdigest())


def test_members_are_sorted_within_a_sample_and_samples_in_order(tar):
    with tarfile.open(tar) as file:
        assert file.getnames() == [
            "0000000000.json",
            "0000000000.png",
            "0000000000.theta.npy",
            "0000000001.json",
            "0000000001.png",
            "0000000001.theta.npy",
        ]


def test_members_tell_nothing_but_name_and_size(tar):
    with tarfile.open(tar) as file:
        for info in file:
            assert (info.mtime, info.uid, info.gid, info.uname, info.gname) == (0, 0, 0, "", "")
            assert (info.mode, info.isreg(), info.pax_headers) == (0o644, True, {})


def test_the_format_is_ustar(tar):
    data = tar.read_bytes()
    assert data[257:265] == b"ustar\x0000"
    assert len(data) % 512 == 0
    assert data.endswith(b"\0" * 1024)


class Sized(bytes):
    """No bytes that say they are so many."""

    def __new__(cls, size):
        sized = super().__new__(cls)
        sized.size = size
        return sized

    def __len__(self):
        return self.size


@pytest.mark.parametrize("size", [0, 1, 511, 512, 8**7, 2**28])
def test_a_header_is_tarfiles_own(size):
    info = tarfile.TarInfo("0000000042.theta.npy")
    info.size = size
    header = shards.sample_bytes("0000000042", {"theta.npy": Sized(size)})[:512]
    assert header == info.tobuf(tarfile.USTAR_FORMAT)


def test_equal_samples_make_equal_bytes(tmp_path):
    backwards = {key: dict(reversed(m.items())) for key, m in SAMPLES.items()}
    assert write(tmp_path / "a.tar") == write(tmp_path / "b.tar", backwards)


@pytest.mark.parametrize("index", [0, 42, 10**10 - 1])
def test_a_key_is_ten_digits_without_a_dot(index):
    key = shards.sample_key(index)
    assert len(key) == 10
    assert key.isdigit()
    assert int(key) == index


def test_an_aborted_shard_leaves_nothing(tmp_path):
    path = tmp_path / "a.tar"

    def work():
        with open_shard(FolderStore(tmp_path), path.name) as writer:
            writer.write("0", {"json": b"{}"})
            assert not path.exists()
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        work()
    assert list(tmp_path.iterdir()) == []


def test_a_shard_has_its_name_only_once_it_is_whole(tmp_path):
    path = tmp_path / "a.tar"
    with open_shard(FolderStore(tmp_path), path.name) as writer:
        writer.write("0", {"json": b"{}"})
        assert [p.name.split(".")[-1] for p in tmp_path.iterdir()] == ["partial"]
        writer.commit()
    assert [p.name for p in tmp_path.iterdir()] == ["a.tar"]


def test_a_small_file_is_old_or_new_but_never_half(tmp_path, monkeypatch):
    store = FolderStore(tmp_path)
    store.write("index.json", b"old")

    def full(descriptor):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(DatasetError, match="No space"):
        store.write("index.json", b"new")
    assert store.read("index.json") == b"old"
    assert list(store.names()) == ["index.json"]


def test_a_shard_knows_its_name_and_length():
    shard = Shard("train", 17, 100, 150)
    assert (shard.name, len(shard)) == ("train-000017", 50)


def test_a_report_is_read_back(tmp_path):
    store = FolderStore(tmp_path)
    write_report(store, REPORT)
    assert read_report(store, "train-000000") == REPORT
    assert REPORT.samples == 2


@pytest.mark.parametrize("text", ["", "{", "[]", '{"name": "a"}', "3", "[" * 100_000, "\udcff"])
def test_a_file_that_is_no_report_is_refused_in_one_line(tmp_path, text):
    path = tmp_path / "train-000000.json"
    path.write_bytes(text.encode("utf-8", "surrogateescape"))
    with pytest.raises(DatasetError, match=r"train-000000\.json: not a shard report") as caught:
        read_report(FolderStore(tmp_path), "train-000000")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "damage", [lambda d: d[:700], lambda d: b"x" * 600 + d[600:], lambda d: b"no tar"]
)
def test_a_damaged_tar_is_refused(tar, damage):
    tar.write_bytes(damage(tar.read_bytes()))
    with pytest.raises(DatasetError, match=r"train-000000\.tar"):
        list(read_samples(tar))


# What others read


@pytest.mark.filterwarnings("ignore")
def test_webdataset_reads_a_data_set(faces):
    urls = [str(path) for path in sorted(folder(faces).glob("train-*.tar"))]
    read = list(webdataset.WebDataset(urls, shardshuffle=False).decode("rgb8"))
    expected = {key: sample for url in urls for key, sample in read_tar(url).items()}
    assert [sample["__key__"] for sample in read] == list(expected)
    for sample in read:
        own = expected[sample["__key__"]]
        np.testing.assert_array_equal(sample["png"], own["png"])
        np.testing.assert_array_equal(sample["theta.npy"], own["theta.npy"])
        assert sample["json"] == own["json"]


def rows(dataset):
    """Keys, thetas and image sizes of a loaded split."""
    return [(r["__key__"], np.asarray(r["theta.npy"], np.float32), r["png"].size) for r in dataset]


def check_rows(rows, faces):
    """The rows are the data set's samples."""
    expected = {k: s for p in sorted(folder(faces).glob("*.tar")) for k, s in read_tar(p).items()}
    assert [key for key, _, _ in rows] == list(expected)
    for key, theta, size in rows:
        np.testing.assert_array_equal(theta, expected[key]["theta.npy"])
        assert size == (64, 64)


@pytest.mark.filterwarnings("ignore")
def test_hugging_faces_webdataset_builder_reads_the_shards(faces, tmp_path):
    import datasets

    files = {"train": [str(path) for path in sorted(folder(faces).glob("train-*.tar"))]}
    loaded = datasets.load_dataset(
        "webdataset", data_files=files, split="train", cache_dir=str(tmp_path)
    )
    check_rows(rows(loaded), faces)


@pytest.mark.filterwarnings("ignore")
def test_hugging_face_reads_the_folder_by_its_card(faces, tmp_path):
    import datasets

    loaded = datasets.load_dataset(str(folder(faces)), cache_dir=str(tmp_path))
    assert list(loaded) == ["train"]
    check_rows(rows(loaded["train"]), faces)


def test_dataset_json_lists_the_shards_that_are_there(faces):
    index = json.loads((folder(faces) / "dataset.json").read_text())
    for shard in index["shards"]:
        data = (folder(faces) / f"{shard['name']}.tar").read_bytes()
        assert (shard["bytes"], shard["sha256"]) == (len(data), hashlib.sha256(data).hexdigest())
