"""Settings of photographs, taken apart."""

from dataclasses import fields

import numpy as np

from facegen.imaging.settings import neutral


def test_settings_have_a_row_for_each_photograph():
    settings = neutral(5)
    assert len(settings) == 5
    assert {len(getattr(settings, one.name)) for one in fields(settings)} == {5}


def test_some_rows_of_settings():
    settings = neutral(5)
    settings.exposure[:] = np.arange(5)
    part = settings[1:4:2]
    assert len(part) == 2
    assert part.exposure.tolist() == [1, 3]
    assert part.white_balance.shape == (2, 2)
