"""Batches: every sample once and exactly, held-out ones apart, any batch again."""

import io
import tarfile
from dataclasses import replace
from itertools import islice

import numpy as np
import pytest
import torch
from specs import folder, generated, read_tar, spec_of

from facegen.errors import DatasetError, FacegenError
from facegen.learning import batches
from facegen.learning.labelled import decoded
from facegen.learning.moves import Moves
from facegen.learning.training_set import open_training_set
from facegen.sampling.prior import prior_of

PLAIN = batches.Changes()
CHANGED = batches.Changes(Moves(0.05, 0.1, 5, 0.5), 0.5, seed=3)


@pytest.fixture
def reading(spec):
    return batches.reading_of(open_training_set([folder(spec)]), 0.0, landmarks=False)


def source_of(reading, start=0, batch=4, changes=PLAIN):
    """Batches of four from this number on."""
    return batches.Batches(reading, batches.Order(batch, 7, start), changes)


def drawn(source, count):
    return [(b.images.clone(), b.theta.clone()) for b in islice(iter(source), count)]


def test_a_training_set_says_what_its_shards_are(spec):
    training_set = open_training_set([folder(spec)])
    assert [path.name for path in training_set.shards] == [f"train-{i:06d}.tar" for i in range(4)]
    assert training_set.layout == spec.layout
    assert training_set.model.sha256 == spec.model.sha256
    assert training_set.recipe.fingerprint == spec.recipe.fingerprint


def test_moments_are_those_of_the_prior(spec):
    mean, sd = prior_of(spec.recipe, spec.layout).moments()
    expression = spec.layout.slices["expression"]
    np.testing.assert_allclose(mean[expression], 0, atol=1e-6)
    np.testing.assert_allclose(sd[expression][1:], 24 / np.sqrt(12), rtol=1e-6)
    np.testing.assert_allclose(mean[spec.layout.slices["illumination"]][:3], 0.9, rtol=1e-6)


def test_a_pass_gives_every_sample_once_with_its_image_and_theta(spec, reading):
    truth = {k: v for path in sorted(folder(spec).glob("*.tar")) for k, v in read_tar(path).items()}
    plain = list(batches.stream(reading.paths, reading.kind, None))
    mixed = list(batches.stream(reading.paths, reading.kind, "seed"))
    assert [key for key, _ in plain] == sorted(truth)
    assert [key for key, _ in mixed] != sorted(truth)
    assert sorted(key for key, _ in mixed) == sorted(truth)
    faces = decoded(mixed, reading.kind)
    for row, (key, _) in enumerate(mixed):
        np.testing.assert_array_equal(faces.images[row], truth[key]["jpg"])
        np.testing.assert_array_equal(faces.theta[row], truth[key]["theta.npy"])
    assert faces.landmarks.shape == (40, 0, 2)


@pytest.mark.parametrize("changes", [PLAIN, CHANGED])
@pytest.mark.parametrize("start", [0, 1, 5, 13, 27])
def test_any_batch_can_be_had_again(reading, start, changes):
    whole = drawn(source_of(reading, changes=changes), 32)[start:]
    rest = drawn(source_of(reading, start, changes=changes), 32 - start)
    for (images, theta), (again, same) in zip(whole, rest, strict=True):
        torch.testing.assert_close(images, again)
        torch.testing.assert_close(theta, same)


def test_data_workers_give_the_same_batches_after_a_restart(reading):
    cpu = torch.device("cpu")
    whole, rest = (
        [
            b.images
            for b in islice(batches.batches(source_of(reading, start, changes=CHANGED), 2, cpu), n)
        ]
        for start, n in ((0, 7), (3, 4))
    )
    torch.testing.assert_close(whole[3:], rest)


def test_a_batch_is_changed_by_its_number(reading):
    plain = drawn(source_of(reading), 3)
    one, same, other = (
        drawn(source_of(reading, changes=replace(CHANGED, seed=seed)), 3) for seed in (3, 3, 4)
    )
    for step in range(3):
        assert (one[step][0] == same[step][0]).all()
        assert (one[step][0] != plain[step][0]).any()
        assert (one[step][0] != other[step][0]).any()


def test_held_out_samples_are_never_trained_on(spec):
    training_set = open_training_set([folder(spec)])
    reading = batches.reading_of(training_set, 0.3, landmarks=False)
    held = {key for key, _ in batches.validation_samples(training_set, reading)}
    trained = {key for key, _ in islice(batches.endless(reading, "0", 0), 200)}
    assert held
    assert not held & trained
    assert len(held | trained) == 40
    assert held == {key for key, _ in batches.validation_samples(training_set, reading)}


@pytest.fixture(scope="module")
def identities(ellipsoid_file, tmp_path_factory):
    """A finished data set of 8 identities, each seen 5 times."""
    changes = {"image": {"size": 64, "format": "jpg", "quality": 95}}
    changes |= {"identities": 8, "samples_per_identity": 5}
    out = tmp_path_factory.mktemp("identities") / "faces"
    return generated(spec_of(ellipsoid_file, out, changes, count=40, shard_size=10))


