"""`folk teach`: one CLIP embedding for each instance and view of the scenes."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
import json
from pathlib import Path
from typing import Any, TYPE_CHECKING

from folk_ros.cli.output import CommandFailed, Progress, say, write_json

if TYPE_CHECKING:
    from folk_ros.training.teacher.run import Outcome, TeachJob

POOLINGS = ('mask', 'crops')
COMPLETIONS = ('none', 'coarse', 'full')


def add_parser(commands: Any) -> None:
    """Add `folk teach` to the parser."""
    parser = commands.add_parser(
        'teach',
        usage='folk teach --data DIR --out DIR [options]',
        help='run the 2D CLIP teacher over scenes',
        description='Embed every instance of every scene in the views that see it best. Scenes '
        'whose file is there are passed over, so a stopped run goes on where it was.',
        epilog='Examples: folk teach --rooms rooms --out teacher, '
        'folk teach --rooms rooms --split unlabelled --masks rooms --out teacher_u. '
        'The exit code is 1 if a scene could not be taught.',
    )
    _add_scenes(parser)
    look = parser.add_argument_group('how instances are looked at')
    look.add_argument(
        '--pooling',
        choices=POOLINGS,
        default='mask',
        metavar='HOW',
        help='mask, or crops as in OpenMask3D (default: mask)',
    )
    look.add_argument('--views', type=int, default=6, help='most visible views (default: 6)')
    look.add_argument(
        '--min-angle', type=float, default=5.0, metavar='DEG', help='between views (default: 5)'
    )
    look.add_argument(
        '--every', type=int, default=1, metavar='N', help='look at each Nth view (default: 1)'
    )
    look.add_argument(
        '--depth-tolerance',
        type=float,
        default=0.05,
        metavar='M',
        help='of a point that is seen, at its pixel (default: 0.05)',
    )
    look.add_argument(
        '--completion',
        choices=COMPLETIONS,
        default='full',
        metavar='HOW',
        help='of points to masks: none, coarse, full (default: full)',
    )
    _add_places(parser)
    parser.set_defaults(run=run)


def _add_places(parser: argparse.ArgumentParser) -> None:
    where = parser.add_argument_group('where it runs')
    where.add_argument('--workers', type=int, default=1, help='processes (default: 1)')
    where.add_argument(
        '--ray',
        metavar='ADDRESS',
        help='Ray cluster that sees these folders (auto, ray://…)',
    )
    where.add_argument('--device', default='cpu', help='torch device (default: cpu)')
    where.add_argument(
        '--full-precision', action='store_true', help='float32 also where half would be faster'
    )
    trials = parser.add_argument_group('the teacher on trial')
    trials.add_argument(
        '--ablate',
        action='store_true',
        help='with and without each step: print what each is worth',
    )
    trials.add_argument(
        '--results', type=Path, metavar='FILE.md', help='add that table to the results'
    )


def _add_scenes(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        '--data', '--rooms', dest='rooms', type=Path, required=True, help='folder of scene folders'
    )
    parser.add_argument('--out', type=Path, required=True, help='folder of the teacher files')
    parser.add_argument(
        '--split',
        default='train',
        help='train, val, test, unlabelled or all (default: train)',
    )
    parser.add_argument(
        '--clip',
        default='demo_clip',
        help="a folder or open_clip's ARCHITECTURE/WEIGHTS (default: demo_clip)",
    )
    parser.add_argument(
        '--masks',
        default='',
        metavar='STUDENT',
        help="of a student (shipped model or folder), or 'clusters', parted by gaps "
        '(default: the true ones)',
    )
    parser.add_argument(
        '--names',
        type=Path,
        metavar='FILE',
        help="to choose from, one a line (default: the objects')",
    )
    parser.add_argument('--json', metavar='FILE', help='also write the counts to a file')


def run(args: argparse.Namespace) -> int:
    """Teach every scene that has no teacher file yet; a bad scene is named and skipped."""
    from folk_ros.training.scenes.splits import split_folders

    if args.workers < 1:
        raise ValueError(f'--workers {args.workers}: expected 1 or more')
    folders = split_folders(args.rooms, args.split, labelled=not args.masks)
    job = _job(args, folders)
    if args.ablate:
        from folk_ros.cli.teach_ablation import ablate

        return ablate(args, job, folders)
    progress, counts = Progress('scenes', len(folders)), Counts()
    for outcome in _outcomes(args, job, folders):
        counts.add(outcome)
        if outcome.error:
            say(f'{outcome.scene_id}: {outcome.error}')
        elif outcome.unseen or outcome.views_missing:
            say(
                f'{outcome.scene_id}: no view sees {outcome.unseen} of {outcome.instances} '
                f'instances, {outcome.views_missing} images could not be read'
            )
        progress.step()
    say(str(counts))
    if args.json:
        write_json(args.json, vars(counts))
    if counts.failed:
        raise CommandFailed(
            f'{counts.failed} of {len(folders)} scenes failed; they are named above'
        )
    return 0


class Counts:
    """What became of the scenes."""

    def __init__(self) -> None:
        self.taught = self.kept = self.failed = 0
        self.instances = self.unseen = self.views_missing = 0

    def add(self, outcome: Outcome) -> None:
        """Count one scene."""
        self.failed += bool(outcome.error)
        self.kept += outcome.kept
        self.taught += not (outcome.error or outcome.kept)
        self.instances += outcome.instances
        self.unseen += outcome.unseen
        self.views_missing += outcome.views_missing

    def __str__(self) -> str:
        return (
            f'{self.taught} scenes taught, {self.kept} were there, {self.failed} failed; '
            f'{self.instances} instances, {self.unseen} of them seen by no view; '
            f'{self.views_missing} images could not be read'
        )


def _job(args: argparse.Namespace, folders: list[Path]) -> TeachJob:
    from folk_ros.training.teacher.run import TeachJob
    from folk_ros.training.teacher.teacher import TeacherConfig
    from folk_ros.training.teacher.variants import COMPLETIONS as STEPS

    config = TeacherConfig(
        pooling=args.pooling,
        views=args.views,
        min_angle_deg=args.min_angle,
        every=args.every,
        depth_tolerance_m=args.depth_tolerance,
        completion=STEPS[args.completion],
    )
    return TeachJob(
        out=args.out.resolve(),
        clip=args.clip,
        names=_names(args.names, folders),
        masks=args.masks,
        device=args.device,
        mixed=not args.full_precision,
        config=config,
    )


def _names(listed: Path | None, folders: list[Path]) -> tuple[str, ...]:
    """Return the names that views choose from, each once, in a fixed order."""
    if listed is None:
        found: set[str] = set()
        for path in (folder / 'truth.json' for folder in folders):
            if path.is_file():
                found.update(json.loads(path.read_text(encoding='utf-8'))['names'])
        return tuple(sorted(found))
    lines = [line.strip() for line in listed.read_text(encoding='utf-8').splitlines()]
    names = [line for line in lines if line]
    doubled = sorted({name for name in names if names.count(name) > 1})
    if doubled or not names:
        what = f'{doubled[:3]} more than once' if doubled else 'no name'
        raise ValueError(f'{listed}: expected names, one a line, each once; it has {what}')
    return tuple(names)


def _outcomes(args: argparse.Namespace, job: TeachJob, folders: list[Path]) -> Iterator[Outcome]:
    from folk_ros.training.teacher.run import teach_here, teach_on_ray

    if args.ray:
        return teach_on_ray(job, [folder.resolve() for folder in folders], args.ray)
    return teach_here(job, folders, args.workers)
