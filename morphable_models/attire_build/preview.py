"""Draws pieces on the mean head from several sides, to be looked at."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import moderngl
import numpy as np
from PIL import Image
from scipy.spatial.transform import Rotation

from .head import Head, normals_of
from .piece import CLEAR, DARK, SKIN, STRANDS, Part, Piece

VERTEX = """#version 330
uniform mat4 view; in vec3 p; in vec3 n; in vec3 c; in vec3 strand; in vec3 way; in float kind;
out vec3 normal; out vec3 colour; out vec3 st; out vec3 along; flat out float what;
void main() { gl_Position = view * vec4(p, 1); normal = mat3(view) * n; colour = c; st = strand;
  along = mat3(view) * way; what = kind; }"""
FRAGMENT = """#version 330
in vec3 normal; in vec3 colour; in vec3 st; in vec3 along; flat in float what; out vec4 pixel;
uint mixed(uint x) { x ^= x >> 16; x *= 0x7feb352du; x ^= x >> 15; x *= 0x846ca68bu;
  return x ^ (x >> 16); }
float at(float i) { return float(mixed(uint(int(i) + 100000)) & 65535u) / 65535.0; }
float noise(float s) { float i = floor(s), f = s - i; f = f * f * (3 - 2 * f);
  return mix(at(i), at(i + 1), f); }
void main() {
  vec3 m = normalize(normal * vec3(1, 1, -1)), light = normalize(vec3(-.45, .6, .7));
  vec3 c = colour; float a = 1, shine = 0;
  float d = .55 + .5 * max(dot(m, light), 0) + .2 * max(dot(m, normalize(vec3(.8, .1, .5))), 0);
  if (what == 1.) {
    if (noise(st.x) >= st.z) discard;
    c *= .75 + .5 * noise(st.x * 1.7 + 333.);
    vec3 l = normalize(along * vec3(1, 1, -1)); float g = dot(l, normalize(light + vec3(0, 0, 1)));
    shine = .22 * pow(max(1 - g * g, 0), 24.) * max(dot(m, light), 0.2);
  }
  if (what == 2. || what == 3. || what == 4.)
    shine = .7 * pow(max(dot(m, normalize(light + vec3(0, 0, 1))), 0), 40.);
  if (what == 3.) { a = .12 + shine; c = vec3(.9); }
  if (what == 4.) { a = .82; c = vec3(.06); }
  pixel = vec4(c * d + shine, a); }"""
SKINS = {2: (0.72, 0.42, 0.40), 3: (0.35, 0.25, 0.2), 4: (0.92, 0.92, 0.92), 6: (0.3, 0.1, 0.1)}
SKIN_COLOUR = np.array([0.82, 0.64, 0.54])


class Preview:
    """A renderer of the head with pieces; one size for all pictures."""

    def __init__(self, head: Head, size: int = 480) -> None:
        """Open an off-screen context."""
        self._context = moderngl.create_context(standalone=True, backend="egl")
        self._program = self._context.program(vertex_shader=VERTEX, fragment_shader=FRAGMENT)
        self._target = self._context.simple_framebuffer((2 * size, 2 * size), samples=0)
        self._size = size
        self._head = self._head_rows(head)

    def sheet(
        self,
        parts: Sequence[Part],
        colours: np.ndarray,
        yaws: Sequence[float] = (0, 40, 90, 180),
        span: float = 200.0,
        middle: float = -35.0,
    ) -> Image.Image:
        """Return views of the head with parts side by side; colours (4, 3) are those of slots."""
        rows = [_part_rows(p, colours) for p in parts]
        opaque = [r[~np.isin(r[:, 15], (CLEAR, DARK))] for r in rows]
        glass = [r[np.isin(r[:, 15], (CLEAR, DARK))] for r in rows]
        views = [self._draw([self._head, *opaque], glass, _view(yaw, span, middle)) for yaw in yaws]
        return Image.fromarray(np.concatenate(views, 1))

    def _draw(
        self, opaque: list[np.ndarray], glass: list[np.ndarray], view: np.ndarray
    ) -> np.ndarray:
        """Return one view (H, W, 3), drawn twice as fine and averaged."""
        self._target.use()
        self._context.enable(moderngl.DEPTH_TEST | moderngl.BLEND)
        self._context.blend_func = moderngl.SRC_ALPHA, moderngl.ONE_MINUS_SRC_ALPHA
        self._target.clear(0.62, 0.68, 0.72, 1.0)
        self._program["view"].write(view.T.astype("f4").tobytes())
        for rows in (*opaque, *glass):
            if len(rows):
                self._submit(rows)
        raw = np.frombuffer(self._target.read(components=3), np.uint8)
        big = raw.reshape(2 * self._size, 2 * self._size, 3)[::-1]
        return np.asarray(Image.fromarray(big).resize((self._size, self._size), Image.BOX))

    def _submit(self, rows: np.ndarray) -> None:
        """Draw rows of vertices, three a triangle."""
        buffer = self._context.buffer(rows.astype("f4").tobytes())
        names = ("p", "n", "c", "strand", "way", "kind")
        content = [(buffer, "3f 3f 3f 3f 3f 1f", *names)]
        self._context.vertex_array(self._program, content).render()
        buffer.release()

    def _head_rows(self, head: Head) -> np.ndarray:
        """Return the head's rows, coloured by its parts."""
        colour = np.tile(SKIN_COLOUR, (len(head.points), 1))
        for label, value in SKINS.items():
            colour[head.parts == label] = value
        iris = np.min([np.linalg.norm(head.points - head.marks[m], axis=1) for m in
                       ("pupil_l", "pupil_r")], axis=0)  # fmt: skip
        colour[(head.parts == 4) & (iris < 6)] = (0.25, 0.17, 0.12)
        zero = np.zeros_like(colour)
        columns = np.hstack([head.points, head.normals, colour, zero, zero])
        rows = columns[head.triangles.ravel()]
        return np.column_stack([rows, np.full(len(rows), float(SKIN))])


