"""Every kind of picture gives the same pixels, or is refused by name; none starts a program."""

import io
import os

import numpy as np
import pytest
import tiffs
from PIL import Image, ImageCms

from facegen.rendering import pictures
from facegen.rendering.pictures import PictureError, find_pictures, opened, upright_rgb

V, U = np.mgrid[:40, :60]
RGB = np.stack([U * 4, V * 6, 200 - U * 2], -1).astype(np.uint8)
GREY = (U * 4).astype(np.uint8)
GREY_RGB = np.repeat(GREY[..., None], 3, -1)
HALF = (U < 30).astype(np.uint8) * 255
NOISE = np.random.default_rng(0).integers(0, 256, (40, 60, 3), np.uint8)
STRIPES = np.repeat((U % 2 * 255).astype(np.uint8)[..., None], 3, -1)
EPS = b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 64 64\n%%EndComments\nshowpage\n%%EOF\n"


def read(data):
    """The pixels of an encoded picture."""
    with opened(data) as image:
        return np.asarray(upright_rgb(image)).astype(int)


def encoded(image, kind, **options):
    """An image, or an array, in a format."""
    buffer = io.BytesIO()
    image = image if isinstance(image, Image.Image) else Image.fromarray(image)
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def over_white(pixels):
    """The left half, and white."""
    return np.where(HALF[..., None] == 0, 255, pixels).astype(int)


def cmyk(pixels):
    channels = [Image.fromarray(255 - pixels[..., i]) for i in range(3)]
    return Image.merge("CMYK", [*channels, Image.new("L", (60, 40))])


def plain_cmyk_jpeg():
    """As libraries other than Adobe's write it: not inverted, and not marked."""
    inverted = Image.merge("CMYK", [c.point(lambda value: 255 - value) for c in cmyk(RGB).split()])
    return tiffs.without_segment(encoded(inverted, "JPEG", quality=100, subsampling=0), 0xEE)


