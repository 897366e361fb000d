"""The log of a training: CSV beside the checkpoint, and TensorBoard where it is installed."""

import csv
from importlib.util import find_spec
from io import StringIO
from pathlib import Path
from types import TracebackType
from typing import Any

from facegen.errors import FacegenError
from facegen.files import make_folder, write_file


class Log:
    """One row of figures per stop; rows of steps that a kill undid are dropped."""

    def __init__(self, out: Path, step: int) -> None:
        make_folder(out.parent)
        self._path = out.with_suffix(".csv")
        self._rows = [row for row in read(self._path) if step and float(row["step"]) <= step]
        self._board = _board(out.with_suffix(".tensorboard"), step)

    def write(self, row: dict[str, float]) -> None:
        """Note figures by name, "step" among them."""
        self._rows.append({name: f"{value:.6g}" for name, value in row.items()})
        text = StringIO()
        writer = csv.DictWriter(text, list(self._rows[-1]), extrasaction="ignore")
        writer.writeheader()
        writer.writerows(self._rows)
        write_file(self._path, text.getvalue().encode())
        if self._board:
            for name, value in row.items():
                self._board.add_scalar(name, value, int(row["step"]))

    def __enter__(self) -> "Log":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._board:
            self._board.close()


def read(path: Path) -> list[dict[str, str]]:
    """The rows of a log; none where there is none. FacegenError where it is another file."""
    if not path.exists():
        return []
    try:
        with path.open(newline="", encoding="utf-8") as file:
            rows = [row for row in csv.DictReader(file) if float(row["step"]) >= 0]
    except (KeyError, ValueError, TypeError, csv.Error):
        raise FacegenError(f"{path}: not the log of a training", "move it elsewhere") from None
    return rows


def _board(folder: Path, step: int) -> Any:
    if find_spec("tensorboard") is None:
        return None
    from torch.utils.tensorboard import SummaryWriter

    return SummaryWriter(str(folder), purge_step=step + 1)
