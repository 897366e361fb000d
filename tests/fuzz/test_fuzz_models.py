"""Face models, their landmarks and estimates, spoilt."""

import numpy as np
import pytest
from fuzzing import fuzz
from hypothesis import example, given
from hypothesis import strategies as st
from spoiling import NODES, keys_of, put
from valid_files import spoilt, valid

FOREIGN = ("basel", "basel_2009", "basel_2009_as_73", "face3d", "lyhm", "flame_pkl", "flame_npz",
           "gnm", "eos", "eos_h5", "obj", "ply", "flame_0", "flame_1", "odd_obj", "ply_text",
           "ply_packed")  # fmt: skip
HDF5 = {"estimates": "estimates", "model": "model", "basel": "foreign model",
        "eos_h5": "foreign model", "basel_2009_as_73": "foreign model"}  # fmt: skip


@pytest.mark.parametrize("kind", HDF5)
@fuzz(40)
@example([(2, ("array", np.full((3, 2), 1e300)))])
@given(choices=st.lists(st.tuples(st.integers(0, 99), NODES), min_size=1, max_size=3))
def test_hdf5_files_of_other_contents(box, kind, choices):
    path = box.folder / "file.h5"
    path.write_bytes(valid(kind))
    keys = keys_of(path)
    for number, node in choices:
        put(path, keys[number % len(keys)], *node)
    box.check(HDF5[kind], None, "file.h5")


@pytest.mark.parametrize("kind", ["estimates", "model"])
@fuzz(60)
@given(data=st.data())
def test_hdf5_files_of_other_bytes(box, kind, data):
    box.check(kind, data.draw(spoilt(kind)))


FAILED = {
    "a type of element that crashes scipy": ("basel_2009", (1032, b"\0")),
    "a class of array that scipy does not know": ("basel_2009", (144, b"\x1f")),
    "a header that numpy cannot tokenize": ("flame_npz", (b"'shape': (10, 3, ", b"'shape(: ")),
    "numbers beyond single precision": ("eos", (b'"deformation": [', b'"deformation": [9e99,1')),
}


@pytest.mark.parametrize("fault", FAILED)
def test_models_that_failed_once(box, fault):
    kind, (place, new) = FAILED[fault]
    data = valid(kind)
    place = place if isinstance(place, int) else data.index(place)
    box.check("foreign model", data[:place] + new + data[place + len(new) :])


@pytest.mark.parametrize("kind", FOREIGN)
@fuzz(30)
@given(data=st.data())
def test_foreign_models_of_other_bytes(box, kind, data):
    box.check("foreign model", data.draw(spoilt(kind)))


@fuzz(60)
@example(b"9" * 21 + b"\n" + b"1\n" * 67)
@example(valid("npy")[:-1])
@given(data=spoilt("numbers", "pairs", "pts", "npy", "utf_16"))
def test_landmarks_of_other_bytes(box, data):
    box.check("landmarks", data, "landmarks.txt")


@fuzz(60)
@given(data=spoilt("embedding"))
def test_landmark_embeddings_of_other_bytes(box, data):
    box.check("landmarks", data, "landmarks.npy")
