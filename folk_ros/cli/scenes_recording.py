"""`folk scenes import recording`: the options of a recording, and its one scene."""

from __future__ import annotations

import argparse
from pathlib import Path

from folk_ros.cli.output import Progress
from folk_ros.cli.recording_options import add_recording_options, topics_asked


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of a recording; those without a value are found in the recording."""
    parser.add_argument('--id', help='name of the scene (default: that of the recording)')
    add_recording_options(parser)


def scene_name(args: argparse.Namespace) -> str:
    """Return the name of the scene: the one asked for, or that of the recording."""
    return args.id or Path(args.source).resolve().stem


def write_recording(args: argparse.Namespace, out: Path, copy: bool) -> None:
    """Import a recording, with lines that say how far it is; images are always copied."""
    from folk_ros.training.scenes.recordings.keyframes import KeyframeConfig
    from folk_ros.training.scenes.recordings.recording import import_recording, RecordingConfig
    from folk_ros.training.scenes.recordings.topics import TopicNames

    config = RecordingConfig(
        topics=TopicNames(**topics_asked(args)),
        fixed_frame=args.fixed_frame,
        keyframes=KeyframeConfig(args.distance, args.angle, args.max_turn, args.max_delay),
        max_depth_m=args.max_depth,
        cell_m=args.cell,
    )
    stages: dict[str, Progress] = {}

    def show(stage: str, done: int, total: int) -> None:
        stages.setdefault(stage, Progress(stage, total)).reach(done)

    import_recording(args.source, out, scene_name(args), config, show)
