import pytest

from folk_ros.training.scenes.splits import split_folders


@pytest.fixture
def scenes(tmp_path):
    for name in ('train_00000', 'val_00001', 'val_00000', 'scene0011_00', 'scene0000_00', 'other'):
        (tmp_path / name).mkdir()
        (tmp_path / name / 'truth.json').write_text('{}')
    (tmp_path / 'val_00002').mkdir()  # without truth
    return tmp_path


@pytest.mark.parametrize(
    ('split', 'names'),
    [
        ('train', ['scene0000_00', 'train_00000']),
        ('val', ['scene0011_00', 'val_00000', 'val_00001']),
        ('oth', []),
    ],
)
def test_splits_go_by_name_and_by_scannets_lists(scenes, split, names):
    if names:
        assert [folder.name for folder in split_folders(scenes, split)] == names
        return
    with pytest.raises(ValueError, match="of the split 'oth' .* found none; 'all' takes every"):
        split_folders(scenes, split)


def test_all_takes_every_scene_with_truth(scenes):
    assert len(split_folders(scenes, 'all')) == 6
