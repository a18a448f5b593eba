from dataclasses import asdict, replace
import hashlib
import json

from hypothesis import given, settings
from hypothesis import strategies as st
import numpy as np
import pytest
from safetensors import safe_open
from safetensors.torch import load_file, save_file
import torch

from folk_ros.query import Sayings, Vocabulary
from folk_ros.structures import PointCloud
from folk_ros.student.student import Student, StudentConfig
from folk_ros.student.sums import seal_of
from folk_ros.student.weights import load_masks, load_student, save_student
from folk_ros.voxels import voxelize

SMALL = StudentConfig(
    encoder=(8, 8, 8), decoder=(8, 8), decoder_reads=(1,), embedding_dim=4, clip='toy'
)


def saved(tmp_path, seed=0):
    torch.manual_seed(seed)
    student = Student(SMALL).eval()
    path = tmp_path / 'student.safetensors'
    save_student(
        path,
        student,
        Vocabulary(('a', 'b'), np.eye(2, 4, dtype=np.float32), 20.0, 0.4),
        half=False,
    )
    return student, path


def test_a_saved_student_predicts_the_same(tmp_path):
    student, path = saved(tmp_path)
    loaded, vocabulary = load_student(path)
    points = np.random.default_rng(0).uniform(0, 1, (2000, 3)).astype(np.float32)
    voxels = voxelize(PointCloud(points), 0.04)
    before, after = student.predict(voxels, 0.0, 0.5), loaded.predict(voxels, 0.0, 0.5)
    assert torch.equal(before.rows, after.rows)
    assert torch.allclose(before.embeddings, after.embeddings)
    assert vocabulary.names == ('a', 'b')
    assert loaded.config == SMALL


def test_missing_weights_say_what_to_do(tmp_path):
    with pytest.raises(FileNotFoundError, match='leave the model setting empty'):
        load_student(tmp_path / 'student.safetensors')


def test_an_altered_file_is_refused_by_its_sum(tmp_path):
    _, path = saved(tmp_path)
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    (tmp_path / 'SHA256SUMS').write_text(f'{digest}  student.safetensors\n')
    load_student(path)
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)
    with pytest.raises(ValueError, match='SHA-256 is .* was altered'):
        load_student(path)


def test_a_truncated_file_is_refused(tmp_path):
    _, path = saved(tmp_path)
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(ValueError, match='not a whole safetensors file'):
        load_student(path)


def test_a_file_of_another_kind_is_refused_with_both_formats(tmp_path):
    path = tmp_path / 'student.safetensors'
    save_file({'x': torch.zeros(1)}, path)
    with pytest.raises(ValueError, match="expected format 'folk_ros student 1', got 'none'"):
        load_student(path)


def rewritten(path, tensors=None, **changes):
    """Write a file anew, as a program of another version might: with a seal of its own."""
    with safe_open(path, 'pt') as file:
        metadata = file.metadata() | changes
    metadata = {key: value for key, value in metadata.items() if value is not None}
    metadata.pop('sha256', None)
    tensors = load_file(path) | (tensors or {})
    save_file(tensors, path, metadata | {'sha256': seal_of(metadata, tensors)})


def test_another_architecture_is_refused_with_both_sides(tmp_path):
    _, path = saved(tmp_path)
    rewritten(path, architecture='transformer')
    with pytest.raises(ValueError, match="'transformer', this version knows .*'mask3d', 'seeds'"):
        load_student(path)


def test_a_setting_of_another_version_is_refused_by_name(tmp_path):
    student, path = saved(tmp_path)
    rewritten(path, config=json.dumps(asdict(student.config) | {'sparkle': 1}))
    with pytest.raises(ValueError, match="settings .'sparkle'. that this version does not know"):
        load_student(path)


def test_weights_of_another_size_are_refused_with_both_sizes(tmp_path):
    student, path = saved(tmp_path)
    wider = replace(student.config, encoder=(8, 8, 16))
    rewritten(path, config=json.dumps(asdict(wider)))
    with pytest.raises(
        ValueError, match=r'disagree in 19 tensors: .*: expected \[512, 38\], got \[512, 30\]'
    ):
        load_student(path)


def test_weights_that_are_no_numbers_are_refused_by_name(tmp_path):
    _, path = saved(tmp_path)
    name = next(name for name, value in load_file(path).items() if value.is_floating_point())
    broken = load_file(path)[name].clone()
    broken.view(-1)[0] = torch.nan
    rewritten(path, {name: broken})
    with pytest.raises(ValueError, match=f'expected finite weights, got others in .*{name}'):
        load_student(path)


