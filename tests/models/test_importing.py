"""Importing: what a foreign head lacks is filled in; exports come back the same."""

from pathlib import Path

import foreign_models as write
import h5py
import numpy as np
import pytest
from click.testing import CliRunner

from facegen.cli import models
from facegen.errors import ModelError
from facegen.models import catalogue, describe, model_file
from facegen.models.importers import complete, importing
from facegen.models.importers.filled import unit_columns
from facegen.models.model_file import Modes
from facegen.scene.parameters import WEIGHT

SHARED = Path(__file__).parents[3] / "shared" / "models"


@pytest.fixture(scope="module")
def head(generic):
    """The truth of a head that the generic model can be fitted to: another person of its own."""
    c = np.zeros((1, generic.shape.components), np.float32)
    c[0, :6] = [1, -1, 0.8, 0.5, -0.7, 0.6]
    points = generic.shape.evaluate(c)[0] + generic.expression.mean
    used = np.unique(generic.triangles)
    assert len(used) == len(points)
    return write.truth(points, generic.triangles, generic.landmarks)


@pytest.fixture(scope="module")
def bare_head(head, generic, tmp_path_factory):
    """That head as a mesh in metres without colours, imported: (what was filled in, the model)."""
    folder = tmp_path_factory.mktemp("bare")
    path = folder / "scan.obj"
    shift = np.array([30.0, 150.0, -60.0])
    path.write_text(write.obj_text((head.points + shift) / 1000, head.triangles))
    return importing.import_model(path, folder / "scan.h5", generic, "scan", None)


@pytest.fixture
def home(tmp_path, monkeypatch):
    """The user's data folder."""
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    return tmp_path / "data"


def same(first, second):
    """Both models give the same faces and colours, to float32."""
    np.testing.assert_array_equal(first.triangles, second.triangles)
    np.testing.assert_array_equal(first.landmarks, second.landmarks)
    np.testing.assert_array_equal(first.segmentation, second.segmentation)
    for name in ("shape", "expression", "reflectance"):
        a, b = getattr(first, name), getattr(second, name)
        np.testing.assert_allclose(a.mean, b.mean, rtol=1e-6, atol=1e-6)
        np.testing.assert_allclose(a.component_scale, b.component_scale, rtol=1e-5)
        np.testing.assert_allclose(a.basis, b.basis, rtol=1e-5, atol=1e-6)


def test_a_mesh_with_nothing_known_lands_between_the_ears(bare_head, head):
    filled, model = bare_head
    centre = (model.mean_face - head.points).mean(axis=0)
    assert np.linalg.norm(centre) < 8
    assert any("between the ears" in note for note in filled.model.notes)


def test_its_landmarks_are_some_millimetres_good(bare_head, head):
    _, model = bare_head
    offsets = model.mean_face[model.landmarks] - model.mean_face[head.landmarks]
    distance = np.linalg.norm(offsets, axis=1)
    assert distance[17:].mean() < 4
    assert distance.mean() < 6


def test_it_wears_the_generic_skin(bare_head, generic):
    filled, model = bare_head
    assert model.reflectance.components == generic.reflectance.components
    assert np.abs(model.reflectance.mean - generic.reflectance.mean).mean() < 0.03
    assert (model.segmentation == generic.segmentation).mean() > 0.85
    assert any("procedural skin" in note for note in filled.model.notes)


def test_it_has_an_expression_of_no_width(bare_head):
    _, model = bare_head
    assert model.layout.to_json()[2] == ("expression", 0)
    assert model.shape.components == 0


def test_a_turned_model_is_turned_back(head, generic, tmp_path):
    turn = np.array([[0, 0, 1], [0, 1, 0], [-1, 0, 0]], np.float32)
    moved = write.truth(head.points @ turn.T, head.triangles, head.landmarks)
    model = importing.read(write.face3d(tmp_path / "BFM.mat", moved))
    filled = complete.complete(model, generic)
    np.testing.assert_allclose(np.ptp(filled.model.mean_face, axis=0), np.ptp(head.points, axis=0),
                               rtol=0.15)  # fmt: skip
    lengths = np.linalg.norm(filled.model.shape.basis, axis=0)
    np.testing.assert_allclose(lengths, 1, rtol=1e-5)
    assert any("turned by" in note for note in filled.model.notes)


