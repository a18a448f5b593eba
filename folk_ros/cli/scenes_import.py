"""`folk scenes import`: bring scenes of datasets and recordings into scene folders."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
import time
from typing import Any, TYPE_CHECKING

from folk_ros.cli.output import Progress, say, table, write_json

if TYPE_CHECKING:
    from folk_ros.training.scenes.scene import Scene

SPLITS = ('train', 'val', 'test')


@dataclass(frozen=True)
class Job:
    """A scene to be imported: its id, and what writes it."""

    scene_id: str
    write: Callable[[Path, bool], Any]  # folder of scenes, whether to copy images


@dataclass(frozen=True)
class Kind:
    """One kind of source: its options, and the scenes that they ask for."""

    name: str
    about: str  # one line for --help
    example: str
    add_options: Callable[[argparse.ArgumentParser], None]
    jobs: Callable[[argparse.Namespace], Sequence[Job]]
    labels: str = ''  # label set of its ground truth files; '' where no benchmark has them


def add_parser(actions: Any) -> None:
    """Add `folk scenes import KIND` to the actions of `folk scenes`."""
    parser = actions.add_parser(
        'import',
        help='bring scenes of datasets and recordings into scene folders',
        description='Bring scenes of datasets and recordings into scene folders. Those already '
        'there are skipped; one that cannot be read does not keep the others from coming.',
        epilog='Example: folk scenes import scannet200 ScanNet --out scenes --split val',
    )
    kinds = parser.add_subparsers(metavar='KIND', required=True)
    for kind in KINDS:
        one = kinds.add_parser(
            kind.name, help=kind.about, description=kind.about, epilog=f'Example: {kind.example}'
        )
        one.add_argument('source', metavar='ROOT', type=Path, help='where the data lie')
        one.add_argument('--out', type=Path, required=True, help='folder to write scenes to')
        one.add_argument(
            '--copy', action='store_true', help='copy images (default: point at them)'
        )
        one.add_argument('--json', metavar='FILE', help='write figures and errors to a file')
        kind.add_options(one)
        if kind.labels:
            one.add_argument(
                '--truth', metavar='DIR', type=Path, help='also write ground truth files there'
            )
        one.set_defaults(run=partial(run, kind=kind))


def run(args: argparse.Namespace, kind: Kind) -> int:
    """Import scene after scene; 1 if any could not be read."""
    start = time.perf_counter()
    jobs = kind.jobs(args)
    figures: dict[str, Any] = dict.fromkeys(FIGURES, 0)
    errors: dict[str, str] = {}
    progress = Progress('scenes', len(jobs))
    for job in jobs:
        try:
            for name, count in import_scene(job, args, kind).items():
                figures[name] += count
        except (ValueError, OSError) as error:
            errors[job.scene_id] = str(error)
            say(f'{job.scene_id}: {error}')
        progress.step()
    figures |= {'scenes': len(jobs), 'failed': len(errors)}
    figures['seconds'] = time.perf_counter() - start
    rows = [(name, f'{v:.1f}' if isinstance(v, float) else str(v)) for name, v in figures.items()]
    print(table(('what', 'how many'), rows))
    if errors:
        say(f'{len(errors)} of {len(jobs)} scenes could not be imported: {", ".join(errors)}')
    if args.json:
        write_json(args.json, {**figures, 'errors': errors})
    return 1 if errors else 0


FIGURES = (
    'scenes',
    'imported',
    'already_there',
    'failed',
    'points',
    'objects',
    'views',
    'frames_without_pose',
    'vertices_left_out',
    'unknown_categories',
)


def import_scene(job: Job, args: argparse.Namespace, kind: Kind) -> dict[str, int]:
    """Write one scene folder unless it is there; return what is to be counted."""
    from folk_ros.training.scenes.scene import load_scene

    folder = args.out / job.scene_id
    ready = (folder / 'cloud.npz').is_file()  # folders appear whole
    if not ready:
        job.write(args.out, args.copy)
    scene = load_scene(folder)
    if kind.labels and args.truth and scene.truth is not None:
        write_truth_file(scene, kind.labels, args.truth / f'{job.scene_id}.txt')
    if ready:
        return {'already_there': 1}
    counted = {name: int(scene.facts.get(name, 0)) for name in FIGURES[-3:]}
    return {
        'imported': 1,
        'points': len(scene.cloud),
        'objects': len(scene.truth.names) if scene.truth is not None else 0,
        'views': len(scene.views),
        **counted,
    }


def read_and_save(read: Callable[[], Scene], out: Path, copy: bool) -> None:
    """Write the scene that a reader returns."""
    from folk_ros.training.scenes.scene import save_scene

    save_scene(read(), out, copy)


def write_truth_file(scene: Scene, labels: str, path: Path) -> None:
    """Write the benchmark's ground truth of a scene, a line per point."""
    from folk_ros.training.evaluate.benchmark_files import write_truth
    from folk_ros.training.labels import load_labels
    from folk_ros.training.scenes.ground_truth import ground_truth_ids

    write_truth(path, ground_truth_ids(scene, load_labels(labels)))


