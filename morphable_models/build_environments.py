"""Builds environments.h5: real places as background and as light, from CC0 panoramas.

The two packages that it reads are fetched with

    npm pack @pmndrs/assets@1.7.0
    apt-get download blender-data=3.4.1+dfsg-2

Their digests are pinned; only images and licences are read, nothing in them is run. It needs
facegen and OpenEXR, and takes half a minute. The same library versions give the same bytes.
"""

import argparse
from pathlib import Path

import numpy as np
from environment_build.catalogue import ENTRIES, PACKAGES, Entry
from environment_build.checks import check_all
from environment_build.light import illumination, suns
from environment_build.report import summary
from environment_build.source import Source
from environment_build.sphere import levelled, shrunk, without_rings
from environment_build.write import Environment, write

HEIGHT = 128
TEXTS = {
    "name": "environments",
    "licence": "CC0-1.0",
    "description": "Panoramas of real places, what light they give, and their strongest sources.",
    "source": "Panoramas of Poly Haven (once HDRI Haven), CC0, as packed in "
    + " and ".join(package.title for package in PACKAGES.values()),
}


def environment(entry: Entry, radiance: np.ndarray) -> Environment:
    """Measure one panorama; its light is that of the full resolution, unclipped."""
    level = levelled(radiance)
    source = f"{PACKAGES[entry.package].title}: {Path(entry.path).name}"
    panorama = shrunk(without_rings(level), HEIGHT)
    light = illumination(level)
    return Environment(entry.name, source, entry.held_out, panorama, light, suns(level))


def main() -> None:
    """Check the arithmetic, then build the file from the two packages."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--assets", type=Path, required=True, help="pmndrs-assets-1.7.0.tgz")
    parser.add_argument("--blender", type=Path, required=True, help="the Debian package's .deb")
    here = Path(__file__).parent / "assets" / "environments.h5"
    parser.add_argument("--output", type=Path, default=here, help="file to write")
    arguments = parser.parse_args()
    check_all()
    sources = {key: Source(key, getattr(arguments, key)) for key in PACKAGES}
    rows = [environment(entry, sources[entry.package].image(entry)) for entry in ENTRIES]
    write(arguments.output, rows, TEXTS)
    print(summary(arguments.output))


if __name__ == "__main__":
    main()
