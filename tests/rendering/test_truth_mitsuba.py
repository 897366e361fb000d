"""The image of a diffuse ellipsoid under an environment, against Mitsuba 3's."""

import meshes
import mitsuba
import numpy as np
import pytest
import synthetic
from harmonics import harmonics

from facegen.rendering.contract import RenderSettings
from facegen.rendering.devices import open_renderer

mitsuba.set_variant("scalar_rgb")
SIZE, FOCAL, DISTANCE = 64, 220.0, 800.0
REFLECTANCE = (0.75, 0.6, 0.5)
ROTATION = (0.3, -0.4, 0.2)


def light():
    """Nine coefficients by channel: bright, uneven, and nowhere below zero."""
    coefficients = np.random.default_rng(12).uniform(-0.12, 0.12, (9, 3))
    coefficients[0] = 1.1, 1.2, 1.3
    return coefficients


def radiance(directions):
    """pi times the expansion (…, 3): then reflectance / pi times irradiance is facegen's colour."""
    return np.pi * harmonics(directions.reshape(-1, 3)) @ light()


def environment(height=128):
    """The radiance as Mitsuba's map: from +y down to -y, and around from -z over +x."""
    polar = np.pi * (np.arange(height) + 0.5) / height
    azimuth = 2 * np.pi * (np.arange(2 * height) + 0.5) / (2 * height)
    polar, azimuth = np.meshgrid(polar, azimuth, indexing="ij")
    x, y, z = np.sin(polar) * np.sin(azimuth), np.cos(polar), -np.sin(polar) * np.cos(azimuth)
    values = radiance(np.stack([x, y, z], axis=-1)).reshape(height, 2 * height, 3)
    assert values.min() > 0
    return mitsuba.Bitmap(values.astype(np.float32))


def mesh_file(path, points, normals, triangles):
    """The mesh as a Wavefront file, a normal at each vertex."""
    lines = [f"v {x:.9g} {y:.9g} {z:.9g}" for x, y, z in points]
    lines += [f"vn {x:.9g} {y:.9g} {z:.9g}" for x, y, z in normals]
    lines += [f"f {a}//{a} {b}//{b} {c}//{c}" for a, b, c in np.asarray(triangles) + 1]
    path.write_text("\n".join(lines) + "\n")
    return str(path)


def mitsubas(mesh):
    """Mitsuba's image (S, S, 3), linear and not clipped."""
    camera = mitsuba.ScalarTransform4f().look_at(origin=[0, 0, 0], target=[0, 0, -1], up=[0, 1, 0])
    diffuse = {"type": "diffuse", "reflectance": {"type": "rgb", "value": list(REFLECTANCE)}}
    scene = {
        "type": "scene",
        "integrator": {"type": "direct", "emitter_samples": 1, "bsdf_samples": 1},
        "sensor": {
            "type": "perspective",
            "fov": float(np.degrees(2 * np.arctan(SIZE / 2 / FOCAL))),
            "to_world": camera,
            "film": {
                "type": "hdrfilm",
                "width": SIZE,
                "height": SIZE,
                "rfilter": {"type": "box"},
                "component_format": "float32",
            },
            "sampler": {"type": "multijitter", "sample_count": 1024},
        },
        "light": {"type": "envmap", "bitmap": environment()},
        "face": {"type": "obj", "filename": mesh, "bsdf": {"type": "twosided", "inner": diffuse}},
    }
    return np.array(mitsuba.render(mitsuba.load_dict(scene), seed=1))[..., :3]


@pytest.fixture(scope="module")
def face():
    """The model, and the scene that looks at it."""
    points, triangles = synthetic.ellipsoid(96, 128)
    model = meshes.bare(points, triangles, np.tile(np.float32(REFLECTANCE), (len(points), 1)))
    look = meshes.look(model, meshes.camera_matrix(SIZE, FOCAL), ROTATION, DISTANCE, light())
    return model, look


@pytest.fixture(scope="module")
def truth(face, tmp_path_factory):
    """Mitsuba's image of it."""
    model, scene = face
    transform = scene.cameras.model_to_camera[0].astype(np.float64)
    points = model.mean_face @ transform[:3, :3].T + transform[:3, 3]
    normals = meshes.vertex_normals(model.mean_face.astype(np.float64), model.triangles)
    path = tmp_path_factory.mktemp("mitsuba") / "face.obj"
    return mitsubas(mesh_file(path, points, normals @ transform[:3, :3].T, model.triangles))


@pytest.fixture(scope="module", params=["cpu", "egl"])
def images(request, face, truth):
    """facegen's image in [0, 1] and its mask, and Mitsuba's image."""
    model, scene = face
    if request.param == "egl":
        request.getfixturevalue("egl")
    renderer = open_renderer(request.param, model, RenderSettings(SIZE))
    rendered = meshes.copied(renderer.render(scene))
    renderer.close()
    return rendered["image"][0] / 255, rendered["mask"][0] > 0, truth


def eroded(mask):
    """The mask without its edge, two pixels deep."""
    shifts = [(i, j) for i in range(-2, 3) for j in range(-2, 3)]
    return np.logical_and.reduce([np.roll(mask, shift, (0, 1)) for shift in shifts])


def test_mitsubas_background_is_the_environment_where_it_should_be(images):
    _, mask, truth = images
    grid = (np.arange(SIZE) + 0.5 - SIZE / 2) / FOCAL
    u, v = np.meshgrid(grid, grid)
    rays = np.stack([u, -v, -np.ones_like(u)], axis=-1)
    rays /= np.linalg.norm(rays, axis=-1, keepdims=True)
    outside = eroded(~mask)
    expected = radiance(rays).reshape(truth.shape)[outside]
    np.testing.assert_allclose(truth[outside], expected, rtol=0.01)


def test_facegens_image_is_mitsubas_within_one_percent(images):
    image, mask, truth = images
    inside = eroded(mask)
    assert inside.sum() > 500
    assert 0.2 < image[inside].min() < image[inside].max() < 1
    off = abs(image - truth)[inside] / truth[inside]
    assert off.mean() < 0.01
    assert abs(image[inside].mean(axis=0) / truth[inside].mean(axis=0) - 1).max() < 0.003


def test_the_comparison_tells_other_light_apart(images):
    image, mask, truth = images
    inside = eroded(mask)
    assert abs(image[inside] / truth[inside][:, ::-1] - 1).mean() > 0.05
