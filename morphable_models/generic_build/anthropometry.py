"""Measures of heads in mm, each along a path of vertices, and what is published of them.

ANSUR II: Gordon et al. (2014), US Army, public release (4,082 men, 1,986 women). 3D Facial Norms:
Weinberg et al. (2016), Cleft Palate-Craniofacial Journal 53:e185, ages 20 to 35, as tabulated by
Cliniface. Mean and standard deviation in mm, women then men.
"""

from dataclasses import dataclass, replace

import numpy as np

Published = tuple[tuple[float, float] | None, tuple[float, float]]

# name: (a point, another), women, men; ANSUR II.
ANSUR: dict[str, tuple[tuple[str, ...], Published]] = {
    "bizygomatic breadth": (("zy_r", "zy_l"), ((133.8, 5.6), (142.6, 6.2))),
    "head breadth": (("eu_r", "eu_l"), ((147.8, 5.2), (154.3, 5.5))),
    "head length": (("g", "op"), ((189.8, 7.4), (199.5, 7.0))),
    "head circumference": (("head",), ((561.1, 19.4), (574.4, 16.0))),
    "interpupillary breadth": (("pupil_r", "pupil_l"), ((61.7, 3.6), (64.0, 3.4))),
    "menton-sellion length": (("me", "se"), ((113.1, 6.1), (122.6, 6.7))),
    "tragion to top of head": (("t_r", "v"), ((126.5, 6.5), (131.1, 6.2))),
    "bitragion chin arc": (("chin",), ((311.0, 14.2), (331.7, 14.0))),
    "bitragion submandibular arc": (("submandibular",), ((288.0, 15.3), (315.7, 16.6))),
    "ear length": (("sa_r", "sba_r"), ((59.4, 3.9), (64.2, 4.5))),
    "ear breadth": (("pra_r", "pa_r"), ((33.2, 2.8), (36.1, 3.0))),
    "ear protrusion": (("ms_r", "pa_r"), ((20.4, 2.7), (23.2, 3.0))),
    "neck circumference": (("neck",), ((329.8, 19.2), (397.6, 25.8))),
}
# 3D Facial Norms.
NORMS: dict[str, tuple[tuple[str, ...], Published]] = {
    "outercanthal width": (("ex_r", "ex_l"), ((89.8, 4.1), (89.4, 4.1))),
    "intercanthal width": (("en_r", "en_l"), ((33.2, 2.8), (32.9, 2.9))),
    "palpebral fissure length": (("ex_r", "en_r"), ((29.2, 2.0), (28.8, 2.0))),
    "nasal width": (("al_r", "al_l"), ((32.9, 2.4), (37.6, 3.6))),
    "nasal height": (("n", "sn"), ((55.0, 3.6), (57.3, 4.0))),
    "nasal bridge length": (("n", "prn"), ((45.6, 3.4), (50.5, 3.9))),
    "nasal protrusion": (("sn", "prn"), ((20.3, 1.9), (21.3, 2.0))),
    "nasal ala length": (("ac_r", "prn"), ((33.6, 2.3), (35.8, 2.3))),
    "subnasal width": (("sbal_r", "sbal_l"), ((17.6, 2.3), (18.6, 2.5))),
    "labial fissure width": (("ch_r", "ch_l"), ((51.5, 4.1), (50.8, 3.8))),
    "philtral width": (("cph_r", "cph_l"), ((12.9, 1.9), (13.3, 1.8))),
    "philtral length": (("sn", "ls"), ((15.0, 2.6), (16.5, 2.5))),
    "upper lip height": (("sn", "sto"), ((20.4, 2.5), (23.0, 2.5))),
    "upper vermilion height": (("ls", "sto"), ((7.4, 1.4), (8.5, 1.8))),
    "lower vermilion height": (("sto", "li"), ((9.4, 1.9), (8.8, 2.1))),
    "cutaneous lower lip height": (("li", "sl"), ((10.7, 2.2), (11.8, 2.7))),
    "facial height": (("n", "gn"), ((119.8, 6.3), (128.2, 6.7))),
    "mandibular width": (("go_r", "go_l"), (None, (104.7, 7.2))),
}
# What the calibration takes where the published table is doubtful: men's, by the ratio of the
# bizygomatic breadths.
ASSUMED = {"mandibular width": (98.2, 6.8)}
# Ours, what the published measures leave open: lips at rest touch, eyes are open.
PINNED: dict[str, tuple[tuple[str, ...], Published]] = {
    "lips apart": (("sto", "sti"), ((0.7, 0.2), (0.7, 0.2))),
    "palpebral fissure height": (("ps_r", "pi_r"), ((10.9, 1.1), (10.5, 1.1))),
    "lips apart beside": (("sto_r", "sti_r"), ((0.7, 0.2), (0.7, 0.2))),
}
MEASURES = ANSUR | NORMS | PINNED
VERTICAL = ("tragion to top of head", *PINNED)


