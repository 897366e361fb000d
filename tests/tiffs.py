"""TIFF and PNG files written byte by byte, of kinds that Pillow reads and does not write."""

import struct
import zlib

import numpy as np

GREY, RGB, CMYK, WHITE_IS_ZERO = 1, 2, 5, 0
COLOUR_TYPES = {1: 0, 2: 4, 3: 2, 4: 6}


def tiff(pixels, photometric, order="<", sample_format=1, orientation=1, bits=None):
    """An uncompressed TIFF of pixels (H, W) or (H, W, C) in their own type."""
    height, width, channels = (*pixels.shape, 1)[:3]
    bits = bits or pixels.dtype.itemsize * 8
    data = pixels.astype(pixels.dtype.newbyteorder(order)).tobytes()
    values = {
        256: [width], 257: [height], 258: [bits] * channels, 259: [1], 262: [photometric],
        273: None, 274: [orientation], 277: [channels], 278: [height], 279: len(data),
        339: [sample_format] * channels,
    }  # fmt: skip
    directory = 8 + 2 + 12 * len(values) + 4
    entries, beyond = b"", b""
    for tag, value in values.items():
        if isinstance(value, list):
            packed = struct.pack(f"{order}{len(value)}H", *value)
            place = packed.ljust(4, b"\0")
            if len(packed) > 4:
                place = struct.pack(f"{order}I", directory + len(beyond))
                beyond += packed
            entries += struct.pack(f"{order}HHI", tag, 3, len(value)) + place
        else:
            number = value if value is not None else 0xFEEDBEEF
            entries += struct.pack(f"{order}HHII", tag, 4, 1, number)
    start = struct.pack(f"{order}I", directory + len(beyond))
    entries = entries.replace(struct.pack(f"{order}I", 0xFEEDBEEF), start)
    mark = b"II" if order == "<" else b"MM"
    header = mark + struct.pack(f"{order}HIH", 42, 8, len(values))
    return header + entries + bytes(4) + beyond + data


def png16(pixels):
    """A PNG of 16 bits a channel: grey, grey and alpha, RGB or RGBA."""
    height, width, channels = (*pixels.shape, 1)[:3]
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in pixels)
    kind = COLOUR_TYPES[channels]
    header = struct.pack(">IIBBBBB", width, height, 16, kind, 0, 0, 0)
    chunks = (b"IHDR", header), (b"IDAT", zlib.compress(rows)), (b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(*chunk) for chunk in chunks)


def _chunk(name, data):
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def without_segment(jpeg, marker):
    """A JPEG without its first segment of this marker."""
    start = jpeg.index(bytes([0xFF, marker]))
    length = int.from_bytes(jpeg[start + 2 : start + 4], "big")
    return jpeg[:start] + jpeg[start + 2 + length :]


def to_16(pixels):
    """8 bits as 16."""
    return pixels.astype(np.uint16) * 257
