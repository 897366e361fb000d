"""Samples streamed for training: shards and samples shuffled, and only the members asked for."""

import random
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from pathlib import Path
from typing import TypeVar

from facegen.dataset.shards import Encoded, read_samples

T = TypeVar("T")
Choice = Callable[[Path, str], bool]

SHUFFLE_BUFFER = 2000


def every_sample(path: Path, key: str) -> bool:
    """Choose all samples of all shards."""
    return True


def stream_samples(
    paths: Sequence[Path],
    suffixes: Collection[str],
    seed: str | None,
    choose: Choice = every_sample,
) -> Iterator[Encoded]:
    """One pass over the samples of shards: (key, members of these suffixes).

    In the order of the shards where seed is None; else shards are shuffled by it, and samples in a
    buffer of SHUFFLE_BUFFER. `choose` chooses samples by their shard and key.
    """
    rng, ordered, wanted = random.Random(seed), list(paths), frozenset(suffixes)
    if seed is not None:
        rng.shuffle(ordered)
    samples: Iterator[tuple[Path, Encoded]] = (
        (path, sample) for path in ordered for sample in read_samples(path, wanted.__contains__)
    )
    if seed is not None:
        samples = shuffled(samples, SHUFFLE_BUFFER, rng)
    return (sample for path, sample in samples if choose(path, sample[0]))


def shuffled(items: Iterable[T], size: int, rng: random.Random) -> Iterator[T]:
    """The items in an order of rng's, each drawn from a buffer of so many."""
    buffer: list[T] = []
    for item in items:
        buffer.append(item)
        if len(buffer) >= size:
            yield _drawn(buffer, rng)
    while buffer:
        yield _drawn(buffer, rng)


def _drawn(buffer: list[T], rng: random.Random) -> T:
    k = rng.randrange(len(buffer))
    buffer[k], buffer[-1] = buffer[-1], buffer[k]
    return buffer.pop()
