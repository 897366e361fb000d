"""How files of others are refused."""

import pytest

from facegen.errors import ModelError
from facegen.models.importers import importing


def refusal(path, read=importing.read, error=ModelError):
    """The one line with which a reader refuses a file; by default that of foreign models."""
    with pytest.raises(error) as caught:
        read(path)
    line = str(caught.value)
    assert "\n" not in line
    assert str(path) in line
    return line
