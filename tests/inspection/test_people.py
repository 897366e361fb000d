"""Data sets of people with attributes, named expressions and a grid: proved, shown, found out."""

import json

import numpy as np
import pytest
from click.testing import CliRunner
from specs import folder, generated, samples_of, spec_of

import facegen
from facegen.cli.main import main
from facegen.dataset.index import open_spec
from facegen.dataset.labels import decode_label
from facegen.dataset.spec import DatasetSpec
from facegen.dataset.stores.opening import open_store
from facegen.errors import FacegenError
from facegen.inspection import verify
from facegen.inspection.checks.labels import stated_faults

AGE = {"distribution": "uniform", "low": 20, "high": 80}
SMALL = {"size": 32}


@pytest.fixture(scope="module")
def people(tmp_path_factory):
    """300 people whose ages are stated."""
    out = tmp_path_factory.mktemp("people") / "set"
    fields = {"count": 300, "shard_size": 100}
    return generated(
        spec_of("generic", out, {"attributes": {"age": AGE}, "image": SMALL}, **fields)
    )


@pytest.fixture(scope="module")
def grid(tmp_path_factory):
    """Named expressions on a grid."""
    out = tmp_path_factory.mktemp("grid") / "set"
    axes = {"rotation": {"yaw": {"low_degrees": -60, "high_degrees": 60, "steps": 5}}}
    changes = {"grid": axes, "identities": 8, "image": SMALL}
    fields = {"count": None, "shard_size": 13, "base": "arkit"}
    return generated(spec_of("generic-arkit", out, changes, **fields))


def test_labels_say_the_attributes(people):
    labels = [sample["json"] for sample in samples_of(people)]
    ages = np.array([label["attributes"]["age"] for label in labels])
    assert (ages > 20).all()
    assert (ages < 80).all()
    assert all(set(label["attributes"]) == {"age"} for label in labels)
    assert "grid" not in labels[0]
    sample = facegen.open_dataset(folder(people))[3]
    assert sample.attributes["age"] == ages[3]
    assert sample.grid == sample.expression == {}


def test_labels_say_the_grid_and_each_expression(grid, arkit):
    dataset = facegen.open_dataset(folder(grid))
    assert len(dataset) == 40
    steps = [sample.grid["rotation.yaw"] for sample in dataset]
    assert steps == np.repeat(np.arange(5), 8).tolist()
    sample = dataset[11]
    assert tuple(sample.expression) == arkit.expression_names
    np.testing.assert_array_equal(list(sample.expression.values()), sample.theta.expression)


@pytest.mark.parametrize("name", ["people", "grid"])
def test_they_are_proved(request, name):
    spec = request.getfixturevalue(name)
    store = open_store(spec.out)
    asked = DatasetSpec(model=spec.model.path, device="cpu", workers=1)
    verdict = verify.verify(open_spec(store, asked), store, 3, lambda samples: None)
    assert verdict.ok, verdict.faults


@pytest.mark.parametrize("name", ["people", "grid"])
def test_they_are_shown(request, name, tmp_path):
    spec = request.getfixturevalue(name)
    options = ["--out", str(tmp_path / "page.html"), "--parquet", str(tmp_path / "labels.parquet")]
    result = CliRunner().invoke(main, ["report", str(folder(spec)), *options])
    assert result.exit_code == 0, result.output
    from pyarrow import parquet

    table = parquet.read_table(tmp_path / "labels.parquet").to_pylist()
    first = facegen.open_dataset(folder(spec))[0]
    assert dict(table[0]["attributes"]) == pytest.approx(dict(first.attributes))
    assert dict(table[0]["grid"]) == dict(first.grid)


def test_an_attribute_that_was_not_drawn_is_found(people):
    label = samples_of(people)[0]["json"]
    other = json.loads(json.dumps(label))
    other["attributes"]["age"] = 30.0
    drawn, stored = (decode_label(json.dumps(one).encode()) for one in (label, other))
    assert not list(stated_faults(drawn, drawn))
    assert "attributes age is 30.0" in next(stated_faults(stored, drawn))


def test_people_of_other_ages_are_found_out(people):
    """Had the ages of the recipe not been followed, the priors' check would say so."""
    from facegen.inspection.checks.priors import prior_checks

    source = people.source()
    indices = np.arange(3000)
    theta = source.theta(people.seed, indices)
    sound = list(prior_checks(people, indices, theta))
    assert not any(check.faults for check in sound)
    columns = people.layout.slices["shape"]
    theta[:, columns] = np.random.default_rng(0).standard_normal((3000, 128))
    faults = [fault for check in prior_checks(people, indices, theta) for fault in check.faults]
    assert faults
    assert all(fault.where.startswith("shape") for fault in faults)


def checked(recipe, model, count, seed=0):
    """The priors' check of a recipe's own draws: its faults, and the least p of its mixtures."""
    from facegen.inspection.checks.priors import try_dimensions, try_mixtures
    from facegen.sampling.prior import source_of

    source = source_of(recipe, model.layout, model.attributes)
    indices = np.arange(count)
    theta = source.theta(seed, indices)
    draws = source.independent(seed, indices, theta)
    arguments = (source.distributions, model.layout, theta, draws)
    return [trial.p for trials in (try_dimensions, try_mixtures) for trial in trials(*arguments)]


SIDES = {
    "mouthSmileLeft": {"distribution": "uniform", "low": 0.2, "high": 0.5},
    "mouthSmileRight": {"distribution": "uniform", "low": 0.1, "high": 0.9},
}


def test_sides_of_different_distributions_keep_their_own(arkit):
    recipe = facegen.load_recipe("arkit").with_changes({"expression": SIDES})
    assert min(checked(recipe, arkit, 3000)) > 1e-6


def test_sides_that_are_alike_count_once(arkit):
    recipe = facegen.load_recipe("arkit").with_changes({"expression": {"symmetric": 1.0}})
    least = [min(checked(recipe, arkit, 500, seed)) for seed in range(4)]
    assert min(least) > 1e-5


def test_a_grid_of_attributes_is_proved(generic):
    axes = {
        "age": {"low": 20, "high": 80, "steps": 5},
        "gender": {"low": -1, "high": 1, "steps": 3},
    }
    changes = {"grid": {"attributes": axes}, "identities": 200}
    recipe = facegen.load_recipe("inversefacenet").with_changes(changes)
    assert min(checked(recipe, generic, 3000)) > 1e-6
    from facegen.sampling.prior import source_of

    source = source_of(recipe, generic.layout, generic.attributes)
    mean, sd = source.distributions.moments()
    theta = source.theta(0, np.arange(3000))
    columns = generic.layout.slices["shape"]
    np.testing.assert_allclose(theta[:, columns].std(axis=0), sd[columns], rtol=0.25)
    np.testing.assert_allclose(theta[:, columns].mean(axis=0), mean[columns], atol=0.3)


def test_a_sample_beyond_the_identities_is_refused(generic):
    recipe = facegen.load_recipe("inversefacenet")
    recipe = recipe.with_changes({"identities": 2, "samples_per_identity": 3})
    with pytest.raises(FacegenError, match="has 6 samples, so none of index 6"):
        facegen.sample(recipe, generic, [5, 6])
