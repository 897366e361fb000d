"""A recipe's grid, attributes, named expressions and symmetry: what is stated, and what refused."""

import numpy as np
import pytest
from specs import spec_of

from facegen.errors import FacegenError, RecipeError
from facegen.recipe.loading import load
from facegen.recipe.recipe import from_record
from facegen.sampling.prior import source_of
from facegen.sampling.samples import draw
from facegen.scene.parameters import layout_of

AXIS = {"low": 0, "high": 1, "steps": 3}
YAW = {"low_degrees": -30, "high_degrees": 30, "steps": 4}
CONSTANT = {"distribution": "constant", "value": 1}


def changed(base="inversefacenet", **changes):
    """A recipe with changes."""
    return load(base).with_changes(changes)


def test_the_number_of_samples_follows():
    recipe = changed(grid={"rotation": {"yaw": YAW}, "shape": {"2": AXIS}}, identities=5)
    assert (recipe.grid.points, recipe.identities.total) == (12, 60)
    assert load("controlled").identities.total == 1300


def test_the_order_of_keys_does_not_matter():
    one = changed(grid={"shape": {"2": AXIS}, "rotation": {"yaw": YAW}}, identities=5)
    assert from_record(one.record).grid == one.grid
    assert [axis.name for axis in one.grid.axes] == ["rotation.yaw", "shape.2"]


def test_every_kind_of_axis_finds_its_place(generic, arkit):
    axes = {
        "illumination": {"0": {"red": AXIS}, "4": AXIS},
        "reflectance": {"1": AXIS},
        "attributes": {"gender": {"low": -1, "high": 1, "steps": 2}},
        "camera": {"distance": {"low_mm": 500, "high_mm": 900, "steps": 2}},
        "crop": {"scale": {"low": 1.2, "high": 1.4, "steps": 2}},
    }
    samples = draw(changed(grid=axes, identities=1), generic, 0, range(216))
    light = samples.parameters.illumination
    assert {*light[:, 0, 0]} == {0.0, 0.5, 1.0}
    assert (light[:, 4] == light[:, 4, :1]).all()
    assert {*light[:, 4, 0]} == {0.0, 0.5, 1.0}
    assert {*samples.attributes["gender"]} == {-1.0, 1.0}
    assert {*np.round(-samples.cameras.model_to_camera[:, 2, 3])} == {500.0, 900.0}
    named = changed("arkit", grid={"expression": {"jawOpen": AXIS}}, identities=2)
    drawn = draw(named, arkit, 0, range(6)).parameters.expression
    assert {*drawn[:, arkit.expression_names.index("jawOpen")]} == {0.0, 0.5, 1.0}


def test_a_grid_of_ages_is_one_person_growing_old(generic):
    age = {"low": 20, "high": 80, "steps": 3}
    samples = draw(changed(grid={"attributes": {"age": age}}, identities=2), generic, 1, range(6))
    assert samples.attributes["age"].tolist() == [20, 20, 50, 50, 80, 80]
    shape = samples.parameters.shape
    mine, other = shape[::2], shape[1::2]
    np.testing.assert_allclose(mine[1] - mine[0], mine[2] - mine[1], atol=1e-4)
    assert np.linalg.norm(mine[0] - mine[2]) < np.linalg.norm(mine[0] - other[0])


REFUSED = {
    "an empty grid": ({"grid": {}, "identities": 2}, "states no parameter"),
    "no identities": ({"grid": {"shape": {"0": AXIS}}}, "'identities' is missing"),
    "two numbers of samples": (
        {"grid": {"shape": {"0": AXIS}}, "identities": 2, "samples_per_identity": 3},
        "the grid says how many",
    ),
    "another group": ({"grid": {"nose": {"0": AXIS}}, "identities": 2}, "unknown key 'nose'"),
    "another angle": ({"grid": {"rotation": {"jaw": YAW}}, "identities": 2}, "no angle 'jaw'"),
    "no unit": ({"grid": {"rotation": {"yaw": AXIS}}, "identities": 2}, "unknown key"),
    "a name among numbers": (
        {"grid": {"shape": {"nose": AXIS}}, "identities": 2},
        "not the number",
    ),
    "tenth light": ({"grid": {"illumination": {"9": AXIS}}, "identities": 2}, "nine coefficients"),
    "one step": (
        {"grid": {"shape": {"0": {**AXIS, "steps": 1}}}, "identities": 2},
        "steps = 1 is not between",
    ),
    "a fall": (
        {"grid": {"shape": {"0": {**AXIS, "high": -1}}}, "identities": 2},
        "low 0 is not below high -1",
    ),
    "too many points": (
        {"grid": {"shape": {str(k): {**AXIS, "steps": 99} for k in range(3)}}, "identities": 2},
        "has 970,299 points",
    ),
    "a share beyond one": ({"expression": {"symmetric": 1.5}}, "not a share"),
    "attributes that are no tables": ({"attributes": {"age": 30}}, "30 is not a table"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_no_grid_is_is_refused(case):
    changes, words = REFUSED[case]
    with pytest.raises(RecipeError, match=words):
        changed(**changes)


UNSUITED = {
    "a component beyond the model": (
        {"grid": {"shape": {"128": AXIS}}, "identities": 2},
        "there are",
    ),
    "a name of another model": (
        {"grid": {"expression": {"jawOpen": AXIS}}, "identities": 2},
        "no component of the name 'jawOpen'",
    ),
    "an unknown attribute": ({"attributes": {"height": CONSTANT}}, "attribute 'height'"),
    "attributes over another shape": (
        {"attributes": {"gender": CONSTANT}, "shape": {"3": CONSTANT}},
        r"change \[shape\]",
    ),
    "symmetry without names": ({"expression": {"symmetric": 0.5}}, "no components named Left"),
    "a camera in the head": (
        {
            "grid": {"camera": {"distance": {"low_mm": 10, "high_mm": 900, "steps": 2}}},
            "identities": 2,
        },
        "inside the head",
    ),
}


@pytest.mark.parametrize("case", UNSUITED)
def test_what_does_not_suit_the_model_is_refused_before_anything_is_made(case, tmp_path):
    changes, words = UNSUITED[case]
    fields = {} if "identities" in changes else {"count": 3}
    fields = {"count": None, **fields}
    with pytest.raises(FacegenError, match=words):
        spec_of("generic", tmp_path / "out", changes, **fields)
    assert not (tmp_path / "out").exists()


def test_attributes_are_no_part_of_a_perturbation():
    with pytest.raises(RecipeError, match="not around estimates"):
        changed("bootstrap", attributes={"age": CONSTANT})


def test_without_attributes_every_coefficient_is_as_before(generic):
    plain = source_of(load("inversefacenet"), generic.layout, generic.attributes)
    assert plain.conditional is None
    np.testing.assert_array_equal(
        plain.theta(3, np.arange(9)),
        source_of(load("inversefacenet"), layout_of(128, 64, 128)).theta(3, np.arange(9)),
    )
