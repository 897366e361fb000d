"""The labels of a data set as one Parquet file: the only room that knows pyarrow."""

from collections.abc import Callable, Iterator, Mapping
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from facegen.dataset.encoding import LABEL, THETA, decode_array
from facegen.dataset.labels import decode_label
from facegen.dataset.scan import ShardState, scan_shards
from facegen.dataset.shards import read_samples
from facegen.dataset.spec import ResolvedSpec
from facegen.dataset.stores.store import Store
from facegen.errors import DatasetError, FacegenError, located
from facegen.files import make_folder, written_whole
from facegen.recipe.plan import Shard

ROWS = 5_000


def write_labels(
    spec: ResolvedSpec, store: Store, path: Path, on_samples: Callable[[int], object]
) -> None:
    """Write every complete shard's labels, a row for each sample; whole, or not at all."""
    arrow, parquet = _pyarrow()
    schema = schema_of(arrow, spec)
    make_folder(path.parent)
    with located(path):
        try:
            with (
                written_whole(path) as temporary,
                parquet.ParquetWriter(temporary, schema, compression="zstd") as writer,
            ):
                for rows in all_rows(spec, store):
                    writer.write_table(arrow.Table.from_pylist(rows, schema))
                    on_samples(len(rows))
        except OSError as error:
            raise DatasetError(error.strerror or str(error), "write it elsewhere") from None


def all_rows(spec: ResolvedSpec, store: Store) -> Iterator[list[dict[str, Any]]]:
    """The rows of all complete shards, so many at a time."""
    for scan in scan_shards(spec, store, store.names()):
        if scan.state is ShardState.COMPLETE:
            yield from rows_of(spec, store, scan.shard)


def schema_of(arrow: Any, spec: ResolvedSpec) -> Any:
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
            *((g.name, arrow.list_(numbers, g.width)) for g in spec.layout.groups),
            ("attributes", arrow.map_(arrow.string(), numbers)),
            ("grid", arrow.map_(arrow.string(), arrow.int32())),
        ]
    )


def rows_of(spec: ResolvedSpec, store: Store, shard: Shard) -> Iterator[list[dict[str, Any]]]:
    """The shard's rows, so many at a time."""
    with store.local(f"{shard.name}.tar") as path, located(path):
        samples = read_samples(path)
        while group := list(islice(samples, ROWS)):
            try:
                yield [row_of(spec, shard, key, members) for key, members in group]
            except (KeyError, DatasetError) as error:
                message = f"a label cannot be read: {error}"
                raise DatasetError(message, "run `facegen verify`") from None


def row_of(
    spec: ResolvedSpec, shard: Shard, key: str, members: Mapping[str, bytes]
) -> dict[str, Any]:
    """One sample's row."""
    label = decode_label(members[LABEL])
    theta = decode_array(members[THETA], (spec.layout.width,))
    return {
        "key": key,
        "split": shard.split,
        "shard": shard.name,
        "index": label.index,
        "identity": label.identity,
        "parent_row": label.parent and label.parent.row,
        "parent_key": label.parent and label.parent.key,
        "K": np.ravel(label.K),
        "model_to_camera": np.ravel(label.model_to_camera),
        **{g.name: theta[spec.layout.slices[g.name]] for g in spec.layout.groups},
        "attributes": list(label.attributes.items()),
        "grid": list(label.grid.items()),
    }


def _pyarrow() -> tuple[Any, Any]:
    try:
        import pyarrow
        from pyarrow import parquet
    except ImportError:
        raise FacegenError("--parquet needs pyarrow", "pip install 'facegen[parquet]'") from None
    return pyarrow, parquet
