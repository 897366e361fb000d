"""The schema of theta: order, widths, units, and taking apart and putting together."""

import numpy as np
import pytest

from facegen.errors import DatasetError
from facegen.scene.parameters import CoefficientUnit, layout_from_json, layout_of

LAYOUT = layout_of(128, 64, 128)


def test_the_posters_theta_has_350_dimensions_in_the_posters_order():
    assert LAYOUT.width == 350
    assert LAYOUT.to_json() == [
        ("rotation", 3),
        ("shape", 128),
        ("expression", 64),
        ("reflectance", 128),
        ("illumination", 27),
    ]


def test_every_group_lies_right_behind_the_one_before():
    bounds = [(s.start, s.stop) for s in LAYOUT.slices.values()]
    assert bounds == [(0, 3), (3, 131), (131, 195), (195, 323), (323, 350)]


def test_every_group_says_its_unit():
    units = {group.name: str(group.unit) for group in LAYOUT.groups}
    assert units == {
        "rotation": "radian",
        "shape": "standard deviation",
        "expression": "0.1443 standard deviations",
        "reflectance": "standard deviation",
        "illumination": "irradiance coefficient",
    }
    assert str(CoefficientUnit("weight")) == "weight"


def test_unpack_names_every_number_of_theta():
    theta = np.arange(700, dtype=np.float32).reshape(2, 350)
    p = LAYOUT.unpack(theta)
    assert p.rotation.tolist() == [[0, 1, 2], [350, 351, 352]]
    assert p.shape[0, [0, -1]].tolist() == [3, 130]
    assert p.expression[0, [0, -1]].tolist() == [131, 194]
    assert p.reflectance[0, [0, -1]].tolist() == [195, 322]
    assert p.illumination[0].tolist() == [[323 + 3 * i + j for j in range(3)] for i in range(9)]
    np.testing.assert_array_equal(p.geometry[1], theta[1, 3:195])


@pytest.mark.parametrize("widths", [(128, 64, 128), (1, 0, 2), (0, 0, 0)])
def test_pack_undoes_unpack(widths):
    layout = layout_of(*widths)
    theta = np.random.default_rng(0).normal(size=(5, layout.width)).astype(np.float32)
    packed = layout.pack(layout.unpack(theta))
    assert packed.dtype == np.float32
    np.testing.assert_array_equal(packed, theta)


def test_no_samples_are_an_empty_theta():
    empty = np.empty((0, 350), np.float32)
    assert LAYOUT.pack(LAYOUT.unpack(empty)).shape == (0, 350)


@pytest.mark.parametrize("shape", [(2, 349), (2, 351), (350,)])
def test_a_theta_of_another_width_is_refused(shape):
    with pytest.raises(DatasetError, match="350"):
        LAYOUT.unpack(np.zeros(shape, np.float32))


def test_a_layout_is_read_back_from_what_is_recorded():
    again = layout_from_json([list(pair) for pair in LAYOUT.to_json()])
    assert again.to_json() == LAYOUT.to_json()
    assert again.slices == LAYOUT.slices


@pytest.mark.parametrize(
    "recorded", [None, 3, [], [["shape", 3]], [["rotation", 4], *LAYOUT.to_json()[1:]], [["a"]]]
)
def test_a_record_that_is_no_layout_is_refused(recorded):
    with pytest.raises(DatasetError, match="layout"):
        layout_from_json(recorded)
