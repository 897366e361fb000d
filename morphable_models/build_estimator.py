"""Builds estimator.onnx, the network that `facegen estimate` uses: trained on `natural` alone.

    python morphable_models/build_estimator.py --work data/estimator

Renders the faces, trains on them, prints how the error falls with the hours, and writes the file
with its card. No photograph and no weights of others are used; with --photographs, a folder with
landmarks.json, the landmarks found in them are measured at every stop, too. Stopped or killed, the
same command continues. It needs `pip install 'facegen[train]'`, and two hours on two cores.
"""

import csv
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import click

from facegen.files import make_folder, write_file
from facegen.learning import checkpoint
from facegen.learning.config import PRESETS
from facegen.learning.evaluate import EvaluateSettings, Evaluation, evaluate_shards
from facegen.learning.export import export
from facegen.learning.photographs import evaluate_files
from facegen.learning.photographs import table as photographs_table

OUT = Path(__file__).resolve().parent / "assets" / "estimator.onnx"
SIZE, FACES, UNSEEN = 64, 100_000, 1000
STEPS, EVERY = 30_000, 1500
MARKS = "landmarks.json"
BATCH = PRESETS["modern"].batch
POLL_S = 5.0
# Faces as a detector finds them, most of them not far from the front, and as its boxes frame them.
RECIPE = """
extends = "natural"
description = "natural, turned and cropped as detected faces are"

[rotation.yaw]
distribution = "mixture"
components = [
  { weight = 0.70, distribution = "normal", mean_degrees = 0, sd_degrees = 15 },
  { weight = 0.25, distribution = "normal", mean_degrees = 0, sd_degrees = 30 },
  { weight = 0.05, distribution = "uniform", low_degrees = -90, high_degrees = 90 },
]

[crop.scale]
distribution = "normal"
mean = 1.4
sd = 0.12

[crop.shift]
distribution = "normal"
mean = 0
sd = 0.05
"""
CARD = """# The estimator

`estimator.onnx` estimates theta of the generic model, 68 landmarks, how far off both may be, and
which landmarks are visible, from images of {size} x {size} pixels. `build_estimator.py` made it:
{network}, trained in {hours:.1f} hours on {steps:,} batches of {batch} of {faces:,} faces of the
recipe `natural`, cropped closer. No photograph and no weights of others went into it.

Licence: CC0 1.0. Weights are kept as 16-bit floats; outputs are within {difference:.1e} of those of
PyTorch.

On {unseen:,} such faces that it has not seen:

```
{figures}
```
"""


@dataclass(frozen=True)
class Work:
    """Where things lie while the network is made."""

    folder: Path
    photographs: Path | None

    @property
    def recipe(self) -> Path:
        """What the faces are."""
        return self.folder / "estimator.toml"

    @property
    def faces(self) -> Path:
        """What is trained on."""
        return self.folder / "faces"

    @property
    def unseen(self) -> Path:
        """What is not."""
        return self.folder / "unseen"

    @property
    def network(self) -> Path:
        """The checkpoint."""
        return self.folder / "estimator.pt"


def facegen(*options: object) -> list[str]:
    """A facegen command."""
    return [sys.executable, "-m", "facegen", *map(str, options)]


def render(recipe: Path, folder: Path, count: int, seed: int) -> None:
    """Render what is missing of a data set."""
    options = ("--recipe", recipe, "--count", count, "--size", SIZE, "--seed", seed)
    layers = ("--layers", "landmarks2d", "--out", folder)
    ended = subprocess.run(facegen("render", *options, *layers), check=False).returncode
    if ended:
        raise click.ClickException(f"rendering ended with {ended}")


def train(work: Work) -> None:
    """Train, or go on, and print a line at every stop."""
    options = ("--network", "small", "--iterations", STEPS, "--every", EVERY)
    running = subprocess.Popen(facegen("train", work.faces, "--out", work.network, *options))
    told = 0
    try:
        while running.poll() is None:
            time.sleep(POLL_S)
            told = tell(work, told)
    finally:
        running.terminate()
        running.wait()
    tell(work, told)
    if running.returncode:
        raise click.ClickException(f"training ended with {running.returncode}")


def rows(work: Work) -> Iterator[tuple[float, dict[str, str]]]:
    """The rows of the training's log, each after the hours that it took."""
    log, hours, before = work.network.with_suffix(".csv"), 0.0, 0
    if not log.exists():
        return
    with log.open(newline="") as file:
        for row in csv.DictReader(file):
            step = int(float(row["step"]))
            hours += (step - before) * BATCH / float(row["images_per_second"]) / 3600
            before = step
            yield hours, row


def tell(work: Work, told: int) -> int:
    """Print the stops after the first `told` -> how many there are."""
    every = list(rows(work))
    for hours, row in every[told:]:
        missed = 100 * float(row["landmarks_px"]) / SIZE
        line = f"{hours:5.2f} h, step {row['step']}: landmarks {missed:.2f} % of the side off"
        print(line + f", loss {float(row['validation_loss']):.3f}", flush=True)
    if work.photographs and len(every) > told:
        images, marks = sorted(work.photographs.glob("*.png")), work.photographs / MARKS
        marked = evaluate_files(work.network, images, marks)
        print(f"       photographs: {marked.direct.mean(axis=0).round(2)} %", flush=True)
    return len(every)


def card(evaluation: Evaluation, network: Path, hours: float, difference: float) -> str:
    """What is to be known of the network."""
    from facegen.learning.evaluate import table

    facts = checkpoint.load(network).facts
    return CARD.format(
        size=SIZE,
        network=f"the network `{facts.network.name}`",
        hours=hours,
        steps=facts.step,
        batch=BATCH,
        faces=FACES,
        difference=difference,
        unseen=UNSEEN,
        figures=table(evaluation),
    )


@click.command(help=__doc__.partition("\n")[0])
@click.option("--work", "folder", type=click.Path(path_type=Path), default=Path("data/estimator"))
@click.option("--photographs", type=click.Path(path_type=Path, exists=True, file_okay=False))
@click.option("--out", type=click.Path(path_type=Path), default=OUT, show_default=True)
def main(folder: Path, photographs: Path | None, out: Path) -> None:
    """Make the network, or go on making it."""
    make_folder(folder)
    work = Work(folder, photographs)
    write_file(work.recipe, RECIPE.encode())
    render(work.recipe, work.faces, FACES, seed=101)
    render(work.recipe, work.unseen, UNSEEN, seed=102)
    train(work)
    difference = export(checkpoint.load(work.network), out, half=True)
    evaluation = evaluate_shards(out, [work.unseen], EvaluateSettings())
    hours = list(rows(work))[-1][0]
    text = card(evaluation, work.network, hours, difference)
    write_file(out.with_suffix(".md"), text.encode())
    print(text)
    if photographs:
        marked = evaluate_files(out, sorted(photographs.glob("*.png")), photographs / MARKS)
        print(photographs_table(marked))


if __name__ == "__main__":
    main()
