"""Images found in folders, lists and shards."""

import os

import pytest
from specs import folder

from facegen.errors import FacegenError, UsageError
from facegen.learning import images


def test_images_are_found_in_folders_lists_files_and_shards(masked, photographs, tmp_path):
    (tmp_path / "list.txt").write_text("# mine\nphotographs/a.png\n\nphotographs/c.png\n")
    find = images.find_images
    assert [image.key for image in find([photographs], print)] == ["a.png", "c.png", "more/b.png"]
    listed = ["photographs/a.png", "photographs/c.png"]
    assert [image.key for image in find([tmp_path / "list.txt"], print)] == listed
    assert [image.key for image in find([photographs / "a.png"], print)] == ["a.png"]
    shard = folder(masked) / "train-000001.tar"
    assert [int(image.key) for image in find([shard], print)] == list(range(10, 20))
    assert all(image.cropped for image in find([shard], print))
    assert not any(image.cropped for image in find([photographs], print))
    with pytest.raises(UsageError, match="second image"):
        list(find([photographs, photographs / "a.png"], print))


def test_what_is_passed_over_is_told(photographs):
    (photographs / "notes.txt").write_text("")
    told = []
    assert len(list(images.find_images([photographs], told.append))) == 3
    assert told == [f"{photographs}: 1 files passed over, which are no pictures by name: 1 .txt"]


@pytest.mark.parametrize(
    "encode",
    [
        lambda text: text.encode(),
        lambda text: b"\xef\xbb\xbf" + text.encode(),
        lambda text: text.encode("utf-16"),
        lambda text: text.replace("\n", "\r\n").replace("/", "\\").encode(),
    ],
)
def test_lists_are_read_as_windows_writes_them(photographs, encode):
    (photographs / "list.txt").write_bytes(encode("# mine\nmore/b.png\na.png\n"))
    found = list(images.find_images([photographs / "list.txt"], print))
    assert [image.key.replace("\\", "/") for image in found] == ["more/b.png", "a.png"]
    assert all(image.read() for image in found)


def test_a_list_may_name_files_by_bytes_that_are_no_text(photographs):
    name = os.fsdecode(b"M\xfcller.png")
    (photographs / "a.png").rename(photographs / name)
    (photographs / "list.txt").write_bytes(b"M\xfcller.png\n")
    (image,) = images.find_images([photographs / "list.txt"], print)
    assert image.key == r"M\xfcller.png"
    assert image.read()


@pytest.mark.parametrize("line", [b"a\0b.png", b"x" * 5000, b"gone.png"])
def test_a_line_that_names_no_file_is_an_error_of_one_line(photographs, line):
    (photographs / "list.txt").write_bytes(line + b"\n")
    (image,) = images.find_images([photographs / "list.txt"], print)
    with pytest.raises(FacegenError):
        image.read()
