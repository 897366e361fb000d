"""The OpenGL renderer against projections, planes, light and rays computed without it."""

from dataclasses import replace

import meshes
import numpy as np
import pytest
import synthetic
from meshes import render

from facegen.dataset.encoding import DEPTH_UNITS_PER_MM
from facegen.imaging.faces import scene_of
from facegen.models.morphable_model import LANDMARKS
from facegen.recipe.loading import load
from facegen.rendering.contract import RENDERED_LAYERS, Scene
from facegen.sampling.samples import draw
from facegen.scene.cameras import (
    Cameras,
    project,
    to_camera_space,
)
from facegen.scene.lighting import irradiance

pytestmark = pytest.mark.usefixtures("egl")
SIZES = (16, 17, 100, 240, 2048)


def faces(model, count, size):
    """Faces of the default recipe before its cameras, and their landmarks in camera space."""
    recipe = load("inversefacenet").with_changes({"image": {"size": size}})
    samples = draw(recipe, model, 0, range(count))
    return scene_of(samples), samples.landmarks


def marked(model):
    """The model in black; coefficient k of its reflectance makes landmark k's vertex white."""
    values = np.zeros((LANDMARKS, model.vertices, 3), np.float32)
    values[np.arange(LANDMARKS), model.landmarks] = 1
    black = np.zeros((model.vertices, 3), np.float32)
    basis = values.reshape(LANDMARKS, -1)
    marks = type(model.reflectance)(black, basis, np.ones(LANDMARKS, np.float32))
    return meshes.changed(model, reflectance=marks, attributes=None)


def test_landmarks_that_can_be_seen_are_where_projection_puts_them(open_renderer, generic):
    """Within 0.5 of 240 pixels: face k marks landmark k, drawn four times as large."""
    size, scale = 240, 4
    scene, points = faces(generic, LANDMARKS, size)
    scene.parameters.illumination[:] = meshes.PLAIN_LIGHT
    one_each = replace(scene.parameters, reflectance=np.eye(LANDMARKS, dtype=np.float32))
    K = scene.cameras.K * np.float32([[scale], [scale], [1]])
    large = Scene(one_each, Cameras(scene.cameras.model_to_camera, K))
    uv = project(points, scene.cameras.K)[np.arange(LANDMARKS), np.arange(LANDMARKS)]
    renderer = open_renderer(marked(generic), scale * size)
    off = []
    for first in range(0, LANDMARKS, renderer.batch):
        rows = slice(first, first + renderer.batch)
        marks = renderer.render(meshes.part(large, rows)).images[..., 0]
        off += [
            drawn_off(mark, at) / scale for mark, at in zip(marks, scale * uv[rows], strict=True)
        ]
    seen = np.array(off)[~np.isnan(off)]
    assert len(seen) > LANDMARKS / 3
    assert seen.max() < 0.5


def drawn_off(mark, at):
    """How far from `at` (u, v) the brightest pixel lies; NaN where the vertex itself is hidden."""
    row, column = np.unravel_index(mark.argmax(), mark.shape)
    bright = mark[row, column] > 230
    return np.hypot(column + 0.5 - at[0], row + 0.5 - at[1]) if bright else np.nan


def test_albedo_times_irradiance_of_the_normal_is_the_image(open_renderer, generic):
    scene, _ = faces(generic, 12, 240)
    found = render(open_renderer(generic, 240, ["albedo", "normal"]), scene)
    for row, light in enumerate(scene.parameters.illumination):
        n = found["normal"][row] / 127.5 - 1
        n /= np.linalg.norm(n, axis=-1, keepdims=True)
        colour = found["albedo"][row] / 255 * irradiance(n, light)
        expected = 255 * np.clip(colour, 0, 1)
        inside = found["mask"][row] > 0
        assert abs(found["image"][row] - expected)[inside].max() <= 2


def test_a_colour_is_rounded_and_clipped(open_renderer):
    points, triangles = meshes.square()
    K = meshes.camera_matrix(16, 50)
    for reflectance, light, expected in [
        (0.5, 1.0, 128),
        (0.25, 1.0, 64),
        (0.4982, 1.0, 127),
        (0.7, 2.0, 255),
        (0.7, -1.0, 0),
    ]:
        model = meshes.bare(points, triangles, np.full_like(points, reflectance))
        scene = meshes.look(model, K, light=light * meshes.PLAIN_LIGHT)
        image = render(open_renderer(model, 16), scene)["image"]
        assert np.unique(image).tolist() == [expected]


