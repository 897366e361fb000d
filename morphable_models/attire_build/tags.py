"""For whom each piece is: relative weights for men and women, ages, and what goes with it."""

from collections.abc import Mapping

from .hair import Style

Tags = Mapping[str, object]


def _tags(men: float, women: float, youngest: int, oldest: int, **more: object) -> Tags:
    """Return tags: weights for men and women, a range of ages, and more."""
    return {"men": men, "women": women, "ages": [youngest, oldest], **more}


def _hair(
    men: float, women: float, youngest: int, oldest: int, length: str, kind: str = "straight"
) -> Tags:
    """Return the tags of a hair style; `kind` is straight, wavy, curly or coily."""
    return _tags(men, women, youngest, oldest, length=length, texture=kind)


HAIR_TAGS: Mapping[str, Tags] = {
    "buzz": _hair(1.0, 0.08, 12, 90, "shaved"),
    "crew": _hair(1.2, 0.03, 10, 85, "short"),
    "short_back_sides": _hair(1.5, 0.06, 10, 90, "short"),
    "side_part": _hair(1.3, 0.05, 10, 90, "short"),
    "slicked_back": _hair(0.7, 0.08, 16, 80, "short"),
    "messy_short": _hair(1.0, 0.2, 8, 60, "short"),
    "textured_fringe": _hair(1.0, 0.1, 8, 45, "short"),
    "spiky": _hair(0.5, 0.05, 10, 40, "short"),
    "long_top_undercut": _hair(0.7, 0.1, 14, 45, "short"),
    "curly_short": _hair(0.7, 0.4, 8, 80, "short", "curly"),
    "afro": _hair(0.35, 0.4, 8, 75, "medium", "coily"),
    "receding_short": _hair(0.9, 0.02, 30, 95, "short"),
    "balding": _hair(0.9, 0.0, 38, 100, "short"),
    "pixie": _hair(0.05, 0.7, 10, 95, "short"),
    "bob": _hair(0.05, 1.2, 8, 90, "medium"),
    "bob_fringe": _hair(0.01, 0.8, 5, 75, "medium"),
    "long_straight_middle": _hair(0.08, 1.2, 5, 65, "long"),
    "long_straight_side": _hair(0.04, 1.2, 5, 70, "long"),
    "long_wavy": _hair(0.05, 1.2, 8, 70, "long", "wavy"),
    "long_curly": _hair(0.06, 0.8, 8, 70, "long", "curly"),
    "shoulder_fringe": _hair(0.02, 0.8, 5, 70, "long"),
    "shoulder_wavy": _hair(0.08, 1.1, 8, 85, "long", "wavy"),
    "ponytail": _hair(0.05, 0.9, 5, 65, "long"),
    "high_bun": _hair(0.06, 0.6, 8, 80, "long"),
    "low_bun": _hair(0.01, 0.7, 10, 95, "long"),
    "two_braids": _hair(0.0, 0.25, 4, 40, "long"),
}
BEARD_TAGS: Mapping[str, Tags] = {
    "stubble": _tags(1.2, 0.0, 16, 90),
    "stubble_heavy": _tags(1.0, 0.0, 17, 85),
    "short_full": _tags(1.2, 0.0, 18, 95),
    "long_full": _tags(0.3, 0.0, 22, 95),
    "curly_full": _tags(0.4, 0.0, 20, 95),
    "goatee": _tags(0.4, 0.0, 18, 85),
    "moustache": _tags(0.5, 0.0, 18, 95),
    "moustache_and_goatee": _tags(0.7, 0.0, 18, 90),
    "sideburns_chin_strap": _tags(0.25, 0.0, 17, 60),
}
GLASSES_TAGS: Mapping[str, Tags] = {
    "glasses_round": _tags(0.8, 1.0, 6, 95, sun=False),
    "glasses_rectangular": _tags(1.2, 0.9, 6, 95, sun=False),
    "glasses_thick": _tags(1.0, 1.0, 10, 80, sun=False),
    "glasses_half_thin": _tags(1.0, 0.9, 15, 95, sun=False),
    "glasses_rimless": _tags(0.7, 0.7, 25, 95, sun=False),
    "glasses_cat_eye": _tags(0.02, 0.7, 12, 95, sun=False),
    "glasses_aviator": _tags(0.6, 0.5, 15, 90, sun=False),
    "sunglasses": _tags(1.0, 1.0, 6, 90, sun=True),
    "sunglasses_aviator": _tags(0.8, 0.6, 12, 85, sun=True),
    "sunglasses_round": _tags(0.4, 0.6, 8, 80, sun=True),
    "sunglasses_large": _tags(0.1, 1.0, 12, 90, sun=True),
}
HAT_TAGS: Mapping[str, Tags] = {
    "cap": _tags(1.5, 0.6, 4, 85),
    "cap_flat_visor": _tags(0.6, 0.2, 8, 40),
    "beanie": _tags(1.0, 0.9, 3, 80),
    "beanie_slouchy": _tags(0.4, 0.5, 12, 50),
    "wide_brim": _tags(0.15, 0.8, 10, 90),
    "fedora": _tags(0.6, 0.3, 18, 95),
    "bucket": _tags(0.5, 0.5, 4, 75),
    "hijab": _tags(0.0, 1.0, 9, 95, covers_hair=True, without=["mask"]),
    "bandana": _tags(0.3, 0.5, 10, 70, covers_hair=False),
    "turban": _tags(0.8, 0.2, 10, 95, covers_hair=True),
}
CLOTHES_TAGS: Mapping[str, Tags] = {
    "crew_neck": _tags(1.6, 1.2, 2, 95),
    "v_neck": _tags(0.5, 1.0, 8, 95),
    "shirt_collar": _tags(1.2, 0.7, 8, 95),
    "polo": _tags(0.8, 0.4, 5, 95),
    "turtleneck": _tags(0.4, 0.6, 6, 95),
    "hoodie": _tags(0.9, 0.6, 4, 55),
    "suit_tie": _tags(0.9, 0.03, 16, 95),
    "suit_open": _tags(0.5, 0.5, 18, 90),
    "blouse_wide_neck": _tags(0.0, 1.0, 10, 85),
    "tank_top": _tags(0.3, 0.7, 5, 65),
    "zip_jacket": _tags(0.7, 0.5, 4, 90),
    "scarf_round_the_neck": _tags(0.3, 0.5, 5, 95),
}


def hair_variations(style: Style) -> Mapping[str, Mapping[str, float]]:
    """Return how a hair style varies: volume, length, and the hairline or the fringe."""
    change: dict[str, Mapping[str, float]] = {"volume": {"volume": 0.25 * style.comb.volume + 0.5}}
    share = 0.10 if style.comb.gather else 0.14
    change["length"] = {
        "top": share * style.top,
        "sides": share * style.sides,
        "back": share * style.back,
        "wave_length": share * style.comb.wave_length,  # As many waves on longer hair.
        "curl_length": share * style.comb.curl_length,
    }
    if style.level is not None:
        change["length"] = {"level": -14.0}
    if style.fringe is not None:
        change["fringe"] = {"fringe": 7.0}
    elif not style.comb.gather or style.comb.part is None:
        change["hairline"] = {"recede": 3.5, "height": 3.0}
    return change
