from pathlib import Path

import pytest

from folk_ros.resources import find_file, model_folder


def test_a_bare_name_is_a_shipped_model_even_beside_a_folder_of_that_name(tmp_path, monkeypatch):
    (tmp_path / 'rooms').mkdir()
    monkeypatch.chdir(tmp_path)
    assert model_folder('rooms') == find_file('resource/models/rooms') == model_folder('')


@pytest.mark.parametrize('spelled', ['./rooms', 'rooms/', './', '.', '..', '/models/x', 'a/b'])
def test_what_is_spelled_as_a_path_is_one(spelled):
    assert model_folder(spelled) == Path(spelled)


def test_a_model_that_is_not_shipped_is_named():
    with pytest.raises(FileNotFoundError, match='resource/models/sofas'):
        model_folder('sofas')
