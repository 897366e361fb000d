"""`facegen show`: pictures of recipes, models, sweeps and samples."""

from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image
from specs import folder

import facegen
from facegen.cli.main import main
from facegen.inspection.sheets import Arrangement, parse_sweep


@pytest.fixture
def show(tmp_path):
    """A function that runs the command and opens its picture."""

    def run(*options):
        path = tmp_path / "shown.png"
        result = CliRunner().invoke(main, ["show", *map(str, options), "--out", str(path)])
        assert result.exit_code == 0, result.output
        return np.asarray(Image.open(path))

    return run


def tiles(page, size):
    """The page cut into its faces: rows, columns, pixels."""
    rows, columns = page.shape[0] // size, page.shape[1] // size
    return page.reshape(rows, size, columns, size, 3).swapaxes(1, 2)


def test_a_recipe_is_shown_by_its_samples(show, generic):
    page = show("inversefacenet", "--grid", "3x2", "--size", 48, "--device", "cpu", "--seed", 5)
    recipe = facegen.load_recipe("inversefacenet").with_changes({"image": {"size": 48}})
    samples = facegen.sample(recipe, generic, range(6), seed=5)
    images = facegen.render(samples, generic, device="cpu").images
    np.testing.assert_array_equal(tiles(page, 48).reshape(6, 48, 48, 3), images)


def test_a_sweep_of_a_model_changes_the_average_face(show):
    faces = tiles(show("generic", "--sweep", "shape.0=-3:3:5", "--size", 48), 48)
    assert faces.shape[:2] == (1, 5)
    middle = tiles(show("generic", "--sweep", "shape.1=-3:3:5", "--size", 48), 48)[0, 2]
    np.testing.assert_array_equal(faces[0, 2], middle)
    assert (faces[0, 0] != faces[0, 4]).mean() > 0.05


@pytest.mark.parametrize(
    "sweeps",
    [
        ("attributes.age=20:80:3", "rotation.yaw=-40:40:2"),
        ("rotation.yaw=-40:40:3", "attributes.age=20:80:2"),
    ],
)
def test_the_first_of_two_sweeps_runs_along_the_rows(show, sweeps):
    options = [word for sweep in sweeps for word in ("--sweep", sweep)]
    faces = tiles(show("generic", *options, "--size", 48), 48).astype(int)
    assert faces.shape[:2] == (2, 3)
    yaw_is_across = sweeps[0].startswith("rotation")
    across = np.abs(faces[0, 0] - faces[0, 2]).mean()
    down = np.abs(faces[0, 0] - faces[1, 0]).mean()
    assert (across > down) == yaw_is_across


def test_with_one_sweep_every_row_is_another_person(show):
    page = show("inversefacenet", "--sweep", "rotation.yaw=-40:40:3", "--grid", "3x2", "--size", 48)
    faces = tiles(page, 48)
    assert faces.shape[:2] == (2, 3)
    assert (faces[0] != faces[1]).mean() > 0.2


def test_expressions_by_name_and_light_are_swept(show):
    for sweep in (
        "expression.jawOpen=0:1:2",
        "illumination.3=-0.4:0.4:2",
        "camera.distance=400:2000:2",
    ):
        faces = tiles(show("generic-arkit", "--sweep", sweep, "--size", 48), 48)
        assert (faces[0, 0] != faces[0, 1]).mean() > 0.01, sweep


def test_a_sample_is_shown_with_its_layers(show, faces):
    page = show("--sample", f"{folder(faces)}:4")
    names = [name for name in faces.layers if name != "cls"]
    assert page.shape == (64, 64 * (1 + len(names)), 3)
    sample = facegen.open_dataset(folder(faces))[4]
    np.testing.assert_array_equal(page[:, :64], sample.image)


REFUSED = {
    "nothing": ([], "needs a recipe or a model"),
    "both": (["generic", "--sample", "a:1"], "needs a recipe or a model"),
    "no sweep": (["generic", "--sweep", "shape.0=1"], "states no sweep"),
    "a sweep of nothing": (["generic", "--sweep", "shape=1:2:3"], "states no sweep"),
    "another parameter": (["generic", "--sweep", "nose.0=1:2:3"], "unknown key 'nose'"),
    "another name": (
        ["generic-arkit", "--sweep", "expression.jawopen=0:1:2"],
        "did you mean 'jawOpen'",
    ),
    "another attribute": (
        ["generic", "--sweep", "attributes.height=0:1:2"],
        "does not know the attribute",
    ),
    "three sweeps": (["generic", *["--sweep", "shape.0=1:2:3"] * 3], "at most two sweeps"),
    "one sweep twice": (["generic", *["--sweep", "shape.0=1:2:3"] * 2], "each once"),
    "another grid": (["generic", "--sweep", "shape.0=1:2:3", "--grid", "8x2"], "say 3x1"),
    "people without a sweep": (["inversefacenet", "--people"], "another person already"),
    "a sample of another size": (["--sample", "data:1", "--size", "99"], "shown as it is"),
    "no size": (["generic", "--size", "0"], "--size"),
    "a far attribute": (["generic", "--sweep", "attributes.age=20:900:3"], "far beyond"),
    "a huge sheet": (["generic", "--grid", "999x999"], "more than 4,096 faces"),
    "no grid": (["generic", "--grid", "8"], "not columns x rows"),
    "no sample": (["--sample", "data"], "is not DATASET:INDEX"),
    "no such model": (["nobody"], "no model of that name"),
    "a folder": ([str(Path(__file__).parent)], "show a sample: --sample"),
    "a model of a model": (["generic", "--model", "generic"], "is a model already"),
    "a perturbation": (["bootstrap"], "states a perturbation"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_shown_is_refused_in_one_line(tmp_path, case):
    options, words = REFUSED[case]
    path = tmp_path / "no.png"
    result = CliRunner().invoke(main, ["show", *options, "--out", str(path)])
    assert result.exit_code != 0
    assert words in result.output + result.stderr
    assert "Traceback" not in result.output
    assert not path.exists()


def test_tiles_are_laid_out_as_swept():
    age, yaw = parse_sweep("attributes.age=20:80:3"), parse_sweep("rotation.yaw=-40:40:2")
    assert Arrangement(3, 2, (age, yaw)).indices == [0, 2, 4, 1, 3, 5]
    assert Arrangement(2, 3, (yaw, age)).indices == [0, 1, 2, 3, 4, 5]
    assert Arrangement(3, 2, (age,)).indices == [0, 2, 4, 1, 3, 5]
    both = Arrangement(3, 2, (age, yaw), strangers=True)
    assert both.people == 6
    assert both.indices == [6 * point + face for face, point in enumerate([0, 2, 4, 1, 3, 5])]


def test_every_face_of_a_sweep_may_be_another_person(show):
    sweep = ("--sweep", "rotation.yaw=-20:20:4", "--size", 48)
    same = tiles(show("generic", *sweep), 48).astype(int)[0]
    others = tiles(show("generic", *sweep, "--people"), 48).astype(int)[0]
    gaps = [np.abs(faces[1] - faces[2]).mean() for faces in (same, others)]
    assert gaps[1] > 1.3 * gaps[0]