def test_a_whole_model_is_written_as_it_was_read(head, generic, tmp_path):
    path = write.basel(tmp_path / "m.h5", head)
    _, model = importing.import_model(path, tmp_path / "ours.h5", generic, "ours", None)
    np.testing.assert_allclose(model.mean_face, head.points, atol=1e-4)
    np.testing.assert_allclose(model.shape.component_scale, head.shape[1], rtol=1e-5)
    np.testing.assert_allclose(model.expression.component_scale, head.expression[1], rtol=1e-5)
    np.testing.assert_allclose(model.reflectance.mean, head.colour, atol=1e-6)
    assert model.landmarks[30] == head.landmarks[30]
    assert model.name == "ours"


def export(model, path):
    """Write a model as `models export` does."""
    model_file.write(path, model_file.content_of(model))


def test_exporting_and_importing_again_changes_nothing(generic, tmp_path):
    small = generic.truncated(6, 5, 4)
    export(small, tmp_path / "out.h5")
    same(catalogue.load(str(tmp_path / "out.h5")), small)
    _, again = importing.import_model(
        tmp_path / "out.h5", tmp_path / "again.h5", generic, None, None
    )
    same(again, small)
    assert again.licence == small.licence


def test_an_export_is_a_basel_file_for_others(generic, tmp_path):
    export(generic.truncated(6, 5, 4), tmp_path / "out.h5")
    with h5py.File(tmp_path / "out.h5") as file:
        for part, count in (("shape", 6), ("expression", 5), ("color", 4)):
            basis = file[f"{part}/model/pcaBasis"][()]
            assert basis.shape == (3 * generic.vertices, count)
            np.testing.assert_allclose(np.linalg.norm(basis, axis=0), 1, rtol=1e-4)
        assert int(file["version/minorVersion"][()]) == 9
        assert file["shape/representer/cells"].shape[0] == 3
    with h5py.File(tmp_path / "out.h5", "r+") as file:
        del file["facegen"]
    plain = importing.read(tmp_path / "out.h5")
    np.testing.assert_array_equal(plain.landmarks, generic.landmarks)


def test_the_unit_and_kind_of_expressions_are_recorded(head, generic, tmp_path):
    path = write.ict(tmp_path / "FaceXModel", head)
    _, model = importing.import_model(path, tmp_path / "ict.h5", generic, "ict", None)
    assert model.expression_unit == WEIGHT
    assert model_file.texts_of(tmp_path / "ict.h5")["source"].startswith("ICT-FaceKit")


def test_a_surface_that_is_no_head_is_refused_with_a_hint(generic, tmp_path):
    path = write.basel(tmp_path / "m.h5", write.truth())
    with pytest.raises(ModelError, match="--landmarks FILE"):
        importing.import_model(path, tmp_path / "ours.h5", generic, None, None)
    assert not (tmp_path / "ours.h5").exists()


def test_with_landmarks_it_is_taken_as_it_is(generic, tmp_path):
    t = write.truth()
    path, points = write.lsfm(tmp_path / "m.mat", t), tmp_path / "l.txt"
    points.write_text(" ".join(map(str, t.landmarks)))
    _, model = importing.import_model(path, tmp_path / "ours.h5", generic, None, points)
    np.testing.assert_array_equal(model.landmarks, t.landmarks)
    np.testing.assert_allclose(model.mean_face, t.points, atol=1e-3)


