"""Recipes: what the default states, how one is changed, and what is refused in which words."""

import math
from copy import deepcopy

import pytest

from facegen.errors import RecipeError
from facegen.recipe import loading
from facegen.recipe.distributions import Constant, Mixture, Normal, Uniform
from facegen.recipe.loading import load
from facegen.recipe.recipe import parse
from facegen.scene.parameters import layout_of

DEFAULT = load("inversefacenet")
GROUPS = {group.name: group for group in layout_of(128, 64, 128).groups}


def table_with(changes):
    """The default's table with dotted keys replaced; None takes a key away."""
    table = deepcopy(DEFAULT.table)
    for dotted, value in changes.items():
        *path, last = dotted.split(".")
        inner = table
        for key in path:
            inner = inner.setdefault(key, {})
        if value is None:
            del inner[last]
        else:
            inner[last] = value
    return table


def priors(changes, group):
    """The distributions of a group's components under a changed default."""
    return parse("changed", table_with(changes)).priors[group].components(GROUPS[group])


def file(tmp_path, text, name="mine.toml"):
    """A recipe file -> its path as text."""
    path = tmp_path / name
    path.write_text(text)
    return str(path)


def refusal(path):
    """The one line that refuses a recipe file."""
    with pytest.raises(RecipeError) as caught:
        load(path)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_the_default_states_the_posters_priors():
    of = {name: DEFAULT.priors[name].components(group) for name, group in GROUPS.items()}
    wide, tilt = math.radians(40), math.radians(15)
    assert of["rotation"] == [Uniform(-wide, wide), Uniform(-wide, wide), Uniform(-tilt, tilt)]
    assert of["shape"] == [Normal(0, 1)] * 128
    assert of["expression"] == [Uniform(-4.8, 4.8)] + [Uniform(-12, 12)] * 63
    assert of["reflectance"] == [Normal(0, 1)] * 128
    assert of["illumination"] == [Uniform(0.6, 1.2)] * 3 + [Uniform(-0.2, 0.2)] * 24


def test_the_default_makes_the_papers_images_of_the_generic_model():
    assert (DEFAULT.image.size, DEFAULT.model) == (240, "generic")
    assert loading.DEFAULT in loading.names()


def test_every_recipe_that_comes_along_can_be_read_and_says_what_it_is():
    for name in loading.names():
        assert load(name).table["description"]


def test_a_component_has_its_own_distribution():
    own = {"shape.5": {"distribution": "constant", "value": 2}}
    assert priors(own, "shape")[4:7] == [Normal(0, 1), Constant(2), Normal(0, 1)]


def test_a_channel_of_a_light_coefficient_has_its_own_distribution():
    own = {"illumination.8.green": {"distribution": "normal", "mean": 0, "sd": 0.1}}
    light = Uniform(-0.2, 0.2)
    assert priors(own, "illumination")[-3:] == [light, Normal(0, 0.1), light]


def test_degrees_become_radians_once():
    own = {"rotation.yaw": {"distribution": "normal", "mean_degrees": 90, "sd_degrees": 180}}
    assert priors(own, "rotation")[1] == Normal(math.pi / 2, math.pi)


def test_a_mixture_is_read_with_its_weights():
    parts = [
        {"weight": 0.75, "distribution": "constant", "value": 1},
        {"weight": 0.25, "distribution": "uniform", "low": 2, "high": 3},
    ]
    own = {"shape.0": {"distribution": "mixture", "components": parts}}
    assert priors(own, "shape")[0] == Mixture((0.75, 0.25), (Constant(1), Uniform(2, 3)))


def test_a_table_that_names_its_distribution_replaces_the_old_one_whole():
    distance = {"distribution": "uniform", "low_mm": 600, "high_mm": 900}
    changed = DEFAULT.with_changes({"camera": {"distance": distance}})
    assert changed.camera.distance == Uniform(600, 900)


def test_a_changed_key_leaves_the_others():
    changed = DEFAULT.with_changes({"shape": {"sd": 2}, "image": {"size": 64}})
    assert changed.priors["shape"].default == Normal(0, 2)
    assert (changed.image.size, changed.image.quality) == (64, DEFAULT.image.quality)
    assert DEFAULT.priors["shape"].default == Normal(0, 1)


