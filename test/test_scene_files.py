from __future__ import annotations

from dataclasses import replace
import json
import pickle

from hypothesis import given, settings
from hypothesis import strategies as st
import numpy as np
import pytest
from safetensors.numpy import save

from folk_ros.scene_files import digest, FORMAT, load_scene, save_scene, SavedScene
from folk_ros.structures import Boxes, Instances, PointCloud


def make_scene(count=3, points=50, colour=True, dim=4):
    rng = np.random.default_rng(0)
    rgb = rng.integers(0, 256, (points, 3)).astype(np.uint8) if colour else None
    cloud = PointCloud(rng.normal(size=(points, 3)).astype(np.float32), rgb, 'map', 7)
    masks = [np.sort(rng.choice(points, 10, replace=False)) for _ in range(count)]
    together = np.concatenate([np.empty(0, np.int64), *masks])
    box = rng.random((count, 3)).astype(np.float32)
    instances = Instances(
        starts=np.arange(count + 1, dtype=np.int64) * 10,
        points=together.astype(np.int32),
        embeddings=rng.normal(size=(count, dim)).astype(np.float32),
        quality=rng.random(count).astype(np.float32),
        boxes=Boxes(box, box + 1, box[:, 0].copy()),
        ids=np.arange(5, 5 + count, dtype=np.uint32),
        num_points=points,
        frame_id='map',
        stamp_ns=7,
        scene_id=12,
    )
    return SavedScene(instances, cloud, 'some-clip', last_id=40)


def answered_elsewhere(T=((0, -1, 0, 0.1), (1, 0, 0, 2.0 / 3), (0, 0, 1, 3), (0, 0, 0, 1))):
    return {'answer_frame': 'camera', 'T_answer_scene': np.array(T, np.float64)}


def assert_same(one, other):
    assert (one.clip, one.last_id) == (other.clip, other.last_id)
    assert (one.answer_frame, one.frame_id) == (other.answer_frame, other.frame_id)
    np.testing.assert_array_equal(one.T_answer_scene, other.T_answer_scene)
    a, b = one.instances, other.instances
    assert (a.frame_id, a.stamp_ns, a.scene_id) == (b.frame_id, b.stamp_ns, b.scene_id)
    assert (one.cloud.frame_id, one.cloud.stamp_ns) == (other.cloud.frame_id, other.cloud.stamp_ns)
    pairs = [(getattr(a, n), getattr(b, n)) for n in ('starts', 'points', 'embeddings', 'ids')]
    pairs += [(getattr(a.boxes, n), getattr(b.boxes, n)) for n in ('centre', 'size', 'yaw')]
    pairs += [(a.quality, b.quality), (one.cloud.xyz, other.cloud.xyz)]
    pairs += [(one.cloud.rgb, other.cloud.rgb)] if one.cloud.rgb is not None else []
    assert (one.cloud.rgb is None) == (other.cloud.rgb is None)
    for mine, theirs in pairs:
        assert mine.dtype == theirs.dtype
        np.testing.assert_array_equal(mine, theirs)


@pytest.mark.parametrize(
    'scene',
    [
        make_scene(),
        make_scene(colour=False),
        make_scene(count=0),
        make_scene(count=0, points=0),
        make_scene(dim=0),
        replace(make_scene(), **answered_elsewhere()),
    ],
)
def test_what_is_loaded_is_what_was_saved(tmp_path, scene):
    save_scene(tmp_path / 'room.safetensors', scene)
    assert_same(load_scene(tmp_path / 'room.safetensors'), scene)
    assert [path.name for path in tmp_path.iterdir()] == ['room.safetensors']


def test_the_last_id_is_never_less_than_those_there_are(tmp_path):
    save_scene(tmp_path / 'room.safetensors', replace(make_scene(), last_id=0))
    assert load_scene(tmp_path / 'room.safetensors').last_id == 7


