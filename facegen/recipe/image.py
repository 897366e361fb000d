"""[image]: the size, file format and encoding of images, and how photographs are taken."""

from dataclasses import dataclass, field, fields
from typing import Literal, get_args

from facegen.errors import RecipeError, located
from facegen.recipe.photograph import KEYS, PhotographPrior, read_photograph
from facegen.recipe.tables import Table, get, known, one_of

Format = Literal["jpg", "png", "webp"]
Encoding = Literal["display", "srgb"]

SIZES = range(16, 2049)
FORMATS: tuple[Format, ...] = get_args(Format)
QUALITY = 95  # Where a distribution of it is stated.


@dataclass(frozen=True)
class Surfaces:
    """What of light surfaces show beyond Lambert, of encoding "srgb", each from 0 to 1.

    occlusion: of the light that a face keeps from itself; highlights: of what surfaces reflect.
    """

    occlusion: float = 1.0
    highlights: float = 1.0


SURFACES = tuple(one.name for one in fields(Surfaces))


@dataclass(frozen=True)
class ImageFormat:
    """How an image is stored: side in pixels, file format, quality 1-100 of a lossy one.

    encoding: what its pixels are: clipped display-referred colour, or a photograph in sRGB, taken
    as photograph says.
    """

    size: int
    format: Format
    quality: int
    encoding: Encoding = "display"
    photograph: PhotographPrior = field(default_factory=lambda: PhotographPrior({}))
    surfaces: Surfaces = field(default_factory=Surfaces)


def read_image(table: Table) -> ImageFormat:
    """The images that a recipe's table states; RecipeError names the key that is wrong."""
    with located("[image]"):
        known(table, {"size", "format", "quality", "encoding", *SURFACES, *KEYS})
        drawn = isinstance(table.get("quality"), dict)
        stated = get({"encoding": "display", **table}, "encoding", str)
        image = ImageFormat(
            get(table, "size", int),
            one_of(get(table, "format", str), FORMATS, "format"),
            QUALITY if drawn else get(table, "quality", int),
            one_of(stated, get_args(Encoding), "encoding"),
            read_photograph(table),
            _read_surfaces(table, stated),
        )
        if image.size not in SIZES:
            raise RecipeError(f"size {image.size} is not between {SIZES[0]} and {SIZES[-1]} pixels")
        if not 1 <= image.quality <= 100:
            raise RecipeError(f"quality {image.quality} is not between 1 and 100")
    return image


def _read_surfaces(table: Table, encoding: str) -> Surfaces:
    shares = {name: get(table, name, float) for name in SURFACES if name in table}
    for name, share in shares.items():
        if encoding != "srgb":
            raise RecipeError(f"{name} is of linear light", 'state encoding = "srgb"')
        if not 0 <= share <= 1:
            raise RecipeError(f"{name} = {share:g} is not a share from 0 to 1")
    return Surfaces(**shares)
