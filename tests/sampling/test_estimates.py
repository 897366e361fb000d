"""estimates.h5: written whole, read whole, and nothing believed before it is checked."""

import json

import h5py
import numpy as np
import pytest
from refusals import refusal

from facegen.errors import FacegenError
from facegen.sampling import estimates
from facegen.sampling.estimates import Estimates, EstimatesError, Origin
from facegen.scene.parameters import layout_of

LAYOUT = layout_of(2, 1, 2)
WIDTH = LAYOUT.width
NAMES = tuple((group.name, group.width) for group in LAYOUT.groups)
THETA = np.arange(3 * WIDTH, dtype=np.float32).reshape(3, WIDTH)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "real.h5"


def refused(path):
    return refusal(path, estimates.read, EstimatesError)


def test_all_that_is_written_is_read(path):
    origin = Origin(NAMES, "generic", "ab" * 32, "net.pt")
    estimates.write(path, Estimates(THETA, ("a", "ü", "c/d.jpg"), np.array([1, 0, 0.5]), origin))
    back = estimates.read(path)
    assert np.array_equal(back.theta, THETA)
    assert back.keys == ("a", "ü", "c/d.jpg")
    assert back.confidence.tolist() == [1, 0, 0.5]
    assert back.origin == origin
    assert back.sd is back.box is back.landmarks is back.K is back.model_to_camera is None
    assert estimates.check_layout(back, LAYOUT, "ab" * 32) == []


def test_places_in_photographs_are_read(path):
    draws = np.random.default_rng(0)
    shapes = {
        "sd": (35,),
        "box": (4,),
        "landmarks": (68, 2),
        "K": (3, 3),
        "model_to_camera": (4, 4),
    }
    places = {name: draws.normal(size=(3, *shape)) for name, shape in shapes.items()}
    estimates.write(path, Estimates(THETA, **places))
    back = estimates.read(path)
    for name, values in places.items():
        np.testing.assert_allclose(getattr(back, name), values, rtol=1e-6)


def test_theta_alone_is_enough_and_what_is_assumed_is_noted(path):
    with h5py.File(path, "w") as file:
        file["theta"] = THETA.astype(np.float64)
    back = estimates.read(path)
    assert back.theta.dtype == np.float32
    notes = estimates.check_layout(back, LAYOUT, "00")
    assert len(notes) == 2
    assert "rotation 3, shape 2" in notes[0]


@pytest.mark.parametrize(
    ("theta", "message"),
    [
        (np.zeros(5), "not (N, m)"),
        (np.zeros((0, 5)), "not (N, m)"),
        (np.array([[b"x"]]), "holds"),
        (np.where(np.arange(20).reshape(4, 5) == 13, np.nan, 0), "row 2, column 3"),
        (np.where(np.arange(20).reshape(4, 5) == 4, -np.inf, 0), "row 0, column 4"),
        (np.full((1, 5), 1e300), "infinite"),
    ],
)
@pytest.mark.filterwarnings("ignore:overflow")
def test_bad_theta_is_refused_by_row_and_column(path, theta, message):
    with h5py.File(path, "w") as file:
        file["theta"] = theta
    assert message in refused(path)


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("key", np.arange(3), "/key holds"),
        ("key", ["a", "b"], "/key has 2 rows"),
        ("confidence", np.ones(4), "/confidence is (4,)"),
        ("confidence", np.array([1, -1, 1.0]), "below zero in row 1"),
        ("confidence", np.zeros(3), "zero everywhere"),
        ("confidence", np.array([1, np.nan, 1]), "row 1"),
        ("sd", np.ones((3, 4)), "/sd is (3, 4), not (3, 35)"),
        ("landmarks", np.ones((2, 68, 2)), "/landmarks is (2, 68, 2)"),
        ("K", np.full((3, 3, 3), np.inf), "/K holds"),
    ],
)
def test_bad_company_is_refused(path, name, value, message):
    with h5py.File(path, "w") as file:
        file["theta"] = THETA
        file[name] = value
    assert message in refused(path)


def test_links_out_of_the_file_are_not_followed(path, tmp_path):
    with h5py.File(tmp_path / "other.h5", "w") as other:
        other["theta"] = THETA
    for link in (h5py.ExternalLink("other.h5", "/theta"), h5py.SoftLink("/elsewhere")):
        with h5py.File(path, "w") as file:
            file["theta"] = link
        assert "no array of the file itself" in refused(path)


def test_references_and_outside_storage_are_not_followed(path, tmp_path):
    with h5py.File(path, "w") as file:
        file["there"] = THETA
        file.create_dataset("theta", data=[file["there"].ref], dtype=h5py.ref_dtype)
    assert "holds" in refused(path)
    (tmp_path / "raw").write_bytes(THETA.tobytes())
    with h5py.File(path, "w") as file:
        external = [(str(tmp_path / "raw"), 0, THETA.nbytes)]
        file.create_dataset("theta", THETA.shape, np.float32, external=external)
    assert "no array of the file itself" in refused(path)


def test_foreign_truncated_and_absent_files_are_refused(path):
    assert "No such file" in refused(path)
    path.write_bytes(b"")
    assert "not an HDF5 file" in refused(path)
    path.write_text("theta")
    assert "not an HDF5 file" in refused(path)
    estimates.write(path, Estimates(THETA))
    path.write_bytes(path.read_bytes()[:700])
    assert "damaged" in refused(path)
    with h5py.File(path, "w") as file:
        file["other"] = 1
    assert "/theta is missing" in refused(path)


@pytest.mark.parametrize("layout", ["{", "[1]", '[["a"]]', json.dumps([["a", "b"]]), "[" * 9999])
def test_a_layout_that_is_none_is_refused(path, layout):
    with h5py.File(path, "w") as file:
        file["theta"] = THETA
        file.attrs["layout"] = layout
    assert "layout" in refused(path)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (Estimates(THETA, origin=Origin((("rotation", 3), ("shape", WIDTH - 3)))), "layout is"),
        (Estimates(THETA[:, 1:]), f"{WIDTH - 1} columns"),
        (Estimates(THETA, origin=Origin(NAMES, "generic", "cd")), "another model"),
    ],
)
def test_another_layout_or_model_is_refused(given, message):
    with pytest.raises(FacegenError, match=message):
        estimates.check_layout(given, LAYOUT, "ab")


def test_a_file_that_cannot_be_written_leaves_nothing(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(EstimatesError):
        estimates.write(tmp_path / "file" / "real.h5", Estimates(THETA))
    assert [p.name for p in tmp_path.iterdir()] == ["file"]
