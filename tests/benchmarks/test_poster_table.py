"""The poster's table: each row gets its steps, and sees of the photographs what it may."""

import json
import sys
from dataclasses import replace
from pathlib import Path

import pytest

pytest.importorskip("torch")

BENCHMARKS = Path(__file__).resolve().parents[2] / "benchmarks"
ERRORS = {"photometric": 40.0, "geometric": 3.0, "face_similar": 2.5, "iou": 90.0}
ERRORS |= {"rotation": 4.0}


class Commands:
    """Takes the place of facegen: notes the options, leaves the files, counts a network's steps."""

    def __init__(self):
        self.calls = []
        self.backgrounds = []
        self.steps = {}

    def __call__(self, *options):
        self.calls.append(tuple(map(str, options)))
        if options[0] == "train":
            self.train(list(options))
        errors = {name: {"mean": value} for name, value in ERRORS.items()}
        return json.dumps({"errors": errors})

    def train(self, options):
        out, steps = (options[options.index(name) + 1] for name in ("--out", "--iterations"))
        start = options[options.index("--from") + 1].read_text() if "--from" in options else 0
        before = int(out.read_text()) if out.exists() else int(start)
        out.parent.mkdir(parents=True, exist_ok=True)
        out.write_text(str(int(start) + steps))
        self.steps[out] = int(start) + steps - before

    def unpack(self, tars, folder):
        self.backgrounds += tars

    def of(self, name):
        return [call for call in self.calls if call[0] == name]


@pytest.fixture
def poster_table(monkeypatch):
    """The benchmark's own module."""
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    import poster_table

    yield poster_table
    for name in ("poster_table", "poster_trials"):
        del sys.modules[name]


@pytest.fixture
def commands():
    return Commands()


@pytest.fixture
def task(poster_table, commands, tmp_path):
    """The table at tiny scale over empty shards."""
    real, out = tmp_path / "real", tmp_path / "out"
    for folder in (real, out):
        folder.mkdir()
    for split in ("train", "validation", "test"):
        (real / f"{split}-000000.tar").touch()
    scale = poster_table.SCALES["tiny"]
    return poster_table.Task(scale, real, out, commands, lambda real: ERRORS, commands.unpack)


@pytest.fixture
def figures(poster_table, task):
    """What was measured."""
    return poster_table.measured(task, 2)


def test_every_row_is_printed_beside_the_posters(poster_table, task, figures):
    printed = poster_table.table(figures)
    rows = poster_table.rows_of(task.scale)
    for name in [poster_table.MEAN, *(row.name for row in rows)]:
        assert f"| {name} | 40.00 | 3.00 | 2.50 | 90.00 | 4.00 |" in printed
    assert "| 34.03, 2.11, 93.96 |" in printed
    assert len(json.loads((task.out / "table.json").read_text())["rows"]) == len(rows) + 1


def test_every_row_gets_the_same_number_of_steps(poster_table, commands, task, figures):
    nets = [Path(call[1]) for call in commands.of("evaluate")]
    assert len(nets) == len(poster_table.rows_of(task.scale))
    steps = {way.name: way.steps.all for way in task.scale.ways}
    for net in nets:
        assert int(net.read_text()) == steps[net.parent.name.partition("-")[0]]


def test_the_row_without_bootstrapping_continues_from_the_shared_start(commands, task, figures):
    steps, folder = task.scale.ways[0].steps, task.out / "paper-model-space-loss-0"
    assert commands.steps[folder / "before.pt"] == steps.before
    assert commands.steps[folder / "net.pt"] == steps.all - steps.before


def tars(calls):
    """The shards that calls name."""
    return {Path(option).name for call in calls for option in call if ".tar" in option}


def test_no_row_sees_the_photographs_it_is_judged_on(commands, figures):
    assert tars(commands.of("estimate")) == {"train-000000.tar"}
    assert tars(commands.of("evaluate")) == {"test-000000.tar"}
    labelled = [call for call in commands.of("train") if any("real/" in one for one in call)]
    assert [Path(call[call.index("--out") + 1]).parent.name for call in labelled] == [
        "natural-labels-of-the-photographs-0"
    ]
    assert tars(labelled) == {"train-000000.tar"}
    assert [path.name for path in commands.backgrounds] == ["train-000000.tar"]


def test_the_photographs_stand_behind_all_rendered_heads(commands, task, figures):
    rendered = commands.of("render") + commands.of("bootstrap")
    assert len(rendered) == 2 + 2 * 2 + 2 * 2
    for call in rendered:
        assert call[call.index("--backgrounds") + 1] == str(task.out / "backgrounds")


def test_a_failed_trial_ends_the_table(poster_table, commands, task):
    def failing(*options):
        if options[0] == "evaluate":
            raise ValueError(options[1])
        return commands(*options)

    with pytest.raises(ValueError, match=r"net\.pt|round"):
        poster_table.measured(replace(task, facegen=failing), 1)
    assert not (task.out / "table.json").exists()


def test_bootstrapping_estimates_with_the_network_of_the_round_before(commands, task, figures):
    chains = {}
    for call in commands.of("estimate"):
        folder = Path(call[call.index("--out") + 1]).parent
        chains.setdefault(folder, []).append(Path(call[1]))
    assert len(chains) == 6
    for folder, nets in chains.items():
        way = folder.name.partition("-")[0]
        start = task.out / f"{way}-model-space-loss-0" / "before.pt"
        assert nets == [start, folder / "round-1.pt"][: 2 if way == "paper" else 1]


def test_each_bootstrapped_row_has_a_perturbation_of_its_own(commands, figures):
    recipes = [call[call.index("--recipe") + 1] for call in commands.of("bootstrap")]
    wide, natural = ["bootstrap-wide"] * 2, ["bootstrap-natural"] * 2
    assert sorted(recipes) == sorted(["bootstrap"] * 4 + wide + natural)
    adaptive = [call for call in commands.of("bootstrap") if "--adaptive" in call]
    assert sorted(call[call.index("--recipe") + 1] for call in adaptive) == [
        "bootstrap",
        "bootstrap-natural",
    ]
