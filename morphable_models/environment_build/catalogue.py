"""The two pinned packages, and which of their images are taken under which names."""

from dataclasses import dataclass

WORLD = "./usr/share/blender/datafiles/studiolights/world/"


@dataclass(frozen=True)
class Package:
    """A package file: its digest, where it says CC0, and the words that must stand there."""

    title: str
    sha256: str
    licence: str
    words: str


@dataclass(frozen=True)
class Entry:
    """One environment: its name, its package and its file there; held_out: never to train on."""

    name: str
    package: str
    path: str
    held_out: bool = False


PACKAGES = {
    "assets": Package(
        "@pmndrs/assets 1.7.0 (npm)",
        "152bd218a3390703f184f0c6ce16e73c8f0a87f32d38530d418a09d33d8208dc",
        "package/LICENSE",
        "CC0 1.0 Universal",
    ),
    "blender": Package(
        "blender-data 3.4.1+dfsg-2 (Debian)",
        "5ceaf56a49ba3ded95c751d739aeec3d19e7fad76fba5cb70666986af9303b0e",
        f"{WORLD}license.txt",
        "All HDRIs are licenses as CC0.",
    ),
}


def _asset(name: str, file: str, held_out: bool = False) -> Entry:
    """Return an entry of the assets package."""
    return Entry(name, "assets", f"package/hdri/{file}.exr.js", held_out)


def _world(name: str, file: str, held_out: bool = False) -> Entry:
    """Return an entry of Blender's data."""
    return Entry(name, "blender", f"{WORLD}{file}.exr", held_out)


# The assets' sunrise is left out: it is Blender's, and its sun has lost red and green.
ENTRIES = (
    _asset("apartment", "apartment"),
    _asset("bridge", "bridge"),
    _world("car_park", "city", held_out=True),
    _world("courtyard", "courtyard"),
    _asset("dusk_quay", "venice"),
    _asset("esplanade", "esplanade"),
    _asset("hall", "hall"),
    _world("hotel_room", "interior", held_out=True),
    _asset("laboratory", "lab"),
    _asset("lobby", "lobby"),
    _world("night_field", "night"),
    _asset("night_savanna", "night"),
    _asset("park", "park"),
    _asset("pine_forest", "forest", held_out=True),
    _asset("purple_dawn", "dawn"),
    _asset("sky", "sky"),
    _asset("square", "city"),
    _world("studio_lamps", "studio"),
    _asset("studio_softbox", "studio"),
    _world("sunrise_meadow", "sunrise"),
    _world("sunset_quay", "sunset"),
    _asset("sunset_square", "sunset"),
    _asset("warehouse", "warehouse", held_out=True),
    _world("woodland", "forest"),
    _asset("workshop", "workshop"),
)