def test_extends_takes_the_rest_from_another_recipe(tmp_path):
    file(tmp_path, 'extends = "inversefacenet"\n[shape]\nsd = 0.5', "a.toml")
    b = file(tmp_path, 'extends = "a.toml"\n[image]\nsize = 32', "b.toml")
    read = load(b)
    assert (read.name, read.image.size) == ("b", 32)
    assert read.priors["shape"].default == Normal(0, 0.5)


def test_the_table_states_the_whole_recipe(tmp_path):
    path = file(tmp_path, 'extends = "inversefacenet"\n[shape]\nsd = 0.5')
    whole = load(path).table
    assert whole["shape"]["sd"] == 0.5
    assert whole["illumination"] == DEFAULT.table["illumination"]
    assert parse("again", whole).fingerprint == load(path).fingerprint


def test_comments_and_order_do_not_change_the_fingerprint(tmp_path):
    source = loading.source("inversefacenet")
    bare = "\n".join(line.split("#")[0].rstrip() for line in source.splitlines())
    top, *tables = bare.split("\n[")
    shuffled = "\n[".join([top, *tables[::-1]])
    assert load(file(tmp_path, shuffled)).fingerprint == DEFAULT.fingerprint


@pytest.mark.parametrize(
    "changes",
    [
        {"shape.sd": 1.0000001},
        {"illumination.0.high": 1.3},
        {"rotation.roll.low_degrees": -14},
        {"expression.coefficients": 63},
        {"camera.distance.value_mm": 999},
        {"crop.scale.low": 1.3},
        {"background.blue.high": 0.8},
        {"image.quality": 94},
        {"shape.3": {"distribution": "normal", "mean": 0, "sd": 1}},
    ],
)
def test_any_other_value_changes_the_fingerprint(changes):
    assert parse("changed", table_with(changes)).fingerprint != DEFAULT.fingerprint


CONSTANT = {"distribution": "constant", "value": 0}
HALVES = [{"weight": w, "distribution": "constant", "value": 1} for w in (0.5, 0.4)]

REFUSED = [
    ({"shap": {}}, ["'shap'", "did you mean 'shape'"]),
    ({"shape.sdd": 1}, ["[shape]", "'sdd'", "did you mean 'sd'"]),
    ({"rotation.yaw.low": 1}, ["[rotation]: yaw", "'low'", "low_degrees"]),
    ({"image.sise": 3}, ["[image]", "'sise'", "did you mean 'size'"]),
    ({"camera.fov": 3}, ["[camera]", "'fov'", "distance"]),
    ({"shape.sd": -1}, ["[shape]", "sd -1 is not positive", "constant"]),
    ({"shape.sd": 0}, ["[shape]", "sd 0 is not positive", "constant"]),
    ({"rotation.yaw.low_degrees": 50}, ["[rotation]: yaw", "low", "is not below high"]),
    ({"shape.sd": "wide"}, ["[shape]", "sd = 'wide' is not a number"]),
    ({"shape.sd": True}, ["[shape]", "sd = True is not a number"]),
    ({"image.size": 64.0}, ["[image]", "size = 64.0 is not a whole number"]),
    ({"image.size": True}, ["[image]", "size = True"]),
    ({"shape.mean": math.nan}, ["[shape]", "mean is nan"]),
    ({"expression.high": math.inf}, ["[expression]", "high is inf"]),
    ({"expression.high": 10**400}, ["[expression]", "high is inf"]),
    ({"shape.128": CONSTANT}, ["[shape]: 128", "no such component among the 128"]),
    ({"illumination.9": CONSTANT}, ["[illumination]", "'9'"]),
    ({"illumination.0.pink": CONSTANT}, ["[illumination]", "'pink'"]),
    ({"rotation.tilt": CONSTANT}, ["[rotation]", "'tilt'"]),
    ({"shape.coefficients": -1}, ["[shape]", "coefficients = -1"]),
    ({"shape.coefficients": 1.5}, ["[shape]", "coefficients = 1.5"]),
    (
        {"shape.distribution": "gauss"},
        ["[shape]", "'gauss'", "constant, uniform, loguniform, normal, mixture"],
    ),
    ({"shape.distribution": 3}, ["[shape]", "distribution = 3 is not a text"]),
    ({"shape.sd": None}, ["[shape]", "the key 'sd' is missing"]),
    ({"crop": None}, ["the key 'crop' is missing"]),
    ({"illumination": 3}, ["illumination = 3 is not a table"]),
    ({"image.size": 8}, ["[image]", "size 8 is not between 16 and 2048"]),
    ({"image.size": 4096}, ["[image]", "size 4096"]),
    ({"image.format": "bmp"}, ["[image]", "'bmp'", "jpg, png, webp"]),
    ({"image.quality": 101}, ["[image]", "quality 101"]),
    ({"model": 3}, ["model = 3 is not a text"]),
    (
        {"shape.0": {"distribution": "mixture", "components": HALVES}},
        ["[shape]: 0", "sum to 0.9, not to 1"],
    ),
    (
        {"shape.0": {"distribution": "mixture", "components": [CONSTANT]}},
        ["[shape]: 0: components[0]", "'weight' is missing"],
    ),
    (
        {"shape.0": {"distribution": "mixture", "components": [3]}},
        ["[shape]: 0: components[0]", "is not a table"],
    ),
    ({"shape.0": {"distribution": "mixture", "components": 3}}, ["[shape]: 0", "components = 3"]),
    ({"shape.0": {"distribution": "mixture", "components": []}}, ["[shape]: 0", "components"]),
    ({"illumination.8": {"green": 3}}, ["[illumination]: 8.green"]),
    ({"illumination.0.low": "dark"}, ["[illumination]: 0", "low = 'dark' is not a number"]),
]


