"""A data set around estimates, from the file to the shards: as stated, and verified."""

import numpy as np
import pytest
from click.testing import CliRunner
from specs import generated, samples_of, spec_of

from facegen.cli.main import main
from facegen.dataset.index import open_spec
from facegen.dataset.spec import DatasetSpec
from facegen.dataset.stores.opening import open_store
from facegen.errors import FacegenError
from facegen.inspection import verify
from facegen.recipe.loading import DEFAULT, load
from facegen.sampling import estimates
from facegen.sampling.estimates import Estimates
from facegen.sampling.prior import draw_theta, prior_of

CONFIDENCE = np.array([1.0, 0.0, 3.0, 4.0, 2.0])


@pytest.fixture
def given(ellipsoid, tmp_path):
    """Five estimates in a file, their identities off to one side."""
    prior = prior_of(load(DEFAULT), ellipsoid.layout)
    theta = draw_theta(prior, 3, np.arange(5)) + np.float32(0.2)
    path = tmp_path / "real.h5"
    sd = np.full(theta.shape, 0.02, np.float32)
    estimates.write(path, Estimates(theta, tuple("abcde"), CONFIDENCE, sd=sd))
    return path, theta


def around(given, model, recipe, **how):
    """A data set of 40 faces around the estimates."""
    path, _ = given
    fields = {"estimates": path, "count": 40} | how
    return generated(spec_of(model, path.parent / "around", base=recipe, **fields))


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("recipe", ["bootstrap", "bootstrap-wide"])
def test_faces_lie_around_their_parents_as_stated(given, ellipsoid_file, recipe, weighted):
    spec, theta = around(given, ellipsoid_file, recipe, weighted=weighted), given[1]
    weights = CONFIDENCE if weighted else np.ones(5)
    samples = samples_of(spec)
    rows = [sample["json"]["parent"]["row"] for sample in samples]
    added = np.stack([sample["theta.npy"] for sample in samples]) - theta[rows]
    for group, sd in {"shape": 0.5, "reflectance": 0.4}.items():
        columns = spec.layout.slices[group]
        mean = weights @ theta[:, columns] / weights.sum()
        moved = added[:, columns] + (mean if recipe == "bootstrap-wide" else 0)
        expected = sd if recipe == "bootstrap-wide" else {"shape": 0.05, "reflectance": 0.2}[group]
        limit = 5 * expected / np.sqrt(len(samples))
        assert np.abs(moved.mean(axis=0)).max() < limit
        assert moved.std() == pytest.approx(expected, rel=0.2)
    expression = added[:, spec.layout.slices["expression"]]
    assert np.abs(expression.mean()) < 0.1


@pytest.mark.parametrize("adaptive", [False, True])
@pytest.mark.parametrize("recipe", ["bootstrap", "bootstrap-wide"])
def test_faces_around_estimates_are_verified(given, ellipsoid_file, recipe, adaptive):
    spec = around(given, ellipsoid_file, recipe, adaptive=adaptive)
    store = open_store(spec.out)
    opened = open_spec(store, DatasetSpec(model=spec.model.path, estimates=given[0]))
    assert verify.verify(opened, store, None, lambda samples: None).ok
    parents = [sample["json"]["parent"]["key"] for sample in samples_of(spec)]
    assert parents == list("abcde") * 8


def test_adaptive_without_deviations_is_refused(given, ellipsoid_file, tmp_path):
    estimates.write(tmp_path / "plain.h5", Estimates(given[1]))
    with pytest.raises(FacegenError, match=r"--adaptive: .* has no /sd"):
        around((tmp_path / "plain.h5", None), ellipsoid_file, "bootstrap", adaptive=True)


def test_one_estimate_has_no_mean_to_move(given, ellipsoid_file, tmp_path):
    path = tmp_path / "one.h5"
    estimates.write(path, Estimates(given[1][:1]))
    options = ["bootstrap", "--estimates", path, "--recipe", "bootstrap-wide", "--out"]
    options += [tmp_path / "none", "--model", ellipsoid_file, "--size", "32"]
    result = CliRunner().invoke(main, list(map(str, options)))
    assert result.exit_code != 0
    assert "one estimate has no mean" in str(result.exception) + result.output
    assert not (tmp_path / "none").exists()


@pytest.mark.parametrize("change", ["lost", "changed"])
def test_no_sample_is_drawn_without_its_estimates(given, ellipsoid_file, change):
    """A worker whose estimates are gone, or are others, must not draw from a prior instead."""
    path, theta = given
    fields = {"estimates": path, "count": 40}
    spec = spec_of(ellipsoid_file, path.parent / "around", base="bootstrap", **fields)
    path.unlink()
    if change == "changed":
        estimates.write(path, Estimates(theta + 1))
    with pytest.raises(FacegenError, match=r"real\.h5: (No such file|changed while)"):
        spec.sampler(spec.load_model())