def palette(**options):
    image = Image.fromarray((U // 30).astype(np.uint8)).convert("P")
    image.putdata((U // 30).reshape(-1).tolist())
    image.putpalette([10, 20, 30, 200, 100, 50])
    return lambda kind: encoded(image, kind, **options)


PALETTE = np.where(HALF[..., None] > 0, [10, 20, 30], [200, 100, 50])
GREY_16 = {
    "PNG": lambda: tiffs.png16(tiffs.to_16(GREY)),
    "PNG by Pillow": lambda: encoded(tiffs.to_16(GREY), "PNG"),
    "TIFF": lambda: tiffs.tiff(tiffs.to_16(GREY), tiffs.GREY),
    "TIFF, big endian": lambda: tiffs.tiff(tiffs.to_16(GREY), tiffs.GREY, ">"),
    "TIFF, white is zero": lambda: tiffs.tiff(65535 - tiffs.to_16(GREY), tiffs.WHITE_IS_ZERO),
    "JPEG 2000": lambda: encoded(tiffs.to_16(GREY), "JPEG2000"),
    "PGM": lambda: b"P5\n60 40\n65535\n" + tiffs.to_16(GREY).astype(">u2").tobytes(),
    "PNG with alpha": lambda: tiffs.png16(
        np.stack([tiffs.to_16(GREY), np.full((40, 60), 65535, np.uint16)], -1)
    ),
}
RGB_16 = {
    "PNG": lambda: tiffs.png16(tiffs.to_16(RGB)),
    "TIFF": lambda: tiffs.tiff(tiffs.to_16(RGB), tiffs.RGB),
    "TIFF, big endian": lambda: tiffs.tiff(tiffs.to_16(RGB), tiffs.RGB, ">"),
    "PPM": lambda: b"P6\n60 40\n65535\n" + tiffs.to_16(RGB).astype(">u2").tobytes(),
    "TIFF, CMYK": lambda: tiffs.tiff(
        np.concatenate([65535 - tiffs.to_16(RGB), np.zeros((40, 60, 1), np.uint16)], -1), tiffs.CMYK
    ),
}
PLAIN = {
    **{kind: lambda kind=kind: encoded(RGB, kind) for kind in
       ("BMP", "TIFF", "PNG", "TGA", "PCX", "SGI", "PPM", "JPEG2000")},
    "WEBP": lambda: encoded(RGB, "WEBP", lossless=True),
    "TIFF, LZW": lambda: encoded(RGB, "TIFF", compression="tiff_lzw"),
    "CMYK JPEG of Adobe's": lambda: encoded(cmyk(RGB), "JPEG", quality=100, subsampling=0),
    "CMYK JPEG of others": plain_cmyk_jpeg,
    "CMYK TIFF": lambda: encoded(cmyk(RGB), "TIFF"),
    "a broken colour profile": lambda: encoded(RGB, "PNG", icc_profile=b"none" * 50),
}  # fmt: skip
CASES = {
    **{f"16 bit grey, {name}": (make, GREY_RGB) for name, make in GREY_16.items()},
    **{f"16 bit RGB, {name}": (make, RGB) for name, make in RGB_16.items()},
    **{name: (make, RGB) for name, make in PLAIN.items()},
    "1 bit PNG": (lambda: encoded(Image.fromarray(STRIPES).convert("1"), "PNG"), STRIPES),
    "fax": (
        lambda: encoded(Image.fromarray(STRIPES).convert("1"), "TIFF", compression="group4"),
        STRIPES,
    ),
    "palette": (lambda: palette()("PNG"), PALETTE),
    "palette, transparent": (lambda: palette(transparency=1)("PNG"), over_white(PALETTE)),
    "GIF, transparent": (lambda: palette(transparency=1)("GIF"), over_white(PALETTE)),
    "RGBA": (lambda: encoded(np.dstack([RGB, HALF]), "PNG"), over_white(RGB)),
    "RGBA, TIFF": (lambda: encoded(np.dstack([RGB, HALF]), "TIFF"), over_white(RGB)),
    "LA": (lambda: encoded(np.dstack([GREY, HALF]), "PNG"), over_white(GREY_RGB)),
}


@pytest.mark.parametrize("name", CASES)
def test_a_picture_of_any_kind_is_the_same_picture(name):
    make, expected = CASES[name]
    assert np.abs(read(make()) - expected).max() <= 1


@pytest.mark.parametrize(
    ("kind", "options"), [("JPEG", {"quality": 95}), ("AVIF", {}), ("GIF", {})]
)
def test_lossy_kinds_come_near(kind, options):
    assert np.abs(read(encoded(RGB, kind, **options)) - RGB).mean() < 4


def test_heif_is_read_where_its_plugin_is_installed():
    pytest.importorskip("pillow_heif")
    pictures.formats()
    assert ".heic" in pictures.suffixes()
    assert np.abs(read(encoded(RGB, "HEIF", quality=100)) - RGB).mean() < 4


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("kind", ["PNG", "JPEG", "TIFF", "WEBP"])
def test_a_picture_is_turned_as_its_exif_says(kind, orientation):
    """The first row's ends lie where the standard puts them (EXIF 2.3, 4.6.4, Orientation)."""
    exif = Image.Exif()
    exif[274] = orientation
    pixels = np.zeros((40, 60, 3), np.uint8)
    pixels[:20, :30], pixels[:20, 30:] = (255, 0, 0), (0, 255, 0)
    upright = read(encoded(pixels, kind, exif=exif))
    corners = {"a": upright[5, 5], "b": upright[5, -5], "c": upright[-5, 5], "d": upright[-5, -5]}
    assert upright.shape == ((40, 60, 3) if orientation < 5 else (60, 40, 3))
    row0 = {1: "ab", 2: "ba", 3: "dc", 4: "cd", 5: "ac", 6: "bd", 7: "db", 8: "ca"}[orientation]
    assert corners[row0[0]][0] > 200
    assert corners[row0[1]][1] > 200


def test_colours_are_those_of_the_embedded_profile():
    """LAB has a profile of its own; a profile of RGB whose channels are turned round shows."""
    lab = ImageCms.profileToProfile(
        Image.fromarray(GREY_RGB), ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB"),
        outputMode="LAB",
    )  # fmt: skip
    assert np.abs(read(encoded(lab, "TIFF")) - GREY_RGB).max() <= 4
    linear = encoded(RGB, "PNG", icc_profile=linear_profile())
    expected = 255 * encode_srgb(RGB / 255)
    assert np.abs(read(linear) - expected).max() <= 3


def encode_srgb(linear):
    """IEC 61966-2-1."""
    return np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)


def linear_profile():
    """sRGB's primaries with a gamma of one: Pillow's sRGB profile, its curves replaced."""
    profile = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    count = int.from_bytes(profile[128:132], "big")
    for number in range(count):
        at = 132 + 12 * number
        name = bytes(profile[at : at + 4])
        offset = int.from_bytes(profile[at + 4 : at + 8], "big")
        if name in (b"rTRC", b"gTRC", b"bTRC"):
            profile[offset : offset + 12] = b"curv" + bytes(8)
            profile[at + 8 : at + 12] = (12).to_bytes(4, "big")
        if name == b"desc":
            length = int.from_bytes(profile[at + 8 : at + 12], "big")
            text = bytes(profile[offset : offset + length])
            profile[offset : offset + length] = text.replace(
                "sRGB".encode("utf-16-be"), "none".encode("utf-16-be")
            )
    return bytes(profile)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (
            lambda: tiffs.tiff((GREY / 255).astype(np.float32), tiffs.GREY, sample_format=3),
            "mode F",
        ),
        (lambda: tiffs.tiff(GREY.astype(np.uint32), tiffs.GREY), "mode I"),
        (lambda: EPS, "not an image"),
        (lambda: b"", "not an image"),
        (lambda: encoded(NOISE, "PNG")[:3000], "unreadable image"),
        (lambda: b"%PDF-1.4\n", "not an image"),
    ],
)
def test_what_cannot_be_shown_rightly_is_refused_by_name(make, message):
    with pytest.raises(PictureError, match=message):
        read(make())


def test_no_picture_starts_a_program(tmp_path, monkeypatch):
    started = tmp_path / "started"
    for name in ("gs", "pdftoppm", "djpeg", "wmf2eps"):
        (tmp_path / name).write_text(f"#!/bin/sh\ntouch {started}\n")
        (tmp_path / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    with pytest.raises(PictureError):
        read(EPS)
    assert not started.exists()
    assert "EPS" not in pictures.formats()


# Folders


def test_pictures_are_found_in_subfolders_and_others_are_counted(tmp_path):
    (tmp_path / "b").mkdir()
    for name in ("z.TIF", "b/a.jpg", "a.webp", "._a.jpg", "b/notes.txt", "movie.mov", "README"):
        (tmp_path / name).touch()
    os.symlink(tmp_path, tmp_path / "b" / "round")
    found = find_pictures(tmp_path)
    assert list(found.files) == ["a.webp", "b/a.jpg", "z.TIF"]
    assert found.passed_over == (
        "4 files passed over, which are no pictures by name: 1 .mov, 1 .txt, 1 hidden, "
        "1 without a suffix"
    )


def test_names_of_any_bytes_are_found(tmp_path):
    for name in (b"M\xfcller.png", b"a\nb.png", b" .png", "\u00e9.png".encode()):
        with open(os.path.join(os.fsencode(tmp_path), name), "wb") as file:
            file.write(encoded(RGB, "PNG"))
    found = find_pictures(tmp_path)
    assert len(found.files) == 4
    assert [os.fsencode(name) for name in found.files] == sorted(map(os.fsencode, found.files))
