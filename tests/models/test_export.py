"""One face as obj, ply and glb: opened again by others' readers."""

import re

import numpy as np
import pygltflib
import pytest
import trimesh
from click.testing import CliRunner

import facegen
from facegen.cli.main import main
from facegen.models import catalogue, export


def call(*options):
    """Run the command in this process."""
    return CliRunner().invoke(main, ["models", "export", *map(str, options)])


def reopened(path):
    """The one mesh of a file, as trimesh reads it."""
    read = trimesh.load(path, process=False)
    return next(iter(read.geometry.values())) if hasattr(read, "geometry") else read


@pytest.mark.parametrize("suffix", ["obj", "ply", "glb"])
def test_the_mean_face_is_opened_by_trimesh(generic, tmp_path, suffix):
    path = tmp_path / f"face.{suffix}"
    assert call("generic", path).exit_code == 0
    mesh = reopened(path)
    scale = 1000 if suffix == "glb" else 1
    assert len(mesh.faces) == len(generic.triangles)
    corners = mesh.vertices[mesh.faces] * scale
    expected = generic.mean_face[generic.triangles]
    if suffix == "obj":  # trimesh sorts what it reads from text.
        corners, expected = np.sort(corners, axis=0), np.sort(expected, axis=0)
    np.testing.assert_allclose(corners, expected, atol=2e-3)
    uv = mesh.visual.uv
    assert uv.shape == (len(mesh.vertices), 2)
    assert np.ptp(uv, axis=0).min() > 0.1


def test_colours_are_those_of_the_skin(generic, tmp_path):
    path = tmp_path / "face.ply"
    call("generic", path)
    data = path.read_bytes()
    start = data.index(b"end_header\n") + len(b"end_header\n")
    fields = [("p", "<f4", 3), ("c", "u1", 3), ("t", "<f4", 2)]
    count = int(data[:start].split(b"element vertex ")[1].split()[0])
    table = np.frombuffer(data, fields, count, start)
    tip = np.linalg.norm(table["p"] - generic.mean_face[generic.landmarks[30]], axis=1).argmin()
    colour = 255 * generic.reflectance.mean[generic.landmarks[30]]
    np.testing.assert_allclose(table["c"][tip], colour, atol=1)


def test_a_glb_has_the_named_expressions_as_morph_targets(arkit, tmp_path):
    path = tmp_path / "face.glb"
    assert call("generic-arkit", path, "--recipe", "arkit", "--index", 3).exit_code == 0
    document = pygltflib.GLTF2().load(str(path))
    mesh = document.meshes[0]
    assert mesh.extras["targetNames"] == list(arkit.expression_names)
    assert len(mesh.primitives[0].targets) == 52
    recipe = facegen.load_recipe("arkit")
    stated = facegen.sample(recipe, arkit, [3]).parameters.expression[0]
    np.testing.assert_allclose(mesh.weights, stated, atol=1e-6)
    assert not document.extensionsRequired


def test_a_sample_is_the_same_face_in_every_format(arkit, tmp_path):
    recipe = facegen.load_recipe("arkit")
    samples = facegen.sample(recipe, arkit, [2], seed=4)
    face = export.face_of(arkit, catalogue.find("generic-arkit"), samples.parameters)
    whole = arkit.geometry.evaluate(samples.parameters.geometry)[0]
    np.testing.assert_allclose(export.posed(face), whole, atol=2e-3)
    assert (
        call(
            "generic-arkit", tmp_path / "a.ply", "--recipe", "arkit", "--seed", 4, "--index", 2
        ).exit_code
        == 0
    )
    np.save(tmp_path / "theta.npy", samples.theta[0])
    assert (
        call(
            "generic-arkit", tmp_path / "b.ply", "--coefficients", tmp_path / "theta.npy"
        ).exit_code
        == 0
    )
    assert (tmp_path / "a.ply").read_bytes() == (tmp_path / "b.ply").read_bytes()


REFUSED = {
    "another suffix": (["face.stl"], "not a file of"),
    "two faces": (
        ["face.obj", "--recipe", "arkit", "--coefficients", "theta.npy"],
        "both name a face",
    ),
    "one face of a whole model": (["face.h5", "--recipe", "inversefacenet"], "the whole model"),
    "theta of another width": (["face.obj", "--coefficients", "theta.npy"], "holds 3 numbers"),
    "a recipe of another model": (["face.obj", "--recipe", "ict"], r"\[expression\] is stated in"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_exported_is_refused_in_one_line(tmp_path, monkeypatch, case):
    monkeypatch.chdir(tmp_path)
    np.save("theta.npy", np.zeros(3, np.float32))
    options, words = REFUSED[case]
    result = call("generic", *options)
    assert result.exit_code != 0
    assert re.search(words, result.output + str(result.stderr))
    assert not (tmp_path / options[0]).exists()
