"""What tests of inspection share: a finished data set, and copies to tamper with."""

import shutil
from dataclasses import replace

import pytest
from specs import generated, spec_in


@pytest.fixture(scope="session")
def clean(ellipsoid_file, tmp_path_factory):
    """A finished data set."""
    return generated(spec_in(tmp_path_factory.mktemp("verify") / "clean", ellipsoid_file))


@pytest.fixture
def copy(clean, tmp_path):
    """A data set of its own to tamper with: (spec, folder)."""
    folder = tmp_path / "copy"
    shutil.copytree(clean.out, folder)
    return replace(clean, out=str(folder)), folder
