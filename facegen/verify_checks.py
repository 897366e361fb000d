"""One shard looked at: its bytes, its members, its labels, and its faces rendered again."""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from facegen.errors import FacegenError
from facegen.geometry import Cameras
from facegen.job import Job
from facegen.parameters import Float32
from facegen.plan import Shard
from facegen.sampling import Indices
from facegen.shards import BLOCK, ShardReport, header, read_samples, sample_key
from facegen.stores import open_store
from facegen.verify_faults import Fault, FaultList
from facegen.verify_labels import Sample, Truth, check_label, check_theta, read_theta
from facegen.verify_pictures import Darkroom, Stored, Tally

READ_BYTES = 1 << 20
GROUP = 64
NAME_BYTES = 100


@dataclass(frozen=True)
class Order:
    """A shard to look at, the report it has, and the samples to render again."""

    shard: Shard
    report: ShardReport
    picks: frozenset[int] | range = frozenset()


@dataclass(frozen=True, eq=False)
class Findings:
    """What looking at a shard gave: faults, and labels kept: theta (n, m) of indices (n,)."""

    faults: tuple[Fault, ...]
    indices: Indices
    theta: Float32
    tally: Tally


class Inspector:
    """One worker's means to look at shards: what labels should be, and a darkroom once needed.

    Of the labels, those of every `thin`th sample are kept.
    """

    def __init__(self, job: Job, thin: int) -> None:
        self._job, self._thin = job, thin
        self._store = open_store(job.out)
        self._truth = Truth(job)
        self._suffixes = suffixes_of(job)

    @cached_property
    def darkroom(self) -> Darkroom:
        """Opened with the first sample to render again."""
        return Darkroom(self._job)

    def inspect(self, order: Order) -> Findings:
        """Look at one shard."""
        faults = FaultList(order.shard.name)
        kept: list[Stored] = []
        tally = Tally()
        with self._store.local(f"{order.shard.name}.tar") as path:
            check_bytes(path, order.report, faults)
            if not faults:
                try:
                    for stored in self.read(path, order, faults):
                        kept.append(self.thinned(stored))
                        tally += self.rendered(stored, order, faults)
                except FacegenError as error:
                    faults.add("members", str(error))
        return Findings(faults.faults(), *self.labels(kept), tally)

    def read(self, path: Path, order: Order, faults: FaultList) -> Iterator[Stored]:
        """The shard's samples in the groups they were rendered in; of those that are sound."""
        canonical = hashlib.sha256()
        due = order.shard.start
        step = self.darkroom.batch if order.picks else GROUP
        for group in groups(read_samples(path), step):
            for sample in group:
                hash_as_written(canonical, sample)
            stored = self.checked(np.arange(due, due + len(group)), group, faults)
            due += len(group)
            if stored is not None:
                yield stored
        if due != order.shard.stop:
            faults.add("members", f"{due - order.shard.start} samples, not {len(order.shard)}")
        canonical.update(b"\0" * (2 * BLOCK))
        if not faults and canonical.hexdigest() != order.report.sha256:
            faults.add("members", "its tar headers or padding are not as facegen writes them")

    def checked(self, indices: Indices, group: list[Sample], faults: FaultList) -> Stored | None:
        """The group as stored, if all is right with it."""
        before = len(faults)
        for index, sample in zip(indices.tolist(), group, strict=True):
            check_members(sample_key(index), sample, self._suffixes, faults)
        if len(faults) > before:
            return None
        theta = read_theta(group, self._job.layout.width, faults)
        if theta is None:
            return None
        due = self._truth.labels(indices, theta)
        check_theta(theta, due, faults)
        labels = [check_label(row, sample, due, faults) for row, sample in enumerate(group)]
        if len(faults) > before:
            return None
        transform, K = (as_array(labels, name) for name in ("model_to_camera", "K"))
        parents = [label["parent"] for label in labels]
        members = [members for _, members in group]
        return Stored(indices, theta, Cameras(transform, K), due.owners, parents, members)

    def thinned(self, stored: Stored) -> Stored:
        """The labels to keep, without pictures."""
        kept = stored.of(np.flatnonzero(stored.indices % self._thin == 0).tolist())
        return Stored(kept.indices, kept.theta, kept.cameras, kept.owners, kept.parents, [])

    def rendered(self, stored: Stored, order: Order, faults: FaultList) -> Tally:
        """The picked ones of the group, rendered again."""
        if not any(index in order.picks for index in stored.indices.tolist()):
            return Tally()
        return self.darkroom.compare(stored, order.picks, order.report.device, faults.add)

    def labels(self, kept: list[Stored]) -> tuple[Indices, Float32]:
        """The kept labels as one: indices (n,) and theta (n, m)."""
        nothing = np.empty((0, self._job.layout.width), np.float32)
        indices = np.concatenate([np.empty(0, np.int64), *(stored.indices for stored in kept)])
        return indices, np.concatenate([nothing, *(stored.theta for stored in kept)])


def suffixes_of(job: Job) -> frozenset[str]:
    """The members that every sample of the job has."""
    special = {"landmarks": "landmarks.npy", "cls": "cls"}
    extra = {special.get(name, f"{name}.png") for name in job.layers}
    return frozenset({job.recipe.image.format, "theta.npy", "json", *extra})


def groups(samples: Iterator[Sample], size: int) -> Iterator[list[Sample]]:
    """The samples in lists of `size`, the last one shorter."""
    while group := list(islice(samples, size)):
        yield group


def check_bytes(path: Path, report: ShardReport, faults: FaultList) -> None:
    """Size and hash of the file against its report."""
    digest, size = hashlib.sha256(), 0
    with path.open("rb") as file:
        while data := file.read(READ_BYTES):
            digest.update(data)
            size += len(data)
    if size != report.bytes:
        faults.add("bytes", f"{size:,} bytes, but its report says {report.bytes:,}")
    elif digest.hexdigest() != report.sha256:
        faults.add("bytes", f"sha256 is {digest.hexdigest()[:12]}…, not {report.sha256[:12]}…")


def hash_as_written(digest: Any, sample: Sample) -> None:
    """Add the sample to a hash as the writer would have written it."""
    key, members = sample
    for suffix in sorted(members):
        data, name = members[suffix], f"{key}.{suffix}"
        if len(name) < NAME_BYTES and name.isascii():
            digest.update(header(name, len(data)) + data + b"\0" * (-len(data) % BLOCK))


def check_members(due: str, sample: Sample, suffixes: frozenset[str], faults: FaultList) -> None:
    """The key that is due, and the suffixes that all samples have."""
    key, members = sample
    if key != due:
        faults.add("members", f"sample {key} where {due} is due")
        return
    words = [f"lacks {name}" for name in sorted(suffixes - members.keys())]
    words += [f"has a {name} that no other has" for name in sorted(members.keys() - suffixes)]
    if words:
        faults.add("members", f"sample {key} {', '.join(words)}")


def as_array(labels: Sequence[Mapping[str, Any]], name: str) -> Float32:
    """What the labels say under this name, (N, ...) float32."""
    return np.array([label[name] for label in labels], np.float32)
