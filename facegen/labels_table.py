"""The labels of a data set as one Parquet file: the only room that knows pyarrow."""

import json
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from facegen.errors import DatasetError, FacegenError, located
from facegen.job import Job
from facegen.plan import Shard
from facegen.shards import read_samples
from facegen.stores import PARTIAL, Store
from facegen.studio import Listener
from facegen.verify_labels import read_array

ROWS = 5_000


def write_labels(job: Job, store: Store, path: Path, listen: Listener) -> None:
    """Write every finished sample's label, one row each; whole, or not at all."""
    arrow, parquet = _pyarrow()
    schema = schema_of(arrow, job)
    names = store.names()
    partial = path.with_name(path.name + PARTIAL)
    with located(path):
        try:
            with parquet.ParquetWriter(partial, schema, compression="zstd") as writer:
                for shard in job.shards:
                    if f"{shard.name}.json" not in names or f"{shard.name}.tar" not in names:
                        continue
                    for rows in rows_of(job, store, shard):
                        writer.write_table(arrow.Table.from_pylist(rows, schema))
                        listen(len(rows))
            partial.replace(path)
        except OSError as error:
            raise DatasetError(error.strerror or str(error), "write it elsewhere") from None
        finally:
            partial.unlink(missing_ok=True)


def schema_of(arrow: Any, job: Job) -> Any:
    """Columns: where the sample is, whose face, its cameras, and theta by group."""
    numbers = arrow.float32()
    return arrow.schema(
        [
            ("key", arrow.string()),
            ("split", arrow.string()),
            ("shard", arrow.string()),
            ("index", arrow.int64()),
            ("identity", arrow.int64()),
            ("parent_row", arrow.int64()),
            ("parent_key", arrow.string()),
            ("K", arrow.list_(numbers, 9)),
            ("model_to_camera", arrow.list_(numbers, 16)),
            *((g.name, arrow.list_(numbers, g.width)) for g in job.layout.groups),
        ]
    )


def rows_of(job: Job, store: Store, shard: Shard) -> Iterator[list[dict[str, Any]]]:
    """The shard's rows, so many at a time."""
    with store.local(f"{shard.name}.tar") as path, located(path):
        samples = read_samples(path)
        while group := list(islice(samples, ROWS)):
            try:
                yield [row_of(job, shard, key, members) for key, members in group]
            except (ValueError, KeyError, TypeError) as error:
                fact = f"a label cannot be read: {error}"
                raise DatasetError(fact, "run `facegen verify`") from None


def row_of(job: Job, shard: Shard, key: str, members: dict[str, bytes]) -> dict[str, Any]:
    """One sample's row."""
    label = json.loads(members["json"])
    theta = read_array(members["theta.npy"], (job.layout.width,))
    parent = label["parent"] or {}
    return {
        "key": key,
        "split": shard.split,
        "shard": shard.name,
        "index": label["index"],
        "identity": label["identity"],
        "parent_row": parent.get("row"),
        "parent_key": parent.get("key"),
        "K": np.ravel(label["K"]),
        "model_to_camera": np.ravel(label["model_to_camera"]),
        **{g.name: theta[job.layout.slices[g.name]] for g in job.layout.groups},
    }


def _pyarrow() -> tuple[Any, Any]:
    try:
        import pyarrow
        from pyarrow import parquet
    except ImportError:
        raise FacegenError("--parquet needs pyarrow", "pip install 'facegen[parquet]'") from None
    return pyarrow, parquet
