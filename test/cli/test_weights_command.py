import hashlib

import pytest

from folk_ros.cli.main import main
from folk_ros.cli.weights import verify


@pytest.fixture
def model(tmp_path):
    (tmp_path / 'a.safetensors').write_bytes(b'abc')
    digest = hashlib.sha256(b'abc').hexdigest()
    (tmp_path / 'SHA256SUMS').write_text(f'{digest}  a.safetensors\n')
    return tmp_path


def test_files_as_shipped_are_ok(model, capsys):
    assert main(['weights', 'verify', str(model)]) == 0
    assert 'ok' in capsys.readouterr().out


def test_an_altered_byte_is_found(model, capsys):
    (model / 'a.safetensors').write_bytes(b'abd')
    assert verify(model) == {model / 'a.safetensors': 'altered'}
    assert main(['weights', 'verify', str(model)]) == 1
    assert 'not as shipped' in capsys.readouterr().err


def test_a_missing_file_and_one_without_a_sum_are_found(model):
    (model / 'a.safetensors').unlink()
    (model / 'b.safetensors').write_bytes(b'')
    assert verify(model) == {
        model / 'b.safetensors': 'no sum',
        model / 'a.safetensors': 'missing',
    }


def test_a_model_that_is_not_there_is_wrong_input(model):
    assert main(['weights', 'verify', str(model / 'none')]) == 2
