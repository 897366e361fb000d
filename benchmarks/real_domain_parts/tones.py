"""Between linear light and what a display is given."""

import numpy as np
from numpy.typing import NDArray

Float64 = NDArray[np.float64]

LUMINANCE = np.array([0.2126, 0.7152, 0.0722])
SHOULDER = 0.6


def to_linear(values: Float64) -> Float64:
    """sRGB in [0, 1] -> linear."""
    return np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4)


def to_display(values: Float64) -> Float64:
    """Linear in [0, 1] -> sRGB."""
    safe = np.maximum(values, 0.0031308)
    return np.where(values <= 0.0031308, 12.92 * values, 1.055 * safe ** (1 / 2.4) - 0.055)


def roll_off(values: Float64) -> Float64:
    """Linear light of any strength -> [0, 1): highlights approach white, the rest stays."""
    over = np.maximum(values - SHOULDER, 0)
    room = 1 - SHOULDER
    return np.minimum(values, SHOULDER) + room * (1 - np.exp(-over / room))


def luminance(colours: Float64) -> Float64:
    """Linear colours (..., 3) -> (...)."""
    return colours @ LUMINANCE
