"""`folk teach`: one CLIP embedding for each instance and view of the scenes."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from folk_ros.cli.output import CommandFailed, Progress, say


def add_parser(commands: Any) -> None:
    """Add `folk teach` to the parser."""
    parser = commands.add_parser(
        'teach',
        help='run the 2D CLIP teacher over scenes',
        description='Embed every instance of every scene in its best views; ready files are kept.',
        epilog='Example: folk teach --rooms rooms --out teacher',
    )
    parser.add_argument('--rooms', type=Path, required=True, help='folder with scenes train_*')
    parser.add_argument('--out', type=Path, required=True, help='folder of the teacher files')
    parser.add_argument(
        '--clip', default='demo_clip', help='shipped CLIP or model folder (default: demo_clip)'
    )
    parser.add_argument('--split', default='train', help='which scenes (default: train)')
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Teach every scene that has no teacher file yet; a bad scene is named and skipped."""
    from folk_ros.resources import model_folder
    from folk_ros.training.demo_clip.tower import IMAGE_WEIGHTS, load_image_tower
    from folk_ros.training.scenes.scene import load_scene
    from folk_ros.training.teacher.teacher import save_teacher_file, teach_scene, TeacherConfig

    folders = sorted(p.parent for p in args.rooms.glob(f'{args.split}_*/truth.json'))
    if not folders:
        raise ValueError(f'{args.rooms}: expected scene folders {args.split}_*/, found none')
    tower = load_image_tower(model_folder(args.clip) / IMAGE_WEIGHTS)
    progress, failed = Progress('scenes', len(folders)), []
    for folder in folders:
        if not (args.out / f'{folder.name}.safetensors').is_file():
            try:
                taught = teach_scene(load_scene(folder), tower, TeacherConfig())
                save_teacher_file(taught, args.out)
            except (ValueError, OSError) as error:
                failed.append(folder.name)
                say(f'{folder.name}: {error}')
        progress.step()
    if failed:
        raise CommandFailed(f'{len(failed)} of {len(folders)} scenes failed (first: {failed[0]})')
    return 0
