"""Small valid files of every kind that a user may hand over, by name; to be spoilt."""

import json
import tarfile
import tempfile
from functools import cache, partial
from pathlib import Path

import basel_files
import foreign_models
import fuzzing
import numpy as np
import synthetic
from hypothesis import strategies as st
from PIL import Image
from spoiling import spoilt as spoilt_bytes

from facegen.dataset.encoding import encode_array, encode_depth
from facegen.dataset.index import ModelEntry
from facegen.dataset.labels import Label, encode_label
from facegen.dataset.shards import END, sample_bytes
from facegen.recipe import loading
from facegen.sampling import estimates
from facegen.sampling.prior import Parent

TRUTH = foreign_models.truth(*synthetic.ellipsoid(3, 4), landmarks=np.arange(68) % 10)


@cache
def valid(kind):
    """The bytes of a small valid file."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "valid.npz"
        MAKERS.get(kind, lambda path: getattr(foreign_models, kind)(path, TRUTH))(path)
        return path.read_bytes()


LABEL = Label(3, np.eye(3, dtype=np.float32), np.eye(4, dtype=np.float32), 5, Parent(1, "a"))


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
    from facegen.learning.heads import Standard
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
    network = FaceNet(config, Standard(*np.ones((2, layout.width), np.float32)))
    checkpoint.save(path, checkpoint.Checkpoint(network, facts, {}))


def write_pictures_of_kinds(path, kind):
    """Pictures of other kinds than eight bits of RGB."""
    pixels = np.arange(1024, dtype=np.uint16).reshape(32, 32)
    grey = Image.fromarray((pixels >> 2).astype(np.uint8))
    made = {
        "tif16": (Image.fromarray(pixels * 64), "TIFF"),
        "png16": (Image.fromarray(pixels * 64), "PNG"),
        "palette": (grey.convert("P"), "GIF"),
        "bmp": (grey, "BMP"),
        "cmyk": (grey.convert("CMYK"), "JPEG"),
        "alpha": (grey.convert("LA"), "PNG"),
        "pgm": (grey, "PPM"),
    }
    image, form = made[kind]
    image.save(path, form)


PICTURES = ("tif16", "png16", "palette", "bmp", "cmyk", "alpha", "pgm")
POINTS = "".join(f"{i} {2 * i}.5 {i % 3}\n" for i in range(68))
ODD_OBJ = (
    "# two objects\no a\nv 0 0 0 0.1 0.2 0.3 # a corner\nv\t1 0 0\nv 0 1 0\n  f -3/1/1 -2 -1\n"
    "usemtl skin\nv 0 0 1\nf 1 2 \\\n4 3\n"
)
ODD_PLY = (
    "ply\nformat {} 1.0\nelement vertex 4\nproperty float x\nproperty double y\nproperty short z\n"
    "property uchar red\nproperty uchar green\nproperty uchar blue\nproperty float s\n"
    "element edge 1\nproperty list uchar int ends\nelement face 2\n"
    "property list uchar int vertex_indices\nend_header\n"
)
PLY_ROWS = (
    "0 0 0 255 0 0 .5\n1 0 0 0 9 0 .5\n0 1 0 0 0 9 .5\n1 1 1 9 9 9 .5\n2 0 1\n3 0 1 2\n4 0 1 3 2\n"
)


def packed_ply():
    """The odd PLY as bytes, the last first."""
    vertices = np.zeros(4, ">f4,>f8,>i2,u1,u1,u1,>f4")
    vertices["f0"], vertices["f1"] = [0, 1, 0, 1], [0, 0, 1, 1]
    lists = [[0, 1], [0, 1, 2], [0, 1, 3, 2]]
    rows = b"".join(bytes([len(one)]) + np.array(one, ">i4").tobytes() for one in lists)
    return ODD_PLY.format("binary_big_endian").encode() + vertices.tobytes() + rows


def write_flame(path, protocol):
    foreign_models.flame_pkl(path, TRUTH, protocol)


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
    **{kind: partial(write_pictures_of_kinds, kind=kind) for kind in PICTURES},
    "flame_0": partial(write_flame, protocol=0),
    "flame_1": partial(write_flame, protocol=1),
    "odd_obj": lambda path: path.write_text(ODD_OBJ),
    "ply_text": lambda path: path.write_text(ODD_PLY.format("ascii") + PLY_ROWS),
    "ply_packed": lambda path: path.write_bytes(packed_ply()),
    "pts": lambda path: path.write_text(f"version: 1\nN_POINTS: 68\n{{\n{POINTS}}}\n"),
    "utf_16": lambda path: path.write_bytes(POINTS.encode("utf-16")),
    "npy": lambda path: path.write_bytes(encode_array(np.arange(204.0).reshape(68, 3))),
    "theta": lambda path: path.write_bytes(encode_array(np.zeros(350, np.float32))),
    "label": lambda path: path.write_bytes(encode_label(LABEL)),
    "depth": lambda path: path.write_bytes(encode_depth(np.ones((8, 8), np.float32))),
    "list": lambda path: path.write_text("a.jpg\n# b\nc d.png\n..\\e.png\n"),
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
