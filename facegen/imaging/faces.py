"""Samples -> finished faces: rendered, their background filled, their landmarks found."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import UInt8

from facegen.errors import UsageError, meant
from facegen.files import Array
from facegen.models.attire import library_path, read_library
from facegen.models.morphable_model import MorphableModel
from facegen.recipe.image import Encoding, ImageFormat
from facegen.rendering import devices
from facegen.rendering.contract import (
    LIGHT,
    RENDERED_LAYERS,
    Frames,
    Renderer,
    RenderSettings,
    Scene,
)
from facegen.rendering.image_folder import ImageFolder
from facegen.rendering.landmarks import find_landmarks, find_marks
from facegen.sampling.contour import VisibleContour
from facegen.sampling.photography import Photography
from facegen.sampling.samples import Samples

if TYPE_CHECKING:
    from facegen.rendering.dressing import Dresser

MARKS = ("landmarks", "landmarks2d")
LAYERS = (*RENDERED_LAYERS, *MARKS)


@dataclass(frozen=True, eq=False)
class Faces:
    """N finished faces of S x S pixels; layers, of those asked for, by name.

    mask: uint8, 255 where the face is; depth: float32, mm along the view axis, 0 for nothing;
    normal, albedo, pncc: (N, S, S, 3) uint8; segmentation: uint8; those with _beneath likewise;
    shading, specular, radiance: (N, S, S, 3) float32; landmarks and landmarks2d: (N,
    68, 3) float32, u, v, visible.
    """

    images: UInt8[Array, "N S S 3"]
    layers: Mapping[str, Array]

    def __len__(self) -> int:
        return len(self.images)


def render(
    samples: Samples,
    model: MorphableModel,
    layers: Collection[str] = (),
    device: str = "auto",
    backgrounds: ImageFolder | None = None,
) -> Faces:
    """Render samples of this model: what a data set of their recipe, model and seed holds.

    device: auto, cpu, egl or egl:N. UsageError names a layer that does not exist.
    """
    unknown = sorted(set(layers) - set(LAYERS))
    if unknown:
        hint = meant(unknown[0], LAYERS, f"known: {', '.join(LAYERS)}")
        raise UsageError(f"unknown layer {unknown[0]!r}", hint)
    if not len(samples):
        raise UsageError("there are no samples to render")
    settings = settings_for(samples, layers)
    model = _suited(model, samples)
    renderer = devices.open_renderer(_only(device), model, settings)
    try:
        finishing = Finishing(layers, backgrounds, VisibleContour(model))
        dresser = dresser_of(samples.attire is not None, model)
        batches = list(_batches(samples, renderer, dresser, finishing))
    finally:
        renderer.close()
    return Faces(
        np.concatenate([batch.images for batch in batches]),
        {name: np.concatenate([batch.layers[name] for batch in batches]) for name in layers},
    )


def _only(device: str) -> str:
    """The one device that a name means."""
    parsed, *others = devices.parse(device)
    if others:
        raise UsageError(f"{device} are several devices", "give one of them")
    return parsed


def _suited(model: MorphableModel, samples: Samples) -> MorphableModel:
    """The model with as many coefficients as the samples have."""
    widths = dict(samples.layout.to_json())
    suited = model.truncated(widths["shape"], widths["expression"], widths["reflectance"])
    if suited.layout != samples.layout:
        raise UsageError("the samples were drawn for another face model", "give that one")
    return suited


@dataclass(frozen=True, eq=False)
class Finishing:
    """How frames become faces: the layers asked for, what stands behind, the model's contour."""

    layers: Collection[str]
    backgrounds: ImageFolder | None
    contour: VisibleContour


