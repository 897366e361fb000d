"""The page that shows a data set, and the table of its labels."""

import io
import re
import sys
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image
from specs import generated, read_tar, spec_of

from facegen.cli.inspection import report_command
from facegen.dataset.index import open_spec
from facegen.dataset.spec import DatasetSpec
from facegen.dataset.stores.opening import open_store
from facegen.errors import DatasetError, FacegenError
from facegen.inspection import charts, report, skin
from facegen.inspection import page as report_page
from facegen.inspection.labels_table import write_labels
from facegen.inspection.verify import verify
from facegen.recipe.distributions import Constant, Mixture, Normal, Uniform

VOID = {"meta", "img", "br", "rect", "path", "circle", "polyline"}


def unwatched(samples):
    """Nobody watches."""


@pytest.fixture(scope="module")
def made(ellipsoid_file, tmp_path_factory):
    """The spec of 40 faces in 4 shards of two splits, whose names need escaping."""
    out = tmp_path_factory.mktemp("report") / "a <b> & c"
    changes = {"splits": {"test": 0.25, "train": 0.75}}
    spec = spec_of(
        ellipsoid_file,
        out,
        changes=changes,
        count=40,
        shard_size=10,
        layers="cls",
    )
    return generated(spec)


@pytest.fixture(scope="module")
def facts(made):
    """What the page shows."""
    store = open_store(made.out)
    spec = open_spec(store, DatasetSpec(model=made.model.path, device="cpu"))
    return report.gather(spec, store, spec.load_model())


@pytest.fixture(scope="module")
def page(facts):
    """The page."""
    return report_page.page(facts)


class Reader(HTMLParser):
    """Reads a page, and minds that what is opened is closed."""

    def __init__(self):
        super().__init__()
        self.open, self.texts, self.sources = [], [], []

    def handle_starttag(self, tag, attrs):
        self.sources += [value for name, value in attrs if name in ("src", "href", "xlink:href")]
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        if tag not in VOID:
            assert self.open.pop() == tag

    def handle_data(self, data):
        self.texts.append(data)


@pytest.fixture(scope="module")
def read(page):
    reader = Reader()
    reader.feed(page)
    return reader


def test_the_page_is_well_formed_and_fetches_nothing(page, read):
    assert read.open == []
    assert len(read.sources) == 1
    assert read.sources[0].startswith("data:image/jpeg;base64,")
    assert not re.search(r"https?:|url\(|@import|<script", page)


def test_the_page_escapes_names(read):
    assert "a <b> & c" in read.texts


def test_the_page_says_what_the_data_set_is(made, read):
    text = " ".join(read.texts)
    for message in (
        made.fingerprint,
        made.model.sha256,
        made.recipe.fingerprint,
        "test 10, train 30",
        "cpu ",
    ):
        assert message in text
    for shard in made.shards:
        assert shard.name in text


def test_there_is_a_panel_for_each_distribution_in_the_order_of_theta(facts):
    names = [panel.name for panel in facts.panels]
    assert names[:3] == ["pitch", "yaw", "roll"]
    assert names[3:] == [
        "shape 0–4",
        "expression 0",
        "expression 1–3",
        "reflectance 0–5",
        "illumination 0",
        "illumination 1–8",
    ]
    widths = [len(panel.values) / 40 for panel in facts.panels]
    assert widths == [1, 1, 1, 5, 1, 3, 6, 3, 24]


def test_values_agree_with_what_is_stated(facts):
    for panel in facts.panels:
        error = panel.stated.sd / np.sqrt(len(panel.values))
        assert abs(panel.values.mean() - panel.stated.mean) < 5 * error
    assert np.abs(facts.errors).max() < 5


def test_brightness_is_that_of_the_images(made, facts):
    images = [sample["png"] for sample in samples_in(made)]
    expected = [np.asarray(Image.fromarray(p).convert("L")).mean() for p in images]
    assert np.allclose(np.sort(facts.gathered.brightness), np.sort(expected))


def samples_in(spec):
    """All samples of all splits."""
    return [s for tar in sorted(Path(spec.out).glob("*.tar")) for s in read_tar(tar).values()]


def test_light_from_the_camera_is_at_the_centre_and_from_behind_at_the_rim(facts):
    def place(direction):
        theta = np.zeros((1, facts.spec.layout.width), np.float32)
        illumination = facts.spec.layout.unpack(theta).illumination
        illumination[0, [3, 1, 2]] = np.array(direction, np.float32)[:, None]
        illumination[0, 0] = 1
        moved = report.Gathered(np.zeros(1, np.int64), theta, np.zeros(1), b"")
        x, y, brightness = report.light(
            report.Facts(facts.spec, {}, [], moved, [], None, None),
        )
        assert np.isclose(brightness[0], 0.886227)
        return float(x[0]), float(y[0])

    assert np.allclose(place((0, 0, 1)), (0, 0))
    assert np.allclose(place((1, 0, 0)), (np.sqrt(0.5), 0))
    assert np.allclose(place((0, 1, 0)), (0, np.sqrt(0.5)))
    assert np.isclose(np.hypot(*place((1e-3, 0, -1))), 1, atol=1e-3)


