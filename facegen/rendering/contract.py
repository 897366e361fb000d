"""Renderers: one contract, several ways to keep it.

A renderer holds one model and one size of image. It takes a batch of faces, evaluates the model,
and returns their images and the layers asked for. Whatever the way, the pixels are the same:
CONVENTIONS.md states them.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

from jaxtyping import Float32, Int64, UInt8, UInt32

from facegen.files import Array
from facegen.scene.cameras import Cameras
from facegen.scene.parameters import Parameters

RENDERED_LAYERS = ("mask", "depth", "normal", "albedo", "segmentation", "pncc")
NEAR_MM, FAR_MM = 50.0, 20_000.0


@dataclass(frozen=True)
class RenderSettings:
    """What a renderer makes: square images of `size` pixels, and these of RENDERED_LAYERS."""

    size: int
    layers: frozenset[str] = frozenset()


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

    mask: 255 where the face is seen; covered: 255 where anything is, itself where nothing is worn;
    layers, of those asked for: depth (N, H, W) float32 in mm along the
    view axis, 0 for nothing; normal, albedo and pncc (N, H, W, 3) uint8; segmentation (N, H, W)
    uint8.
    seconds: how long each stage took ("evaluate", "render").
    """

    images: UInt8[Array, "N H W 3"]
    mask: UInt8[Array, "N H W"]
    covered: UInt8[Array, "N H W"]
    layers: Mapping[str, Array]
    seconds: Mapping[str, float]

    def __len__(self) -> int:
        return len(self.images)


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