@pytest.mark.parametrize(("changes", "phrases"), REFUSED, ids=[" ".join(c) for c, _ in REFUSED])
def test_a_wrong_key_is_named_in_one_line(changes, phrases):
    with pytest.raises(RecipeError) as caught:
        parse("mine", table_with(changes))
    assert "\n" not in str(caught.value)
    for phrase in phrases:
        assert phrase in str(caught.value)


def test_a_component_without_a_distribution_is_named():
    table = table_with({})
    table["shape"] = {"0": CONSTANT}
    with pytest.raises(RecipeError, match=r"\[shape\] states no distribution for component 1"):
        parse("mine", table).priors["shape"].components(GROUPS["shape"])


def test_a_refusal_names_the_file_and_the_key(tmp_path):
    path = file(tmp_path, 'extends = "inversefacenet"\n[shape]\nsd = -1')
    assert refusal(path).startswith(f"recipe {path}: [shape]: sd -1 is not positive; use")


def test_an_unknown_name_lists_those_there_are():
    assert "inversefacenet" in refusal("nosuchrecipe")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("shape = ", "not valid TOML"),
        ("a = 1\na = 2", "not valid TOML"),
        ("a = " + "[" * 5000, "not valid TOML"),
        ("a = " + "9" * 5000, "not valid TOML"),
        ("# " + "x" * 1_000_001, "larger than 1,000,000 bytes"),
        ("extends = 3", "extends: must be the name of a recipe"),
        ('extends = "nothere.toml"', "No such file"),
        ('extends = "nothere"', "no recipe of that name"),
    ],
    ids=["no value", "key twice", "deep", "long number", "huge", "number", "no file", "no name"],
)
def test_a_file_that_is_no_recipe_is_refused_in_one_line(tmp_path, text, message):
    path = file(tmp_path, text)
    assert message in refusal(path)
    assert path in refusal(path)


def test_a_date_is_no_number(tmp_path):
    path = file(tmp_path, 'extends = "inversefacenet"\n[shape]\nsd = 1979-05-27')
    assert "sd = datetime.date(1979, 5, 27) is not a number" in refusal(path)


def test_a_description_is_a_text(tmp_path):
    path = file(tmp_path, 'extends = "inversefacenet"\ndescription = 1979-05-27')
    assert "is not a text" in refusal(path)


def test_a_binary_file_is_refused(tmp_path):
    (tmp_path / "binary.toml").write_bytes(b"\x89PNG\xff\xfe\x00")
    assert "not a text file" in refusal(str(tmp_path / "binary.toml"))


def test_a_folder_is_refused(tmp_path):
    (tmp_path / "folder.toml").mkdir()
    assert "directory" in refusal(str(tmp_path / "folder.toml"))


def test_a_loop_of_extends_is_refused(tmp_path):
    file(tmp_path, 'extends = "b.toml"', "a.toml")
    path = file(tmp_path, 'extends = "a.toml"', "b.toml")
    assert "extends itself" in refusal(path)


def test_a_loop_of_extends_is_refused_however_it_is_spelled(tmp_path):
    (tmp_path / "sub").mkdir()
    path = file(tmp_path, 'extends = "sub/../a.toml"', "a.toml")
    assert "extends itself" in refusal(path)