@pytest.mark.parametrize(
    ("srgb", "lab"),
    [
        ((1, 1, 1), (100, 0, 0)),
        ((0, 0, 0), (0, 0, 0)),
        ((1, 0, 0), (53.24, 80.09, 67.20)),
        ((0, 0, 1), (32.30, 79.19, -107.86)),
        ((119 / 255,) * 3, (50.03, 0, 0)),
    ],
)
def test_lab_is_the_known_one(srgb, lab):
    assert np.allclose(skin.lab(np.array(srgb, float)), lab, atol=0.03)


@pytest.mark.parametrize(
    ("rgb", "name"),
    [
        ((0xF6, 0xED, 0xE4), "very light"),
        ((0xD7, 0xBD, 0x96), "light"),
        ((0xA0, 0x7E, 0x56), "tan"),
        ((0x60, 0x41, 0x34), "dark"),
        ((0x29, 0x24, 0x20), "dark"),
    ],
)
def test_skin_tones_have_their_class(rgb, name):
    colour = np.array([rgb]) / 255
    tones = skin.Tones(skin.typology_angle(skin.lab(colour)), colour)
    shares = {class_name: share for class_name, share, _ in tones.by_class()}
    assert shares[name] == 1
    assert sum(shares.values()) == 1


def test_a_model_that_labels_no_skin_has_no_tones(ellipsoid):
    bare = replace(ellipsoid, segmentation=np.zeros_like(ellipsoid.segmentation))
    assert skin.tones(bare, np.zeros((3, 6), np.float32)) is None


@pytest.mark.parametrize(
    "stated",
    [
        Constant(0.3),
        Uniform(-1, 1),
        Normal(5, 0.1),
        Mixture((0.5, 0.5), (Constant(0), Normal(0, 1))),
    ],
    ids=lambda d: type(d).__name__,
)
def test_a_histogram_can_be_drawn_of_anything(stated):
    values = stated.ppf(np.random.default_rng(0).uniform(size=100))
    chart = charts.histogram(values, stated)
    assert chart.count("<rect") > 0
    assert "nan" not in chart
    assert "inf" not in chart
    assert report_page.distribution_text(stated, 1.0)


@pytest.mark.parametrize(("low", "high"), [(-43.2, 43.2), (0.0, 1e-6), (1e9, 1.1e9), (-5, -4.9)])
def test_ticks_are_few_and_inside(low, high):
    ticks = charts.ticks(low, high)
    assert 2 <= len(ticks) <= 7
    assert low <= min(ticks) < max(ticks) <= high


def test_the_command_writes_the_page_into_the_data_set(made):
    out = Path(made.out)
    result = CliRunner().invoke(report_command, [made.out, "--model", str(made.model.path)])
    assert result.exit_code == 0, result.output
    assert (out / "report.html").read_text("utf-8").startswith("<!doctype html>")
    store = open_store(made.out)
    spec = open_spec(store, DatasetSpec(model=made.model.path, device="cpu"))
    verdict = verify(spec, store, 0, unwatched)
    assert verdict.ok
    assert not verdict.warnings


def test_the_page_of_a_part_is_shown_and_an_empty_one_refused(made, ellipsoid_file, tmp_path):
    spec = generated(spec_of(ellipsoid_file, tmp_path / "part", shard_size=5, shards="1:2"))
    store, model = open_store(spec.out), spec.load_model()
    whole = open_spec(store, DatasetSpec(model=spec.model.path, device="cpu"))
    assert "of 20 faces" in report_page.page(report.gather(whole, store, model))
    (tmp_path / "part" / "train-000001.json").unlink()
    with pytest.raises(DatasetError, match="no shard is complete"):
        report.gather(whole, store, model)


def test_labels_become_a_table(made, tmp_path):
    parquet = pytest.importorskip("pyarrow.parquet")
    path = tmp_path / "labels.parquet"
    written = []
    write_labels(made, open_store(made.out), path, written.append)
    table = parquet.read_table(path).to_pydict()
    samples = samples_in(made)
    assert sum(written) == len(samples) == len(table["key"]) == 40
    by_index = {sample["json"]["index"]: sample for sample in samples}
    for row, index in enumerate(table["index"]):
        sample = by_index[index]
        groups = np.concatenate([table[g.name][row] for g in made.layout.groups])
        assert np.array_equal(groups.astype(np.float32), sample["theta.npy"])
        assert np.allclose(table["K"][row], np.ravel(sample["json"]["K"]))
        assert table["identity"][row] == sample["json"]["identity"]
        assert table["split"][row] == table["shard"][row].split("-")[0]
    assert table["parent_row"] == [None] * 40
    assert not list(tmp_path.glob("*.partial"))


def test_without_pyarrow_one_line_says_what_to_install(made, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(FacegenError, match=r"facegen\[parquet\]"):
        write_labels(made, open_store(made.out), tmp_path / "labels.parquet", unwatched)


def test_the_sheet_is_an_image_of_faces(facts):
    with Image.open(io.BytesIO(facts.gathered.sheet)) as sheet:
        assert sheet.format == "JPEG"
        assert sheet.width == 8 * 240
