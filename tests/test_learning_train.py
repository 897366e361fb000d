"""The trainer: what it reads, that it learns, and that it goes on where it was cut off."""

import io
import tarfile
from dataclasses import replace
from itertools import islice
from pathlib import Path

import numpy as np
import pytest
import torch
from jobs import InProcess, folder, job_of, read_tar

from facegen.errors import DatasetError, FacegenError
from facegen.generate import generate
from facegen.learning import checkpoint, dataset, train
from facegen.learning.config import TrainingConfig
from facegen.learning.corpus import moments, open_corpus
from facegen.learning.logbook import read


@pytest.fixture(scope="module")
def job(egl, ellipsoid_file, tmp_path_factory):
    """A finished data set of 40 small faces in 4 shards, JPEG."""
    image = {"image": {"size": 64, "format": "jpg", "quality": 95}}
    out = tmp_path_factory.mktemp("learn") / "faces"
    job = job_of(ellipsoid_file, out, image, count=40, shard_size=10)
    generate(job, InProcess(), lambda samples: None)
    return job


@pytest.fixture
def config(job, tmp_path):
    """A short training of a narrow network."""
    return TrainingConfig(
        shards=(folder(job),),
        out=tmp_path / "net.pt",
        width=0.125,
        dropout=0.3,
        batch=4,
        iterations=12,
        every=4,
        validation=0.2,
        model=str(job.model.path),
        device="cpu",
    )


@pytest.fixture
def reading(job):
    return dataset.reading_of(open_corpus([folder(job)]), 0.0)


