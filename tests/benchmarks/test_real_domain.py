"""The "real" domain keeps facegen's conventions and is a pure function of (seed, index)."""

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from specs import read_tar

from facegen.errors import DatasetError
from facegen.learning.training_set import open_training_set
from facegen.rendering.contract import RenderSettings, Scene
from facegen.rendering.cpu.renderer import CpuRenderer
from facegen.scene.cameras import Cameras

pytest.importorskip("mitsuba")

SIZE, SAMPLES = 48, 4
COUNTS = {"train": 2, "test": 1}
BENCHMARKS = Path(__file__).resolve().parents[2] / "benchmarks"


@pytest.fixture(scope="module")
def real_domain():
    """The benchmark's own module, found as when it is run."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(BENCHMARKS))
        import real_domain

        yield real_domain
    for name in [name for name in sys.modules if name.startswith("real_domain")]:
        del sys.modules[name]


@pytest.fixture(scope="module")
def parts(real_domain):
    """Its module that makes photographs."""
    from real_domain_parts import photographer

    return photographer


@pytest.fixture(scope="module")
def task(real_domain, generic, tmp_path_factory):
    out = tmp_path_factory.mktemp("real-domain")
    return real_domain.Task(3, SIZE, SAMPLES, generic.sha256, out)


@pytest.fixture(scope="module")
def made(real_domain, task):
    """A small data set, made by the command: its task and reports."""
    counts = [text for split, count in COUNTS.items() for text in (f"--{split}", str(count))]
    settings = ["--size", str(SIZE), "--spp", str(SAMPLES), "--seed", "3", "--workers", "1"]
    script = str(BENCHMARKS / "real_domain.py")
    subprocess.run([sys.executable, script, *counts, *settings, "--out", str(task.out)], check=True)
    return task, real_domain.generate(task, COUNTS, workers=1)


@pytest.fixture(scope="module")
def photographer(parts, task):
    return parts.Photographer(task)


@pytest.fixture(scope="module")
def photographs(photographer):
    return [photographer.photograph(index) for index in range(6)]


@pytest.fixture(scope="module")
def rendered(generic, photographs):
    """facegen's own frames of the labels alone."""
    theta = np.stack([photograph.theta for photograph in photographs])
    labels = [photograph.label for photograph in photographs]
    cameras = Cameras(
        np.stack([label.model_to_camera for label in labels]), np.stack([x.K for x in labels])
    )
    renderer = CpuRenderer(generic, RenderSettings(SIZE))
    yield renderer.render(Scene(generic.layout.unpack(theta), cameras))
    renderer.close()


def test_masks_are_those_of_facegen(photographs, rendered):
    for photograph, mask in zip(photographs, rendered.mask > 0, strict=True):
        both, either = mask & photograph.mask, mask | photograph.mask
        assert both.sum() / either.sum() > 0.98


def test_illumination_in_theta_explains_the_photograph(photographs, rendered):
    """Far better than flat light would; shadows, highlights and noise remain."""
    for photograph, image in zip(photographs, rendered.images, strict=True):
        difference = np.abs(image.astype(float) - photograph.pixels)[photograph.mask]
        assert difference.mean() < 20


@pytest.mark.parametrize(("azimuth", "elevation", "row"), [(70, 0, 3), (0, 60, 1)])
@pytest.mark.parametrize("near", [False, True])
def test_light_comes_from_where_it_is(parts, photographer, azimuth, elevation, row, near):
    """From the image's right, or from above: theta's coefficient of x, or of y, is positive."""
    lights, render, rng = parts.lights, parts.render, np.random.default_rng(0)
    towards = lights.direction(azimuth, elevation)
    far = 0.2 + (lights.directions() @ towards > 0.9)[..., None] * np.full(3, 0.0 if near else 5.0)
    lamp = lights.Lamp(1000 * towards, 200.0, np.full(3, 20.0))
    lighting = lights.Lighting(far, (lamp,) if near else ())
    subject = parts.subjects.draw_subject(photographer.model, photographer.task.recipe, rng, rng)
    take = photographer.tracer.take(subject, lighting, render.draw_skin(rng), rng)
    light = parts.light_label.fit_illumination(np.clip(take.radiance, 0, 1), take)
    assert (light[row] > 0.05).all()


def test_no_face_is_black_or_burnt_out(photographs):
    for photograph in photographs:
        assert 50 < np.median(photograph.pixels[photograph.mask]) < 220


def test_photograph_depends_on_its_index_alone(photographer, photographs):
    assert photographer.photograph(4).members() == photographs[4].members()


def test_other_index_and_other_seed_are_other_identities(parts, photographs, task):
    theta = [photograph.theta for photograph in photographs]
    other = parts.Photographer(replace(task, seed=4)).photograph(0).theta
    assert len({row[3:131].tobytes() for row in [*theta, other]}) == len(theta) + 1


def test_expression_is_sparse_and_the_mouth_mostly_closed(parts):
    subjects = parts.subjects
    draws = np.stack([subjects.draw_expression(np.random.default_rng(i), 64) for i in range(2000)])
    assert (np.abs(draws) <= subjects.EXPRESSION_LIMIT).all()
    assert np.mean(np.abs(draws[:, 2:]) < 2) > 0.8
    assert 0.6 < np.mean(draws[:, 0] < -2.5) < 0.85


def test_shards_are_facegens(real_domain, made, photographer):
    task, reports = made
    assert [report.name for report in reports] == ["train-000000", "test-000000"]
    samples = read_tar(task.out / "train-000000.tar")
    assert list(samples) == ["0000000000", "0000000001"]
    assert set(samples["0000000000"]) == {"jpg", "json", "mask.png", "theta.npy"}
    assert set(samples["0000000000"]["json"]) >= {"index", "K", "identity"}
    expected = photographer.photograph(1).theta
    np.testing.assert_array_equal(samples["0000000001"]["theta.npy"], expected)
    assert open_training_set([task.out]).image.size == SIZE


def test_finished_shards_are_not_made_again(real_domain, made):
    task, reports = made
    before = (task.out / "train-000000.tar").stat().st_mtime_ns
    assert real_domain.generate(task, COUNTS, workers=1) == reports
    assert (task.out / "train-000000.tar").stat().st_mtime_ns == before


def test_shards_of_other_settings_are_refused(real_domain, made):
    other = replace(made[0], seed=9)
    with pytest.raises(DatasetError, match="made with other settings"):
        real_domain.generate(other, COUNTS, workers=1)
