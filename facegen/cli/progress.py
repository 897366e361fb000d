"""What a person sees of a run: a bar while it goes, a summary when it is done."""

from types import TracebackType

from tqdm import tqdm

from facegen.dataset.spec import ResolvedSpec
from facegen.generation.run import Summary
from facegen.generation.timing import stage_milliseconds
from facegen.rendering.devices import in_short

STARTING = "starting; the first time on a machine, kernels are compiled: a minute or two"


class Bar:
    """A bar of samples, images/s and time left; a Progress, and a context that closes it.

    images/s are those made since the first were.
    """

    def __init__(self, spec: ResolvedSpec) -> None:
        self._total = sum(len(shard) for shard in spec.shards)
        self._name = spec.out
        self._bar: tqdm | None = None
        self._waiting = True

    def started(self, complete: int) -> None:
        """Show the bar; so many samples were complete already."""
        self._bar = tqdm(
            total=self._total, initial=complete, unit="image", unit_scale=True, desc=self._name
        )
        if complete < self._total:
            self._bar.set_postfix_str(STARTING)

    def advanced(self, samples: int) -> None:
        """Move the bar forward."""
        if self._bar is None:
            return
        if self._waiting:
            self._waiting = False
            self._bar.initial = self._bar.n = self._bar.n + samples
            self._bar.unpause()
            self._bar.set_postfix_str("")
            return
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


def summary(spec: ResolvedSpec, run: Summary) -> str:
    """What was made, how fast, where the time went, and where to look."""
    if run.failed and not run.made:
        return "Nothing could be made."
    preview = f"{spec.out}/preview.jpg"
    if not spec.is_whole:
        preview = f"after `facegen index {spec.out}`, once all parts are there"
    if not run.made:
        complete = sum(report.samples for report in run.complete)
        return f"All {complete:,} images were there already.\nPreview: {preview}"
    return "\n".join([*_figures(spec, run), f"Preview: {preview}"])


def failures(spec: ResolvedSpec, run: Summary) -> list[str]:
    """One line for each shard that could not be made."""
    return [
        f"{failure.shard.name}: given up at samples {failure.start} to {failure.stop - 1}, "
        f"seed {spec.seed}: {failure.message}"
        for failure in run.failed
    ]


def _figures(spec: ResolvedSpec, run: Summary) -> list[str]:
    megabytes = sum(report.bytes for report in run.made) / 1e6
    speed = f"{run.samples / run.seconds:,.0f} images/s"
    devices = ", ".join(sorted({in_short(report.device) for report in run.made}))
    stages = ", ".join(f"{name} {ms:.2f}" for name, ms in stage_milliseconds(run.made).items())
    return [
        f"{run.samples:,} images, {megabytes:,.0f} MB, {run.seconds:,.1f} s: {speed}",
        f"Device: {devices}, {spec.workers} workers",
        f"Milliseconds an image in its worker: {stages}",
    ]
