"""The options of a recording, whether a robot is recorded live or a bag is read."""

from __future__ import annotations

import argparse

TOPICS = {
    'rgb': 'colour images',
    'depth': 'depth images',
    'camera-info': 'calibration of the colour camera',
    'depth-camera-info': 'calibration of the depth camera',
    'cloud': "fused cloud; 'none' makes it from the images",
}
NUMBERS = {  # name: default, unit, what it is
    'distance': (0.25, 'METRES', 'keep an image when the camera moved this far'),
    'angle': (15.0, 'DEGREES', 'or turned this far'),
    'max-turn': (60.0, 'DEGREES', 'wait while it turns faster, in a second'),
    'max-delay': (0.05, 'SECONDS', 'longest time between depth and colour'),
    'max-depth': (8.0, 'METRES', 'leave out what is farther'),
    'cell': (0.02, 'METRES', 'voxel of a cloud that is made from the images'),
}
LIMITS = {  # of a live recording
    'max-size': (10.0, 'GB', 'end when the folder has grown to this'),
    'seconds': (0.0, 'SECONDS', 'end after so long; 0: on Ctrl-C'),
}


def add_recording_options(parser: argparse.ArgumentParser, live: bool = False) -> None:
    """Add the options; topics and frames without a value are found by themselves."""
    for name, what in TOPICS.items():
        parser.add_argument(f'--{name}', default='', metavar='TOPIC', help=f'topic: {what}')
    parser.add_argument('--fixed-frame', default='', metavar='FRAME', help='world of the scene')
    for name, (default, unit, what) in (NUMBERS | (LIMITS if live else {})).items():
        text = f'{what} (default: {default:g})'
        parser.add_argument(f'--{name}', type=float, default=default, metavar=unit, help=text)


def topics_asked(args: argparse.Namespace) -> dict[str, str]:
    """Return the topics that were named, '' for those that were not, as the core calls them."""
    names = [name.replace('-', '_') for name in TOPICS]
    return {name: getattr(args, name) for name in names}
