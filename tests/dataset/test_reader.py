"""A data set is read back: in order and by index, each member decoded, faults named."""

import json
import pickle
import shutil

import numpy as np
import pytest
from specs import folder, generated, samples_of, spec_of

import facegen
from facegen.dataset.reader import Dataset
from facegen.dataset.shards import open_shard, read_samples
from facegen.dataset.stores.opening import open_store
from facegen.errors import DatasetError, UsageError
from facegen.recipe.plan import identities_of
from facegen.rendering.contract import BENEATH_MAPS

ENCODED = {"segmentation": "segmentation.png", "mask": "mask.png", "normal": "normal.png"}
ENCODED |= {"albedo": "albedo.png", "pncc": "pncc.png", "landmarks": "landmarks.npy", "cls": "cls"}
ENCODED |= {name: f"{name}.png" for name in BENEATH_MAPS if name != "depth_beneath"}
ENCODED |= {"landmarks2d": "landmarks2d.npy"}


@pytest.fixture(scope="module")
def dataset(faces):
    """The finished data set, opened."""
    return facegen.open_dataset(folder(faces))


@pytest.fixture(scope="module")
def expected(faces):
    """Its samples as another reader sees them."""
    return samples_of(faces)


@pytest.fixture
def copy(faces, tmp_path):
    """A copy of the data set, to be damaged."""
    return shutil.copytree(folder(faces), tmp_path / "copy")


def test_it_has_as_many_samples_as_were_made(dataset, faces):
    assert len(dataset) == faces.count == 20
    assert dataset.layers == faces.layers
    assert dataset.layout == faces.layout
    assert dataset.recipe.fingerprint == faces.recipe.fingerprint


def test_in_order_every_sample_is_there(dataset, expected):
    samples = list(dataset)
    assert [sample.index for sample in samples] == list(range(20))
    for sample, members in zip(samples, expected, strict=True):
        assert np.array_equal(sample.image, members["png"])
        assert np.array_equal(sample.vector, members["theta.npy"])


def test_by_index_samples_are_those_of_the_iteration(dataset):
    for position, sample in enumerate(dataset):
        assert dataset[position].members == sample.members
        assert dataset[position].key == sample.key


def test_indices_count_from_the_end_and_stop_there(dataset):
    assert dataset[-1].index == 19
    assert dataset[np.int64(3)].index == 3
    for position in (20, -21):
        with pytest.raises(IndexError):
            dataset[position]
    with pytest.raises(TypeError):
        dataset["3"]


def test_theta_comes_by_group(dataset, faces):
    theta, vector = dataset[7].theta, dataset[7].vector
    for group in faces.layout.groups:
        part = getattr(theta, group.name)
        assert part.shape == group.shape
        assert np.array_equal(part.ravel(), vector[faces.layout.slices[group.name]])


def test_the_label_comes_with_it(dataset, expected, faces):
    for sample, members in zip(dataset, expected, strict=True):
        label = members["json"]
        assert np.array_equal(sample.camera.K, np.float32(label["K"]))
        assert np.array_equal(sample.camera.model_to_camera, np.float32(label["model_to_camera"]))
        assert sample.identity == identities_of(faces.recipe, np.array([sample.index]))[0]
        assert sample.parent is None


def test_layers_are_decoded_in_their_units(dataset, expected):
    layers, members = dataset[4].layers, expected[4]
    assert set(layers) == {"depth", "depth_beneath", *ENCODED}
    for name, suffix in ENCODED.items():
        assert np.array_equal(layers[name], members[suffix])
    depth = layers["depth"]
    assert depth.dtype == np.float32
    assert np.array_equal(depth, np.float32(members["depth.png"]) / np.float32(10))
    assert 300 < depth[layers["mask"] > 0].min() < depth.max() < 3000
    with pytest.raises(KeyError):
        layers["shadow"]


def test_rendering_again_gives_the_same_layers(dataset, faces):
    """The reader and `facegen.render` speak the same units."""
    names = sorted(faces.layers - {"cls"})
    model = faces.load_model()
    samples = facegen.sample(faces.recipe, model, range(20))
    rendered = facegen.render(samples, model, names, device="cpu")
    for row, sample in enumerate(dataset):
        assert np.array_equal(rendered.images[row], sample.image)
        for name in names:
            tolerance = 0.0501 if name.startswith("depth") else 0
            difference = np.abs(
                np.subtract(rendered.layers[name][row], sample.layers[name], dtype=float)
            )
            assert difference.max() <= tolerance, name


def test_a_split_is_read_alone(ellipsoid_file, tmp_path):
    splits = {"splits": {"train": 0.8, "validation": 0.2}}
    spec = generated(spec_of(ellipsoid_file, tmp_path / "split", splits))
    assert [sample.index for sample in Dataset(spec.out, "validation")] == [16, 17, 18, 19]
    assert Dataset(spec.out, "validation")[0].index == 16
    assert len(Dataset(spec.out, "train")) == 16
    with pytest.raises(UsageError, match="no split 'test'"):
        Dataset(spec.out, "test")


