"""`folk teach --ablate`: the teacher without each of its steps, judged on true masks."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
import tempfile
from typing import TYPE_CHECKING

from folk_ros.cli.output import CommandFailed, say, table

if TYPE_CHECKING:
    from folk_ros.pipeline import Folk
    from folk_ros.training.evaluate.embedded_masks import Fusion
    from folk_ros.training.teacher.run import TeachJob

HEADER = [
    'teacher',
    'AP50',
    'AP50 base',
    'AP50 novel',
    'names',
    'synonyms',
    'views',
    'core s a scene',
]


def ablate(args: argparse.Namespace, job: TeachJob, folders: Sequence[Path]) -> int:
    """
    Teach the scenes in every way, score, print and add the table to --results.

    Ways that differ in how views are fused alone share their files.
    """
    from folk_ros.cli.origin import origin_of
    from folk_ros.pipeline import Folk
    from folk_ros.training.evaluate.results import add_ablation
    from folk_ros.training.teacher.run import teach_here
    from folk_ros.training.teacher.variants import variants

    folk, rows = Folk.load(), []
    for name, variant in variants().items():
        own = replace(job, config=variant.config, names=())
        own = replace(own, out=job.out / own.digest())
        for outcome in teach_here(own, folders, args.workers):
            if outcome.error:
                raise CommandFailed(f'{name}: {outcome.scene_id}: {outcome.error}')
        rows.append([name, *_judged(folk, own.out, folders, variant.fusion)])
        say(' '.join(rows[-1]))
    print(table(HEADER, rows))
    if args.results:
        about = f'{len(folders)} scenes {args.split} of {args.rooms.name}, true masks'
        add_ablation(args.results, 'teacher', [HEADER, *rows], origin_of(about, ''))
        say(f'wrote {args.results}')
    return 0


def _judged(folk: Folk, teacher: Path, folders: Sequence[Path], fusion: Fusion) -> list[str]:
    """Return the cells of a row."""
    from folk_ros.cli.evaluate_results import look, names_of, scores
    from folk_ros.training.evaluate.retrieval import summarize
    from folk_ros.training.teacher.teacher_file import load_teacher_file, teacher_path

    labels, novel = names_of(folders)
    way = argparse.Namespace(teacher=teacher, fusion=fusion, words='tune')
    with tempfile.TemporaryDirectory() as scratch:
        outcomes, seconds, tasks = look(way, folk, folders, labels, Path(scratch))
        figures = scores(tasks['top1'], 1, novel)
    words = summarize(outcomes, 0.0)
    files = [load_teacher_file(teacher_path(teacher, folder.name)) for folder in folders]
    views = sum((file.view_ids >= 0).sum() for file in files)
    seen = sum((file.view_ids >= 0).any(1).sum() for file in files)
    return [
        *(f'{figures[key]:.3f}' for key in ('ap50', 'ap50_base', 'ap50_novel')),
        *(f'{words[kind]["recall1_25"]:.3f}' for kind in ('name', 'synonym')),
        f'{views / max(seen, 1):.1f}',
        f'{sorted(seconds)[len(seconds) // 2]:.2f}',
    ]
