"""Glasses: rims about two lenses, a bridge, and temples to the ears."""

from dataclasses import dataclass, replace

import numpy as np

from .head import Field
from .piece import CLEAR, DARK, GLASSES, GLOSSY, Part, join, part, step
from .shapes import tube

RIM = 44  # Points around a lens.
EAR = np.array([76.0, 15.5, -4.0])  # Where a temple lies on the ear.


@dataclass(frozen=True)
class Frame:
    """A pair of glasses in mm: half sizes of a lens, its squareness, how thick the rim is."""

    wide: float = 25.0
    high: float = 19.0
    square: float = 3.0
    thick: float = 1.5
    gap: float = 8.0  # Half of the distance between the lenses.
    lift: float = 0.0  # Of the outer upper corners, as cat's eyes have it.
    drop: float = 0.0  # Of the lower rim towards the cheeks, as pilots' glasses have it.
    rim: bool = True
    bars: int = 1
    lens: int = CLEAR
    low: float = 0.0
    depth: float = 0.0


FRAMES = {
    "glasses_round": Frame(22, 21.5, 2.0, 0.8, 9.5),
    "glasses_rectangular": Frame(26, 15.5, 4.5, 1.2, 8.5),
    "glasses_thick": Frame(25, 19.5, 3.4, 2.4, 8.5),
    "glasses_half_thin": Frame(25.5, 17, 3.0, 0.8, 8.5, drop=1.0),
    "glasses_rimless": Frame(25.5, 16, 3.2, 0.9, 9.0, rim=False),
    "glasses_cat_eye": Frame(26, 17, 2.5, 1.9, 8.5, lift=9.0),
    "glasses_aviator": Frame(27.5, 22, 2.5, 0.75, 8.0, drop=4.0, bars=2),
    "sunglasses": Frame(27, 21, 3.4, 2.5, 8.0, lift=2.0, lens=DARK),
    "sunglasses_aviator": Frame(29, 24, 2.5, 0.85, 8.0, drop=4.5, bars=2, lens=DARK),
    "sunglasses_round": Frame(24, 23, 2.0, 1.0, 9.0, lens=DARK),
    "sunglasses_large": Frame(30, 25, 2.6, 2.4, 8.0, lift=3.0, lens=DARK),
}


def make_glasses(field: Field, frame: Frame, **change: float) -> Part:
    """Return a pair of glasses on the mean head's nose."""
    sizes = {name: getattr(frame, name) + value for name, value in change.items()}
    frame = replace(frame, **sizes)
    parts = []
    for side in (1, -1):
        outline = rim_line(frame, side)
        parts.append(_temple(frame, outline, field, side))
        parts.append(_rim(frame, outline))
        parts.append(_pad(frame, side))
    bars = [_bridge(frame, k) for k in range(frame.bars)]
    lenses = [_lens(frame, rim_line(frame, side)) for side in (1, -1)]
    return join(*parts, *bars, *lenses)


def rim_line(frame: Frame, side: int) -> np.ndarray:
    """Return the middle line of a rim (RIM, 3), from its outer end around."""
    u = np.linspace(0, 2 * np.pi, RIM, endpoint=False)
    c, s = np.cos(u), np.sin(u)
    x = frame.wide * np.sign(c) * np.abs(c) ** (2 / frame.square)
    y = frame.high * np.sign(s) * np.abs(s) ** (2 / frame.square)
    outer = step(x / frame.wide, -0.2, 1.0)
    upper = step(y / frame.high, -0.6, 1.0)
    y, x = y + frame.lift * outer * upper, x + 0.3 * frame.lift * outer * upper
    y = y - frame.drop * step(-y / frame.high, 0, 1) * (0.5 + 0.5 * outer)
    x = x - 0.14 * frame.drop * step(-y / frame.high, -0.5, 1)
    return _bowed(np.stack([side * (x + frame.gap + frame.wide), y - 3.0, 0 * x], 1), frame)


def _bowed(points: np.ndarray, frame: Frame) -> np.ndarray:
    """Return points (x, y) put before the face: bowed, and tilted in below."""
    x, y = points[:, 0], points[:, 1] + frame.low
    z = 111.5 + frame.depth - 0.0019 * x**2 + 0.10 * y
    return np.stack([x, y, z], 1)