def test_an_open_data_set_can_be_sent_to_a_worker(dataset):
    again = pickle.loads(pickle.dumps(dataset))
    assert len(again) == 20
    assert again[11].members == dataset[11].members


def test_shards_that_are_missing_from_the_index_are_not_counted(small_spec):
    spec = generated(small_spec(shards="1:2"))
    dataset = Dataset(spec.out)
    assert len(dataset) == 0
    assert list(dataset) == []


def test_by_url_as_in_a_folder(ellipsoid_file, tmp_path):
    spec = generated(spec_of(ellipsoid_file, "memory://reader/set", layers="depth"))
    dataset = facegen.open_dataset("memory://reader/set")
    assert [sample.index for sample in dataset] == list(range(20))
    assert dataset[9].members == list(dataset)[9].members
    assert spec.count == len(dataset)


def test_no_data_set_there(tmp_path):
    with pytest.raises(DatasetError, match=r"dataset\.json: is not there"):
        facegen.open_dataset(tmp_path)


def test_a_shard_that_is_gone_is_named(copy):
    (copy / "train-000001.tar").unlink()
    with pytest.raises(DatasetError, match=r"train-000001\.tar: .*No such file"):
        facegen.open_dataset(copy)[8]


def test_a_shard_that_is_cut_off_is_named(copy):
    dataset, tar = facegen.open_dataset(copy), copy / "train-000001.tar"
    tar.write_bytes(tar.read_bytes()[:5000])
    with pytest.raises(DatasetError, match=r"train-000001\.tar: .*cut off"):
        dataset[8]


def test_a_shard_of_another_length_is_named(copy):
    dataset = facegen.open_dataset(copy)
    shutil.copy(copy / "train-000002.tar", copy / "train-000001.tar")
    with pytest.raises(DatasetError, match=r"train-000001\.tar: holds 4 samples; .* says 8"):
        dataset[8]


@pytest.mark.parametrize("name", ["train-000009.tar", "mine.tar", "test-000000.tar"])
def test_a_tar_that_is_no_shard_of_it_is_refused_by_name(copy, name):
    shutil.copy(copy / "train-000001.tar", copy / name)
    with pytest.raises(DatasetError, match=f"{name}: no shard of this data set; move it"):
        facegen.open_dataset(copy)


def test_a_shard_with_anothers_report_is_refused(copy):
    index = json.loads((copy / "dataset.json").read_text())
    index["shards"] = index["shards"][:-1]
    (copy / "dataset.json").write_text(json.dumps(index))
    assert len(facegen.open_dataset(copy)) == 16
    report = json.loads((copy / "train-000002.json").read_text())
    (copy / "train-000002.json").write_text(json.dumps(report | {"fingerprint": "0" * 64}))
    with pytest.raises(DatasetError, match=r"train-000002\.tar: no shard of .*, by its report"):
        facegen.open_dataset(copy)
    (copy / "train-000002.json").unlink()
    assert len(facegen.open_dataset(copy)) == 16


def rewritten(copy, change):
    """An open data set, the members of the third sample of its first shard changed."""
    dataset = facegen.open_dataset(copy)
    samples = list(read_samples(copy / "train-000000.tar"))
    change(samples[2][1])
    with open_shard(open_store(str(copy)), "train-000000.tar") as writer:
        for key, members in samples:
            writer.write(key, members)
        writer.commit()
    return dataset


def test_a_member_that_is_missing_is_named(copy):
    dataset = rewritten(copy, lambda members: members.pop("depth.png"))
    for read in (lambda: dataset[2], lambda: list(dataset)):
        with pytest.raises(DatasetError, match=r"train-000000\.tar: 0000000002: has no depth\.png"):
            read()


def test_a_member_that_cannot_be_decoded_is_named(copy):
    sample = rewritten(copy, lambda members: members.update({"depth.png": b"?", "json": b"{}"}))[2]
    assert sample.image.shape == (64, 64, 3)
    with pytest.raises(DatasetError, match=r"train-000000\.tar: 0000000002\.depth"):
        sample.layers["depth"]
    with pytest.raises(DatasetError, match=r"0000000002\.json: the json is not a label"):
        _ = sample.identity


@pytest.mark.parametrize("name", ["../train-000000", "train-0", "TRAIN-000000", "train-000000\\n"])
def test_an_index_cannot_name_files_elsewhere(copy, name):
    index = (copy / "dataset.json").read_text()
    (copy / "dataset.json").write_text(index.replace('"train-000000"', f'"{name}"'))
    with pytest.raises(DatasetError, match="not an index of facegen"):
        facegen.open_dataset(copy)
