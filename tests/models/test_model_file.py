"""Models on disk: the Basel layout read back, files that are none, and the generic model itself."""

from contextlib import suppress

import basel_files
import h5py
import numpy as np
import pytest

from facegen.errors import ModelError
from facegen.models import catalogue
from facegen.models.morphable_model import SEGMENTS


def refusal(path):
    """The one line that refuses a model file."""
    with pytest.raises(ModelError) as caught:
        catalogue.load(str(path))
    assert "\n" not in str(caught.value)
    assert str(path) in str(caught.value)
    return str(caught.value)


@pytest.fixture
def copy(ellipsoid, tmp_path):
    """A file of the small model to be damaged: a function applies `damage` to the open file."""
    path = basel_files.write(tmp_path / "copy.h5", ellipsoid)

    def damaged(damage):
        with h5py.File(path, "r+") as file:
            damage(file)
        return path

    return damaged


def put(key, value):
    """Damage: a data set replaced."""

    def damage(file):
        del file[key]
        file[key] = value

    return damage


def spoiled(key, index, value):
    """Damage: one number of a data set replaced."""

    def damage(file):
        array = file[key][()]
        array[index] = value
        put(key, array)(file)

    return damage


def test_a_written_model_is_read_back(ellipsoid, ellipsoid_file):
    read = catalogue.load(str(ellipsoid_file))
    for name in ("triangles", "landmarks", "segmentation"):
        np.testing.assert_array_equal(getattr(read, name), getattr(ellipsoid, name))
    for name in ("shape", "expression", "reflectance"):
        ours, theirs = getattr(read, name), getattr(ellipsoid, name)
        for field in ("mean", "basis", "component_scale"):
            np.testing.assert_allclose(getattr(ours, field), getattr(theirs, field), rtol=1e-5)
    assert (read.name, read.licence) == ("ellipsoid", "CC0-1.0")
    assert len(read.sha256) == 64


def test_every_array_is_of_the_type_renderers_take(ellipsoid_file):
    read = catalogue.load(str(ellipsoid_file))
    kinds = [read.shape.basis, read.shape.mean, read.triangles, read.landmarks, read.segmentation]
    assert [a.dtype for a in kinds] == ["float32", "float32", "int32", "int32", "uint8"]
    assert read.triangles.flags.c_contiguous


def test_a_coefficient_of_expression_is_a_unit_of_the_files(ellipsoid, tmp_path):
    """The component scale is sqrt(variance) times the unit, whatever the unit."""
    path = basel_files.write(tmp_path / "unit.h5", ellipsoid, expression_unit=0.25)
    with h5py.File(path) as file:
        deviations = np.sqrt(file["expression/model/pcaVariance"][()])
    component_scale = catalogue.load(str(path)).expression.component_scale
    np.testing.assert_allclose(component_scale, 0.25 * deviations, rtol=1e-6)


def test_two_files_with_other_numbers_have_other_hashes(copy, ellipsoid_file):
    other = copy(spoiled("shape/model/mean", 0, 1.0))
    hashes = {catalogue.load(str(path)).sha256 for path in (other, ellipsoid_file)}
    assert len(hashes) == 2


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (lambda f: f.pop("facegen"), ["/facegen is missing", "README"]),
        (lambda f: f.pop("color"), ["/color/model/mean is missing"]),
        (lambda f: f.pop("shape/representer/cells"), ["/shape/representer/cells is missing"]),
        (lambda f: f.pop("facegen/landmarks"), ["/facegen/landmarks is missing"]),
        (spoiled("shape/model/mean", 5, np.nan), ["mean of shape", "not finite"]),
        (spoiled("color/model/pcaBasis", (0, 0), np.inf), ["basis of reflectance", "not finite"]),
        (spoiled("expression/model/pcaVariance", 0, -1), ["expression", "below zero"]),
        (spoiled("shape/representer/cells", (0, 0), 10**6), ["triangles name vertices"]),
        (spoiled("facegen/landmarks", 3, -1), ["landmarks name vertices"]),
        (spoiled("facegen/parts", 0, 200), ["segmentation"]),
        (put("facegen/landmarks", np.arange(67)), ["/facegen/landmarks is (67,), not (68,)"]),
        (put("shape/model/mean", np.zeros(100)), ["shape"]),
        (put("color/model/pcaBasis", np.zeros((3, 3))), ["/color/model/pcaBasis is (3, 3)"]),
        (put("shape/model/mean", "a text"), ["/shape/model/mean holds object, not numbers"]),
        (put("facegen/landmarks", np.zeros((68, 2))), ["/facegen/landmarks is (68, 2)"]),
        (lambda f: f["facegen"].attrs.pop("expression_unit"), ["expression_unit = None"]),
        (lambda f: f["facegen"].attrs.modify("expression_unit", -1.0), ["expression_unit", "-1.0"]),
        (lambda f: f["facegen"].attrs.modify("expression_unit", np.nan), ["expression_unit"]),
    ],
)
def test_a_file_with_something_wrong_names_it_in_one_line(copy, damage, words):
    line = refusal(copy(damage))
    for word in words:
        assert word in line


def test_links_out_of_the_file_are_not_followed(copy, ellipsoid_file):
    def link(file):
        del file["shape/model/mean"]
        file["shape/model/mean"] = h5py.ExternalLink(str(ellipsoid_file), "/shape/model/mean")

    assert "/shape/model/mean is missing" in refusal(copy(link))


def test_soft_links_are_not_followed(copy):
    def link(file):
        del file["color/model/mean"]
        file["color/model/mean"] = h5py.SoftLink("/shape/model/mean")

    assert "/color/model/mean is missing" in refusal(copy(link))


