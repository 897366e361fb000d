"""Coefficients, layers and randomness as CONVENTIONS.md states them."""

import h5py
import meshes
import numpy as np
import pytest
from conventions import STATEMENTS, numbered, sentence, states
from specs import folder, generated, read_tar, samples_of, spec_of

import facegen
from facegen.dataset.encoding import encode_depth
from facegen.errors import RecipeError
from facegen.models import catalogue
from facegen.models.attire import ATTIRE_SEGMENTS
from facegen.models.morphable_model import LANDMARKS, SEGMENTS
from facegen.recipe.distributions import Mixture, Normal, Uniform
from facegen.recipe.loading import load
from facegen.recipe.plan import identities_of, splits_of
from facegen.rendering.landmarks import VISIBLE_WITHIN_MM, find_landmarks
from facegen.sampling.estimates import Estimates
from facegen.sampling.perturbation import Around, perturbation_of
from facegen.sampling.prior import draw_theta, prior_of, source_of
from facegen.sampling.randomness import Stream, uniforms
from facegen.scene.cameras import Cameras
from facegen.scene.parameters import POSTER_UNIT, WEIGHT, layout_of

LAYOUT = layout_of(4, 3, 5)


# Coefficients


@states("theta")
def test_theta_holds_the_groups_in_the_stated_order(faces):
    stated = sentence("theta", r"\[(.+?)\], float32")[0]
    names = [group.name for group in faces.layout.groups]
    assert [stated.index(name) for name in names] == sorted(stated.index(name) for name in names)
    theta = samples_of(faces)[0]["theta.npy"]
    assert (theta.dtype, theta.shape) == (np.float32, (faces.layout.width,))
    assert faces.layout.unpack(theta[None]).illumination[0].shape == (9, 3)


@states("Shape and reflectance")
def test_a_coefficient_is_a_standard_deviation_of_the_model(generic):
    with h5py.File(catalogue.find("generic")) as model:
        for group, linear in (("shape", generic.shape), ("color", generic.reflectance)):
            deviations = np.sqrt(model[f"{group}/model/pcaVariance"][()])
            np.testing.assert_allclose(linear.component_scale, deviations, rtol=1e-5)


@states("Expression")
def test_the_posters_expressions_have_exactly_the_spread_of_the_data(generic):
    """sqrt(variance) in the file is the data's: a unit is that over 12 / sqrt 3."""
    sentence("Expression", r"standard deviation / \(12 / √3\)")
    with h5py.File(catalogue.find("generic")) as model:
        data = np.sqrt(model["expression/model/pcaVariance"][()])
    poster = load("inversefacenet").priors["expression"].default
    np.testing.assert_allclose(generic.expression.component_scale * poster.sd, data, rtol=1e-5)
    assert generic.expression_unit == POSTER_UNIT


@states("Expression")
def test_weights_and_standard_deviations_are_never_converted():
    with pytest.raises(RecipeError):
        prior_of(load("inversefacenet"), layout_of(3, 4, 2, WEIGHT))


# Layers


@states("mask.png")
@states("albedo.png")
@states("normal.png")
@states("pncc.png")
@states("depth.png")
def test_nothing_is_zero_and_something_is_as_stated(faces, generic):
    for sample in samples_of(faces)[:6]:
        inside = sample["mask.png"] == 255
        assert (sample["mask.png"][~inside] == 0).all()
        for name in ("albedo.png", "normal.png", "pncc.png", "depth.png"):
            assert not sample[name][~inside].any()
        assert (sample["depth.png"][inside] > 0).all()
        n = sample["normal.png"][inside] / 127.5 - 1
        np.testing.assert_allclose(np.linalg.norm(n, axis=-1), 1, atol=0.02)


@states("depth.png")
def test_depth_is_in_tenths_of_a_millimetre(faces):
    (bits, unit) = sentence("depth.png", r"(\d+) bit, unit ([\d.]+) mm")
    assert samples_of(faces)[0]["depth.png"].dtype == np.dtype(f"uint{bits}")
    dataset = facegen.open_dataset(folder(faces))
    expected = samples_of(faces)[0]["depth.png"] * float(unit)
    np.testing.assert_allclose(dataset[0].layers["depth"], expected, atol=1e-3)
    assert encode_depth(np.zeros((2, 2), np.float32))


@states("pncc.png")
def test_pncc_is_the_mean_faces_coordinates_stretched(generic):
    """The whole model seen from the front covers 0 to 1 in x and y."""
    assert generic.normalised_mean.min(axis=0).tolist() == [0, 0, 0]
    assert generic.normalised_mean.max(axis=0).tolist() == [1, 1, 1]
    order = np.argsort(generic.mean_face[:, 2])
    assert (np.diff(generic.normalised_mean[order, 2]) >= 0).all()


@states("segmentation.png")
def test_segments_are_numbered_as_stated():
    assert numbered("segmentation.png") == [*SEGMENTS, *ATTIRE_SEGMENTS]


@states("segmentation.png")
def test_a_triangles_label_is_the_middle_one(ellipsoid):
    labels = np.sort(ellipsoid.segmentation[ellipsoid.triangles], axis=1)[:, 1]
    np.testing.assert_array_equal(ellipsoid.triangle_segments, labels)