BAD_METADATA = [
    ({'config': 'encoder'}, 'configuration cannot be read'),
    ({'config': '[1, 2]'}, 'configuration cannot be read'),
    ({'config': '{"encoder": 5}'}, 'no network of its configuration'),
    ({'config': '{"encoder": [8, -8, 8]}'}, 'no network of its configuration'),
    ({'config': '{"decoder": "wide"}'}, 'no network of its configuration'),
    ({'vocabulary': None}, "lack 'vocabulary'"),
    ({'vocabulary': 'chair, table'}, 'vocabulary cannot be used'),
    ({'vocabulary': '["a", "a"]'}, 'vocabulary cannot be used'),
    ({'vocabulary': '7'}, 'vocabulary cannot be used'),
    ({'scale': 'large'}, 'vocabulary cannot be used'),
    ({'format': 'folk_ros student 9'}, "expected format 'folk_ros student 1', got"),
]


@pytest.mark.parametrize(('changes', 'words'), BAD_METADATA, ids=lambda part: str(part)[:40])
def test_metadata_that_make_no_sense_are_refused_with_the_file_named(tmp_path, changes, words):
    _, path = saved(tmp_path)
    rewritten(path, **changes)
    with pytest.raises(ValueError, match=words) as refusal:
        load_student(path)
    assert str(path) in str(refusal.value)


def test_a_vocabulary_of_another_clip_is_refused_with_both_lengths(tmp_path):
    _, path = saved(tmp_path)
    rewritten(path, {'vocabulary': torch.eye(2, 7)})
    with pytest.raises(ValueError, match=r'vocabulary of 4 numbers a name.*got \[2, 7\]'):
        load_student(path)


@pytest.fixture(scope='module')
def whole(tmp_path_factory):
    """The bytes of a good file, and a path to put others."""
    _, path = saved(tmp_path_factory.mktemp('whole'))
    return path.read_bytes(), path


@settings(max_examples=25, deadline=None)
@given(st.data())
def test_a_file_cut_anywhere_is_refused_with_a_sentence(whole, data):
    content, path = whole
    header = 8 + int.from_bytes(content[:8], 'little')
    near = st.one_of(
        st.integers(0, 16),
        st.integers(0, header + 8),
        st.integers(0, len(content) - 1),
    )
    path.write_bytes(content[: data.draw(near)])
    with pytest.raises(ValueError, match=f'{path.name}: .*; '):
        load_student(path)


@settings(max_examples=30, deadline=None)
@given(st.data())
def test_a_file_with_any_bit_turned_over_is_refused_or_means_the_same(whole, data):
    content, path = whole
    header = 8 + int.from_bytes(content[:8], 'little')
    place = data.draw(st.one_of(st.integers(0, header - 1), st.integers(0, len(content) - 1)))
    altered = bytearray(content)
    altered[place] ^= 1 << data.draw(st.integers(0, 7))
    path.write_bytes(altered)
    try:
        student, vocabulary = load_student(path)
    except ValueError as refusal:
        assert path.name in str(refusal)
        return
    assert place < header  # the white space of the header, say
    path.write_bytes(content)
    same, words = load_student(path)
    assert student.config == same.config and vocabulary.names == words.names
    for value, expected in zip(
        student.state_dict().values(), same.state_dict().values(), strict=True
    ):
        assert torch.equal(value, expected)


def test_what_is_no_file_of_weights_at_all_is_refused(tmp_path):
    path = tmp_path / 'student.safetensors'
    for content in (b'', b'{}', b'\xff' * 4096, b'version https://git-lfs.github.com/spec/v1\n'):
        path.write_bytes(content)
        for load in (load_student, load_masks):
            with pytest.raises(ValueError, match='not a whole safetensors file'):
                load(path)


def test_files_of_the_first_release_name_no_architecture_and_are_read(tmp_path):
    student, path = saved(tmp_path)
    old = asdict(student.config)
    del old['pooling']
    with safe_open(path, 'pt') as file:
        metadata = file.metadata() | {'config': json.dumps(old)}
    del metadata['architecture'], metadata['sha256']
    save_file(load_file(path), path, metadata)
    assert load_student(path)[0].config == student.config


def test_an_empty_voxel_grid_is_never_needed_but_one_voxel_works(tmp_path):
    student, _ = saved(tmp_path)
    voxels = voxelize(PointCloud(np.zeros((1, 3), np.float32)), 0.04)
    assert len(student.predict(voxels, 0.9, 0.5).quality) == 0


def test_what_is_said_of_names_is_read_as_it_was_written(tmp_path):
    student, path = saved(tmp_path)
    said = Sayings(np.array([1, 0, 1]), np.eye(3, 4, dtype=np.float32))
    known = Vocabulary(
        ('a', 'b'), np.eye(2, 4, dtype=np.float32), 20.0, 0.4, sayings=said, shown=1
    )
    save_student(path, student, known, half=False)
    read = load_student(path)[1]
    assert read.sayings.of.tolist() == [1, 0, 1]
    assert np.array_equal(read.sayings.embeddings, said.embeddings)
    assert read.labels == ('a',)
    load_masks(path)
    rewritten(path, sayings_of='[1, 0]')
    with pytest.raises(ValueError, match=r'expected sayings \[2, 4\], got \[3, 4\]'):
        load_student(path)
