"""Clothes by name: cloth, collars, lapels, ties, hoods and scarves, over the skin of the body."""

from collections.abc import Callable, Mapping

import numpy as np

from .garments import Neckline, Wearer, cloth, collar, frontness, hem, hems, ring, skin, turtleneck
from .piece import CLOTH, CLOTHES, GLOSSY, Part, grid_triangles, join, part, step
from .shapes import around, drape, tube

CREW = Neckline(drop=5, deep=6, wide=60, round=True)
CLOSED = Neckline(drop=-14)
OPEN = Neckline(drop=-14, deep=70, wide=36)
JACKET = Neckline(drop=2, deep=265, wide=78)
Garment = Callable[..., Part]


def crew_neck(wearer: Wearer, manly: float = 0.0, loose: float = 0.0) -> Part:
    """Return a T-shirt or pullover with a round neckline."""
    neck = CREW
    sheet = cloth(wearer, neck, 4.0, manly, loose)
    return join(skin(wearer, neck, manly, 30), sheet, hem(sheet, 6.5, 1.8))


def v_neck(wearer: Wearer, manly: float = 0.0, loose: float = 0.0) -> Part:
    """Return a pullover with a V-shaped neckline."""
    neck = Neckline(drop=6, deep=88, wide=64)
    sheet = cloth(wearer, neck, 4.5, manly, loose)
    return join(skin(wearer, neck, manly), sheet, hem(sheet, 6.0, 1.8, 0))


def blouse_wide_neck(wearer: Wearer, manly: float = 0.0, loose: float = 0.0) -> Part:
    """Return a blouse that leaves the collarbones free."""
    neck = Neckline(drop=0, deep=14, wide=115, round=True, lateral=0.3)
    sheet = cloth(wearer, neck, 4.0, manly, loose + 0.6)
    return join(skin(wearer, neck, manly), sheet, hem(sheet, 4.0, 1.4, 0))


def tank_top(wearer: Wearer, manly: float = 0.0, loose: float = 0.0) -> Part:
    """Return a top with straps over bare shoulders."""
    neck = Neckline(drop=-6, wide=76, lateral=0.9, straps=108)
    sheet = cloth(wearer, neck, 3.0, manly, loose)
    return join(skin(wearer, neck, manly), sheet, *hems(sheet, 3.2, 1.4, 0))


def roll_neck(wearer: Wearer, manly: float = 0.0, loose: float = 0.0, high: float = 0.0) -> Part:
    """Return a pullover with a turtleneck."""
    neck = Neckline(drop=-24)
    sheet = cloth(wearer, neck, 4.0, manly, loose)
    return join(skin(wearer, CLOSED, manly, 6), sheet, turtleneck(wearer, high, loose))


def shirt_collar(wearer: Wearer, manly: float = 0.0, loose: float = 0.0, high: float = 0.0) -> Part:
    """Return a shirt, its top button open."""
    sheet = cloth(wearer, OPEN, 4.5, manly, loose)
    leaf = _leaf(wearer, 13.0, 46.0 + high, 8.0)
    return join(skin(wearer, OPEN, manly), sheet, *leaf, *_placket(wearer, -228.0))


def polo(wearer: Wearer, manly: float = 0.0, loose: float = 0.0, high: float = 0.0) -> Part:
    """Return a polo shirt: a soft collar in a second colour."""
    sheet = cloth(wearer, OPEN, 4.0, manly, loose)
    leaf = _leaf(wearer, 15.0, 40.0 + high, 8.0, 1)
    return join(skin(wearer, OPEN, manly), sheet, *leaf)


def suit_tie(wearer: Wearer, manly: float = 0.0, loose: float = 0.0, high: float = 0.0) -> Part:
    """Return a jacket over a shirt with a tie: slots jacket, shirt, tie."""
    shirt = cloth(wearer, CLOSED, 3.5, 0.6 * manly, 0.0, 1)
    jacket = cloth(wearer, JACKET, 9.0, manly, loose)
    leaf = _leaf(wearer, 4.0, 46.0 + high, 5.0, 1, 3.0)
    return join(skin(wearer, CLOSED, manly, 6), shirt, jacket, *leaf, *_tie(wearer),
                *_lapels(wearer))  # fmt: skip


