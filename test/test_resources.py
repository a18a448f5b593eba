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


def test_of_a_name_that_no_model_has_those_that_exist_are_told_and_how_a_path_is_written():
    with pytest.raises(FileNotFoundError, match=r"'sofas'.* rooms, tabletop\. .*\./sofas"):
        model_folder('sofas')
