"""Files of strangers: what is damaged, too large or malicious is refused in one line."""

import io
import json
import struct
import zipfile
import zlib

import foreign_models as write
import h5py
import numpy as np
import pytest
import scipy.io
import scipy.sparse
from refusals import refusal

from facegen.models.importers import tables

TRUTH = write.truth()


def link(path, **links):
    """A Basel file some of whose keys are links."""
    write.basel(path, TRUTH)
    with h5py.File(path, "r+") as file:
        for key, target in links.items():
            del file[key.replace("_", "/")]
            file[key.replace("_", "/")] = target
    return path


@pytest.mark.parametrize("key", ["shape", "shape_model", "shape_model_mean"])
def test_links_out_of_an_hdf5_file_are_not_followed(key, tmp_path):
    other = write.basel(tmp_path / "other.h5", TRUTH)
    target = h5py.ExternalLink(str(other), "/" + key.replace("_", "/"))
    refusal(link(tmp_path / "m.h5", **{key: target}))
    refusal(link(tmp_path / "m.h5", **{key: h5py.SoftLink("/color/model/mean")}))


def test_raw_data_in_another_file_is_not_read(tmp_path):
    path = write.basel(tmp_path / "m.h5", TRUTH)
    (tmp_path / "raw").write_bytes(bytes(4 * TRUTH.points.size))
    with h5py.File(path, "r+") as file:
        del file["shape/model/mean"]
        place = [(str(tmp_path / "raw"), 0, 4 * TRUTH.points.size)]
        file.create_dataset("shape/model/mean", (TRUTH.points.size,), "f4", external=place)
    assert "array of the file itself" in refusal(path)


def test_a_data_set_that_promises_too_much_is_not_read(tmp_path):
    path = write.basel(tmp_path / "m.h5", TRUTH)
    with h5py.File(path, "r+") as file:
        del file["shape/model/pcaBasis"]
        shape = (TRUTH.points.size, 10**9)
        file.create_dataset("shape/model/pcaBasis", shape, "f4", chunks=(1, 1024))
    assert "claims more values" in refusal(path)


def spoil(key, change):
    """A Basel file with one data set changed."""

    def spoiled(path):
        write.basel(path, TRUTH)
        with h5py.File(path, "r+") as file:
            array = file[key][()]
            del file[key]
            file[key] = change(array)
        return path

    return spoiled


def with_value(index, value):
    def change(array):
        array[index] = value
        return array

    return change


@pytest.mark.parametrize(
    ("key", "change", "message"),
    [
        ("shape/model/mean", with_value(3, np.nan), "not finite"),
        ("shape/model/pcaBasis", with_value((0, 0), np.inf), "not finite"),
        ("color/model/pcaVariance", with_value(0, -1), "below zero"),
        ("color/model/pcaVariance", with_value(0, np.nan), "below zero or not a number"),
        ("shape/model/mean", lambda a: a[:-1], "do not belong together"),
        ("shape/model/pcaBasis", lambda a: a[:, :-1], "do not belong together"),
        ("color/model/mean", lambda a: a[:-3], "do not belong together"),
        ("shape/representer/cells", with_value((0, 0), 10**6), "do not exist"),
        ("shape/representer/cells", with_value((0, 0), -1), "do not exist"),
        ("shape/representer/cells", lambda a: a * 0, "name a vertex twice"),
        ("shape/representer/cells", lambda a: np.tile([[0], [1], [2]], 99), "not a surface"),
        ("shape/representer/cells", lambda a: a[:, :0], "no triangles"),
        ("shape/representer/cells", lambda a: a[:2], "three vertices"),
        ("metadata/landmarks/json", lambda a: np.bytes_("{broken"), "neither a JSON"),
        ("metadata/landmarks/json", lambda a: np.bytes_("[" * 5000), "neither a JSON"),
    ],
)
def test_a_file_with_something_wrong_names_it(key, change, message, tmp_path):
    assert message in refusal(spoil(key, change)(tmp_path / "m.h5"))


def test_a_zip_bomb_is_refused_before_it_is_unpacked(tmp_path, monkeypatch):
    path = tmp_path / "bomb.npz"
    np.savez_compressed(path, v_template=np.zeros(5_000_000), f=np.zeros(5_000_000))
    assert path.stat().st_size < 200_000
    monkeypatch.setattr(tables, "MAX_BYTES", 60_000_000)
    assert "unpacks to 80,000," in refusal(path)


def test_an_array_that_promises_more_than_its_archive_holds_is_refused(tmp_path):
    path = tmp_path / "m.npz"
    header = io.BytesIO()
    shape = {"descr": "<f8", "fortran_order": False, "shape": (10**6, 10**6)}
    np.lib.format.write_array_header_1_0(header, shape)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("v_template.npy", header.getvalue())
    assert "promises 8,000,000,000,000 bytes" in refusal(path)


