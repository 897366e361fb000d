"""A small shard: two samples, and how they are written."""

from facegen.dataset.shards import open_shard
from facegen.dataset.stores.folder import FolderStore

SAMPLES = {
    "0000000000": {"png": b"p" * 700, "json": b"{}", "theta.npy": b"t" * 512},
    "0000000001": {"png": b"", "json": b"{}", "theta.npy": b"u"},
}


def write(path, samples=SAMPLES):
    """A finished shard -> (bytes, sha256)."""
    with open_shard(FolderStore(path.parent), path.name) as writer:
        for key, members in samples.items():
            writer.write(key, members)
        return writer.commit()