def finish(frames: Frames, samples: Samples, finishing: Finishing) -> Faces:
    """The frames of samples with their background filled, in place, and those of these LAYERS."""
    layers = finishing.layers
    finished = {"mask": frames.mask, **frames.layers}
    if samples.photography is None:
        images = _filled(frames, samples, finishing)
    else:
        if "radiance" in layers:
            finished["radiance"] = frames.layers["radiance"].copy()
        images = _photographed(frames, samples, samples.photography, finishing)
    if "landmarks" in layers:
        depth = frames.layers["depth"]
        finished["landmarks"] = find_landmarks(samples.landmarks, samples.cameras, depth)
    if "landmarks2d" in layers:
        finished["landmarks2d"] = find_marks(finishing.contour, samples, frames.layers["depth"])
    return Faces(images, {name: finished[name] for name in LAYERS if name in layers})


def _filled(frames: Frames, samples: Samples, finishing: Finishing) -> UInt8[Array, "N S S 3"]:
    """Images of encoding "display" with their background."""
    from facegen.rendering.backgrounds import fill_background

    fill_background(frames.images, frames.covered, samples.background, finishing.backgrounds)
    return frames.images


def _photographed(
    frames: Frames, samples: Samples, photography: Photography, finishing: Finishing
) -> UInt8[Array, "N S S 3"]:
    """Photographs of the frames' radiance with their background, which is filled in place."""
    from facegen.imaging.antialiasing import smooth_edges
    from facegen.imaging.develop import develop
    from facegen.imaging.strands import soften_strands
    from facegen.rendering.backgrounds import add_background

    layers, radiance = frames.layers, frames.layers["radiance"]
    add_background(radiance, frames.covered, samples.background, finishing.backgrounds)
    soften_strands(radiance, layers["segmentation"])
    smooth_edges(radiance, layers["depth"], layers["segmentation"])
    images = np.empty(radiance.shape, np.uint8)
    develop(radiance, photography, images)
    return images


def bare_images(frames: Frames) -> UInt8[Array, "N S S 3"]:
    """The frames' images without a background, of linear light as a camera that adds nothing."""
    from facegen.imaging.develop import develop
    from facegen.imaging.settings import neutral

    if "radiance" not in frames.layers:
        return frames.images
    radiance = frames.layers["radiance"]
    images = np.empty(radiance.shape, np.uint8)
    develop(radiance, neutral(len(radiance)), images)
    return images


def settings_for(made: Samples | ImageFormat, layers: Collection[str]) -> RenderSettings:
    """How samples, or images of a recipe, are rendered with these layers."""
    rendered = rendered_layers(layers, made.encoding)
    return RenderSettings(made.size, rendered, made.encoding, made.surfaces)


def rendered_layers(layers: Collection[str], encoding: Encoding) -> frozenset[str]:
    """What a renderer must make for these layers: landmarks need depth, photographs edges.

    UsageError where the encoding has no such layer.
    """
    lit = sorted(set(LIGHT) & set(layers))
    if lit and encoding == "display":
        hint = 'use a recipe with encoding = "srgb": natural'
        raise UsageError(
            f"the layer {lit[0]!r} is of linear light, which the recipe has none of", hint
        )
    needed = {"depth"} if set(MARKS) & set(layers) else set()
    needed |= {"depth", "segmentation"} if encoding == "srgb" else set()
    return frozenset(needed | set(layers) & set(RENDERED_LAYERS))


def dresser_of(recipe_has_attire: bool, model: MorphableModel) -> "Dresser | None":
    """What dresses people in a model's attire, where a recipe has some."""
    from facegen.rendering.dressing import Dresser

    if not recipe_has_attire:
        return None
    return Dresser(read_library(library_path()), model)


def scene_of(samples: Samples, dresser: "Dresser | None" = None) -> Scene:
    """The samples as a renderer takes them."""
    attire = dresser.dress(samples) if dresser else None
    return Scene(samples.parameters, samples.cameras, attire)


def _batches(
    samples: Samples, renderer: Renderer, dresser: "Dresser | None", finishing: Finishing
) -> Iterator[Faces]:
    """The samples' faces, as many at a time as the renderer takes; copies, that stay valid."""
    for start in range(0, len(samples), renderer.batch):
        part = samples[start : start + renderer.batch]
        faces = finish(renderer.render(scene_of(part, dresser)), part, finishing)
        yield Faces(faces.images.copy(), {k: v.copy() for k, v in faces.layers.items()})
