"""The CPU renderer against a slow reference, and against what is known of simple scenes."""

from dataclasses import dataclass

import numpy as np
import pytest
import synthetic

from facegen.errors import DeviceError
from facegen.models.morphable_model import LANDMARKS, LinearModel, MorphableModel
from facegen.rendering.contract import RENDERED_LAYERS, RenderSettings, Scene
from facegen.rendering.cpu.memory import EMPTY, mesh_of, work_for
from facegen.rendering.cpu.raster import see
from facegen.rendering.cpu.renderer import CpuRenderer
from facegen.scene.cameras import Cameras, project, to_camera_space
from facegen.scene.lighting import irradiance
from facegen.scene.parameters import Parameters

ALL = frozenset(RENDERED_LAYERS)
FOCAL, DISTANCE = 600.0, 600.0


def rigid(points, triangles, segmentation=None) -> MorphableModel:
    """A model of a grey surface that no coefficient changes."""
    points = np.asarray(points, np.float32)
    still = LinearModel(np.zeros_like(points), np.zeros((1, points.size), np.float32), np.ones(1))
    return MorphableModel(
        name="rigid",
        shape=LinearModel(points, still.basis, still.component_scale),
        expression=still,
        reflectance=LinearModel(np.full_like(points, 0.5), still.basis, still.component_scale),
        triangles=np.asarray(triangles, np.int32),
        landmarks=np.zeros(LANDMARKS, np.int32),
        segmentation=np.ones(len(points), np.uint8)
        if segmentation is None
        else np.asarray(segmentation, np.uint8),
        sha256="0" * 64,
    )


def camera(size: int) -> Cameras:
    """A camera DISTANCE mm before the origin: a millimetre there is a pixel."""
    transform = np.eye(4, dtype=np.float32)[None].copy()
    transform[0, 2, 3] = -DISTANCE
    K = np.array([[[FOCAL, 0, size / 2], [0, FOCAL, size / 2], [0, 0, 1]]], np.float32)
    return Cameras(transform, K)


def look(model: MorphableModel, size: int):
    """One frame of a rigid model under white light from everywhere, with all layers."""
    light = np.zeros((1, 9, 3), np.float32)
    light[:, 0] = 1
    none = np.zeros((1, 1), np.float32)
    parameters = Parameters(np.zeros((1, 3), np.float32), none, none, none, light)
    return CpuRenderer(model, RenderSettings(size, ALL), 1).render(Scene(parameters, camera(size)))


@dataclass
class Reference:
    """What a slow renderer in float64 sees: of each pixel the triangle, weights and distance."""

    triangle: np.ndarray
    weights: np.ndarray
    depth: np.ndarray


def reference(eye: np.ndarray, triangles: np.ndarray, K: np.ndarray, size: int) -> Reference:
    """Every triangle at every pixel around it, without snapping; eye (V, 3) in mm."""
    uv = project(eye[None].astype(np.float64), K[None].astype(np.float64))[0]
    seen = Reference(
        np.full((size, size), -1), np.zeros((size, size, 3)), np.full((size, size), np.inf)
    )
    for index, corners in enumerate(triangles):
        low, high = uv[corners].min(axis=0), uv[corners].max(axis=0) + 1
        (left, top), (right, bottom) = (edge.clip(0, size).astype(int) for edge in (low, high))
        u, v = np.meshgrid(np.arange(left, right) + 0.5, np.arange(top, bottom) + 0.5)
        (x0, y0), (x1, y1), (x2, y2) = uv[corners]
        edges = [
            (x1 - u) * (y2 - v) - (y1 - v) * (x2 - u),
            (x2 - u) * (y0 - v) - (y2 - v) * (x0 - u),
            (x0 - u) * (y1 - v) - (y0 - v) * (x1 - u),
        ]
        weights = np.stack(edges, axis=-1) / sum(edges)[..., None] / -eye[corners, 2]
        depth = 1 / weights.sum(axis=-1)
        here = (slice(top, bottom), slice(left, right))
        nearer = (weights >= 0).all(axis=-1) & (depth < seen.depth[here])
        seen.triangle[here][nearer], seen.depth[here][nearer] = index, depth[nearer]
        seen.weights[here][nearer] = (weights * depth[..., None])[nearer]
    return seen


def vertex_normals(points: np.ndarray, triangles: np.ndarray) -> np.ndarray:
    """Area-weighted unit normals (V, 3) in float64."""
    a, b, c = np.moveaxis(points[triangles].astype(np.float64), 1, 0)
    normals = np.zeros(points.shape)
    for corner in range(3):
        np.add.at(normals, triangles[:, corner], np.cross(b - a, c - a))
    return normals / np.linalg.norm(normals, axis=1, keepdims=True)


def close(ours: np.ndarray, theirs: np.ndarray, where: np.ndarray) -> bool:
    """Whether pixels agree within 2/255 for 99.9 % and within 0.25/255 in the mean."""
    error = np.abs(ours[where].astype(float) - theirs[where].round())
    return (error > 2).mean() < 1e-3 and error.mean() < 0.25


