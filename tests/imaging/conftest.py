"""What tests of photographs share: a way to take them, and faces to take them of."""

from dataclasses import replace

import numpy as np
import pytest

from facegen.imaging.develop import develop
from facegen.imaging.settings import neutral


@pytest.fixture(scope="session")
def photograph():
    """A function that takes N photographs of light (N, S, S, 3), with these settings for all."""

    def take(light, **settings):
        plain = neutral(len(light))
        changed = {
            name: np.array(np.broadcast_to(value, getattr(plain, name).shape)).astype(
                getattr(plain, name).dtype
            )
            for name, value in settings.items()
        }
        out = np.empty(light.shape, np.uint8)
        develop(np.asarray(light, np.float32), replace(plain, **changed), out)
        return out

    return take


@pytest.fixture
def scene():
    """Smooth light in [0, 0.9] with some texture: two images of 48 pixels."""
    draws = np.random.default_rng(7)
    rows, columns = np.mgrid[:48, :48] / 48
    smooth = 0.4 + 0.3 * np.sin(5 * columns + 3 * rows)[..., None] * [1, 0.6, -0.7]
    return (smooth + draws.uniform(-0.1, 0.1, (2, 48, 48, 3))).astype(np.float32)
