"""Photographs, their landmarks and boxes, and checkpoints, spoilt."""

import io
import json

import torch
from fuzzing import fuzz
from hypothesis import example, given
from hypothesis import strategies as st
from spoiling import altered
from valid_files import PICTURES, spoilt, valid


@fuzz(80)
@example({"a": [1, 2, 3, 10**400]})
@example({"a": [1, 2, 3, 1e300]})
@given(table=altered({"a.jpg": [1, 2, 3, 4], "b": [[1.5, 2], [3, 4]] * 34}))
def test_points_of_other_tables(box, table):
    box.check("points", json.dumps(table).encode(), "points.json")


@fuzz(40)
@given(
    data=spoilt("boxes", "csv", "pts", "npy", "utf_16"),
    name=st.sampled_from(["points.json", "points.csv", "points.pts", "points.npy"]),
)
def test_points_of_other_bytes(box, data, name):
    box.check("points", data, name)


@fuzz(60)
@given(data=spoilt("png", "jpg", "webp", *PICTURES))
def test_images_of_other_bytes(box, data):
    box.check("image", data)


@fuzz(40)
@given(data=spoilt("list") | st.binary(max_size=99))
def test_lists_of_images_of_other_bytes(box, data):
    box.check("image list", data, "list.txt")


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
    check_facts(box, lambda facts: data.draw(altered(facts)))


def check_facts(box, change):
    content = torch.load(io.BytesIO(valid("checkpoint")), weights_only=True)
    facts = change(json.loads(content["facts"]))
    torch.save(content | {"facts": json.dumps(facts)}, box.folder / "file")
    box.check("checkpoint", None)