def test_arrays_of_objects_in_an_npz_are_left(tmp_path):
    path = tmp_path / "m.npz"
    np.savez(path, a=np.zeros(2), b=np.array([{}], object))
    assert set(tables.read_npz(path)) == {"a"}


def test_a_compressed_part_of_a_matlab_file_that_unpacks_to_too_much_is_refused(
    tmp_path, monkeypatch
):
    path = tmp_path / "m.mat"
    scipy.io.savemat(path, {"mean": np.zeros(2_000_000)}, do_compression=True)
    assert path.stat().st_size < 100_000
    assert set(tables.read_mat(path)) == {"mean"}
    monkeypatch.setattr(tables, "MAX_BYTES", 1_000_000)
    assert "one of more than 1,000,000 bytes" in refusal(path)


def test_a_matlab_struct_that_lacks_an_array_names_it(tmp_path):
    path = write.face3d(tmp_path / "BFM.mat", TRUTH)
    model = scipy.io.loadmat(path)["model"]
    left = {name: model[name][0, 0] for name in model.dtype.names if name != "expEV"}
    scipy.io.savemat(path, {"model": left})
    assert "expEV" in refusal(path)


@pytest.mark.parametrize("cut", [100, 200, 5000])
def test_a_matlab_file_cut_short_is_refused(cut, tmp_path):
    path = write.basel_2009(tmp_path / "m.mat", TRUTH)
    path.write_bytes(path.read_bytes()[:cut])
    refusal(path)


def test_a_broken_compressed_part_is_refused(tmp_path):
    path = tmp_path / "m.mat"
    scipy.io.savemat(path, {"mean": np.zeros(9)})
    data = path.read_bytes()[:128] + struct.pack("<II", 15, 8) + b"notzlib!"
    path.write_bytes(data)
    assert "damaged MATLAB file" in refusal(path)
    path.write_bytes(data[:128] + struct.pack("<II", 15, 99) + zlib.compress(bytes(9)))
    assert "damaged MATLAB file" in refusal(path)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("v 0 0 0\nv 1 0 0\nv 0 1 0\nf 1 2 9\n", "does not exist"),
        ("v 0 0 0\nv 1 0 0\nv 0 1 0\nf 1 2 -9\n", "does not exist"),
        ("v 0 0 0\nv 1 0 0\nv 0 1 0\nf 1 2 x\n", "by number"),
        ("v 0 0 0\nv 1 0\nv 0 1 0\nf 1 2 3\n", "three numbers"),
        ("v 0 0 0\nv 1 0 nan\nv 0 1 0\nf 1 2 3\n", "not finite"),
        ("v 0 0 0\nv 1 0 0\nv 0 1 0\n", "no triangles"),
        ("v 0 0 0\nf 1 1 1\n", "vertices"),
    ],
)
def test_a_broken_obj_is_refused(text, message, tmp_path):
    path = tmp_path / "m.obj"
    path.write_text(text)
    assert message in refusal(path)


def test_a_ply_that_promises_too_much_is_refused(tmp_path):
    path = write.ply(tmp_path / "m.ply", TRUTH)
    data = path.read_bytes().replace(b"element vertex ", b"element vertex 99999999")
    path.write_bytes(data)
    assert "promises more" in refusal(path)
    path.write_bytes(data[:40])
    refusal(path)


@pytest.mark.parametrize("names", [["../../etc/passwd"], ["a/b"], "text", [1, 2.5]])
def test_ict_expressions_cannot_name_files_elsewhere(names, tmp_path):
    path = write.ict(tmp_path / "FaceXModel", TRUTH)
    (path / "vertex_indices.json").write_text(json.dumps({"expressions": names}))
    assert "vertex_indices.json" in refusal(path)


def test_ict_targets_of_another_topology_are_refused(tmp_path):
    path = write.ict(tmp_path / "FaceXModel", TRUTH)
    (path / "jawOpen.obj").write_text("v 0 0 0\nv 1 0 0\nv 0 1 0\n")
    assert "jawOpen.obj: 3 vertices, the neutral has" in refusal(path)


@pytest.mark.parametrize(
    "data", [b"", b"hello", b"{}", b"\x89HDF\r\n\x1a\n", b"PK\x03\x04", b"ply\n"]
)
def test_what_is_no_model_is_refused(data, tmp_path):
    path = tmp_path / "model"
    path.write_bytes(data)
    refusal(path)


def test_what_is_not_there_is_refused(tmp_path):
    assert "No such file" in refusal(tmp_path / "none.h5")
    assert "generic_neutral_mesh.obj" in refusal(tmp_path)
