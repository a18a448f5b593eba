"""`folk teach`: one CLIP embedding for each instance and view of the scenes."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from folk_ros.cli.output import CommandFailed, Progress, say

TOWER: list[Any] = []  # of a worker process


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
    parser.add_argument('--workers', type=int, default=1, help='processes (default: 1)')
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Teach every scene that has no teacher file yet; a bad scene is named and skipped."""
    from concurrent.futures import as_completed, ProcessPoolExecutor
    from functools import partial
    import multiprocessing

    from folk_ros.training.scenes.splits import split_folders

    folders = split_folders(args.rooms, args.split)
    todo = [f for f in folders if not (args.out / f'{f.name}.safetensors').is_file()]
    progress, failed = Progress('scenes', len(folders)), []
    progress.reach(len(folders) - len(todo))
    fresh = multiprocessing.get_context('spawn')  # torch does not survive a fork
    with ProcessPoolExecutor(args.workers, fresh, _load_tower, (args.clip,)) as pool:
        jobs = {pool.submit(partial(teach_folder, folder, args.out)): folder for folder in todo}
        for job in as_completed(jobs):
            try:
                job.result()
            except (ValueError, OSError) as error:
                failed.append(jobs[job].name)
                say(f'{jobs[job].name}: {error}')
            progress.step()
    if failed:
        raise CommandFailed(f'{len(failed)} of {len(folders)} scenes failed (first: {failed[0]})')
    return 0


def _load_tower(clip: str) -> None:
    """Load the image tower once in each worker process, which has one thread."""
    import torch

    from folk_ros.resources import model_folder
    from folk_ros.training.demo_clip.tower import IMAGE_WEIGHTS, load_image_tower

    torch.set_num_threads(1)
    TOWER.append(load_image_tower(model_folder(clip) / IMAGE_WEIGHTS))


def teach_folder(folder: Path, out: Path) -> None:
    """Teach one scene, in a worker process."""
    from folk_ros.training.scenes.scene import load_scene
    from folk_ros.training.teacher.teacher import save_teacher_file, teach_scene, TeacherConfig

    save_teacher_file(teach_scene(load_scene(folder), TOWER[0], TeacherConfig()), out)
