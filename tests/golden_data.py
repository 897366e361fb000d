"""The golden data sets: what facegen makes of fixed commands, to be held against what it made once.

`python tests/golden_data.py` writes tests/golden/*.npz anew; do so only where the pixels are meant
to change, and say why in the commit.
"""

import json
import subprocess
import sys
import tarfile
import tempfile
from io import BytesIO
from pathlib import Path

import h5py
import numpy as np
from PIL import Image

RUN = [sys.executable, "-c", "from facegen.cli.entry import main; main()"]
FOLDER = Path(__file__).parent / "golden"
COMMON = ["--size", "32", "--format", "png", "--device", "cpu", "--seed", "7", "--layers", "all"]
COUNT, SHARD = 8, 4
PEOPLE = """extends = "inversefacenet"
identities = 3
samples_per_identity = 4

[splits]
test = 0.34
train = 0.66
"""
COMMANDS = {
    "default": ["render"],
    "bootstrap": ["bootstrap", "--estimates", "estimates.h5", "--backgrounds", "behind"],
    "wide": [
        "bootstrap",
        "--estimates",
        "estimates.h5",
        "--recipe",
        "bootstrap-wide",
        "--weighted",
    ],
    "people": ["render", "--recipe", "people.toml"],
}
MEMBERS = {
    "image": "png",
    "mask": "mask.png",
    "depth": "depth.png",
    "normal": "normal.png",
    "albedo": "albedo.png",
    "segmentation": "segmentation.png",
    "pncc": "pncc.png",
    "landmarks": "landmarks.npy",
    "landmarks2d": "landmarks2d.npy",
    "theta": "theta.npy",
    "cls": "cls",
}
LABELS = ("index", "K", "model_to_camera", "identity", "parent")


def write_inputs(folder):
    """Estimates of three faces, two pictures for backgrounds, a recipe of people."""
    steps = np.arange(3 * 350) * 7919 % 1000 / 1000 - 0.5
    theta = steps.reshape(3, 350).astype(np.float32)
    theta[:, -27:] *= 0.25
    theta[:, -27:-24] += 1
    with h5py.File(folder / "estimates.h5", "w") as file:
        file["theta"] = theta
        file["confidence"] = np.array([0.5, 0.0, 0.25])
        file.create_dataset("key", data=["a", "b", "c"], dtype=h5py.string_dtype("utf-8"))
    (folder / "behind").mkdir()
    row, column = np.mgrid[:48, :64]
    for name, blue in (("one", 40), ("two", 200)):
        pixels = np.stack([row * 5, column * 3, np.full_like(row, blue)], -1).astype(np.uint8)
        Image.fromarray(pixels).save(folder / "behind" / f"{name}.png")
    (folder / "people.toml").write_text(PEOPLE)


def make(name, folder):
    """Run the command of a golden data set in a folder that holds the inputs -> its arrays."""
    sizes = ["--count", str(COUNT), "--shard-size", str(SHARD), "--workers", "1"]
    words = [*COMMANDS[name], "--out", f"made-{name}", *sizes, *COMMON]
    done = subprocess.run([*RUN, *words], cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return arrays_of(folder / f"made-{name}")


def arrays_of(out):
    """What a data set holds, by member, as arrays of all samples (N, ...)."""
    samples = [one for tar in sorted(out.glob("*.tar")) for one in samples_of(tar)]
    arrays = {name: np.stack([one[name] for one in samples]) for name in (*MEMBERS, *LABELS)}
    arrays["shards"] = np.array(sorted(path.name for path in out.glob("*.tar")))
    return arrays


def samples_of(tar):
    """The samples of a shard, decoded without facegen."""
    members = {}
    with tarfile.open(tar) as file:
        for info in file:
            key, _, suffix = info.name.partition(".")
            members.setdefault(key, {})[suffix] = file.extractfile(info).read()
    for one in members.values():
        label = json.loads(one["json"])
        arrays = {name: decoded(suffix, one[suffix]) for name, suffix in MEMBERS.items()}
        labels = {name: np.array(label[name]) for name in LABELS if name != "parent"}
        parent = label.get("parent", {"row": -1, "key": ""})
        yield arrays | labels | {"parent": np.array(f"{parent['row']} {parent['key']}")}


def decoded(suffix, data):
    """A member's value."""
    if suffix.endswith("npy"):
        return np.load(BytesIO(data))
    if suffix == "cls":
        return np.array(int(data))
    return np.asarray(Image.open(BytesIO(data)))


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as scratch:
        write_inputs(Path(scratch))
        for data_set in COMMANDS:
            arrays = make(data_set, Path(scratch))
            np.savez_compressed(FOLDER / f"{data_set}.npz", **arrays)
