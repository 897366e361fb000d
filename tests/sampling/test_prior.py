"""theta has exactly the distribution the poster states, and is a pure function of its index."""

from itertools import pairwise

import numpy as np
import pytest
from scipy import stats

from facegen.errors import RecipeError
from facegen.recipe.loading import load
from facegen.sampling.framing import check_camera, draw_background, draw_cameras, draw_colours
from facegen.sampling.prior import draw_theta, prior_of
from facegen.sampling.randomness import Stream, uniforms
from facegen.scene.parameters import layout_of

COUNT = 100_000
LAYOUT = layout_of(128, 64, 128)
RECIPE = load("inversefacenet")
PRIOR = prior_of(RECIPE, LAYOUT)
DEGREE = np.pi / 180

KNOWN = np.float32(
    [
        [0.51951253, -0.041836757, -0.23941411, 0.58370924, -4.249397],
        [4.417155, 0.97909254, 0.74980694, 0.6172751, -0.07441417],
        [-0.12858893, 0.2305257, -0.5970825, -1.6532936, 2.4485483],
        [7.128849, -0.44237924, -0.30852044, 0.852556, -0.10205283],
    ]
).reshape(2, 10)

# What the poster states, by columns of theta: written out here, not read from the recipe.
UNIFORM, NORMAL = stats.uniform, stats.norm
STATED = [
    *[UNIFORM(-40 * DEGREE, 80 * DEGREE)] * 2,
    UNIFORM(-15 * DEGREE, 30 * DEGREE),
    *[NORMAL(0, 1)] * 128,
    UNIFORM(-4.8, 9.6),
    *[UNIFORM(-12, 24)] * 63,
    *[NORMAL(0, 1)] * 128,
    *[UNIFORM(0.6, 0.6)] * 3,
    *[UNIFORM(-0.2, 0.4)] * 24,
]


@pytest.fixture(scope="module")
def drawn():
    """100,000 samples of the default recipe (N, 350)."""
    return draw_theta(PRIOR, 0, np.arange(COUNT))


def rows(*indices, seed=0):
    """theta of these samples."""
    return draw_theta(PRIOR, seed, np.array(indices, np.int64))


def distance(sample, stated):
    """Kolmogorov and Smirnov's: the largest gap between a sample's CDF and the stated one."""
    steps = np.arange(COUNT + 1) / COUNT
    cdf = stated.cdf(np.sort(sample))
    return max((cdf - steps[:-1]).max(), (steps[1:] - cdf).max())


def test_every_dimension_is_stated():
    assert len(STATED) == LAYOUT.width == 350


def test_every_dimension_passes_kolmogorov_smirnov(drawn):
    """At a chance of one in a thousand that any of the 350 fails."""
    largest = stats.kstwobign.isf(1e-3 / len(STATED)) / np.sqrt(COUNT)
    columns = drawn.T.astype(np.float64)
    gaps = [distance(column, stated) for column, stated in zip(columns, STATED, strict=True)]
    assert max(gaps) < largest


def test_the_p_values_of_all_dimensions_are_themselves_uniform(drawn):
    columns = drawn[:, ::7].T.astype(np.float64)
    gaps = [distance(column, stated) for column, stated in zip(columns, STATED[::7], strict=True)]
    assert (
        stats.kstest(stats.kstwobign.sf(np.sqrt(COUNT) * np.array(gaps)), "uniform").pvalue > 0.001
    )


def test_means_lie_within_one_percent_of_a_standard_deviation(drawn):
    """By chance alone one or two of 350 lie past 1 %: so few may, and none past 1.5 %."""
    stated = np.array([(one.mean(), one.std()) for one in STATED])
    off = abs(drawn.mean(axis=0, dtype=np.float64) - stated[:, 0]) / stated[:, 1]
    assert np.count_nonzero(off > 0.01) <= 3
    assert off.max() < 0.015


def test_standard_deviations_lie_within_one_percent(drawn):
    stated = [one.std() for one in STATED]
    np.testing.assert_allclose(drawn.std(axis=0, dtype=np.float64), stated, rtol=0.01)


def test_dimensions_are_not_correlated(drawn):
    correlation = np.corrcoef(drawn, rowvar=False) - np.eye(350)
    assert abs(correlation).max() < 5.5 / np.sqrt(COUNT)
    assert correlation[np.triu_indices(350, 1)].std() == pytest.approx(1 / np.sqrt(COUNT), rel=0.02)


@pytest.mark.parametrize("step", [1, 2, 32])
def test_successive_samples_are_not_correlated(drawn, step):
    ranks = drawn[:, ::10] - drawn[:, ::10].mean(axis=0)
    product = (ranks[step:] * ranks[:-step]).mean(axis=0) / ranks.var(axis=0)
    assert abs(product).max() < 5 / np.sqrt(COUNT)


def test_a_recipes_mixture_has_its_weights_in_every_component():
    parts = [
        {"weight": w, "distribution": "normal", "mean": m, "sd": 0.1}
        for w, m in ((0.6, -5), (0.2, 0), (0.2, 5))
    ]
    shape = {"distribution": "mixture", "components": parts, "coefficients": 8}
    mixed = RECIPE.with_changes({"shape": shape})
    layout = layout_of(8, 0, 0)
    shape = layout.unpack(draw_theta(prior_of(mixed, layout), 1, np.arange(COUNT))).shape
    for column in shape.T:
        counts = [np.sum(column < -2.5), np.sum(abs(column) < 2.5), np.sum(column > 2.5)]
        assert stats.chisquare(counts, COUNT * np.array([0.6, 0.2, 0.2])).pvalue > 1e-3 / 8
    correlation = np.corrcoef(shape, rowvar=False) - np.eye(8)
    assert abs(correlation).max() < 5 / np.sqrt(COUNT)


