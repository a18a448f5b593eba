"""Which files ~/save and ~/load may touch."""

import pytest

from folk_ros.ros.scene_services import file_in


@pytest.mark.parametrize('name', ['kitchen.safetensors', 'office/kitchen.safetensors', 'a-b_c.1'])
def test_a_plain_name_lies_in_the_folder(tmp_path, name):
    assert file_in(str(tmp_path), name) == tmp_path / name


@pytest.mark.parametrize(
    'name',
    ['', '.', '..', '../x', 'a/../../x', '/etc/passwd', 'a//b', '.hidden', 'a/.b', '~/x', 'a\0b']
    + ['a b', 'a\nb', 'ä.safetensors', 'x' * 200, 'a/', 'a\\b', '$HOME', '-'],
)
def test_any_other_name_is_refused(tmp_path, name):
    with pytest.raises(ValueError, match='scene_file'):
        file_in(str(tmp_path), name)


def test_links_that_lead_out_are_refused(tmp_path):
    inside, outside = tmp_path / 'in', tmp_path / 'out'
    inside.mkdir()
    outside.mkdir()
    (outside / 'secret.safetensors').write_text('')
    (inside / 'link.safetensors').symlink_to(outside / 'secret.safetensors')
    (inside / 'nowhere.safetensors').symlink_to(tmp_path / 'not-there')
    (inside / 'folder').symlink_to(outside)
    links = 'link.safetensors', 'nowhere.safetensors'
    for name in (*links, 'folder/secret.safetensors', 'folder/new.safetensors'):
        with pytest.raises(ValueError, match='leads out'):
            file_in(str(inside), name)


def test_a_folder_that_is_itself_a_link_is_the_users_choice(tmp_path):
    (tmp_path / 'real').mkdir()
    (tmp_path / 'link').symlink_to(tmp_path / 'real')
    assert file_in(str(tmp_path / 'link'), 'a.safetensors').name == 'a.safetensors'


def test_without_a_folder_nothing_is_served(tmp_path):
    with pytest.raises(ValueError, match='scene_folder is not set'):
        file_in('', 'a.safetensors')
    with pytest.raises(ValueError, match='no such folder'):
        file_in(str(tmp_path / 'missing'), 'a.safetensors')
