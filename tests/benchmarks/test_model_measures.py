"""The generic model against published sizes, and against landmarks that people marked."""

import importlib.util
import sys
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
PHOTOS = ROOT.parent / "shared" / "photos"


def benchmark(name):
    """A benchmark's module."""
    spec = importlib.util.spec_from_file_location(name, ROOT / "benchmarks" / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def anthropometry():
    return benchmark("anthropometry")


@pytest.fixture(scope="module")
def landmark_bias():
    return benchmark("landmark_bias")


def test_heads_are_of_the_published_sizes(anthropometry, generic):
    draws = np.random.default_rng(1).standard_normal((4000, 128)).astype(np.float32)
    gender = generic.attributes.read("shape", draws)[:, 0]
    doubt = anthropometry.DOUBTFUL * gender.std()
    values, rulers = anthropometry.lengths(generic, draws)
    groups = (gender < -doubt, gender > doubt)
    assert not anthropometry.misses(values, rulers, groups)
    assert anthropometry.misses(1.04 * values, rulers, groups)


def test_a_fit_finds_a_face_that_the_model_has(landmark_bias, generic):
    face = landmark_bias.face_of(generic, "inversefacenet")
    rng = np.random.default_rng(0)
    parameters = np.concatenate([[0.1, 0.2, -0.4, 0.1, 3.0, 1.0], 0.7 * rng.standard_normal(60)])
    seen = landmark_bias.normalised(face.project(parameters))
    left = 100 * np.linalg.norm(landmark_bias.residuals(face, seen), axis=1)
    assert left.mean() < 0.7
    seen[30] += [0.1, 0.0]
    assert 100 * np.linalg.norm(landmark_bias.residuals(face, seen), axis=1)[30] > 1


@pytest.mark.skipif(not PHOTOS.is_dir(), reason="shared/photos is not there")
def test_landmarks_are_where_people_mark_them(landmark_bias, monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["landmark_bias.py", str(PHOTOS)])
    landmark_bias.main()
    words = capsys.readouterr().out.splitlines()[-1].split()
    assert words[:2] == ["NME", "68:"]
    assert float(words[2]) < 3.3
    assert float(words[5]) < 3.0
