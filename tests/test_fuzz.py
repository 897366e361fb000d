"""Whatever a user hands over is read, or refused in one line: no traceback, no hang, no crash.

Every reader is given spoilt inputs, always the same ones; FACEGEN_FUZZ=20000 gives each twenty
thousand new ones (the long form), and pytest's report ends with how many there were.
"""

import io
import json
import os
import tarfile
import tempfile
from functools import cache
from pathlib import Path

import basel_files
import click
import foreign_models as write
import fuzzing
import numpy as np
import pytest
import synthetic
from hypothesis import HealthCheck, Phase, example, given, settings
from hypothesis import strategies as st
from jobs import job_of
from PIL import Image

from facegen import dataset, estimates, layers, recipe, shards
from facegen.cli import Count
from facegen.job import parse_part
from facegen.renderers import devices

FUZZ = int(os.environ.get("FACEGEN_FUZZ", "0"))
TRUTH = write.truth(*synthetic.ellipsoid(3, 4), landmarks=np.arange(68) % 10)
FOREIGN = ("basel", "basel_2009", "basel_2009_as_73", "face3d", "lyhm", "flame_pkl", "flame_npz",
           "gnm", "eos", "eos_h5", "obj", "ply")  # fmt: skip


def fuzz(few):
    """So many inputs, always the same; in the long form FACEGEN_FUZZ new ones."""
    return settings(
        max_examples=FUZZ or few,
        derandomize=not FUZZ,
        database=None,
        deadline=None,
        report_multiple_bugs=False,
        phases=set(Phase) - {Phase.explain},
        suppress_health_check=list(HealthCheck),
    )


@pytest.fixture(scope="module")
def box(request, tmp_path_factory):
    """The process that reads, and its folder."""
    box = fuzzing.Sandbox(tmp_path_factory.mktemp("fuzz"))
    if FUZZ:
        request.config.pluginmanager.register(fuzzing.Summary(box.counts))
    yield box
    box.close()


