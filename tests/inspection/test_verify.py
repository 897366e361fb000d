"""A data set that was tampered with is found out, and made whole again."""

import shutil
from dataclasses import replace
from pathlib import Path

import msgspec
import numpy as np
import pytest
from click.testing import CliRunner
from corruptions import (
    CORRUPTIONS,
    KEY,
    SHARD,
    edit_index,
    edited_camera,
    swapped,
    truncation,
    write_report,
)
from specs import generated, hashes, spec_in

from facegen.cli.inspection import parse_rerender, table, verify_command
from facegen.dataset.encoding import encode_image
from facegen.dataset.index import open_spec
from facegen.dataset.report import read_report
from facegen.dataset.spec import DatasetSpec
from facegen.dataset.stores.opening import open_store
from facegen.errors import FacegenError, UsageError
from facegen.inspection import verify
from facegen.inspection.checks.faults import CHECKS
from facegen.recipe.image import ImageFormat

ALL = None
MIXED = {
    "distribution": "mixture",
    "components": [
        {"weight": 0.6, "distribution": "normal", "mean": 0.0, "sd": 1.0},
        {"weight": 0.2, "distribution": "uniform", "low": -2.0, "high": 3.0},
        {"weight": 0.2, "distribution": "constant", "value": 0.3},
    ],
}


def unwatched(samples):
    """Nobody watches."""


def verdict_of(spec, rerender=0):
    """Open the data set as a stranger does, and verify it."""
    store = open_store(spec.out)
    return verify.verify(reopened(spec), store, rerender, unwatched)


def reopened(spec, **fields):
    """The spec as it is read from the data set."""
    given = DatasetSpec(model=spec.model.path, **({"device": "cpu", "workers": 1} | fields))
    return open_spec(open_store(spec.out), given)


def faults_of(verdict):
    """{(check, file)} of the faults."""
    return {(fault.check, fault.where) for fault in verdict.faults}


def heal(spec, rerender=0):
    """--fix, then render, then verify -> the last verdict."""
    store = open_store(spec.out)
    verify.remove_faulty(store, verdict_of(spec, rerender))
    generated(spec)
    return verdict_of(spec, rerender)


def test_a_clean_data_set_passes_with_every_face_rendered_again(clean):
    verdict = verdict_of(clean, ALL)
    assert verdict.ok
    assert not verdict.warnings
    assert {check.name for check in verdict.checks} == set(CHECKS)
    assert "40 of 40 equal in every byte" in table(verdict)


@pytest.mark.parametrize(
    ("corrupt", "check"), CORRUPTIONS.items(), ids=[f.__name__ for f in CORRUPTIONS]
)
def test_a_corruption_is_found_named_and_mended(clean, copy, corrupt, check):
    spec, folder = copy
    corrupt(folder)
    verdict = verdict_of(spec)
    where = {"index": "dataset.json"}.get(check, SHARD)
    names = faults_of(verdict)
    assert {(c, w.partition(".tar")[0]) for c, w in names} == {(check, where)}, table(verdict)
    assert heal(spec).ok
    assert hashes(folder) == hashes(Path(clean.out))


@pytest.mark.parametrize("suffix", ["png", "mask.png"])
def test_another_faces_image_is_found_by_rendering_again(clean, copy, suffix):
    spec, folder = copy
    swapped(suffix)(folder)
    assert verdict_of(spec).ok
    verdict = verdict_of(spec, ALL)
    assert faults_of(verdict) == {("images", SHARD)}
    assert suffix in verdict.faults[0].message
    assert KEY in verdict.faults[0].message
    assert heal(spec, ALL).ok
    assert hashes(folder) == hashes(Path(clean.out))


def test_a_shard_of_another_seed_is_found_though_its_report_is_true(copy, ellipsoid_file, tmp_path):
    spec, folder = copy
    generated(spec_in(tmp_path / "other", ellipsoid_file, seed=1))
    for suffix in ("tar", "json"):
        shutil.copy(tmp_path / "other" / f"{SHARD}.{suffix}", folder)
    verdict = verdict_of(spec)
    assert ("files", SHARD) in faults_of(verdict)
    assert "another recipe, model, seed or setting" in table(verdict)
    report = read_report(open_store(str(folder)), SHARD)
    write_report(folder, msgspec.structs.replace(report, fingerprint=spec.fingerprint))
    assert ("theta", SHARD) in faults_of(verdict_of(spec))
    assert heal(spec).ok


