"""What stands behind the head: put only where nothing is, and chosen by uniforms alone."""

import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from specs import generated, samples_of

import facegen
from facegen.errors import DatasetError, FacegenError
from facegen.rendering.backgrounds import add_background, fill_background, fill_noise, flat
from facegen.rendering.cpu.compositing import put_behind
from facegen.rendering.image_folder import list_images
from facegen.sampling.framing import NODES, Background
from facegen.sampling.scenery import ENVIRONMENT, INTERIOR


@pytest.fixture
def folder(tmp_path):
    """Three images of one colour each, of other sizes and formats, and a file that is none."""
    folder = tmp_path / "images"
    folder.mkdir()
    for name, size, colour in [
        ("a.png", (40, 30), (200, 0, 0)),
        ("b.PNG", (100, 500), (0, 200, 0)),
        ("c.webp", (64, 64), (0, 0, 200)),
    ]:
        options = {"lossless": True} if name.endswith("webp") else {}
        Image.new("RGB", size, colour).save(folder / name, **options)
    (folder / "notes.txt").write_text("no image")
    return folder


def uniforms(count, seed=0):
    return np.random.default_rng(seed).random((count, 4))


def test_a_background_is_put_only_where_nothing_is():
    images = np.full((1, 2, 2, 3), 9, np.uint8)
    mask = np.array([[[255, 0], [0, 255]]], np.uint8)
    put_behind(images, mask, flat(np.array([[1.0, 0.5, 0.0]])))
    behind = [255, 128, 0]
    assert images[0].tolist() == [[[9] * 3, behind], [behind, [9] * 3]]


def test_each_face_has_its_own_colour():
    images, mask = np.zeros((3, 2, 2, 3), np.uint8), np.zeros((3, 2, 2), np.uint8)
    colours = np.array([[0.0] * 3, [0.2] * 3, [1.0] * 3])
    put_behind(images, mask, flat(colours))
    assert images[:, 1, 1, 0].tolist() == [0, 51, 255]


@pytest.mark.parametrize("pictures", [False, True])
def test_what_is_behind_lenses_is_added_to_what_they_reflect(tmp_path, pictures):
    Image.new("RGB", (40, 40), (200, 90, 30)).save(tmp_path / "a.png")
    folder = list_images(tmp_path) if pictures else None
    natural = facegen.load_recipe("natural").with_changes({"image": {"size": 16}})
    samples = facegen.sample(natural, facegen.load_model("generic"), range(12), seed=1)
    background = samples.background
    assert set(background.scenery.kind) >= {INTERIOR, ENVIRONMENT}
    covered = np.zeros((12, 16, 16), np.uint8)
    covered[:, :8] = 255
    plain, reflecting = np.zeros((2, 12, 16, 16, 3), np.float32)
    reflecting += np.float32(0.5)
    for radiance in (plain, reflecting):
        add_background(radiance, covered, background, folder)
    np.testing.assert_allclose(reflecting, plain + np.float32(0.5), atol=1e-6)
    assert plain[:, :8].max() == 0 < plain[:, 8:].min(axis=(1, 2, 3)).max()


def test_the_images_of_a_folder_are_found_in_the_order_of_their_names(folder):
    assert [path.name for path in list_images(folder).files] == [
        "a.png",
        "b.PNG",
        "c.webp",
    ]


def test_the_first_uniform_chooses_the_image(folder):
    images = list_images(folder)
    rows = np.array([[0, 0.5, 0.5, 0.5], [0.5, 0, 0, 0], [0.999999, 0.9, 0.9, 0.9]])
    crops = images.crops(rows, 16)
    assert crops.shape == (3, 16, 16, 3)
    assert crops[:, 8, 8].tolist() == [[200, 0, 0], [0, 200, 0], [0, 0, 200]]


def test_a_crop_is_a_function_of_its_uniforms_alone(tmp_path):
    pixels = np.random.default_rng(1).integers(0, 255, (90, 120, 3)).astype(np.uint8)
    Image.fromarray(pixels).save(tmp_path / "noise.png")
    images = list_images(tmp_path)
    rows = uniforms(10)
    whole = images.crops(rows, 24)
    np.testing.assert_array_equal(images.crops(rows[[7, 2]], 24), whole[[7, 2]])
    assert len({crop.tobytes() for crop in whole}) == 10


def test_a_crop_is_a_square_of_half_to_all_of_the_shorter_side(tmp_path):
    """Each pixel of the image holds its own place, so that a crop says where it is from."""
    v, u = np.mgrid[:100, :200]
    Image.fromarray(np.stack([u, v, 0 * u], -1).astype(np.uint8)).save(tmp_path / "place.png")
    images = list_images(tmp_path)
    for row in uniforms(30, seed=2):
        crop = images.crops(row[None], 50)[0].astype(int)
        width = (crop[25, -1, 0] - crop[25, 0, 0]) * 50 / 49
        height = (crop[-1, 25, 1] - crop[0, 25, 1]) * 50 / 49
        assert width == pytest.approx(height, abs=2)
        assert 48 <= width <= 102


def test_all_of_an_image_is_used(tmp_path):
    v, u = np.mgrid[:60, :60]
    Image.fromarray(np.stack([u, v, 0 * u], -1).astype(np.uint8)).save(tmp_path / "place.png")
    crops = list_images(tmp_path).crops(uniforms(300), 60)
    assert crops[..., 0].min() == 0
    assert crops[..., 0].max() == 59
    assert crops[..., 1].max() == 59


def test_the_fingerprint_follows_the_folders_content(folder):
    before = list_images(folder).fingerprint
    assert list_images(folder).fingerprint == before
    Image.new("RGB", (50, 50)).save(folder / "d.png")
    assert list_images(folder).fingerprint != before


