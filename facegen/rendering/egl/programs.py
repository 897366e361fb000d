"""Shaders, and the storage buffers that they read and write."""

from importlib.resources import files

import moderngl


def shader(name: str) -> str:
    """The text of a shader."""
    return (files("facegen.rendering.egl") / "shaders" / name).read_text("utf-8")


def bind(buffers: tuple[moderngl.Buffer, ...]) -> None:
    """Bind storage buffers to 0, 1, ..."""
    for binding, buffer in enumerate(buffers):
        buffer.bind_to_storage_buffer(binding)
