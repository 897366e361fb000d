"""The command line: options that work, and options that end in one line, an exit code, no file."""

import json
import os
import subprocess
import sys
from pathlib import Path

import click
import pytest
from click.testing import CliRunner
from specs import read_tar

import facegen
from facegen.cli.main import main
from facegen.cli.options import Count

HERE = Path(facegen.__file__).parent.parent


def call(*options):
    """Run the command in this process."""
    return CliRunner().invoke(main, [str(option) for option in options])


def command(*options, cwd, **env):
    """Run the command in a process of its own."""
    program = f"from facegen.cli.main import main; main({[str(option) for option in options]!r})"
    return subprocess.run(
        [sys.executable, "-c", program],
        cwd=cwd,
        env={**os.environ, "PYTHONPATH": str(HERE), **env},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


@pytest.fixture
def render(ellipsoid_file, tmp_path):
    """A function that renders 6 small faces of the small model, unless options say otherwise."""

    def run(*options):
        options = [str(option) for option in options]
        defaults = {"--count": 6, "--size": 32, "--model": ellipsoid_file, "--workers": 1}
        defaults |= {"--device": "cpu", "--out": tmp_path / "out"}
        for flag, value in defaults.items():
            options += [] if flag in options else [flag, str(value)]
        return call("render", *options)

    return run


def check_refused(result, code, *phrases):
    """One line on standard error that holds these phrases, and this exit code."""
    lines = result.stderr.strip().splitlines()
    assert result.exit_code == code, result.stderr
    assert "Traceback" not in result.stderr
    assert len([line for line in lines if line.startswith(("facegen: ", "Error: "))]) == 1
    if code == 1:
        assert lines[-1].startswith("facegen: ")
    for phrase in phrases:
        assert phrase in lines[-1]


def test_render_makes_a_data_set_and_says_where(render, tmp_path):
    result = render("--layers", "mask,landmarks", "--format", "webp", "--seed", 9)
    assert result.exit_code == 0, result.stderr
    assert "6 images" in result.stdout
    assert str(tmp_path / "out" / "preview.jpg") in result.stdout
    assert "Device: " in result.stdout
    samples = read_tar(tmp_path / "out" / "train-000000.tar")
    assert len(samples) == 6
    members = {"webp", "json", "theta.npy", "mask.png", "landmarks.npy"}
    assert all(set(sample) == members for sample in samples.values())
    assert samples["0000000000"]["webp"].shape == (32, 32, 3)
    assert json.loads((tmp_path / "out" / "dataset.json").read_text())["seed"] == 9


def test_rendering_again_says_that_all_is_there(render):
    render()
    assert "All 6 images were there already" in render().stdout


def test_a_recipe_file_is_rendered(render, tmp_path):
    (tmp_path / "mine.toml").write_text('extends = "inversefacenet"\n[image]\nformat = "png"')
    assert render("--recipe", tmp_path / "mine.toml").exit_code == 0
    assert "png" in read_tar(tmp_path / "out" / "train-000000.tar")["0000000000"]


def test_the_command_works_in_a_process_of_its_own(ellipsoid_file, tmp_path):
    options = ["--count", 4, "--size", 32, "--model", ellipsoid_file, "--out", "a/b"]
    result = command("render", *options, "--device", "cpu", cwd=tmp_path)
    assert result.returncode == 0, result.stderr
    assert "image/s" in result.stderr
    assert "4 images" in result.stdout
    assert len(read_tar(tmp_path / "a" / "b" / "train-000000.tar")) == 4


def test_a_checkout_has_a_cli_of_its_own():
    script = Path(__file__).resolve().parents[2] / "cli.py"
    result = subprocess.run(
        [sys.executable, str(script), "--version"], capture_output=True, text=True, check=True
    )
    assert result.stdout == f"facegen, version {facegen.__version__}\n"


def test_version_help_recipes_models():
    assert call("--version").stdout == f"facegen, version {facegen.__version__}\n"
    for name in ([], ["render"], ["recipes"], ["models"], ["doctor"]):
        assert "Usage:" in call(*name, "--help").stdout
    assert "inversefacenet" in call("recipes").stdout
    assert "generic" in call("models").stdout


def test_recipes_show_prints_the_file():
    shown = call("recipes", "show", "inversefacenet").stdout
    assert "low_degrees = -40" in shown
    assert "# " in shown


def test_models_info_says_what_a_model_holds(ellipsoid_file):
    printed = call("models", "info", ellipsoid_file).stdout
    assert "5 shape, 4 expression, 6 reflectance" in printed
    assert "350 dimensions" in call("models", "info", "generic").stdout


def test_doctor_finds_all_well(egl):
    result = call("doctor")
    lines = result.stdout.splitlines()
    marks = {line.split()[1]: line[:2] for line in lines}
    assert {"Python", "packages", "cpu", "egl:0", "model", "disk"} <= set(marks)
    assert all(marks[name] == "ok" for name in ("Python", "packages", "egl:0", "model"))


def test_doctor_says_what_to_do_without_egl(tmp_path):
    result = command("doctor", cwd=tmp_path, __EGL_VENDOR_LIBRARY_DIRS=str(tmp_path))
    line = next(line for line in result.stdout.splitlines() if " EGL " in line)
    assert line.startswith("ok ")
    assert "install the EGL libraries" in line
    assert (result.returncode, result.stderr) == (0, "")


@pytest.mark.parametrize(
    ("text", "number"),
    [("1", 1), ("1000", 1000), ("1k", 1000), ("2.5k", 2500), ("1M", 10**6), ("1G", 10**9),
     ("10g", 10**10), ("0.001k", 1), ("1_000", 1000), (" 5k", None), ("200K", 200_000)],
)  # fmt: skip
def test_counts_take_k_and_m_and_g(text, number):
    if number is None:
        with pytest.raises(click.BadParameter):
            Count().convert(text, None, None)
    else:
        assert Count().convert(text, None, None) == number


@pytest.mark.parametrize(
    "text",
    ["0", "-1", "0.5", "1.2345k", "1e6", "k", "", "ten", "11G", "9" * 5000, "1kk", "nan"],
)
def test_other_counts_are_refused(render, text, tmp_path):
    check_refused(render("--count", text), 2, "--count")
    assert not (tmp_path / "out").exists()


USAGE = [
    (["--size", "8"], ["--size", "size 8 is not between 16 and 2048"]),
    (["--size", "4096"], ["size 4096"]),
    (["--format", "bmp"], ["unknown format 'bmp'", "jpg, png, webp"]),
    (["--quality", "0"], ["quality 0"]),
    (["--size", "abc"], ["--size", "abc"]),
    (["--layers", "mask,deph"], ["unknown layer 'deph'", "did you mean 'depth'"]),
    (["--layers", "parts"], ["unknown layer 'parts'", "now called segmentation"]),
    (["--layers", "correspondence"], ["'correspondence'", "now called pncc"]),
    (["--device", "gpu"], ["unknown device 'gpu'", "known: auto"]),
    (["--device", "egl:-1"], ["unknown device"]),
    (["--workers", "0"], ["--workers"]),
    (["--seed", "-1"], ["--seed"]),
    (["--seed", str(2**63)], ["--seed"]),
    (["--shard-size", "0"], ["--shard-size"]),
    (["--nosuchflag"], ["--nosuchflag"]),
]
WRONG = [
    (["--recipe", "nosuch"], ["recipe nosuch", "no recipe of that name", "facegen recipes"]),
    (["--recipe", "nosuch.toml"], ["nosuch.toml: No such file", "facegen recipes"]),
    (["--model", "nosuch"], ["model nosuch", "generic"]),
    (["--model", "nosuch.h5"], ["nosuch.h5: No such file"]),
    (["--backgrounds", "nosuch"], ["nosuch: is not there", "give a folder of images"]),
    (["--device", "egl:77"], ["egl:77"]),
]


@pytest.mark.parametrize(("options", "phrases"), USAGE, ids=[" ".join(o) for o, _ in USAGE])
def test_wrong_usage_ends_with_exit_code_2(render, tmp_path, options, phrases):
    check_refused(render(*options), 2, *phrases)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(("options", "phrases"), WRONG, ids=[" ".join(o) for o, _ in WRONG])
def test_what_cannot_be_done_ends_with_exit_code_1(render, tmp_path, options, phrases):
    check_refused(render(*options), 1, *phrases)
    assert {path.name for path in tmp_path.glob("out/*")} <= {"dataset.json"}


def test_a_count_is_required(tmp_path):
    check_refused(call("render", "--out", tmp_path / "out"), 2, "--count")


@pytest.mark.parametrize("text", ["[shape]\nsd = -1", "[shape]\nsdd = 1", "shap = 1", "x ="])
def test_a_wrong_recipe_names_the_file(render, tmp_path, text):
    path = tmp_path / "mine.toml"
    path.write_text(f'extends = "inversefacenet"\n{text}')
    check_refused(render("--recipe", path), 1, str(path))
    assert not (tmp_path / "out").exists()


def test_a_file_that_is_no_model_is_named(render, tmp_path):
    (tmp_path / "foreign.h5").write_text("not a model")
    result = render("--model", tmp_path / "foreign.h5")
    check_refused(result, 1, "foreign.h5: not an HDF5 file", "facegen models")


def test_a_recipe_with_the_camera_in_the_head_is_refused(render, tmp_path):
    path = tmp_path / "near.toml"
    path.write_text('extends = "inversefacenet"\n[camera.distance]\nvalue_mm = 10')
    check_refused(render("--recipe", path), 1, "[camera]: distance", "inside the head")


def test_an_unwritable_folder_is_named(render, tmp_path):
    (tmp_path / "file").write_text("")
    check_refused(render("--out", tmp_path / "file" / "out"), 1, "file/out", "another folder")


def test_a_data_set_of_another_seed_is_refused(render, tmp_path):
    render()
    before = (tmp_path / "out" / "train-000000.tar").read_bytes()
    check_refused(render("--seed", 1), 1, "made with another", "use another --out")
    assert (tmp_path / "out" / "train-000000.tar").read_bytes() == before


def test_a_damaged_report_is_named(render, tmp_path):
    render()
    (tmp_path / "out" / "train-000000.json").write_text("{")
    check_refused(render(), 1, "train-000000.json: not a shard report", "remove it")


def test_a_missing_egl_ends_in_one_line(ellipsoid_file, tmp_path):
    options = ["render", "--count", 2, "--size", 32, "--model", ellipsoid_file, "--out", "out"]
    options += ["--device", "egl"]
    result = command(*options, cwd=tmp_path, __EGL_VENDOR_LIBRARY_DIRS=str(tmp_path))
    last = result.stderr.strip().splitlines()[-1]
    assert result.returncode == 1
    assert last.startswith("facegen: device egl:0: no OpenGL")
    assert last.endswith("(Debian: apt-get install libegl1 libgl1 libgl1-mesa-dri)")
    assert "Traceback" not in result.stderr
    assert {p.name for p in (tmp_path / "out").iterdir()} == {"dataset.json"}


@pytest.mark.parametrize("options", [["recipes", "show", "nosuch"], ["models", "info", "nosuch"]])
def test_an_unknown_name_is_refused(options):
    check_refused(call(*options), 1, "nosuch")


def test_an_unknown_command_is_refused():
    check_refused(call("rendr"), 2, "rendr")


def test_a_tilde_is_the_users_home(ellipsoid_file, tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "m.h5").write_bytes(ellipsoid_file.read_bytes())
    (tmp_path / "r.toml").write_text('extends = "inversefacenet"\n')
    words = "render --count=6 --size=32 --workers=1 --device=cpu --model=~/m.h5 --recipe=~/r.toml"
    assert call(*words.split(), "--out=~/faces").exit_code == 0
    assert (tmp_path / "faces" / "README.md").is_file()
    assert call("verify", "~/faces", "--device=cpu", "--model=~/m.h5").exit_code == 0
    assert call("report", "~/faces", "--model=~/m.h5", "--out=~/page.html").exit_code == 0
    assert (tmp_path / "page.html").is_file()
