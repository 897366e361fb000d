"""The tables of recipes of photographs: what is wrong in them is named in one line."""

import pytest

import facegen
from facegen.errors import RecipeError
from facegen.recipe.loading import load
from facegen.recipe.recipe import Recipe

NATURAL, DEFAULT = load("natural"), load("inversefacenet")
CONSTANT = {"distribution": "constant", "value": 0.5}
NO_START = {"distribution": "loguniform", "low_mm": 0, "high_mm": 4000}
ENVIRONMENT = {"kind": "environment"}
HALF = {"kind": "mixed", "shares": {"environment": 0.5, "interior": 0.5}}
STRAY = {"kind": "gradient", "shares": {"noise": 1.0}}
COEFFICIENTS = DEFAULT.with_changes({"image": {"encoding": "srgb"}})
WRONG = [
    (NATURAL, {"attire": {"hairs": 0.5}}, ["[attire]", "'hairs'", "did you mean 'hair'"]),
    (NATURAL, {"attire": {"hair": 1.5}}, ["[attire]", "hair = 1.5", "0 to 1"]),
    (NATURAL, {"light": {"lamps": 0.5}}, ["[light]", "'lamps'", "did you mean 'lamp'"]),
    (NATURAL, {"light": {"kind": "suns"}}, ["[light]", "unknown kind 'suns'"]),
    (NATURAL, {"light": {"mix": -1.0}}, ["[light]", "mix = -1", "0 to 1"]),
    (NATURAL, {"illumination": DEFAULT.table["illumination"]}, ["[illumination]", "[light]"]),
    (DEFAULT, {"light": {"lamp": 0.5}}, ["[light]", "lamp is of environments"]),
    (DEFAULT, {"background": {"kind": "interior"}}, ["[background]", "of photographs"]),
    (NATURAL, {"background": {"shares": {"noise": 0.9}}}, ["shares", "sum to"]),
    (NATURAL, {"attire": {"hat": "often"}}, ["[attire]", "hat = 'often'", "a number"]),
    (NATURAL, {"light": {"lamp": 1.01}}, ["[light]", "lamp = 1.01", "0 to 1"]),
    (NATURAL, {"light": {"brightness": 0.5}}, ["[light]", "brightness = 0.5"]),
    (NATURAL, {"background": {"kind": "rooms"}}, ["[background]", "unknown kind 'rooms'"]),
    (NATURAL, {"background": {"shares": {"room": 0.1}}}, ["shares", "unknown key 'room'"]),
    (NATURAL, {"background": {"shares": {"noise": -0.1}}}, ["shares", "below 0"]),
    (NATURAL, {"background": STRAY}, ["[background]", "unknown key 'shares'"]),
    (COEFFICIENTS, {"background": ENVIRONMENT}, ["[background]", "no environment", "[light]"]),
    (COEFFICIENTS, {"background": HALF}, ["[background]", "no environment", "[light]"]),
    (NATURAL, {"face_units": {"activ": 0.1}}, ["[face_units]", "did you mean 'active'"]),
    (NATURAL, {"face_units": {"neutral": -0.1}}, ["[face_units]", "neutral = -0.1", "0 to 1"]),
    (NATURAL, {"face_units": {"often": {"jawOpen": 9}}}, ["[face_units]", "often", "jawOpen = 9"]),
    (DEFAULT, {"image": {"grey": 0.1}}, ["[image]", "grey", 'encoding = "srgb"']),
    (DEFAULT, {"image": {"occlusion": 0.5}}, ["[image]", "occlusion", 'encoding = "srgb"']),
    (NATURAL, {"image": {"highlights": 1.5}}, ["[image]", "highlights = 1.5", "0 to 1"]),
    (DEFAULT, {"image": {"quality": CONSTANT}}, ["[image]", "quality", 'encoding = "srgb"']),
    (NATURAL, {"image": {"exposures": CONSTANT}}, ["[image]", "did you mean 'exposure'"]),
    (NATURAL, {"camera": {"distortions": CONSTANT}}, ["[camera]", "did you mean 'distortion'"]),
    (NATURAL, {"camera": {"distortion": -0.1}}, ["[camera]", "distortion = -0.1"]),
    (NATURAL, {"camera": {"distance": NO_START}}, ["[camera]", "distance", "low 0", "above 0"]),
    (NATURAL, {"face_units": {"active": 2.0}}, ["[face_units]", "active = 2"]),
    (DEFAULT, {"image": {"exposure": CONSTANT}}, ["[image]", "exposure", 'encoding = "srgb"']),
    (NATURAL, {"image": {"exposure": 0.5}}, ["[image]", "exposure = 0.5", "distribution"]),
    (NATURAL, {"image": {"grey": 3.0}}, ["[image]", "grey = 3"]),
    (NATURAL, {"image": {"downscale": CONSTANT}}, ["downscale", "falls outside 1 to 16"]),
    (NATURAL, {"image": {"encoding": "rgb"}}, ["[image]", "unknown encoding 'rgb'"]),
    (NATURAL, {"crop": {"around": "eyes"}}, ["[crop]", "unknown around 'eyes'"]),
]


@pytest.mark.parametrize(("recipe", "changes", "words"), WRONG)
def test_a_wrong_key_is_named_in_one_line(recipe: Recipe, changes, words):
    with pytest.raises(RecipeError) as caught:
        recipe.with_changes(changes)
    text = f"{caught.value} {caught.value.hint}"
    assert "\n" not in str(caught.value)
    assert all(word in text for word in words), text


def test_units_are_those_of_the_model(generic, arkit, ellipsoid):
    often = {"face_units": {"often": {"jawOpened": 0.5}}}
    with pytest.raises(RecipeError, match="no unit 'jawOpened'") as caught:
        facegen.sample(NATURAL.with_changes(often), generic, range(2))
    assert caught.value.hint == "did you mean 'jawOpen'?"
    with pytest.raises(RecipeError, match=r"standard deviations, the model's is in weights"):
        facegen.sample(NATURAL, arkit, range(2))
    with pytest.raises(RecipeError, match="no named units") as caught:
        facegen.sample(NATURAL, ellipsoid, range(2))
    assert "--model generic" in caught.value.hint


def test_light_of_environments_is_no_perturbation():
    bootstrap = load("bootstrap").table
    bootstrap.pop("illumination")
    with pytest.raises(RecipeError, match="around estimates"):
        load("bootstrap").with_table({**bootstrap, "light": {"kind": "environments"}})


@pytest.mark.parametrize(
    "changes",
    [
        {"background": {"kind": "off"}},
        {"background": {"kind": "noise"}},
        {"image": {"encoding": "display"}, "background": {"kind": "noise"}},
    ],
)
def test_another_kind_leaves_out_what_belongs_to_the_old_one(changes):
    recipe = NATURAL.with_changes(changes)
    for section, stated in changes.items():
        assert stated.items() <= recipe.table[section].items()
    assert "exposure" in NATURAL.table["image"]
    assert ("exposure" in recipe.table["image"]) == (recipe.image.encoding == "srgb")


def test_a_perturbation_takes_the_appearance_of_natural_and_none_of_its_prior():
    around, natural = load("bootstrap-natural"), load("natural")
    assert around.kind == "perturbation"
    assert around.face_units is None
    assert around.attire == natural.attire
    assert around.table["image"] == natural.table["image"]
    for group in ("shape", "expression", "reflectance", "rotation", "illumination"):
        assert around.table[group] == load("bootstrap").table[group], group