def _add_every(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        '--every', type=int, default=10, help='take frames whose number divides by (default: 10)'
    )


def _checked_every(args: argparse.Namespace) -> int:
    if args.every < 1:
        raise ValueError(f'--every: expected 1 or more, got {args.every}')
    return int(args.every)


def _scannet_options(parser: argparse.ArgumentParser) -> None:
    which = parser.add_mutually_exclusive_group()
    which.add_argument('--split', choices=SPLITS, default='val', help='scans (default: val)')
    which.add_argument('--list', metavar='FILE', help='scans, one id a line')
    parser.add_argument('--frames', metavar='DIR', help='exported frames, if not in ROOT/scans')
    parser.add_argument('--labels', metavar='TSV', help='scannetv2-labels.combined.tsv')
    _add_every(parser)


def _scannet_jobs(args: argparse.Namespace) -> list[Job]:
    from folk_ros.training.scenes.datasets import scannet200

    every = _checked_every(args)
    source = scannet200.open_scannet(args.source, args.frames, args.labels)
    names = scannet200.read_list(args.list) if args.list else scannet200.split_scenes(args.split)
    readers = {name: partial(scannet200.read_scan, source, name, every) for name in names}
    return [Job(name, partial(read_and_save, read)) for name, read in readers.items()]


def _replica_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument('--list', metavar='FILE', help='scenes, one id a line (default: all 8)')
    parser.add_argument('--gt', metavar='DIR', help='ground truth files (ROOT/ground_truth)')
    _add_every(parser)


def _replica_jobs(args: argparse.Namespace) -> list[Job]:
    from folk_ros.training.scenes.datasets import replica
    from folk_ros.training.scenes.datasets.scannet200 import read_list

    every = _checked_every(args)
    source = replica.open_replica(args.source, args.gt)
    names = read_list(args.list) if args.list else list(replica.SCENES)
    readers = {name: partial(replica.read_replica, source, name, every) for name in names}
    return [Job(name, partial(read_and_save, read)) for name, read in readers.items()]


def _osd_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        '--parts',
        action='store_true',
        help='count disjoint parts of an object as objects (default: one object)',
    )


def _osd_jobs(args: argparse.Namespace) -> list[Job]:
    from folk_ros.training.scenes.datasets.osd import osd_files, read_osd

    readers = {path.stem: partial(read_osd, path, args.parts) for path in osd_files(args.source)}
    return [Job(name, partial(read_and_save, read)) for name, read in readers.items()]


def _recording_options(parser: argparse.ArgumentParser) -> None:
    from folk_ros.cli.scenes_recording import add_options

    add_options(parser)


def _recording_jobs(args: argparse.Namespace) -> list[Job]:
    from folk_ros.cli.scenes_recording import scene_name, write_recording

    return [Job(scene_name(args), partial(write_recording, args))]


KINDS = (
    Kind(
        'scannet200',
        'scans of ScanNet with the 200 labels of its benchmark',
        'folk scenes import scannet200 ScanNet --out scenes --split val --truth truth',
        _scannet_options,
        _scannet_jobs,
        labels='scannet200',
    ),
    Kind(
        'replica',
        'the eight scenes of Replica that are scored on, with 48 labels',
        'folk scenes import replica Replica --out scenes',
        _replica_options,
        _replica_jobs,
        labels='replica',
    ),
    Kind(
        'osd',
        'labelled scans of objects on tables: the Object Segmentation Database as PCD files',
        'folk scenes import osd mosd/learn --out scenes',
        _osd_options,
        _osd_jobs,
    ),
    Kind(
        'recording',
        'a rosbag2 or MCAP recording with colour, depth, camera_info, TF and a fused cloud',
        'folk scenes import recording my_bag --out scenes --id office',
        _recording_options,
        _recording_jobs,
    ),
)
