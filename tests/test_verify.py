"""A data set that was tampered with is found out, and made whole again."""

import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from corruptions import (
    CORRUPTIONS,
    KEY,
    SHARD,
    edit_index,
    edited_camera,
    missing_report,
    swapped,
    truncation,
    write_report,
)
from jobs import InProcess, hashes, job_of

from facegen import verify
from facegen.backgrounds import list_pictures
from facegen.commands_verify import parse_rerender, table, verify_command
from facegen.distributions import Constant, Mixture, Normal, Uniform
from facegen.errors import FacegenError, UsageError
from facegen.generate import generate
from facegen.layers import encode_image
from facegen.opened import read_job
from facegen.recipe import ImageFormat
from facegen.shards import read_report
from facegen.stores import open_store
from facegen.verify_priors import cell_edges, chi_square, fitted_weights, fuzz, ks_distance

ALL = None
MIXED = {
    "distribution": "mixture",
    "components": [
        {"weight": 0.6, "distribution": "normal", "mean": 0.0, "sd": 1.0},
        {"weight": 0.2, "distribution": "uniform", "low": -2.0, "high": 3.0},
        {"weight": 0.2, "distribution": "constant", "value": 0.3},
    ],
}


def quiet(samples):
    """Hear nothing."""


def job_in(folder, model, **facts):
    """A job of 40 faces in 4 shards, on the CPU."""
    facts = {
        "count": 40,
        "shard_size": 10,
        "devices": ("cpu",),
        "layers": "mask,landmarks",
        **facts,
    }
    return job_of(model, folder, **facts)


@pytest.fixture(scope="session")
def clean(ellipsoid_file, tmp_path_factory):
    """A finished data set."""
    job = job_in(tmp_path_factory.mktemp("verify") / "clean", ellipsoid_file)
    generate(job, InProcess(), quiet)
    return job


@pytest.fixture
def copy(clean, tmp_path):
    """A data set of its own to tamper with: (job, folder)."""
    folder = tmp_path / "copy"
    shutil.copytree(clean.out, folder)
    return replace(clean, out=str(folder)), folder


def verdict_of(job, rerender=0):
    """Open the data set as a stranger does, and verify it."""
    store = open_store(job.out)
    opened = read_job(store, str(job.model.path), devices=job.devices)
    return verify.verify(opened, store, rerender, quiet)


def found(verdict):
    """{(check, file)} of the faults."""
    return {(fault.check, fault.where) for fault in verdict.faults}


def heal(job, rerender=0):
    """--fix, then render, then verify -> the last verdict."""
    store = open_store(job.out)
    verify.remove_faulty(job, store, verdict_of(job, rerender))
    generate(job, InProcess(), quiet)
    return verdict_of(job, rerender)


def test_a_clean_data_set_passes_with_every_face_rendered_again(clean):
    verdict = verdict_of(clean, ALL)
    assert verdict.ok
    assert not verdict.warnings
    assert {check.name for check in verdict.checks} == set(verify.CHECKS)
    assert "40 of 40 equal in every byte" in table(verdict)


@pytest.mark.parametrize(
    ("corrupt", "check"), CORRUPTIONS.items(), ids=[f.__name__ for f in CORRUPTIONS]
)
def test_a_corruption_is_found_named_and_mended(clean, copy, corrupt, check):
    job, folder = copy
    corrupt(folder)
    verdict = verdict_of(job)
    where = {"index": "dataset.json"}.get(check, SHARD)
    names = found(verdict)
    assert {(c, w.partition(".tar")[0]) for c, w in names} == {(check, where)}, table(verdict)
    assert heal(job).ok
    assert hashes(folder) == hashes(Path(clean.out))


