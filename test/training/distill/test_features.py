import json

import numpy as np
from safetensors.numpy import save_file
import torch

from folk_ros.student.student import Student, StudentConfig
from folk_ros.training.distill.features import collect, Look, scene_folders

SMALL = StudentConfig(
    encoder=(8, 8, 8), decoder=(8, 8), decoder_reads=(1,), embedding_dim=4, clip='toy'
)


def write_scene(rooms, teacher, scene_id, seed):
    rng = np.random.default_rng(seed)
    xyz = rng.uniform(0, 0.4, (3000, 3)).astype(np.float32)
    xyz[1000:2000, 0] += 1.0
    xyz[2000:, 1] += 1.0
    instance = np.repeat([0, 1, 2], 1000).astype(np.int32)
    folder = rooms / scene_id
    folder.mkdir(parents=True)
    rgb = rng.integers(0, 255, (3000, 3)).astype(np.uint8)
    np.savez(folder / 'cloud.npz', xyz=xyz, rgb=rgb, instance=instance)
    (folder / 'truth.json').write_text(json.dumps({'names': ['a', 'b', 'c']}))
    views = np.eye(3, 4, dtype=np.float16)[:, None]  # instance k looks like word k
    visibility = np.array([[5], [5], [0]], np.float32)  # the third is never seen
    teacher.mkdir(exist_ok=True)
    path = teacher / f'{scene_id}.safetensors'
    save_file({'embeddings': views, 'visibility': visibility}, path, {'clip': 'toy'})


def test_samples_carry_the_label_of_their_instance_and_unseen_ones_are_left_out(tmp_path):
    rooms, teacher = tmp_path / 'rooms', tmp_path / 'teacher'
    for k in range(2):
        write_scene(rooms, teacher, f'train_{k}', k)
    torch.manual_seed(0)
    look = Look(Student(SMALL).eval(), np.eye(3, 4, dtype=np.float32))
    data = collect(scene_folders(rooms, teacher, 'train'), look)
    assert set(data.label.tolist()) == {0, 1}
    assert torch.equal(data.teacher.argmax(1), data.label)
    assert set(data.instance.tolist()) == {0, 1, 3, 4}  # objects of two scenes stay apart
    assert len(data.pooled) >= 8  # two looks at four objects, predicted masks may add some
    again = collect(scene_folders(rooms, teacher, 'train'), look)
    assert torch.equal(data.pooled, again.pooled)
