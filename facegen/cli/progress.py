"""What a person sees of a run: a bar while it goes, a summary when it is done."""

from types import TracebackType

from tqdm import tqdm

from facegen.dataset.spec import ResolvedSpec
from facegen.generation.run import Summary
from facegen.generation.timing import stage_milliseconds


class Bar:
    """A bar of samples, images/s and time left; a Progress, and a context that closes it."""

    def __init__(self, spec: ResolvedSpec) -> None:
        self._total = sum(len(shard) for shard in spec.shards)
        self._name = spec.out
        self._bar: tqdm | None = None

    def started(self, complete: int) -> None:
        """Show the bar; so many samples were complete already."""
        self._bar = tqdm(
            total=self._total, initial=complete, unit="image", unit_scale=True, desc=self._name
        )

    def advanced(self, samples: int) -> None:
        """Move the bar forward."""
        if self._bar is not None:
            self._bar.update(samples)

    def rolled_back(self, samples: int) -> None:
        """Move the bar back."""
        self.advanced(-samples)

    def __enter__(self) -> "Bar":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._bar is not None:
            self._bar.close()


def summary(spec: ResolvedSpec, done: Summary) -> str:
    """What was made, how fast, where the time went, and where to look."""
    if done.failed and not done.made:
        return "Nothing could be made."
    preview = f"{spec.out}/preview.jpg"
    if not spec.is_whole:
        preview = f"after `facegen index {spec.out}`, once all parts are there"
    if not done.made:
        complete = sum(report.samples for report in done.complete)
        return f"All {complete:,} images were there already.\nPreview: {preview}"
    return "\n".join([*_figures(spec, done), f"Preview: {preview}"])


def failures(spec: ResolvedSpec, done: Summary) -> list[str]:
    """One line for each shard that could not be made."""
    return [
        f"{one.shard.name}: given up at samples {one.start} to {one.stop - 1}, seed {spec.seed}: "
        f"{one.message}"
        for one in done.failed
    ]


def _figures(spec: ResolvedSpec, done: Summary) -> list[str]:
    megabytes = sum(report.bytes for report in done.made) / 1e6
    speed = f"{done.samples / done.seconds:,.0f} images/s"
    devices = ", ".join(sorted({report.device for report in done.made}))
    stages = ", ".join(f"{name} {ms:.2f}" for name, ms in stage_milliseconds(done.made).items())
    return [
        f"{done.samples:,} images, {megabytes:,.0f} MB, {done.seconds:,.1f} s: {speed}",
        f"Device: {devices}, {spec.workers} workers",
        f"Milliseconds an image in its worker: {stages}",
    ]
