"""Shaders, and the storage buffers that they read and write."""

from importlib.resources import files

import moderngl


def shader(name: str) -> str:
    """The text of a shader."""
    return (files("facegen.rendering.egl") / "shaders" / name).read_text("utf-8")


def fragment_shader(name: str, worn: bool) -> str:
    """The text of a layer's fragment shader, for the face or for what is worn."""
    text = shader(name)
    version = "#version 430\n"
    define = "#define WORN\n" if worn else ""
    return text.replace(version, version + define + shader("worn.glsl"))


def bind(buffers: tuple[moderngl.Buffer, ...]) -> None:
    """Bind storage buffers to 0, 1, ..."""
    for binding, buffer in enumerate(buffers):
        buffer.bind_to_storage_buffer(binding)
