"""Every foreign format: a tiny file in its exact layout is read as the model it is of."""

from pathlib import Path

import foreign_models as write
import h5py
import numpy as np
import pytest
import scipy.io
import synthetic

from facegen.errors import ModelError
from facegen.models.importers import importing, landmarks
from facegen.models.importers.complete import outward
from facegen.models.importers.surface import signed_volume
from facegen.scene.parameters import WEIGHT

SHARED = Path(__file__).parents[3] / "shared" / "models"
TRUTH = write.truth()

# format -> (writer, file, groups that it holds)
FORMATS = {
    "Basel 2017": (write.basel, "m.h5", "sec"),
    "Basel 2009": (write.basel_2009, "01_MorphableModel.mat", "sc"),
    "Basel 2009 in MATLAB 7.3": (write.basel_2009_as_73, "m.mat", "sc"),
    "face3d": (write.face3d, "BFM.mat", "sec"),
    "Deep3DFaceRecon": (write.deep3d, "BFM_model_front.mat", "sec"),
    "LSFM": (write.lsfm, "all_all_all.mat", "s"),
    "LYHM": (write.lyhm, "LYHM_male.mat", "sc"),
    "FLAME npz": (write.flame_npz, "flame.npz", "se"),
    "GNM": (write.gnm, "gnm_head.npz", "se"),
    "eos JSON": (write.eos, "sfm.json", "sec"),
    "eos HDF5": (write.eos_h5, "sfm.h5", "sec"),
    "ICT-FaceKit": (write.ict, "FaceXModel", "se"),
    "OBJ": (write.obj, "scan.obj", ""),
    "PLY": (write.ply, "scan.ply", ""),
}


def moves(part, count=None):
    """What each mode adds (k, 3 V) at a coefficient of one."""
    columns, sd = (part.basis, part.sd) if hasattr(part, "basis") else part
    return (np.asarray(columns, np.float64) * sd)[:, :count].T


@pytest.fixture(params=FORMATS)
def written(request, tmp_path):
    writer, name, groups = FORMATS[request.param]
    return importing.read(writer(tmp_path / name, TRUTH)), groups


def test_the_mean_is_in_millimetres(written):
    model, _ = written
    np.testing.assert_allclose(model.mean_face, TRUTH.points, atol=1e-3)


def test_triangles_are_numbered_from_zero_and_turned_outward(written):
    model, _ = written
    turned = outward(model)
    np.testing.assert_array_equal(
        np.sort(turned.triangles, axis=1), np.sort(TRUTH.triangles, axis=1)
    )
    assert signed_volume(turned.mean_face, turned.triangles) > 0
    assert turned.triangles.dtype == np.int32


def test_a_coefficient_of_one_adds_one_deviation(written):
    model, groups = written
    assert (model.expression is not None) == ("e" in groups)
    if "s" in groups:
        read = moves(model.shape)[: TRUTH.shape[1].size]
        np.testing.assert_allclose(read, moves(TRUTH.shape), atol=2e-4)
    if "e" in groups:
        np.testing.assert_allclose(moves(model.expression), moves(TRUTH.expression), atol=2e-4)


def test_colours_are_between_zero_and_one(written):
    model, groups = written
    if "c" in groups:
        np.testing.assert_allclose(model.reflectance.mean, TRUTH.colour, atol=1e-6)
        np.testing.assert_allclose(moves(model.reflectance), moves(TRUTH.reflectance), atol=1e-5)
    elif groups:
        assert model.reflectance is None
    else:
        np.testing.assert_allclose(model.reflectance.mean, TRUTH.colour, atol=0.003)


def test_it_says_its_unit_and_its_licence(written):
    model, _ = written
    assert "mm" in model.unit or "times" in model.unit
    assert model.licence
    np.testing.assert_allclose(model.mean_face / model.scale * model.scale, model.mean_face)


@pytest.mark.parametrize("kind", ["face3d", "Deep3DFaceRecon", "ICT-FaceKit"])
def test_landmarks_of_the_file_are_kept(kind, tmp_path):
    writer, name, _ = FORMATS[kind]
    read = importing.read(writer(tmp_path / name, TRUTH)).landmarks
    np.testing.assert_array_equal(read, TRUTH.landmarks)


@pytest.mark.parametrize(
    "variant",
    [
        {"version": (0, 8)},
        {"version": None},
        {"one": True},
        {"cells": np.uint32},
        {"landmarks": "text"},
        {"landmarks": "text", "one": True},
        {"expression": False},
    ],
)
def test_the_variants_of_basel_files_are_the_same_model(variant, tmp_path):
    model = importing.read(write.basel(tmp_path / "m.h5", TRUTH, **variant))
    np.testing.assert_allclose(moves(model.shape), moves(TRUTH.shape), atol=2e-4)
    np.testing.assert_array_equal(model.triangles, TRUTH.triangles)
    assert (model.expression is None) == (variant.get("expression") is False)


@pytest.mark.parametrize("kind", ["json", "text"])
def test_named_landmarks_of_basel_files_are_kept(kind, tmp_path):
    read = importing.read(write.basel(tmp_path / "m.h5", TRUTH, landmarks=kind)).landmarks
    named = [30, 36, 45]
    np.testing.assert_array_equal(read[named], TRUTH.landmarks[named])
    assert (np.delete(read, named) == -1).all()


