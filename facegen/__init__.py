"""facegen: exact, labelled training data for face analysis from 3D morphable face models.

The packages, in the order in which they import one another and a face is made:

errors       FacegenError: a message, its context, and what to do about it
files        hashes, files of others read, files written whole or not at all
folders      the user's data and cache, and what the package brings
scene/       what a face is described by: theta's schema, cameras, light
recipe/      TOML -> Recipe: distributions, splits, identities, shards
models/      the morphable model, its file, and importers of foreign ones
sampling/    indices -> Samples: from the prior, or around estimates
rendering/   Samples -> Frames: one contract, kept on the CPU and by OpenGL
imaging/     from a rendering to a photograph: optics, sensor, tones
dataset/     a data set on disk: spec, index, shards, every member's encoding
generation/  shards made by workers, on this machine or a cluster
inspection/  a data set proved and shown
learning/    networks that estimate the parameters again
cli/         the command line
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

    from facegen.dataset.reader import Dataset, Sample
    from facegen.dataset.spec import DatasetSpec
    from facegen.errors import FacegenError
    from facegen.generation.run import Summary
    from facegen.imaging.faces import Faces
    from facegen.models.morphable_model import MorphableModel
    from facegen.recipe.recipe import Recipe
    from facegen.sampling.estimates import Estimates
    from facegen.sampling.samples import Samples
    from facegen.scene.parameters import Parameters

__version__ = "0.2.0.dev0"
__all__ = [
    "Dataset",
    "DatasetSpec",
    "Estimates",
    "FacegenError",
    "Faces",
    "MorphableModel",
    "Parameters",
    "Recipe",
    "Sample",
    "Samples",
    "Summary",
    "estimate",
    "generate",
    "load_model",
    "load_recipe",
    "open_dataset",
    "render",
    "sample",
]

_TYPES = {
    "Dataset": "facegen.dataset.reader",
    "DatasetSpec": "facegen.dataset.spec",
    "Estimates": "facegen.sampling.estimates",
    "FacegenError": "facegen.errors",
    "Faces": "facegen.imaging.faces",
    "MorphableModel": "facegen.models.morphable_model",
    "Parameters": "facegen.scene.parameters",
    "Recipe": "facegen.recipe.recipe",
    "Sample": "facegen.dataset.reader",
    "Samples": "facegen.sampling.samples",
    "Summary": "facegen.generation.run",
}


def load_recipe(name_or_path: "str | Path") -> "Recipe":
    """A recipe by name (`facegen recipes` lists them), or from a .toml file.

    RecipeError says which key of it cannot be sampled.
    """
    from facegen.recipe.loading import load

    return load(str(name_or_path))


def load_model(name_or_path: "str | Path") -> "MorphableModel":
    """A face model by name (`facegen models` lists them), or from an .h5 file.

    ModelError says what is wrong with the file.
    """
    from facegen.models import catalogue

    return catalogue.load(str(name_or_path))


def sample(
    recipe: "Recipe", model: "MorphableModel", indices: "Iterable[int]", seed: int = 0
) -> "Samples":
    """Draw samples of a recipe's prior: those that a data set of this recipe and seed holds.

    Each is a pure function of (recipe, model, seed, index): theta, camera, landmarks, identity and
    background. RecipeError says what does not suit the model.
    """
    from facegen.sampling.samples import draw

    return draw(recipe, model, seed, indices)


def render(
    samples: "Samples",
    model: "MorphableModel",
    layers: "Collection[str]" = (),
    device: str = "auto",
) -> "Faces":
    """Render samples: images (N, S, S, 3) uint8, and these layers by name.

    layers: of mask, depth, normal, albedo, segmentation, pncc, landmarks, landmarks2d; Faces tells
    their units.
    device: auto, cpu, egl or egl:N. UsageError names a layer or a device that does not exist.
    """
    from facegen.imaging import faces

    return faces.render(samples, model, layers, device)


def generate(spec: "DatasetSpec") -> "Summary":
    """Make a data set, or what is still missing of it: `facegen render` and `facegen bootstrap`.

    FacegenError says why it cannot be made; a shard that failed is in Summary.failed.
    """
    from facegen.generation import run

    return run.generate(spec)


def open_dataset(path_or_url: "str | Path", split: str | None = None) -> "Dataset":
    """Open a data set to read its samples: `for sample in dataset`, `dataset[i]`, `len(dataset)`.

    split: only the samples of this one. DatasetError says why it cannot be read.
    """
    from facegen.dataset.reader import Dataset

    return Dataset(str(path_or_url), split)


def estimate(
    images: "Sequence[NDArray[np.uint8]]", network: "str | Path" = "shipped", crop: str = "detect"
) -> "Estimates":
    """Estimate the faces in photographs (H, W, 3) uint8; the keys are the images' numbers.

    network: a checkpoint, an .onnx file, or shipped, which needs `pip install facegen[estimate]`.
    crop: detect, every face there is, or whole, the middle square. Images without a face are left
    out; FacegenError where none has one.
    """
    from facegen.learning import arrays

    return arrays.estimate(images, str(network), crop)


def __getattr__(name: str) -> Any:
    """The types of the API, imported when they are first asked for."""
    from importlib import import_module

    if name not in _TYPES:
        raise AttributeError(f"module 'facegen' has no attribute {name!r}")
    return getattr(import_module(_TYPES[name]), name)


def __dir__() -> list[str]:
    return sorted([*__all__, "__version__"])
