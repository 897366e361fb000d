"""A shard's report: written last, so a shard is complete when its report exists."""

from typing import Annotated

import msgspec

from facegen.dataset.stores.store import Store
from facegen.errors import DatasetError, located
from facegen.recipe.recipe import MAX_SAMPLES


class ShardReport(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is known of a complete shard: samples start to stop, its tar, seconds by stage."""

    name: str
    start: Annotated[int, msgspec.Meta(ge=0, le=MAX_SAMPLES)]
    stop: Annotated[int, msgspec.Meta(ge=1, le=MAX_SAMPLES)]
    bytes: Annotated[int, msgspec.Meta(ge=0, le=1 << 62)]
    sha256: str
    fingerprint: str
    device: str
    seconds: dict[str, Annotated[float, msgspec.Meta(ge=0, le=1e12)]]

    @property
    def samples(self) -> int:
        """How many it holds."""
        return self.stop - self.start


def write_report(store: Store, report: ShardReport) -> None:
    """Mark the shard complete."""
    store.write(f"{report.name}.json", encode_report(report))


def read_report(store: Store, name: str) -> ShardReport:
    """The report of a shard; DatasetError names the file that is not one."""
    with located(f"{store.where}/{name}.json"):
        try:
            report = msgspec.json.decode(store.read(f"{name}.json"), type=ShardReport)
        except (msgspec.MsgspecError, ValueError, RecursionError) as error:
            raise DatasetError(f"not a shard report: {error}", _HINT) from None
        if report.name != name or report.start >= report.stop:
            raise DatasetError("not a shard report: it speaks of another shard", _HINT)
        return report


def encode_report(report: ShardReport) -> bytes:
    """The report's file."""
    return msgspec.json.format(msgspec.json.encode(report), indent=1) + b"\n"


_HINT = "remove it to make the shard again"