def suit_open(wearer: Wearer, manly: float = 0.0, loose: float = 0.0, high: float = 0.0) -> Part:
    """Return a jacket over an open shirt: slots jacket, shirt."""
    shirt = cloth(wearer, OPEN, 3.5, 0.6 * manly, 0.0, 1)
    jacket = cloth(wearer, JACKET, 9.0, manly, loose)
    leaf = _leaf(wearer, 13.0, 46.0 + high, 5.0, 1, 3.0)
    return join(skin(wearer, OPEN, manly), shirt, jacket, *leaf, *_lapels(wearer))


def hoodie(wearer: Wearer, manly: float = 0.0, loose: float = 0.0, high: float = 0.0) -> Part:
    """Return a hooded pullover: the hood lies on the back; strings in a second colour."""
    sheet = cloth(wearer, CLOSED, 8.0, manly, loose + 1)
    phi = around(40)
    back = 1 - frontness(phi)
    thick = (10 + 20 * back**1.5) * (1 + 0.15 * high / 10)
    heights = -180 + 60 * back + 0.35 * high
    path = ring(wearer, phi, heights[None], (9 + 0.6 * thick)[None], (0.7 * thick)[None])[0]
    points, triangles = tube(path, thick, thick * (0.9 - 0.1 * back), 10, closed=True)
    hood = part(points, triangles, CLOTHES, CLOTH, 0, _creased(len(phi), 10))
    return join(skin(wearer, CLOSED, manly), sheet, hood, *_strings(wearer))


def _creased(count: int, sides: int) -> np.ndarray:
    """Return the shade of a thick roll: dark towards the neck."""
    angle = np.linspace(0, 2 * np.pi, sides, endpoint=False) + np.pi / sides
    return np.tile(0.82 + 0.18 * np.cos(angle), count)


def _strings(wearer: Wearer) -> list[Part]:
    """Return the two strings of a hood."""
    parts = []
    for side in (-1, 1):
        y = np.linspace(-188, -292, 12)
        x = side * (30 + 4 * np.sin((y + 190) / 30))
        points, triangles = tube(drape(wearer.field, x, y, 15.0), 2.4, 2.4, 6)
        parts.append(part(points, triangles, CLOTHES, CLOTH, 1))
    return parts


def zip_jacket(wearer: Wearer, manly: float = 0.0, loose: float = 0.0, high: float = 0.0) -> Part:
    """Return a jacket with a stand-up collar and a zip: slots jacket, zip."""
    sheet = cloth(wearer, CLOSED, 9.0, manly, loose + 0.5)
    stand = _stand(wearer, 4.0, 42.0 + high, 8.0, 0)
    line = drape(wearer.field, np.zeros(24), np.linspace(-168, -455, 24), 12.5)
    points, triangles = tube(line, 3.2, 1.6, 6, up=(0, 0, 1))
    zipper = part(points, triangles, CLOTHES, GLOSSY, 1)
    return join(skin(wearer, CLOSED, manly, 8), sheet, stand, zipper)


def scarf(wearer: Wearer, manly: float = 0.0, loose: float = 0.0, high: float = 0.0) -> Part:
    """Return a pullover with a knitted scarf around the neck: slots pullover, scarf."""
    sheet = cloth(wearer, CREW, 5.0, manly, loose)
    rolls = [_roll(wearer, -98.0 + high, 46.0, 19.0, 0.0), _roll(wearer, -124.0, 48.0, 23.0, 2.0)]
    return join(skin(wearer, CREW, manly, 20), sheet, *rolls, _scarf_end(wearer))