@pytest.mark.parametrize("suffix", ["png", "mask.png"])
def test_another_faces_picture_is_found_by_rendering_again(clean, copy, suffix):
    job, folder = copy
    swapped(suffix)(folder)
    assert verdict_of(job).ok
    verdict = verdict_of(job, ALL)
    assert found(verdict) == {("pictures", SHARD)}
    assert suffix in verdict.faults[0].fact
    assert KEY in verdict.faults[0].fact
    assert heal(job, ALL).ok
    assert hashes(folder) == hashes(Path(clean.out))


def test_a_shard_of_another_seed_is_found_though_its_report_is_true(copy, ellipsoid_file, tmp_path):
    job, folder = copy
    other = job_in(tmp_path / "other", ellipsoid_file, seed=1)
    generate(other, InProcess(), quiet)
    for suffix in ("tar", "json"):
        shutil.copy(tmp_path / "other" / f"{SHARD}.{suffix}", folder)
    verdict = verdict_of(job)
    assert ("files", SHARD) in found(verdict)
    assert "another recipe, model, seed or setting" in table(verdict)
    report = read_report(open_store(str(folder)), SHARD)
    write_report(folder, replace(report, digest=job.digest))
    assert ("theta", SHARD) in found(verdict_of(job))
    assert heal(job).ok


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
    job, folder = copy
    edit_index(folder, edit)
    verdict = verdict_of(job)
    assert found(verdict) == {("index", "dataset.json")}
    assert not any(fault.remove for fault in verdict.faults)
    generate(job, InProcess(), quiet)
    assert verdict_of(job).ok


def test_an_index_whose_digest_was_forged_with_its_recipe_is_found(copy):
    job, folder = copy
    edit_index(folder, lambda index: index.update(seed=1))
    forged = replace(job, seed=1).digest
    edit_index(folder, lambda index: index.update(digest=forged))
    verdict = verdict_of(job)
    assert found(verdict) == {("index", "dataset.json")}
    assert "none of the shards" in verdict.faults[0].fact


@pytest.mark.parametrize("text", ["", "{", "[]", '{"format": 1}', '{"format": 2}', "[" * 10**5])
def test_an_index_that_is_none_is_one_line(copy, text):
    job, folder = copy
    (folder / "dataset.json").write_text(text)
    with pytest.raises(FacegenError, match=r"dataset\.json"):
        verdict_of(job)


def test_another_model_is_refused(copy, clean):
    job, folder = copy
    edit_index(folder, lambda index: index["model"].update(sha256="0" * 64))
    with pytest.raises(FacegenError, match="another face model"):
        verdict_of(job)


def test_a_foreign_file_is_a_warning(copy):
    job, folder = copy
    (folder / "notes.txt").write_text("mine")
    shutil.copy(folder / "train-000000.tar", folder / "train-000009.tar")
    (folder / "preview.jpg").unlink()
    verdict = verdict_of(job)
    assert verdict.ok
    facts = {fault.where: fault.fact for fault in verdict.warnings}
    assert facts.keys() == {"notes.txt", "train-000009.tar", "preview.jpg"}
    assert "take for a shard" in facts["train-000009.tar"]


def test_several_processes_find_the_same(copy):
    job, folder = copy
    edited_camera(folder)
    (folder / "train-000003.tar").unlink()
    store = open_store(job.out)
    opened = read_job(store, str(job.model.path), devices=("cpu",), workers=2)
    verdict = verify.verify(opened, store, 4, quiet)
    assert found(verdict) == {("labels", SHARD), ("files", "train-000003")}


