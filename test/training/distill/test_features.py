from dataclasses import replace
import json
from types import SimpleNamespace

import numpy as np
import pytest
from safetensors.numpy import save_file
import torch

from folk_ros.instances import masks_from_owners
from folk_ros.structures import PointCloud
from folk_ros.student.student import Student, StudentConfig
from folk_ros.student.vl_adapter import (
    at_finest,
    ATTENTION,
    FOLK,
    LEVELS,
    MOMENTS,
    pool_for_adapter,
)
from folk_ros.training.distill import features
from folk_ros.training.distill.features import GIVEN, load_seen, Look, PREDICTED, see, see_all
from folk_ros.training.distill.given_masks import GivenMasks, read_given_masks
from folk_ros.training.distill.recipes import ALL_NAMES, Recipe
from folk_ros.training.distill.run import asked_names, Sources, with_pooling
from folk_ros.training.distill.samples import adapter_reads, attend, gather, Taught
from folk_ros.voxels import voxelize

SMALL = StudentConfig(
    encoder=(8, 8, 8), decoder=(8, 8), decoder_reads=(1,), embedding_dim=4, clip='toy'
)
NAMES = np.eye(3, 4, dtype=np.float32)


def three_heaps(seed=0):
    rng = np.random.default_rng(seed)
    xyz = rng.uniform(0, 0.4, (3000, 3)).astype(np.float32)
    xyz[1000:2000, 0] += 1.0
    xyz[2000:, 1] += 1.0
    rgb = rng.integers(0, 255, (3000, 3)).astype(np.uint8)
    return PointCloud(xyz, rgb), np.repeat([0, 1, 2], 1000).astype(np.int32)


def write_scene(rooms, scene_id, seed, labelled=True):
    cloud, instance = three_heaps(seed)
    folder = rooms / scene_id
    folder.mkdir(parents=True)
    truth = {'instance': instance} if labelled else {}
    np.savez(folder / 'cloud.npz', xyz=cloud.xyz, rgb=cloud.rgb, **truth)
    if labelled:
        (folder / 'truth.json').write_text(json.dumps({'names': ['a', 'b', 'c']}))
    return folder


def write_teacher(path, clip='toy', metadata=None, **more):
    views = np.eye(3, 4, dtype=np.float16)[:, None]  # instance k looks like word k
    visibility = np.array([[5], [5], [0]], np.float32)  # the third is never seen
    path.parent.mkdir(exist_ok=True)
    save_file(
        {'embeddings': views, 'visibility': visibility, **more},
        path,
        {'clip': clip, **(metadata or {})},
    )
    return path


def look(tmp_path):
    torch.manual_seed(0)
    return Look(Student(SMALL).eval(), tmp_path / 'cache')


def test_samples_carry_the_label_of_their_instance_and_unseen_ones_are_left_out(tmp_path):
    own = look(tmp_path)
    scenes = [write_scene(tmp_path / 'rooms', f'train_{k}', k) for k in range(2)]
    files = [write_teacher(tmp_path / 'teacher' / f'{s.name}.safetensors') for s in scenes]
    seen = see_all(list(zip(scenes, files, strict=True)), own)
    taught = [Taught(s.name, f, t, True) for s, f, t in zip(scenes, seen, files, strict=True)]
    data, counts = gather(taught, NAMES, 'toy', Recipe(predicted_masks=True))
    assert set(data.odds.argmax(1).tolist()) == {0, 1}
    assert torch.equal(data.teacher.argmax(1), data.odds.argmax(1))
    assert set(data.instance.tolist()) == {0, 1, 2, 3}  # objects of two scenes stay apart
    assert len(data) >= 8  # two looks at four objects, predicted masks may add some
    assert (counts.scenes, counts.objects, counts.unseen, counts.skipped) == (2, 4, 2, 0)


def test_scenes_that_were_looked_at_are_not_looked_at_again(tmp_path, monkeypatch):
    own, scene = look(tmp_path), write_scene(tmp_path / 'rooms', 'train_0', 0)
    (first,) = see_all([(scene, None)], own)
    monkeypatch.setattr(features, 'see', None)
    assert see_all([(scene, None)], own) == [first]


def test_another_student_does_not_get_the_features_of_the_first(tmp_path):
    own = look(tmp_path)
    torch.manual_seed(1)
    other = Look(Student(SMALL).eval(), own.cache)
    assert features.fingerprint(own) != features.fingerprint(other)


def test_an_adapter_of_another_form_leaves_the_features_of_its_student_valid(tmp_path):
    own = look(tmp_path)
    before = features.fingerprint(own)
    text = SimpleNamespace(name='toy', dim=4)
    student = with_pooling(own.student, Recipe(pooling=MOMENTS, hidden=8), text, 'toy')
    assert student.config.pooling == MOMENTS != own.student.config.pooling
    assert features.fingerprint(own) == before


