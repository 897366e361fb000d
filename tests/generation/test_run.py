"""Data sets: the same bytes whatever made them, continued where they stopped, and true."""

from dataclasses import replace

import numpy as np
import pytest
from specs import Heard, InProcess, folder, hashes, samples_of

from facegen.dataset.resolving import default_shard_size
from facegen.dataset.stores.opening import open_store
from facegen.errors import DatasetError, FacegenError
from facegen.generation.engines.local import LocalEngine
from facegen.generation.run import complete_shards, run


class Backwards(InProcess):
    """An engine that makes the last shard first, each with a worker of its own."""

    def make(self, spec, shards, progress):
        for shard in shards[::-1]:
            yield from super().make(spec, [shard], progress)


def make(spec, engine=None):
    """Generate the data set -> (summary, what its progress was)."""
    heard = Heard()
    return run(spec, engine or InProcess(), heard), heard.events


def complete_of(spec):
    """The reports of the shards that are complete."""
    store = open_store(spec.out)
    return complete_shards(spec, store, store.names())


def bytes_of(folder):
    """The tars by name, whole."""
    return {path.name: path.read_bytes() for path in folder.glob("train-*.tar")}


# Planning


def test_shards_follow_each_other_and_the_last_is_shorter(small_spec):
    shards = small_spec(count=20, shard_size=7).shards
    assert [(s.name, s.start, s.stop) for s in shards] == [
        ("train-000000", 0, 7),
        ("train-000001", 7, 14),
        ("train-000002", 14, 20),
    ]


@pytest.mark.parametrize(
    ("count", "size"), [(1, 100), (1000, 100), (100_000, 500), (10**6, 5000), (10**9, 10_000)]
)
def test_the_default_shard_is_a_round_number_for_about_two_hundred(count, size):
    assert default_shard_size(count) == size


# The same bytes


def test_workers_and_order_do_not_change_a_byte(small_spec):
    one, two, three = (small_spec(name, layers="all") for name in ("one", "two", "three"))
    make(one)
    make(two, Backwards())
    make(replace(three, workers=2), LocalEngine())
    assert bytes_of(folder(one)) == bytes_of(folder(two)) == bytes_of(folder(three))
    assert len(bytes_of(folder(one))) == 3


def test_another_seed_changes_every_sample(small_spec):
    one, two = small_spec("one"), small_spec("two", seed=1)
    make(one)
    make(two)
    for a, b in zip(samples_of(one), samples_of(two), strict=True):
        assert not (a["theta.npy"] == b["theta.npy"]).any()
        assert (a["png"] != b["png"]).any()


def test_a_sample_is_the_same_in_shards_of_another_size(small_spec):
    one, two = small_spec("one"), small_spec("two", shard_size=20)
    make(one)
    make(two)
    for a, b in zip(samples_of(one), samples_of(two), strict=True):
        np.testing.assert_array_equal(a["theta.npy"], b["theta.npy"])
        assert a["json"] == b["json"]
        assert abs(a["png"].astype(int) - b["png"]).max() <= 1


# Continuing


@pytest.mark.parametrize("lost", ["train-000001.tar", "train-000001.json"])
def test_a_lost_shard_is_made_again_the_same(small_spec, lost):
    spec = small_spec()
    make(spec)
    before, tars = hashes(folder(spec)), bytes_of(folder(spec))
    (folder(spec) / lost).unlink()
    summary, heard = make(spec)
    assert [report.name for report in summary.made] == ["train-000001"]
    assert heard == [("started", 13), ("advanced", 7)]
    assert (hashes(folder(spec)), bytes_of(folder(spec))) == (before, tars)


def test_a_finished_data_set_is_left_alone(small_spec):
    spec = small_spec()
    make(spec)
    before = {path: path.stat().st_mtime_ns for path in folder(spec).glob("train-*")}
    summary, heard = make(spec)
    assert (summary.made, summary.samples, heard) == ((), 0, [("started", 20)])
    assert {path: path.stat().st_mtime_ns for path in folder(spec).glob("train-*")} == before


def test_a_growing_count_keeps_the_finished_shards(small_spec):
    make(small_spec(count=14))
    before = bytes_of(folder(small_spec()))
    summary, _ = make(small_spec(count=25))
    assert [report.name for report in summary.made] == ["train-000002", "train-000003"]
    after = bytes_of(folder(small_spec()))
    assert {name: after[name] for name in before} == before


def test_a_smaller_data_set_is_not_made_where_a_larger_one_lies(small_spec):
    make(small_spec(count=20))
    before = bytes_of(folder(small_spec()))
    with pytest.raises(DatasetError, match="2 shards more than asked for, from train-000001 on"):
        make(small_spec(count=7))
    assert bytes_of(folder(small_spec())) == before


def test_a_shorter_last_shard_is_made_again_whole(small_spec):
    make(small_spec(count=10))
    summary, _ = make(small_spec(count=14))
    assert [report.name for report in summary.made] == ["train-000001"]
    whole = small_spec("whole", count=14)
    make(whole)
    assert bytes_of(folder(small_spec())) == bytes_of(folder(whole))


@pytest.mark.parametrize("change", ["seed", "layers", "recipe", "shard size"])
def test_a_data_set_of_another_fingerprint_is_refused_and_left_alone(small_spec, change):
    make(small_spec(count=7))
    before = bytes_of(folder(small_spec()))
    other = {
        "seed": {"seed": 5},
        "layers": {"layers": "mask"},
        "recipe": {"changes": {"shape": {"sd": 2}}},
        "shard size": {"shard_size": 5},
    }[change]
    with pytest.raises(DatasetError, match=r"made with another .*; use another --out") as caught:
        make(small_spec(count=7, **other))
    assert "\n" not in str(caught.value)
    assert bytes_of(folder(small_spec())) == before


def test_what_a_cut_off_run_left_half_done_is_cleared(small_spec):
    spec = small_spec(count=7)
    folder(spec).mkdir(parents=True)
    (folder(spec) / "train-000000.tar.0badf00d.partial").write_bytes(b"half")
    make(spec)
    assert not list(folder(spec).glob("*.partial"))
    assert len(complete_of(spec)) == 1


@pytest.mark.parametrize(("part", "left"), [("0:1", 1), ("0:3", 0)])
def test_a_part_leaves_the_pages_of_others_alone(small_spec, part, left):
    spec = small_spec(shards=part)
    folder(spec).mkdir(parents=True)
    (folder(spec) / "dataset.json.0badf00d.partial").write_bytes(b"half")
    make(spec)
    assert len(list(folder(spec).glob("*.partial"))) == left


def test_a_failing_shard_leaves_nothing_under_a_final_name(small_spec, monkeypatch):
    """A disk that is full after the first bytes of the second shard."""
    from facegen.dataset.shards import ShardWriter

    spec, written = small_spec(), []
    append = ShardWriter._append

    def full(writer, data):
        written.append(len(data))
        if len(written) > 10:
            raise OSError(28, "No space left on device")
        append(writer, data)

    monkeypatch.setattr(ShardWriter, "_append", full)
    with pytest.raises((OSError, FacegenError)):
        make(spec)
    names = {path.name for path in folder(spec).iterdir()}
    assert names == {"dataset.json", "train-000000.json", "train-000000.tar"}
    monkeypatch.undo()
    summary, _ = make(spec)
    assert len(summary.made) == 2


def test_a_folder_that_cannot_be_written_is_refused(small_spec, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(FacegenError, match=r"file/out: Not a directory; choose another folder"):
        make(small_spec("file/out"))
