"""Photographs with the landmarks found on them, a contact sheet for each row."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float, UInt8
from PIL import Image, ImageDraw

from facegen.files import Array
from transfer_parts.photographs import Crops

SIDE, COLUMNS, RADIUS = 224, 6, 1.6
MARKED, FOUND = "#40ff40", "#ff4030"


def sheet(
    crops: Crops, direct: Float[Array, "N 68 2"], theta: Float[Array, "N 68 2"]
) -> Image.Image:
    """Crops with marked (green) and found (red) landmarks: direct, below them those of theta."""
    strips = []
    for start in range(0, len(crops.images), COLUMNS):
        rows = slice(start, start + COLUMNS)
        for points in (direct, theta):
            strips.append(_strip(crops.images[rows], crops.marked[rows], points[rows]))
    width = max(strip.width for strip in strips)
    whole = Image.new("RGB", (width, SIDE * len(strips)))
    for number, strip in enumerate(strips):
        whole.paste(strip, (0, SIDE * number))
    return whole


def _strip(
    images: UInt8[Array, "n S S 3"], marked: Sequence[Array], found: Sequence[Array]
) -> Image.Image:
    strip = Image.new("RGB", (SIDE * len(images), SIDE))
    for column, (pixels, *points) in enumerate(zip(images, marked, found, strict=True)):
        tile = Image.fromarray(pixels).resize((SIDE, SIDE), Image.Resampling.BICUBIC)
        pen = ImageDraw.Draw(tile)
        for places, colour in zip(points, (MARKED, FOUND), strict=True):
            for u, v in SIDE * np.asarray(places):
                pen.ellipse((u - RADIUS, v - RADIUS, u + RADIUS, v + RADIUS), fill=colour)
        strip.paste(tile, (SIDE * column, 0))
    return strip
