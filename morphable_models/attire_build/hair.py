"""Makes hair styles: roots on the scalp, lengths by region, a comb, and the cap under them."""

from collections.abc import Callable
from dataclasses import dataclass, fields, replace

import numpy as np

from .head import Field, Skull
from .piece import HAIR, STRANDS, Part, join, step
from .scalp import Hairline, cap, haired, roots
from .strands import Comb, Cut, Roots, grow, ribbons, trimmed

HAT_LINE = (40.0, 0.28)  # A hat covers what is above y = 40 + 0.28 z.
PLAIN, RIBBONS = Hairline(), Cut(HAIR)
THIN = 0.05  # Share of strands that fly away.


@dataclass(frozen=True)
class Style:
    """A hair style: lengths by region in mm, and how it is combed and cut."""

    comb: Comb
    line: Hairline = PLAIN
    cut: Cut = RIBBONS
    top: float = 60.0
    sides: float = 30.0
    back: float = 30.0
    fringe: float | None = None  # Length at the forehead, where it is not that of the top.
    vary: float = 0.2
    level: float | None = None  # Height at which hair is cut off straight.
    count: int = 150
    cap: float = 2.0
    grain: bool = False  # The cap is fuzz rather than strands.
    rise: float = 0.0  # Strands start so far above the skin, from a thick cap.
    bald: float | None = None  # Height above which nothing grows.
    seed: int = 1
    extra: Callable[["Scene", "Style"], Part] | None = None


@dataclass(frozen=True)
class Scene:
    """What hair grows on and must not enter: the skull, and all surfaces."""

    skull: Skull
    field: Field


def changed(style: Style, change: dict[str, float]) -> Style:
    """Return a style with numbers added to its own, its comb's, its hairline's or its cut's."""
    own = {f.name for f in fields(Style)}
    for name, value in change.items():
        if name in own:
            style = replace(style, **{name: (getattr(style, name) or 0.0) + value})
            continue
        room = next(r for r in ("comb", "line", "cut") if hasattr(getattr(style, r), name))
        old = getattr(style, room)
        new = replace(old, **{name: (getattr(old, name) or 0.0) + value})
        style = replace(style, **{room: new})
    return style


def make_hair(scene: Scene, style: Style, **change: float) -> Part:
    """Return the mesh of a style."""
    style = changed(style, change)
    starts = scalp_roots(scene, style)
    parts = []
    if style.count:
        path = grow(starts, style.comb, scene.field)
        if style.level is not None:
            path = trimmed(path, style.level + 14 * (starts.luck[:, 4] - 0.5))
        parts.append(ribbons(path, starts, style.cut, STRANDS, scene.field))
    if style.cap > 0:
        parts.append(cap(scene.skull, scene.field, style.line, style.cap, style.bald, style.grain))
    if style.extra:
        parts.append(style.extra(scene, style))
    return under_hat(join(*parts), scene.field)


def scalp_roots(scene: Scene, style: Style) -> Roots:
    """Return roots all over the scalp, those at the forehead's line a little denser."""
    rng = np.random.default_rng(style.seed)
    share, phi = roots(style.count, rng)
    dense = 5 if style.fringe is not None else 9
    free = _off_ears(scene, scene.skull.at(share * Hairline().theta(phi), phi))
    share, phi = share[free], phi[free]
    front = np.linspace(-0.85, 0.85, max(style.count // dense, 1))
    share = np.concatenate([share, 0.98 - 0.4 / dense * rng.random(len(front))])
    phi = np.concatenate([phi, front + rng.normal(0, 0.02, len(front))])
    luck = rng.random((len(phi), 8))
    points = scene.skull.at(share * style.line.theta(phi), phi)
    if style.bald is not None:
        keep = luck[:, 0] < haired(points, style.bald)
        share, phi, luck, points = share[keep], phi[keep], luck[keep], points[keep]
    points = scene.field.pushed(points, 0.5 + style.rise * (1 - step(share, 0.72, 1.0)))
    height = step(points[:, 1], -60, 100)
    layer = luck[:, 2] * (0.4 + 0.6 * height) + 0.2 * (luck[:, 3] < THIN)
    length, free = lengths(style, points, share, phi, luck)
    if style.comb.gather:
        knot = np.abs(np.array(style.comb.gather)) * [1, 1, -1]
        length = 1.5 * np.linalg.norm(points * [0, 1, 1] + np.abs(points) * [1, 0, 0]
                                      - knot, axis=1) + 12  # fmt: skip
    burns = (points[:, 1] < 24) & (points[:, 2] > -30)
    if style.comb.back > 0.5 or style.comb.gather:
        length = np.where(burns, np.minimum(length, 13), length)
    return Roots(points, scene.field.normal(points), length, layer, free, luck)


def _off_ears(scene: Scene, points: np.ndarray) -> np.ndarray:
    """Return whether points (N, 3) lie off the ears."""
    near = (points[:, 1] < 17) & (np.abs(points[:, 2] + 3) < 17)
    return (scene.field.distance(points) > -2.5) & ~near


def lengths(
    style: Style, points: np.ndarray, share: np.ndarray, phi: np.ndarray, luck: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return the length of each strand, and 1 where it may hang over the face."""
    above = step(points[:, 1], 42, 72)
    behind = step(-points[:, 2], 5, 40)
    length = above * style.top + (1 - above) * (behind * style.back + (1 - behind) * style.sides)
    front = step(share, 0.7, 0.85) * step(-np.abs(phi), -0.72, -0.55)
    free = np.zeros(len(phi))
    if style.fringe is not None:
        length = length + front * (style.fringe - length)
        free = (front > 0.4).astype(float)
    return length * (1 + style.vary * 2 * (luck[:, 4] - 0.5)), free


def under_hat(whole: Part, field: Field) -> Part:
    """Return hair with the triangles marked that a hat hides, or that would come through it."""
    middle = whole.points[whole.triangles].mean(1)
    margin = 6 + 1.2 * (field.distance(middle) - 9).clip(0, 30)
    above = middle[:, 1] > HAT_LINE[0] - margin + HAT_LINE[1] * middle[:, 2]
    return replace(whole, under_hat=above.astype(np.uint8))
