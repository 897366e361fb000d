"""Renderers: one contract, several ways to keep it.

A renderer holds one model and one size of image. It takes a batch of faces, evaluates the model,
and returns their images and the layers asked for. Whatever the way, the pixels are the same:
CONVENTIONS.md states them.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from jaxtyping import Float32, Int64, UInt8, UInt32

from facegen.files import Array
from facegen.recipe.image import Encoding, Surfaces
from facegen.scene.cameras import Cameras
from facegen.scene.parameters import Parameters

MAPS = ("depth", "normal", "albedo", "segmentation", "pncc")
# What maps would be if nothing were worn: a map's name with this end.
BENEATH = "_beneath"
BENEATH_MAPS = tuple(name + BENEATH for name in MAPS)
# Linear light, of the encoding "srgb" alone.
LIGHT = ("shading", "specular", "radiance")
RENDERED_LAYERS = ("mask", *MAPS, *BENEATH_MAPS, *LIGHT)
NEAR_MM, FAR_MM = 50.0, 20_000.0


@dataclass(frozen=True)
class RenderSettings:
    """What a renderer makes: square images of `size` pixels, and these of RENDERED_LAYERS.

    encoding: "display", for images of 8 bits; "srgb", for the radiance that a photograph is
    developed from, of these surfaces.
    """

    size: int
    layers: frozenset[str] = frozenset()
    encoding: Encoding = "display"
    surfaces: Surfaces = field(default_factory=Surfaces)

    def draws(self, name: str) -> bool:
        """Whether this layer is drawn: asked for, or what the encoding begins with."""
        first = "image" if self.encoding == "display" else "radiance"
        return name == first or name in self.layers


class Meshes(NamedTuple):
    """What N people wear: vertices in their heads' model space (mm), and triangles.

    starts (N + 1): where each one's vertices and triangles begin; triangles: three times the number
    of each corner, counted from the one's first vertex; colours: display-referred; strand, tangent:
    see models/attire; segment, material: of triangles.
    """

    vertex_start: Int64[Array, "N+1"]
    triangle_start: Int64[Array, "N+1"]
    points: Float32[Array, "P 3"]
    normals: Float32[Array, "P 3"]
    colours: Float32[Array, "P 3"]
    strand: Float32[Array, "P 3"]
    tangent: Float32[Array, "P 3"]
    triangles: UInt32[Array, "T 3"]
    segment: UInt8[Array, "T"]
    material: UInt8[Array, "T"]


def empty_meshes(vertex_start: Int64[Array, "N+1"], triangle_start: Int64[Array, "N+1"]) -> Meshes:
    """Memory for meshes that begin there."""
    vertices, triangles = int(vertex_start[-1]), int(triangle_start[-1])
    points, normals, colours, strand, tangent = np.empty((5, vertices, 3), np.float32)
    segment, material = np.empty((2, triangles), np.uint8)
    corners = np.empty((triangles, 3), np.uint32)
    return Meshes(
        vertex_start,
        triangle_start,
        points,
        normals,
        colours,
        strand,
        tangent,
        corners,
        segment,
        material,
    )


@dataclass(frozen=True, eq=False)
class Scene:
    """A batch of N faces before their cameras; attire: what they wear, if anything."""

    parameters: Parameters
    cameras: Cameras
    attire: Meshes | None = None

    def __len__(self) -> int:
        return len(self.cameras)


@dataclass(frozen=True, eq=False)
class Frames:
    """N rendered faces of H x W pixels, the first row at the top; black where nothing is.

    mask: 255 where the face is seen; covered: 255 where anything is. layers: image (N, H, W, 3)
    uint8 or, of encoding "srgb", radiance float32; of those asked for, depth (N, H, W) float32 in
    mm along the view axis, 0 for nothing; normal, albedo and pncc (N, H, W, 3) uint8; segmentation
    (N, H, W) uint8; shading and specular (N, H, W, 3) float32.
    seconds: how long each stage took ("evaluate", "render").
    """

    mask: UInt8[Array, "N H W"]
    covered: UInt8[Array, "N H W"]
    layers: Mapping[str, Array]
    seconds: Mapping[str, float]

    def __len__(self) -> int:
        return len(self.mask)

    @property
    def images(self) -> UInt8[Array, "N H W 3"]:
        """The images of encoding "display"."""
        return self.layers["image"]


class Renderer(ABC):
    """What every renderer keeps.

    device: what it renders on, in words: 'egl:0 llvmpipe (LLVM 15.0.6, 256 bits)'; batch: the
    largest number of faces in a scene; ahead: how many more scenes to submit before the first is
    collected, so that the device is never idle.
    """

    device: str
    batch: int
    ahead: int = 0

    @abstractmethod
    def submit(self, scene: Scene) -> None:
        """Begin to render up to `batch` faces; up to `ahead` + 1 scenes may wait."""

    @abstractmethod
    def collect(self) -> Frames:
        """The frames of the scene that waits longest; its arrays are valid until the next call."""

    @abstractmethod
    def close(self) -> None:
        """Release what the device holds."""

    def render(self, scene: Scene) -> Frames:
        """Render one scene now, nothing else waiting."""
        self.submit(scene)
        return self.collect()
