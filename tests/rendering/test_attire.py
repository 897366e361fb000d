"""What people wear: two renderers alike, hands before faces, pieces moved onto another face."""

import itertools
from dataclasses import replace

import numpy as np
import pytest
import synthetic

import facegen
from facegen.imaging.faces import dresser_of, scene_of
from facegen.models.attire import CLEAR, library_path, read_library
from facegen.models.morphable_model import SEGMENTS
from facegen.models.wardrobe import fit_wardrobe
from facegen.rendering.contract import RenderSettings
from facegen.rendering.cpu.occlusion import transfer_of
from facegen.rendering.devices import open_renderer
from facegen.sampling.attire import HAND
from facegen.scene.alignment import similarity

SIZE, COUNT = 96, 8
SETTINGS = RenderSettings(SIZE, frozenset({"depth", "segmentation"}), "srgb")
SIDES = ("Left", "Right")
NEAR_MM, LEVELS = 0.1, 2 / 255
SCALE, SHIFT = 1.1, np.array([7.0, -12.0, 20.0])


def constant(value, unit=""):
    """The table of a constant distribution."""
    return {"distribution": "constant", f"value{unit}": value}


CAMERAS = {
    "natural": {},
    "near, barrel": {"distance": constant(320, "_mm"), "distortion": constant(-0.15)},
    "near, pincushion": {"distance": constant(320, "_mm"), "distortion": constant(0.15)},
}


@pytest.fixture(scope="module")
def natural():
    return facegen.load_recipe("natural").with_changes({"image": {"size": SIZE}})


@pytest.fixture(scope="module")
def suited(natural, generic):
    """The generic model with as many coefficients as natural draws."""
    counts = natural.coefficients
    return generic.truncated(counts.shape, counts.expression, counts.reflectance)


@pytest.fixture(scope="module")
def dresser(suited):
    return dresser_of(True, suited)


@pytest.fixture(scope="module")
def library():
    return read_library(library_path())


@pytest.fixture(scope="module")
def renderers(egl, suited):
    opened = [open_renderer(device, suited, SETTINGS) for device in ("cpu", "egl")]
    yield opened
    for renderer in opened:
        renderer.close()


def frames_of(renderer, scene):
    """A renderer's frames of a scene, kept: by name, with mask and covered."""
    frames = renderer.render(scene)
    layers = {"mask": frames.mask, "covered": frames.covered, **frames.layers}
    return {name: layer.copy() for name, layer in layers.items()}


@pytest.mark.parametrize("camera", CAMERAS.values(), ids=CAMERAS)
def test_renderers_agree_on_what_is_worn(renderers, natural, generic, dresser, camera):
    recipe = natural.with_changes({"camera": camera})
    samples = facegen.sample(recipe, generic, range(COUNT), seed=8)
    a, b = (frames_of(renderer, scene_of(samples, dresser)) for renderer in renderers)
    assert (a["covered"] != b["covered"]).mean() < 0.0005
    both = (a["covered"] > 0) & (b["covered"] > 0)
    skin = (a["mask"] > 0) & (b["mask"] > 0)
    worn = both & (a["mask"] == 0) & (b["mask"] == 0)
    assert min(skin.sum(), worn.sum()) > 10_000
    assert (a["segmentation"] != b["segmentation"])[both].mean() < 0.002
    assert (abs(a["depth"] - b["depth"]) > NEAR_MM)[both].mean() < 0.004
    off = abs(a["radiance"] - b["radiance"]).max(axis=-1)
    assert (off[skin] > LEVELS).mean() < 0.001
    assert (off[worn] > LEVELS).mean() < 0.004


def without_lenses(scene):
    """The scene with its clear lenses taken out."""
    corners = scene.attire.triangles.copy()
    corners[scene.attire.material == CLEAR] = 0
    return replace(scene, attire=scene.attire._replace(triangles=corners))