@pytest.mark.parametrize("rotation", [(0, 0, 0), (0.6, -0.5, 0.3), (-0.9, 0.7, 0)])
def test_the_depth_of_a_plane_is_the_planes(open_renderer, rotation):
    """Within a tenth of a millimetre, after the 16 bits of the file."""
    size, focal, distance = 96, 200.0, 900.0
    K = meshes.camera_matrix(size, focal, (40, 60))
    model = meshes.bare(*meshes.square())
    scene = meshes.look(model, K, rotation, distance)
    found = render(open_renderer(model, size, ["depth"]), scene)
    coded = np.round(found["depth"][0] * DEPTH_UNITS_PER_MM) / DEPTH_UNITS_PER_MM
    u, v = np.meshgrid(np.arange(size) + 0.5, np.arange(size) + 0.5)
    rays = np.stack([(u - K[0, 2]) / focal, -(v - K[1, 2]) / focal, -np.ones_like(u)], axis=-1)
    normal = scene.cameras.model_to_camera[0, :3, 2].astype(np.float64)
    exact = -distance * normal[2] / (rays @ normal)
    inside = found["mask"][0] > 0
    assert inside.sum() > 1000
    assert abs(coded - exact)[inside].max() <= 0.1
    assert (found["depth"][0][~inside] == 0).all()


def by_rays(model, scene, size):
    """What every layer of a one-face scene should hold, by brute force and in double precision."""
    transform, K = scene.cameras.model_to_camera[0].astype(np.float64), scene.cameras.K[0]
    points = model.geometry.evaluate(scene.parameters.geometry)[0].astype(np.float64)
    reflectance = model.reflectance.evaluate(scene.parameters.reflectance)[0]
    normals = meshes.vertex_normals(points, model.triangles) @ transform[:3, :3].T
    eye = points @ transform[:3, :3].T + transform[:3, 3]
    triangle, weights, depth = meshes.cast(eye, model.triangles, K.astype(np.float64), size)
    corners = model.triangles[triangle]

    def over(values):
        return np.einsum("hwk,hwkc->hwc", weights, values[corners])

    normal = over(normals)
    normal /= np.maximum(np.linalg.norm(normal, axis=-1, keepdims=True), 1e-9)
    albedo = np.clip(over(reflectance), 0, 1)
    colour = np.clip(albedo * irradiance(normal, scene.parameters.illumination[0]), 0, 1)
    return {
        "image": 255 * colour,
        "mask": 255 * (triangle >= 0),
        "depth": depth,
        "normal": 127.5 * (normal + 1),
        "albedo": 255 * albedo,
        "segmentation": model.triangle_segments[triangle] * (triangle >= 0),
        "pncc": 255 * over(model.normalised_mean),
    }


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_every_layer_is_what_rays_through_the_pixels_meet(open_renderer, seed):
    size = 64
    model = synthetic.model(rows=12, columns=16)
    scene = synthetic.scene(model, 1, size, seed)
    found = render(open_renderer(model, size, RENDERED_LAYERS), scene)
    expected = by_rays(model, scene, size)
    both = (found["mask"][0] > 0) & (expected["mask"] > 0)
    assert both.sum() > 500
    assert np.count_nonzero(found["mask"][0] != expected["mask"]) <= 3
    assert abs(found["depth"][0] - expected["depth"])[both].max() < 0.05
    assert np.mean(found["segmentation"][0][both] != expected["segmentation"][both]) < 0.005
    for name in ("image", "normal", "albedo", "pncc"):
        assert abs(found[name][0] - expected[name])[both].max() < 1.01, name


def test_masked_pixels_are_those_with_depth_segmentation_and_everything_else(
    open_renderer, ellipsoid
):
    scene = synthetic.scene(ellipsoid, 4, 64)
    found = render(open_renderer(ellipsoid, 64, RENDERED_LAYERS), scene)
    empty = found["mask"] == 0
    assert 0.1 < empty.mean() < 0.9
    assert set(np.unique(found["mask"])) == {0, 255}
    np.testing.assert_array_equal(found["depth"] == 0, empty)
    np.testing.assert_array_equal(found["segmentation"] == 0, empty)
    for name in ("image", "normal", "albedo", "pncc"):
        assert not found[name][empty].any(), name


