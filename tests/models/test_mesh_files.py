"""OBJ and PLY as people's tools write them: read exactly, in the file's order."""

import struct

import foreign_models as write
import numpy as np
import pytest

from facegen.errors import ModelError
from facegen.models.importers import importing
from facegen.models.importers.obj import read_obj
from facegen.models.importers.ply import read_ply

TRUTH = write.truth()
SQUARE = np.array([[0, 0, 0], [1, 0, 0], [1, 1, 0], [0, 1, 0]], float)
V = "v 0 0 0\nv 1 0 0\nv 1 1 0\nv 0 1 0\n"
TWO = [[0, 1, 2], [0, 2, 3]]


def obj(tmp_path, text):
    path = tmp_path / "m.obj"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return read_obj(path)


FACES = {
    "a quad is a fan": (V + "f 1 2 3 4\n", TWO),
    "numbers of texture and normal": (V + "f 1/1/1 2//2 3/1 4\n", TWO),
    "counted back from the end": (V + "f -4 -3 -2\nf -4 -2 -1\n", TWO),
    "counted back from where the face stands": (
        "v 0 0 0\nv 1 0 0\nv 1 1 0\nf -3 -2 -1\nv 0 1 0\nf -4 -2 -1\n",
        TWO,
    ),
    "tabs and indents": (V.replace(" ", "\t") + "\tf\t1 2\t3\n  f 1 3 4  \n", TWO),
    "a continued line": (V + "f 1 2 \\\n3\nf 1 \\\r\n 3 4\n", TWO),
    "comments after faces": (V + "f 1 2 3 # one\nf 1 3 4 #two\n", TWO),
    "lines of Windows": ((V + "f 1 2 3\nf 1 3 4\n").replace("\n", "\r\n"), TWO),
    "lines of old Macs": ((V + "f 1 2 3\nf 1 3 4\n").replace("\n", "\r"), TWO),
    "materials that alternate": (
        V + "usemtl a\nf 1 2 3\nusemtl b\nf 1 3 4\nusemtl a\nf 2 3 4\n",
        [*TWO, [1, 2, 3]],
    ),
    "triangles among quads": (V + "f 2 3 4\nf 1 2 3 4\nf 1 2 4\n", [[1, 2, 3], *TWO, [0, 1, 3]]),
    "lines and points beside": (V + "l 1 2\np 1\nf 1 2 3 4\n", TWO),
    "a face before the vertices of a later object": (
        "v 0 0 0\nv 1 0 0\nv 1 1 0\nv 0 1 0\nf 1 2 3\no next\nv 9 9 9\nf -5 -3 -2\n",
        TWO,
    ),
}


@pytest.mark.parametrize("kind", FACES)
def test_faces_of_an_obj(kind, tmp_path):
    text, triangles = FACES[kind]
    assert obj(tmp_path, text).triangles.tolist() == triangles


@pytest.mark.parametrize(
    "text",
    [
        V.replace("\n", " # a corner\n"),
        V.replace("\n", " 1.0\n"),
        b"\xef\xbb\xbf" + V.encode(),
        V.replace("v 1 0 0", "v 1 0 0 0.1 0.2 0.3"),
        "# caf\xe9\n".encode("latin-1") + V.encode(),
        V.replace("0 0 0", "+0.0e0 -0. .0"),
    ],
)
def test_vertices_of_an_obj(text, tmp_path):
    end = "f 1 2 3 4\n"
    read = obj(tmp_path, text + (end.encode() if isinstance(text, bytes) else end))
    np.testing.assert_array_equal(read.vertices, SQUARE)
    assert read.colours is None


def test_an_obj_keeps_colours_that_all_vertices_have(tmp_path):
    rows = "".join(f"v {i} 0 0 {i / 10} 0 1 # {i}\n" for i in range(3))
    np.testing.assert_allclose(obj(tmp_path, rows + "f 1 2 3\n").colours[:, 0], [0, 0.1, 0.2])


