"""Small valid files of every kind that a user may hand over, by name; to be spoilt."""

import json
import tarfile
import tempfile
from functools import cache
from pathlib import Path

import basel_files
import foreign_models
import fuzzing
import numpy as np
import synthetic
from hypothesis import strategies as st
from PIL import Image
from spoiling import spoilt as spoilt_bytes

from facegen.dataset.index import ModelEntry
from facegen.dataset.shards import END, sample_bytes
from facegen.recipe import loading
from facegen.sampling import estimates

TRUTH = foreign_models.truth(*synthetic.ellipsoid(3, 4), landmarks=np.arange(68) % 10)


@cache
def valid(kind):
    """The bytes of a small valid file."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "valid.npz"
        MAKERS.get(kind, lambda path: getattr(foreign_models, kind)(path, TRUTH))(path)
        return path.read_bytes()


def write_estimates(path):
    origin = estimates.Origin((("shape", 2),), "generic", "0" * 64, "a test")
    theta = np.arange(6, dtype=np.float32).reshape(3, 2)
    estimates.write(path, estimates.Estimates(theta, ("a", "b", "ü"), np.ones(3), origin))


def write_image(path, kind):
    Image.fromarray(np.arange(3072, dtype=np.uint8).reshape(32, 32, 3)).save(path, kind)


def write_shard(path):
    sample = {"png": b"an image", "theta.npy": bytes(300), "json": b"{}"}
    data = b"".join(sample_bytes(f"{key:010d}", sample) for key in range(3))
    path.write_bytes(data + END)


def write_checkpoint(path):
    from facegen.learning import checkpoint
    from facegen.learning.networks import FaceNet, NetworkConfig

    layout = synthetic.model().layout
    config = NetworkConfig("resnet18", 0.01, 24, layout.width)
    facts = checkpoint.Facts(
        network=config,
        recipe=loading.load("inversefacenet").record,
        layout=layout.to_json(),
        model=ModelEntry("ellipsoid", "0" * 64),
        weights={"shape": 1.0},
        settings={"seed": 3},
        step=12,
    )
    network = FaceNet(config, *np.ones((2, layout.width), np.float32))
    checkpoint.save(path, checkpoint.Checkpoint(network, facts, {}))


EMBEDDING = {"full_lmk_faces_idx": np.zeros((1, 68), np.int64),
             "full_lmk_bary_coords": np.ones((68, 3))}  # fmt: skip
MAKERS = {
    "estimates": write_estimates,
    "model": lambda path: basel_files.write(path, synthetic.model(12, 12, (2, 2, 2))),
    "shard": write_shard,
    "pax": lambda path: fuzzing.write_foreign_shard(path, tarfile.PAX_FORMAT),
    "gnu": lambda path: fuzzing.write_foreign_shard(path, tarfile.GNU_FORMAT),
    "checkpoint": write_checkpoint,
    "png": lambda path: write_image(path, "PNG"),
    "jpg": lambda path: write_image(path, "JPEG"),
    "webp": lambda path: write_image(path, "WEBP"),
    "recipe": lambda path: path.write_text(loading.source("inversefacenet")),
    "boxes": lambda path: path.write_text(json.dumps({"a": [1, 2, 30, 40], "b": [[1, 2]] * 67})),
    "csv": lambda path: path.write_text('key,x0,y0,x1,y1\na,1,2,30,40\n"b",1,2,3,4.5\n'),
    "numbers": lambda path: path.write_text("\n".join(map(str, range(68)))),
    "pairs": lambda path: path.write_text("3 0.5 4 0.5 # a mouth\n" * 68),
    "embedding": lambda path: (
        np.save(path.with_suffix(".npy"), EMBEDDING, allow_pickle=True)
        or path.with_suffix(".npy").rename(path)
    ),
}


def spoilt(*kinds):
    """Valid files of these kinds, spoilt."""
    return st.sampled_from(kinds).flatmap(lambda kind: spoilt_bytes(valid(kind)))
