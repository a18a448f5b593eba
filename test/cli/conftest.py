"""A room of two boxes, and a student that was never trained: enough to try commands on."""

import numpy as np
import pytest

from folk_ros.structures import PointCloud


@pytest.fixture(scope='session')
def small_cloud():
    """A floor of 2 m x 2 m with a red and a blue box on it; 8,000 points."""
    rng = np.random.default_rng(0)
    floor = rng.uniform((0, 0, 0), (2, 2, 0.01), (4000, 3))
    boxes = [
        rng.uniform(low, np.add(low, 0.4), (2000, 3)) for low in ((0.2, 0.2, 0), (1.2, 1.2, 0))
    ]
    rgb = np.repeat([(90, 90, 90), (200, 0, 0), (0, 0, 200)], (4000, 2000, 2000), axis=0)
    return PointCloud(
        np.concatenate([floor, *boxes]).astype(np.float32), rgb.astype(np.uint8), 'map'
    )


@pytest.fixture(scope='session')
def small_truth():
    """Which of the 8,000 points is which box, -1 for the floor."""
    return np.repeat([-1, 0, 1], (4000, 2000, 2000)).astype(np.int32)


@pytest.fixture(scope='session')
def untrained_model(tmp_path_factory):
    """Return a model folder; its student finds blobs, and names them by chance."""
    import torch

    from folk_ros.query import Vocabulary
    from folk_ros.resources import text_tower_place
    from folk_ros.student.student import Student, StudentConfig
    from folk_ros.student.weights import save_student
    from folk_ros.text import load_text_tower

    tower = load_text_tower(text_tower_place('demo_clip'))
    torch.manual_seed(0)
    config = StudentConfig(clip=tower.name, text_tower='demo_clip', embedding_dim=tower.dim)
    student = Student(config).eval()
    with torch.no_grad():
        student.fields.out.bias[-2:] = torch.tensor([2.0, 4.0])  # seeds, foreground: everywhere
    names = ('chair', 'table', 'bed')
    vocabulary = Vocabulary(names, tower.encode(names), tower.logit_scale, floor=0.0)
    folder = tmp_path_factory.mktemp('untrained')
    save_student(folder / 'student.safetensors', student, vocabulary)
    return folder