def test_a_picture_of_the_same_name_and_size_is_another(tmp_path):
    for colour in (20, 230):
        pixels = np.full((64, 64, 3), colour, np.uint8)
        Image.fromarray(pixels).save(tmp_path / "wall.png", compress_level=0)
        size = (tmp_path / "wall.png").stat().st_size
        os.utime(tmp_path / "wall.png", (1, 1))
        seen = list_images(tmp_path).fingerprint
        if colour == 20:
            before = seen, size
    assert size == before[1]
    assert seen != before[0]


def test_a_picture_that_changes_under_a_run_is_refused(folder):
    images = list_images(folder)
    Image.new("RGB", (40, 30)).save(folder / "a.png")
    with pytest.raises(FacegenError, match=r"a\.png: changed while it was used"):
        images.crops(np.zeros((1, 4)), 16)


def test_a_data_set_is_not_continued_with_other_pictures(small_spec, folder):
    spec = generated(small_spec(backgrounds=folder))
    (Path(spec.out) / "train-000002.json").unlink()
    Image.new("RGB", (40, 30), (1, 2, 3)).save(folder / "a.png")
    with pytest.raises(DatasetError, match="made with another recipe"):
        generated(small_spec(backgrounds=folder))


def test_pictures_lie_in_subfolders_too(folder):
    (folder / "more").mkdir()
    Image.new("RGB", (40, 30)).save(folder / "more" / "b.tif")
    images = list_images(folder)
    assert [path.name for path in images.files] == ["a.png", "b.PNG", "c.webp", "b.tif"]
    assert images.note == (
        "--backgrounds: 1 files passed over, which are no pictures by name: 1 .txt"
    )


@pytest.mark.parametrize("orientation", [1, 6])
def test_a_turned_jpeg_is_cropped_upright(tmp_path, orientation):
    """The left half of the upright picture is red; a crop of its left shows no green."""
    upright = np.zeros((400, 200, 3), np.uint8)
    upright[:, :100, 0], upright[:, 100:, 1] = 255, 255
    exif = Image.Exif()
    exif[274] = orientation
    stored = np.rot90(upright) if orientation == 6 else upright
    Image.fromarray(np.ascontiguousarray(stored)).save(tmp_path / "a.jpg", exif=exif)
    crop = list_images(tmp_path).crops(np.array([[0, 0, 0, 0.5]]), 16)[0]
    assert crop[..., 0].min() > 200
    assert crop[..., 1].max() < 60


def test_a_broken_image_is_named_in_one_line(folder):
    (folder / "a.png").write_bytes(b"not an image")
    with pytest.raises(FacegenError, match=r"a\.png: not an image.*; remove it") as caught:
        list_images(folder).crops(np.zeros((1, 4)), 16)
    assert "\n" not in str(caught.value)


def test_an_image_cut_short_is_named(folder):
    noise = np.random.default_rng(0).integers(0, 255, (80, 80, 3)).astype(np.uint8)
    Image.fromarray(noise).save(folder / "a.png")
    (folder / "a.png").write_bytes((folder / "a.png").read_bytes()[:9000])
    with pytest.raises(FacegenError, match=r"a\.png: unreadable image"):
        list_images(folder).crops(np.zeros((1, 4)), 16)


def test_a_folder_without_images_is_refused(tmp_path):
    with pytest.raises(FacegenError, match=r"holds no images by name.*give a folder"):
        list_images(tmp_path)


@pytest.mark.parametrize("name", ["nothere", "file"])
def test_what_is_no_folder_is_refused(tmp_path, name):
    (tmp_path / "file").write_text("")
    with pytest.raises(FacegenError, match=f"{name}: .*give a folder of images"):
        list_images(tmp_path / name)


def test_images_stand_behind_the_faces_of_a_data_set(small_spec, folder):
    spec = generated(small_spec(backgrounds=folder, layers="mask"))
    for sample in samples_of(spec):
        behind = sample["png"][sample["mask.png"] == 0]
        assert len(np.unique(behind, axis=0)) == 1
        assert sorted(behind[0].tolist()) == [0, 0, 200]


def test_noise_is_smooth_covers_only_what_is_empty_and_stays_within_its_colours():
    colours = np.random.default_rng(0).uniform(0.2, 0.6, (2, NODES["noise"], 3))
    images, mask = np.full((2, 96, 96, 3), 7, np.uint8), np.zeros((2, 96, 96), np.uint8)
    mask[:, 40:50] = 255
    fill_noise(images, mask, colours)
    assert (images[:, 40:50] == 7).all()
    upper = images[:, :40].astype(int)
    assert upper.min() >= 50
    assert upper.max() <= 154
    assert abs(np.diff(upper, axis=2)).max() < 12
    assert upper.std() > 5


@pytest.mark.parametrize(("kind", "shades"), [("off", 1), ("colour", 1), ("noise", 100)])
def test_the_number_of_nodes_says_what_stands_behind(kind, shades):
    colours = np.random.default_rng(3).uniform(0.2, 0.8, (1, NODES[kind], 3))
    images, mask = np.zeros((1, 64, 64, 3), np.uint8), np.zeros((1, 64, 64), np.uint8)
    fill_background(images, mask, Background(colours, uniforms(1)), None)
    assert len(np.unique(images.reshape(-1, 3), axis=0)) >= shades
    assert images.any() == (kind != "off")


def test_noise_of_one_colour_is_that_colour():
    images, mask = np.zeros((1, 16, 16, 3), np.uint8), np.zeros((1, 16, 16), np.uint8)
    fill_noise(images, mask, np.full((1, NODES["noise"], 3), 0.5))
    assert abs(images.astype(int) - 127.5).max() <= 0.5
