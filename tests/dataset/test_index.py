"""dataset.json: written and read in one room, and refused in one line where it is another's."""

import json
import shutil

import pytest
from click.testing import CliRunner
from specs import folder

from facegen.cli.main import main
from facegen.dataset.index import ON_CPU, index_of, open_spec, read_index
from facegen.dataset.report import read_report
from facegen.dataset.stores.opening import open_store
from facegen.errors import DatasetError


@pytest.fixture
def copy(faces, tmp_path):
    """A copy of the data set, to be changed."""
    return shutil.copytree(folder(faces), tmp_path / "copy")


def changed(copy, **changes):
    """The store of a copy whose dataset.json has these values."""
    path = copy / "dataset.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))
    return open_store(str(copy))


def test_what_is_written_is_read(faces):
    store = open_store(faces.out)
    reports = [read_report(store, shard.name) for shard in faces.shards]
    assert read_index(store) == index_of(faces, reports)


def test_a_data_set_is_opened_with_the_spec_it_was_made_by(faces):
    spec = open_spec(open_store(faces.out), ON_CPU)
    assert spec.fingerprint == faces.fingerprint
    assert (spec.count, spec.shards) == (faces.count, faces.shards)


COMMANDS = [
    ["verify", "OUT"],
    ["report", "OUT"],
    ["index", "OUT"],
    ["train", "OUT", "--out", "OUT/net.pt"],
    ["render", "--count", "20", "--out", "OUT", "--size", "64", "--format", "png"],
]


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command[0])
def test_a_data_set_of_format_1_is_refused_with_the_version_that_reads_it(copy, command):
    old = {"format": 1, "digest": "0" * 64, "layers": ["parts"]}
    changed(copy, **old)
    before = {path.name: path.read_bytes() for path in copy.iterdir()}
    options = [option.replace("OUT", str(copy)) for option in command]
    result = CliRunner().invoke(main, options)
    assert result.exit_code == 1
    message = result.output.splitlines()[-1]
    assert message.endswith(
        "dataset.json: has format 1, of facegen 0.1; read it with facegen 0.1.0"
    )
    assert {path.name: path.read_bytes() for path in copy.iterdir()} == before


def test_a_format_to_come_is_refused(copy):
    with pytest.raises(DatasetError, match="has format 3, not 2; use the facegen that wrote it"):
        read_index(changed(copy, format=3))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"more": 1}, "unknown field `more`"),
        ({"count": "20"}, r"`\$.count`"),
        ({"layers": ["parts"]}, "layers"),
        ({"shards": [{"name": "../x-000000", "samples": 1, "bytes": 1, "sha256": ""}]}, "regex"),
    ],
)
def test_an_index_that_says_something_else_is_refused_in_one_line(copy, changes, message):
    with pytest.raises(DatasetError, match=message) as caught:
        open_spec(changed(copy, **changes), ON_CPU)
    assert f"{copy}/dataset.json: " in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_report_with_an_unknown_field_is_refused(copy):
    path = copy / "train-000000.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"more": 1}))
    with pytest.raises(DatasetError, match=r"train-000000\.json: not a shard report: .*`more`"):
        read_report(open_store(str(copy)), "train-000000")