@pytest.mark.parametrize(
    "edit",
    [
        lambda index: index["recipe"]["rotation"]["yaw"].update(high_degrees=41),
        lambda index: index.update(seed=1),
        lambda index: index.update(layers=["mask"]),
        lambda index: index.update(count=35),
        lambda index: index.update(shard_size=20),
    ],
    ids=["recipe", "seed", "layers", "count", "shard size"],
)
def test_a_wrong_index_is_found_and_no_shard_is_blamed(copy, edit):
    spec, folder = copy
    edit_index(folder, edit)
    verdict = verdict_of(spec)
    assert faults_of(verdict) == {("index", "dataset.json")}
    assert not any(fault.remove for fault in verdict.faults)
    generated(spec)
    assert verdict_of(spec).ok


def test_an_index_whose_fingerprint_was_forged_with_its_recipe_is_found(copy):
    spec, folder = copy
    edit_index(folder, lambda index: index.update(seed=1))
    forged = replace(spec, seed=1).fingerprint
    edit_index(folder, lambda index: index.update(fingerprint=forged))
    verdict = verdict_of(spec)
    assert faults_of(verdict) == {("index", "dataset.json")}
    assert "none of the shards" in verdict.faults[0].message


@pytest.mark.parametrize("text", ["", "{", "[]", '{"format": 1}', '{"format": 2}', "[" * 10**5])
def test_an_index_that_is_none_is_one_line(copy, text):
    spec, folder = copy
    (folder / "dataset.json").write_text(text)
    with pytest.raises(FacegenError, match=r"dataset\.json"):
        verdict_of(spec)


def test_another_model_is_refused(copy, clean):
    spec, folder = copy
    edit_index(folder, lambda index: index["model"].update(sha256="0" * 64))
    with pytest.raises(FacegenError, match="another face model"):
        verdict_of(spec)


def test_a_foreign_file_is_a_warning(copy):
    spec, folder = copy
    (folder / "notes.txt").write_text("mine")
    (folder / "preview.jpg").unlink()
    verdict = verdict_of(spec)
    assert verdict.ok
    assert {fault.where for fault in verdict.warnings} == {"notes.txt", "preview.jpg"}


def test_several_processes_find_the_same(copy):
    spec, folder = copy
    edited_camera(folder)
    (folder / "train-000003.tar").unlink()
    store = open_store(spec.out)
    verdict = verify.verify(reopened(spec, workers=2), store, 4, unwatched)
    assert faults_of(verdict) == {("labels", SHARD), ("files", "train-000003")}


def test_identities_splits_and_backgrounds_are_verified(ellipsoid_file, tmp_path):
    images = tmp_path / "images"
    images.mkdir()
    (images / "a.jpg").write_bytes(jpeg())
    changes = {
        "identities": 6,
        "samples_per_identity": 4,
        "splits": {"test": 0.5, "train": 0.5},
        "reflectance": MIXED,
    }
    spec = spec_in(
        tmp_path / "identities",
        ellipsoid_file,
        changes=changes,
        count=24,
        layers="cls",
        backgrounds=images,
    )
    generated(spec)
    store = open_store(spec.out)
    assert verify.verify(reopened(spec, backgrounds=images), store, ALL, unwatched).ok
    verdict = verify.verify(reopened(spec), store, ALL, unwatched)
    assert verdict.ok
    assert "skipped: give --backgrounds" in table(verdict)
    (images / "a.jpg").write_bytes(jpeg() + b"0")
    with pytest.raises(FacegenError, match="not the images"):
        reopened(spec, backgrounds=images)


def jpeg():
    """A small image."""
    return encode_image(np.full((40, 40, 3), 99, np.uint8), ImageFormat(40, "jpg", 90))


def test_the_command_says_what_is_wrong_and_exits_1(copy):
    spec, folder = copy
    arguments = [str(folder), "--model", str(spec.model.path), "--device", "cpu", "--workers", "1"]
    clean = CliRunner().invoke(verify_command, [*arguments, "--rerender", "4"])
    assert clean.exit_code == 0, clean.output
    assert "All is as it should be" in clean.output
    truncation(folder)
    wrong = CliRunner().invoke(verify_command, [*arguments, "--rerender", "0", "--fix"])
    assert wrong.exit_code == 1
    assert f"bytes: {SHARD}:" in wrong.output
    assert f"Removed 2 files: {SHARD}.json, {SHARD}.tar" in wrong.output
    assert not (folder / f"{SHARD}.tar").exists()


def test_strict_takes_warnings_as_faults(copy):
    spec, folder = copy
    (folder / "notes.txt").write_text("mine")
    arguments = [str(folder), "--model", str(spec.model.path), "--device", "cpu", "--rerender", "0"]
    runner = CliRunner()
    assert runner.invoke(verify_command, [*arguments, "--workers", "1"]).exit_code == 0
    assert runner.invoke(verify_command, [*arguments, "--workers", "1", "--strict"]).exit_code == 1


@pytest.mark.parametrize("text", ["", "-1", "some", "٣", "1" * 11])
def test_rerender_is_a_number_or_all(text):
    with pytest.raises(UsageError, match="neither a number nor all"):
        parse_rerender(text)