def test_a_sample_depends_on_its_index_alone(drawn):
    asked = np.array([99_999, 3, 4, 5, 17, 3, 0])
    np.testing.assert_array_equal(rows(*asked), drawn[asked])
    np.testing.assert_array_equal(rows(4711), drawn[[4711]])
    np.testing.assert_array_equal(rows(*range(50, 60)), drawn[50:60])


def test_samples_near_ten_thousand_million_depend_on_their_index_alone():
    last = 10**10 - 1
    together = rows(*range(last - 9, last + 1))
    np.testing.assert_array_equal(rows(last), together[-1:])
    np.testing.assert_array_equal(rows(last, 5, last - 9), [together[-1], rows(5)[0], together[0]])
    assert len(np.unique(together, axis=0)) == 10


def test_no_samples_are_no_rows():
    assert rows().shape == (0, 350)


def test_another_seed_changes_every_number(drawn):
    for seed in (1, 2**62, 2**63 - 1):
        assert np.count_nonzero(rows(0, 1, 2, seed=seed) == drawn[:3]) == 0


def test_another_stream_has_other_bits():
    streams = [uniforms(0, stream, np.arange(100), 8) for stream in Stream]
    for one, other in pairwise([*streams, streams[0]]):
        assert np.count_nonzero(one == other) == 0


def test_no_two_samples_share_bits():
    bits = uniforms(0, Stream.THETA, np.arange(2000), 350)
    assert len(np.unique(bits)) == bits.size


def test_uniforms_stay_below_one_where_every_bit_is_set(monkeypatch):
    class Ones:
        def __init__(self, key, counter):
            pass

        def random_raw(self, count):
            return np.full(count, 2**64 - 1, np.uint64)

    monkeypatch.setattr(np.random, "Philox", Ones)
    assert uniforms(0, Stream.THETA, np.arange(2), 350).max() < 1
    assert np.isfinite(rows(0, 1)).all()


def philox(counter, key):
    """Philox-4x64-10 of Salmon et al. 2011, in whole numbers of Python: one block of four words."""
    mask = 2**64 - 1
    word = [counter >> 64 * i & mask for i in range(4)]
    for _ in range(10):
        a, b = 0xD2E7470EE14C6C93 * word[0], 0xCA5A826395121157 * word[2]
        word = [b >> 64 ^ word[1] ^ key[0], b & mask, a >> 64 ^ word[3] ^ key[1], a & mask]
        key = (key[0] + 0x9E3779B97F4A7C15 & mask, key[1] + 0xBB67AE8584CAA73B & mask)
    return word


def test_the_philox_written_here_gives_its_authors_known_answers():
    digits = philox(0, (0, 0))
    assert [f"{word:016x}" for word in digits[:2]] == ["16554d9eca36314c", "db20fe9d672d0fdc"]


@pytest.mark.parametrize("index", [0, 1, 12_345, 10**10 - 1])
@pytest.mark.parametrize("stream", list(Stream))
def test_the_bits_are_philoxs_at_the_samples_own_counter(index, stream):
    seed, width, blocks = 42, 350, 88
    first = index * blocks + 1
    words = [w for block in range(blocks) for w in philox(first + block, (seed, int(stream)))]
    expected = [((word >> 11) + 0.5) / 2**53 for word in words[:width]]
    np.testing.assert_array_equal(uniforms(seed, stream, np.array([index]), width)[0], expected)


def test_known_answers():
    """A change of NumPy or SciPy that moves a sample shows here."""
    theta = rows(0, 1_000_000, seed=7)
    columns = [0, 2, 3, 130, 131, 194, 195, 322, 323, 349]
    np.testing.assert_array_equal(theta[:, columns], KNOWN)


def test_cameras_and_backgrounds_follow_the_recipe():
    distance_mm, crop = draw_cameras(RECIPE, 0, np.arange(COUNT))
    colours = draw_colours(RECIPE.background, 0, np.arange(COUNT), 2).reshape(COUNT, 6)
    assert (distance_mm == 1000).all()
    assert stats.kstest(crop.scale, UNIFORM(1.35, 0.2).cdf).pvalue > 1e-3
    for column in crop.shift.T:
        assert stats.kstest(column, UNIFORM(-0.04, 0.08).cdf).pvalue > 1e-3
    for column in colours.T:
        assert stats.kstest(column, UNIFORM(0.3, 0.4).cdf).pvalue > 1e-3
    crops = draw_background(RECIPE.background, 0, np.arange(COUNT)).crops
    for column in crops.T:
        assert stats.kstest(column, UNIFORM(0, 1).cdf).pvalue > 1e-3


def test_cameras_and_backgrounds_depend_on_the_index_alone():
    for sample in (
        lambda i: draw_cameras(RECIPE, 0, i)[1].shift,
        lambda i: draw_colours(RECIPE.background, 0, i, 3),
        lambda i: draw_background(RECIPE.background, 0, i).crops,
    ):
        whole = sample(np.arange(50))
        np.testing.assert_array_equal(sample(np.array([49, 7, 8])), whole[[49, 7, 8]])


def test_a_camera_inside_the_head_is_refused():
    near = RECIPE.with_changes({"camera": {"distance": {"value_mm": 100}}})
    with pytest.raises(RecipeError, match="inside the head; raise its lower end"):
        check_camera(near)


def test_an_image_without_a_size_is_refused():
    flat = RECIPE.with_changes({"crop": {"scale": {"low": -0.1}}})
    with pytest.raises(RecipeError, match="zero or below"):
        check_camera(flat)
