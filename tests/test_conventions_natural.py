"""Photographs as CONVENTIONS.md states them: lens, radiance, what is worn, natural light."""

from dataclasses import replace

import numpy as np
import pytest
from conventions import states

import facegen
from facegen.imaging import tones
from facegen.models.attire import ATTIRE_SEGMENTS
from facegen.models.morphable_model import SEGMENTS
from facegen.rendering.contract import RenderSettings
from facegen.rendering.devices import open_renderer
from facegen.sampling.lights import TURNS, lights_of, turned_about_vertical
from facegen.sampling.randomness import Stream
from facegen.scene.cameras import Cameras, to_camera_space
from facegen.scene.lighting import basis

LAYERS = ("depth", "segmentation", "pncc", "mask", "albedo", "normal")
BENEATH = ("depth_beneath", "segmentation_beneath", "pncc_beneath")
COUNT, SIZE = 6, 64


@pytest.fixture(scope="module")
def natural():
    return facegen.load_recipe("natural").with_changes({"image": {"size": SIZE}})


@pytest.fixture(scope="module")
def samples(natural, generic):
    return facegen.sample(natural, generic, range(COUNT), seed=8)


@pytest.fixture(scope="module")
def faces(samples, generic):
    return facegen.render(samples, generic, [*LAYERS, *BENEATH, "landmarks"], device="cpu")


@states("Lens")
def test_lenses_bend_rays_as_stated():
    points = np.array([[[40.0, 30.0, -500.0], [300.0, 0.0, -300.0]]])
    K = np.array([[[600, 0, 32], [0, 600, 32], [0, 0, 1]]], np.float32)
    camera = Cameras(np.eye(4, dtype=np.float32)[None], K, np.array([-0.5], np.float32))
    u, v = camera.project(points)[0].T
    factors = np.array([1 - 0.5 * (0.08**2 + 0.06**2), 2 / 3])
    np.testing.assert_allclose(u, 32 + 600 * np.array([0.08, 1.0]) * factors, rtol=1e-6)
    np.testing.assert_allclose(v, 32 - 600 * np.array([0.06, 0.0]) * factors, rtol=1e-6)


@states("Radiance")
def test_radiance_is_albedo_times_shading_and_highlights(generic, samples):
    flat = replace(
        generic,
        reflectance=replace(
            generic.reflectance,
            mean=np.full_like(generic.reflectance.mean, 0.5),
            basis=np.zeros_like(generic.reflectance.basis),
        ),
    )
    counts = dict(samples.layout.to_json())
    flat = flat.truncated(counts["shape"], counts["expression"], counts["reflectance"])
    settings = RenderSettings(SIZE, frozenset({"shading", "specular"}), "srgb")
    renderer = open_renderer("cpu", flat, settings)
    from facegen.imaging.faces import scene_of

    frames = renderer.render(scene_of(samples))
    seen = frames.mask > 0
    shading, specular, radiance = (
        frames.layers[k][seen] for k in ("shading", "specular", "radiance")
    )
    assert shading.min() >= 0
    np.testing.assert_allclose(radiance, tones.decode(0.5) * shading + specular, atol=1e-3)


@states("What is worn")
def test_what_is_worn_has_labels_of_its_own(faces):
    worn = faces.layers["segmentation"] >= len(SEGMENTS)
    assert worn.any()
    assert (faces.layers["pncc"][worn] == 0).all()
    assert (faces.layers["mask"][worn] == 0).all()
    assert faces.layers["segmentation"].max() < len(SEGMENTS) + len(ATTIRE_SEGMENTS)
    assert (np.linalg.norm(2 / 255 * faces.layers["normal"][worn] - 1.0, axis=1) > 0.8).all()


@states("Beneath")
def test_beneath_is_what_nothing_worn_shows(natural, generic, samples, faces):
    bare = natural.with_changes({"attire": dict.fromkeys(natural.table["attire"], 0.0)})
    plain = facegen.render(
        facegen.sample(bare, generic, range(COUNT), seed=8),
        generic,
        ["depth", "segmentation", "pncc"],
        device="cpu",
    )
    for name, layer in plain.layers.items():
        np.testing.assert_array_equal(layer, faces.layers[f"{name}_beneath"])


@states("Face units")
def test_units_move_the_mean_face_by_their_names(generic):
    units = generic.face_units
    weights = np.zeros(len(units.names))
    weights[units.names.index("jawOpen")] = 1
    expression = (units.neutral + weights @ units.coefficients).astype(np.float32)
    still = generic.expression.evaluate(units.neutral.astype(np.float32)[None])[0]
    moved = generic.expression.evaluate(expression[None])[0] - still
    chin, brow = generic.landmarks[8], generic.landmarks[19]
    assert moved[chin, 1] < -10
    assert np.abs(moved[brow]).max() < 1


@states("Natural light")
def test_light_is_a_place_turned_about_the_vertical(natural):
    light = lights_of(natural).environments.illumination[:1]
    angle = 2 * np.pi * 100 / TURNS
    turned = turned_about_vertical(light, np.array([np.cos(angle)]), np.array([np.sin(angle)]))
    there = np.array([[0.0, 0, 1]])
    here = np.array([[np.sin(angle), 0, np.cos(angle)]])
    np.testing.assert_allclose(basis(here) @ turned[0], basis(there) @ light[0], atol=1e-6)
    drawn = lights_of(natural).draw(3, np.arange(500))
    assert (drawn.gain > 0).all()
    assert len(np.unique(drawn.environment)) > 10


def test_landmarks_lie_where_the_lens_shows_them(samples, generic, faces):
    distorted = np.abs(samples.cameras.k1).argmax()
    uv = faces.layers["landmarks"][distorted, :, :2]
    points = generic.landmark_geometry.evaluate(samples.parameters.geometry[distorted][None])
    seen = to_camera_space(points, samples.cameras.model_to_camera[distorted][None])
    np.testing.assert_allclose(samples.cameras[[distorted]].project(seen)[0], uv, atol=1e-2)


def test_the_streams_are_as_listed():
    assert [stream.name for stream in list(Stream)[8:15]] == [
        *("HAIR", "BEARD", "GLASSES", "HAT", "MASK", "CLOTHES", "HAND")
    ]