def test_clear_lenses_reflect_and_hide_nothing(renderers, natural, generic, dresser):
    often = dict.fromkeys(natural.table["attire"], 0.0) | {"glasses": 1.0}
    samples = facegen.sample(
        natural.with_changes({"attire": often}), generic, range(2 * COUNT), seed=3
    )
    scene = scene_of(samples, dresser)
    for renderer in renderers:
        glazed, open_ = (frames_of(renderer, one) for one in (scene, without_lenses(scene)))
        for name in ("mask", "covered", "depth", "segmentation"):
            np.testing.assert_array_equal(glazed[name], open_[name])
        added = (glazed["radiance"] - open_["radiance"]).mean(axis=-1)
        assert added.min() > -1e-6
        assert (added > 0.001).sum(axis=(1, 2)).mean() > 100
    a, b = (frames_of(renderer, scene)["radiance"] for renderer in renderers)
    both = (glazed["covered"] > 0) & (added > 0.001)
    assert (abs(a - b).max(axis=-1)[both] > LEVELS).mean() < 0.01


def test_the_order_of_lenses_is_nothing(renderers, natural, generic, dresser):
    worn = dict.fromkeys(natural.table["attire"], 0.0) | {"glasses": 1.0}
    aside = {"rotation": {"yaw": constant(80.0, "_degrees")}}
    recipe = natural.with_changes({"attire": worn, **aside})
    scene = scene_of(facegen.sample(recipe, generic, range(2 * COUNT), seed=3), dresser)
    clear = np.flatnonzero(scene.attire.material == CLEAR)
    starts = np.searchsorted(clear, scene.attire.triangle_start)
    parts = [clear[a:b][::-1] for a, b in itertools.pairwise(starts)]
    corners, backwards = scene.attire.triangles, np.concatenate(parts)
    turned = corners.copy()
    turned[clear] = corners[backwards]
    other = replace(scene, attire=scene.attire._replace(triangles=turned))
    for renderer in renderers:
        a, b = (frames_of(renderer, one)["radiance"] for one in (scene, other))
        assert abs(a - b).max() < LEVELS


@pytest.mark.parametrize("device", ["cpu", "egl"])
def test_occlusion_and_highlights_are_shares(device, egl, natural, generic):
    layers = ("radiance", "shading", "specular")
    shown = {}
    for occlusion, highlights in ((1, 1), (0.5, 0.5), (0, 0)):
        changes = {"image": {"occlusion": float(occlusion), "highlights": float(highlights)}}
        samples = facegen.sample(natural.with_changes(changes), generic, range(4), seed=8)
        shown[occlusion] = facegen.render(samples, generic, (*layers, "albedo"), device).layers
    plain, half, whole = shown[0], shown[0.5], shown[1]
    assert plain["specular"].max() == 0
    assert whole["specular"].mean() > 0.004
    darker = [(plain["shading"] - one["shading"]).mean() for one in (half, whole)]
    assert 0.001 < darker[0] < darker[1]
    np.testing.assert_allclose(2 * darker[0], darker[1], rtol=0.15)
    np.testing.assert_allclose(2 * half["specular"].mean(), whole["specular"].mean(), rtol=0.1)


def test_a_smile_shows_bright_teeth(natural, generic):
    """Behind closed lips no light reaches them: they are lit as between parted ones."""
    smiling = {f"mouth{move}{side}": 1.0 for move in ("Smile", "UpperUp") for side in SIDES}
    units = {"neutral": 0.0, "often": smiling, "weight": constant(1.0)}
    ahead = {name: constant(0.0, "_degrees") for name in ("pitch", "yaw", "roll")}
    bare = dict.fromkeys(natural.table["attire"], 0.0)
    recipe = natural.with_changes({"face_units": units, "rotation": ahead, "attire": bare})
    samples = facegen.sample(recipe, generic, range(6), seed=2)
    layers = facegen.render(samples, generic, ["shading", "segmentation"], "cpu").layers
    light, labels = layers["shading"].mean(axis=3), layers["segmentation"]
    teeth, skin = (labels == SEGMENTS.index(name) for name in ("teeth", "skin"))
    assert teeth.sum() > 100
    assert np.median(light[teeth]) > 0.5 * np.median(light[skin])