def test_raw_data_in_another_file_is_not_read(copy, tmp_path):
    raw = tmp_path / "raw"
    raw.write_bytes(np.arange(68, dtype=np.int32).tobytes())

    def outside(file):
        del file["facegen/landmarks"]
        place = [(str(raw), 0, 4 * 68)]
        file.create_dataset("facegen/landmarks", (68,), np.int32, external=place)

    assert "/facegen/landmarks is missing, or no array of the file" in refusal(copy(outside))


def test_a_file_cut_short_is_damaged(ellipsoid_file, tmp_path):
    path = tmp_path / "short.h5"
    path.write_bytes(ellipsoid_file.read_bytes()[: ellipsoid_file.stat().st_size // 2])
    assert "damaged HDF5 file" in refusal(path)


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_flipped_bytes_are_refused_or_read_but_never_a_crash(ellipsoid_file, tmp_path):
    data = bytearray(ellipsoid_file.read_bytes())
    rng = np.random.default_rng(0)
    for trial in range(30):
        spoilt = bytearray(data)
        for place in rng.integers(8, min(len(data), 20_000), 20):
            spoilt[place] ^= int(rng.integers(1, 256))
        path = tmp_path / f"{trial}.h5"
        path.write_bytes(spoilt)
        with suppress(ModelError):
            catalogue.load(str(path))


@pytest.mark.parametrize("data", [b"", b"not a model", b"\x89HDF\r\n\x1a\n"])
def test_a_file_that_is_no_hdf5_is_refused(tmp_path, data):
    path = tmp_path / "foreign.h5"
    path.write_bytes(data)
    assert "HDF5" in refusal(path)


def test_a_folder_and_a_missing_file_are_refused(tmp_path):
    (tmp_path / "folder.h5").mkdir()
    assert "directory" in refusal(tmp_path / "folder.h5")
    assert "No such file" in refusal(tmp_path / "nothere.h5")


def test_an_unknown_name_lists_those_there_are():
    with pytest.raises(ModelError, match="no model of that name; there are generic"):
        catalogue.load("genric")


# The generic model


def test_the_generic_model_has_the_posters_widths(generic):
    assert generic.layout.width == 350
    assert [width for _, width in generic.layout.to_json()] == [3, 128, 64, 128, 27]
    assert "CC0" in generic.licence


@pytest.mark.parametrize("part", ["shape", "expression", "reflectance"])
def test_the_generic_models_bases_are_orthogonal(generic, part):
    model = getattr(generic, part)
    unit = model.basis.astype(np.float64) / model.component_scale[:, None]
    np.testing.assert_allclose(unit @ unit.T, np.eye(len(unit)), atol=0.02)


@pytest.mark.parametrize("part", ["shape", "reflectance"])
def test_the_generic_models_components_fall_in_weight(generic, part):
    assert (np.diff(getattr(generic, part).component_scale) <= 1e-6).all()


def test_the_generic_model_is_of_a_heads_size_in_millimetres(generic):
    width, height, depth = np.ptp(generic.mean_face, axis=0)
    assert 130 < width < 190
    assert 200 < height < 320
    assert 160 < depth < 260
    landmarks = generic.mean_face[generic.landmarks]
    eyes = landmarks[42:48].mean(axis=0) - landmarks[36:42].mean(axis=0)
    assert 54 < np.linalg.norm(eyes) < 74
    assert 10_000 < generic.vertices < 40_000


def test_the_generic_models_landmarks_are_those_of_ibug(generic):
    p = generic.mean_face[generic.landmarks]
    jaw, brows, nose, eyes, lips = p[:17], p[17:27], p[27:36], p[36:48], p[48:]
    assert (np.diff(jaw[:, 0]) > 0).all()
    assert jaw[8, 1] == p[:, 1].min()
    assert brows[:, 1].mean() > eyes[:, 1].mean() > nose[3, 1] > lips[:, 1].mean() > jaw[8, 1]
    mirrored = p[[16, 15, 14, 13, 12, 11, 10, 9, 8]] * [-1, 1, 1]
    np.testing.assert_allclose(mirrored, p[:9], atol=4)
    assert len(np.unique(generic.landmarks)) == 68


def test_every_part_is_there_and_nothing_is_background(generic):
    assert set(np.unique(generic.segmentation)) == set(range(1, len(SEGMENTS)))
    lips = generic.mean_face[generic.segmentation == SEGMENTS.index("lips")]
    border = generic.mean_face[generic.landmarks[48:60]]
    gaps = np.linalg.norm(border[:, None] - lips, axis=2).min(axis=1)
    assert gaps.max() < 3.0
    assert np.median(gaps) < 1.5


def test_the_generic_models_triangles_face_outwards(generic):
    a, b, c = (generic.mean_face[generic.triangles[:, i]].astype(np.float64) for i in range(3))
    skin = generic.triangle_segments == SEGMENTS.index("skin")
    outward = np.einsum("fi,fi->f", np.cross(b - a, c - a), (a + b + c) / 3)
    assert np.mean(outward[skin] > 0) > 0.75
    assert (generic.triangles[:, 0] != generic.triangles[:, 1]).all()


def test_the_generic_models_reflectance_is_a_colour(generic):
    assert generic.reflectance.mean.min() > 0
    assert generic.reflectance.mean.max() < 1
    skin = generic.reflectance.mean[generic.segmentation == SEGMENTS.index("skin")].mean(axis=0)
    assert skin[0] > skin[1] > skin[2]