COLOURS = {
    "hair": [(0.36, 0.24, 0.15), (0.6, 0.1, 0.1)],
    "beard": [(0.30, 0.20, 0.13)],
    "glasses": [(0.08, 0.07, 0.07), (0.10, 0.09, 0.09), (0.7, 0.7, 0.65)],
    "mask": [(0.62, 0.77, 0.86), (0.9, 0.9, 0.9)],
}
OTHERS = [(0.25, 0.36, 0.5), (0.85, 0.85, 0.88), (0.6, 0.15, 0.15), (0.3, 0.3, 0.3)]
LOOKS = {"clothes": (170.0, -90.0), "glasses": (110.0, -5.0), "hat": (190.0, 0.0)}


def save_sheets(pieces: Mapping[str, Piece], head: Head, folder: Path) -> None:
    """Save a sheet of pictures of each kind of piece, a piece a row; hands at their first place."""
    folder.mkdir(parents=True, exist_ok=True)
    preview = Preview(head, 320)
    for kind in sorted({piece.kind for piece in pieces.values()}):
        chosen = [pieces[name] for name in sorted(pieces) if pieces[name].kind == kind]
        rows = [np.asarray(_row(preview, piece)) for piece in chosen]
        rows += [np.full_like(rows[0], 255)] * (len(rows) % 2)
        pairs = [np.concatenate(rows[i : i + 2], 1) for i in range(0, len(rows), 2)]
        Image.fromarray(np.concatenate(pairs)).save(folder / f"{kind}.png")


def _row(preview: Preview, piece: Piece) -> Image.Image:
    """Return the views of one piece on the head."""
    colours = np.array((COLOURS.get(piece.kind, []) + OTHERS)[:4])
    span, middle = LOOKS.get(piece.kind, (170.0, -25.0))
    whole = piece.part
    if places := piece.tags.get("places"):
        x, y, z, yaw, pitch, roll = places[0]
        turn = Rotation.from_euler("ZYX", (roll, yaw, pitch), degrees=True)
        whole = replace(whole, points=turn.apply(whole.points) + np.array([x, y, z]))
    return preview.sheet([whole], colours, (0, 40, 90), span, middle)


def _view(yaw: float, span: float, middle: float) -> np.ndarray:
    """Return the matrix (4, 4) that turns by degrees and maps `span` mm about a height to 1."""
    c, s = np.cos(np.radians(yaw)), np.sin(np.radians(yaw))
    turn = np.array([[c, 0, s, 0], [0, 1, 0, 0], [-s, 0, c, 0], [0, 0, 0, 1]])
    scale = np.diag([1 / span, 1 / span, -1 / 1000, 1.0])
    scale[1, 3] = -middle / span
    return scale @ turn


def _part_rows(part: Part, colours: np.ndarray) -> np.ndarray:
    """Return a part's rows: position, normal, colour, strand, direction of growth, material."""
    colour = colours[part.slot] * (part.shade / 255.0)[:, None]
    normals = normals_of(part.points, part.triangles)
    columns = np.hstack([part.points, normals, colour, part.strand])[part.triangles.ravel()]
    way = np.repeat(_growth(part), 3, axis=0)
    kind = np.repeat(part.material.astype(float), 3)
    tinted = np.where(kind[:, None] == SKIN, SKIN_COLOUR, columns[:, 6:9])
    columns[:, 6:9] = tinted
    return np.column_stack([columns, way, kind])


def _growth(part: Part) -> np.ndarray:
    """Return the direction of growing t (T, 3) on each strand's triangle."""
    a, b, c = part.points[part.triangles].transpose(1, 0, 2)
    ta, tb, tc = part.strand[part.triangles, 1].T[..., None]
    normal = np.cross(b - a, c - a)
    way = np.cross(normal, (c - b) * ta + (a - c) * tb + (b - a) * tc)
    way[part.material != STRANDS] = 0
    return way / np.linalg.norm(way, axis=1, keepdims=True).clip(1e-9)
