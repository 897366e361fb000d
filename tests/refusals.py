"""How foreign model files are refused."""

import pytest

from facegen.errors import ModelError
from facegen.models.importers import importing


def refusal(path):
    """The one line that refuses a file."""
    with pytest.raises(ModelError) as caught:
        importing.read(path)
    line = str(caught.value)
    assert "\n" not in line
    assert str(path) in line
    return line
