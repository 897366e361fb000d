"""The public API: what `facegen` offers, and that it gives what a data set holds."""

import subprocess
import sys

import numpy as np
import pytest
from specs import folder, spec_of

import facegen
from facegen.errors import ModelError, RecipeError, UsageError

SMALL = {"image": {"size": 64, "format": "png"}}


@pytest.fixture(scope="module")
def recipe():
    """The default recipe, of small images."""
    return facegen.load_recipe("inversefacenet").with_changes(SMALL)


@pytest.mark.parametrize("name", facegen.__all__)
def test_every_name_is_there_and_documented(name):
    assert getattr(facegen, name).__doc__


def test_dir_lists_the_api():
    assert set(dir(facegen)) == {*facegen.__all__, "__version__"}


def test_a_name_that_is_not_there_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no attribute 'paint'"):
        _ = facegen.paint


def test_generate_needs_no_guard_in_a_script(ellipsoid_file, tmp_path):
    """Workers do not run the script that started them."""
    out = tmp_path / "out"
    script = tmp_path / "script.py"
    script.write_text(
        "import facegen\n"
        "print('once')\n"
        f"spec = facegen.DatasetSpec(count=20, out={str(out)!r}, model={str(ellipsoid_file)!r},\n"
        "    size=64, shard_size=7, workers=2, device='cpu')\n"
        "print(facegen.generate(spec).samples)\n"
    )
    run = subprocess.run([sys.executable, script], capture_output=True, text=True, check=False)
    assert (run.returncode, run.stdout, run.stderr) == (0, "once\n20\n", "")
    assert len(facegen.open_dataset(out)) == 20


def test_samples_are_those_of_the_data_set(recipe, generic, faces):
    samples = facegen.sample(recipe, generic, [3, 11])
    dataset = facegen.open_dataset(folder(faces))
    for row, index in enumerate([3, 11]):
        assert np.array_equal(samples.theta[row], dataset[index].vector)
        assert np.array_equal(samples.cameras.K[row], dataset[index].camera.K)


def test_a_recipe_with_fewer_coefficients_takes_them_of_the_whole_model(ellipsoid_file, tmp_path):
    fewer = {"shape": {"coefficients": 2}, "reflectance": {"coefficients": 1}}
    spec = spec_of(ellipsoid_file, tmp_path, fewer)
    model = facegen.load_model(ellipsoid_file)
    samples = facegen.sample(spec.recipe, model, range(3))
    assert samples.layout == spec.layout
    direct = facegen.render(samples, spec.load_model(), device="cpu")
    assert np.array_equal(facegen.render(samples, model, device="cpu").images, direct.images)


def test_samples_of_another_model_are_refused(recipe, generic, ellipsoid):
    samples = facegen.sample(recipe, generic, range(2))
    with pytest.raises(UsageError, match="another face model"):
        facegen.render(samples, ellipsoid, device="cpu")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"layers": ["shadow"]}, "unknown layer 'shadow'"),
        ({"device": "tpu"}, "unknown device 'tpu'"),
        ({"device": "cpu,cpu"}, "several devices"),
    ],
)
def test_what_cannot_be_rendered_is_said(recipe, generic, options, message):
    samples = facegen.sample(recipe, generic, range(2))
    with pytest.raises(UsageError, match=message):
        facegen.render(samples, generic, **options)


def test_no_samples_can_be_drawn_but_not_rendered(recipe, generic):
    samples = facegen.sample(recipe, generic, [])
    assert len(samples) == 0
    with pytest.raises(UsageError, match="no samples to render"):
        facegen.render(samples, generic, device="cpu")


def test_a_perturbation_cannot_be_sampled_without_estimates(generic):
    recipe = facegen.load_recipe("bootstrap")
    with pytest.raises(RecipeError, match="states a perturbation of estimates"):
        facegen.sample(recipe, generic, range(2))


def test_names_that_do_not_exist_are_said():
    with pytest.raises(RecipeError, match="recipe nobody: no recipe of that name"):
        facegen.load_recipe("nobody")
    with pytest.raises(ModelError, match="model nobody"):
        facegen.load_model("nobody")
