import sys
import types

import pytest
import torch

from folk_ros.student.foreign.checkpoint import find_settings, Foreign, read_checkpoint


class Runs:
    """Pickles to a call of a function."""

    def __init__(self, function, *arguments):
        self.call = function, arguments

    def __reduce__(self):
        return self.call


@pytest.fixture
def library():
    """Make a library that is installed where the checkpoint is written, not where it is read."""
    module = types.ModuleType('settings_library')

    class Node:
        def __init__(self, **state):
            self.__dict__ = state

    Node.__module__, Node.__qualname__ = 'settings_library', 'Node'
    module.Node = Node
    sys.modules['settings_library'] = module
    yield module
    sys.modules.pop('settings_library', None)


def test_objects_of_a_library_that_is_not_there_become_lifeless(tmp_path, library):
    node = library.Node
    heads = node(_val=8, _parent=None)
    model = node(_content={'num_heads': heads, 'hlevels': node(_content=[node(_val=0)])})
    whole = node(_content={'general': node(_content={}), 'model': model})
    path = tmp_path / 'a.ckpt'
    torch.save({'state_dict': {'x': torch.ones(2)}, 'hyper_parameters': {'config': whole}}, path)
    del sys.modules['settings_library']
    found = read_checkpoint(path)
    assert torch.equal(found['state_dict']['x'], torch.ones(2))
    assert type(found['hyper_parameters']['config']) is Foreign
    settings = find_settings(found['hyper_parameters'], 'model')
    assert settings == {'num_heads': 8, 'hlevels': [0]}
    assert 'settings_library' not in sys.modules


def test_settings_that_are_not_there_are_none():
    assert find_settings(None, 'model') == {}
    assert find_settings({'config': {'data': 1}}, 'model') == {}


def test_what_a_checkpoint_asks_to_be_run_is_not_run(tmp_path):
    path, proof = tmp_path / 'a.ckpt', tmp_path / 'proof'
    code = f'open({str(proof)!r}, "w").close()'
    torch.save({'a': Runs(exec, code)}, path)
    found = read_checkpoint(path)
    assert type(found['a']) is Foreign
    assert not proof.exists()


def test_what_a_checkpoint_asks_of_the_system_is_refused(tmp_path):
    import os

    path, proof = tmp_path / 'a.ckpt', tmp_path / 'proof'
    torch.save({'a': Runs(os.system, f'touch {proof}')}, path)
    with pytest.raises(ValueError, match='more than data'):
        read_checkpoint(path)
    assert not proof.exists()


def saved(path):
    torch.save({'state_dict': {'x': torch.randn(3000)}}, path)
    return path


def test_a_truncated_file_and_one_of_another_kind_are_refused(tmp_path):
    path = saved(tmp_path / 'a.ckpt')
    path.write_bytes(path.read_bytes()[:-500])
    with pytest.raises(ValueError, match='was not copied whole'):
        read_checkpoint(path)
    path.write_bytes(b'ply\n')
    with pytest.raises(ValueError, match='expected a checkpoint of torch.save'):
        read_checkpoint(path)
    with pytest.raises(FileNotFoundError, match='no such checkpoint'):
        read_checkpoint(tmp_path / 'none.ckpt')


def test_an_altered_byte_is_found(tmp_path):
    path = saved(tmp_path / 'a.ckpt')
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    with pytest.raises(ValueError, match='damaged'):
        read_checkpoint(path)


def test_a_lone_tensor_is_no_checkpoint(tmp_path):
    path = tmp_path / 'a.ckpt'
    torch.save(torch.ones(3), path)
    with pytest.raises(ValueError, match='expected a dictionary of tensors, got Tensor'):
        read_checkpoint(path)