def _roll(wearer: Wearer, back: float, tilt: float, thick: float, phase: float) -> Part:
    """Return one turn of a scarf around the neck, creased."""
    phi = around(44)
    size = thick * (1 + 0.10 * np.sin(3 * phi + phase) + 0.06 * np.sin(7 * phi + 2 * phase))
    heights = back - tilt * frontness(phi) + 4 * np.sin(2 * phi + phase)
    path = ring(wearer, phi, heights[None], (0.75 * size)[None], (0.6 * size)[None])[0]
    points, triangles = tube(path, size * 0.8, size, 10, closed=True)
    angle = np.linspace(0, 2 * np.pi, 10, endpoint=False)
    crease = 0.86 + 0.14 * np.cos(5 * angle[None] + 2.0 * np.sin(2 * phi[:, None]))
    return part(points, triangles, CLOTHES, CLOTH, 1, crease.ravel())


def _scarf_end(wearer: Wearer) -> Part:
    """Return the end of a scarf that hangs over the chest."""
    y = np.linspace(-190, -410, 14)[:, None]
    t = np.linspace(-1, 1, 9)[None]
    x = 38 + 0.06 * (-190 - y) + (30 + 0.05 * (-190 - y)) * t
    crease = 3.0 * np.cos(3.2 * np.pi * t) * np.exp((190 + y) / 150)
    points = drape(wearer.field, x, y + 0 * t, 15 + crease - 3 * t**4 + 0 * y)
    shade = 0.93 + 0.02 * crease + 0 * y
    return part(points.reshape(-1, 3), grid_triangles(14, 9)[:, ::-1], CLOTHES, CLOTH, 1,
                shade.ravel())  # fmt: skip


def _stand(wearer: Wearer, gap: float, high: float, clear: float, slot: int) -> Part:
    """Return a collar's stand, open in front by a gap of +- degrees."""
    phi = np.radians(np.linspace(gap, 360 - gap, 41))
    rise = np.array([0.2, 0.6, 0.98, 1.0, 0.66, 0.33, 0.0, -0.9])[:, None]
    heights = -124 - 58 * frontness(phi) + rise * high * (1 - 0.2 * frontness(phi))
    off = clear + np.array([-3, -2.5, -1.5, 0, 1, 2, 3, 4])[:, None]
    return collar(ring(wearer, phi, heights, off + 0 * phi, off - 3), slot, False, 0.7)


def _leaf(
    wearer: Wearer, gap: float, high: float, clear: float, slot: int = 0, lift: float = 5.0
) -> tuple[Part, Part]:
    """Return a folded collar: its stand, and the leaf that falls over it, pointed in front."""
    phi = np.radians(np.linspace(gap, 360 - gap, 45))
    front = frontness(phi)
    top = -96 - 60 * front
    share = np.linspace(0, 1, 7)[:, None]
    point = front**8
    turned = phi + np.radians(17) * np.sign(np.pi - phi) * point * share
    heights = top - share * high * (0.8 + 0.75 * point + 0.15 * np.sin(phi) ** 2)
    flare = clear + 15 * share * (1 - 0.2 * front) + 0 * phi
    leaf = ring(wearer, turned, heights, flare, clear + lift - 2 * share)
    down = np.linspace(0.0, 1.2, 4)[:, None]
    stand = ring(
        wearer, phi, top - down * high, clear - 2 + 0 * phi - down, (clear - 4) * (1 - down) - 1
    )
    return collar(leaf, slot, False), collar(stand, slot, False, 0.72)


def _placket(wearer: Wearer, top: float) -> list[Part]:
    """Return the strip down the front of a shirt, and its buttons in the third colour."""
    y = np.linspace(top, -455, 16)[:, None]
    t = np.array([-1.0, -0.9, 0.9, 1.0])
    lift = np.array([5.2, 7.4, 7.4, 5.2])
    points = drape(wearer.field, 13.0 * t + 0 * y, y + 0 * t, lift + 0 * y)
    strip = part(points.reshape(-1, 3), grid_triangles(16, 4)[:, ::-1], CLOTHES, CLOTH, 0)
    spots = np.arange(top - 18, -455, -62.0)
    return [
        strip,
        *(_button(drape(wearer.field, np.zeros(1), np.array([s]), 9.0)[0]) for s in spots),
    ]


