"""What was measured of each environment, as a table."""

from pathlib import Path

import h5py
import numpy as np

from facegen.scene.lighting import LUMINANCE, irradiance

from .light import GRID
from .sphere import directions
from .write import decoded

HEAD = (
    "name            held  evenness  least  median    r/g   b/g  sun 1  sun 2\n"
    "least: irradiance / pi at the normal that has least of it; median: luminance of the panorama"
)


def summary(path: Path) -> str:
    """Return a table of the environments, and the file's size."""
    with h5py.File(path) as file:
        names = file["names"].asstr()[:]
        columns = [file[key][:] for key in ("held_out", "panoramas", "illumination", "suns")]
    rows = [_line(*row) for row in zip(names, *columns, strict=True)]
    return "\n".join([HEAD, *rows, f"{path.stat().st_size / 1e6:.2f} MB"])


def evenness(light: np.ndarray) -> float:
    """Return the length of the linear coefficients over the constant, of the channels' means."""
    return float(np.linalg.norm(light[1:4].mean(1)) / light[0].mean())


def _line(name: str, held: bool, values: np.ndarray, light: np.ndarray, suns: np.ndarray) -> str:
    """Return one environment's line."""
    least = irradiance(directions(GRID // 2), light).min()
    median = np.median(decoded(values) @ LUMINANCE)
    red, green, blue = light[0]
    first, second = suns[:, 3:] @ LUMINANCE
    return (
        f"{name:<16}{'yes' if held else '':<5}{evenness(light):8.2f}{least:8.2f}{median:8.3f}"
        f"{red / green:7.2f}{blue / green:6.2f}{first:7.2f}{second:7.2f}"
    )