@dataclass(frozen=True)
class Measure:
    """A length summed over segments (S, 2) of vertices, times `share`, in mm.

    `within` (3, 3) projects onto the plane or the axis in which it is taken. What one side has, the
    other has too: the length is the mean of both.
    """

    name: str
    segments: np.ndarray
    share: float
    within: np.ndarray
    published: Published

    def of(self, heads: np.ndarray) -> np.ndarray:
        """Return the lengths (n,) of heads (n, V, 3)."""
        gaps = (heads[:, self.segments[:, 1]] - heads[:, self.segments[:, 0]]) @ self.within
        return self.share * np.linalg.norm(gaps, axis=2).sum(1)

    def slope(self, head: np.ndarray, fields: np.ndarray) -> np.ndarray:
        """Return what one unit of each field (T, V, 3) adds to the length (T,) at one head."""
        gaps = (head[self.segments[:, 1]] - head[self.segments[:, 0]]) @ self.within
        ways = gaps / np.linalg.norm(gaps, axis=1, keepdims=True)
        moves = (fields[:, self.segments[:, 1]] - fields[:, self.segments[:, 0]]) @ self.within
        return self.share * np.einsum("tsk,sk->t", moves, ways)


def measures(
    points: dict[str, int], tapes: dict[str, np.ndarray], head: np.ndarray
) -> list[Measure]:
    """Return every measure, on a mesh with these points and tapes; head (V, 3) gives the planes.

    Those that are pinned come last.
    """
    between = {name: _segments(path, points, tapes) for name, (path, _) in MEASURES.items()}
    return [
        Measure(
            name,
            between[name],
            1.0 if len(path) == 1 else 1 / len(between[name]),
            _within(name, path, head[between[name]]),
            published,
        )
        for name, (path, published) in MEASURES.items()
    ]


def compacted(rulers: list[Measure], vertices: int) -> tuple[np.ndarray, list[Measure]]:
    """Return the vertices (u,) that measures use of so many, and the measures on these alone."""
    used = np.unique(np.concatenate([ruler.segments.ravel() for ruler in rulers]))
    place = np.full(vertices, -1)
    place[used] = np.arange(len(used))
    return used, [replace(ruler, segments=place[ruler.segments]) for ruler in rulers]


def _segments(
    path: tuple[str, ...], points: dict[str, int], tapes: dict[str, np.ndarray]
) -> np.ndarray:
    """Return a tape's segments (S, 2), or two points, on both sides where they have one."""
    if len(path) == 1:
        return np.column_stack([tapes[path[0]][:-1], tapes[path[0]][1:]])
    mirrored = tuple(name.replace("_r", "_l") for name in path)
    across = mirrored == path or "_l" in "".join(path)
    return np.array([[points[name] for name in ends] for ends in [path, mirrored][: 2 - across]])


def _within(name: str, path: tuple[str, ...], ends: np.ndarray) -> np.ndarray:
    """Return the projection (3, 3) onto the vertical, onto a tape's plane, or none."""
    if len(path) == 1:
        normal = np.linalg.svd(ends[:, 0] - ends[:, 0].mean(0))[2][2]
        return np.eye(3) - np.outer(normal, normal)
    return np.diag([0.0, 1.0, 0.0]) if name in VERTICAL else np.eye(3)


def table(values: np.ndarray, rulers: list[Measure], men: np.ndarray, women: np.ndarray) -> str:
    """Return a Markdown table of measures (n, M): mean and deviation beside the published ones."""
    lines = ["| measure (mm) | women | published | men | published |", "|---|---:|---:|---:|---:|"]
    for column, ruler in zip(values.T, rulers, strict=True):
        cells = []
        for group, published in zip((women, men), ruler.published, strict=True):
            chosen = column[group]
            cells.append(f"{chosen.mean():.1f} ({chosen.std():.1f})")
            cells.append(f"{published[0]:.1f} ({published[1]:.1f})" if published else "")
        lines.append(f"| {ruler.name} | " + " | ".join(cells) + " |")
    return "\n".join(lines)