def test_a_scene_of_another_clip_is_skipped_and_counted(tmp_path, caplog):
    own, rooms = look(tmp_path), tmp_path / 'rooms'
    scenes = [write_scene(rooms, f'train_{k}', k) for k in range(2)]
    files = [
        write_teacher(tmp_path / 'teacher' / f'{s.name}.safetensors', clip)
        for s, clip in zip(scenes, ('toy', 'ViT-L'), strict=True)
    ]
    seen = see_all([(s, None) for s in scenes], own)
    taught = [Taught(s.name, f, t, True) for s, f, t in zip(scenes, seen, files, strict=True)]
    _, counts = gather(taught, NAMES, 'toy', Recipe())
    assert (counts.scenes, counts.skipped) == (1, 1)
    assert 'ViT-L' in caplog.text
    assert 'train_1' in caplog.text


def test_a_half_written_teacher_file_is_skipped_and_counted_and_the_others_are_learned(
    tmp_path, caplog
):
    own, rooms = look(tmp_path), tmp_path / 'rooms'
    scenes = [write_scene(rooms, f'train_{k}', k) for k in range(2)]
    files = [write_teacher(tmp_path / 'teacher' / f'{s.name}.safetensors') for s in scenes]
    files[0].write_bytes(files[0].read_bytes()[:-9])
    seen = see_all([(s, None) for s in scenes], own)
    taught = [Taught(s.name, f, t, True) for s, f, t in zip(scenes, seen, files, strict=True)]
    _, counts = gather(taught, NAMES, 'toy', Recipe())
    assert (counts.scenes, counts.skipped) == (1, 1)
    assert 'train_0 skipped' in caplog.text


def test_objects_that_no_view_sees_or_all_views_name_otherwise_are_said_per_scene(
    tmp_path, caplog
):
    own = look(tmp_path)
    scene = write_scene(tmp_path / 'rooms', 'train_7', 0)
    views = np.zeros((3, 2, NAMES.shape[1]), np.float32)
    views[0] = NAMES[[0, 1]]  # the views of the first disagree, nothing sees the second
    views[2] = NAMES[2]
    visibility = np.array([[5, 5], [0, 0], [5, 5]], np.float32)
    file = write_teacher(tmp_path / 'teacher' / 'train_7.safetensors')
    save_file({'embeddings': views, 'visibility': visibility}, file, {'clip': 'toy'})
    other = write_scene(tmp_path / 'rooms', 'train_8', 1)
    good = write_teacher(tmp_path / 'teacher' / 'train_8.safetensors')
    seen = see_all([(scene, None), (other, None)], own)
    taught = [
        Taught(name, features, path, True)
        for name, features, path in zip(('train_7', 'train_8'), seen, (file, good), strict=True)
    ]
    with caplog.at_level('INFO'):
        _, counts = gather(taught, NAMES, 'toy', Recipe())
    assert (counts.unseen, counts.disagreed) == (2, 1)
    told = [line for line in caplog.messages if line.startswith('train_')]
    assert told == [
        'train_7: no view sees 1 of 3 objects, the views of 1 all disagree',
        'train_8: no view sees 1 of 3 objects, the views of 0 all disagree',
    ]


def test_an_unlabelled_scene_is_learned_from_by_its_teachers_masks_if_the_recipe_says_so(tmp_path):
    own = look(tmp_path)
    scene = write_scene(tmp_path / 'rooms', 'unlabelled_0', 0, labelled=False)
    _, instance = three_heaps(0)
    path = tmp_path / 'teacher' / 'unlabelled_0.safetensors'
    file = write_teacher(path, point_instance=instance)
    (seen,) = see_all([(scene, file)], own)
    taught = [Taught(scene.name, seen, file, False)]
    data, _ = gather(taught, NAMES, 'toy', Recipe(unlabelled=True))
    assert len(data.teacher) == 2
    with pytest.raises(ValueError, match='no scene has an object'):
        gather(taught, NAMES, 'toy', Recipe())


def test_words_that_a_teacher_was_given_are_known_where_nobody_labelled_anything(tmp_path):
    rooms, teacher = tmp_path / 'rooms', tmp_path / 'teacher'
    for number, words in enumerate((['forklift', 'chair'], ['pallet'])):
        write_scene(rooms, f'unlabelled_{number}', 0, labelled=False)
        file = teacher / f'unlabelled_{number}.safetensors'
        write_teacher(file, metadata={'names': json.dumps(words)})
    known = Sources(((rooms, teacher),)).names()
    assert known == ('chair', 'forklift', 'pallet')
    everything = asked_names(Recipe(ask=ALL_NAMES), known)
    assert {'forklift', 'bulletin board'} <= set(everything)
    write_scene(rooms, 'train_0', 0)
    assert Sources(((rooms, teacher),)).names() == ('a', 'b', 'c')


