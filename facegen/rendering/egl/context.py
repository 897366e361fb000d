"""OpenGL contexts, headless through EGL, and the devices that they may be had on."""

import re
from typing import Any

import moderngl

from facegen.errors import DeviceError

LIBRARIES = {"libgl": "libGL.so.1", "libegl": "libEGL.so.1"}
HINT = "install the EGL libraries (Debian: apt-get install libegl1 libgl1 libgl1-mesa-dri)"


def device_name(context: moderngl.Context) -> str:
    """The renderer this context got, in the driver's own words."""
    return str(context.info["GL_RENDERER"])


def is_software(name: str) -> bool:
    """Whether the driver's name is that of a renderer on the CPU."""
    return bool(re.search(r"llvmpipe|softpipe|swrast|software", name, re.IGNORECASE))


def open_context(index: int) -> moderngl.Context:
    """A fresh OpenGL 4.3 context on EGL device `index`; DeviceError says what is missing."""
    options: dict[str, Any] = {"backend": "egl", "device_index": index, **LIBRARIES}
    try:
        return moderngl.create_context(require=430, standalone=True, **options)
    except Exception as error:
        message = " ".join(str(error).split())
        hint = HINT if index == 0 else "`facegen doctor` lists the devices"
        raise DeviceError(f"device egl:{index}: no OpenGL 4.3 context: {message}", hint) from None


def list_devices(limit: int = 16) -> list[str]:
    """The renderers of EGL devices 0, 1, ... by name."""
    names: list[str] = []
    for index in range(limit):
        try:
            context = open_context(index)
        except DeviceError:
            break
        names.append(device_name(context))
        context.release()
    return names


def hardware_devices() -> list[int]:
    """The EGL devices with hardware behind them."""
    return [i for i, name in enumerate(list_devices()) if not is_software(name)]


def default_device() -> int:
    """The first EGL device with hardware behind it, else the first."""
    return next(iter(hardware_devices()), 0)
