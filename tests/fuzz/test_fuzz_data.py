"""Recipes, shards, reports, indices and options, spoilt."""

import json
import shutil

import click
import pytest
from corruptions import believe, edit_index, rewrite
from fuzzing import fuzz, outcome
from hypothesis import example, given
from hypothesis import strategies as st
from specs import generated, spec_of
from spoiling import altered, document
from spoiling import spoilt as spoilt_bytes
from valid_files import spoilt

from facegen.cli.options import Count
from facegen.dataset.encoding import parse_layers
from facegen.dataset.index import encode_index, index_of
from facegen.dataset.resolving import parse_part
from facegen.dataset.shards import sample_bytes
from facegen.errors import FacegenError
from facegen.recipe.loading import load
from facegen.rendering import devices

REPORT = {"name": "train-000000", "start": 0, "stop": 8, "bytes": 10240, "sha256": "0" * 64,
          "fingerprint": "0" * 64, "device": "cpu", "seconds": {"render": 1.5}}  # fmt: skip
SECOND = "train-000001"
EXTENDS = b'extends = "inversefacenet"\n'


@fuzz(150)
@example(b'extends = "\\u0000.toml"')
@example(b'extends = "a\\nb"')
@example(EXTENDS + b'model = "\\u0000.h5"')
@example(EXTENDS + b"splits = {a = 1e308, b = 1e308}")
@example(EXTENDS + b"image.quality = 0x" + b"f" * 5000)
@example(EXTENDS + b"shape" + b".x" * 3000 + b" = 1")
@example(EXTENDS + b"expression.unit = []")
@example(EXTENDS + b"identities = 0xffffffffffffffffffffffff\nsamples_per_identity = 1")
@given(data=altered(load("inversefacenet").table).map(document))
def test_recipes_of_other_tables(box, data):
    box.check("recipe", data, "recipe.toml")


@fuzz(60)
@given(data=spoilt("recipe") | st.binary(max_size=99))
def test_recipes_of_other_bytes(box, data):
    box.check("recipe", data, "recipe.toml")


BACKWARDS = sample_bytes("0", {"jpg": b""})[:512].replace(b"0" * 11, b"-0000001000", 1)


@fuzz(80)
@example(BACKWARDS * 2)
@given(data=spoilt("shard", "pax", "gnu"))
def test_shards_of_other_bytes(box, data):
    box.check("tar", data)
    box.check("streamed tar", data)


@fuzz(80)
@given(data=spoilt("theta", "label", "depth", "jpg", "npy") | st.binary(max_size=99))
def test_members_of_other_bytes(box, data):
    box.check("member", data)


@pytest.fixture(scope="module")
def tiny(box, ellipsoid_file):
    """A data set of four small faces in two shards, its model's path in its index."""
    out = box.folder / "tiny"
    generated(spec_of(ellipsoid_file, out, count=4, shard_size=2, layers="all"))
    edit_index(out, lambda index: index["model"].update(name=str(ellipsoid_file)))
    return out


def fresh(box, tiny):
    """A copy of the tiny data set."""
    copy = box.folder / "copy"
    shutil.rmtree(copy, ignore_errors=True)
    shutil.copytree(tiny, copy)
    return copy


@fuzz(25)
@given(data=st.data())
def test_data_sets_with_another_member(box, tiny, data):
    """The shard's report and dataset.json believe in what it holds."""
    copy = fresh(box, tiny)

    def change(samples):
        members = samples["0000000002"]
        suffix = data.draw(st.sampled_from(sorted(members)))
        if data.draw(st.booleans()):
            members[suffix] = data.draw(spoilt_bytes(members[suffix]))
        else:
            members[data.draw(st.sampled_from(["a", "png", "x.npy", ""]))] = members.pop(suffix)

    rewrite(copy, SECOND, change)
    box.check("data set", None, "copy")


@fuzz(25)
@given(data=st.data())
def test_data_sets_with_another_tar(box, tiny, data):
    copy = fresh(box, tiny)
    tar = copy / f"{SECOND}.tar"
    tar.write_bytes(data.draw(spoilt_bytes(tar.read_bytes())))
    believe(copy, SECOND)
    box.check("data set", None, "copy")


@fuzz(80)
@example(REPORT | {"a\nb": 1})
@given(table=altered(REPORT))
def test_shard_reports_of_other_tables(box, table):
    box.check("shard report", json.dumps(table).encode(), "train-000000.json")


@fuzz(40)
@given(data=spoilt_bytes(json.dumps(REPORT).encode()))
def test_shard_reports_of_other_bytes(box, data):
    box.check("shard report", data, "train-000000.json")


@pytest.fixture(scope="module")
def index(box, ellipsoid_file):
    """What dataset.json says of a data set of the small model."""
    table = json.loads(encode_index(index_of(spec_of(ellipsoid_file, box.folder), [])))
    return table | {"model": table["model"] | {"name": str(ellipsoid_file)}}


@pytest.mark.parametrize(
    "changes", [{"estimates": 5}, {"count": 10**10, "shard_size": 1}, {"seed": -1}]
)
def test_indices_that_failed_once(box, index, changes):
    box.check("dataset.json", json.dumps(index | changes).encode(), "dataset.json")


@fuzz(150)
@given(data=st.data())
def test_indices_of_other_tables(box, index, data):
    table = data.draw(altered(index))
    box.check("dataset.json", json.dumps(table).encode(), "dataset.json")


@fuzz(40)
@given(data=st.data())
def test_indices_of_other_bytes(box, index, data):
    spoilt_index = spoilt_bytes(json.dumps(index).encode())
    box.check("dataset.json", data.draw(spoilt_index), "dataset.json")


def count(text):
    """A count, its refusal being click's."""
    try:
        Count().convert(text, None, None)
    except click.BadParameter as error:
        raise FacegenError(error.message) from None


OPTIONS = {
    "--count": count,
    "--layers": parse_layers,
    "--shards": lambda text: parse_part(text, 200),
    "--device": devices.parse,
}
PIECES = st.sampled_from([
    "1", "1.5", "k", "M", "G", "_", "0", "-", "e", ".", "\u0663", "\u212a", "9" * 12, ":", "/",
    "3", "0:1", "3/16", "200", "all", "mask", "cls", ",", " ", "cpu", "egl", "egl:0", "\0", "\n",
])  # fmt: skip


@pytest.mark.parametrize("option", OPTIONS)
@fuzz(100)
@given(text=st.lists(PIECES, max_size=5).map("".join) | st.text(max_size=20))
def test_options_of_other_texts(box, option, text):
    box.note(option, outcome(OPTIONS[option], text))