@pytest.fixture(autouse=True)
def _one_thread():
    """Small steps are quicker on one thread, most of all where cores are shared."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def quiet(text):
    """Say nothing."""


def drawn(source, count):
    return [(i.clone(), t.clone()) for i, t in islice(iter(source), count)]


def weights(path):
    return checkpoint.load(path).network.state_dict()


def test_a_corpus_says_what_its_shards_are(job):
    corpus = open_corpus([folder(job)])
    assert [path.name for path in corpus.shards] == [f"train-{i:06d}.tar" for i in range(4)]
    assert corpus.layout == job.layout
    assert corpus.model.sha256 == job.model.sha256
    assert corpus.recipe.digest == job.recipe.digest


def test_moments_are_those_of_the_prior(job):
    mean, sd = moments(job.recipe, job.layout)
    expression = job.layout.slices["expression"]
    np.testing.assert_allclose(mean[expression], 0, atol=1e-6)
    np.testing.assert_allclose(sd[expression][1:], 24 / np.sqrt(12), rtol=1e-6)
    np.testing.assert_allclose(mean[job.layout.slices["illumination"]][:3], 0.9, rtol=1e-6)


def test_a_pass_gives_every_sample_once_with_its_picture_and_theta(job, reading):
    truth = {k: v for path in sorted(folder(job).glob("*.tar")) for k, v in read_tar(path).items()}
    plain = list(dataset.stream(reading.paths, "jpg", None))
    mixed = list(dataset.stream(reading.paths, "jpg", "seed"))
    assert [key for key, _ in plain] == sorted(truth)
    assert [key for key, _ in mixed] != sorted(truth)
    assert sorted(key for key, _ in mixed) == sorted(truth)
    images, theta = dataset.collate(mixed, reading)
    for row, (key, _) in enumerate(mixed):
        np.testing.assert_array_equal(images[row], truth[key]["jpg"])
        np.testing.assert_array_equal(theta[row], truth[key]["theta.npy"])


@pytest.mark.parametrize("start", [0, 1, 5, 13, 27])
def test_any_batch_can_be_had_again(reading, start):
    whole = drawn(dataset.Batches(reading, 4, 7, 0), 32)[start:]
    rest = drawn(dataset.Batches(reading, 4, 7, start), 32 - start)
    for (images, theta), (again, same) in zip(whole, rest, strict=True):
        torch.testing.assert_close(images, again)
        torch.testing.assert_close(theta, same)


def test_data_workers_give_the_same_batches_after_a_restart(reading):
    cpu = torch.device("cpu")
    whole = [t for _, t in islice(dataset.batches(dataset.Batches(reading, 4, 7, 0), 2, cpu), 7)]
    rest = [t for _, t in islice(dataset.batches(dataset.Batches(reading, 4, 7, 3), 2, cpu), 4)]
    torch.testing.assert_close(whole[3:], rest)


def test_held_out_samples_are_never_trained_on(job):
    corpus = open_corpus([folder(job)])
    reading = dataset.reading_of(corpus, 0.3)
    held = {key for key, _ in dataset.validation_samples(corpus, reading)}
    trained = {key for key, _ in islice(dataset.endless(reading, "0", 0), 200)}
    assert held
    assert not held & trained
    assert len(held | trained) == 40
    assert held == {key for key, _ in dataset.validation_samples(corpus, reading)}


@pytest.fixture(scope="module")
def people(egl, ellipsoid_file, tmp_path_factory):
    """A finished data set of 8 people, each seen 5 times."""
    changes = {"image": {"size": 64, "format": "jpg", "quality": 95}}
    changes |= {"identities": 8, "samples_per_identity": 5}
    out = tmp_path_factory.mktemp("people") / "faces"
    job = job_of(ellipsoid_file, out, changes, count=40, shard_size=10)
    generate(job, InProcess(), lambda samples: None)
    return job


def parted(folders, share):
    """The (folder, key) of what is held out, and of what is trained on."""
    reading = dataset.reading_of(open_corpus(folders), share)
    samples = [(p, k) for p in reading.paths for k in read_tar(p)]
    held = {(p.parent, k) for p, k in samples if reading.held_out(p, k)}
    return held, {(p.parent, k) for p, k in samples if reading.trained_on(p, k)}


@pytest.mark.parametrize(("share", "count"), [(0.1, 1), (0.25, 2), (0.4, 3)])
def test_held_out_identities_are_never_trained_on(people, share, count):
    corpus = open_corpus([folder(people)])
    reading = dataset.reading_of(corpus, share)
    held = {int(key) % 8 for key, _ in dataset.validation_samples(corpus, reading)}
    trained = {int(key) % 8 for key, _ in islice(dataset.endless(reading, "0", 0), 80)}
    assert len(held) == count
    assert len(trained) == 8 - count
    assert not held & trained


def test_each_data_set_is_parted_by_its_own_identities(job, people):
    held, trained = parted([folder(job), folder(people)], 0.25)
    assert len(held | trained) == 80
    theirs = {int(key) % 8 for where, key in held if where == folder(people)}
    assert len(theirs) == 2
    assert not theirs & {int(key) % 8 for where, key in trained if where == folder(people)}
    alone, _ = parted([folder(job)], 0.25)
    assert alone == {(where, key) for where, key in held if where == folder(job)}


@pytest.mark.parametrize("key", ["9" * 10, "9" * 12, "face", "0000000040"])
def test_a_key_of_others_names_no_identity(people, key):
    assert dataset.identity(key, people.recipe) is None


def test_shards_of_validation_take_the_place_of_the_share(job, tmp_path):
    for path in folder(job).iterdir():
        (tmp_path / path.name.replace("train-000003.tar", "validation-000000.tar")).write_bytes(
            path.read_bytes()
        )
    corpus = open_corpus([tmp_path])
    reading = dataset.reading_of(corpus, 0.3)
    held = [key for key, _ in dataset.validation_samples(corpus, reading)]
    assert [int(key) for key in held] == list(range(30, 40))
    trained = {int(key) for key, _ in islice(dataset.endless(reading, "0", 0), 90)}
    assert trained == set(range(30))


def test_nothing_left_to_train_on_is_said(job):
    reading = dataset.reading_of(open_corpus([folder(job)]), 0.9999)
    with pytest.raises(DatasetError, match="no samples are left"):
        next(dataset.endless(replace(reading, validation=1.0), "0", 0))


def test_tars_of_others_are_read(job, reading, tmp_path):
    shard = sorted(folder(job).glob("*.tar"))[0]
    packed = {}
    for name, form in (("pax", tarfile.PAX_FORMAT), ("gnu", tarfile.GNU_FORMAT)):
        path = tmp_path / f"{name}.tar"
        with tarfile.open(shard) as old, tarfile.open(path, "w", format=form) as new:
            for info in old:
                data = old.extractfile(info).read()
                info.mtime = 1.5
                info.pax_headers = {"comment": "x" * 90}
                new.addfile(info, io.BytesIO(data))
        packed[name] = list(dataset.stream([path], "jpg", None))
    assert packed["pax"] == packed["gnu"] == list(dataset.stream([shard], "jpg", None))


@pytest.mark.parametrize("keep", [1, 700, 3000, 20_480])
def test_a_shard_that_is_cut_off_is_named(job, tmp_path, keep):
    path = tmp_path / "train-000000.tar"
    path.write_bytes((folder(job) / path.name).read_bytes()[:keep])
    with pytest.raises(DatasetError, match=r"train-000000\.tar: "):
        list(dataset.stream([path], "jpg", None))


@pytest.mark.parametrize("workers", [0, 1])
def test_a_damaged_sample_is_named_whoever_reads_it(job, reading, tmp_path, workers):
    path = tmp_path / "train-000000.tar"
    data = bytearray((folder(job) / path.name).read_bytes())
    data[512:520] = b"nopicture"[:8]
    path.write_bytes(data)
    source = dataset.Batches(replace(reading, paths=(path,)), 10, 0, 0)
    with pytest.raises(FacegenError, match=r"sample 0000000000: .*not a picture") as caught:
        next(dataset.batches(source, workers, torch.device("cpu")))
    assert "\n" not in str(caught.value)


def test_it_overfits_eight_faces(job, config, tmp_path):
    shard = tmp_path / "eight" / "train-000000.tar"
    shard.parent.mkdir()
    (shard.parent / "dataset.json").write_bytes((folder(job) / "dataset.json").read_bytes())
    with tarfile.open(folder(job) / shard.name) as old, tarfile.open(shard, "w") as new:
        for info in old.getmembers()[:24]:
            new.addfile(info, old.extractfile(info))
    changes = {"batch": 8, "iterations": 300, "every": 50, "validation": 0.0, "dropout": 0.0}
    train.train(replace(config, shards=(shard,), **changes), quiet)
    losses = [float(row["loss"]) for row in read(config.out.with_suffix(".csv"))]
    assert losses[-1] < 0.05


def cut_off(monkeypatch, step):
    """Make training stop as if killed when it comes to a step."""
    learn = train.Run.learn

    def until(run, images, theta):
        if run.step == step:
            raise KeyboardInterrupt
        return learn(run, images, theta)

    monkeypatch.setattr(train.Run, "learn", until)


def test_after_a_kill_it_ends_with_the_same_weights(config, tmp_path, monkeypatch):
    train.train(config, quiet)
    other = replace(config, out=tmp_path / "killed" / "net.pt")
    with monkeypatch.context() as patch:
        cut_off(patch, 10)
        with pytest.raises(KeyboardInterrupt):
            train.train(other, quiet)
    assert checkpoint.load(other.out).facts.step == 8
    said = []
    train.train(other, said.append)
    assert any("going on from step 8" in line for line in said)
    for (name, one), two in zip(
        weights(config.out).items(), weights(other.out).values(), strict=True
    ):
        assert torch.equal(one, two), name
    rows = [read(path.with_suffix(".csv")) for path in (config.out, other.out)]
    assert [row["step"] for row in rows[1]] == ["4", "8", "12"]
    assert [row["loss"] for row in rows[0]] == [row["loss"] for row in rows[1]]


def test_the_log_has_loss_and_errors_of_the_held_out(config):
    train.train(config, quiet)
    row = read(config.out.with_suffix(".csv"))[-1]
    assert {"loss", "validation_loss", "rotation", "illumination"} <= row.keys()
    assert float(row["validation_loss"]) < 3


def test_more_iterations_go_on_and_a_changed_setting_is_refused(config):
    train.train(config, quiet)
    assert train.train(replace(config, iterations=16), quiet).step == 16
    with pytest.raises(FacegenError, match=r"learning_rate was 0\.2") as caught:
        train.train(replace(config, learning_rate=0.5), quiet)
    assert "\n" not in str(caught.value)


def test_it_starts_from_another_checkpoint(config, tmp_path):
    train.train(config, quiet)
    further = replace(config, out=tmp_path / "second.pt", start=config.out, width=None, seed=5)
    facts = train.train(further, quiet)
    first = checkpoint.load(config.out)
    assert facts.network == first.facts.network
    assert facts.weights == first.facts.weights
    assert not torch.equal(
        weights(further.out)["body.classifier.6.weight"],
        weights(config.out)["body.classifier.6.weight"],
    )
    with pytest.raises(FacegenError, match="another kind"):
        train.train(replace(further, out=tmp_path / "third.pt", width=0.25), quiet)


@pytest.mark.parametrize("loss", ["parameter", "model-space"])
@pytest.mark.parametrize("network", ["resnet18", "resnet50"])
def test_every_loss_and_network_trains(config, loss, network):
    few = replace(config, loss=loss, network=network, iterations=2, every=1, validation=0.0)
    assert train.train(few, quiet).step == 2


def test_another_model_of_that_name_is_refused(config):
    with pytest.raises(FacegenError, match="another file than the model"):
        train.train(replace(config, model="generic"), quiet)


def test_a_loss_that_blows_up_stops_it(config):
    with pytest.raises(FacegenError, match="no longer finite"):
        train.train(replace(config, learning_rate=1e12, loss="parameter"), quiet)


@pytest.mark.parametrize("name", ["absent", "absent.tar", "empty"])
def test_shards_that_are_not_there_are_named(tmp_path, name):
    (tmp_path / "empty").mkdir()
    with pytest.raises(DatasetError, match=name):
        open_corpus([tmp_path / name])


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"recipe": 3}', "\x00"])
def test_a_foreign_index_is_refused(job, tmp_path, text):
    (tmp_path / "train-000000.tar").write_bytes(b"")
    (tmp_path / "dataset.json").write_text(text)
    with pytest.raises(DatasetError, match=r"dataset\.json: not a data set's index"):
        open_corpus([tmp_path])


def test_shards_of_different_models_do_not_mix(job, tmp_path):
    text = (folder(job) / "dataset.json").read_text()
    (tmp_path / "dataset.json").write_text(text.replace(job.model.sha256, "f" * 64))
    Path(tmp_path / "train-000000.tar").write_bytes(b"")
    with pytest.raises(DatasetError, match="another model"):
        open_corpus([folder(job), tmp_path])