def parted(folders, share):
    """The (folder, key) of what is held out, and of what is trained on."""
    reading = batches.reading_of(open_training_set(folders), share, landmarks=False)
    samples = [(p, k) for p in reading.paths for k in read_tar(p)]
    held = {(p.parent, k) for p, k in samples if reading.held_out(p, k)}
    return held, {(p.parent, k) for p, k in samples if reading.trained_on(p, k)}


@pytest.mark.parametrize(("share", "count"), [(0.1, 1), (0.25, 2), (0.4, 3)])
def test_held_out_identities_are_never_trained_on(identities, share, count):
    training_set = open_training_set([folder(identities)])
    reading = batches.reading_of(training_set, share, landmarks=False)
    held = {int(key) % 8 for key, _ in batches.validation_samples(training_set, reading)}
    trained = {int(key) % 8 for key, _ in islice(batches.endless(reading, "0", 0), 80)}
    assert len(held) == count
    assert len(trained) == 8 - count
    assert not held & trained


def test_each_data_set_is_parted_by_its_own_identities(spec, identities):
    held, trained = parted([folder(spec), folder(identities)], 0.25)
    assert len(held | trained) == 80
    apart = {int(key) % 8 for where, key in held if where == folder(identities)}
    assert len(apart) == 2
    assert not apart & {int(key) % 8 for where, key in trained if where == folder(identities)}
    alone, _ = parted([folder(spec)], 0.25)
    assert alone == {(where, key) for where, key in held if where == folder(spec)}


@pytest.mark.parametrize("key", ["9" * 10, "9" * 12, "face", "0000000040"])
def test_a_key_of_others_names_no_identity(identities, key):
    assert batches.identity(key, identities.recipe) is None


def test_shards_of_validation_take_the_place_of_the_share(ellipsoid_file, tmp_path):
    splits = {"splits": {"train": 0.75, "validation": 0.25}}
    generated(spec_of(ellipsoid_file, tmp_path, splits, count=40, shard_size=10))
    training_set = open_training_set([tmp_path])
    reading = batches.reading_of(training_set, 0.3, landmarks=False)
    held = [key for key, _ in batches.validation_samples(training_set, reading)]
    assert [int(key) for key in held] == list(range(30, 40))
    trained = {int(key) for key, _ in islice(batches.endless(reading, "0", 0), 90)}
    assert trained == set(range(30))


def test_nothing_left_to_train_on_is_said(spec):
    reading = batches.reading_of(open_training_set([folder(spec)]), 0.9999, landmarks=False)
    with pytest.raises(DatasetError, match="no samples are left"):
        next(batches.endless(replace(reading, validation=1.0), "0", 0))


def test_tars_of_others_are_read(spec, reading, tmp_path):
    shard = sorted(folder(spec).glob("*.tar"))[0]
    packed = {}
    for name, form in (("pax", tarfile.PAX_FORMAT), ("gnu", tarfile.GNU_FORMAT)):
        path = tmp_path / f"{name}.tar"
        with tarfile.open(shard) as old, tarfile.open(path, "w", format=form) as new:
            for info in old:
                data = old.extractfile(info).read()
                info.mtime = 1.5
                info.pax_headers = {"comment": "x" * 90}
                new.addfile(info, io.BytesIO(data))
        packed[name] = list(batches.stream([path], reading.kind, None))
    assert packed["pax"] == packed["gnu"] == list(batches.stream([shard], reading.kind, None))


@pytest.mark.parametrize("keep", [1, 700, 3000, 20_480])
def test_a_shard_that_is_cut_off_is_named(spec, reading, tmp_path, keep):
    path = tmp_path / "train-000000.tar"
    path.write_bytes((folder(spec) / path.name).read_bytes()[:keep])
    with pytest.raises(DatasetError, match=r"train-000000\.tar: "):
        list(batches.stream([path], reading.kind, None))


@pytest.mark.parametrize("workers", [0, 1])
def test_a_damaged_sample_is_named_whoever_reads_it(spec, reading, tmp_path, workers):
    path = tmp_path / "train-000000.tar"
    data = bytearray((folder(spec) / path.name).read_bytes())
    data[512:520] = b"no image"
    path.write_bytes(data)
    source = source_of(replace(reading, paths=(path,)), batch=10)
    with pytest.raises(FacegenError, match=r"sample 0000000000: .*not an image") as caught:
        next(batches.batches(source, workers, torch.device("cpu")))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", ["absent", "absent.tar", "empty"])
def test_shards_that_are_not_there_are_named(tmp_path, name):
    (tmp_path / "empty").mkdir()
    with pytest.raises(DatasetError, match=name):
        open_training_set([tmp_path / name])


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"recipe": 3}', "\x00"])
def test_a_foreign_index_is_refused(spec, tmp_path, text):
    (tmp_path / "train-000000.tar").write_bytes(b"")
    (tmp_path / "dataset.json").write_text(text)
    with pytest.raises(DatasetError, match=r"dataset\.json: not an index of facegen"):
        open_training_set([tmp_path])


def test_shards_of_different_models_do_not_mix(spec, tmp_path):
    text = (folder(spec) / "dataset.json").read_text()
    (tmp_path / "dataset.json").write_text(text.replace(spec.model.sha256, "f" * 64))
    (tmp_path / "train-000000.tar").write_bytes(b"")
    with pytest.raises(DatasetError, match="another model"):
        open_training_set([folder(spec), tmp_path])
