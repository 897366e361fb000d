"""Splits, identities and shards: who is where, and never in two splits."""

import numpy as np
import pytest

from facegen.dataset.resolving import default_shard_size, parse_part
from facegen.errors import RecipeError, UsageError
from facegen.recipe.loading import load
from facegen.recipe.plan import identities_of, shards_of, splits_of
from facegen.recipe.recipe import parse
from facegen.sampling.prior import source_of
from facegen.scene.parameters import layout_of

IDENTITIES = {
    "identities": 40,
    "samples_per_identity": 25,
    "splits": {"train": 0.8, "validation": 0.15, "test": 0.05},
}
LAYOUT = layout_of(4, 3, 5)


def changed(**changes):
    return load("inversefacenet").with_changes(changes)


def test_shards_cover_every_sample_once():
    shards = shards_of(changed(splits={"train": 0.9, "validation": 0.1}), 1005, 100)
    covered = np.concatenate([np.arange(s.start, s.stop) for s in shards])
    assert np.array_equal(covered, np.arange(1005))
    assert [s.name for s in shards][-3:] == [
        "train-000009",
        "validation-000000",
        "validation-000001",
    ]


def test_splits_have_their_shares():
    sizes = {s.name: s.stop - s.start for s in splits_of(changed(**IDENTITIES), 1000)}
    assert sizes == {"train": 800, "validation": 150, "test": 50}


def test_no_identity_is_in_two_splits():
    recipe = changed(**IDENTITIES)
    identities = identities_of(recipe, np.arange(1000))
    of_split = [set(identities[s.start : s.stop].tolist()) for s in splits_of(recipe, 1000)]
    assert set().union(*of_split) == set(range(40))
    assert sum(map(len, of_split)) == 40


def test_every_identity_is_seen_equally_often_and_mixed():
    identities = identities_of(changed(**IDENTITIES), np.arange(1000))
    assert np.array_equal(np.bincount(identities), np.full(40, 25))
    train = next(split for split in splits_of(changed(**IDENTITIES), 1000) if split.name == "train")
    assert len(set(identities[train.start : train.start + 32].tolist())) == 32


def test_an_identity_keeps_shape_and_reflectance_and_nothing_else():
    recipe = changed(**IDENTITIES)
    theta = source_of(recipe, LAYOUT).theta(3, np.arange(1000))
    groups = LAYOUT.unpack(theta)
    identities = identities_of(recipe, np.arange(1000))
    same = np.flatnonzero(identities == identities[0])
    for name in ("shape", "reflectance"):
        assert np.ptp(getattr(groups, name)[same], axis=0).max() == 0
        assert len(np.unique(getattr(groups, name)[:, 0])) == 40
    for name in ("rotation", "expression", "illumination"):
        assert len(np.unique(getattr(groups, name).reshape(1000, -1)[:, 0])) > 990


def test_theta_does_not_depend_on_company_or_count():
    source = source_of(changed(**IDENTITIES), LAYOUT)
    some = np.array([999, 3, 500])
    assert np.array_equal(source.theta(3, some), source.theta(3, np.arange(1000))[some])


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"identities": 10}, "'samples_per_identity' is missing"),
        ({"identities": 0, "samples_per_identity": 5}, "at least 1"),
        ({"splits": {"train": 0.5}}, "sum to 0.5"),
        ({"splits": {"train": 1.5, "test": -0.5}}, "positive"),
        ({"splits": {"../x": 1.0}}, "small letters"),
        ({"splits": {}}, "shares"),
    ],
)
def test_what_cannot_be_split_is_refused(changes, message):
    table = {**load("inversefacenet").table, **changes}
    with pytest.raises(RecipeError, match=message):
        parse("test", table)


def test_more_samples_than_the_identities_have_are_refused():
    with pytest.raises(RecipeError, match="fewer than 1,001"):
        splits_of(changed(**IDENTITIES), 1001)


@pytest.mark.parametrize(
    ("text", "part"), [("0:3", (0, 3)), ("7:10", (7, 10)), ("1/3", (0, 3)), ("3/3", (6, 10))]
)
def test_parts_name_shards(text, part):
    assert parse_part(text, 10) == part


@pytest.mark.parametrize("text", ["3:3", "0:11", "0/3", "4/3", "1/0", "x", "-1:2", "1/30"])
def test_parts_that_name_no_shards_are_refused(text):
    with pytest.raises(UsageError, match="--shards"):
        parse_part(text, 10)


def test_parts_cover_every_shard_once():
    parts = [parse_part(f"{k}/7", 100) for k in range(1, 8)]
    assert [i for start, stop in parts for i in range(start, stop)] == list(range(100))


def test_the_default_shard_size_grows_with_the_count():
    assert [default_shard_size(n) for n in (1, 1000, 10**5, 10**6, 10**9)] == [
        100, 100, 500, 5000, 10000,
    ]  # fmt: skip
