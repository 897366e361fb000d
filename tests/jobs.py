"""Small jobs, an engine without processes, and a reader that shares nothing with the writer."""

import io
import json
import tarfile
from pathlib import Path

import numpy as np
from PIL import Image

from facegen import recipe
from facegen.generate import generate
from facegen.layers import parse
from facegen.plan import shards_of
from facegen.studio import Studio, prepare_job


class InProcess:
    """An engine that makes the shards here, in the order they come."""

    def make(self, job, todo, listen):
        if not todo:
            return
        studio = Studio(job, job.devices[0])
        try:
            for shard in todo:
                yield studio.make(shard, listen)
        finally:
            studio.close()


def job_of(model, out, changes=None, base=recipe.DEFAULT, **facts):
    """A job of 20 faces of 64 pixels, unless the facts say otherwise."""
    image = {"size": 64, "format": "png"}
    chosen = recipe.load(base).with_changes({"image": image, **(changes or {})})
    facts["layers"] = parse(facts.get("layers", ""))
    facts = {"seed": 0, "count": 20, "shard_size": 7, "workers": 1, "devices": ("egl",), **facts}
    facts.setdefault("part", (0, len(shards_of(chosen, facts["count"], facts["shard_size"]))))
    nothing = {"estimates": None, "backgrounds": None}
    return prepare_job(chosen, str(model), **{**nothing, "out": str(out), **facts})


def generated(job):
    """The job, its data set made."""
    generate(job, InProcess(), lambda samples: None)
    return job


def folder(job):
    """Where the job's data set lies."""
    return Path(job.out)


def read_tar(path):
    """{key: {suffix: decoded}} of a shard: pictures and arrays as arrays, json as a dict."""
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


def samples_of(job):
    """All samples of a finished data set, in order."""
    tars = sorted(folder(job).glob("train-*.tar"))
    return [sample for tar in tars for sample in read_tar(tar).values()]


def hashes(folder):
    """{shard: sha256 as its report says}."""
    return {
        path.stem: json.loads(path.read_text())["sha256"] for path in folder.glob("train-*.json")
    }
