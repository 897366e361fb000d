"""Estimates of pictures, their framing, and the poster's errors; and the commands."""

import json
import subprocess
import sys

import numpy as np
import pytest
from click.testing import CliRunner
from jobs import InProcess, folder, job_of, samples_of
from PIL import Image

from facegen import estimates
from facegen.cli import OneLine
from facegen.errors import FacegenError, UsageError
from facegen.generate import generate
from facegen.geometry import project, to_camera
from facegen.learning import commands, estimate, evaluate, metrics, pictures
from facegen.learning.corpus import open_corpus
from facegen.learning.estimate import EstimateSettings
from facegen.learning.pictures import Framing
from facegen.renderers import RenderSettings
from facegen.renderers.devices import open_renderer

FRAMING = Framing(32, 1.5, 0.0)


@pytest.fixture(scope="module")
def job(egl, ellipsoid_file, tmp_path_factory):
    """A finished data set of 20 small faces in 2 shards, lossless, with masks."""
    out = tmp_path_factory.mktemp("estimate") / "faces"
    job = job_of(ellipsoid_file, out, shard_size=10, layers="mask")
    generate(job, InProcess(), lambda samples: None)
    return job


@pytest.fixture(scope="module")
def stage(job, ellipsoid):
    renderer = open_renderer("egl", ellipsoid, RenderSettings(64))
    yield evaluate.Stage(ellipsoid, job.layout, renderer)
    renderer.close()


@pytest.fixture
def photographs(tmp_path):
    """A folder of three pictures of different shapes, one level deep."""
    place = tmp_path / "photographs"
    (place / "more").mkdir(parents=True)
    for name, shape in {"a.png": (40, 60), "more/b.png": (32, 32), "c.png": (90, 50)}.items():
        pixels = np.random.default_rng(0).integers(0, 256, (*shape, 3), np.uint8)
        Image.fromarray(pixels).save(place / name)
    return place


def colours(images):
    """An estimator whose theta is the mean colour."""
    return images.mean((1, 2)).astype(np.float32)


def told(truth):
    """An estimator that knows the truth by the picture."""
    known = {sample["png"].tobytes(): sample["theta.npy"] for sample in truth}
    return lambda images: np.stack([known[image.tobytes()] for image in images])


def faces_of(job, batch=8):
    return evaluate.read_faces(open_corpus([folder(job)]), 64, batch)


def test_the_truth_has_no_errors(job, stage):
    found = evaluate.evaluate(told(samples_of(job)), faces_of(job), stage)
    figures = found.to_json()
    errors = {name: figure["mean"] for name, figure in figures["errors"].items()}
    assert figures["images"] == 20
    assert errors.pop("iou") == 100
    assert errors.pop("photometric") < 0.01
    assert all(error < 1e-3 for error in errors.values()), errors
    assert found.picture.shape == (3 * 64, 8 * 64, 3)


def test_a_wrong_estimate_has_the_errors_it_should(job, stage):
    truth = told(samples_of(job))
    part = job.layout.slices

    def off(images):
        theta = truth(images).copy()
        theta[:, part["shape"].start] += 2
        theta[:, 1] += np.radians(6)
        return theta

    found = evaluate.evaluate(off, faces_of(job), stage)
    moved = 2 * np.linalg.norm(stage.model.shape.basis[0].reshape(-1, 3), axis=1).mean()
    np.testing.assert_allclose(found.errors["geometric"], moved, rtol=1e-3)
    assert (found.errors["geometric_aligned"] <= found.errors["geometric"]).all()
    np.testing.assert_allclose(found.errors["rotation"], 6 / np.sqrt(3), rtol=1e-4)
    width = part["shape"].stop - part["shape"].start
    np.testing.assert_allclose(found.errors["shape"], 2 / np.sqrt(width), rtol=1e-5)
    assert (found.errors["iou"] < 100).all()
    assert found.errors["photometric"].mean() > 1


def test_without_masks_they_are_rendered_from_the_truth(job, stage):
    faces = next(faces_of(job))
    bare = evaluate.Faces(faces.images, faces.inputs, faces.theta, faces.cameras, None)
    judged = evaluate.judge(faces.theta, bare, stage)
    np.testing.assert_array_equal(judged.errors["iou"], 100)


def test_alignment_undoes_a_rigid_motion_but_no_scale(ellipsoid):
    points = ellipsoid.mean_face[None]
    angle = np.radians(20)
    turn = np.array(
        [[np.cos(angle), -np.sin(angle), 0], [np.sin(angle), np.cos(angle), 0], [0, 0, 1]]
    )
    moved = (points @ turn + [5, -3, 9]).astype(np.float32)
    assert metrics.vertex_distance(moved, points)[0] > 10
    assert metrics.vertex_distance(metrics.align(moved, points), points)[0] < 1e-3
    assert metrics.vertex_distance(metrics.align(1.1 * points, points), points)[0] > 5
    mirrored = (points * [-1, 1, 1]).astype(np.float32) + points**2 / 500
    turned = metrics.align(mirrored, points) - metrics.align(mirrored, points).mean(1)
    offset = mirrored - mirrored.mean(1)
    rotation = np.linalg.lstsq(offset[0], turned[0], rcond=None)[0]
    assert np.linalg.det(rotation) == pytest.approx(1, abs=1e-3)