def test_an_obj_tells_the_material_of_each_triangle(tmp_path):
    text = V + "f 1 2 3\nusemtl a b\nf 1 2 3 4\nusemtl c\nf 2 3 4\n"
    materials = obj(tmp_path, text).materials
    assert {name: rows.tolist() for name, rows in materials.items()} == {
        "": [[0, 1, 2]], "a b": TWO, "c": [[1, 2, 3]]
    }  # fmt: skip


def test_colours_on_some_vertices_are_left_out_with_a_word(tmp_path):
    text = write.obj_text(TRUTH.points, TRUTH.triangles)
    first, line = text.split("\n", 1)[0], text.split("\n")[1]
    (tmp_path / "m.obj").write_text(text.replace(f"{line}\n", f"{line} 0.1 0.2 0.3 # {first}\n"))
    model = importing.read(tmp_path / "m.obj")
    assert model.reflectance is None
    assert any("only some vertices have a colour" in note for note in model.notes)


def test_unused_vertices_have_no_say_in_size(tmp_path):
    text = write.obj_text(np.concatenate([TRUTH.points, [[1e5, 0, 0]]]), TRUTH.triangles)
    (tmp_path / "m.obj").write_text(text)
    model = importing.read(tmp_path / "m.obj")
    assert model.scale == 1
    np.testing.assert_allclose(model.mean_face[:-1], TRUTH.points, atol=1e-3)


@pytest.mark.parametrize(
    "start", ["  v 0 0 0\n", "\tv\t0 0 0\n", "f 1 2 3\nv 0 0 0\n", "\n\n#x\nv 0 0 0\n"]
)
def test_an_obj_is_known_by_its_first_line(start, tmp_path):
    (tmp_path / "m").write_text(start + "v 1 0 0\n")
    with pytest.raises(ModelError, match="2 vertices"):
        importing.read(tmp_path / "m")


# A PLY is written from its header's lines and the values of each row.
HEADER = ("element vertex 4", *(f"property float {axis}" for axis in "xyz"))
FACE = ("element face {}", "property list uchar int vertex_indices")


def ply(path, header, rows, order="ascii"):
    """A PLY of these header lines; rows: values with struct codes [('f', 0.5), …]."""
    start = "\n".join(["ply", f"format {order} 1.0", *header, "end_header"]) + "\n"
    if order == "ascii":
        body = "".join(" ".join(f"{value}" for _, value in row) + "\n" for row in rows).encode()
    else:
        mark = "<" if order == "binary_little_endian" else ">"
        body = b"".join(struct.pack(mark + code, value) for row in rows for code, value in row)
    path.write_bytes(start.encode() + body)
    return path


def place(row, *more):
    return [*(("f", value) for value in row), *more]


def face(*corners, more=()):
    return [("B", len(corners)), *(("i", corner) for corner in corners), *more]


ORDERS = ["ascii", "binary_little_endian", "binary_big_endian"]


@pytest.fixture(params=ORDERS)
def order(request):
    return request.param


def test_quads_among_triangles(order, tmp_path):
    rows = [*map(place, SQUARE), face(1, 2, 3), face(0, 1, 2, 3), face(0, 1, 3)]
    header = (*HEADER, FACE[0].format(3), FACE[1])
    read = read_ply(ply(tmp_path / "m.ply", header, rows, order))
    assert read.triangles.tolist() == [[1, 2, 3], *TWO, [0, 1, 3]]
    np.testing.assert_array_equal(read.vertices, SQUARE)


