from dataclasses import replace
import json

import numpy as np
import pytest
from safetensors.numpy import save_file
import torch

from folk_ros.cli.main import main
from folk_ros.student.student import Student, StudentConfig
from folk_ros.training.distill.joint import fine_tune, JointTrainer, Plan
from folk_ros.training.distill.lessons import read_lessons
from folk_ros.training.distill.recipes import recipe
from folk_ros.training.distill.run import digest, Material, Run, Sources
from folk_ros.training.distill.samples import Taught
from folk_ros.training.masks.presets import Preset
from folk_ros.training.masks.samples import CropConfig
from folk_ros.training.masks.sources import Source
from folk_ros.training.masks.trained import load_trained
from folk_ros.training.masks.trainer import MaskTraining

CONFIG = StudentConfig(
    encoder=(8, 8, 8), decoder=(8, 8), decoder_reads=(1,), pooling='moments', embedding_dim=4
)
TINY = Preset(CONFIG, CropConfig(voxels=800))
ASKED = np.eye(3, 4, dtype=np.float32)  # red box, green box, blue box
COLOURS = ((200, 0, 0), (0, 200, 0), (0, 0, 200))
RECIPE = recipe('best_unlabelled')


def write_scene(folder, teacher, labelled, seen=(5, 5, 5)):
    """A floor with a red, a green and a blue box, and what a teacher says of them."""
    rng = np.random.default_rng(len(folder.name))
    floor = np.c_[rng.uniform(0, 2, (6000, 2)), np.zeros(6000)]
    boxes = [rng.uniform(0, 0.4, (1500, 3)) + [0.2 + 0.6 * k, 0.5, 0.05] for k in range(3)]
    owner = np.repeat([-1, 0, 1, 2], [6000, 1500, 1500, 1500]).astype(np.int32)
    colour = np.array([*COLOURS, (99, 99, 99)], np.uint8)[owner]
    folder.mkdir(parents=True)
    xyz = np.concatenate([floor, *boxes]).astype(np.float32)
    known = {'instance': owner} if labelled else {}
    np.savez(folder / 'cloud.npz', xyz=xyz, rgb=colour, **known)
    if labelled:
        (folder / 'truth.json').write_text(json.dumps({'names': ['box', 'box', 'box']}))
        masks = {}
    else:
        masks = {'point_instance': owner, 'quality': np.ones(3, np.float32)}
    teacher.parent.mkdir(exist_ok=True)
    views = {'embeddings': ASKED[:, None], 'visibility': np.array(seen, np.float32)[:, None]}
    save_file(views | masks, teacher, {'clip': 'toy'})
    return folder, teacher


@pytest.fixture
def scenes(tmp_path):
    rooms, said = tmp_path / 'rooms', tmp_path / 'teacher'
    return [
        write_scene(rooms / 'train_0', said / 'a', True, (5, 5, 0)),  # the blue one is never seen
        write_scene(rooms / 'unlabelled_0', said / 'b', False),
    ]


def read(scenes):
    return read_lessons(scenes, ('box',), ASKED, 'toy', RECIPE)


def trainer(scenes, out, **config):
    settings = {'steps': 40, 'crops': 2, 'save_every': 50, 'bfloat16': False, 'warm_up': 1}
    rooms = scenes[0][0].parent
    return JointTrainer(
        [Source(rooms)], out, MaskTraining(**settings | config), TINY, lessons=read(scenes)
    )


def test_labels_of_a_crop_are_the_rows_that_speak_of_the_things_in_it(scenes):
    lessons, told = read(scenes), set()
    for scene, lesson in enumerate(lessons.scenes):
        for seed in range(4):  # some crops lose their colour
            crop = lessons.crop(lesson, CropConfig(voxels=4000), np.random.default_rng(seed))
            for number, row in enumerate(crop.label.tolist()):
                assert row // 3 == scene
                colour = crop.inputs[crop.instance == number][:, :3].mean(0)
                if colour.max() - colour.min() > 0.2:
                    assert int(colour.argmax()) == row % 3
                    told.add(row)
    assert told == set(range(6))
    assert lessons.odds.argmax(1)[lessons.known].tolist() == [0, 1, 0, 1, 2]