def _rim(frame: Frame, outline: np.ndarray) -> Part:
    """Return a rim: a band about the lens, or the bare edge of a lens without one."""
    thick, deep = (frame.thick, 1.2 + 0.45 * frame.thick) if frame.rim else (0.35, 0.7)
    points, triangles = tube(outline, thick, deep, 6, closed=True, up=(0, 0, 1))
    return part(points, triangles, GLASSES, GLOSSY, slot=0 if frame.rim else 2)


def _bridge(frame: Frame, which: int) -> Part:
    """Return the bar over the nose, or the straight second one above it."""
    t = np.linspace(-1, 1, 11)
    reach = frame.gap + (1.0 if which == 0 else 0.36 * frame.wide)
    height = 4.0 + 2.5 * (1 - t**2) if which == 0 else 0.86 * frame.high - 2 + 1.0 * (1 - t**2)
    line = _bowed(np.stack([reach * t, height, 0 * t], 1), frame)
    size = max(frame.thick, 1.2)
    points, triangles = tube(line, 0.9 * size, 1.1 * size, 6)
    return part(points, triangles, GLASSES, GLOSSY, slot=0 if which == 0 else 1)


def _pad(frame: Frame, side: int) -> Part:
    """Return a nose pad."""
    line = np.array([[9.8, -2.0, 103.5], [11.0, -6.0, 102.8], [12.4, -10.0, 101.8]]) * [side, 1, 1]
    line = line + np.array([0, frame.low, 0.5 * frame.depth])
    points, triangles = tube(line, [0.4, 1.0, 0.4], [1.0, 2.2, 1.0], 6)
    return part(points, triangles, GLASSES, GLOSSY, slot=2)


def _temple(frame: Frame, outline: np.ndarray, field: Field, side: int) -> Part:
    """Return a temple: from the rim's outer end over the ear, and down behind it."""
    hinge = outline[3 if frame.rim else 2] + [side * (frame.thick + 0.6), 0, -1.0]
    ear = EAR * [side, 1, 1]
    t = np.linspace(0, 1, 10)[:, None]
    wide = max(abs(hinge[0]) + 2.5, 68.0)
    shoulder = np.array([side * (wide - 1.5), hinge[1] + 0.5, hinge[2] - 1.5])
    corner = np.array([side * wide, hinge[1] + 0.8, hinge[2] - 7.0])
    line = np.vstack([hinge, shoulder, corner + (ear - corner) * t])
    away = (2.2 - field.distance(line)).clip(0) * np.sign(side)
    line[:, 0] += away
    tail = ear + np.array([[0, -3, -8], [-1, -11, -14], [-2, -21, -18]]) * [side, 1, 1]
    line = np.vstack([line, tail])
    tall = np.interp(np.arange(len(line)), [0, 4, 12, 14], np.array([1.4, 1.2, 1.0, 1.2]))
    size = max(frame.thick, 1.1)
    points, triangles = tube(line, 0.55 * size + 0.3, tall * size, 6)
    return part(points, triangles, GLASSES, GLOSSY, slot=0)


def _lens(frame: Frame, outline: np.ndarray) -> Part:
    """Return a lens: rings within the rim, a little domed."""
    middle = outline.mean(0)
    shares = np.array([0.5, 0.97])
    rings = middle + shares[:, None, None] * (outline - middle)
    rings[0, :, 2] += 1.2
    points = np.vstack([middle + np.array([0, 0, 1.6]), rings.reshape(-1, 3)])
    first = 1 + np.arange(RIM)
    after = np.roll(first, -1)
    fan = np.stack([0 * first, first, after], 1)
    quads = [
        np.stack([first, first + RIM, after + RIM], 1),
        np.stack([first, after + RIM, after], 1),
    ]
    triangles = np.vstack([fan, *quads])
    if outline[0, 0] < 0:
        triangles = triangles[:, ::-1]
    return part(points, triangles, GLASSES, frame.lens, slot=1)
