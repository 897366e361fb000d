"""Shaders, and the storage buffers that they read and write."""

from functools import cache
from importlib.resources import files

import moderngl

from facegen.rendering.finishes import (
    BROAD_LINEAR,
    BROAD_SQUARE,
    FINISHES,
    FRESNEL_HIGH,
    FRESNEL_LOW,
    HAIR_FIRST,
    HAIR_SECOND,
    HAIR_WRAP,
    LEAST_LIGHT,
    LOBES,
    MATERIALS,
    TO_LINEAR,
)
from facegen.scene.cameras import LEAST_DISTORTION

VERSION = "#version 430\n"
LIT = ("image", "radiance", "shading", "specular")


def vertex_shader(worn: bool) -> str:
    """The text of the vertex shader of the face, or of what is worn."""
    text = shader("worn.vert" if worn else "face.vert")
    return _with(text, "face.glsl", "place.glsl", first=_constants())


def fragment_shader(layer: str, worn: bool) -> str:
    """The text of a layer's fragment shader, for the face or for what is worn."""
    parts = ("face.glsl", "worn.glsl", "light.glsl") if layer in LIT else ("worn.glsl",)
    define = "#define WORN\n" if worn else ""
    return _with(shader(f"{layer}.frag"), *parts, first=define + _constants())


def shader(name: str) -> str:
    """The text of a shader."""
    return (files("facegen.rendering.egl") / "shaders" / name).read_text("utf-8")


def _with(text: str, *parts: str, first: str = "") -> str:
    """A shader with other texts after its version."""
    return text.replace(VERSION, VERSION + first + "".join(map(shader, parts)), 1)


@cache
def _constants() -> str:
    """The numbers of `finishes`, for the shaders."""
    rows = ", ".join("vec4(" + ", ".join(map(str, row)) + ")" for row in FINISHES.tolist())
    scalars = {
        "LEAST_DISTORTION": LEAST_DISTORTION,
        "BROAD_LINEAR": BROAD_LINEAR,
        "BROAD_SQUARE": BROAD_SQUARE,
        "FRESNEL_LOW": FRESNEL_LOW,
        "FRESNEL_HIGH": FRESNEL_HIGH,
        "LEAST_LIGHT": LEAST_LIGHT,
        "HAIR_FIRST": HAIR_FIRST,
        "HAIR_SECOND": HAIR_SECOND,
        "HAIR_WRAP": HAIR_WRAP,
    }
    lines = [f"const float {name} = {value};" for name, value in scalars.items()]
    lines += [
        f"const uint MATERIALS = {MATERIALS}u;",
        f"const vec2 LOBES = vec2({', '.join(map(str, LOBES))});",
        f"const float TO_LINEAR[6] = float[6]({', '.join(map(str, TO_LINEAR))});",
        f"const vec4 FINISHES[{len(FINISHES)}] = vec4[{len(FINISHES)}]({rows});",
    ]
    return "\n".join(lines) + "\n"


def bind(buffers: tuple[moderngl.Buffer, ...]) -> None:
    """Bind storage buffers to 0, 1, ..."""
    for binding, buffer in enumerate(buffers):
        buffer.bind_to_storage_buffer(binding)
