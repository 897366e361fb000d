"""The trainer: that it learns, and that it continues where it was cut off."""

import tarfile
from dataclasses import replace

import pytest
import torch
from specs import folder

from facegen.errors import FacegenError
from facegen.learning import checkpoint, train
from facegen.learning.config import TrainingConfig
from facegen.learning.log import read
from facegen.learning.run import Run


def short(spec, out, **options):
    """A short training on a data set."""
    return TrainingConfig(
        shards=(folder(spec),),
        out=out,
        batch=4,
        iterations=12,
        every=4,
        validation=0.2,
        model=str(spec.model.path),
        device="cpu",
        **options,
    )


@pytest.fixture
def config(spec, tmp_path):
    """Of a narrow network, the paper's way."""
    return short(spec, tmp_path / "net.pt", preset="paper", width=0.125, dropout=0.3)


@pytest.fixture
def modern(marked, tmp_path):
    """Of all heads, the modern way."""
    return short(marked, tmp_path / "net.pt", width=0.25)


def unheard(text):
    """Nobody listens."""


def weights(path):
    return checkpoint.load(path).network.state_dict()


def test_it_overfits_eight_faces(spec, config, tmp_path):
    shard = tmp_path / "eight" / "train-000000.tar"
    shard.parent.mkdir()
    (shard.parent / "dataset.json").write_bytes((folder(spec) / "dataset.json").read_bytes())
    with tarfile.open(folder(spec) / shard.name) as old, tarfile.open(shard, "w") as new:
        for info in old.getmembers()[:24]:
            new.addfile(info, old.extractfile(info))
    changes = {"batch": 8, "iterations": 300, "every": 50, "validation": 0.0, "dropout": 0.0}
    train.train(replace(config, shards=(shard,), **changes), unheard)
    losses = [float(row["loss"]) for row in read(config.out.with_suffix(".csv"))]
    assert losses[-1] < 0.05


def cut_off(monkeypatch, step):
    """Make training stop as if killed when it comes to a step."""
    learn = Run.learn

    def until(run, batch):
        if run.step == step:
            raise KeyboardInterrupt
        return learn(run, batch)

    monkeypatch.setattr(Run, "learn", until)


@pytest.mark.parametrize("preset", ["config", "modern"])
def test_after_a_kill_it_ends_with_the_same_weights(preset, request, tmp_path, monkeypatch):
    config = request.getfixturevalue(preset)
    train.train(config, unheard)
    other = replace(config, out=tmp_path / "killed" / "net.pt")
    with monkeypatch.context() as patch:
        cut_off(patch, 10)
        with pytest.raises(KeyboardInterrupt):
            train.train(other, unheard)
    assert checkpoint.load(other.out).facts.step == 8
    lines = []
    train.train(other, lines.append)
    assert any("continuing from step 8" in line for line in lines)
    for (name, one), two in zip(
        weights(config.out).items(), weights(other.out).values(), strict=True
    ):
        assert torch.equal(one, two), name
    rows = [read(path.with_suffix(".csv")) for path in (config.out, other.out)]
    assert [row["step"] for row in rows[1]] == ["4", "8", "12"]
    assert [row["loss"] for row in rows[0]] == [row["loss"] for row in rows[1]]


def test_the_log_has_loss_and_errors_of_the_held_out(config):
    train.train(config, unheard)
    row = read(config.out.with_suffix(".csv"))[-1]
    assert {"loss", "validation_loss", "rotation", "illumination"} <= row.keys()
    assert float(row["validation_loss"]) < 3


def test_more_iterations_continue_and_a_changed_setting_is_refused(config):
    train.train(config, unheard)
    assert train.train(replace(config, iterations=16), unheard).step == 16
    with pytest.raises(FacegenError, match=r"learning_rate was 0\.2") as caught:
        train.train(replace(config, learning_rate=0.5), unheard)
    assert "\n" not in str(caught.value)


def test_it_starts_from_another_checkpoint(config, tmp_path):
    train.train(config, unheard)
    further = replace(config, out=tmp_path / "second.pt", start=config.out, width=None, seed=5)
    facts = train.train(further, unheard)
    first = checkpoint.load(config.out)
    assert facts.network == first.facts.network
    assert facts.weights == first.facts.weights
    assert not torch.equal(
        weights(further.out)["body.classifier.6.weight"],
        weights(config.out)["body.classifier.6.weight"],
    )
    with pytest.raises(FacegenError, match="another kind"):
        train.train(replace(further, out=tmp_path / "third.pt", width=0.25), unheard)


def test_the_modern_preset_learns_theta_landmarks_and_how_far_off_they_are(modern):
    few = {"batch": 19, "iterations": 150, "every": 50, "augmentation": 0.0, "learning_rate": 5e-3}
    train.train(replace(modern, **few), unheard)
    first, *_, last = read(modern.out.with_suffix(".csv"))
    assert float(last["loss"]) < float(first["loss"]) - 1
    assert float(last["landmarks_px"]) < 0.8 * float(first["landmarks_px"])
    network = checkpoint.load(modern.out).network
    assert (network.config.name, network.config.landmarks) == ("small", "direct")


def test_shards_without_landmarks_teach_none_and_it_is_said(modern, spec):
    lines = []
    config = replace(modern, shards=(folder(spec),), iterations=2)
    facts = train.train(config, lines.append)
    assert any("no landmarks are learned" in line for line in lines)
    assert facts.network.landmarks == "none"
    assert facts.network.deviations


def test_another_round_may_learn_less(modern, spec, tmp_path):
    first = replace(modern, iterations=2)
    train.train(first, unheard)
    with pytest.raises(FacegenError, match="image size"):
        train.train(
            replace(first, start=modern.out, out=tmp_path / "b.pt", shards=(folder(spec),)), unheard
        )
    further = replace(first, start=modern.out, out=tmp_path / "c.pt", landmarks="none", width=None)
    assert train.train(further, unheard).network.landmarks == "none"


@pytest.mark.parametrize("loss", ["parameter", "model-space"])
@pytest.mark.parametrize("network", ["resnet18", "resnet50", "medium"])
def test_every_loss_and_network_trains(config, loss, network):
    few = replace(config, loss=loss, network=network, iterations=2, every=1, validation=0.0)
    assert train.train(few, unheard).step == 2


def test_another_model_of_that_name_is_refused(config):
    with pytest.raises(FacegenError, match="another file than the model"):
        train.train(replace(config, model="generic"), unheard)


def test_a_loss_that_blows_up_stops_it(config):
    with pytest.raises(FacegenError, match="no longer finite"):
        train.train(replace(config, learning_rate=1e12, loss="parameter"), unheard)
