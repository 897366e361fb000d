"""How members are encoded: each decodes to what was rendered, and others can read it."""

import io
import json

import numpy as np
import pytest
from PIL import Image

from facegen.dataset import encoding
from facegen.dataset.encoding import (
    CODECS,
    LAYERS,
    OF_PHOTOGRAPHS,
    parse_layers,
    suffixes_of,
)
from facegen.dataset.labels import Label, decode_label, encode_label
from facegen.errors import DatasetError, UsageError
from facegen.recipe.image import ImageFormat
from facegen.rendering.contract import BENEATH_MAPS
from facegen.sampling.prior import Parent

RNG = np.random.default_rng(2)
BYTES = ("mask", "normal", "albedo", "segmentation", "pncc")


def read(data):
    """The pixels as another reader sees them."""
    return np.asarray(Image.open(io.BytesIO(data)))


def pixels(name):
    """Random pixels of a layer of bytes."""
    shape = (16, 16) if name in ("mask", "segmentation") else (16, 16, 3)
    return RNG.integers(0, 256, shape).astype(np.uint8)


def test_every_layer_is_a_member_of_its_name():
    suffixes = {name: codec.suffix for name, codec in CODECS.items()}
    assert tuple(suffixes) == LAYERS
    images = {name: f"{name}.png" for name in (*BYTES, "depth", *BENEATH_MAPS)}
    arrays = (*OF_PHOTOGRAPHS, "landmarks", "landmarks2d")
    marks = {name: f"{name}.npy" for name in arrays}
    assert suffixes == images | marks | {"cls": "cls"}
    png = ImageFormat(16, "png", 95)
    assert suffixes_of(["mask", "cls"], png) == {"png", "theta.npy", "json", "mask.png", "cls"}


@pytest.mark.parametrize("name", BYTES)
def test_a_layer_of_bytes_is_written_as_it_is(name):
    layer = pixels(name)
    data = CODECS[name].encode(layer)
    np.testing.assert_array_equal(read(data), layer)
    np.testing.assert_array_equal(CODECS[name].decode(data), layer)


@pytest.mark.parametrize("name", sorted(OF_PHOTOGRAPHS))
def test_linear_light_keeps_three_digits(name):
    light = RNG.uniform(0, 4, (16, 16, 3)).astype(np.float32)
    data = CODECS[name].encode(light)
    assert np.load(io.BytesIO(data)).dtype == np.float16
    np.testing.assert_allclose(CODECS[name].decode(data), light, rtol=1e-3)
    for damaged in (data[:-2], b"no array", encoding.encode_array(light)):
        with pytest.raises(DatasetError):
            CODECS[name].decode(damaged)


def test_all_layers_are_those_of_any_recipe():
    assert parse_layers("all") == set(LAYERS) - OF_PHOTOGRAPHS
    assert parse_layers("all,radiance") == set(LAYERS) - OF_PHOTOGRAPHS | {"radiance"}


def test_a_png_image_is_written_as_it_is():
    image = pixels("albedo")
    data = encoding.encode_image(image, ImageFormat(16, "png", 95))
    np.testing.assert_array_equal(read(data), image)
    np.testing.assert_array_equal(encoding.decode_image(data), image)


def test_depth_is_written_in_tenths_of_a_millimetre_and_read_in_millimetres():
    depth = RNG.uniform(0, 2000, (16, 16)).astype(np.float32)
    data = CODECS["depth"].encode(depth)
    assert read(data).dtype == np.uint16
    np.testing.assert_allclose(read(data) / 10, depth, atol=0.0501)
    decoded = CODECS["depth"].decode(data)
    assert decoded.dtype == np.float32
    np.testing.assert_array_equal(decoded, read(data) / np.float32(10))


def test_depth_saturates_and_nothing_stays_nothing():
    depth = np.float32([[0, 0.04, 1000.04, 6553.5, 9999.0]])
    assert read(encoding.encode_depth(depth)).tolist() == [[0, 0, 10000, 65535, 65535]]


@pytest.mark.parametrize(("name", "kind"), [("jpg", "JPEG"), ("webp", "WEBP"), ("png", "PNG")])
def test_the_image_is_in_the_recipes_format(name, kind):
    smooth = np.add.outer(np.arange(64), np.arange(64)).astype(np.uint8)[..., None].repeat(3, 2)
    data = encoding.encode_image(smooth, ImageFormat(64, name, 95))
    assert Image.open(io.BytesIO(data)).format == kind
    assert abs(encoding.decode_image(data).astype(int) - smooth).mean() < 2