def test_a_scene_answers_in_its_own_frame_or_in_the_one_that_was_saved_with_it():
    assert make_scene().frame_id == 'map'
    assert replace(make_scene(), **answered_elsewhere()).frame_id == 'camera'
    for half in ({'answer_frame': 'camera'}, {'T_answer_scene': np.eye(4)}):
        with pytest.raises(ValueError, match='got one alone'):
            replace(make_scene(), **half)


@pytest.mark.parametrize(
    'T', [np.eye(3), 2 * np.eye(4), np.diag([1, 1, -1, 1]), np.eye(4) * np.nan, np.ones((4, 4))]
)
def test_what_is_no_rigid_motion_is_refused(T):
    with pytest.raises(ValueError, match='T_answer_scene: expected a rotation'):
        replace(make_scene(), **answered_elsewhere(T))


@pytest.mark.parametrize(
    'text', ['[1, 2]', '{}', '', '["a"]', '[' * 500, '[' * 501, str([1.0] * 16)]
)
def test_a_transform_that_makes_no_sense_is_refused(tmp_path, text):
    path = tmp_path / 'room.safetensors'
    save_scene(path, replace(make_scene(), **answered_elsewhere()))
    arrays, metadata = arrays_and_metadata(path)
    metadata['T_answer_scene'] = text
    metadata['sha256'] = digest(arrays, metadata)
    path.write_bytes(save(arrays, metadata))
    with pytest.raises(ValueError, match=r'room\.safetensors: .'):
        load_scene(path)


def test_a_save_that_fails_leaves_the_file_that_was_there(tmp_path, monkeypatch):
    path = tmp_path / 'room.safetensors'
    save_scene(path, make_scene())

    def full(*_):
        raise OSError(28, 'No space left on device')

    monkeypatch.setattr('folk_ros.scene_files.save', full)
    with pytest.raises(OSError, match='No space left'):
        save_scene(path, make_scene(count=1))
    assert len(load_scene(path).instances) == 3
    assert len(list(tmp_path.iterdir())) == 1


def test_a_name_of_another_kind_is_refused(tmp_path):
    with pytest.raises(ValueError, match=r'ends in \.safetensors'):
        save_scene(tmp_path / 'room.npz', make_scene())


def test_a_file_that_is_not_there_is_said_to_be_missing(tmp_path):
    with pytest.raises(FileNotFoundError, match='no such file'):
        load_scene(tmp_path / 'room.safetensors')


def test_masks_of_another_cloud_cannot_be_saved():
    scene = make_scene()
    with pytest.raises(ValueError, match='do not fit a cloud of 3'):
        replace(scene, cloud=PointCloud(np.zeros((3, 3), np.float32)))


@pytest.fixture(scope='module')
def stored(tmp_path_factory):
    path = tmp_path_factory.mktemp('scenes') / 'room.safetensors'
    save_scene(path, make_scene())
    return path, path.read_bytes()


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_a_file_cut_off_anywhere_is_refused_by_name(stored, data):
    path, whole = stored
    cut = path.with_name('cut.safetensors')
    cut.write_bytes(whole[: data.draw(st.integers(0, len(whole) - 1))])
    with pytest.raises(ValueError, match=r'cut\.safetensors'):
        load_scene(cut)


@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_a_file_altered_anywhere_is_refused_by_name(stored, data):
    path, whole = stored
    altered, at = bytearray(whole), data.draw(st.integers(0, len(whole) - 1))
    altered[at] ^= data.draw(st.integers(1, 255))
    other = path.with_name('altered.safetensors')
    other.write_bytes(altered)
    try:
        found = load_scene(other)
    except ValueError as error:
        assert 'altered.safetensors' in str(error)
    else:  # blanks in the header say nothing
        assert_same(found, make_scene())


@pytest.mark.parametrize(
    'content', [b'', b'PK\3\4' + b'\0' * 99, pickle.dumps({'xyz': 1}), b'\xff' * 64]
)
def test_what_is_no_such_file_is_refused(tmp_path, content):
    path = tmp_path / 'room.safetensors'
    path.write_bytes(content)
    with pytest.raises(ValueError, match=r'room\.safetensors'):
        load_scene(path)