def test_flame_as_a_pickle_with_chumpy_has_the_jaw_as_its_first_expression(tmp_path):
    model = importing.read(write.flame_pkl(tmp_path / "generic_model.pkl", TRUTH))
    np.testing.assert_allclose(model.mean_face, TRUTH.points, atol=1e-3)
    expressions = moves(model.expression)
    np.testing.assert_allclose(expressions[1:], moves(TRUTH.expression), atol=2e-4)
    jaw = expressions[0].reshape(-1, 3)
    still = TRUTH.points[:, 1] >= -20
    assert (jaw[still] == 0).all()
    # The joint lies on vertex 0; half of a turn by 0.3 radian about x.
    turned = TRUTH.points - TRUTH.points[0]
    y = np.cos(0.3) * turned[:, 1] - np.sin(0.3) * turned[:, 2]
    np.testing.assert_allclose(jaw[~still, 1], (y - turned[:, 1])[~still] / 2, atol=1e-3)
    assert any("jaw" in note for note in model.notes)


@pytest.mark.parametrize("protocol", [0, 1, 2, 4])
def test_flame_may_be_of_any_protocol(protocol, tmp_path):
    model = importing.read(write.flame_pkl(tmp_path / "m.pkl", TRUTH, protocol))
    np.testing.assert_allclose(model.mean_face, TRUTH.points, atol=1e-3)
    np.testing.assert_allclose(moves(model.expression)[1:], moves(TRUTH.expression), atol=2e-4)


@pytest.mark.parametrize("protocol", [0, 1, 2])
def test_a_pickle_whose_lines_windows_ended_is_read(protocol, tmp_path):
    path = write.flame_pkl(tmp_path / "m.pkl", TRUTH, protocol)
    path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    np.testing.assert_allclose(importing.read(path).mean_face, TRUTH.points, atol=1e-3)


def test_a_shape_model_with_its_groups_at_the_root_is_read(tmp_path):
    path = write.basel(tmp_path / "m.h5", TRUTH)
    with h5py.File(path, "r+") as file:
        for name in ("model", "representer"):
            file.move(f"shape/{name}", name)
        for name in ("shape", "expression", "color", "metadata"):
            file.pop(name, None)
    model = importing.read(path)
    np.testing.assert_allclose(moves(model.shape), moves(TRUTH.shape), atol=2e-4)
    np.testing.assert_array_equal(model.triangles, TRUTH.triangles)
    assert (model.expression, model.reflectance) == (None, None)


def test_ict_expressions_are_weights_and_materials_are_segments(tmp_path):
    model = importing.read(write.ict(tmp_path / "FaceXModel", TRUTH))
    assert model.expression_unit == WEIGHT
    teeth = np.unique(TRUTH.triangles[-10:])
    assert (model.segmentation[teeth] == 5).all()
    assert set(np.unique(model.segmentation)) == {0, 5}


def test_gnm_segments_are_those_of_its_vertex_groups(tmp_path):
    model = importing.read(write.gnm(tmp_path / "g.npz", TRUTH))
    np.testing.assert_array_equal(model.segmentation == 5, TRUTH.points[:, 2] > 80)


def test_published_landmarks_are_counted_from_one():
    sfm = landmarks.published(3448, landmarks.SFM)
    assert (sfm[8], sfm[30], sfm[67]) == (33, 114, 404)
    assert (sfm == -1).sum() == 18
    assert landmarks.published(53490, landmarks.BFM2009)[36] == 2088
    assert landmarks.published(100, landmarks.SFM) is None


def test_a_format_is_known_by_content_not_by_name(tmp_path):
    path = write.basel(tmp_path / "m.h5", TRUTH)
    other = path.rename(tmp_path / "whatever.pkl")
    assert importing.read(other).family.startswith("Basel")


@pytest.mark.parametrize("name", ["random-l4", "random-momo"])
def test_scalismos_files_are_read(name):
    path = SHARED / "scalismo-faces" / f"{name}.h5"
    if not path.is_file():
        pytest.skip(f"{path.name} is not here")
    model = importing.read(path)
    assert (model.vertices, model.shape.count) == {"random-l4": (1529, 19)}.get(name, (25, 10))
    lengths = np.linalg.norm(model.shape.basis, axis=0)
    np.testing.assert_allclose(lengths, 1, atol=1e-5)
    assert model.landmarks is None or (model.landmarks >= 0).sum() == 15


def test_the_ict_subset_is_read():
    path = SHARED / "ict-facekit-subset"
    if not path.is_dir():
        pytest.skip("ict-facekit-subset is not here")
    model = importing.read(path)
    assert (model.shape.count, model.expression.count) == (8, 8)
    corners = model.mean_face[model.landmarks[[36, 45]]]
    assert np.linalg.norm(corners[0] - corners[1]) == pytest.approx(90, abs=10)
    assert signed_volume(model.mean_face, model.triangles) > 0


def test_a_mesh_of_no_head_size_says_so(tmp_path):
    points, triangles = synthetic.ellipsoid(6, 8)
    path = tmp_path / "tiny.obj"
    path.write_text(write.obj_text(points * 1e-8, triangles))
    assert "no head's" in importing.read(path).unit


def test_a_matlab_file_of_something_else_names_what_it_holds(tmp_path):
    scipy.io.savemat(tmp_path / "m.mat", {"shoes": np.zeros(3)})
    with pytest.raises(ModelError, match="holds shoes"):
        importing.read(tmp_path / "m.mat")
