"""Small specs, an engine without processes, and a reader that shares nothing with the writer."""

import io
import json
import tarfile
from pathlib import Path

import numpy as np
from PIL import Image

from facegen.dataset.encoding import parse_layers
from facegen.dataset.resolving import resolve
from facegen.dataset.spec import DatasetSpec
from facegen.generation.progress import Unwatched
from facegen.generation.run import run
from facegen.generation.worker import Worker
from facegen.recipe.loading import DEFAULT, load


class InProcess:
    """An engine that makes the shards here, in the order they come."""

    def make(self, spec, shards, progress):
        if not shards:
            return
        worker = Worker(spec, spec.devices[0])
        try:
            for shard in shards:
                yield worker.make(shard, progress.advanced)
        finally:
            worker.close()


class Heard:
    """Keeps what a run tells of itself: (what, how many samples)."""

    def __init__(self):
        self.events = []

    def started(self, complete):
        self.events.append(("started", complete))

    def advanced(self, samples):
        self.events.append(("advanced", samples))

    def rolled_back(self, samples):
        self.events.append(("rolled back", samples))

    @property
    def samples(self):
        """How many samples are there by now."""
        signs = {"rolled back": -1}
        return sum(signs.get(what, 1) * count for what, count in self.events)


def spec_of(model, out, changes=None, base=DEFAULT, **fields):
    """The resolved spec of 20 faces of 64 pixels on the CPU, unless the fields say otherwise."""
    image = {"size": 64, "format": "png"}
    recipe = load(base).with_changes({"image": image, **(changes or {})})
    fields = {"count": 20, "shard_size": 7, "workers": 1, "device": "cpu", **fields}
    fields["layers"] = parse_layers(fields.get("layers", ""))
    return resolve(DatasetSpec(recipe=recipe, model=str(model), out=str(out), **fields))


def spec_in(folder, model, **fields):
    """The spec of 40 faces in 4 shards, on the CPU."""
    defaults = {"count": 40, "shard_size": 10, "layers": "mask,landmarks"}
    return spec_of(model, folder, **(defaults | fields))


def generated(spec, progress=None):
    """The spec, its data set made."""
    run(spec, InProcess(), progress or Unwatched())
    return spec


def folder(spec):
    """Where the spec's data set lies."""
    return Path(spec.out)


def read_tar(path):
    """{key: {suffix: decoded}} of a shard: images and arrays as arrays, json as a dict."""
    samples = {}
    with tarfile.open(path) as tar:
        for info in tar:
            key, _, suffix = info.name.partition(".")
            samples.setdefault(key, {})[suffix] = decoded(suffix, tar.extractfile(info).read())
    return samples


def decoded(suffix, data):
    """A member's value."""
    if suffix == "json":
        return json.loads(data)
    if suffix.endswith("npy"):
        return np.load(io.BytesIO(data))
    if suffix == "cls":
        return int(data)
    return np.asarray(Image.open(io.BytesIO(data)))


def samples_of(spec):
    """All samples of a finished data set, in order."""
    tars = sorted(folder(spec).glob("train-*.tar"))
    return [sample for tar in tars for sample in read_tar(tar).values()]


def hashes(folder):
    """{shard: sha256 as its report says}."""
    return {
        path.stem: json.loads(path.read_text())["sha256"] for path in folder.glob("train-*.json")
    }
