"""What a person sees of a run: a bar while it goes, a summary when it is done."""

from collections import Counter
from types import TracebackType

from tqdm import tqdm

from facegen.generate import Summary
from facegen.job import Job
from facegen.stopwatch import STAGES


class Progress:
    """A bar of samples, images/s and time left."""

    def __init__(self, job: Job) -> None:
        self._total = sum(len(shard) for shard in job.shards)
        self._name = job.out
        self._bar: tqdm | None = None

    def listen(self, samples: int) -> None:
        """Hear of samples written; the first word is of those found done."""
        if self._bar is None:
            self._bar = tqdm(
                total=self._total, initial=samples, unit="image", unit_scale=True, desc=self._name
            )
        else:
            self._bar.update(samples)

    def __enter__(self) -> "Progress":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._bar is not None:
            self._bar.close()


def summary(job: Job, done: Summary) -> str:
    """What was made, how fast, where the time went, and where to look."""
    later = f"after `facegen index {job.out}`, once all parts are there"
    there = f"{job.out}/preview.jpg" if job.is_whole else later
    if done.failed and not done.made:
        return "Nothing could be made."
    if not done.made:
        there_already = sum(report.samples for report in done.found)
        return f"All {there_already:,} images were there already.\nPreview: {there}"
    megabytes = sum(report.bytes for report in done.made) / 1e6
    speed = f"{done.samples / done.seconds:,.0f} images/s"
    devices = ", ".join(sorted({report.device for report in done.made}))
    lines = [
        f"{done.samples:,} images, {megabytes:,.0f} MB, {done.seconds:,.1f} s: {speed}",
        f"Device: {devices}, {job.workers} workers",
        f"Milliseconds an image in its worker: {stages(done)}",
        f"Preview: {there}",
    ]
    return "\n".join(lines)


def failures(job: Job, done: Summary) -> list[str]:
    """One line for each shard that could not be made."""
    return [
        f"{one.shard.name}: given up at samples {one.first} to {one.last - 1}, seed {job.seed}: "
        f"{one.fact}"
        for one in done.failed
    ]


def stages(done: Summary) -> str:
    """Milliseconds per image of each stage."""
    seconds: Counter[str] = Counter()
    for report in done.made:
        seconds.update(report.seconds)
    return ", ".join(f"{stage} {1000 * seconds[stage] / done.samples:.2f}" for stage in STAGES)
