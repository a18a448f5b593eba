"""Annotated meshes: vertices in order, and the value of the faces around each."""

import numpy as np
import pytest

from folk_ros.training.scenes.datasets.mesh import read_vertices, vertex_values

XYZ = np.arange(24, dtype='<f4').reshape(8, 3)
FACES = np.array([[0, 1, 2, 3], [2, 3, 4, 5], [7, 6, 5, 4]])
VALUES = np.array([5, -2, 9])


def write_mesh(path, faces=FACES, values=VALUES, **changes):
    """Write a mesh as it is annotated by habitat; `changes` replace words of the header."""
    sides = faces.shape[1]
    rows = np.zeros(len(faces), [('n', 'u1'), ('v', '<i4', (sides,)), ('value', '<i4')])
    rows['n'], rows['v'], rows['value'] = sides, faces, values
    header = (
        'ply\nformat binary_little_endian 1.0\ncomment made\n'
        f'element vertex {len(XYZ)}\nproperty float x\nproperty float y\nproperty float z\n'
        f'element face {len(faces)}\nproperty list uchar int vertex_indices\n'
        'property int object_id\nend_header\n'
    )
    for old, new in changes.items():
        assert old in header
        header = header.replace(old, new)
    path.write_bytes(header.encode() + XYZ.tobytes() + rows.tobytes())
    return path


def slow_values(faces, values, count, none):
    found = [none] * count
    for corners, value in zip(faces, values, strict=True):
        for corner in corners:
            found[corner] = value
    return found


@pytest.mark.parametrize('sides', [3, 4])
def test_the_last_face_around_a_vertex_gives_its_value(tmp_path, sides):
    rng = np.random.default_rng(sides)
    faces = rng.integers(0, 7, (12, sides))
    values = rng.integers(-3, 100, 12)
    path = write_mesh(tmp_path / 'a.ply', faces, values)
    assert vertex_values(path, 'object_id', -1).tolist() == slow_values(faces, values, 8, -1)


def test_vertices_keep_their_order_and_say_who_is_missing(tmp_path):
    cloud, kept = read_vertices(write_mesh(tmp_path / 'a.ply'))
    np.testing.assert_array_equal(cloud.xyz, XYZ)
    assert kept.all() and cloud.rgb is None
    data = (tmp_path / 'a.ply').read_bytes()
    holed = data.replace(XYZ[3].tobytes(), np.float32([9, np.inf, 11]).tobytes())
    (tmp_path / 'b.ply').write_bytes(holed)
    cloud, kept = read_vertices(tmp_path / 'b.ply')
    assert kept.tolist() == [True] * 3 + [False] + [True] * 4
    np.testing.assert_array_equal(cloud.xyz, np.delete(XYZ, 3, axis=0))


def test_a_mesh_without_faces_has_no_values(tmp_path):
    path = write_mesh(tmp_path / 'a.ply', FACES[:0], VALUES[:0])
    assert vertex_values(path, 'object_id', -1).tolist() == [-1] * 8


@pytest.mark.parametrize(
    ('make', 'says'),
    [
        (lambda p: write_mesh(p, **{'object_id': 'material'}), "a list of vertices and 'object_"),
        (lambda p: write_mesh(p, **{'binary_little': 'binary_big'}), 'binary little-endian file'),
        (lambda p: write_mesh(p, **{'element face 3': 'element face 4'}), 'it was cut off'),
        (lambda p: write_mesh(p, FACES + 2), 'faces speak of vertices beyond the 8'),
        (lambda p: p.write_bytes(b'ply\n'), 'the header must hold'),
    ],
)
def test_a_malformed_mesh_is_named(tmp_path, make, says):
    path = tmp_path / 'bad.ply'
    make(path)
    with pytest.raises(ValueError, match=f'bad.ply: .*{says}'):
        vertex_values(path, 'object_id', -1)


def test_faces_of_several_kinds_are_refused(tmp_path):
    path = write_mesh(tmp_path / 'bad.ply')
    data = bytearray(path.read_bytes())
    data[-21] = 3  # the last face claims three corners
    path.write_bytes(data)
    with pytest.raises(ValueError, match='expected every face to have 4 corners'):
        vertex_values(path, 'object_id', -1)


def test_a_missing_mesh_is_named(tmp_path):
    for read in (read_vertices, lambda path: vertex_values(path, 'object_id', -1)):
        with pytest.raises(ValueError, match='no.ply: there is no such file'):
            read(tmp_path / 'no.ply')