def test_identities_splits_and_backgrounds_are_verified(ellipsoid_file, tmp_path):
    pictures = tmp_path / "pictures"
    pictures.mkdir()
    (pictures / "a.jpg").write_bytes(jpeg())
    changes = {
        "identities": 6,
        "samples_per_identity": 4,
        "splits": {"test": 0.5, "train": 0.5},
        "reflectance": MIXED,
    }
    job = job_in(
        tmp_path / "people",
        ellipsoid_file,
        changes=changes,
        count=24,
        layers="cls",
        backgrounds=list_pictures(pictures),
    )
    generate(job, InProcess(), quiet)
    store = open_store(job.out)
    model = str(job.model.path)
    assert verify.verify(read_job(store, model, pictures), store, ALL, quiet).ok
    verdict = verify.verify(read_job(store, model), store, ALL, quiet)
    assert verdict.ok
    assert "skipped: give --backgrounds" in table(verdict)
    (pictures / "a.jpg").write_bytes(jpeg() + b"0")
    with pytest.raises(FacegenError, match="not the pictures"):
        read_job(store, model, pictures)


def jpeg():
    """A small picture."""
    return encode_image(np.full((40, 40, 3), 99, np.uint8), ImageFormat(40, "jpg", 90))


def test_the_command_says_what_is_wrong_and_exits_1(copy):
    job, folder = copy
    arguments = [str(folder), "--model", str(job.model.path), "--device", "cpu", "--workers", "1"]
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
    job, folder = copy
    (folder / "notes.txt").write_text("mine")
    arguments = [str(folder), "--model", str(job.model.path), "--device", "cpu", "--rerender", "0"]
    runner = CliRunner()
    assert runner.invoke(verify_command, [*arguments, "--workers", "1"]).exit_code == 0
    assert runner.invoke(verify_command, [*arguments, "--workers", "1", "--strict"]).exit_code == 1


def test_fix_removes_nothing_while_a_run_is_at_work(copy):
    job, folder = copy
    missing_report(folder)
    store = open_store(job.out)
    verdict = verdict_of(job)
    code = (
        "import sys; from facegen.stores import open_store\n"
        "with open_store(sys.argv[1]).claim(0, 4): print('held', flush=True); sys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code, str(folder)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as other:
        other.stdout.readline()
        with pytest.raises(FacegenError, match="another run"):
            verify.remove_faulty(job, store, verdict)
        other.stdin.close()
    assert verify.remove_faulty(job, store, verdict) == [f"{SHARD}.tar"]


@pytest.mark.parametrize("text", ["", "-1", "some", "٣", "1" * 11])
def test_rerender_is_a_number_or_all(text):
    with pytest.raises(UsageError, match="neither a number nor all"):
        parse_rerender(text)


DISTRIBUTIONS = [
    Normal(1.0, 2.0),
    Uniform(-12, 12),
    Constant(0.1),
    Mixture((0.6, 0.2, 0.2), (Normal(0.0, 1.0), Uniform(-2.0, 3.0), Constant(0.3))),
]


@pytest.mark.parametrize("distribution", DISTRIBUTIONS, ids=lambda d: type(d).__name__)
def test_draws_are_near_their_own_distribution_only(distribution):
    uniforms = np.random.default_rng(0).uniform(size=20_000)
    values = distribution.draw(uniforms).astype(np.float32)
    rounding = fuzz(values)
    near = ks_distance(distribution, values.astype(np.float64), rounding)
    far = ks_distance(distribution, values.astype(np.float64) * 1.1 + 0.02, rounding)
    assert near < 2 / np.sqrt(len(values))
    assert far > 2 * near


def test_a_mixture_with_other_weights_is_told_apart():
    """Scalismo's way, a new component for each draw of another: 0.6/0.2/0.2 as 0.60/0.32/0.08."""
    stated = DISTRIBUTIONS[-1]
    drawn = Mixture((0.60, 0.32, 0.08), stated.components)
    uniforms = np.random.default_rng(0).uniform(size=20_000)
    for mixture, same in ((stated, True), (drawn, False)):
        values = mixture.draw(uniforms).astype(np.float32)
        edges = cell_edges(stated, fuzz(values), len(values))
        counts = np.histogram(values.astype(np.float64), edges)[0]
        assert (chi_square(stated, edges, counts) > 1e-3) is same
        assert np.allclose(fitted_weights(stated, edges, counts), mixture.weights, atol=0.02)
