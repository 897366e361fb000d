"""A data set of photographs is proved, and a label that says what was not drawn is found."""

import json
import shutil
from dataclasses import replace

import pytest
from corruptions import SHARD, edit_label, rewrite
from specs import folder, generated, samples_of, spec_of

from facegen.dataset.index import open_spec
from facegen.dataset.labels import decode_label
from facegen.dataset.spec import DatasetSpec
from facegen.dataset.stores.opening import open_store
from facegen.generation.engines.local import LocalEngine
from facegen.generation.progress import Unwatched
from facegen.generation.run import run
from facegen.inspection import verify
from facegen.inspection.checks.labels import stated_faults

COUNT, ALL = 8, None
FIELDS = {"base": "natural", "count": COUNT, "shard_size": 4, "layers": "mask,landmarks"}


@pytest.fixture(scope="module")
def photographs(tmp_path_factory):
    """8 photographs of 48 pixels in 2 shards."""
    out = tmp_path_factory.mktemp("photographs") / "set"
    return generated(spec_of("generic", out, {"image": {"size": 48, "format": "jpg"}}, **FIELDS))


@pytest.fixture(scope="module")
def labels(photographs):
    """What each one's json says."""
    return [sample["json"] for sample in samples_of(photographs)]


@pytest.fixture
def spoilt(photographs, tmp_path):
    """A copy of the folder to tamper with."""
    return shutil.copytree(folder(photographs), tmp_path / "copy")


def verdict_of(path, rerender=0):
    """What a stranger finds in the folder."""
    store = open_store(str(path))
    asked = DatasetSpec(model="generic", device="cpu", workers=1)
    return verify.verify(open_spec(store, asked), store, rerender, lambda samples: None)


def test_photographs_are_proved_by_rendering_each_again(photographs):
    verdict = verdict_of(folder(photographs), ALL)
    assert verdict.ok, verdict.faults
    checks = " ".join(str(check) for check in verdict.checks)
    assert f"{COUNT} of {COUNT} equal in every byte" in checks


def test_a_run_of_photographs_that_was_cut_off_goes_on_to_the_same_bytes(photographs, spoilt):
    first, second = sorted(spoilt.glob("*.tar"))
    second.write_bytes(second.read_bytes()[:1000])
    first.unlink()
    (spoilt / "dataset.json").unlink()
    rest = replace(photographs, out=str(spoilt), workers=2)
    run(rest, LocalEngine(), Unwatched())
    made, whole = (sorted(path.glob("*.tar")) for path in (spoilt, folder(photographs)))
    assert [path.read_bytes() for path in made] == [path.read_bytes() for path in whole]


def retouched(label):
    label["image"]["exposure"] += 0.25


def unknown_setting(label):
    label["image"]["filter"] = 1.0


def other_noise(label):
    label["image"]["noise_seed"] += 1


def undressed(label):
    label["attire"].pop("clothes")


def other_clothes(label):
    label["attire"]["clothes"] = "armour"


def other_lens(label):
    label["lens"]["k1"] += 0.01


WRONG = {
    retouched: "image exposure is",
    unknown_setting: "image filter is 1.0, should be None",
    other_noise: "image noise_seed is",
    undressed: "attire clothes is None",
    other_clothes: "attire clothes is armour",
    other_lens: "lens k1 is",
}


@pytest.mark.parametrize(("edit", "words"), WRONG.items(), ids=[edit.__name__ for edit in WRONG])
def test_what_was_not_drawn_is_named(labels, edit, words):
    label = next(label for label in labels if "clothes" in label["attire"])
    other = json.loads(json.dumps(label))
    edit(other)
    drawn, stored = (decode_label(json.dumps(one).encode()) for one in (label, other))
    assert not list(stated_faults(drawn, drawn))
    assert words in next(stated_faults(stored, drawn))


@pytest.mark.parametrize("edit", [retouched, other_clothes])
def test_a_label_of_another_photograph_is_found(spoilt, edit):
    key = f"{5:010}"

    def change(samples):
        label = json.loads(samples[key]["json"])
        edit(label)
        edit_label(samples, key, **label)

    rewrite(spoilt, SHARD, change)
    verdict = verdict_of(spoilt)
    assert {(fault.check, fault.where) for fault in verdict.faults} == {("labels", SHARD)}
    assert f"sample {key}: {WRONG[edit]}" in verdict.faults[0].message


def test_another_photograph_is_found_by_rendering_again(spoilt):
    def swap(samples):
        a, b = samples[f"{5:010}"], samples[f"{7:010}"]
        a["jpg"], b["jpg"] = b["jpg"], a["jpg"]

    rewrite(spoilt, SHARD, swap)
    assert verdict_of(spoilt).ok
    assert {fault.check for fault in verdict_of(spoilt, ALL).faults} == {"images"}
