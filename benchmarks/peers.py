"""facegen beside other ways to render the same faces, in one run on this machine.

    pip install 'facegen[benchmarks]'
    python benchmarks/synthetic_model.py basel_size.h5
    python benchmarks/peers.py --model generic --model basel_size.h5 --plot peers.png

Same samples of the default recipe, same mesh, light, size and JPEG encoder, written to disk, a
process on every core. All take turns, `--repeats` times; a run lasts about `--seconds`, and its
clock starts with the first finished images. Prints a Markdown table, or JSON with `--json`;
`--plot` saves a bar chart, `--faces` the first faces of each peer, a row each.

The peers, in benchmarks/loops.py, render one face at a time: matrix-vector products, vertex normals
in NumPy, an upload, a draw, a read-back. pyrender has no light of spherical harmonics: it draws
vertex colours that were lit in NumPy, and always with four samples a pixel.
"""

import io
import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import click
import numpy as np
from jaxtyping import Bool, UInt8
from loops import ModernglLoop, PyrenderLoop, make_one_by_one
from PIL import Image
from presentation import Row, contact_sheet, draw_chart, report

from facegen.dataset.resolving import cores, default_shard_size, resolve
from facegen.dataset.shards import read_samples
from facegen.dataset.spec import DatasetSpec, ResolvedSpec
from facegen.errors import FacegenError
from facegen.files import Array
from facegen.generation.bench import pace
from facegen.generation.engines.local import LocalEngine, Task
from facegen.generation.progress import Unwatched
from facegen.generation.worker import Worker

TRIAL, MOST = 150, 20_000
COMPARED = 32
MASK = "mask.png"

Sample = dict[str, bytes]


@dataclass(frozen=True)
class Peer:
    """A way to make faces; device: what facegen is asked for in its workers."""

    name: str
    device: str
    task: Task


PLAIN = "moderngl loop"
PEERS = (
    Peer("facegen cpu", "cpu", Worker.make),
    Peer("facegen egl", "egl", Worker.make),
    Peer(PLAIN, "egl", partial(make_one_by_one, ModernglLoop)),
    Peer("pyrender", "egl", partial(make_one_by_one, PyrenderLoop)),
)


@dataclass(frozen=True)
class Entry:
    """A peer that runs here with a model: a spec that keeps it busy for long enough."""

    peer: Peer
    spec: ResolvedSpec
    device: str


@dataclass(frozen=True)
class Conditions:
    """What is the same for all of a comparison."""

    models: tuple[str, ...]
    size: int | None
    workers: int
    repeats: int
    seconds: float

    def spec(self, model: str, device: str) -> ResolvedSpec:
        """The spec of one sample; FacegenError if there is no such model or device."""
        return resolve(
            DatasetSpec(count=1, model=model, device=device, size=self.size, workers=self.workers)
        )


@click.command()
@click.option("--model", "models", multiple=True, default=("generic",), help="Name or .h5 file.")
@click.option("--size", type=int, help="Pixels a side.  [default: the recipe's]")
@click.option("--workers", type=click.IntRange(1), default=cores(), help="Processes.")
@click.option("--repeats", type=click.IntRange(1), default=5, show_default=True)
@click.option("--seconds", type=float, default=10.0, show_default=True, help="A run's length.")
@click.option("--plot", type=click.Path(path_type=Path), help="Save a bar chart here (.png).")
@click.option("--faces", type=click.Path(path_type=Path), help="Save faces here (.png).")
@click.option("--json", "as_json", is_flag=True, help="Print the figures for a program.")
def main(plot: Path | None, faces: Path | None, as_json: bool, **options: Any) -> None:
    """Measure facegen and its peers in turns."""
    if plot and not find_spec("matplotlib"):
        raise click.UsageError("--plot needs matplotlib: pip install 'facegen[benchmarks]'")
    conditions = Conditions(**options)
    entries, skipped = enter(conditions)
    samples = [first_samples(entry) for entry in entries]
    speeds = take_turns(entries, conditions.repeats)
    rows = list(rows_of(entries, samples, speeds))
    figures = {"rows": [asdict(row) for row in rows], "skipped": skipped}
    click.echo(json.dumps(figures) if as_json else report(rows, skipped))
    if faces:
        contact_sheet([images_of(own) for own in samples]).save(faces)
    if plot:
        draw_chart(rows, plot)