@states("landmarks.npy")
def test_a_landmark_is_visible_within_a_millimetre_and_inside_the_image(faces):
    (count, within) = sentence("landmarks.npy", r"\((\d+), 3\).* more than (\d+) mm in front")
    assert (int(count), float(within)) == (LANDMARKS, VISIBLE_WITHIN_MM)
    assert samples_of(faces)[0]["landmarks.npy"].shape == (LANDMARKS, 3)
    cameras = Cameras(np.eye(4, dtype=np.float32)[None], meshes.camera_matrix(8, 8)[None])
    depth = np.full((1, 8, 8), 1000, np.float32)
    points = np.float32([[[0, 0, -1000.5], [0, 0, -1001.5], [0, 0, -500], [900, 0, -1000]]])
    assert find_landmarks(points, cameras, depth)[0, :, 2].tolist() == [1, 0, 1, 0]


@states("cls")
def test_cls_is_the_identity(ellipsoid_file, tmp_path):
    two = {"identities": 2, "samples_per_identity": 10}
    spec = generated(spec_of(ellipsoid_file, tmp_path, two, layers="cls"))
    samples = [s for tar in sorted(folder(spec).glob("*.tar")) for s in read_tar(tar).values()]
    assert [s["cls"] for s in samples] == [s["json"]["identity"] for s in samples] == [0, 1] * 10


# Randomness


@states("A sample")
def test_a_sample_depends_on_recipe_seed_and_index_alone():
    source = source_of(load("inversefacenet"), LAYOUT)
    some = np.array([900, 4, 77])
    np.testing.assert_array_equal(source.theta(1, some), source.theta(1, np.arange(1000))[some])
    assert not (source.theta(1, some) == source.theta(2, some)).any()


@states("Uniforms")
def test_uniforms_are_the_middles_of_two_to_the_53_steps():
    sentence("Uniforms", r"u = \(bits >> 11 \+ 1/2\) / 2\^53")
    bits = np.random.Philox(key=np.array([3, 1], np.uint64), counter=5 * 2).random_raw(8)
    expected = ((bits >> np.uint64(11)).astype(np.float64) + 0.5) / 2**53
    np.testing.assert_array_equal(uniforms(3, Stream.CAMERA, np.array([5]), 8)[0], expected)
    assert expected.min() > 0
    assert expected.max() < 1


@states("Draws")
def test_draws_are_the_ppf_of_the_uniforms_in_float32():
    recipe = load("inversefacenet")
    u = uniforms(3, Stream.THETA, np.arange(4), LAYOUT.width)
    expected = np.float32(recipe.priors["shape"].default.ppf(u[:, LAYOUT.slices["shape"]]))
    theta = draw_theta(prior_of(recipe, LAYOUT), 3, np.arange(4))
    np.testing.assert_array_equal(theta[:, LAYOUT.slices["shape"]], expected)


@states("Draws")
def test_in_a_mixture_u_chooses_and_its_remainder_draws():
    mixture = Mixture((0.25, 0.75), (Normal(0, 1), Uniform(5, 6)))
    u = np.array([0.1, 0.25 + 0.75 * 0.4])
    expected = [Normal(0, 1).ppf(np.array([0.4]))[0], 5.4]
    np.testing.assert_allclose(mixture.ppf(u), expected, rtol=1e-12)


@states("Streams")
def test_streams_are_numbered_as_stated():
    stated = [name.upper().replace(" ", "_") for name in numbered("Streams")]
    assert stated == [stream.name for stream in Stream]
    assert [stream.value for stream in Stream] == list(range(len(stated)))


@states("Perturbation")
def test_a_sample_is_its_estimate_plus_a_draw():
    recipe = load("bootstrap-wide")
    theta = np.random.default_rng(0).normal(size=(7, LAYOUT.width)).astype(np.float32)
    perturbation = perturbation_of(recipe, LAYOUT, Estimates(theta, tuple("abcdefg")), Around())
    indices = np.arange(20)
    moved = theta.copy()
    for group in recipe.zero_mean:
        moved[:, LAYOUT.slices[group]] -= theta[:, LAYOUT.slices[group]].mean(axis=0)
    expected = moved[indices % 7] + draw_theta(prior_of(recipe, LAYOUT), 5, indices)
    np.testing.assert_allclose(perturbation.theta(5, indices), expected, atol=1e-6)
    assert [parent.key for parent in perturbation.parents(5, indices)] == list(
        "abcdefg" * 2 + "abcdef"
    )


@states("Perturbation")
def test_weighted_the_estimate_is_drawn_from_its_stream():
    confidence = np.array([1.0, 0.0, 3.0])
    estimates = Estimates(np.zeros((3, LAYOUT.width), np.float32), (), confidence)
    perturbation = perturbation_of(load("bootstrap"), LAYOUT, estimates, Around(weighted=True))
    indices = np.arange(500)
    u = uniforms(5, Stream.PARENT, indices, 1)[:, 0]
    np.testing.assert_array_equal(perturbation.rows(5, indices), np.where(u < 0.25, 0, 2))


@states("Splits and identities")
def test_identities_take_turns_within_their_split_and_keep_their_face():
    recipe = load("inversefacenet").with_changes(
        {"identities": 6, "samples_per_identity": 5, "splits": {"a": 0.5, "b": 0.5}}
    )
    indices = np.arange(30)
    identities = identities_of(recipe, indices)
    assert [(s.name, s.start, s.stop) for s in splits_of(recipe, 30)] == [
        ("a", 0, 15),
        ("b", 15, 30),
    ]
    assert identities.tolist() == [0, 1, 2] * 5 + [3, 4, 5] * 5
    own = draw_theta(prior_of(recipe, LAYOUT), 2, identities, Stream.IDENTITY)
    theta = source_of(recipe, LAYOUT).theta(2, indices)
    for group in ("shape", "reflectance"):
        assert group in STATEMENTS["Splits and identities"]
        columns = LAYOUT.slices[group]
        np.testing.assert_array_equal(theta[:, columns], own[:, columns])