def test_teeth_of_named_expressions_are_lit_alike(generic):
    named = facegen.load_model("generic-arkit")
    teeth = np.isin(generic.segmentation, SEGMENTS.index("teeth"))
    kept, other = transfer_of(generic)[teeth], transfer_of(named)[teeth]
    assert np.abs(kept - other).mean() < 0.02 * np.abs(kept).mean()


def test_a_hand_before_a_face_hides_landmarks(natural, generic, suited):
    often = dict.fromkeys(natural.table["attire"], 0.0) | {"hand": 1.0}
    ahead = {"rotation": {name: constant(0.0, "_degrees") for name in ("pitch", "yaw", "roll")}}
    recipe = natural.with_changes({"attire": often, **ahead})
    samples = facegen.sample(recipe, generic, range(COUNT), seed=8)
    bare = replace(samples, attire=None)
    layers = ["landmarks", "segmentation"]
    held, free = (facegen.render(one, generic, layers, "cpu").layers for one in (samples, bare))
    seen, open_ = (one["landmarks"][..., 2] > 0 for one in (held, free))
    np.testing.assert_array_equal(held["landmarks"][..., :2], free["landmarks"][..., :2])
    assert not (seen & ~open_).any()
    hidden = open_ & ~seen
    assert (hidden.sum(axis=1) > 3).sum() >= COUNT // 4
    at = held["landmarks"][..., :2].astype(int).clip(0, SIZE - 1)
    labels = held["segmentation"][np.arange(COUNT)[:, None], at[..., 1], at[..., 0]]
    assert (labels[hidden] >= len(SEGMENTS)).mean() > 0.9
    assert (labels[seen & open_] < len(SEGMENTS)).mean() > 0.9
    assert (samples.attire.pieces[:, HAND] >= 0).all()


def moved(model, scale, shift):
    """The model's mean face, expression and all, scaled and shifted."""
    face, smile = model.shape, model.expression
    face = replace(face, mean=(scale * face.mean + shift).astype(np.float32))
    smile = replace(smile, mean=(scale * smile.mean).astype(np.float32))
    return replace(model, shape=face, expression=smile)


def test_pieces_move_as_the_landmarks_do(suited, library):
    here, there = (fit_wardrobe(library, m) for m in (suited, moved(suited, SCALE, SHIFT)))
    free = np.array([piece.binding == "free" for piece in library.pieces])
    held = np.repeat(free, np.diff(here.pieces.vertex_start))
    a, b = here.pieces.points, there.pieces.points
    np.testing.assert_array_equal(a[held], b[held])
    np.testing.assert_allclose(SCALE * a[~held] + SHIFT, b[~held], atol=0.5)
    np.testing.assert_allclose(SCALE * here.neck + SHIFT, there.neck, atol=0.5)


def test_pieces_are_fitted_to_a_face_that_is_quite_another(library, ellipsoid):
    wardrobe = fit_wardrobe(library, ellipsoid)
    pieces = wardrobe.pieces
    target = ellipsoid.mean_face[ellipsoid.landmarks]
    fit = similarity(library.landmarks.astype(np.float64), target.astype(np.float64))
    far = [piece.binding == "body" for piece in library.pieces]
    worn = np.repeat(far, np.diff(pieces.vertex_start))
    source = np.concatenate([piece.points for piece in library.pieces])
    off = np.linalg.norm(pieces.points - fit.apply(source.astype(np.float64)), axis=1)
    residual = np.linalg.norm(target - fit.apply(library.landmarks.astype(np.float64)), axis=1)
    assert off[worn].max() < residual.max()
    assert all(np.isfinite(array).all() for array in pieces)
    np.testing.assert_allclose(pieces.weight.sum(axis=1), 1, atol=1e-5)
    assert pieces.near.max() < len(wardrobe.anchors.mean)


def test_attire_is_worn_by_any_model(natural):
    model = synthetic.model()
    table = natural.with_changes({"rotation": dict.fromkeys(("yaw",), constant(0.0, "_degrees"))})
    table = {key: value for key, value in table.table.items() if key != "face_units"}
    samples = facegen.sample(natural.with_table(table), model, range(2))
    faces = facegen.render(samples, model, ["segmentation"], "cpu")
    assert (faces.layers["segmentation"] >= len(SEGMENTS)).any()
