"""The poster's table: each row gets its steps, and sees of the "real" pictures what it may."""

import json
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

pytest.importorskip("torch")

BENCHMARKS = Path(__file__).resolve().parents[1] / "benchmarks"
ERRORS = {"photometric": 40.0, "geometric": 3.0, "geometric_aligned": 2.5, "iou": 90.0}
ERRORS |= {"rotation": 4.0}


class Commands:
    """Takes the place of facegen: notes the words, leaves the files, counts a network's steps."""

    def __init__(self):
        self.run = []
        self.backgrounds = []
        self.taken = {}

    def __call__(self, *words):
        self.run.append(tuple(map(str, words)))
        if words[0] == "train":
            self.train(list(words))
        errors = {name: {"mean": value} for name, value in ERRORS.items()}
        return json.dumps({"errors": errors})

    def train(self, words):
        out, steps = words[words.index("--out") + 1], words[words.index("--iterations") + 1]
        start = words[words.index("--from") + 1].read_text() if "--from" in words else 0
        done = int(out.read_text()) if out.exists() else int(start)
        out.parent.mkdir(parents=True, exist_ok=True)
        out.write_text(str(int(start) + steps))
        self.taken[out] = int(start) + steps - done

    def of(self, name):
        return [words for words in self.run if words[0] == name]


@pytest.fixture
def poster_table(monkeypatch):
    """The benchmark's own module."""
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    import poster_table

    yield poster_table
    del sys.modules["poster_table"]


@pytest.fixture
def commands(poster_table, monkeypatch):
    found = Commands()
    monkeypatch.setattr(poster_table, "facegen", found)
    monkeypatch.setattr(poster_table, "blind", lambda real: ERRORS)
    monkeypatch.setattr(poster_table, "unpack", lambda tars, folder: found.backgrounds.extend(tars))
    return found


@pytest.fixture
def ran(poster_table, commands, tmp_path):
    """The table at tiny scale over empty shards: what was printed, and where."""
    for split in ("train", "validation", "test"):
        (tmp_path / "real" / f"{split}-000000.tar").parent.mkdir(exist_ok=True)
        (tmp_path / "real" / f"{split}-000000.tar").touch()
    words = [str(tmp_path / "real"), "--scale", "tiny", "--out", str(tmp_path / "out")]
    result = CliRunner().invoke(poster_table.main, words, catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.output, tmp_path / "out"


def test_every_row_is_printed_beside_the_posters(poster_table, ran):
    printed, out = ran
    rows = poster_table.rows_of(poster_table.SCALES["tiny"])
    for name in [poster_table.MEAN, *(row.name for row in rows)]:
        assert f"| {name} | 40.00 | 3.00 | 2.50 | 90.00 | 4.00 |" in printed
    assert "| 34.03, 2.11, 93.96 |" in printed
    assert len(json.loads((out / "table.json").read_text())["rows"]) == len(rows) + 1


def test_every_row_gets_the_same_number_of_steps(poster_table, commands, ran):
    judged = [Path(words[1]) for words in commands.of("evaluate")]
    assert len(judged) == len(poster_table.rows_of(poster_table.SCALES["tiny"]))
    assert {int(net.read_text()) for net in judged} == {poster_table.SCALES["tiny"].iterations}


def test_the_row_without_bootstrapping_goes_on_from_the_shared_start(poster_table, commands, ran):
    scale, folder = poster_table.SCALES["tiny"], ran[1] / "alexnet-model-space-loss-0"
    assert commands.taken[folder / "before.pt"] == scale.before
    assert commands.taken[folder / "net.pt"] == scale.iterations - scale.before


def test_no_row_sees_the_pictures_it_is_judged_on(commands, ran):
    assert {Path(w).name for words in commands.of("estimate") for w in words if ".tar" in w} == {
        "train-000000.tar"
    }
    assert {Path(w).name for words in commands.of("evaluate") for w in words if ".tar" in w} == {
        "test-000000.tar"
    }
    assert not any("real/" in word for words in commands.of("train") for word in words)
    assert [path.name for path in commands.backgrounds] == ["train-000000.tar"]


def test_the_photographs_stand_behind_all_rendered_heads(commands, ran):
    rendered = commands.of("render") + commands.of("bootstrap")
    assert len(rendered) == 5
    for words in rendered:
        assert words[words.index("--backgrounds") + 1] == str(ran[1] / "backgrounds")


def test_a_failed_trial_ends_the_table(poster_table, commands, monkeypatch, tmp_path):
    def fail(trial, start):
        raise ValueError(trial.row.name)

    monkeypatch.setattr(poster_table, "judged", fail)
    monkeypatch.setattr(poster_table, "started", lambda trial: Path())
    words = [str(tmp_path), "--scale", "small", "--out", str(tmp_path / "out"), "--at-once", "1"]
    result = CliRunner().invoke(poster_table.main, words)
    assert isinstance(result.exception, ValueError)
    assert not (tmp_path / "out" / "table.json").exists()


def test_bootstrapping_estimates_with_the_network_of_the_round_before(commands, ran):
    chains = {}
    for words in commands.of("estimate"):
        folder = Path(words[words.index("--out") + 1]).parent
        chains.setdefault(folder, []).append(Path(words[1]))
    start = ran[1] / "alexnet-model-space-loss-0" / "before.pt"
    assert len(chains) == 2
    for folder, nets in chains.items():
        assert nets == [start, folder / "round-1.pt"]


def test_each_bootstrapped_row_has_proposals_of_its_own(commands, ran):
    recipes = [words[words.index("--recipe") + 1] for words in commands.of("bootstrap")]
    assert sorted(recipes) == ["bootstrap"] * 2 + ["bootstrap-wide"] * 2