def test_masks_that_never_meet_are_the_worst():
    none = np.zeros((1, 4, 4), bool)
    black = np.zeros((1, 4, 4, 3), np.uint8)
    assert metrics.photometric(black, black, none)[0] == pytest.approx(255 * np.sqrt(3))
    assert metrics.overlap(none, ~none)[0] == 0
    assert metrics.overlap(none, none)[0] == 100


def test_pictures_are_found_in_folders_lists_files_and_shards(job, photographs, tmp_path):
    (tmp_path / "list.txt").write_text("# mine\nphotographs/a.png\n\nphotographs/c.png\n")
    find = pictures.find_pictures
    assert [key for key, _ in find([photographs])] == ["a.png", "c.png", "more/b.png"]
    listed = ["photographs/a.png", "photographs/c.png"]
    assert [key for key, _ in find([tmp_path / "list.txt"])] == listed
    assert [key for key, _ in find([photographs / "a.png"])] == ["a.png"]
    shard = folder(job) / "train-000001.tar"
    assert [int(key) for key, _ in find([shard])] == list(range(10, 20))
    with pytest.raises(UsageError, match="second picture"):
        list(find([photographs, photographs / "a.png"]))


def test_estimates_come_in_order_whatever_the_batch(photographs):
    found = [
        estimate.estimate(
            colours, pictures.find_pictures([photographs]), EstimateSettings(FRAMING, batch=batch)
        )[0]
        for batch in (1, 2, 64)
    ]
    assert found[0].keys == ("a.png", "c.png", "more/b.png")
    for other in found[1:]:
        np.testing.assert_array_equal(found[0].theta, other.theta)


def test_a_shards_pictures_reach_the_network_as_they_are(job):
    truth = samples_of(job)
    shards = sorted(folder(job).glob("*.tar"))
    settings = EstimateSettings(Framing(64, 1.45, 0.0))
    found, bad = estimate.estimate(told(truth), pictures.find_pictures(shards), settings)
    assert not bad
    assert [int(key) for key in found.keys] == list(range(20))
    np.testing.assert_array_equal(found.theta, [sample["theta.npy"] for sample in truth])


