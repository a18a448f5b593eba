"""`folk evaluate`: how well a student finds and names objects in scenes it never saw."""

from __future__ import annotations

import argparse
from pathlib import Path
import time
from typing import Any, TYPE_CHECKING

from folk_ros.cli.output import Progress, table, write_json

if TYPE_CHECKING:
    from folk_ros.training.evaluate.scores import SceneResult


def add_parser(commands: Any) -> None:
    """Add `folk evaluate` to the parser."""
    parser = commands.add_parser(
        'evaluate',
        help='score a student on scenes with ground truth',
        description='Segment the scenes of a split and compare masks and names with the truth.',
        epilog='Example: folk evaluate --rooms rooms --split val --json report.json',
    )
    parser.add_argument('--rooms', type=Path, required=True, help='folder with scenes')
    parser.add_argument('--split', default='val', help='which scenes (default: val)')
    parser.add_argument('--model', default='', help='model folder (default: the shipped one)')
    parser.add_argument('--json', metavar='FILE', help='write the figures')
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Segment, compare, print."""
    from folk_ros.training.evaluate.scores import class_agnostic, named_right

    results, seconds = segment_scenes(args)
    figures: dict[str, Any] = {
        'scenes': len(results),
        'seconds_per_scene_median': sorted(seconds)[len(seconds) // 2],
    }
    for threshold in (0.25, 0.5):
        percent = round(100 * threshold)
        found = class_agnostic(results, threshold)
        figures[f'class_agnostic_ap{percent}'] = found['ap']
        figures[f'class_agnostic_recall{percent}'] = found['recall']
    names = named_right(results, 0.5)
    total = [sum(counts[k] for counts in names.values()) for k in range(3)]
    figures['named_right_of_found'] = total[2] / max(total[1], 1)
    rows = [[name, *map(str, counts)] for name, counts in names.items()]
    print(table(['name', 'there', 'found', 'named right'], rows))
    print(table(['figure', 'value'], [[k, f'{v:.3f}'] for k, v in figures.items()]))
    if args.json:
        write_json(args.json, {**figures, 'names': names})
    return 0


def segment_scenes(args: argparse.Namespace) -> tuple[list[SceneResult], list[float]]:
    """Run the student on every scene of the split; return results and seconds of each."""
    from folk_ros.config import FolkConfig, SegmentConfig
    from folk_ros.pipeline import Folk
    from folk_ros.training.evaluate.scores import compare
    from folk_ros.training.scenes.scene import load_scene

    folders = sorted(p.parent for p in args.rooms.glob(f'{args.split}_*/truth.json'))
    if not folders:
        raise ValueError(f'{args.rooms}: expected scene folders {args.split}_*/, found none')
    # everything the student finds is scored: a curve needs its weak end too
    folk = Folk.load(args.model, FolkConfig(segment=SegmentConfig(min_quality=0.05)))
    progress, results, seconds = Progress('scenes', len(folders)), [], []
    for folder in folders:
        scene = load_scene(folder)
        assert scene.truth is not None
        start = time.perf_counter()
        found = folk.segment(scene.cloud)
        seconds.append(time.perf_counter() - start)
        named = [match.text for match in folk.name(found)]
        results.append(compare(found, named, scene.truth.point_instance, scene.truth.names))
        progress.step()
    return results, seconds
