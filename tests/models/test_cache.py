"""The kept model is what was written, or made again; what cannot be kept is done without."""

import json
import os
import shutil
from dataclasses import replace

import numpy as np
import pytest

from facegen import folders
from facegen.errors import FacegenError, ModelError
from facegen.models import cache, catalogue
from facegen.recipe.recipe import Coefficients

COUNTS = Coefficients(3, 2, 3)


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch):
    """The user's cache folder, of this test alone."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache" / "facegen"


@pytest.fixture
def temporary(tmp_path, monkeypatch):
    """The folder that takes the cache's place."""
    monkeypatch.setattr(folders.tempfile, "tempdir", str(tmp_path))
    return folders.temporary_cache()


def values(model):
    """All that a model holds, as bytes."""
    parts = (model.geometry, model.reflectance, model.shape, model.expression)
    arrays = [array for part in parts for array in (part.mean, part.basis, part.component_scale)]
    arrays += [model.triangles, model.landmarks, model.segmentation]
    return [np.ascontiguousarray(array).tobytes() for array in arrays]


def kept(folder):
    """The one kept model."""
    (one,) = (path for path in folder.iterdir() if (path / "model.json").exists())
    return one


def swapped(data):
    """The second half in place of the first: all values are still numbers."""
    start, half = 128, (len(data) - 128) // 24 * 12
    first, second = data[start : start + half], data[start + half : start + 2 * half]
    return data[:start] + second + first + data[start + 2 * half :]


DAMAGE = {"empty": lambda data: b"", "cut": lambda data: data[:-1], "swapped": swapped}


@pytest.mark.parametrize("damage", DAMAGE)
@pytest.mark.parametrize("array", [*cache.BASES, *cache.SMALL, *cache.TABLES])
def test_a_kept_array_that_is_not_what_was_written_is_made_again(
    ellipsoid_file, own_cache, array, damage
):
    sound = values(cache.open_model(ellipsoid_file, COUNTS))
    path = kept(own_cache) / f"{array}.npy"
    before = path.read_bytes()
    path.write_bytes(DAMAGE[damage](before))
    assert values(cache.open_model(ellipsoid_file, COUNTS)) == sound
    assert path.read_bytes() == before


@pytest.mark.parametrize("name", [cache.RECORD, cache.CHECKSUMS])
@pytest.mark.parametrize("text", ["", "{", "5", "[" * 20_000, '{"shape": 1}'])
def test_a_record_that_is_not_what_was_written_is_made_again(ellipsoid_file, own_cache, name, text):
    sound = values(cache.open_model(ellipsoid_file, COUNTS))
    (kept(own_cache) / name).write_text(text)
    assert values(cache.open_model(ellipsoid_file, COUNTS)) == sound


def test_a_record_that_says_something_else_is_noticed(ellipsoid_file, own_cache):
    sound = cache.open_model(ellipsoid_file, COUNTS)
    path = kept(own_cache) / cache.RECORD
    path.write_text(json.dumps(json.loads(path.read_text()) | {"shape": 2}))
    assert cache.open_model(ellipsoid_file, COUNTS).layout == sound.layout


def test_a_disk_that_is_full_costs_the_sharing_alone(ellipsoid_file, monkeypatch, own_cache):
    sound = values(cache.open_model(ellipsoid_file, COUNTS))
    shutil.rmtree(own_cache)

    def full(*_, **__):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(cache.np, "save", full)
    assert values(cache.open_model(ellipsoid_file, COUNTS)) == sound
    assert not list(own_cache.iterdir())


def test_a_model_that_changed_since_it_was_resolved_is_refused(small_spec):
    spec = small_spec()
    changed = replace(spec, model=replace(spec.model, sha256="0" * 64))
    with pytest.raises(ModelError, match=r"ellipsoid\.h5: changed while it was used"):
        changed.load_model()


def test_a_cache_that_cannot_be_made_gives_way_to_a_private_folder(
    tmp_path, monkeypatch, temporary
):
    (tmp_path / "file").touch()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    assert folders.cache_folder() == temporary
    assert temporary.stat().st_mode & 0o777 == 0o700
    (note,) = folders.cache_notes()
    assert f"{temporary} takes its place; set XDG_CACHE_HOME" in note


def test_a_link_in_place_of_the_private_folder_is_not_trusted(tmp_path, monkeypatch, temporary):
    (tmp_path / "file").touch()
    (tmp_path / "elsewhere").mkdir()
    temporary.symlink_to(tmp_path / "elsewhere")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    assert not list(folders.cache_folders())
    assert "nothing can be kept" in folders.cache_notes()[0]
    with pytest.raises(FacegenError, match="no folder to cache in"):
        folders.cache_folder()


def test_without_a_home_the_models_that_come_along_are_there(monkeypatch, temporary):
    for name in ("HOME", "XDG_CACHE_HOME", "XDG_DATA_HOME"):
        monkeypatch.delenv(name, raising=False)

    def nobody(uid):
        raise KeyError(uid)

    monkeypatch.setattr("pwd.getpwuid", nobody)
    assert catalogue.names() == ["generic", "generic-arkit"]
    assert folders.cache_folder() == temporary
    with pytest.raises(FacegenError, match="no home folder; set HOME"):
        catalogue.imported()


def test_a_usual_cache_is_not_spoken_of(own_cache):
    assert folders.cache_notes() == ()
    assert folders.cache_folder() == own_cache
    assert os.access(own_cache, os.W_OK)
