"""Colours of hair, cloth, frames and things: display-referred red, green, blue in [0, 1]."""

import numpy as np
from jaxtyping import Float64

from facegen.files import Array
from facegen.sampling.persona import Persona

# Hair from the least to the most melanin, and what is beside that line.
HAIR = np.array(
    [
        *([0.74, 0.62, 0.44], [0.56, 0.43, 0.27], [0.37, 0.26, 0.17], [0.22, 0.15, 0.11]),
        *([0.12, 0.09, 0.075], [0.07, 0.06, 0.055]),
    ]
)
RED, GREY, WHITE = (
    np.array(c) for c in ([0.50, 0.24, 0.12], [0.55, 0.54, 0.52], [0.8, 0.79, 0.77])
)
SHARE_RED, SHARE_DYED = 0.05, 0.04
GREY_AGE, GREY_YEARS = 54.0, 8.0
LIGHT_SKIN = (0.2, 0.46)  # Mean of the skin's green, from the darkest to the lightest people.
NEUTRAL = 0.55
FRAMES = np.array(
    [
        *([0.05, 0.05, 0.05], [0.09, 0.06, 0.05], [0.30, 0.17, 0.09], [0.55, 0.53, 0.50]),
        *([0.70, 0.58, 0.30], [0.10, 0.12, 0.25], [0.45, 0.08, 0.10], [0.65, 0.62, 0.60]),
    ]
)
LENSES = np.array(
    [
        *([0.03, 0.03, 0.03], [0.05, 0.05, 0.05], [0.07, 0.07, 0.08], [0.11, 0.07, 0.05]),
        *([0.16, 0.10, 0.06], [0.10, 0.11, 0.10], [0.07, 0.10, 0.08], [0.08, 0.11, 0.20]),
    ]
)
MASKS = np.array([[0.62, 0.78, 0.87], [0.92, 0.93, 0.93], [0.08, 0.08, 0.09], [0.75, 0.62, 0.66]])


def of_hair(persona: Persona, draws: Float64[Array, "N 9"]) -> Float64[Array, "N 3"]:
    """Darker on darker skin, grey with the years, a few red or dyed."""
    low, high = LIGHT_SKIN
    light = np.clip((persona.skin[:, 1] - low) / (high - low), 0, 1)
    melanin = np.clip(1 - 0.95 * light * draws[:, 0] ** 0.7, 0, 1)
    colour = _along(HAIR, melanin)
    red = (draws[:, 1] < SHARE_RED) & (light > 0.4)
    colour = np.where(red[:, None], RED * (0.7 + 0.6 * draws[:, 2:3]), colour)
    dyed = draws[:, 3] > 1 - SHARE_DYED
    colour = np.where(dyed[:, None], _hsv(draws[:, 4], 0.6, 0.3 + 0.4 * draws[:, 5]), colour)
    years = persona.age - GREY_AGE + 18 * (draws[:, 6] - 0.5)
    grey = 1 / (1 + np.exp(-years / GREY_YEARS))[:, None]
    silver = GREY + (WHITE - GREY) * draws[:, 7:8]
    return np.asarray(colour + grey * np.where(dyed, 0, 1)[:, None] * (silver - colour))


def of_beard(hair: Float64[Array, "N 3"], draws: Float64[Array, "N 9"]) -> Float64[Array, "N 3"]:
    """Near the hair's, redder or greyer."""
    return np.asarray(hair * (0.75 + 0.4 * draws[:, :1]) * [1.05, 0.97, 0.94])


def of_cloth(draws: Float64[Array, "N 3"]) -> Float64[Array, "N 3"]:
    """Black, white, greys and muted colours for the most part, a few bright ones."""
    hue = draws[:, 1]
    value = 0.06 + 0.86 * draws[:, 2] ** 1.2
    fraction = np.clip((draws[:, 0] - NEUTRAL) / (1 - NEUTRAL), 0, 1)
    return _hsv(hue, 0.85 * fraction**1.5, value)


def of_frames(draws: Float64[Array, "N 3"]) -> Float64[Array, "N 3"]:
    """Black, brown, horn, metal, gold, and some colours."""
    return np.asarray(_one_of(FRAMES, draws[:, 0]) * (0.8 + 0.4 * draws[:, 1:2]))


def of_lenses(draws: Float64[Array, "N 3"]) -> Float64[Array, "N 3"]:
    """Of sunglasses: nearly black, brown, grey, green, and now and then blue."""
    return np.asarray(_one_of(LENSES, draws[:, 0]) * (0.7 + 0.8 * draws[:, 1:2]))


def of_masks(draws: Float64[Array, "N 3"]) -> Float64[Array, "N 3"]:
    """Light blue, white, black, pink."""
    return np.asarray(_one_of(MASKS, draws[:, 0] ** 1.5) * (0.9 + 0.15 * draws[:, 1:2]))


def of_things(draws: Float64[Array, "N 3"]) -> Float64[Array, "N 3"]:
    """Dark, white or coloured."""
    return _hsv(draws[:, 1], 0.7 * (draws[:, 0] > 0.6), 0.05 + 0.9 * draws[:, 2])


def _one_of(palette: Float64[Array, "k 3"], draws: Float64[Array, "N"]) -> Float64[Array, "N 3"]:
    return np.asarray(palette[(draws * len(palette)).astype(np.intp)])


def _along(line: Float64[Array, "k 3"], shares: Float64[Array, "N"]) -> Float64[Array, "N 3"]:
    """Colours between those of a line, 0 its first and 1 its last."""
    steps = np.linspace(0, 1, len(line))
    return np.stack([np.interp(shares, steps, line[:, c]) for c in range(3)], axis=1)


def _hsv(
    hue: Float64[Array, "N"], saturation: Float64[Array, "N"] | float, value: Float64[Array, "N"]
) -> Float64[Array, "N 3"]:
    """Hue (a turn is 1), saturation and value -> red, green, blue (Smith 1978)."""
    k = (np.array([5, 3, 1]) + 6 * hue[:, None]) % 6
    drop = np.clip(np.minimum(k, 4 - k), 0, 1)
    saturation = np.broadcast_to(saturation, hue.shape)
    return np.asarray(value[:, None] * (1 - saturation[:, None] * drop))