def arrays_and_metadata(path):
    """What a file holds, to write it again with something wrong in it and a digest that fits."""
    raw = path.read_bytes()
    length = int.from_bytes(raw[:8], 'little')
    header = json.loads(raw[8 : 8 + length])
    metadata = header.pop('__metadata__')
    kinds = {'F32': np.float32, 'U8': np.uint8, 'I64': np.int64, 'I32': np.int32, 'U32': np.uint32}
    arrays = {}
    for name, entry in header.items():
        low, high = (8 + length + offset for offset in entry['data_offsets'])
        flat = np.frombuffer(raw[low:high], kinds[entry['dtype']])
        arrays[name] = flat.reshape(entry['shape']).copy()
    return arrays, metadata


WRONGS = {
    'format': lambda a, m: m.update(format='folk_ros scene 99'),
    'number': lambda a, m: m.update(stamp_ns='now'),
    'late': lambda a, m: m.update(stamp_ns=str(2**31 * 10**9)),
    'id': lambda a, m: m.update(last_id=str(2**32)),
    'missing': lambda a, m: a.pop('starts'),
    'unknown': lambda a, m: a.update(extra=np.zeros(3, np.float32)),
    'type': lambda a, m: a.update(xyz=a['xyz'].astype(np.float64)),
    'shape': lambda a, m: a.update(xyz=a['xyz'][:, :2].copy()),
    'index': lambda a, m: a['points'].put(0, 1000),
    'negative': lambda a, m: a['points'].put(0, -1),
    'falls': lambda a, m: a['starts'].put(1, 25),
    'nan': lambda a, m: a['box_size'].put(0, np.nan),
    'ids': lambda a, m: a['ids'].put(0, a['ids'][1]),
    'colours': lambda a, m: a.update(rgb=a['rgb'][:-1].copy()),
}


@pytest.mark.parametrize(
    ('what', 'words'),
    [
        ('format', f"expected format '{FORMAT}', got 'folk_ros scene 99'"),
        ('number', 'stamp_ns: expected a number'),
        ('late', 'stamp_ns: expected a number below 2147483648000000000'),
        ('id', 'last_id: expected a number below 4294967296'),
        ('missing', r"lacks the arrays \['starts'\]"),
        ('unknown', "'extra', which is not of this format"),
        ('type', "array 'xyz': expected F32 with 2 axes, got F64"),
        ('shape', 'PointCloud.xyz'),
        ('index', 'indices must lie in'),
        ('negative', 'indices must lie in'),
        ('falls', "'starts': expected numbers that do not fall"),
        ('nan', 'not finite'),
        ('ids', "'ids': expected every object to have its own"),
        ('colours', 'PointCloud.rgb'),
    ],
)
def test_a_file_that_cannot_be_right_is_refused_with_the_reason(tmp_path, stored, what, words):
    arrays, metadata = arrays_and_metadata(stored[0])
    WRONGS[what](arrays, metadata)
    metadata['sha256'] = digest(arrays, metadata)
    path = tmp_path / 'wrong.safetensors'
    path.write_bytes(save(arrays, metadata))
    with pytest.raises(ValueError, match=words) as caught:
        load_scene(path)
    assert str(path) in str(caught.value)


def test_more_points_than_allowed_are_refused_before_they_are_read(stored, monkeypatch):
    monkeypatch.setattr('folk_ros.scene_files.digest', lambda *_: pytest.fail('was read'))
    with pytest.raises(ValueError, match='holds 50 points, expected at most 49'):
        load_scene(stored[0], max_points=49)


def test_a_file_that_is_too_long_is_refused_unread(stored, monkeypatch):
    monkeypatch.setattr('folk_ros.scene_files.MAX_FILE_BYTES', 100)
    with pytest.raises(ValueError, match='expected at most 100'):
        load_scene(stored[0])