@cache
def valid(kind):
    """The bytes of a small valid file."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "valid.npz"
        MAKERS.get(kind, lambda path: getattr(write, kind)(path, TRUTH))(path)
        return path.read_bytes()


def spoilt(*kinds):
    """Valid files of these kinds, spoilt."""
    return st.sampled_from(kinds).flatmap(lambda kind: fuzzing.spoilt(valid(kind)))


def write_estimates(path):
    origin = estimates.Origin((("shape", 2),), "generic", "0" * 64, "a test")
    theta = np.arange(6, dtype=np.float32).reshape(3, 2)
    estimates.write(path, estimates.Estimates(theta, ("a", "b", "ü"), np.ones(3), origin))


def write_picture(path, kind):
    Image.fromarray(np.arange(3072, dtype=np.uint8).reshape(32, 32, 3)).save(path, kind)


def write_shard(path):
    sample = {"png": b"a picture", "theta.npy": bytes(300), "json": b"{}"}
    data = b"".join(
        shards.header(f"{key:010d}.{suffix}", len(value)) + value + bytes(-len(value) % 512)
        for key in range(3)
        for suffix, value in sample.items()
    )
    path.write_bytes(data + bytes(1024))


def write_checkpoint(path):
    from facegen.learning import checkpoint
    from facegen.learning.networks import FaceNet, NetworkConfig

    layout, table = synthetic.model().layout, recipe.load("inversefacenet").table
    config = NetworkConfig("resnet18", 0.01, 24, layout.width)
    known = {
        "network": vars(config),
        "recipe": {"name": "inversefacenet", **table},
        "layout": layout.to_json(),
        "model": {"name": "ellipsoid", "sha256": "0" * 64},
        "weights": {"shape": 1.0},
        "settings": {"seed": 3},
        "step": 12,
    }
    network = FaceNet(config, *np.ones((2, layout.width), np.float32))
    checkpoint.save(path, checkpoint.Checkpoint(network, checkpoint.Facts(**known), {}))


EMBEDDING = {"full_lmk_faces_idx": np.zeros((1, 68), np.int64),
             "full_lmk_bary_coords": np.ones((68, 3))}  # fmt: skip
MAKERS = {
    "estimates": write_estimates,
    "model": lambda path: basel_files.write(path, synthetic.model(12, 12, (2, 2, 2))),
    "shard": write_shard,
    "pax": lambda path: fuzzing.write_foreign_shard(path, tarfile.PAX_FORMAT),
    "gnu": lambda path: fuzzing.write_foreign_shard(path, tarfile.GNU_FORMAT),
    "checkpoint": write_checkpoint,
    "png": lambda path: write_picture(path, "PNG"),
    "jpg": lambda path: write_picture(path, "JPEG"),
    "webp": lambda path: write_picture(path, "WEBP"),
    "recipe": lambda path: path.write_text(recipe.source("inversefacenet")),
    "boxes": lambda path: path.write_text(json.dumps({"a": [1, 2, 30, 40], "b": [[1, 2]] * 67})),
    "csv": lambda path: path.write_text('key,x0,y0,x1,y1\na,1,2,30,40\n"b",1,2,3,4.5\n'),
    "numbers": lambda path: path.write_text("\n".join(map(str, range(68)))),
    "pairs": lambda path: path.write_text("3 0.5 4 0.5 # a mouth\n" * 68),
    "embedding": lambda path: (
        np.save(path.with_suffix(".npy"), EMBEDDING, allow_pickle=True)
        or path.with_suffix(".npy").rename(path)
    ),
}
REPORT = {"name": "train-000000", "start": 0, "stop": 8, "bytes": 10240, "sha256": "0" * 64,
          "digest": "0" * 64, "device": "cpu", "seconds": {"render": 1.5}}  # fmt: skip


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
@given(data=fuzzing.altered(recipe.load("inversefacenet").table).map(fuzzing.document))
def test_recipes_of_other_tables(box, data):
    box.check("recipe", data, "recipe.toml")


@fuzz(60)
@given(data=spoilt("recipe") | st.binary(max_size=99))
def test_recipes_of_other_bytes(box, data):
    box.check("recipe", data, "recipe.toml")


HDF5 = {"estimates": "estimates", "model": "model", "basel": "foreign model",
        "eos_h5": "foreign model", "basel_2009_as_73": "foreign model"}  # fmt: skip


@pytest.mark.parametrize("kind", HDF5)
@fuzz(40)
@example([(2, ("array", np.full((3, 2), 1e300)))])
@given(choices=st.lists(st.tuples(st.integers(0, 99), fuzzing.NODES), min_size=1, max_size=3))
def test_hdf5_files_of_other_contents(box, kind, choices):
    path = box.folder / "file.h5"
    path.write_bytes(valid(kind))
    keys = fuzzing.places(path)
    for number, node in choices:
        fuzzing.put(path, keys[number % len(keys)], *node)
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


@pytest.mark.parametrize("what", FAILED)
def test_models_that_failed_once(box, what):
    kind, (place, new) = FAILED[what]
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
@given(data=spoilt("numbers", "pairs"))
def test_landmarks_of_other_bytes(box, data):
    box.check("landmarks", data, "landmarks.txt")


@fuzz(60)
@given(data=spoilt("embedding"))
def test_landmark_embeddings_of_other_bytes(box, data):
    box.check("landmarks", data, "landmarks.npy")


BACKWARDS = shards.header("0.jpg", 0).replace(b"0" * 11, b"-0000001000", 1)


@fuzz(80)
@example(BACKWARDS * 2)
@given(data=spoilt("shard", "pax", "gnu"))
def test_shards_of_other_bytes(box, data):
    box.check("tar", data)
    box.check("streamed tar", data)


@fuzz(80)
@example(REPORT | {"a\nb": 1})
@given(table=fuzzing.altered(REPORT))
def test_shard_reports_of_other_tables(box, table):
    box.check("shard report", json.dumps(table).encode(), "train-000000.json")


@fuzz(40)
@given(data=fuzzing.spoilt(json.dumps(REPORT).encode()))
def test_shard_reports_of_other_bytes(box, data):
    box.check("shard report", data, "train-000000.json")


@pytest.fixture(scope="module")
def index(box, ellipsoid_file):
    """What dataset.json says of a data set of the small model."""
    table = dataset.index(job_of(ellipsoid_file, box.folder, devices=("cpu",)), [])
    return table | {"model": table["model"] | {"name": str(ellipsoid_file)}}


@pytest.mark.parametrize(
    "changes", [{"estimates": 5}, {"count": 10**10, "shard_size": 1}, {"seed": -1}]
)
def test_indices_that_failed_once(box, index, changes):
    box.check("dataset.json", json.dumps(index | changes).encode(), "dataset.json")


@fuzz(150)
@given(data=st.data())
def test_indices_of_other_tables(box, index, data):
    table = data.draw(fuzzing.altered(index))
    box.check("dataset.json", json.dumps(table).encode(), "dataset.json")


@fuzz(40)
@given(data=st.data())
def test_indices_of_other_bytes(box, index, data):
    spoilt = fuzzing.spoilt(json.dumps(index).encode())
    box.check("dataset.json", data.draw(spoilt), "dataset.json")


@fuzz(80)
@example({"a": [1, 2, 3, 10**400]})
@example({"a": [1, 2, 3, 1e300]})
@given(table=fuzzing.altered({"a.jpg": [1, 2, 3, 4], "b": [[1.5, 2], [3, 4]] * 34}))
def test_points_of_other_tables(box, table):
    box.check("points", json.dumps(table).encode(), "points.json")


@fuzz(40)
@given(data=spoilt("boxes", "csv"), name=st.sampled_from(["points.json", "points.csv"]))
def test_points_of_other_bytes(box, data, name):
    box.check("points", data, name)


@fuzz(60)
@given(data=spoilt("png", "jpg", "webp"))
def test_pictures_of_other_bytes(box, data):
    box.check("picture", data)


@fuzz(40)
@given(data=spoilt("checkpoint"))
def test_checkpoints_of_other_bytes(box, data):
    box.check("checkpoint", data)


def test_a_small_checkpoint_of_a_large_network(box):
    network = {"name": "alexnet", "width": 4.0, "size": 2048, "outputs": 100_000}
    layout = [["rotation", 3], ["shape", 99_970], ["expression", 0], ["reflectance", 0]]
    check_facts(box, lambda facts: facts | {"network": network, "layout": layout})


@fuzz(60)
@given(data=st.data())
def test_checkpoints_of_other_facts(box, data):
    check_facts(box, lambda facts: data.draw(fuzzing.altered(facts)))


def check_facts(box, change):
    import torch

    content = torch.load(io.BytesIO(valid("checkpoint")), weights_only=True)
    facts = change(json.loads(content["facts"]))
    torch.save(content | {"facts": json.dumps(facts)}, box.folder / "file")
    box.check("checkpoint", None)


def count(text):
    """A count, its refusal being click's."""
    try:
        Count().convert(text, None, None)
    except click.BadParameter as error:
        raise fuzzing.FacegenError(error.message) from None


OPTIONS = {
    "--count": count,
    "--layers": layers.parse,
    "--shards": lambda text: parse_part(text, 200),
    "--device": devices.parse,
}
WORDS = st.sampled_from([
    "1", "1.5", "k", "M", "G", "_", "0", "-", "e", ".", "\u0663", "\u212a", "9" * 12, ":", "/",
    "3", "0:1", "3/16", "200", "all", "mask", "cls", ",", " ", "cpu", "egl", "egl:0", "\0", "\n",
])  # fmt: skip


@pytest.mark.parametrize("option", OPTIONS)
@fuzz(100)
@given(text=st.lists(WORDS, max_size=5).map("".join) | st.text(max_size=20))
def test_options_of_other_texts(box, option, text):
    box.note(option, fuzzing.outcome(OPTIONS[option], text))
