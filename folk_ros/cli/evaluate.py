"""`folk evaluate`: score anyone's predictions, or a student's on scenes it never saw."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
import os
from pathlib import Path
import tempfile
from typing import Any, TYPE_CHECKING

from folk_ros.cli.output import Progress, say, table, write_json

if TYPE_CHECKING:
    from folk_ros.training.evaluate.evaluation import Evaluation, SceneResult, Task
    from folk_ros.training.labels import LabelSet

SHOWN = ('ap', 'ap50', 'ap25')
NOTES_SHOWN = 5


def add_parser(commands: Any) -> None:
    """Add `folk evaluate` to the parser."""
    parser = commands.add_parser(
        'evaluate',
        usage='folk evaluate (--pred DIR --gt DIR | --rooms DIR) [options]',
        help='score predictions, or a student, on scenes with ground truth',
        description='Score predictions as the ScanNet benchmark does, by label and whatever the '
        'names: files (--pred, --gt), or what a student makes of scenes (--rooms).',
        epilog='Examples: folk evaluate --format scannet200 --pred predictions --gt truth --json '
        'scores.json; folk evaluate --rooms rooms --split val --report report',
    )
    files = parser.add_argument_group('files of anybody')
    files.add_argument(
        '--pred', type=Path, metavar='DIR', help="<scene>.txt of the benchmark, or folk's .npz"
    )
    files.add_argument(
        '--gt',
        type=Path,
        metavar='DIR',
        help='<scene>.txt of the benchmark, or scene folders',
    )
    files.add_argument('--format', default='', help='label set: scannet200, replica or a .yaml')
    student = parser.add_argument_group('a student')
    student.add_argument('--rooms', type=Path, metavar='DIR', help='folder with scenes')
    student.add_argument(
        '--split',
        default='val',
        help="SPLIT_..., ScanNet's list, or 'all' (default: val)",
    )
    student.add_argument('--model', default='', help='model folder (default: the shipped one)')
    student.add_argument('--out', type=Path, metavar='DIR', help='keep the predictions here')
    _add_table(parser)
    _add_choices(parser)
    parser.set_defaults(run=run)


def _add_table(parser: argparse.ArgumentParser) -> None:
    row = parser.add_argument_group('a row of the results table')
    row.add_argument('--results', type=Path, metavar='FILE.md', help='add it to this table')
    row.add_argument('--row', default='', help='its name')
    row.add_argument('--config', default='', help='what it says of how it was made')
    row.add_argument('--about', default='', help='what it says of the scenes, as how to make them')
    row.add_argument(
        '--words',
        choices=('tune', 'judge'),
        metavar='SET',
        help='print such a row, for the free words tune or judge',
    )
    row.add_argument(
        '--teacher', type=Path, metavar='DIR', help="score a teacher's files, not the student"
    )
    row.add_argument(
        '--fusion',
        choices=('visibility', 'evenly'),
        default='visibility',
        metavar='HOW',
        help="a teacher's views count evenly or by visibility (default: visibility)",
    )


def _add_choices(parser: argparse.ArgumentParser) -> None:
    choices = parser.add_argument_group('choices that every report states, and what to write')
    choices.add_argument(
        '--confidence',
        choices=('scores', 'one'),
        default='scores',
        metavar='HOW',
        help='scores as predicted, or one: all 1.0, as OpenMask3D and Open-YOLO 3D do',
    )
    choices.add_argument(
        '--pairs',
        type=int,
        metavar='N',
        help='best pairs of a scene, 0: all (default: 0; student: 1)',
    )
    outputs = choices
    outputs.add_argument('--json', metavar='FILE', help='write the figures')
    outputs.add_argument('--report', type=Path, metavar='DIR', help='write tables and pictures')
    outputs.add_argument(
        '--export', type=Path, metavar='DIR', help="write predictions in the benchmark's files"
    )
    outputs.add_argument(
        '--workers', type=int, default=os.cpu_count() or 1, help='processes (default: all cores)'
    )


def run(args: argparse.Namespace) -> int:
    """Score, print, write; 1 if a scene could not be scored."""
    if bool(args.pred) != bool(args.gt) or bool(args.pred) == bool(args.rooms):
        raise ValueError('expected either --pred and --gt, or --rooms; see folk evaluate --help')
    if args.workers < 1:
        raise ValueError(f'--workers: expected 1 or more, got {args.workers}')
    with tempfile.TemporaryDirectory() as scratch:
        if args.results or args.words or args.teacher:
            return _row(args, args.out or Path(scratch))
        facts: dict[str, Any] = {}
        if args.rooms:
            from folk_ros.cli.student_predictions import predict

            args.out = args.out or Path(scratch)
            labels, facts = predict(args)
            args.pred, args.gt = args.out, args.rooms
        else:
            labels = _labels(args)
        tasks, unpredicted = list_tasks(args, labels)
        evaluation = score(tasks, args.workers, unpredicted)
        if args.export:
            _export(tasks, args.export)
    figures = {**evaluation.figures(), **facts}
    print_figures(figures, evaluation)
    if args.json:
        write_json(args.json, figures, digits=None)
    if args.report:
        from folk_ros.training.evaluate.report import write_report

        write_report(args.report, evaluation, figures, tasks)
        say(f'wrote {args.report / "report.md"}')
    return 1 if evaluation.failed else 0


def _row(args: argparse.Namespace, scratch: Path) -> int:
    from folk_ros.cli.evaluate_results import measure

    if not args.rooms:
        raise ValueError('--results, --words and --teacher need scenes; name them with --rooms')
    args.words = args.words or 'judge'
    return measure(args, scratch)


def _labels(args: argparse.Namespace) -> LabelSet:
    from folk_ros.training.labels import load_labels, shipped_sets

    if not args.format:
        raise ValueError(f'--format: expected one of {shipped_sets()} or a .yaml file, got none')
    return load_labels(args.format)


def list_tasks(args: argparse.Namespace, labels: LabelSet) -> tuple[list[Task], list[str]]:
    """Pair predictions with their truth; also return scenes that have truth alone."""
    from folk_ros.training.evaluate.benchmark_files import list_predictions
    from folk_ros.training.evaluate.evaluation import Choices, Task

    pairs = int(bool(args.rooms)) if args.pairs is None else args.pairs
    choices = Choices(args.confidence, pairs)
    predicted, scored = list_predictions(args.pred), labels.instance_labels()
    truths = {path.stem: path for path in args.gt.glob('*.txt')}
    truths |= {path.parent.name: path.parent for path in args.gt.glob('*/truth.json')}
    if args.rooms:
        truths = {name: path for name, path in truths.items() if name in predicted}
    if not truths:
        raise ValueError(f'{args.gt}: expected <scene>.txt files or scene folders, found none')
    tasks = [
        Task(name, path, truths.get(name, args.gt / f'{name}.txt'), scored, choices, labels.ids)
        for name, path in predicted.items()
    ]
    return tasks, sorted(set(truths) - set(predicted))


def score(tasks: Sequence[Task], workers: int, unpredicted: Sequence[str]) -> Evaluation:
    """Score all scenes; tell at once what is wrong with one."""
    from folk_ros.training.evaluate.evaluation import evaluate

    progress = Progress('scenes scored', len(tasks))

    def step(result: SceneResult) -> None:
        if result.error:
            say(f'left out: {result.error}')
        progress.step()

    return evaluate(tasks, workers, step, unpredicted)


def _export(tasks: Sequence[Task], folder: Path) -> None:
    from folk_ros.training.evaluate.benchmark_files import write_benchmark_predictions
    from folk_ros.training.evaluate.evaluation import read_task

    for task in tasks:
        write_benchmark_predictions(folder, task.scene_id, read_task(task)[0])
    say(f'wrote {len(tasks)} scenes to {folder}')


def print_figures(figures: dict[str, Any], evaluation: Evaluation) -> None:
    """Print labels, then the summary, then what to know about it."""
    rows = [
        [name, *map(str, counts), *(f'{figures["classes"][name][key]:.3f}' for key in SHOWN)]
        for name, counts in evaluation.named_right().items()
    ]
    print(table(['name', 'there', 'found', 'named right', *SHOWN], rows))
    print()
    shown = [
        [key, f'{value:.4f}' if isinstance(value, float) else str(value)]
        for key, value in figures.items()
        if key != 'classes'
    ]
    print(table(['figure', 'value'], shown))
    for note in evaluation.notes[:NOTES_SHOWN]:
        say(f'note: {note}')
    if len(evaluation.notes) > NOTES_SHOWN:
        say(f'note: {len(evaluation.notes) - NOTES_SHOWN} more of this kind')
    if evaluation.unpredicted:
        say(
            f'note: {len(evaluation.unpredicted)} scenes have ground truth and no predictions '
            f'({", ".join(evaluation.unpredicted[:3])} ...): they are not part of these figures'
        )
    if evaluation.failed:
        say(f'{len(evaluation.failed)} scenes were left out because of errors')
