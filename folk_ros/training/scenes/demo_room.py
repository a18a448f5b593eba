"""
Make the shipped demo room: `python -m folk_ros.training.scenes.demo_room resource/demo 296`.

A room of the test split, seed 0, which no training ever saw. Its ten largest free-standing objects
are the ones that the demo is scored on; the other objects stay in the cloud.
"""

from __future__ import annotations

from dataclasses import replace
import json
import os
from pathlib import Path
import sys

import numpy as np

from folk_ros.cloud_files import replacing
from folk_ros.training.scenes.generate import plan
from folk_ros.training.scenes.scene import Scene
from folk_ros.training.scenes.synthetic import make_scene, RoomConfig

OBJECTS = 10
BUILDING = ('door', 'window', 'curtain', 'blinds', 'mirror', 'picture', 'poster', 'radiator')
QUESTIONS = ('something to sit on', 'fridge', 'giraffe')


def largest_objects(scene: Scene) -> list[int]:
    """Return the rows of the objects with the most points, parts of the building left out."""
    assert scene.truth is not None
    owner = scene.truth.point_instance
    size = np.bincount(owner[owner >= 0], minlength=len(scene.truth.names))
    free = [row for row, name in enumerate(scene.truth.names) if name not in BUILDING]
    return sorted(sorted(free, key=lambda row: -size[row])[:OBJECTS])


def write_demo_room(out: Path, number: int) -> None:
    """Write room.npz and room.json of room `number` of the test split to a folder."""
    job = plan(Path(), {'test': number + 1}, 0, RoomConfig())[number]
    scene = make_scene(job.seed, replace(job.config, novel=False), job.scene_id)
    assert scene.truth is not None
    rows = largest_objects(scene)
    number_of = np.full(len(scene.truth.names) + 1, -1, np.int32)  # the last for "none"
    number_of[rows] = np.arange(len(rows))
    about = {
        'names': [scene.truth.names[row] for row in rows],
        'questions': QUESTIONS,
        'room': f'{scene.scene_id} of seed 0, {scene.facts["kind"]}',
    }
    out.mkdir(parents=True, exist_ok=True)
    with replacing(out / 'room.npz') as file:
        np.savez_compressed(
            file,
            xyz=np.round(scene.cloud.xyz, 3).astype(np.float32),  # millimetres pack well
            rgb=np.asarray(scene.cloud.rgb),
            instance=number_of[scene.truth.point_instance].astype(np.int16),
        )
    temporary = out / 'room.json.part'
    temporary.write_text(json.dumps(about, indent=1) + '\n')
    os.replace(temporary, out / 'room.json')


if __name__ == '__main__':
    write_demo_room(Path(sys.argv[1]), int(sys.argv[2]))
