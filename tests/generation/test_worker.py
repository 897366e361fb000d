"""What a worker makes of a label: members that are true, down to the last bit."""

import meshes
import numpy as np
import pytest
from specs import folder, generated, read_tar, samples_of, spec_of

from facegen.dataset import encoding
from facegen.recipe.loading import load
from facegen.rendering.contract import RenderSettings, Scene
from facegen.rendering.cpu.renderer import CpuRenderer
from facegen.sampling.prior import draw_theta, prior_of
from facegen.scene.cameras import Cameras, project, to_camera_space
from facegen.scene.lighting import irradiance


def test_every_sample_has_every_member(faces):
    samples = {k: s for path in folder(faces).glob("*.tar") for k, s in read_tar(path).items()}
    assert sorted(samples) == [f"{i:010d}" for i in range(20)]
    marks = ("landmarks", "landmarks2d")
    others = {*marks, "cls"} | encoding.OF_PHOTOGRAPHS
    images = {f"{layer}.png" for layer in encoding.LAYERS if layer not in others}
    expected = images | {"png", "json", "theta.npy", "cls", *(f"{mark}.npy" for mark in marks)}
    assert all(set(sample) == expected for sample in samples.values())
    assert [samples[k]["json"]["index"] for k in sorted(samples)] == list(range(20))


def test_theta_is_what_the_recipe_samples(faces):
    prior = prior_of(load("inversefacenet"), faces.layout)
    expected = draw_theta(prior, faces.seed, np.arange(20))
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


def test_an_image_is_what_its_label_renders_to(relabelled, generic):
    """From theta and json alone, in the place it had: the face to the last bit, no background."""
    scene, samples = relabelled
    renderer = CpuRenderer(generic, RenderSettings(64, frozenset({"depth"})))
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
    points = to_camera_space(
        generic.geometry.evaluate(scene.parameters.geometry)[:, generic.landmarks],
        scene.cameras.model_to_camera,
    )
    uv = project(points, scene.cameras.K)
    written = np.array([sample["landmarks.npy"] for sample in samples])
    np.testing.assert_allclose(written[..., :2], uv, atol=0.01)
    assert 0.4 < written[..., 2].mean() < 0.95


def test_the_layers_in_the_files_give_the_image_back(relabelled):
    scene, samples = relabelled
    for light, sample in zip(scene.parameters.illumination, samples, strict=True):
        inside = sample["mask.png"] > 0
        n = sample["normal.png"][inside] / 127.5 - 1
        n /= np.linalg.norm(n, axis=-1, keepdims=True)
        colour = sample["albedo.png"][inside] / 255 * irradiance(n, light)
        assert abs(255 * np.clip(colour, 0, 1) - sample["png"][inside]).max() <= 2


@pytest.mark.parametrize("kind", ["off", "colour", "noise"])
def test_the_background_is_as_the_recipe_says(small_spec, kind):
    spec = generated(small_spec(changes={"background": {"kind": kind}}, layers="mask"))
    for sample in samples_of(spec):
        behind = sample["png"][sample["mask.png"] == 0].astype(int)
        shades = len(np.unique(behind, axis=0))
        assert shades > 100 if kind == "noise" else shades == 1
        assert kind != "off" or not behind.any()


def test_faces_fill_their_images(faces):
    shares = [np.mean(sample["mask.png"] > 0) for sample in samples_of(faces)]
    assert 0.3 < min(shares) < max(shares) <= 1


def test_a_recipe_without_some_coefficients_can_be_rendered(small_spec):
    none = {group: {"coefficients": 0} for group in ("shape", "reflectance")}
    spec = generated(small_spec(count=3, changes=none))
    assert samples_of(spec)[0]["theta.npy"].shape == (3 + 4 + 27,)


def test_jpegs_are_near_the_images_rendered(ellipsoid_file, tmp_path):
    formats = {name: {"image": {"size": 64, "format": name}} for name in ("png", "jpg", "webp")}
    specs = [
        generated(spec_of(ellipsoid_file, tmp_path / name, changes, count=5))
        for name, changes in formats.items()
    ]
    exact, *lossy = ([s[spec.recipe.image.format] for s in samples_of(spec)] for spec in specs)
    for images in lossy:
        off = [abs(a.astype(int) - b).mean() for a, b in zip(exact, images, strict=True)]
        assert max(off) < 6


def test_truncation_by_recipe_narrows_theta(small_spec):
    spec = small_spec(changes={"shape": {"coefficients": 2}})
    assert spec.layout.width == 3 + 2 + 4 + 6 + 27
    assert spec.load_model().layout == spec.layout