def test_more_or_fewer_faces_do_not_change_a_pixel(open_renderer, ellipsoid):
    scene = synthetic.scene(ellipsoid, 20, 48)
    renderer = open_renderer(ellipsoid, 48, RENDERED_LAYERS)
    whole = render(renderer, scene)
    for count in (1, 5, 17, 20):
        some = render(renderer, meshes.part(scene, slice(0, count)))
        for name, array in whole.items():
            np.testing.assert_array_equal(some[name], array[:count], err_msg=name)


def test_a_face_looks_the_same_in_any_place(open_renderer, ellipsoid):
    """But for rounding: a face's place in the device's memory has a say in the last bits."""
    scene = synthetic.scene(ellipsoid, 20, 48)
    renderer = open_renderer(ellipsoid, 48, RENDERED_LAYERS)
    whole = render(renderer, scene)
    order = np.roll(np.arange(20)[::-1], 3)
    some = render(renderer, meshes.part(scene, order))
    np.testing.assert_allclose(some.pop("depth"), whole.pop("depth")[order], atol=0.05)
    for name, array in whole.items():
        if array.dtype == np.float32:
            assert np.mean(np.abs(some[name] - array[order]) > 5e-3) < 1e-3, name
            continue
        off = abs(some[name].astype(int) - array[order])
        assert np.mean(off > 0) < 1e-3, name
        assert name.startswith("segmentation") or off.max() <= 1, name


def test_a_face_larger_than_its_image_stays_in_it(open_renderer, ellipsoid):
    """Every other face is over all edges of its image; the ones between do not see it."""
    scene = synthetic.scene(ellipsoid, 6, 48)
    renderer = open_renderer(ellipsoid, 48, RENDERED_LAYERS)
    alone = render(renderer, scene)
    scene.cameras.K[::2, :2, :2] *= 3
    large = render(renderer, scene)
    for name, array in alone.items():
        np.testing.assert_array_equal(large[name][1::2], array[1::2], err_msg=name)
    assert large["mask"][::2].all()


@pytest.mark.parametrize("size", SIZES)
def test_any_size_frames_the_same_face(open_renderer, ellipsoid, size):
    scene = synthetic.scene(ellipsoid, 1, size)
    renderer = open_renderer(ellipsoid, size)
    assert renderer.batch >= 1
    found = render(renderer, scene)
    assert found["image"].shape == (1, size, size, 3)
    assert found["mask"].mean() / 255 == pytest.approx(0.245, abs=0.02)


def test_a_larger_image_is_the_same_image(open_renderer, ellipsoid):
    small, large = (
        render(open_renderer(ellipsoid, size), synthetic.scene(ellipsoid, 1, size))["image"][0]
        for size in (64, 256)
    )
    shrunk = large.reshape(64, 4, 64, 4, 3).mean(axis=(1, 3))
    assert np.median(abs(shrunk - small)) <= 1


def test_projection_of_a_vertex_is_where_its_triangle_meets(open_renderer):
    """Sub-pixel: corner weights are drawn as colours, and extrapolated to where one is 1."""
    size, K = 64, meshes.camera_matrix(64, 300, (20, 37))
    points = np.float32([[-40, -90, 30], [95, -20, -40], [10, 70, 10]])
    model = meshes.bare(points, [[0, 1, 2]], np.eye(3))
    scene = meshes.look(model, K, (0.2, -0.3, 0.5))
    found = render(open_renderer(model, size, ["albedo", "depth"]), scene)
    inside = found["mask"][0] > 0
    row, column = np.nonzero(inside)
    depth = found["depth"][0][inside]
    eye = (
        np.stack([(column + 0.5 - 20) / 300, (37 - row - 0.5) / 300, -1 + 0 * row], 1)
        * depth[:, None]
    )
    weights = found["albedo"][0][inside] / 255
    corners = np.linalg.lstsq(weights, eye, rcond=None)[0].astype(np.float32)
    uv = project(to_camera_space(points[None], scene.cameras.model_to_camera), K[None])[0]
    np.testing.assert_allclose(project(corners[None], K[None])[0], uv, atol=0.05)