def _button(spot: np.ndarray) -> Part:
    """Return one button."""
    turn = np.linspace(0, 2 * np.pi, 9)
    rings = [
        [r * np.cos(turn), r * np.sin(turn), h + 0 * turn]
        for r, h in ((5.5, -2), (5, 0.6), (0.1, 0.9))
    ]
    points = spot + np.transpose(rings, (0, 2, 1)).reshape(-1, 3)
    return part(points, grid_triangles(3, 9), CLOTHES, GLOSSY, 2)


def _tie(wearer: Wearer) -> list[Part]:
    """Return a tie: its knot and its blade, in the third colour."""
    blade = np.array([(-206, 12), (-214, 15), (-250, 22), (-330, 33), (-420, 42), (-470, 46)])
    knot = np.array([(-168, 20), (-174, 24), (-190, 20), (-206, 13), (-210, 10)])
    return [_strip(wearer, blade, 16, 9.5), _strip(wearer, knot, 9, 14.0)]


def _strip(wearer: Wearer, outline: np.ndarray, rows: int, clear: float) -> Part:
    """Return a strip down the chest, half widths by height, rounded across."""
    y = np.linspace(outline[0, 0], outline[-1, 0], rows)[:, None]
    half = np.interp(-y, -outline[:, 0], outline[:, 1])
    t = np.linspace(-1, 1, 7)
    off = clear + 4.0 * np.sqrt(1 - 0.96 * t**2) - 3
    points = drape(wearer.field, half * t, y + 0 * t, off + 0 * y)
    shade = 0.8 + 0.2 * np.sqrt(1 - t**2) + 0 * y
    return part(points.reshape(-1, 3), grid_triangles(rows, 7)[:, ::-1], CLOTHES, CLOTH, 2,
                shade.ravel())  # fmt: skip


def _lapels(wearer: Wearer) -> list[Part]:
    """Return both lapels of a jacket and its collar around the back of the neck."""
    parts = []
    for side in (-1, 1):
        y = np.linspace(-168, -440, 26)[:, None]
        t = np.linspace(0, 1, 7)
        inner = np.interp(-y, [168, 200, 440], [64, 60, 2])
        notch = np.where(y > -252, 0.74, 1.0)
        wide = np.interp(-y, [168, 200, 250, 300, 380, 440], [34, 46, 66, 64, 34, 4]) * notch
        x = side * (inner + wide * t)
        off = 12.5 + 3.5 * np.sin(np.pi * (0.25 + 0.75 * t)) + 0 * y
        points = drape(wearer.field, x, y + 0 * t, off)
        faces = grid_triangles(26, 7)
        shade = 0.86 + 0.14 * step(t, 0.0, 0.4) + 0 * y
        parts.append(part(points.reshape(-1, 3), faces[:, ::-1] if side > 0 else faces, CLOTHES,
                          CLOTH, 0, shade.ravel()))  # fmt: skip
    phi = np.radians(np.linspace(52, 308, 33))
    rise = np.array([0.75, 1.0, 0.6, 0.1, -0.6])[:, None]
    heights = -122 - 44 * frontness(phi) + 27 * rise
    flare = np.array([9.0, 11.5, 19, 29, 42])[:, None] + 0 * phi
    neck = ring(wearer, phi, heights, flare, np.array([11.0, 13, 15, 15, 14])[:, None])
    return [*parts, collar(neck, 0, False)]


CLOTHES_BY_NAME: Mapping[str, Garment] = {
    "crew_neck": crew_neck, "v_neck": v_neck, "shirt_collar": shirt_collar, "polo": polo,
    "turtleneck": roll_neck, "hoodie": hoodie, "suit_tie": suit_tie, "suit_open": suit_open,
    "blouse_wide_neck": blouse_wide_neck, "tank_top": tank_top, "zip_jacket": zip_jacket,
    "scarf_round_the_neck": scarf,
}  # fmt: skip