def test_what_no_view_sees_teaches_no_word_but_keeps_its_true_name(scenes):
    lessons = read(scenes)
    assert lessons.known.tolist() == [True, True, False, True, True, True]
    assert lessons.label.tolist() == [0, 0, 0, -1, -1, -1]


def test_scenes_without_truth_teach_words_and_no_masks(scenes, tmp_path):
    own = trainer(scenes, tmp_path / 'out')
    rng = np.random.default_rng(0)
    labelled, unlabelled = (
        own.lessons.crop(lesson, CropConfig(voxels=4000), rng) for lesson in own.lessons.scenes
    )
    assert {'contrastive', 'label', 'cosine', 'mask_0'} <= set(own._losses([labelled]))
    words = own._losses([unlabelled])
    assert {'contrastive', 'label', 'cosine'} <= set(words)
    assert not {'mask_0', 'foreground', 'offset'} & set(words)


def test_the_backbone_learns_the_words_of_the_teacher(scenes, tmp_path):
    own = trainer(scenes, tmp_path / 'out')
    stem = own.student.backbone.stem.weight.detach().clone()
    crops = [
        own.lessons.crop(lesson, TINY.crop, np.random.default_rng(9))
        for lesson in own.lessons.scenes
    ]

    def doubt():
        with torch.no_grad():
            return float(own._losses(crops)['label'])

    before = doubt()
    own.run()
    assert doubt() < 0.6 * before
    assert not torch.equal(own.student.backbone.stem.weight, stem)


def test_a_student_is_tuned_once_and_can_be_distilled_after(scenes, tmp_path, monkeypatch):
    monkeypatch.setattr('folk_ros.training.distill.joint.PRESETS', {'tiny': TINY})
    plan = Plan(tmp_path / 'joint', steps=2)
    student = Student(CONFIG)
    lessons = read(scenes)
    tuned = load_trained(fine_tune(plan, student, lessons, 'toy'))
    assert tuned.config.pooling == 'moments'
    assert not torch.equal(
        tuned.state_dict()['backbone.stem.weight'], student.state_dict()['backbone.stem.weight']
    )
    stamp = (plan.folder / 'checkpoint.safetensors').stat().st_mtime_ns
    fine_tune(plan, student, lessons, 'toy')
    assert (plan.folder / 'checkpoint.safetensors').stat().st_mtime_ns == stamp


def test_an_adapter_of_a_network_tuned_since_is_not_gone_on_with(tmp_path):
    run = Run(
        Sources(((tmp_path, tmp_path),)), tmp_path, tmp_path / 'out', tmp_path, 'toy', RECIPE
    )
    names = [
        digest(run, Material(None, (), (Taught('a', tmp_path / tuned / 'a', tmp_path, True),)))
        for tuned in ('before', 'before', 'after')
    ]
    assert names[0] == names[1] != names[2]


def test_an_ablation_does_not_pretend_to_tune_jointly(tmp_path, capsys):
    words = ['distill', '--rooms', 'r', '--teacher', 't', '--out', 'o', '--val', 'v']
    assert main([*words, '--ablate', 'a.json', '--joint', str(tmp_path)]) == 2
    assert '--joint: an ablation compares adapters' in capsys.readouterr().err


def test_a_scene_with_more_objects_than_its_teacher_speaks_of_is_refused(scenes):
    lessons = read(scenes)
    short = replace(lessons.scenes[0], count=2)
    with pytest.raises(ValueError, match='speaks of 2 masks, the scene has 3'):
        lessons.crop(short, TINY.crop, np.random.default_rng(0))


def test_a_student_of_no_preset_is_refused(scenes, tmp_path):
    with pytest.raises(ValueError, match='knows the presets rooms, tabletop'):
        fine_tune(Plan(tmp_path), Student(StudentConfig(voxel_size_m=0.07)), read(scenes), 'toy')


def test_a_teacher_of_another_clip_is_left_out_and_said(scenes, caplog):
    with pytest.raises(ValueError, match='no scene has an object that a view names'):
        read_lessons(scenes, ('box',), ASKED, 'other', RECIPE)
    assert "live in 'toy'" in caplog.text