def enter(conditions: Conditions) -> tuple[list[Entry], list[str]]:
    """Every peer that runs here with every model, and why others do not."""
    entries, skipped = [], []
    for model in conditions.models:
        for peer in PEERS:
            click.echo(f"trying {peer.name}, {model}", err=True)
            try:
                entries.append(try_out(peer, conditions.spec(model, peer.device), conditions))
            except FacegenError as error:
                skipped.append(f"{peer.name}, {model}: not measured: {error}")
    if not entries:
        raise click.ClickException("\n".join(skipped))
    return entries, skipped


def try_out(peer: Peer, spec: ResolvedSpec, conditions: Conditions) -> Entry:
    """Run the peer for a moment: its caches are warm then, and its speed roughly known."""
    least = TRIAL * spec.workers
    trial = pace(of_length(spec, least), peer.task)
    count = min(max(trial.images_per_s * conditions.seconds, least), MOST)
    return Entry(peer, of_length(spec, round(count)), trial.reports[0].device)


def of_length(spec: ResolvedSpec, count: int) -> ResolvedSpec:
    """The spec with so many samples, in shards for all its workers."""
    largest = -(-count // spec.workers)
    size = min(default_shard_size(count), largest)
    return replace(spec, count=count, shard_size=size, start=0, stop=-(-count // size))


def take_turns(entries: list[Entry], repeats: int) -> list[tuple[float, ...]]:
    """Each entry's images/s in every round: A B C D A B C D, so that all share a bad moment."""
    rounds = []
    for number in range(repeats):
        click.echo(f"round {number + 1} of {repeats}", err=True)
        rounds.append([pace(entry.spec, entry.peer.task).images_per_s for entry in entries])
    return list(zip(*rounds, strict=True))


def first_samples(entry: Entry) -> list[Sample]:
    """The peer's first samples, as it writes them, but in PNG and with the mask if it can."""
    recipe = entry.spec.recipe.with_changes({"image": {"format": "png"}})
    fields = {"recipe": recipe, "layers": frozenset({"mask"}), "count": COMPARED}
    with TemporaryDirectory() as folder:
        out = Path(folder)
        fields |= {"shard_size": COMPARED, "workers": 1, "start": 0, "stop": 1, "out": folder}
        spec = replace(entry.spec, **fields)
        list(LocalEngine(entry.peer.task).make(spec, spec.shards, Unwatched()))
        shards = [sample for tar in out.glob("*.tar") for _, sample in read_samples(tar)]
        return shards or [{"png": path.read_bytes()} for path in sorted(out.glob("*.png"))]


def images_of(samples: list[Sample], member: str = "png") -> UInt8[Array, "N H W *C"]:
    """One member of all the samples as pixels."""
    return np.stack([np.asarray(Image.open(io.BytesIO(sample[member]))) for sample in samples])


def rows_of(
    entries: list[Entry], samples: list[list[Sample]], speeds: list[tuple[float, ...]]
) -> Iterator[Row]:
    """What was measured of each entry, with its images' difference from the plain loop's."""
    both = list(zip(entries, samples, strict=True))
    for (entry, own), speed in zip(both, speeds, strict=True):
        same = {e.peer.name: theirs for e, theirs in both if e.spec.model == entry.spec.model}
        image = entry.spec.recipe.image
        yield Row(
            model=entry.spec.model.name,
            peer=entry.peer.name,
            device=entry.device,
            workers=entry.spec.workers,
            image=f"{image.size} x {image.size} {image.format} q{image.quality}",
            images_per_s=speed,
            difference=difference(own, same.get(PLAIN), face_of(same)),
        )


def face_of(same: dict[str, list[Sample]]) -> Bool[Array, "N H W"] | None:
    """Where the face is in each image: a mask of facegen's."""
    masked = (samples for samples in same.values() if MASK in samples[0])
    return next((images_of(samples, MASK) > 0 for samples in masked), None)


def difference(
    own: list[Sample], other: list[Sample] | None, face: Bool[Array, "N H W"] | None
) -> float | None:
    """The mean absolute difference of two peers' images inside the face, of 255."""
    if other is None or face is None:
        return None
    offsets = images_of(own).astype(np.int16) - images_of(other)
    return float(np.abs(offsets[face]).mean())


if __name__ == "__main__":
    main()
