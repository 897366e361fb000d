"""Which renderer a device's name means."""

import re

from facegen.errors import UsageError
from facegen.morphable_model import MorphableModel
from facegen.renderers import Renderer, RenderSettings


def check_device(device: str) -> None:
    """Refuse a name that no device has."""
    if not re.fullmatch(r"auto|egl(:\d{1,3})?", device):
        raise UsageError(
            f"--device: unknown device {device!r}", "known: auto, egl, egl:0, egl:1, …"
        )


def open_renderer(device: str, model: MorphableModel, settings: RenderSettings) -> Renderer:
    """Open a checked device; DeviceError says why it cannot be had."""
    from facegen.renderers.egl import EglRenderer, hardware_device

    _, _, index = device.partition(":")
    return EglRenderer(model, settings, int(index) if index else hardware_device())
