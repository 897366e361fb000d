"""One shard looked at: its bytes, its members, its labels, and its faces rendered again."""

import hashlib
from collections.abc import Collection, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float32, Int64

from facegen.dataset.encoding import suffixes_of
from facegen.dataset.labels import Label, cameras_of
from facegen.dataset.report import ShardReport
from facegen.dataset.shards import END, Encoded, read_samples, sample_bytes, sample_key
from facegen.dataset.spec import ResolvedSpec
from facegen.dataset.stores.opening import open_store
from facegen.errors import DatasetError, FacegenError
from facegen.files import Array
from facegen.inspection.checks.faults import Fault, FaultList
from facegen.inspection.checks.labels import check_label, check_theta, read_theta
from facegen.inspection.checks.rerender import Rerenderer, Stored, Tally
from facegen.recipe.plan import Shard
from facegen.sampling.samples import Samples

READ_BYTES = 1 << 20
GROUP = 64


@dataclass(frozen=True)
class Assignment:
    """A shard to look at, the report it has, and the samples to render again."""

    shard: Shard
    report: ShardReport
    picks: Collection[int] = frozenset()


@dataclass(frozen=True, eq=False)
class Findings:
    """What looking at a shard gave: faults, and the theta of some of its samples."""

    faults: tuple[Fault, ...]
    indices: Int64[Array, "n"]
    theta: Float32[Array, "n m"]
    tally: Tally


class Inspector:
    """One process's means to look at shards: a sampler, and a re-renderer once it is needed.

    Of theta, that of every `thin`th sample is kept.
    """

    def __init__(self, spec: ResolvedSpec, thin: int) -> None:
        self._spec, self._thin = spec, thin
        self._store = open_store(spec.out)
        model = spec.load_model()
        self._sampler = spec.sampler(model) if spec.has_source else spec.completer(model)
        self._suffixes = suffixes_of(spec.layers, spec.recipe.image)

    @cached_property
    def rerenderer(self) -> Rerenderer:
        """Opened with the first sample to render again."""
        return Rerenderer(self._spec)

    def inspect(self, assignment: Assignment) -> Findings:
        """Look at one shard."""
        faults, tally = FaultList(assignment.shard.name), Tally()
        batches: list[Samples] = []
        with self._store.local(f"{assignment.shard.name}.tar") as path:
            check_bytes(path, assignment.report, faults)
            if not faults:
                try:
                    for stored in self.read(path, assignment, faults):
                        rows = np.flatnonzero(stored.samples.indices % self._thin == 0)
                        batches.append(stored.samples[rows.tolist()])
                        tally += self.rerendered(stored, assignment, faults)
                except FacegenError as error:
                    faults.add("members", str(error))
        indices = np.concatenate([np.empty(0, np.int64), *(batch.indices for batch in batches)])
        theta = np.empty((0, self._spec.layout.width), np.float32)
        theta = np.concatenate([theta, *(batch.theta for batch in batches)])
        return Findings(faults.faults(), indices, theta, tally)

    def read(self, path: Path, assignment: Assignment, faults: FaultList) -> Iterator[Stored]:
        """The shard's samples in the groups they were rendered in; of those that are sound."""
        canonical = hashlib.sha256()
        shard, start = assignment.shard, assignment.shard.start
        step = self.rerenderer.batch if assignment.picks else GROUP
        for group in groups(read_samples(path), step):
            hash_as_written(canonical, group)
            stored = self.checked(np.arange(start, start + len(group)), group, faults)
            start += len(group)
            if stored is not None:
                yield stored
        if start != shard.stop:
            faults.add("members", f"{start - shard.start} samples, not {len(shard)}")
        canonical.update(END)
        if not faults and canonical.hexdigest() != assignment.report.sha256:
            faults.add("members", "its tar headers or padding are not as facegen writes them")

    def checked(
        self, indices: Int64[Array, "N"], group: list[Encoded], faults: FaultList
    ) -> Stored | None:
        """The group as stored, if all is right with it."""
        before, spec = len(faults), self._spec
        for index, sample in zip(indices.tolist(), group, strict=True):
            check_members(sample_key(index), sample, self._suffixes, faults)
        if len(faults) > before:
            return None
        theta = read_theta(group, spec.layout.width, faults)
        if theta is None:
            return None
        expected = self.expected(indices, theta)
        check_theta(theta, expected, faults)
        labels = [
            check_label(row, sample, expected, spec.has_source, faults)
            for row, sample in enumerate(group)
        ]
        if len(faults) > before:
            return None
        samples = as_stored(expected, theta, [label for label in labels if label])
        return Stored(samples, [members for _, members in group])

    def expected(self, indices: Int64[Array, "N"], theta: Float32[Array, "N m"]) -> Samples:
        """The samples as drawn; all but theta follows the stored one where that is not known."""
        if self._spec.has_source:
            return self._sampler.draw(indices)
        return self._sampler.complete(indices, theta)

    def rerendered(self, stored: Stored, assignment: Assignment, faults: FaultList) -> Tally:
        """The picked ones of the group, rendered again."""
        if not any(index in assignment.picks for index in stored.samples.indices.tolist()):
            return Tally()
        device = assignment.report.device
        return self.rerenderer.compare(stored, assignment.picks, device, faults)


def as_stored(expected: Samples, theta: Float32[Array, "N m"], labels: Sequence[Label]) -> Samples:
    """The samples with what their labels say in place of what was drawn."""
    parents = tuple(label.parent for label in labels)
    return replace(expected, theta=theta, cameras=cameras_of(labels), parents=parents)


def groups(samples: Iterator[Encoded], size: int) -> Iterator[list[Encoded]]:
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


def hash_as_written(digest: Any, group: list[Encoded]) -> None:
    """Add the samples to a hash as the writer would have written them."""
    for key, members in group:
        with suppress(DatasetError):  # Names that cannot be written are faults of their own.
            digest.update(sample_bytes(key, members))


def check_members(
    expected_key: str, sample: Encoded, suffixes: frozenset[str], faults: FaultList
) -> None:
    """The key, and the suffixes that all samples have."""
    key, members = sample
    if key != expected_key:
        faults.add("members", f"sample {key} where {expected_key} should be")
        return
    messages = [f"lacks {name}" for name in sorted(suffixes - members.keys())]
    messages += [f"has a {name} that no other has" for name in sorted(members.keys() - suffixes)]
    if messages:
        faults.add("members", f"sample {key} {', '.join(messages)}")
