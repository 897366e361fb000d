"""The figures of `facegen bench` hang together."""

from facegen.generation import bench
from facegen.generation.timing import STAGES


def test_a_measurement_has_all_figures(small_spec):
    spec = small_spec(count=96, shard_size=16, workers=2, layers="depth")
    figures = bench.measure(spec, 1)
    speeds = (figures.images_per_s, figures.images_per_s_unwritten, figures.floor_images_per_s)
    assert min(speeds) > 0
    assert list(figures.stage_ms) == list(STAGES)
    assert (figures.workers, figures.images, figures.repeats) == (2, 96, 1)
    assert figures.memory_mb >= 0
    table = bench.table(figures, spec)
    assert "ratio to the floor" in table
    assert "64 x 64 png, 96 of" in table
