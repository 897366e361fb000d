"""A data set in an object store: a real S3 server on this machine, and fsspec's own memory."""

import json
import subprocess
import sys
import time
import urllib.request

import pytest
import webdataset
from click.testing import CliRunner
from specs import InProcess, generated, spec_of

from facegen import open_dataset
from facegen.cli.inspection import report_command
from facegen.cli.main import main
from facegen.dataset.index import open_spec
from facegen.dataset.spec import DatasetSpec
from facegen.dataset.stores.opening import open_store
from facegen.errors import DatasetError
from facegen.generation.progress import Unwatched
from facegen.generation.run import complete_shards, run
from facegen.inspection import verify


@pytest.fixture(scope="module")
def bucket(tmp_path_factory):
    """An S3 server on loopback, its bucket's URL."""
    port = "5599"
    server = subprocess.Popen(
        [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", port],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    address = f"http://127.0.0.1:{port}"
    with pytest.MonkeyPatch.context() as patch:
        for name, value in (
            ("AWS_ACCESS_KEY_ID", "test"),
            ("AWS_SECRET_ACCESS_KEY", "test"),
            ("AWS_DEFAULT_REGION", "us-east-1"),
            ("AWS_ENDPOINT_URL", address),
        ):
            patch.setenv(name, value)
        wait_for(address)
        request = urllib.request.Request(f"{address}/faces", method="PUT")
        urllib.request.urlopen(request).close()
        yield "s3://faces"
    server.terminate()
    server.wait()


def wait_for(address):
    for _ in range(100):
        try:
            urllib.request.urlopen(address).close()
            return
        except OSError:
            time.sleep(0.2)
    pytest.fail("the S3 server does not answer")


def hashes(store):
    names = [name for name in store.names() if name.startswith("train") and name.endswith("json")]
    return {name: json.loads(store.read(name))["sha256"] for name in names}


def test_a_bucket_gets_the_same_bytes_as_a_folder(bucket, ellipsoid_file, tmp_path):
    here = spec_of(ellipsoid_file, tmp_path / "here")
    there = spec_of(ellipsoid_file, f"{bucket}/same")
    for spec in (here, there):
        generated(spec)
    assert hashes(open_store(here.out)) == hashes(open_store(there.out))
    assert {"dataset.json", "README.md", "preview.jpg"} <= open_store(there.out).names().keys()


def test_a_run_into_a_bucket_continues_where_it_was(bucket, ellipsoid_file):
    spec = spec_of(ellipsoid_file, f"{bucket}/resumed")
    generated(spec)
    store = open_store(spec.out)
    before = hashes(store)
    store.remove("train-000001.tar")
    assert len(complete_shards(spec, store, store.names())) == 2
    summary = run(spec, InProcess(), Unwatched())
    assert [report.name for report in summary.made] == ["train-000001"]
    assert hashes(store) == before


@pytest.mark.filterwarnings(
    "ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning"
)
def test_shards_in_a_bucket_stream_into_webdataset(bucket, ellipsoid_file, tmp_path):
    spec = spec_of(ellipsoid_file, f"{bucket}/streamed")
    generated(spec)
    with open_store(spec.out).local("train-000000.tar") as path:
        samples = list(webdataset.WebDataset(str(path), shardshuffle=False))
    assert [sample["__key__"] for sample in samples] == [f"{i:010d}" for i in range(7)]


def test_a_data_set_in_a_bucket_is_verified(bucket, ellipsoid_file):
    spec = spec_of(ellipsoid_file, f"{bucket}/verified")
    generated(spec)
    store = open_store(spec.out)
    opened = open_spec(store, DatasetSpec(model=ellipsoid_file, device="cpu"))
    assert verify.verify(opened, store, 4, lambda samples: None).ok
    store.remove("train-000001.tar")
    verdict = verify.verify(opened, store, 4, lambda samples: None)
    assert "train-000001" in {fault.where for fault in verdict.faults}


def test_a_data_set_in_a_bucket_is_reported(bucket, ellipsoid_file, tmp_path):
    spec = spec_of(ellipsoid_file, f"{bucket}/reported")
    generated(spec)
    labels = tmp_path / "labels.parquet"
    options = [str(spec.out), "--model", str(ellipsoid_file), "--parquet", str(labels)]
    result = CliRunner().invoke(report_command, options, catch_exceptions=False)
    assert result.exit_code == 0, result.output
    assert b"<html" in open_store(spec.out).read("report.html")
    assert labels.stat().st_size > 0


def test_a_url_that_is_nowhere_is_one_line(ellipsoid_file):
    spec = spec_of(ellipsoid_file, "nosuchprotocol://x/y")
    with pytest.raises(DatasetError, match="nosuchprotocol") as caught:
        generated(spec)
    assert "\n" not in str(caught.value)


def test_a_folder_by_url_is_made_where_it_is_missing(ellipsoid_file, tmp_path):
    spec = generated(spec_of(ellipsoid_file, f"file://{tmp_path}/new/faces"))
    assert len(open_dataset(spec.out)) == 20
    assert (tmp_path / "new" / "faces" / "README.md").exists()


def test_the_memory_of_one_process_is_refused_at_the_start():
    words = ["render", "--count", "20", "--out", "memory://faces"]
    result = CliRunner().invoke(main, words)
    assert result.exit_code == 2
    assert result.output.startswith("facegen: --out memory://faces: the memory of one process")
