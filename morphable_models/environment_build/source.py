"""Reads the CC0 images out of the two pinned packages, checked against their digests."""

import base64
import hashlib
import tarfile
import tempfile
from io import BytesIO
from pathlib import Path

import numpy as np
import OpenEXR

from .catalogue import ENTRIES, PACKAGES, Entry

AR_MAGIC, AR_HEADER = b"!<arch>\n", 60


class Source:
    """The files of one package; refused where it is not the pinned one or not CC0."""

    def __init__(self, key: str, path: Path) -> None:
        """Read the images, and look into the licence."""
        package, raw = PACKAGES[key], path.read_bytes()
        digest = hashlib.sha256(raw).hexdigest()
        if digest != package.sha256:
            raise ValueError(f"{path.name}: sha256 {digest}, expected {package.sha256}")
        data = _debian_data(raw) if raw.startswith(AR_MAGIC) else raw
        wanted = {package.licence, *(e.path for e in ENTRIES if e.package == key)}
        self._files = _unpacked(data, wanted)
        if package.words not in self._files[package.licence].decode():
            raise ValueError(f"{path.name}: {package.licence} does not say {package.words!r}")

    def image(self, entry: Entry) -> np.ndarray:
        """Return an environment's linear radiance (H, 2H, 3), row 0 at the top."""
        raw = self._files[entry.path]
        if entry.path.endswith(".js"):  # export default 'data:application/exr;base64,...'
            raw = base64.b64decode(raw.split(b"base64,")[1].split(b"'")[0])
        return restored(_decoded(raw))


def _unpacked(data: bytes, wanted: set[str]) -> dict[str, bytes]:
    """Return the bytes of the files wanted of a tar; refuse one that lacks any."""
    with tarfile.open(fileobj=BytesIO(data)) as tar:
        found = {m.name: tar.extractfile(m).read() for m in tar if m.name in wanted}
    if missing := wanted - set(found):
        raise ValueError(f"not in the package: {', '.join(sorted(missing))}")
    return found


def _debian_data(raw: bytes) -> bytes:
    """Return the data archive in a Debian package, which is an ar archive."""
    start = len(AR_MAGIC)
    while start < len(raw):
        name, size = raw[start : start + 16], int(raw[start + 48 : start + 58])
        start += AR_HEADER
        if name.startswith(b"data.tar"):
            return raw[start : start + size]
        start += size + size % 2
    raise ValueError("no data.tar in the Debian package")


def _decoded(raw: bytes) -> np.ndarray:
    """Return the red, green and blue of an EXR file."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "image.exr"
        path.write_bytes(raw)
        pixels = OpenEXR.File(str(path)).channels()["RGB"].pixels
    return np.asarray(pixels, np.float64)


def restored(radiance: np.ndarray) -> np.ndarray:
    """Give back red and green where a sun beyond half floats left only blue.

    They become blue times the ratio in the pixels around. Such a sun is that of `park`: six pixels
    by six, and the ratio, 1.7, is that of its halo.
    """
    red_green, blue = np.abs(radiance[..., :2]).max(-1), np.abs(radiance[..., 2])
    lost = (red_green < 1e-3) & (blue > 1.0)
    if not lost.any():
        return radiance
    ring = _grown(lost) & ~lost
    ratio = radiance[ring][:, :2].sum(0) / radiance[ring][:, 2].sum()
    out = radiance.copy()
    out[lost, :2] = radiance[lost, 2:] * ratio
    return out


def _grown(mask: np.ndarray) -> np.ndarray:
    """Return the mask and the pixels beside it, around the seam too."""
    rows = mask | np.roll(mask, 1, 0) | np.roll(mask, -1, 0)
    return rows | np.roll(rows, 1, 1) | np.roll(rows, -1, 1)
