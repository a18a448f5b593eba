"""`folk distill`: give a mask student the words of its teacher."""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path
from typing import Any, TYPE_CHECKING

from folk_ros.cli.output import say, table

if TYPE_CHECKING:
    from folk_ros.text import TextTower
    from folk_ros.training.distill.run import Run


def add_parser(commands: Any) -> None:
    """Add `folk distill` to the parser."""
    parser = commands.add_parser(
        'distill',
        usage='folk distill --data DIR --teacher DIR --out FILE [options]',
        help='distil the teacher into a student',
        description='Train the VL-adapter of a mask student on teacher files; write the student. '
        'Given again, a stopped run goes on; under torchrun, processes share the work.',
        epilog='Example: folk distill --config best --rooms rooms --teacher teacher --masks '
        'runs/masks --out model/student.safetensors',
    )
    parser.add_argument(
        '--config',
        default='best',
        help="'folk' as in the paper, 'best', or each with '_unlabelled', which learns from rooms "
        'without truth too (default: best)',
    )
    parser.add_argument(
        '--data',
        '--rooms',
        dest='rooms',
        type=Path,
        nargs='+',
        required=True,
        help="scenes train_*, or unlabelled_* with a teacher's masks",
    )
    parser.add_argument(
        '--teacher', type=Path, nargs='+', required=True, help='their folders of teacher files'
    )
    parser.add_argument(
        '--masks',
        type=Path,
        help='of a mask training run or a student (default: shipped)',
    )
    parser.add_argument('--out', type=Path, required=True, help='student.safetensors to write')
    parser.add_argument('--clip', default='demo_clip', help='the CLIP of the teacher files')
    parser.add_argument('--cache', type=Path, help='to go on with (default: .work beside --out)')
    parser.add_argument('--steps', type=int, help="training steps (default: the config's)")
    parser.add_argument('--looks', type=int, default=2, help='looks at each scene (default: 2)')
    parser.add_argument('--seed', type=int, default=0, help='default: 0')
    parser.add_argument('--workers', type=int, default=1, help='processes (default: 1)')
    parser.add_argument(
        '--tensorboard', action='store_true', help='also write the losses for TensorBoard'
    )
    _add_joint(parser)
    _add_trials(parser)
    parser.set_defaults(run=run)


def _add_joint(parser: argparse.ArgumentParser) -> None:
    joint = parser.add_argument_group('joint fine-tuning, before the adapter is distilled')
    joint.add_argument(
        '--joint',
        type=Path,
        metavar='DIR',
        help='teach the words to the whole network first, beside masks (hours on a CPU); folder '
        'of its checkpoint',
    )
    joint.add_argument('--joint-steps', type=int, default=2400, metavar='N', help='default: 2400')
    joint.add_argument(
        '--joint-rate', type=float, default=1e-3, metavar='R', help='default: 0.001'
    )


def _add_trials(parser: argparse.ArgumentParser) -> None:
    trials = parser.add_argument_group('with scenes to judge on, never learned from')
    trials.add_argument(
        '--val',
        type=Path,
        metavar='DIR',
        help='scenes val_*: learn how sure an answer is',
    )
    trials.add_argument(
        '--ablate',
        type=Path,
        metavar='FILE',
        help='train all configs of the ablation, write their figures (JSON) and go on from them; '
        'needs --val',
    )
    trials.add_argument(
        '--results', type=Path, metavar='FILE.md', help='add its table to the results'
    )
    trials.add_argument(
        '--seeds', type=int, default=3, help='runs of each config of the ablation (default: 3)'
    )
    trials.add_argument(
        '--only', default='', metavar='TEXT', help='configs of the ablation whose name begins so'
    )


def run(args: argparse.Namespace) -> int:
    """Look, vote, train, write."""
    import logging

    from folk_ros.resources import text_tower_place
    from folk_ros.text import load_text_tower
    from folk_ros.training.distill.run import distill

    logging.basicConfig(level=logging.INFO, format='%(asctime)s %(message)s', datefmt='%H:%M:%S')
    job = job_of(args)
    text = load_text_tower(text_tower_place(args.clip))
    if args.ablate:
        return _ablate(args, job, text)
    counts = distill(job, text)
    say(f'wrote {args.out}: {counts.words()}')
    return 0


def _ablate(args: argparse.Namespace, job: Run, text: TextTower) -> int:
    from folk_ros.cli.origin import origin_of
    from folk_ros.training.distill.ablation import ablate, cells
    from folk_ros.training.evaluate.results import add_ablation

    if args.val is None:
        raise ValueError('--ablate: needs scenes to judge on; name their folder with --val')
    rows = cells(ablate(job, text, args.ablate, range(args.seeds), args.only))
    print(table(rows[0], rows[1:]))
    if args.results:
        seeds = f'0 to {args.seeds - 1}, means over them'
        add_ablation(args.results, 'distillation', rows, origin_of('as named', seeds))
    return 0


def job_of(args: argparse.Namespace) -> Run:
    """Return the run that the arguments ask for; ValueError where they disagree."""
    from folk_ros.resources import model_folder
    from folk_ros.training.distill.joint import Plan
    from folk_ros.training.distill.recipes import recipe
    from folk_ros.training.distill.run import Run, Sources

    if len(args.rooms) != len(args.teacher):
        raise ValueError(
            f'--teacher: expected one folder for each of {len(args.rooms)} --rooms, '
            f'got {len(args.teacher)}'
        )
    chosen = recipe(args.config)
    if args.steps is not None:
        chosen = replace(chosen, steps=args.steps)
    joint = None
    if args.joint is not None:
        if args.ablate:
            raise ValueError(
                '--joint: an ablation compares adapters of one network; tune it first, and name '
                'its folder with --masks'
            )
        schedule = args.joint_steps, args.joint_rate
        joint = Plan(args.joint, *schedule, args.seed, args.workers, args.tensorboard)
    return Run(
        joint=joint,
        sources=Sources(tuple(zip(args.rooms, args.teacher, strict=True))),
        masks=args.masks or model_folder(''),
        out=args.out,
        cache=args.cache or args.out.with_suffix('.work'),
        text_tower=args.clip,
        recipe=chosen,
        seed=args.seed,
        looks=args.looks,
        workers=args.workers,
        val=args.val,
        tensorboard=args.tensorboard,
        config=args.config,
    )
