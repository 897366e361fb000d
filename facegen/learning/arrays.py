"""Photographs in memory -> estimates."""

from collections.abc import Sequence
from functools import partial
from io import BytesIO

from jaxtyping import UInt8
from PIL import Image

from facegen.errors import FacegenError, UsageError
from facegen.files import Array
from facegen.learning.estimate import EstimateSettings
from facegen.learning.estimate import estimate as run
from facegen.learning.faces import Cropping
from facegen.learning.images import FoundImage
from facegen.learning.opening import named, open_network
from facegen.learning.training_set import model_at_hand
from facegen.sampling.estimates import Estimates


def estimate(images: Sequence[UInt8[Array, "H W 3"]], network: str, crop: str) -> Estimates:
    """The faces in these images; the keys are the images' numbers, 7#2 the second face in one."""
    if crop not in ("detect", "whole"):
        raise UsageError(f"crop {crop!r} is not known", "known: detect, whole")
    for number, image in enumerate(images):
        if image.ndim != 3 or image.shape[2] != 3 or image.dtype != "uint8" or not image.size:
            kind = f"{image.dtype} {image.shape}"
            raise FacegenError(f"image {number} is {kind}, not uint8 (H, W, 3)", "give RGB")
    trained = open_network(named(network), "auto")
    settings = EstimateSettings(
        Cropping("detect" if crop == "detect" else "whole", trained.framing),
        model_at_hand(trained.facts.prior, trained.facts.model),
    )
    found = (FoundImage(str(i), partial(_encoded, image)) for i, image in enumerate(images))
    return run(trained, found, settings)[0]


def _encoded(image: UInt8[Array, "H W 3"]) -> bytes:
    data = BytesIO()
    Image.fromarray(image).save(data, "BMP")
    return data.getvalue()