def test_a_teacher_that_was_given_no_words_leaves_voters_without_any(tmp_path):
    write_scene(tmp_path / 'rooms', 'unlabelled_0', 0, labelled=False)
    write_teacher(tmp_path / 'teacher' / 'unlabelled_0.safetensors')
    known = Sources(((tmp_path / 'rooms', tmp_path / 'teacher'),)).names()
    assert known == ()
    with pytest.raises(ValueError, match='teach with --names'):
        asked_names(Recipe(), known)


def test_a_scene_with_neither_truth_nor_taught_masks_is_said_and_left_out(tmp_path):
    own = look(tmp_path)
    scene = write_scene(tmp_path / 'rooms', 'unlabelled_0', 0, labelled=False)
    file = write_teacher(tmp_path / 'teacher' / 'unlabelled_0.safetensors')
    assert see_all([(scene, file)], own) == [None]
    with pytest.raises(ValueError, match='no masks of its own'):
        read_given_masks(scene, file)


@pytest.mark.parametrize('pooling', [FOLK, LEVELS, MOMENTS])
def test_features_of_the_cache_are_what_the_running_student_pools(pooling):
    torch.manual_seed(0)
    student = Student(SMALL).eval()
    cloud, instance = three_heaps()
    given = GivenMasks(cloud, *masks_from_owners(instance))
    seen = see(student, given, 0, np.random.default_rng(0))
    rows = np.flatnonzero(seen.origin == GIVEN)
    voxels = voxelize(cloud, SMALL.voxel_size_m)
    with torch.no_grad():
        sight = student.look(voxels)
    on_grid = given.on_voxels(np.ones(3000, bool), voxels.point_to_voxel, len(voxels))
    owner, voxel = torch.from_numpy(on_grid).nonzero(as_tuple=True)
    masks = (owner, voxel, torch.ones(len(owner)))
    direct = pool_for_adapter(pooling, sight.features, sight.levels, masks, SMALL.voxel_size_m)
    assert np.allclose(adapter_reads(seen, pooling)[rows], direct.detach().numpy(), atol=1e-3)
    assert seen.owner[rows].tolist() == [0, 1, 2]


def test_attention_learns_from_what_the_running_student_attends_to():
    torch.manual_seed(0)
    student = Student(replace(SMALL, pooling=ATTENTION)).eval()
    cloud, instance = three_heaps()
    given = GivenMasks(cloud, *masks_from_owners(instance))
    seen = see(student, given, 0, np.random.default_rng(0))
    base = torch.from_numpy(adapter_reads(seen, ATTENTION)[seen.origin == GIVEN])
    voxels = voxelize(cloud, SMALL.voxel_size_m)
    with torch.no_grad():
        sight = student.look(voxels)
        on_grid = given.on_voxels(np.ones(3000, bool), voxels.point_to_voxel, len(voxels))
        owner, voxel = torch.from_numpy(on_grid).nonzero(as_tuple=True)
        running = student.adapter_input(sight, owner, voxel, torch.ones(len(owner)))
        for k in range(3):
            inside = at_finest(sight.features, sight.levels, voxel[owner == k])[None]
            learned = attend(student.adapter, base[k : k + 1], inside)
            assert torch.allclose(running[k], learned[0], atol=1e-3)
    assert running.shape[1] == student.adapter.mlp[0].in_features


def test_predicted_masks_come_first_and_keep_their_points():
    torch.manual_seed(0)
    student = Student(SMALL).eval()
    cloud, instance = three_heaps()
    given = GivenMasks(cloud, *masks_from_owners(instance))
    seen = see(student, given, 0, np.random.default_rng(0))
    count = int((seen.origin == PREDICTED).sum())
    assert (seen.origin[:count] == PREDICTED).all()
    assert len(seen.starts) == count + 1
    assert seen.starts[-1] == len(seen.points)


def test_feature_files_come_back_as_they_were(tmp_path):
    own, scene = look(tmp_path), write_scene(tmp_path / 'rooms', 'train_0', 0)
    (path,) = see_all([(scene, None)], own)
    seen = load_seen(path, tokens=True)
    assert seen.tokens.shape == (len(seen), features.TOKENS, seen.mean.shape[1])
    path.write_bytes(b'half')
    with pytest.raises(ValueError, match='not a feature file'):
        load_seen(path)