def test_modes_that_move_nothing_are_dropped():
    rng = np.random.default_rng(0)
    columns = rng.normal(size=(12, 3)).astype(np.float32)
    columns[:, 1] = 0
    part = Modes(np.zeros((4, 3), np.float32), columns, np.float32([1, 1, 2]))
    made = unit_columns(part)
    np.testing.assert_allclose(made.basis * made.sd, columns[:, [0, 2]] * [1, 2], rtol=1e-6)
    np.testing.assert_allclose(np.linalg.norm(made.basis, axis=0), 1, rtol=1e-6)


@pytest.mark.parametrize(
    ("factor", "phrase"), [(0.001, "factor of 1000"), (10, "factor of 10"), (1, None)]
)
def test_wrong_units_are_warned_of(factor, phrase, generic, head, tmp_path):
    model = importing.read(write.face3d(tmp_path / "BFM.mat", head))
    scaled = model.noting(shape=model.shape.scaled(factor))
    warning = " ".join(describe.warnings(describe.facts_of_foreign(scaled)))
    assert (phrase in warning) if phrase else not warning


def test_what_looks_wrong_is_warned_of(generic):
    facts = describe.facts_of(generic, {})
    assert not list(describe.warnings(facts))
    changes = {
        "wound inward": {"triangles": facts.triangles[:, ::-1]},
        "mirrored": {"points": facts.points * np.float32([-1, 1, 1])},
        "z does not point": {"points": facts.points * np.float32([-1, 1, -1])},
        "y does not point": {"points": facts.points * np.float32([-1, -1, 1])},
        "confused": {"first_mm": 900.0},
        "not in [0, 1]": {"colours": facts.colours * 255},
    }
    for phrase, change in changes.items():
        warnings = list(describe.warnings(describe.Facts(**vars(facts) | change)))
        assert any(phrase in warning for warning in warnings), phrase


def run(command, *options):
    """A command's output, which must succeed."""
    result = CliRunner().invoke(
        command, [str(option) for option in options], catch_exceptions=False
    )
    assert result.exit_code == 0, result.output
    return result.output


def test_an_imported_model_is_found_by_name(head, home, tmp_path):
    path = write.face3d(tmp_path / "BFM.mat", head)
    output = run(models.import_command, path, "--name", "mine")
    assert "--model mine" in output
    assert "mine" in catalogue.names()
    assert catalogue.find("mine").parent == home / "facegen" / "models"
    assert catalogue.load("mine").shape.components == 5
    assert "eye corners" in run(models.info_command, "mine")
    out = tmp_path / "plain.h5"
    run(models.export_command, "mine", out)
    same(catalogue.load(str(out)), catalogue.load("mine"))


def test_info_reads_a_file_that_was_not_imported(head, home, tmp_path):
    output = run(models.info_command, write.lyhm(tmp_path / "LYHM.mat", head))
    assert "LYHM, not imported yet" in output
    assert "outward" in output or "inward" in output


def test_the_name_of_a_model_that_comes_along_is_taken(home, head, tmp_path):
    path = write.face3d(tmp_path / "BFM.mat", head)
    result = CliRunner().invoke(models.import_command, [str(path), "--name", "generic"])
    assert "comes along" in str(result.exception)


@pytest.mark.parametrize("name", ["../x", "a/b", "", ".hidden", "a b"])
def test_names_are_one_word(name, home, tmp_path):
    result = CliRunner().invoke(models.import_command, [str(tmp_path / "x"), "--name", name])
    assert "only" in str(result.exception)


def test_the_ict_subset_becomes_a_model(generic, tmp_path):
    path = SHARED / "ict-facekit-subset"
    if not path.is_dir():
        pytest.skip("ict-facekit-subset is not here")
    filled, model = importing.import_model(path, tmp_path / "ict.h5", generic, "ict", None)
    assert not list(describe.warnings(describe.facts_of(model, {})))
    assert model.layout.to_json()[1:3] == [("shape", 8), ("expression", 8)]
    assert set(np.unique(model.segmentation)) == set(range(1, 10))
    lids = filled.expression.basis[:, 2].reshape(-1, 3)
    assert np.abs(lids[model.landmarks[42:48]]).max() > np.abs(lids[model.landmarks[36:42]]).max()
