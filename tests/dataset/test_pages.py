"""A data set's own pages: index, card, preview, reports."""

import io
import json
import re

import numpy as np
import pytest
from PIL import Image
from specs import folder, generated, samples_of, spec_of

from facegen.dataset import encoding
from facegen.recipe.recipe import from_record
from facegen.sampling.prior import draw_theta, prior_of


def test_the_index_says_what_the_data_set_is(faces):
    index = json.loads((folder(faces) / "dataset.json").read_text())
    assert (index["count"], index["seed"], index["shard_size"]) == (20, 0, 8)
    assert index["layout"] == [
        ["rotation", 3], ["shape", 128], ["expression", 64], ["reflectance", 128],
        ["illumination", 27],
    ]  # fmt: skip
    assert index["model"] == {"name": faces.model.name, "sha256": faces.model.sha256}
    assert index["layers"] == sorted(set(encoding.LAYERS) - encoding.OF_PHOTOGRAPHS)
    assert [shard["samples"] for shard in index["shards"]] == [8, 8, 4]
    assert index["fingerprint"] == faces.fingerprint
    assert index["devices"][0].startswith("cpu")
    assert index["versions"]["numpy"] == np.__version__


def test_the_recipe_in_the_index_is_whole_and_makes_the_same_theta(faces):
    record = json.loads((folder(faces) / "dataset.json").read_text())["recipe"]
    again = from_record(record)
    assert again.fingerprint == faces.recipe.fingerprint
    theta = draw_theta(prior_of(again, faces.layout), 0, np.array([3]))[0]
    np.testing.assert_array_equal(theta, samples_of(faces)[3]["theta.npy"])


def test_the_reports_say_how_long_each_stage_took(faces):
    report = json.loads((folder(faces) / "train-000000.json").read_text())
    stages = {"sample", "dress", "evaluate", "render", "finish", "encode", "write"}
    assert set(report["seconds"]) == stages
    assert all(seconds >= 0 for seconds in report["seconds"].values())
    assert report["fingerprint"] == faces.fingerprint


def test_the_card_tells_the_hub_where_the_data_is(faces):
    card = (folder(faces) / "README.md").read_text()
    head = card.split("---")[1]
    assert "split: train" in head
    assert "path: train-*.tar" in head
    assert "n<1K" in head
    for phrase in ("20 synthetic faces of 64 x 64", "| expression | 64 | 131 |", "Seed: 0"):
        assert phrase in card


def test_the_preview_shows_the_faces_in_rows_of_eight(faces):
    sheet = np.asarray(Image.open(io.BytesIO((folder(faces) / "preview.jpg").read_bytes())))
    assert sheet.shape == (3 * 240, 8 * 240, 3)
    first = Image.fromarray(samples_of(faces)[0]["png"])
    large = np.asarray(first.resize((240, 240), Image.Resampling.LANCZOS))
    assert abs(sheet[:240, :240].astype(int) - large).mean() < 6
    assert (sheet[500:, 4 * 240 + 20 :] > 250).all()


def test_nothing_else_lies_in_the_folder(faces):
    names = {path.name for path in folder(faces).iterdir()}
    shards = {f"train-{i:06d}.{suffix}" for i in range(3) for suffix in ("tar", "json")}
    assert names == shards | {"dataset.json", "README.md", "preview.jpg"}


@pytest.mark.filterwarnings(
    "ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning"
)
@pytest.mark.parametrize("layers", ["", "depth,mask"])
def test_the_card_shows_code_that_reads_the_data_set(ellipsoid_file, tmp_path, layers, monkeypatch):
    spec = generated(spec_of(ellipsoid_file, tmp_path / "set", layers=layers))
    card = (folder(spec) / "README.md").read_text()
    monkeypatch.chdir(folder(spec))
    own, others = re.findall(r"```python\n(.*?)```", card, re.S)
    scope, other_scope = {}, {}
    exec(own, scope)
    exec(others, other_scope)
    last = samples_of(spec)[6]
    np.testing.assert_array_equal(scope["image"], samples_of(spec)[-1]["png"])
    np.testing.assert_array_equal(other_scope["image"], last["png"])
    assert ("16 bits" in card) == bool(layers)
    if layers:
        np.testing.assert_array_equal(other_scope["depth"], np.float32(last["depth.png"]) / 10)