def test_bad_pictures_are_named_or_skipped(photographs):
    (photographs / "bad.jpg").write_bytes(b"not a picture")
    data = (photographs / "a.png").read_bytes()
    (photographs / "cut.png").write_bytes(data[: len(data) // 2])
    found = pictures.find_pictures
    with pytest.raises(FacegenError, match=r"bad\.jpg: not a picture; .*--skip-bad"):
        estimate.estimate(colours, found([photographs]), EstimateSettings(FRAMING))
    settings = EstimateSettings(FRAMING, skip_bad=True)
    good, bad = estimate.estimate(colours, found([photographs]), settings)
    assert [one.key for one in bad] == ["bad.jpg", "cut.png"]
    assert good.keys == ("a.png", "c.png", "more/b.png")
    with pytest.raises(FacegenError, match="no picture could be read"):
        estimate.estimate(colours, found([photographs / "bad.jpg"]), settings)
    with pytest.raises(FacegenError, match=r"gone\.jpg: No such file"):
        estimate.estimate(colours, found([photographs / "gone.jpg"]), EstimateSettings(FRAMING))


def test_an_estimate_that_is_not_finite_is_an_error(photographs):
    with pytest.raises(FacegenError, match=r"a\.png: .*not finite"):
        estimate.estimate(
            lambda images: np.full((len(images), 3), np.nan, np.float32),
            pictures.find_pictures([photographs]),
            EstimateSettings(FRAMING),
        )


def test_a_crop_is_the_square_around_the_box():
    points = np.array([[10, 20], [30, 25]], np.float32)
    left, top, side = Framing(32, 1.5, 0.1).square(points)
    assert side == pytest.approx(20 * 1.5)
    assert (left + side / 2, top + side / 2) == pytest.approx((20 + 2, 22.5 + 2))


def test_a_larger_photograph_is_cropped_like_the_recipes(job, stage):
    """A face in a picture padded on all sides comes back as it was, by its landmarks."""
    sample = samples_of(job)[0]
    label, theta = sample["json"], sample["theta.npy"][None]
    geometry = job.layout.unpack(theta).geometry
    points = stage.model.landmark_geometry.evaluate(geometry)
    eye = to_camera(points, np.array(label["model_to_camera"], np.float32)[None])
    uv = project(eye, np.array(label["K"], np.float32)[None])[0]
    side = np.ptp(uv, axis=0).max()
    centre = (uv.min(0) + uv.max(0)) / 2
    framing = Framing(64, 64 / side, 0.0)
    left, top, width = framing.square(uv + 20)
    assert width == pytest.approx(64, rel=1e-4)
    assert (left, top) == pytest.approx(tuple(centre - 32 + 20), abs=1e-3)
    padded = Image.fromarray(np.pad(sample["png"], ((20, 20), (20, 20), (0, 0))))
    box = np.array([[20, 20], [84, 84]], np.float32)
    same = pictures.decode(encoded(padded), Framing(64, 1.0, 0.0), box)
    np.testing.assert_array_equal(same, sample["png"])


def encoded(picture):
    from io import BytesIO

    buffer = BytesIO()
    picture.save(buffer, "PNG")
    return buffer.getvalue()


def test_a_crop_past_the_edge_is_black_there():
    white = encoded(Image.new("RGB", (20, 20), "white"))
    cut = pictures.decode(white, Framing(40, 1.0, 0.0), np.array([[-10, -10], [30, 30]]))
    assert cut[:8].max() == 0
    assert cut[12:28, 12:28].min() == 255
    with pytest.raises(FacegenError, match="outside"):
        pictures.decode(white, FRAMING, np.array([[100, 100], [120, 120]]))
    with pytest.raises(FacegenError, match="outside"):
        pictures.decode(white, FRAMING, np.array([[-1e9, -1e9], [1e9, 1e9]]))


def test_landmarks_and_boxes_are_read_from_json_and_csv(tmp_path):
    landmarks = np.random.default_rng(0).uniform(0, 99, (68, 2)).round(3)
    (tmp_path / "a.json").write_text(json.dumps({"a": landmarks.tolist(), "b": [1, 2, 3, 4]}))
    found = pictures.read_points(tmp_path / "a.json")
    np.testing.assert_allclose(found["a"], landmarks, rtol=1e-5)
    assert found["b"].tolist() == [[1, 2], [3, 4]]
    (tmp_path / "b.csv").write_text("key,x0,y0,x1,y1\nmore/b.png,1,2,3,4\n")
    found = pictures.read_points(tmp_path / "b.csv")
    assert pictures.points_of("more/b.png", found).tolist() == [[1, 2], [3, 4]]
    with pytest.raises(FacegenError, match="no landmarks or box"):
        pictures.points_of("c.png", found)


@pytest.mark.parametrize(
    "text",
    ["", "[]", "{}", '{"a": [1, 2, 3]}', '{"a": "x"}', '{"a": [1, 1, 1, 1]}', '{"a": [0,0,NaN,1]}',
     '{"a": [[1, 2], [3]]}', '{"a": {"b": 1}}', "[" * 100_000],
)  # fmt: skip
def test_foreign_landmarks_are_refused_in_one_line(tmp_path, text):
    path = tmp_path / "points.json"
    path.write_text(text)
    with pytest.raises(UsageError, match=r"points\.json") as caught:
        pictures.read_points(path)
    assert "\n" not in str(caught.value)


@pytest.fixture(scope="module")
def program():
    """The three commands as the command line has them."""
    group = OneLine("facegen")
    for command in commands.COMMANDS:
        group.add_command(command)
    return group


def run(program, *words):
    return CliRunner().invoke(program, [str(word) for word in words])


def test_train_estimate_evaluate_from_the_command_line(program, job, tmp_path):
    net, out, picture = (tmp_path / name for name in ("net.pt", "real.h5", "p.png"))
    model = ("--model", job.model.path)
    few = ("--iterations", 2, "--width", 0.125, "--batch", 4, "--every", 1)
    done = run(program, "train", folder(job), "--out", net, *few, *model)
    assert done.exit_code == 0, done.output
    done = run(program, "estimate", net, *sorted(folder(job).glob("*.tar")), "--out", out)
    assert done.exit_code == 0, done.output
    found = estimates.read(out)
    assert len(found) == 20
    assert found.keys[3] == "0000000003"
    assert found.origin.model_sha256 == job.model.sha256
    assert found.origin.source.startswith("net.pt sha256 ")
    assert estimates.check_layout(found, job.layout, job.model.sha256) == []
    done = run(program, "evaluate", net, folder(job), "--json", "--picture", picture, *model)
    assert done.exit_code == 0, done.output
    assert json.loads(done.output)["images"] == 20
    with Image.open(picture) as shown:
        assert shown.size == (8 * 64, 3 * 64)
    done = run(program, "evaluate", net, folder(job), "--count", 3, *model)
    assert "geometric, rigidly aligned [mm]" in done.output


def test_errors_are_one_line(program, tmp_path):
    done = run(program, "estimate", tmp_path / "absent.pt", tmp_path)
    assert done.exit_code == 1
    assert done.output.count("\n") == 1


def test_without_torch_the_extra_is_named(program, monkeypatch, tmp_path):
    monkeypatch.setattr(commands, "find_spec", lambda name: None)
    done = run(program, "train", tmp_path)
    assert done.exit_code == 1
    assert "pip install 'facegen[train]'" in done.output


def test_the_commands_open_without_torch():
    code = "import sys, facegen.learning.commands; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.parametrize("command", commands.COMMANDS, ids=lambda c: c.name)
def test_every_option_says_its_default(command):
    for option in command.params:
        if option.param_type_name == "option" and option.default is None:
            assert option.help, option.name
