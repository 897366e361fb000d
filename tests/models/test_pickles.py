"""Pickles of strangers: nothing in them runs, what is not a face model's is refused by name."""

import io
import os
import pickle
import tracemalloc

import foreign_models as write
import numpy as np
import pytest
import scipy.sparse
from refusals import refusal

TRUTH = write.truth()


class Runs:
    """Pickles into a call of this function."""

    def __init__(self, function, *words):
        self.call = (function, words)

    def __reduce__(self):
        return self.call


@pytest.mark.parametrize(
    ("function", "words", "name"),
    [
        (os.system, ("touch {}",), "posix.system"),
        (eval, ("open('{}', 'w')",), "eval"),
        (exec, ("open('{}', 'w')",), "exec"),
        (io.FileIO, ("{}", "w"), "FileIO"),
        (np.load, ("{}",), "numpy"),
    ],
)
def test_a_malicious_pickle_is_refused_by_name_and_runs_nothing(function, words, name, tmp_path):
    trap = tmp_path / "trap"
    table = {"v_template": Runs(function, *(word.format(trap) for word in words))}
    path = tmp_path / "flame.pkl"
    path.write_bytes(pickle.dumps(table, protocol=2))
    line = refusal(path)
    assert name in line
    assert "refused" in line
    assert not trap.exists()


@pytest.mark.parametrize("name", ["getattr", "__import__", "compile", "globals"])
def test_builtins_are_refused(name, tmp_path):
    path = tmp_path / "flame.pkl"
    path.write_bytes(b"\x80\x02c__builtin__\n" + name.encode() + b"\n(tR.")
    assert f"__builtin__.{name}" in refusal(path) or f"builtins.{name}" in refusal(path)


def test_dotted_names_do_not_reach_through_an_allowed_module(tmp_path):
    path = tmp_path / "flame.pkl"
    path.write_bytes(b"\x80\x04\x8c\x05numpy\x8c\x11ndarray.__class__\x93.")
    assert "numpy.ndarray.__class__" in refusal(path)


@pytest.mark.parametrize(
    "data", [b"\x80\x02", b"\x80\x02(((((", b"\x80\x04\x95" + 7 * b"\xff" + b"\x7f."]
)
def test_a_damaged_pickle_is_refused(data, tmp_path):
    path = tmp_path / "flame.pkl"
    path.write_bytes(data)
    assert "damaged pickle" in refusal(path)


@pytest.mark.parametrize(
    "data",
    [
        b"\x80\x02}r" + (2**28).to_bytes(4, "little") + b".",  # the object's number
        b"\x80\x04B" + (2**31).to_bytes(4, "little") + b"x.",  # the length of bytes
        b"\x80\x04\x8e" + (2**32).to_bytes(8, "little") + b"x.",
    ],
)
def test_a_claim_takes_no_memory(data, tmp_path):
    path = tmp_path / "flame.pkl"
    path.write_bytes(data)
    tracemalloc.start()
    refusal(path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 10_000_000


def test_a_pickle_of_something_else_is_refused(tmp_path):
    path = tmp_path / "flame.pkl"
    path.write_bytes(pickle.dumps({"a": 1}, protocol=2))
    assert "not FLAME's" in refusal(path)


def test_a_huge_sparse_matrix_is_not_unfolded(tmp_path):
    table = write.flame_arrays(TRUTH)
    table["J_regressor"] = scipy.sparse.csr_matrix((5, 10**9))
    path = tmp_path / "flame.pkl"
    path.write_bytes(pickle.dumps(table, protocol=2))
    assert "sparse matrix" in refusal(path)


@pytest.mark.parametrize("kind", [scipy.sparse.coo_matrix, scipy.sparse.csc_matrix])
def test_a_sparse_matrix_whose_entries_lie_outside_is_refused(kind, tmp_path):
    table = write.flame_arrays(TRUTH)
    matrix = kind(table["J_regressor"])
    (matrix.row if kind is scipy.sparse.coo_matrix else matrix.indices)[:] = 10**9
    table["J_regressor"] = matrix
    path = tmp_path / "flame.pkl"
    path.write_bytes(pickle.dumps(table, protocol=2))
    assert "damaged pickle" in refusal(path)
