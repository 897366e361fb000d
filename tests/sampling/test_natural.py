"""What the recipe natural draws: pure in the index, with the shares that it states."""

import numpy as np
import pytest

import facegen
from facegen.models.attire import library_path, read_library
from facegen.recipe.attire import SLOTS
from facegen.recipe.background import SCENERY
from facegen.sampling.attire import BEARD, CLOTHES, GLASSES, HAIR, HAND, HAT, KINDS, MASK
from facegen.sampling.lights import COSINES, SINES, lights_of, turned_about_vertical
from facegen.sampling.persona import observer_of

MANY = 3000
PARTS = [[0], [1, 2, 3], [4, 5], [6, 7]]


@pytest.fixture(scope="module")
def natural():
    return facegen.load_recipe("natural")


@pytest.fixture(scope="module")
def many(natural, generic):
    return facegen.sample(natural, generic, range(MANY), seed=5)


@pytest.fixture(scope="module")
def library():
    return read_library(library_path())


def drawn(samples):
    """All that is drawn of samples, by name."""
    attire, photography, scenery = samples.attire, samples.photography, samples.background.scenery
    return {
        "theta": samples.theta,
        "k1": samples.cameras.distortion,
        **{f"attire {k}": v for k, v in vars(attire).items() if k != "names"},
        **{f"photography {k}": v for k, v in vars(photography).items()},
        **{f"scenery {k}": v for k, v in vars(scenery).items()},
    }


def test_a_sample_is_the_same_in_any_batch(natural, generic):
    whole = drawn(facegen.sample(natural, generic, range(8), seed=5))
    for part in PARTS:
        for name, values in drawn(facegen.sample(natural, generic, part, seed=5)).items():
            np.testing.assert_array_equal(values, whole[name][part], err_msg=name)


def near(share, stated):
    """Whether a share of MANY is the stated one, but for chance."""
    return abs(share - stated) < 4.5 * np.sqrt(stated * (1 - stated) / MANY) + 0.01


def test_people_wear_as_many_pieces_as_stated(many, generic):
    worn = many.attire.pieces >= 0
    rows = many.layout.slices
    persona = observer_of(generic.truncated(128, 64, 128)).look(
        many.theta, {}, np.full((MANY, 2), 0.5)
    )
    men = persona.man > 0.5
    assert rows["shape"].stop > 0
    assert worn[:, HAIR].mean() >= 0.85
    assert worn[:, CLOTHES].all()
    assert worn[men, BEARD].mean() >= 0.35
    assert not worn[~men, BEARD].any()
    assert near(worn[:, GLASSES].mean(), 0.20)
    assert near(worn[:, HAT].mean(), 0.10)
    assert near(worn[:, HAND].mean(), 0.10)
    assert near(worn[:, MASK].mean(), 0.03)


def test_nothing_is_worn_with_what_has_no_room_for_it(many, library):
    for row in many.attire.pieces:
        pieces = [library.pieces[number] for number in row if number >= 0]
        kinds = {piece.kind for piece in pieces}
        assert not any(kinds & set(piece.tags.get("without", ())) for piece in pieces)
        assert "hair" not in kinds or not any(p.tags.get("covers_hair") for p in pieces)


def test_each_slot_has_pieces_of_its_kinds(many, library):
    for slot, kinds in enumerate(KINDS):
        numbers = np.unique(many.attire.pieces[:, slot])
        assert {library.pieces[n].kind for n in numbers if n >= 0} <= set(kinds)


@pytest.mark.parametrize("slot", [GLASSES, HAND])
def test_each_piece_is_worn_by_some(many, library, slot):
    numbers = [n for kind in KINDS[slot] for n in library.numbers[kind]]
    assert set(numbers) <= set(many.attire.pieces[:, slot].tolist())


@pytest.mark.parametrize("name", ["hair", "glasses", "hand"])
def test_leaving_one_kind_out_changes_nothing_else(natural, generic, many, name):
    without = natural.with_changes({"attire": {name: 0.0}})
    part = drawn(facegen.sample(without, generic, range(200), seed=5))
    whole, slot = drawn(many[:200]), SLOTS.index(name)
    assert (part["attire pieces"][:, slot] == -1).all()
    for one in (part, whole):
        one["attire pieces"] = np.delete(one["attire pieces"], slot, axis=1)
        if name == "hand":
            del one["attire hand"]
    for key, values in whole.items():
        np.testing.assert_array_equal(part[key], values, err_msg=key)


@pytest.mark.parametrize("name", ["beard", "hat", "mask", "clothes"])
def test_leaving_one_kind_out_only_gives_room(natural, generic, many, name):
    without = natural.with_changes({"attire": {name: 0.0}})
    part = drawn(facegen.sample(without, generic, range(400), seed=5))
    whole, slot = drawn(many[:400]), SLOTS.index(name)
    (mine, theirs) = (np.delete(one.pop("attire pieces"), slot, axis=1) for one in (part, whole))
    for key, values in whole.items():
        np.testing.assert_array_equal(part[key], values, err_msg=key)
    np.testing.assert_array_equal(mine[theirs >= 0], theirs[theirs >= 0])
    room = (mine != theirs).any(axis=1)
    assert (many.attire.pieces[:400][room, slot] >= 0).all()


def test_the_old_are_greyer(many, generic):
    persona = observer_of(generic.truncated(128, 64, 128)).look(
        many.theta, {}, np.full((MANY, 2), 0.5)
    )
    hair = many.attire.colours[:, HAIR, 0]
    spread = hair.max(axis=1) - hair.min(axis=1)
    old, young = persona.age > 65, persona.age < 35
    assert spread[old].mean() < 0.7 * spread[young].mean()
    assert hair[old].mean() > hair[young].mean()


def test_light_comes_from_somewhere(many):
    light = many.parameters.illumination.mean(axis=2)
    evenness = np.linalg.norm(light[:, 1:4], axis=1) / light[:, 0]
    assert evenness.mean() >= 0.5
    assert (light[:, 0] > 0).all()


def test_the_place_behind_a_head_is_the_one_that_lights_it(natural, generic):
    bare = natural.with_changes({"light": {"mix": 0.0, "lamp": 0.0}})
    samples = facegen.sample(bare, generic, range(50), seed=5)
    scenery = samples.background.scenery
    light = lights_of(bare).environments.illumination[scenery.environment]
    turned = turned_about_vertical(light, COSINES[scenery.turn], SINES[scenery.turn])
    expected = turned * scenery.gain[:, None]
    np.testing.assert_allclose(samples.parameters.illumination, expected, rtol=1e-4, atol=1e-5)


def test_scenery_comes_in_the_stated_shares(natural, many):
    shares = natural.table["background"]["shares"]
    kinds = many.background.scenery.kind
    for number, kind in enumerate(SCENERY):
        assert near((kinds == number).mean(), shares[kind]), kind
