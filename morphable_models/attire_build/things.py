"""What hands hold: a phone, a cup, a microphone, a sheet of paper, a book; and where, as tags."""

from collections.abc import Callable, Mapping

import numpy as np

from .hands import POSES, Hand, hand_part
from .piece import CLOTH, GLOSSY, OTHER, Part, grid_triangles, join, part

# Where pieces are held: x, y, z in mm of the model's space, then yaw, pitch, roll in degrees.
PLACES: Mapping[str, list[list[float]]] = {
    "open_hand": [[18, -60, 152, -6, -8, 8], [34, -8, 138, 8, -6, 14], [58, 8, 118, 24, -10, 20],
                  [-4, -98, 140, -4, -12, -4]],
    "spread_hand": [[110, -40, 150, 6, -6, -8], [40, -30, 165, 0, 0, 6]],
    "fist_under_chin": [[4, -158, 88, 0, -18, 4], [28, -146, 76, 14, -16, 14],
                        [62, -104, 66, 38, -12, 16]],
    "pointing": [[62, -40, 122, 36, -10, 24], [26, -128, 142, 4, -8, 12], [96, 14, 84, 62, -4, 10]],
    "peace": [[104, -22, 112, 188, 0, -6], [84, 12, 128, 176, -4, 14]],
    "phone": [[104, -28, 28, 84, 0, 18], [30, -40, 190, 4, -14, 6], [96, -62, 46, 78, -12, 30]],
    "cup": [[6, -104, 176, 4, -4, 82], [22, -120, 168, 12, -10, 76]],
    "microphone": [[6, -150, 158, 0, -30, 70], [22, -142, 152, 10, -24, 62]],
    "paper": [[58, -190, 180, 6, -14, 4], [70, -130, 190, 10, -12, -4]],
    "book": [[58, -215, 180, 4, -18, 2], [52, -140, 190, -4, -10, 6]],
}  # fmt: skip
Thing = Callable[[], Part]


def _round(
    profile: list[tuple[float, float]], middle: tuple[float, float], slots: list[int], look: int
) -> Part:
    """Return a turned shape about the x axis through (y, z); profile of x and radius."""
    turn = np.linspace(0, 2 * np.pi, 29)
    x, radius = np.array(profile).T[:, :, None]
    points = np.stack([x + 0 * turn, middle[0] + radius * np.cos(turn),
                       middle[1] + radius * np.sin(turn)], -1)  # fmt: skip
    triangles = grid_triangles(len(profile), 29)[:, ::-1]
    return part(points.reshape(-1, 3), triangles, OTHER, look, np.repeat(slots, 29))


def _box(
    low: tuple[float, float, float], high: tuple[float, float, float], corner: float, slot: int,
    look: int,
) -> Part:  # fmt: skip
    """Return a flat box with round corners in x and y."""
    (x0, y0, z0), (x1, y1, z1) = low, high
    u = np.linspace(0, 2 * np.pi, 32, endpoint=False) + np.pi / 32
    c, s = np.cos(u), np.sin(u)
    x = (x0 + x1) / 2 + np.sign(c) * ((x1 - x0) / 2 - corner) + corner * c
    y = (y0 + y1) / 2 + np.sign(s) * ((y1 - y0) / 2 - corner) + corner * s
    middle = np.array([(x0 + x1) / 2, (y0 + y1) / 2])
    rows = [(0.0, z1), (0.97, z1), (1.0, z1 - 0.8), (1.0, z0 + 0.8), (0.97, z0), (0.0, z0)]
    points = [
        np.stack([middle[0] + m * (x - middle[0]), middle[1] + m * (y - middle[1]), z + 0 * x], 1)
        for m, z in rows
    ]
    triangles = grid_triangles(len(rows), 32, closed=True)[:, ::-1]
    return part(np.concatenate(points), triangles, OTHER, look, slot)


def phone() -> Part:
    """Return a phone in the palm, its screen away from it."""
    body = _box((-34, -38, -33), (38, 112, -24.5), 9, 0, GLOSSY)
    screen = _box((-31.5, -35.5, -33.4), (35.5, 109.5, -32), 7, 1, GLOSSY)
    camera = _box((14, 84, -25), (34, 106, -22.5), 6, 2, GLOSSY)
    return join(body, screen, camera)


def cup() -> Part:
    """Return a paper cup with a lid; its axis lies across the hand."""
    profile = [(58, 0.1), (58, 34), (63, 35), (63, 38), (58, 39), (56, 38.5), (54, 37), (20, 35),
               (19.9, 35.6), (-22, 33.6), (-22.1, 33.0), (-56, 29), (-56, 0.1)]  # fmt: skip
    slots = [1, 1, 1, 1, 1, 1, 0, 0, 2, 2, 0, 0, 0]
    return _round(profile, (22, -52), slots, CLOTH)


def microphone() -> Part:
    """Return a microphone with a round head; its axis lies across the hand."""
    ball = [(84 + 24 * np.cos(a), 24 * np.sin(a)) for a in np.linspace(0.05, 2.3, 9)]
    shaft = [(62, 17.5), (58, 17), (40, 14), (-90, 11), (-92, 0.1)]
    slots = [1] * 9 + [2, 2, 0, 0, 0]
    return _round([*ball, *shaft], (24, -36), slots, GLOSSY)


def paper() -> Part:
    """Return a sheet of paper, a little bent, held at its edge."""
    x, y = np.meshgrid(np.linspace(-140, 40, 13), np.linspace(170, -36, 13))
    z = -28 - 14 * ((x + 50) / 90) ** 2 + 5 * np.sin(y / 60)
    front = np.stack([x, y, z], -1).reshape(-1, 3)
    triangles = grid_triangles(13, 13)[:, ::-1]
    back = part(front - [0, 0, 0.6], triangles[:, ::-1], OTHER, CLOTH, 0, 0.96)
    return join(part(front, triangles, OTHER, CLOTH, 0), back)


def book() -> Part:
    """Return a closed book: its cover, and the pages between."""
    cover = [_box((-112, -44, z), (40, 172, z + 2.5), 3, 0, CLOTH) for z in (-50.0, -26.5)]
    pages = _box((-108, -41, -48), (39, 169, -26), 1, 1, CLOTH)
    spine = _box((-114, -44, -50), (-110, 172, -24), 1, 0, CLOTH)
    return join(*cover, pages, spine)


HELD: Mapping[str, tuple[str, Thing | None]] = {
    "open_hand": ("open", None), "spread_hand": ("spread", None), "fist_under_chin": ("fist", None),
    "pointing": ("pointing", None), "peace": ("peace", None), "phone": ("hold", phone),
    "cup": ("hold", cup), "microphone": ("grip", microphone), "paper": ("flat", paper),
    "book": ("flat", book),
}  # fmt: skip


def make_hand(hand: Hand, name: str, size: float = 0.0, manly: float = 0.0) -> Part:
    """Return a hand by name with what it holds."""
    pose, thing = HELD[name]
    skin = hand_part(hand, POSES[pose], size, manly)
    return join(skin, thing()) if thing else skin
