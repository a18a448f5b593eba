"""`folk scenes import recording`: the options of a recording, and its one scene."""

from __future__ import annotations

import argparse
from pathlib import Path

from folk_ros.cli.output import Progress

TOPICS = {
    'rgb': 'colour images',
    'depth': 'depth images',
    'camera-info': 'calibration of the colour camera',
    'depth-camera-info': 'calibration of the depth camera',
    'cloud': "fused cloud; 'none' makes it from the images",
}


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of a recording; those without a value are found in the recording."""
    parser.add_argument('--id', help='name of the scene (default: that of the recording)')
    for name, what in TOPICS.items():
        parser.add_argument(f'--{name}', default='', metavar='TOPIC', help=f'topic: {what}')
    parser.add_argument('--fixed-frame', default='', metavar='FRAME', help='world of the scene')
    numbers = {
        'distance': (0.25, 'METRES', 'keep an image when the camera moved this far'),
        'angle': (15.0, 'DEGREES', 'or turned this far'),
        'max-turn': (60.0, 'DEGREES', 'wait while it turns faster, in a second'),
        'max-delay': (0.05, 'SECONDS', 'longest time between depth and colour'),
        'max-depth': (8.0, 'METRES', 'leave out what is farther'),
        'cell': (0.02, 'METRES', 'voxel of a cloud that is made from the images'),
    }
    for name, (default, unit, what) in numbers.items():
        text = f'{what} (default: {default:g})'
        parser.add_argument(f'--{name}', type=float, default=default, metavar=unit, help=text)


def scene_name(args: argparse.Namespace) -> str:
    """Return the name of the scene: the one asked for, or that of the recording."""
    return args.id or Path(args.source).resolve().stem


def write_recording(args: argparse.Namespace, out: Path, copy: bool) -> None:
    """Import a recording, with lines that say how far it is; images are always copied."""
    from folk_ros.training.scenes.recordings.keyframes import KeyframeConfig
    from folk_ros.training.scenes.recordings.recording import import_recording, RecordingConfig
    from folk_ros.training.scenes.recordings.topics import TopicNames

    names = [name.replace('-', '_') for name in TOPICS]
    config = RecordingConfig(
        topics=TopicNames(**{name: getattr(args, name) for name in names}),
        fixed_frame=args.fixed_frame,
        keyframes=KeyframeConfig(args.distance, args.angle, args.max_turn, args.max_delay),
        max_depth_m=args.max_depth,
        cell_m=args.cell,
    )
    stages: dict[str, Progress] = {}

    def show(stage: str, done: int, total: int) -> None:
        stages.setdefault(stage, Progress(stage, total)).reach(done)

    import_recording(args.source, out, scene_name(args), config, show)