def test_a_lower_quality_is_smaller():
    low, high = (ImageFormat(16, "jpg", quality) for quality in (30, 95))
    image = pixels("albedo")
    assert len(encoding.encode_image(image, low)) < len(encoding.encode_image(image, high))


@pytest.mark.parametrize("array", [np.float32([1.5, -2]), np.zeros((68, 3)), np.int8(3)])
def test_an_array_is_read_back_by_numpy(array):
    again = np.load(io.BytesIO(encoding.encode_array(np.asarray(array))))
    np.testing.assert_array_equal(again, array)
    assert again.dtype == np.asarray(array).dtype


@pytest.mark.parametrize("parent", [None, Parent(3, "a.jpg"), Parent(0, "")])
def test_a_label_is_compact_json_of_float32_exactly(parent):
    focal = np.float32(1234.5678)
    K = np.diag([focal, focal, 1]).astype(np.float32)
    data = encode_label(Label(7, K, np.eye(4, dtype=np.float32), 9, parent))
    assert b" " not in data
    table = json.loads(data)
    assert ("parent" in table) == (parent is not None)
    assert np.float32(table["K"][0][0]) == focal
    label = decode_label(data)
    assert (label.index, label.identity, label.parent) == (7, 9, parent)
    np.testing.assert_array_equal(label.K, K)


def test_a_number_that_is_not_finite_is_no_json():
    K = np.full((3, 3), np.nan, np.float32)
    with pytest.raises(ValueError, match="JSON"):
        encode_label(Label(0, K, np.eye(4, dtype=np.float32), 0, None))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", set()),
        ("mask", {"mask"}),
        (" mask , depth,", {"mask", "depth"}),
        ("all", set(LAYERS) - OF_PHOTOGRAPHS),
    ],
)
def test_layers_are_a_list_of_names(text, expected):
    assert parse_layers(text) == expected


def test_an_unknown_layer_is_refused_with_those_known():
    with pytest.raises(UsageError, match=r"unknown layer 'deph'; did you mean 'depth'"):
        parse_layers("mask,deph")


@pytest.mark.parametrize(("old", "new"), [("parts", "segmentation"), ("correspondence", "pncc")])
def test_a_layers_old_name_is_refused_with_the_new_one(old, new):
    with pytest.raises(UsageError, match=f"unknown layer '{old}'; it is now called {new}"):
        parse_layers(old)


MATRICES = (
    b'"K":[[1,0,0],[0,1,0],[0,0,1]],"model_to_camera":[[1,0,0,0],[0,1,0,0],[0,0,1,0],[0,0,0,1]]'
)
WRONG = {
    "mask": [b"", b"no png", encoding.encode_depth(np.ones((2, 2), np.float32))],
    "depth": [b"", encoding.encode_png(np.ones((2, 2), np.uint8))],
    "landmarks": [
        b"",
        encoding.encode_array(np.zeros((67, 3), np.float32)),
        encoding.encode_array(np.zeros((68, 3))),
        encoding.encode_array(np.full((68, 3), np.nan, np.float32)),
        encoding.encode_array(np.zeros((68, 3), np.float32))[:-4],
    ],
    "cls": [b"", b"-1", b"1.5", b"9" * 21],
}


@pytest.mark.parametrize(
    ("name", "data"), [(name, data) for name, bad in WRONG.items() for data in bad]
)
def test_a_member_that_is_not_its_layer_is_refused(name, data):
    with pytest.raises(DatasetError):
        CODECS[name].decode(data)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"[]",
        b"{}",
        b'{"index":1}',
        b'{"index":true,"identity":0,' + MATRICES + b"}",
        b'{"index":1,"identity":-1,' + MATRICES + b"}",
        b'{"index":9223372036854775808,"identity":0,' + MATRICES + b"}",
        b'{"index":1,"identity":0,"parent":null,' + MATRICES + b"}",
        b'{"index":1,"identity":0,' + MATRICES + b"}" + b" " * (1 << 20),
        b'{"index":1,"identity":0,"parent":{"row":-0.5,"key":""},' + MATRICES + b"}",
        b'{"index":1,"identity":0,"more":1,' + MATRICES + b"}",
        b'{"index":1,"identity":0,' + MATRICES.replace(b"[1,0,0]", b"[NaN,0,0]") + b"}",
    ],
)
def test_a_json_that_is_not_a_label_is_refused(data):
    with pytest.raises(DatasetError, match="not a label"):
        decode_label(data)
