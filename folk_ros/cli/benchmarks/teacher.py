"""
Measure the student against the two teachers: one room, one machine, the same masks.

The room is filmed as OpenMask3D's data are: a minute's walk at 30 Hz, of which each tenth image
of 640 x 480 is looked at. The images hold noise, because time does not depend on what they show.
The student finds the masks, and is charged for that; the teachers only name them. Published
times, the paper's 152 and 6 among them, charge everyone for masks: `_whole_over_student` are those
ratios. Seconds are of one processor core, which other programs do not add to.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
import statistics
import time

import numpy as np
import torch

from folk_ros.cli.output import say
from folk_ros.config import FolkConfig, SegmentConfig
from folk_ros.pipeline import Folk
from folk_ros.resources import model_folder
from folk_ros.training.scenes.filming.camera_path import walk
from folk_ros.training.scenes.filming.film import Lens
from folk_ros.training.scenes.rendering.raycast import cast
from folk_ros.training.scenes.scene import Scene, View
from folk_ros.training.scenes.synthetic import build_room, make_scene, RoomConfig
from folk_ros.training.teacher.image_tower import (
    half_type,
    ImageTower,
    load_tower,
    random_tower,
)
from folk_ros.training.teacher.run import as_predicted
from folk_ros.training.teacher.teacher import Predicted, teach_scene, TeacherConfig

CROP_TOWER = 'ViT-L-14-336'
FILM = RoomConfig(views=180, width=640, height=480)
SEED = 0
RUNS = 3
PASSES = 2  # of the large tower that are timed


class CountingTower:
    """Embeds nothing; counts the crops that a tower would have to look at."""

    name = 'counting'

    def __init__(self, dim: int) -> None:
        self.dim, self.crops = dim, 0

    def dense(self, images: torch.Tensor) -> torch.Tensor:
        """Return zeros [B, D, 1, 1]."""
        return torch.zeros(len(images), self.dim, 1, 1)

    def embed_crops(self, crops: Sequence[torch.Tensor]) -> torch.Tensor:
        """Return the same for each crop."""
        self.crops += len(crops)
        return torch.full((len(crops), self.dim), self.dim**-0.5)


def run(model: str) -> dict[str, float]:
    """Return seconds per scene of student and teachers, and how many times faster it is."""
    scene = make_scene(SEED, RoomConfig())
    folk = Folk.load(model, FolkConfig(segment=SegmentConfig(threads=1)))
    torch.set_num_threads(1)  # the same for all three
    student_s = statistics.median(_segment(folk, scene) for _ in range(RUNS + 1))
    folk.reset()
    found = as_predicted(folk.segment(scene.cloud))
    say(f'{len(found.quality)} masks; filming {FILM.views} images of the room ...')
    film = replace(scene, views=_film())
    tower = load_tower(model_folder('demo_clip'), mixed=True)
    small_s, _ = _teach(scene, tower, TeacherConfig(), found)
    mask_s, pairs = _teach(film, tower, TeacherConfig(), found)
    counting = CountingTower(tower.dim)
    rest_s, _ = _teach(film, counting, TeacherConfig(pooling='crops'), found)
    say(f'timing {PASSES} of {counting.crops} passes of {CROP_TOWER} ...')
    pass_s = _pass_s()
    crops_s = rest_s + counting.crops * pass_s
    return {
        'teacher_student_s': student_s,
        'teacher_mask_s': mask_s,
        'teacher_crops_s': crops_s,
        'teacher_mask_over_student': mask_s / student_s,
        'teacher_crops_over_student': crops_s / student_s,
        'teacher_mask_whole_over_student': (mask_s + student_s) / student_s,
        'teacher_crops_whole_over_student': (crops_s + student_s) / student_s,
        'teacher_masks': float(len(found.quality)),
        'teacher_masks_times_views': float(pairs),
        'teacher_crop_passes_counted': float(counting.crops),
        'teacher_crop_pass_s': pass_s,
        'teacher_mask_20_small_views_s': small_s,
        'teacher_mask_20_small_views_over_student': small_s / student_s,
    }


def _segment(folk: Folk, scene: Scene) -> float:
    """Return the seconds of one whole segmentation, nothing remembered from before."""
    folk.reset()
    start = time.process_time()
    folk.segment(scene.cloud)
    return time.process_time() - start


def _teach(
    scene: Scene, tower: ImageTower, config: TeacherConfig, found: Predicted
) -> tuple[float, int]:
    """Return the seconds of teaching a scene, and how many pairs of mask and view it looked at."""
    start = time.process_time()
    taught = teach_scene(scene, tower, config, found)
    return time.process_time() - start, int((taught.view_ids >= 0).sum())


def _film() -> list[View]:
    """Walk through the room of the scene with a faster camera; its images are noise."""
    build, stroll, sense = np.random.default_rng(SEED).spawn(3)
    built = build_room(build, RoomConfig())
    lens = Lens(FILM.width, FILM.height, FILM.field_of_view_deg)
    shape = (FILM.height, FILM.width)
    views = []
    for pose in walk(stroll, built.around, FILM.views, lens.tangents):
        camera = lens.at(pose)
        depth, _ = cast(built.stage.solids, camera)
        views.append(
            View(
                rgb=sense.integers(0, 256, (*shape, 3), np.uint8),
                depth=depth.astype(np.float32),
                intrinsics=camera.intrinsics.astype(np.float32),
                T_world_camera=pose.astype(np.float32),
            )
        )
    return views


def _pass_s() -> float:
    """Return the seconds that one crop costs the large tower: its fastest pass."""
    tower = random_tower(CROP_TOWER, compute=half_type('cpu'))
    crop = torch.rand(3, 200, 200)
    seconds = []
    for _ in range(PASSES + 1):
        start = time.process_time()
        tower.embed_crops([crop])
        seconds.append(time.process_time() - start)
    return min(seconds)