def test_colours_beside_texture_coordinates(order, tmp_path):
    colours = [[255, 0, 51], [0, 0, 0], [1, 2, 3], [255, 255, 255]]
    header = (*HEADER, "property float s", "property float t")
    header += tuple(f"property uchar {name}" for name in ("red", "green", "blue", "alpha"))
    header += (FACE[0].format(1), FACE[1], "property list uchar float texcoord")
    rows = [
        place(row, ("f", 0.5), ("f", 0.25), *(("B", value) for value in colour), ("B", 255))
        for row, colour in zip(SQUARE, colours, strict=True)
    ]
    rows += [face(0, 1, 2, 3, more=[("B", 2), ("f", 0.5), ("f", 0.1)])]
    read = read_ply(ply(tmp_path / "m.ply", header, rows, order))
    np.testing.assert_allclose(read.colours, np.array(colours) / 255)
    assert read.triangles.tolist() == TWO


def test_other_elements_before_and_between(order, tmp_path):
    header = ("comment made by hand", "element camera 1", "property double view", *HEADER)
    header += ("element edge 2", "property int a", "property list uchar short b")
    header += (FACE[0].format(1), "property uchar flag", "property list uint ushort vertex_index")
    rows = [[("d", 9.5)], *map(place, SQUARE)]
    rows += [[("i", 1), ("B", 2), ("h", 1), ("h", 2)], [("i", 1), ("B", 0)]]
    rows += [[("B", 1), ("I", 3), ("H", 0), ("H", 1), ("H", 2)]]
    read = read_ply(ply(tmp_path / "m.ply", header, rows, order))
    assert read.triangles.tolist() == [[0, 1, 2]]
    np.testing.assert_array_equal(read.vertices, SQUARE)


def test_a_ply_without_faces_says_what_it_holds(tmp_path):
    path = ply(tmp_path / "m.ply", (*HEADER, "element edge 0", "property int a"), [])
    path.write_bytes(path.read_bytes() + b"0 0 0\n" * 4)
    with pytest.raises(ModelError, match="beside vertices it holds edge"):
        read_ply(path)


@pytest.mark.parametrize(
    ("header", "message"),
    [
        (("element vertex 99999999999",), "promises more"),
        (("element vertex -1",), "without a number"),
        (("element vertex 4", "property float128 x"), "property that is none"),
        (("property float x",), "property that is none"),
        ((*HEADER, FACE[0].format(2), FACE[1]), "promises more"),
        (HEADER, "without faces"),
        ((), "without x, y and z"),
    ],
)
def test_a_broken_header_is_refused(header, message, order, tmp_path):
    rows = map(place, SQUARE)
    with pytest.raises(ModelError, match=message):
        read_ply(ply(tmp_path / "m.ply", header, rows, order))


@pytest.mark.parametrize("corner", [-1, 4, 2**31 - 1])
def test_a_face_of_vertices_that_do_not_exist_is_refused(corner, order, tmp_path):
    rows = [*map(place, SQUARE), face(0, 1, corner)]
    header = (*HEADER, FACE[0].format(1), FACE[1])
    with pytest.raises(ModelError, match="does not exist"):
        read_ply(ply(tmp_path / "m.ply", header, rows, order))


def test_a_list_of_absurd_length_takes_no_memory(tmp_path):
    header = (*HEADER, FACE[0].format(1), "property list uint int vertex_indices")
    path = ply(tmp_path / "m.ply", header, map(place, SQUARE), "binary_little_endian")
    path.write_bytes(path.read_bytes() + struct.pack("<I", 2**32 - 1))
    with pytest.raises(ModelError, match="a list of"):
        read_ply(path)


@pytest.mark.parametrize(("kind", "code", "largest"), [("uchar", "B", 255), ("ushort", "H", 65535)])
def test_colours_of_whole_numbers_are_parts_of_their_types_largest(kind, code, largest, tmp_path):
    header = (*HEADER, *(f"property {kind} {name}" for name in ("red", "green", "blue")))
    rows = [place(row, *([(code, 1)] * 3)) for row in SQUARE] + [face(0, 1, 2)]
    path = ply(tmp_path / "m.ply", (*header, FACE[0].format(1), FACE[1]), rows, ORDERS[1])
    np.testing.assert_allclose(read_ply(path).colours, 1 / largest)
