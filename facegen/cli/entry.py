"""The command's first steps, before anything heavy is imported: streams and signals made safe.

A stop is one line and 128 + the signal's number, at whatever moment it comes. Output that nobody
takes stops no work: what cannot be written to standard error is left, to a pipe whose reader is
gone as well; of another failure of standard output the exit code tells at the end.
"""

import errno
import io
import os
import signal
import sys
from types import FrameType
from typing import Any, NoReturn

STOPS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
AGAIN_S = 0.05
ASCII = ("ascii", "us-ascii", "ansi_x3.4-1968", "646")


class Stopped(KeyboardInterrupt):
    """The work was asked to stop."""


class Stops:
    """Takes signals to stop, as an exception; one that was lost in a callback is raised again."""

    def __init__(self) -> None:
        self.received = 0

    def listen(self) -> None:
        """Take every signal to stop that is not ignored already (as by nohup)."""
        for number in STOPS:
            if signal.getsignal(number) is not signal.SIG_IGN:
                signal.signal(number, self.stop)
        signal.signal(signal.SIGALRM, self.stop)
        sys.unraisablehook = self.lost

    def stop(self, number: int, frame: FrameType | None) -> NoReturn:
        """A signal's handler."""
        self.received = self.received or number
        raise Stopped

    def lost(self, unraisable: Any) -> None:
        """Python's hook for exceptions where none can be raised: a stop is raised soon after."""
        if isinstance(unraisable.exc_value, Stopped):
            signal.setitimer(signal.ITIMER_REAL, AGAIN_S)
        else:
            sys.__unraisablehook__(unraisable)

    def ignore(self) -> None:
        """Take no more: the work is done, or on its way out."""
        for number in (*STOPS, signal.SIGALRM):
            signal.signal(number, signal.SIG_IGN)


class Stream(io.TextIOWrapper):
    """Standard output or error that never raises; `error` is what kept it from being written."""

    def __init__(self, descriptor: int, encoding: str, by_line: bool) -> None:
        raw = io.BufferedWriter(io.FileIO(descriptor, "w", closefd=False))
        super().__init__(raw, encoding, "backslashreplace", line_buffering=by_line)
        self.error: OSError | None = None

    def write(self, text: str, /) -> int:
        """Write, or leave it."""
        try:
            return super().write(text)
        except OSError as error:
            self._leave(error)
            return len(text)

    def flush(self) -> None:
        """Flush, or leave it."""
        try:
            super().flush()
        except OSError as error:
            self._leave(error)

    def _leave(self, error: OSError) -> None:
        """From now on, write to nowhere, what is in buffers too."""
        if error.errno != errno.EPIPE:
            self.error = error
        os.dup2(os.open(os.devnull, os.O_WRONLY), self.fileno())


def main() -> None:
    """Run the command line, and exit."""
    stops = Stops()
    try:
        stops.listen()
        output = open_streams()
        code = run()
        output.flush()
    except BaseException:
        if not stops.received:
            raise
        code = 0
    finally:
        stops.ignore()
    if stops.received:
        leave("stopped; run the same command again to continue", 128 + stops.received)
    if output.error is not None:
        leave(f"standard output: {output.error.strerror}", code or 1)
    sys.exit(code)


def run() -> int:
    """The command's exit code."""
    from click import ClickException

    from facegen.cli.main import main as command

    try:
        code = command(prog_name="facegen", standalone_mode=False)
    except ClickException as error:
        error.show()
        code = error.exit_code
    except SystemExit as end:
        code = end.code
    return code if isinstance(code, int) else 0


def leave(words: str, code: int) -> NoReturn:
    """Say why on standard error, and exit."""
    print(f"facegen: {words}", file=sys.stderr)
    sys.exit(code)


def open_streams() -> Stream:
    """Standard streams that are there and do not fail -> standard output.

    Where one was closed, the next file that is opened would take its number, and its output.
    """
    for descriptor in range(3):
        try:
            os.fstat(descriptor)
        except OSError:
            os.open(os.devnull, os.O_RDWR)
        os.set_blocking(descriptor, True)
    if sys.stdin is None:
        sys.stdin = io.TextIOWrapper(io.BufferedReader(io.FileIO(0, closefd=False)), "utf-8")
    encoding = getattr(sys.stdout or sys.stderr, "encoding", "utf-8").lower()
    encoding = "utf-8" if encoding in ASCII else encoding
    by_line = os.isatty(1) or getattr(sys.stdout, "write_through", False)
    output = Stream(1, encoding, by_line)
    sys.stdout, sys.stderr = output, Stream(2, encoding, True)
    return output
