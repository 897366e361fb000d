"""Which renderer a device's name means."""

import re
from collections.abc import Collection

from facegen.errors import UsageError
from facegen.models.morphable_model import MorphableModel
from facegen.rendering.contract import Renderer, RenderSettings

# What decides bytes: a number goes up where pixels or labels change (tests/test_golden.py).
VERSIONS = {"cpu": 3, "egl": 2}
KNOWN = "auto, cpu, egl, egl:0, or several for the workers to share: egl:0,egl:1"
AUTO = "auto"


def parse(names: str) -> tuple[str, ...]:
    """The devices that a comma-separated list names; 'auto' becomes what it means here."""
    devices = tuple(names.split(","))
    for name in devices:
        if not re.fullmatch(r"auto|cpu|egl(:\d{1,3})?", name):
            raise UsageError(f"--device: unknown device {name!r}", f"known: {KNOWN}")
    return tuple(_automatic() if name == AUTO else name for name in devices)


def renderer_of(devices: Collection[str]) -> str:
    """The renderer of parsed devices and its version: 'cpu-3'; UsageError if there are several."""
    kinds = sorted({device.partition(":")[0] for device in devices})
    if len(kinds) > 1:
        hint = "their pixels differ by a level: give devices of one"
        raise UsageError(f"--device: {' and '.join(kinds)} are two renderers", hint)
    return f"{kinds[0]}-{VERSIONS[kinds[0]]}"


def in_short(device: str) -> str:
    """What a renderer says it renders on, without the features of a CPU."""
    return device.partition("; ")[0]


def open_renderer(device: str, model: MorphableModel, settings: RenderSettings) -> Renderer:
    """Open a parsed device; DeviceError says why it cannot be had."""
    kind, _, index = device.partition(":")
    if kind == "cpu":
        from facegen.rendering.cpu.renderer import CpuRenderer

        return CpuRenderer(model, settings)
    from facegen.rendering.egl.context import default_device
    from facegen.rendering.egl.renderer import EglRenderer

    return EglRenderer(model, settings, int(index) if index else default_device())


def _automatic() -> str:
    """The first EGL device with hardware behind it, else the CPU."""
    try:
        from facegen.rendering.egl.context import hardware_devices
    except ImportError:
        return "cpu"
    hardware = hardware_devices()
    return f"egl:{hardware[0]}" if hardware else "cpu"