@pytest.mark.parametrize("size", [96, 300])
def test_agrees_with_the_reference(size):
    """Fine meshes go through the queues of small boxes, the same mesh on more pixels does not."""
    model = synthetic.model()
    scene = synthetic.scene(model, 2, size, seed=3)
    frames = CpuRenderer(model, RenderSettings(size, ALL)).render(scene)
    points = model.geometry.evaluate(scene.parameters.geometry)
    eyes = to_camera_space(points, scene.cameras.model_to_camera)
    albedos = model.reflectance.evaluate(np.ascontiguousarray(scene.parameters.reflectance))
    for n, eye in enumerate(eyes):
        seen = reference(eye, model.triangles, scene.cameras.K[n], size)
        covered = seen.triangle >= 0
        mask = frames.mask[n] == 255
        assert covered.sum() > 0.1 * size * size
        assert (covered != mask).mean() < 1e-3

        both = covered & mask
        corners = model.triangles[seen.triangle]

        def at(values, corners=corners, seen=seen):
            return np.einsum("hwk,hwkc->hwc", seen.weights, values[corners])

        normal = at(vertex_normals(eye, model.triangles))
        normal[both] /= np.linalg.norm(normal[both], axis=1, keepdims=True)
        albedo = at(albedos[n])
        colour = albedo * irradiance(normal, scene.parameters.illumination[n])
        error = np.abs(frames.layers["depth"][n] - seen.depth)[both]
        assert (error < 0.1).mean() > 0.999
        assert close(frames.images[n], 255 * colour.clip(0, 1), both)
        assert close(frames.layers["albedo"][n], 255 * albedo.clip(0, 1), both)
        assert close(frames.layers["normal"][n], 255 * (normal + 1) / 2, both)
        assert close(frames.layers["pncc"][n], 255 * at(model.normalised_mean), both)
        same = frames.layers["segmentation"][n] == model.triangle_segments[seen.triangle]
        assert same[both].mean() > 0.99


def test_image_is_albedo_times_irradiance_of_the_normal():
    model = synthetic.model(40, 50)
    scene = synthetic.scene(model, 3, 128)
    frames = CpuRenderer(model, RenderSettings(128, ALL)).render(scene)
    for n in range(3):
        covered = frames.mask[n] == 255
        normal = frames.layers["normal"][n] / 127.5 - 1
        normal /= np.linalg.norm(normal, axis=-1, keepdims=True).clip(1e-9)
        light = irradiance(normal, scene.parameters.illumination[n])
        colour = (frames.layers["albedo"][n] * light).clip(0, 255)
        error = np.abs(frames.images[n] - colour)[covered]
        assert (error <= 2).mean() > 0.999


def test_plane_has_its_depth_normal_and_pixels():
    size = 64
    corners = [[-20, 20, 0], [-20, -20, 0], [20, -20, 0], [20, 20, 0]]
    frames = look(rigid(corners, [[0, 1, 2], [0, 2, 3]]), size)
    covered = np.zeros((size, size), bool)
    covered[12:52, 12:52] = True
    assert ((frames.mask[0] == 255) == covered).all()
    assert np.allclose(frames.layers["depth"][0][covered], DISTANCE, atol=1e-3)
    assert (frames.layers["depth"][0][~covered] == 0).all()
    assert np.abs(frames.layers["normal"][0][covered] - [127.5, 127.5, 255]).max() <= 0.5
    assert np.abs(frames.images[0][covered] - 0.5 * 0.886227 * 255).max() <= 0.5
    for layer in (frames.images, *frames.layers.values()):
        assert (layer[0][~covered] == 0).all()


def test_tilted_plane_is_interpolated_with_perspective():
    size = 64
    corners = np.array([[-60, 60, -200], [-60, -60, 200], [60, -60, 200], [60, 60, -200.0]])
    frames = look(rigid(corners, [[0, 1, 2], [0, 2, 3]]), size)
    v = np.arange(size) + 0.5 - size / 2
    y = -v * DISTANCE / (FOCAL + v * 200 / 60)
    depth = np.broadcast_to((DISTANCE + y * 200 / 60)[:, None], (size, size))
    covered = frames.mask[0] == 255
    assert covered.mean() > 0.9
    assert np.abs(frames.layers["depth"][0] - depth)[covered].max() < 0.05
    height = (255 * (y + 60) / 120)[:, None]
    assert np.abs(frames.layers["pncc"][0, ..., 1] - height)[covered].max() < 1


def test_nearer_of_two_intersecting_triangles_is_seen():
    size = 80
    points = [[-30, -30, -30], [30, -30, 30], [0, 30, 0]]
    points += [[30, -31, -30], [-30, -31, 30], [0, 29, 0]]
    triangles, labels = [[0, 1, 2], [3, 4, 5]], [1, 1, 1, 2, 2, 2]
    frames = look(rigid(points, triangles, labels), size)
    cameras = camera(size)
    eye = to_camera_space(np.array([points], np.float32), cameras.model_to_camera)[0]
    seen = reference(eye, np.array(triangles), cameras.K[0], size)
    assert (frames.layers["segmentation"][0] != seen.triangle + 1).mean() < 0.005
    assert {1, 2} <= set(np.unique(frames.layers["segmentation"]))


