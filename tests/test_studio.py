"""What a studio makes of a label: members that are true, down to the last bit."""

import meshes
import numpy as np
import pytest
from jobs import folder, generated, job_of, read_tar, samples_of

from facegen import layers, recipe
from facegen.geometry import Cameras, project, to_camera
from facegen.illumination import irradiance
from facegen.renderers import RenderSettings, Scene
from facegen.renderers.egl import EglRenderer
from facegen.sampling import prior_of, sample_theta
from facegen.studio import model_of


def test_every_sample_has_every_member(faces):
    samples = {k: s for path in folder(faces).glob("*.tar") for k, s in read_tar(path).items()}
    assert sorted(samples) == [f"{i:010d}" for i in range(20)]
    pictures = {f"{layer}.png" for layer in layers.LAYERS if layer not in ("landmarks", "cls")}
    expected = pictures | {"png", "json", "theta.npy", "landmarks.npy", "cls"}
    assert all(set(sample) == expected for sample in samples.values())
    assert [samples[k]["json"]["index"] for k in sorted(samples)] == list(range(20))


def test_theta_is_what_the_recipe_samples(faces):
    prior = prior_of(recipe.load("inversefacenet"), faces.layout)
    expected = sample_theta(prior, faces.seed, np.arange(20))
    written = np.array([sample["theta.npy"] for sample in samples_of(faces)])
    assert written.dtype == np.float32
    np.testing.assert_array_equal(written, expected)


@pytest.fixture(scope="module")
def relabelled(faces, generic):
    """The faces' scene from theta and json alone, and the samples."""
    samples = samples_of(faces)
    theta = np.array([sample["theta.npy"] for sample in samples])
    names = ("model_to_camera", "K")
    cameras = Cameras(*(np.float32([s["json"][name] for s in samples]) for name in names))
    return Scene(generic.layout.unpack(theta), cameras), samples


def test_a_picture_is_what_its_label_renders_to(relabelled, generic):
    """From theta and json alone, in the place it had: the face to the last bit, no background."""
    scene, samples = relabelled
    renderer = EglRenderer(generic, RenderSettings(64, frozenset({"depth"})))
    for start, stop in ((0, 8), (8, 16), (16, 20)):
        again = meshes.copied(renderer.render(meshes.part(scene, slice(start, stop))))
        for row, sample in enumerate(samples[start:stop]):
            inside = sample["mask.png"] > 0
            np.testing.assert_array_equal(again["mask"][row], sample["mask.png"])
            np.testing.assert_array_equal(again["image"][row][inside], sample["png"][inside])
            depth = np.round(again["depth"][row] * 10)
            np.testing.assert_array_equal(depth, sample["depth.png"])
    renderer.close()


def test_landmarks_are_the_models_projected(relabelled, generic):
    scene, samples = relabelled
    points = to_camera(
        generic.geometry.evaluate(scene.parameters.geometry)[:, generic.landmarks],
        scene.cameras.model_to_camera,
    )
    uv = project(points, scene.cameras.K)
    written = np.array([sample["landmarks.npy"] for sample in samples])
    np.testing.assert_allclose(written[..., :2], uv, atol=0.01)
    assert 0.4 < written[..., 2].mean() < 0.95


def test_the_layers_in_the_files_give_the_picture_back(relabelled):
    scene, samples = relabelled
    for light, sample in zip(scene.parameters.illumination, samples, strict=True):
        inside = sample["mask.png"] > 0
        n = sample["normal.png"][inside] / 127.5 - 1
        n /= np.linalg.norm(n, axis=-1, keepdims=True)
        colour = sample["albedo.png"][inside] / 255 * irradiance(n, light)
        assert abs(255 * np.clip(colour, 0, 1) - sample["png"][inside]).max() <= 2


@pytest.mark.parametrize("kind", ["off", "colour", "noise"])
def test_the_background_is_as_the_recipe_says(small_job, kind):
    job = generated(small_job(changes={"background": {"kind": kind}}, layers="mask"))
    for sample in samples_of(job):
        behind = sample["png"][sample["mask.png"] == 0].astype(int)
        shades = len(np.unique(behind, axis=0))
        assert shades > 100 if kind == "noise" else shades == 1
        assert kind != "off" or not behind.any()


def test_faces_fill_their_pictures(faces):
    shares = [np.mean(sample["mask.png"] > 0) for sample in samples_of(faces)]
    assert 0.3 < min(shares) < max(shares) <= 1


def test_a_recipe_without_some_coefficients_can_be_rendered(small_job):
    none = {group: {"coefficients": 0} for group in ("shape", "reflectance")}
    job = generated(small_job(count=3, changes=none))
    assert samples_of(job)[0]["theta.npy"].shape == (3 + 4 + 27,)


def test_jpegs_are_near_the_pictures_rendered(egl, ellipsoid_file, tmp_path):
    formats = {name: {"image": {"size": 64, "format": name}} for name in ("png", "jpg", "webp")}
    jobs = [
        generated(job_of(ellipsoid_file, tmp_path / name, changes, count=5))
        for name, changes in formats.items()
    ]
    exact, *lossy = ([s[job.recipe.image.format] for s in samples_of(job)] for job in jobs)
    for pictures in lossy:
        off = [abs(a.astype(int) - b).mean() for a, b in zip(exact, pictures, strict=True)]
        assert max(off) < 6


def test_truncation_by_recipe_narrows_theta(small_job):
    job = small_job(changes={"shape": {"coefficients": 2}})
    assert job.layout.width == 3 + 2 + 4 + 6 + 27
    assert model_of(job.recipe, job.model.path).layout == job.layout
