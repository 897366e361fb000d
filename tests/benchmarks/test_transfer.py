"""The measure of transfer: its errors, intervals and crops, and that it goes on where it was."""

import io
import json
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

pytest.importorskip("torch")

BENCHMARKS = Path(__file__).resolve().parents[2] / "benchmarks"
TRUTH = np.random.default_rng(0).uniform(20, 80, (5, 68, 2))


@pytest.fixture(scope="module", autouse=True)
def _benchmarks():
    """The benchmark's own modules, found as when it is run."""
    sys.path.insert(0, str(BENCHMARKS))
    yield
    sys.path.remove(str(BENCHMARKS))


def test_the_truth_has_no_error_and_a_shifted_one_its_shift():
    from facegen.learning.metrics import nme

    assert (nme(TRUTH, TRUTH) == 0).all()
    unit = np.linalg.norm(TRUTH[:, 36] - TRUTH[:, 45], axis=1)
    np.testing.assert_allclose(nme(np.add(TRUTH, [3, 4]), TRUTH), np.tile(500 / unit, (2, 1)).T)
    moved = TRUTH.copy()
    moved[:, :17] += [3, 4]
    np.testing.assert_allclose(nme(moved, TRUTH)[:, 0], 500 / unit * 17 / 68)
    assert (nme(moved, TRUTH)[:, 1] == 0).all()


def test_an_alignment_undoes_a_similarity_and_no_reflection():
    from facegen.learning.metrics import aligned

    turn = 1.7 * np.array([[np.cos(1), -np.sin(1)], [np.sin(1), np.cos(1)]])
    np.testing.assert_allclose(aligned(TRUTH @ turn.T + [5, -9], TRUTH), TRUTH, atol=1e-9)
    assert np.abs(aligned(TRUTH * [-1, 1], TRUTH) - TRUTH).max() > 10


def test_a_paired_interval_sees_what_an_unpaired_one_would_not():
    from transfer_parts.errors import difference, interval

    rng = np.random.default_rng(1)
    faces = rng.normal(10, 5, 400)
    better = faces - 0.5 + rng.normal(0, 0.2, 400)
    paired = difference(better, faces)
    assert paired.low < -0.5 < paired.high < -0.4
    standard = np.std(better - faces) / np.sqrt(400)
    assert paired.high - paired.low == pytest.approx(2 * 1.96 * standard, rel=0.05)
    assert interval(faces).low < paired.mean + 10 < interval(faces).high
    assert interval(np.full(5, 2.0)) == difference(np.full(5, 3.0), np.ones(5))


def photograph(marked):
    """A picture of 200 x 160 pixels with a white square of 9 around each of a few landmarks."""
    from transfer_parts.photographs import Photograph

    pixels = np.zeros((160, 200, 3), np.uint8)
    for u, v in marked[[0, 16, 8]].astype(int):
        pixels[v - 4 : v + 5, u - 4 : u + 5] = 255
    data = io.BytesIO()
    Image.fromarray(pixels).save(data, "PNG")
    return Photograph("a.png", data.getvalue(), marked.astype(np.float32))


@pytest.mark.parametrize("number", range(5))
def test_a_crop_puts_the_landmarks_where_it_says(number):
    from transfer_parts.photographs import CROPS, crop

    from facegen.learning.frames import Framing

    marked = np.tile([100.5, 80.5], (68, 1))
    marked[[0, 16, 8]] = [[70.5, 60.5], [130.5, 60.5], [100.5, 100.5]]
    crops = crop([photograph(marked)], Framing(96, 1.5, 0.0), number)
    right, down, size = CROPS[number]
    side = 60 * 1.5 * size
    np.testing.assert_allclose(
        crops.marked[0, 8], [0.5 - right, (20 / side + 0.5) - down], atol=1e-5
    )
    light = crops.images[0, :, :, 0].astype(float)
    light[:48] = 0
    v, u = (np.mgrid[:96, :96] + 0.5) / 96
    centre = [(light * u).sum() / light.sum(), (light * v).sum() / light.sum()]
    np.testing.assert_allclose(crops.marked[0, 8], centre, atol=0.01)


def test_theta_projects_to_the_landmarks_of_its_rendering():
    import facegen
    from facegen.learning.metrics import aligned, nme
    from facegen.learning.seen import SeenLandmarks

    recipe = facegen.load_recipe("inversefacenet").with_changes({"image": {"size": 64}})
    geometry = SeenLandmarks(recipe)
    samples = facegen.sample(recipe, geometry.model, range(3), seed=5)
    seen = facegen.render(samples, geometry.model, ["landmarks2d"], "cpu").layers["landmarks2d"][
        ..., :2
    ]
    np.testing.assert_allclose(geometry.seen(samples.theta, samples.cameras), seen, atol=1e-2)
    again = aligned(geometry.landmarks(samples.theta), seen)
    assert nme(again, seen).max() < 0.05


def test_rows_that_cannot_be_made_are_told_in_one_line():
    from transfer_parts.rows import PLAIN, chosen, usable

    told = []
    absent = replace(PLAIN, name="absent", recipe="there-is-none")
    lacking = replace(PLAIN, name="lacking", plain=("hats",))
    assert usable([PLAIN, absent, lacking], told.append) == [PLAIN]
    assert len(told) == 2
    assert "hats" in told[1]
    assert not any("\n" in line for line in told)
    assert chosen("inversefacenet") == [PLAIN]
    plain = replace(PLAIN, plain=("crop",), changes={"crop": {"shift": {
        "distribution": "constant", "value": 0}}})  # fmt: skip
    assert plain.stated.camera.shift.sd == 0


@pytest.fixture
def photographs(tmp_path):
    """A folder of three marked photographs."""
    folder = tmp_path / "photographs"
    folder.mkdir()
    marks = {}
    for number in range(3):
        name = f"{number}.png"
        marked = np.random.default_rng(number).uniform(40, 120, (68, 2))
        (folder / name).write_bytes(photograph(marked).data)
        marks[name] = marked.tolist()
    (folder / "landmarks.json").write_text(json.dumps(marks))
    return folder


def test_a_row_is_rendered_trained_measured_and_not_done_again(photographs, tmp_path, monkeypatch):
    import transfer
    from transfer_parts import report, trial
    from transfer_parts.rows import PLAIN

    def here(missing, task, jobs):
        return ((name, trial.perform(row, seed, task)) for name, (row, seed) in missing.items())

    monkeypatch.setattr(transfer, "performed", here)
    task = trial.Task(photographs, tmp_path / "work", 0.01, trained=20, held_out=6)
    small = replace(PLAIN, size=32)
    rows = [small, replace(small, name="the same")]
    results = transfer.measured(rows, 2, task, 1)
    assert [(result.row, result.seed) for result in results] == [
        (row.name, seed) for row in rows for seed in range(2)
    ]
    text = report.tables(results)
    assert text.count("| inversefacenet | 2 |") == 4
    assert "+0.00 [+0.00, +0.00]" in text
    transfer.draw(rows[:1], results, task, tmp_path / "sheet.png")
    with Image.open(tmp_path / "sheet-inversefacenet.png") as image:
        assert image.width == 3 * 224
    monkeypatch.setattr(transfer, "performed", lambda missing, task, jobs: iter(missing))
    assert transfer.measured(rows, 2, task, 1) == results