def coverage(points: np.ndarray, triangles: np.ndarray, size: int) -> np.ndarray:
    """How many of these triangles cover each pixel, drawn one at a time."""
    cameras, count = camera(size), np.zeros((size, size), int)
    work = work_for(len(points), 1, size)
    flat = points.astype(np.float32).reshape(-1)
    for triangle in triangles:
        mesh = mesh_of(triangle[None], np.ones(1, np.uint8), points, np.empty(0, np.float32))
        see(mesh, flat, cameras.model_to_camera[0], cameras.K[0], np.float32(0), work)
        count += work.keys > EMPTY
    return count


@pytest.mark.parametrize(("cells", "jitter"), [(3, 0.3), (8, 0.3), (40, 0.3), (40, 0), (80, 0.3)])
def test_every_pixel_of_a_split_square_is_covered_once(cells, jitter):
    """Triangles of all sizes; without jitter their corners and edges pass through centres."""
    size, generator = 40, np.random.default_rng(cells)
    line = np.linspace(-20, 20, cells + 1) + 0.5 * (jitter == 0)
    x, y = np.meshgrid(line, line)
    inner = np.zeros(x.shape, bool)
    inner[1:-1, 1:-1] = True
    step = 40 / cells * jitter * inner
    x += step * generator.uniform(-1, 1, x.shape)
    y += step * generator.uniform(-1, 1, x.shape)
    points = np.stack([x, y, np.zeros_like(x)], axis=-1).reshape(-1, 3)
    a = (np.arange(cells)[:, None] * (cells + 1) + np.arange(cells)).reshape(-1)
    b, c, d = a + 1, a + cells + 1, a + cells + 2
    triangles = np.concatenate([np.stack([a, b, d], 1), np.stack([a, d, c], 1)])
    flipped = generator.random(len(triangles)) < 0.5
    triangles[flipped] = triangles[flipped][:, [0, 2, 1]]
    count = coverage(points, triangles, size)
    assert count.max() == 1
    assert (count[1:-1, 1:-1] == 1).all()


def test_both_sides_are_drawn_and_normals_not_turned():
    corners = [[-20, 20, 0], [-20, -20, 0], [20, -20, 0], [20, 20, 0]]
    frames = look(rigid(corners, [[0, 2, 1], [0, 3, 2]]), 64)
    assert (frames.mask[0] == 255).sum() == 1600
    assert (frames.layers["normal"][0, 32, 32] == [128, 128, 0]).all()


@pytest.mark.parametrize(
    "points",
    [
        [[900, 0, 0], [950, 0, 0], [900, 50, 0]],
        [[-900, -900, 0], [-800, -900, 0], [-900, 40, 0]],
        [[0, 0, 700], [10, 0, 700], [0, 10, 700]],
        [[-40, 0, 0], [40, 0, 0], [0, 0, 595]],
        [[1e9, 0, 0], [0, 1e9, 0], [0, 0, 0]],
        [[3, 3, 0], [3, 3, 0], [3, 3, 0]],
        [[-20, -20, 0], [0, 0, 0], [20, 20, 0]],
        [[0.5, 0.5, 0], [0.5, 0.5, 0], [9.5, 9.5, 0]],
        [[0, 0, 600], [0, 0, 600], [0, 0, 600]],
    ],
)
def test_what_cannot_be_seen_is_not_drawn(points):
    """Aside, behind the camera, across its near plane, too far aside, and without an area."""
    frames = look(rigid(points, [[0, 1, 2]]), 48)
    assert not frames.mask.any()
    assert all(not layer.any() for layer in frames.layers.values())


def test_what_reaches_out_of_the_image_is_cut():
    frames = look(rigid([[-9000, -9000, 0], [9000, -9000, 0], [0, 15000, 0]], [[0, 1, 2]]), 48)
    assert (frames.mask == 255).all()
    assert np.allclose(frames.layers["depth"], DISTANCE, atol=0.01)


def test_frames_hold_what_was_asked_for_and_nothing_of_earlier_ones():
    model = synthetic.model()
    renderer = CpuRenderer(model, RenderSettings(50, frozenset({"depth", "mask"})), 3)
    first, other = synthetic.scene(model, 2, 50, seed=1), synthetic.scene(model, 3, 50, seed=2)
    frames = renderer.render(first)
    images, depth = frames.images.copy(), frames.layers["depth"].copy()
    assert images.shape == (2, 50, 50, 3)
    assert frames.mask.shape == depth.shape == (2, 50, 50)
    assert set(frames.layers) == {"image", "depth"}
    assert set(frames.seconds) == {"evaluate", "render"}
    assert len(renderer.render(other)) == 3
    again = renderer.render(first)
    assert (again.images == images).all()
    assert (again.layers["depth"] == depth).all()
    assert renderer.batch == 3
    assert renderer.device.startswith("cpu")
    renderer.close()


def test_sizes_that_cannot_be_drawn_are_refused():
    with pytest.raises(DeviceError, match="5000 pixels"):
        CpuRenderer(synthetic.model(), RenderSettings(5000))
