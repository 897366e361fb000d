"""A data set around estimates, from the file to the shards: as stated, and verified."""

import numpy as np
import pytest
from click.testing import CliRunner
from jobs import InProcess, job_of, samples_of

from facegen import estimates, recipe, verify
from facegen.cli import main
from facegen.estimates import Estimates
from facegen.files import digest
from facegen.generate import generate
from facegen.job import EstimatesFile
from facegen.opened import read_job
from facegen.sampling import prior_of, sample_theta
from facegen.stores import open_store

CONFIDENCE = np.array([1.0, 0.0, 3.0, 4.0, 2.0])


@pytest.fixture
def given(ellipsoid, tmp_path):
    """Five estimates in a file, their identities off to one side."""
    prior = prior_of(recipe.load(recipe.DEFAULT), ellipsoid.layout)
    theta = sample_theta(prior, 3, np.arange(5)) + np.float32(0.2)
    path = tmp_path / "real.h5"
    estimates.write(path, Estimates(theta, tuple("abcde"), CONFIDENCE))
    return path, theta


def around(given, model, proposals, weighted):
    """A data set of 40 faces around the estimates."""
    path, _ = given
    file = EstimatesFile(path, digest(path), weighted)
    out = path.parent / "around"
    job = job_of(model, out, base=proposals, estimates=file, count=40, devices=("cpu",))
    generate(job, InProcess(), lambda samples: None)
    return job


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("proposals", ["bootstrap", "bootstrap-wide"])
def test_faces_lie_around_their_parents_as_stated(given, ellipsoid_file, proposals, weighted):
    job, theta = around(given, ellipsoid_file, proposals, weighted), given[1]
    weights = CONFIDENCE if weighted else np.ones(5)
    samples = samples_of(job)
    rows = [sample["json"]["parent"]["row"] for sample in samples]
    noise = np.stack([sample["theta.npy"] for sample in samples]) - theta[rows]
    for group, sd in {"shape": 0.5, "reflectance": 0.4}.items():
        columns = job.layout.slices[group]
        mean = weights @ theta[:, columns] / weights.sum()
        moved = noise[:, columns] + (mean if proposals == "bootstrap-wide" else 0)
        wanted = sd if proposals == "bootstrap-wide" else {"shape": 0.05, "reflectance": 0.2}[group]
        limit = 5 * wanted / np.sqrt(len(samples))
        assert np.abs(moved.mean(axis=0)).max() < limit
        assert moved.std() == pytest.approx(wanted, rel=0.2)
    expression = noise[:, job.layout.slices["expression"]]
    assert np.abs(expression.mean()) < 0.1


@pytest.mark.parametrize("proposals", ["bootstrap", "bootstrap-wide"])
def test_faces_around_estimates_are_verified(given, ellipsoid_file, proposals):
    job = around(given, ellipsoid_file, proposals, False)
    store = open_store(job.out)
    opened = read_job(store, str(job.model.path), estimates=given[0])
    assert verify.verify(opened, store, None, lambda samples: None).ok
    parents = [sample["json"]["parent"]["key"] for sample in samples_of(job)]
    assert parents == list("abcde") * 8


def test_one_estimate_cannot_be_centred(given, ellipsoid_file, tmp_path):
    path = tmp_path / "one.h5"
    estimates.write(path, Estimates(given[1][:1]))
    words = ["bootstrap", "--estimates", path, "--recipe", "bootstrap-wide", "--out"]
    words += [tmp_path / "none", "--model", ellipsoid_file, "--size", "32"]
    result = CliRunner().invoke(main, list(map(str, words)))
    assert result.exit_code != 0
    assert "one estimate has no mean" in str(result.exception) + result.output
    assert not (tmp_path / "none").exists()
