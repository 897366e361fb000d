"""What a model's file holds beyond the Basel layout: kept, handed on, and refused where wrong."""

import json
import shutil
from pathlib import Path

import h5py
import numpy as np
import pytest

from facegen.errors import ModelError
from facegen.models import catalogue, extras, model_file
from facegen.models.cache import open_model
from facegen.recipe.recipe import Coefficients

BLEND, POINTS = extras.BLENDSHAPES, extras.POINTS


@pytest.fixture
def copy(tmp_path):
    """A copy of the generic model's file, to be changed."""
    path = tmp_path / "mine.h5"
    shutil.copy(catalogue.find("generic"), path)
    return path


def test_named_expressions_are_arkits(arkit, generic):
    assert len(arkit.expression_names) == 52
    assert {"jawOpen", "mouthSmileLeft", "tongueOut", "eyeLookUpRight"} <= {*arkit.expression_names}
    assert arkit.sha256 != generic.sha256
    assert arkit.name == "generic-arkit"
    np.testing.assert_array_equal(arkit.mean_face, arkit.shape.mean)


@pytest.mark.parametrize(("side", "towards"), [("Left", 1), ("Right", -1)])
def test_eyes_turn_by_25_degrees(arkit, side, towards):
    eye = arkit.points["pupil_l" if side == "Left" else "pupil_r"]
    ball = np.flatnonzero(arkit.segmentation == 4)
    ball = ball[np.sign(arkit.mean_face[ball, 0]) == towards]
    back = ball.max()  # The balls' poles come first and last.
    before = (arkit.mean_face[eye] - arkit.mean_face[back]) / 2
    for way in ("Up", "Down", "In", "Out"):
        number = arkit.expression_names.index(f"eyeLook{way}{side}")
        move = arkit.expression.basis[number].reshape(-1, 3)[eye]
        after = before + move
        cosine = before @ after / np.linalg.norm(before) / np.linalg.norm(after)
        assert np.degrees(np.arccos(cosine)) == pytest.approx(25, abs=1.5)
        axis, sign = {"Up": (1, 1), "Down": (1, -1), "In": (0, -towards), "Out": (0, towards)}[way]
        assert sign * move[axis] > 4


def test_the_cache_and_a_file_written_again_keep_them(generic, arkit, tmp_path):
    kept = open_model(catalogue.find("generic-arkit"), Coefficients(10, None, 7))
    model_file.write(tmp_path / "out.h5", model_file.content_of(arkit))
    again = model_file.load(tmp_path / "out.h5")
    for model in (kept, again):
        assert model.expression_names == arkit.expression_names
        assert dict(model.points) == dict(generic.points)
        assert {n: t.tolist() for n, t in model.tapes.items()} == {
            n: t.tolist() for n, t in generic.tapes.items()
        }
        assert model.attributes.names == generic.attributes.names
    assert kept.attributes.shape.shape == (7, 10)
    np.testing.assert_allclose(again.expression.basis, arkit.expression.basis, atol=1e-5)


def test_a_file_without_any_of_it_is_a_model(copy):
    with h5py.File(copy, "r+") as file:
        for name in ("blendshapes", "points", "tapes", "attributes", "texture"):
            del file[f"facegen/{name}"]
    model = model_file.load(copy)
    assert (model.points, model.attributes, model.expression_names) == ({}, None, ())
    with pytest.raises(ModelError, match="holds no named expressions"):
        model_file.load(copy / extras.INSIDE)


def names(file, key, value):
    """Give a data set other names."""
    file[key].attrs["names"] = value


def describe(file, text):
    """Let a file describe its attributes so."""
    file[extras.ATTRIBUTES].attrs["described"] = text


SPOILT = {
    "names that are no JSON": lambda f: names(f, BLEND, "[jaw"),
    "names that are numbers": lambda f: names(f, BLEND, json.dumps([1] * 52)),
    "a name twice": lambda f: names(f, BLEND, json.dumps(["a"] * 52)),
    "too few names": lambda f: names(f, BLEND, json.dumps(["a", "b"])),
    "deep names": lambda f: names(f, BLEND, "[" * 9000),
    "points without names": lambda f: names(f, POINTS, "[]"),
    "points beyond the mesh": lambda f: f[POINTS].write_direct(
        np.full(f[POINTS].shape, 10**6, "i4")
    ),
    "attributes of another kind": lambda f: f[extras.ATTRIBUTES].attrs.__setitem__(
        "described", "{}"
    ),
    "attributes that are none": lambda f: f[extras.ATTRIBUTES].attrs.__setitem__(
        "described", "[3]"
    ),
    "blendshapes that are no numbers": lambda f: f[BLEND].__setitem__((0, 0), np.nan),
}


@pytest.mark.parametrize("spoil", SPOILT)
def test_what_is_wrong_is_said_in_words(copy, spoil):
    with h5py.File(copy, "r+") as file:
        SPOILT[spoil](file)
    with pytest.raises(ModelError, match=r"mine\.h5"):
        model_file.load(copy / extras.INSIDE)


def test_a_files_inside_is_no_file_of_its_own(tmp_path):
    assert extras.inside(Path("a.h5/blendshapes")) == (Path("a.h5"), True)
    assert extras.inside(Path("folder/blendshapes")) == (Path("folder/blendshapes"), False)
    with pytest.raises(ModelError, match="No such file"):
        model_file.load(tmp_path / "none.h5" / extras.INSIDE)
