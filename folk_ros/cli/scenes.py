"""`folk scenes`: make scenes to learn from, count what is in them, look at one."""

from __future__ import annotations

import argparse
from collections import Counter
import os
from pathlib import Path
from typing import Any, TYPE_CHECKING

from folk_ros.cli.output import as_json, Progress, say, table

if TYPE_CHECKING:
    from folk_ros.structures import Instances
    from folk_ros.training.scenes.scene import Scene

NAMES_SHOWN = 15


def add_parser(commands: Any) -> None:
    """Add `folk scenes` to the parser."""
    parser = commands.add_parser(
        'scenes',
        help='make and look at scenes to learn from',
        description='Make scenes to learn from, count what is in them, look at one.',
        epilog='Example: folk scenes rooms --out scenes --train 40 --val 8',
    )
    actions = parser.add_subparsers(metavar='ACTION', required=True)
    _add_rooms(actions)
    stats = actions.add_parser(
        'stats',
        help='count scenes, points, views and objects',
        description='Count scenes, points, views and objects of a folder of scenes.',
        epilog='Example: folk scenes stats scenes',
    )
    stats.add_argument('folder', help='folder of scene folders')
    stats.add_argument('--json', action='store_true', help='print JSON instead of a table')
    stats.set_defaults(run=run_stats)
    show = actions.add_parser(
        'show',
        help='draw one scene with its true objects',
        description='Draw one scene with its true objects.',
        epilog='Example: folk scenes show scenes/val_00001 --out room.png',
    )
    show.add_argument('scene', help='scene folder')
    show.add_argument('--out', required=True, metavar='PNG', help='picture to write')
    show.set_defaults(run=run_show)


def _add_rooms(actions: Any) -> None:
    rooms = actions.add_parser(
        'rooms',
        help='make furnished rooms, filmed by a simulated RGB-D camera',
        description='Make furnished rooms, filmed by a simulated RGB-D camera. The same seed '
        'gives the same rooms on any number of workers; those already there are skipped.',
        epilog='Example: folk scenes rooms --out scenes --train 40 --val 8 --workers 2',
    )
    rooms.add_argument('--out', required=True, help='folder to write train_00000/ ... to')
    rooms.add_argument('--train', type=int, default=40, help='rooms to learn from (default: 40)')
    rooms.add_argument('--val', type=int, default=8, help='rooms to score on (default: 8)')
    rooms.add_argument('--test', type=int, default=0, help='rooms kept apart (default: 0)')
    rooms.add_argument('--seed', type=int, default=0, help='seed (default: 0)')
    rooms.add_argument('--workers', type=int, default=os.cpu_count() or 1, help='processes')
    rooms.set_defaults(run=run_rooms)


def run_rooms(args: argparse.Namespace) -> int:
    """Make rooms, with a line that says how far it is."""
    splits = {'train': args.train, 'val': args.val, 'test': args.test}
    if min(*splits.values(), args.seed) < 0:
        raise ValueError('--train, --val, --test and --seed: expected 0 or more')
    from folk_ros.training.scenes.generate import generate_rooms

    progress = Progress('rooms', sum(splits.values()))
    folders = generate_rooms(
        args.out,
        splits,
        args.seed,
        args.workers,
        progress=lambda done, total, scene_id: progress.reach(done, scene_id),
    )
    say(f'{len(folders)} rooms are in {args.out}')
    return 0


def run_stats(args: argparse.Namespace) -> int:
    """Count what is in a folder of scenes."""
    from folk_ros.training.scenes.scene import load_scene

    folders = scene_folders(Path(args.folder))
    names: Counter[str] = Counter()
    novel: set[str] = set()
    points = views = 0
    progress = Progress('scenes', len(folders))
    for folder in folders:
        scene = load_scene(folder)
        points, views = points + len(scene.cloud), views + len(scene.views)
        if scene.truth is not None:
            names.update(scene.truth.names)
            rows = zip(scene.truth.names, scene.truth.novel, strict=True)
            novel |= {name for name, is_novel in rows if is_novel}
        progress.step()
    totals = {
        'scenes': len(folders),
        'points': points,
        'views': views,
        'objects': names.total(),
        'names': len(names),
        'novel_names': len(novel),
    }
    if args.json:
        print(as_json({**totals, 'objects_by_name': dict(names.most_common())}))
        return 0
    print(table(('what', 'how many'), [(key, str(value)) for key, value in totals.items()]))
    print()
    common = names.most_common(NAMES_SHOWN)
    print(table(('most frequent', 'objects'), [(name, str(count)) for name, count in common]))
    return 0


def run_show(args: argparse.Namespace) -> int:
    """Draw the cloud of a scene with its true objects."""
    if Path(args.out).suffix.lower() != '.png':
        raise ValueError(f'--out {args.out}: expected a name that ends in .png')
    from folk_ros.draw import draw_overview
    from folk_ros.training.scenes.scene import load_scene

    scene = load_scene(args.scene)
    instances, labels = true_instances(scene)
    draw_overview(scene.cloud, instances, labels, args.out, scene.scene_id)
    say(f'wrote {args.out}')
    return 0


def scene_folders(folder: Path) -> list[Path]:
    """Return the scene folders in a folder; ValueError if there is none."""
    found = sorted(path.parent for path in folder.glob('*/cloud.npz'))
    if not found:
        raise ValueError(
            f'{folder}: expected scene folders with cloud.npz, found none; make some: '
            'folk scenes rooms --out DIR'
        )
    return found


def true_instances(scene: Scene) -> tuple[Instances, list[str]]:
    """Return the true objects of a scene that have points, with their names."""
    import numpy as np

    from folk_ros.instances import assemble
    from folk_ros.structures import Instances
    from folk_ros.voxels import voxelize

    if scene.truth is None or not (scene.truth.point_instance >= 0).any():
        return Instances.empty(1, scene.cloud), []
    voxels = voxelize(scene.cloud, 0.02)
    truth = scene.truth.point_instance
    seen, owner_of_point = np.unique(truth[truth >= 0], return_inverse=True)
    pairs = np.stack([owner_of_point.reshape(-1), voxels.point_to_voxel[truth >= 0]], 1)
    owner, rows = np.unique(pairs, axis=0).T  # voxel by voxel, each once per object
    count = len(seen)
    instances = assemble(
        owner,
        rows,
        np.ones(count, np.float32),
        np.zeros((count, 1), np.float32),
        scene.cloud,
        voxels,
    )
    return instances, [scene.truth.names[index] for index in seen]
