"""Photographs with the estimated faces drawn in: meshes, landmarks, and a contact sheet."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path

import numpy as np
from jaxtyping import Float32, Float64, UInt8
from PIL import Image, ImageDraw

from facegen.files import Array, make_folder, write_file
from facegen.learning.faces import rows_by_photograph
from facegen.learning.frames import Frame, cut
from facegen.learning.images import FoundImage
from facegen.models.morphable_model import MorphableModel
from facegen.rendering.contract import Renderer, RenderSettings, Scene
from facegen.rendering.devices import open_renderer
from facegen.rendering.pictures import opened, upright_rgb
from facegen.sampling.estimates import Estimates
from facegen.scene.cameras import Cameras

MESH_SIZE = 384  # Pixels a side at which a head is rendered.
ROOM = 2.0  # The side of what is drawn in, by that of the face's box.
OPAQUE, AMBIENT = 0.65, 0.25
SKIN = np.array([235, 205, 185], np.float32)
GREEN = (60, 255, 60)
TILE, COLUMNS, MOST_TILES = 192, 8, 64
SMALLEST_SIDE, LARGEST_SIDE = 800, 1600  # Of a photograph drawn on.
QUALITY = 92
SHEET = "faces.jpg"

Tile = UInt8[Array, "2*t t 3"]


def draw(
    folder: Path, estimates: Estimates, images: Iterable[FoundImage], model: MorphableModel | None
) -> None:
    """Write each photograph with its faces into a folder, and a sheet of the first faces."""
    rows = rows_by_photograph(estimates.keys or ())
    settings = RenderSettings(MESH_SIZE, frozenset({"normal"}))
    renderer = open_renderer("cpu", model, settings) if model else None
    overlay = Overlay(estimates, model, renderer)
    make_folder(folder)
    try:
        for image in images:
            if image.key in rows:
                page = overlay.drawn(image, rows[image.key])
                write_file(folder / file_of(image.key), jpeg(page))
    finally:
        if renderer:
            renderer.close()
    write_file(folder / SHEET, jpeg(sheet(overlay.tiles)))


def file_of(key: str) -> Path:
    """Where a photograph is drawn: its key, flat, as JPEG."""
    return Path(key.replace("/", "_").replace("\\", "_") + ".overlay.jpg")


@dataclass(frozen=True, eq=False)
class Overlay:
    """What draws faces into photographs; tiles: those of the sheet, a face above its overlay."""

    estimates: Estimates
    model: MorphableModel | None
    renderer: Renderer | None
    tiles: list[Tile] = field(default_factory=list)

    def drawn(self, image: FoundImage, rows: list[int]) -> Image.Image:
        """A photograph with these faces."""
        with opened(image.read()) as encoded:
            photograph = upright_rgb(encoded)
        scale = max(1.0, SMALLEST_SIDE / max(photograph.size))
        photograph = enlarged(photograph, scale)
        plain = photograph.copy()
        for row in rows:
            self._draw_mesh(photograph, row, scale)
        for row in rows:
            self._draw_landmarks(photograph, row, scale)
        for frame in [self._frame(row).times(scale) for row in rows]:
            if len(self.tiles) < MOST_TILES:
                pair = [cut(picture, frame, TILE) for picture in (plain, photograph)]
                self.tiles.append(np.concatenate(pair))
        photograph.thumbnail((LARGEST_SIDE, LARGEST_SIDE))
        return photograph

    def _frame(self, row: int) -> Frame:
        assert self.estimates.box is not None
        left, top, right, bottom = map(float, self.estimates.box[row])
        side = max(right - left, bottom - top, 1.0)
        return Frame((left + right) / 2, (top + bottom) / 2, ROOM * side)

    def _draw_mesh(self, photograph: Image.Image, row: int, scale: float) -> None:
        estimates, frame = self.estimates, self._frame(row)
        if not self.model or not self.renderer or estimates.model_to_camera is None:
            return
        assert estimates.K is not None
        cameras = Cameras(
            estimates.model_to_camera[row : row + 1].astype(np.float32),
            seen_in(frame, estimates.K[row])[None].astype(np.float32),
        )
        parameters = self.model.layout.unpack(estimates.theta[row : row + 1])
        normals = self.renderer.render(Scene(parameters, cameras)).layers["normal"][0]
        paste(photograph, *shaded(normals), frame.times(scale))

    def _draw_landmarks(self, photograph: Image.Image, row: int, scale: float) -> None:
        if self.estimates.landmarks is None:
            return
        radius = max(1.0, self._frame(row).side * scale / 250)
        pen = ImageDraw.Draw(photograph)
        for u, v in self.estimates.landmarks[row] * scale:
            pen.ellipse((u - radius, v - radius, u + radius, v + radius), fill=GREEN)


def enlarged(picture: Image.Image, scale: float) -> Image.Image:
    """A small picture made large enough to draw on."""
    if scale == 1:
        return picture
    width, height = (round(side * scale) for side in picture.size)
    return picture.resize((width, height), Image.Resampling.BICUBIC)


def seen_in(frame: Frame, K: Float64[Array, "3 3"]) -> Float64[Array, "3 3"]:
    """K of a photograph as that of an upright frame of it at MESH_SIZE pixels."""
    scale = MESH_SIZE / frame.side
    corner = np.array([frame.u, frame.v]) - frame.side / 2
    inner = K * scale
    inner[:2, 2] = scale * (K[:2, 2] - corner)
    inner[2, 2] = 1
    return inner


def shaded(normals: UInt8[Array, "S S 3"]) -> tuple[UInt8[Array, "S S 3"], UInt8[Array, "S S"]]:
    """A head lit from the camera, and how opaque it is."""
    there = normals.any(axis=2)
    facing: Float32[Array, "S S"] = (2 * normals[..., 2].astype(np.float32) / 255 - 1).clip(0)
    light = AMBIENT + (1 - AMBIENT) * facing
    opaque = np.where(there, np.uint8(255 * OPAQUE), np.uint8(0))
    return (light[..., None] * SKIN).astype(np.uint8), opaque


def paste(
    photograph: Image.Image,
    head: UInt8[Array, "S S 3"],
    opaque: UInt8[Array, "S S"],
    frame: Frame,
) -> None:
    """Lay what was rendered for an upright frame over it."""
    side = max(1, round(frame.side))
    corner = (round(frame.u - frame.side / 2), round(frame.v - frame.side / 2))
    drawn, veil = (Image.fromarray(a).resize((side, side)) for a in (head, opaque))
    photograph.paste(drawn, corner, veil)


def sheet(tiles: list[Tile]) -> Image.Image:
    """Tiles in rows, each a face above its overlay."""
    columns = max(1, min(COLUMNS, len(tiles)))
    whole = Image.new("RGB", (columns * TILE, max(1, -(-len(tiles) // columns)) * 2 * TILE))
    for number, tile in enumerate(tiles):
        row, column = divmod(number, columns)
        whole.paste(Image.fromarray(tile), (column * TILE, row * 2 * TILE))
    return whole


def jpeg(picture: Image.Image) -> bytes:
    """A picture, encoded."""
    data = BytesIO()
    picture.save(data, "JPEG", quality=QUALITY)
    return data.getvalue()
