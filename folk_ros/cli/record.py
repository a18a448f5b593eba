"""`folk record`: a running robot becomes a scene of the training module's format."""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path
import time
from typing import Any, TYPE_CHECKING

from folk_ros.cli.output import CommandFailed, say
from folk_ros.cli.recording_options import add_recording_options, topics_asked

if TYPE_CHECKING:
    from folk_ros.cli.peer import Peer
    from folk_ros.ros.frames import Frames
    from folk_ros.ros.recorder import Camera, Recorder
    from folk_ros.training.scenes.recordings.live import LiveRecording

WORLDS = ('map', 'odom', 'world')  # tried in turn where no fixed frame is named
FRAMES_S = 5.0
TELL_EVERY_S = 5.0


def add_parser(commands: Any) -> None:
    """Add `folk record` to the parser."""
    parser = commands.add_parser(
        'record',
        help='record the RGB-D camera of a running robot as a scene',
        description='Record colour, depth, calibration, TF and the fused cloud of a running robot '
        'as a scene folder. Images are kept where the camera has moved. The folder is a scene '
        'whatever ends the recording; the same command goes on with it.',
        epilog='Example: folk record scenes/kitchen, walk the robot through the room, Ctrl-C, '
        'then: folk record scenes/kitchen --finish',
    )
    parser.add_argument('folder', help='scene folder to write')
    parser.add_argument('--finish', action='store_true', help='fuse the cloud of a recording')
    add_recording_options(parser, live=True)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Record, or finish a recording."""
    folder = Path(args.folder)
    if args.finish:
        from folk_ros.training.scenes.recordings.live import finish

        say(f'{folder}: {finish(folder, args.cell)} points')
        return 0
    _check_folder(folder)
    from folk_ros.cli.node_process import orderly_end
    from folk_ros.cli.peer import Peer
    from folk_ros.ros.frames import make_frames

    with orderly_end(), Peer('folk_record') as peer:
        frames = make_frames(peer.node)
        frames.listen()
        recorder, recording, world = _begin(peer, frames, folder, args)
        try:
            _record(peer, recorder, recording, world, args.seconds)
        except KeyboardInterrupt:
            say('')
        finally:
            recording.write(now=True)
    return _told(recorder, recording)


def _check_folder(folder: Path) -> None:
    if folder.is_dir() and any(folder.iterdir()) and not (folder / 'views.jsonl').is_file():
        raise ValueError(f'{folder}: is there already and is no recording; name another folder')


def _begin(
    peer: Peer, frames: Frames, folder: Path, args: argparse.Namespace
) -> tuple[Recorder, LiveRecording, str]:
    """Find the topics and the world, and subscribe."""
    from folk_ros.cli.record_topics import LiveTopics
    from folk_ros.ros.recorder import Camera, Recorder
    from folk_ros.training.scenes.recordings.cameras import to_camera
    from folk_ros.training.scenes.recordings.keyframes import KeyframeConfig
    from folk_ros.training.scenes.recordings.live import LiveConfig, LiveRecording
    from folk_ros.training.scenes.recordings.topics import (
        choose_topics,
        is_rectified,
        NONE,
        TopicNames,
    )  # fmt: skip

    names = TopicNames(**topics_asked(args))
    live: Any = LiveTopics(peer, [n for n in (names.rgb, names.depth, names.camera_info) if n])
    live.check_any()
    names = choose_topics(live, names)
    kinds = {topic.name: topic.type for topic in live.topics}
    rgb = to_camera(live.first(names.camera_info), is_rectified(names.rgb))
    depth = to_camera(live.first(names.depth_camera_info), is_rectified(names.depth))
    rgb = rgb.in_frame(live.first(names.rgb).header.frame_id.strip('/'))
    depth = depth.in_frame(live.first(names.depth).header.frame_id.strip('/'))
    camera = Camera(
        names.rgb,
        names.depth,
        kinds[names.rgb],
        kinds[names.depth],
        rgb.frame_id,
        depth.frame_id,
        '' if names.cloud == NONE else names.cloud,
    )
    world = _world(peer, frames, camera, args.fixed_frame)
    config = LiveConfig(
        KeyframeConfig(args.distance, args.angle, args.max_turn, args.max_delay),
        args.max_depth,
        args.cell,
        round(args.max_size * 1e9),
    )
    facts = {'fixed_frame': world, 'rgb': names.rgb, 'depth': names.depth}
    recording = LiveRecording(folder, (rgb, depth), config, facts)
    say(f'recording {names.rgb} and {names.depth} in {world!r}, cloud: {names.cloud}; Ctrl-C ends')
    return Recorder(peer.node, frames, camera, args.max_delay), recording, world


def _world(peer: Peer, frames: Frames, camera: Camera, named: str) -> str:
    """Return the frame of the scene; CommandFailed where TF does not relate it to the camera."""
    wanted = [named.strip('/')] if named else list(WORLDS)

    def found() -> str:
        related = (name for name in wanted if frames.connected(name, camera.depth_frame))
        return next(related, '')

    peer.wait_until(lambda: bool(found()), FRAMES_S)
    if not found():
        raise CommandFailed(
            f'TF does not relate the camera ({camera.depth_frame!r}) to {" or ".join(wanted)}: '
            'start what localises the robot, or name another --fixed-frame'
        )
    return found()


def _record(
    peer: Peer, recorder: Recorder, recording: LiveRecording, world: str, seconds: float
) -> None:
    """Let messages come in on a thread of their own, and write what is worth it on this one."""
    from folk_ros.ros import runtime
    from folk_ros.ros.image_conversion import with_plain_pixels
    from folk_ros.training.scenes.recordings.live import Pair

    def over() -> bool:
        late = bool(seconds) and time.monotonic() - begin > seconds
        return late or bool(recording.full) or not runtime.ok()

    with peer.in_background():
        begin = told = time.monotonic()
        while not over():
            posed = recorder.take(world, 0.2)
            if posed is not None:
                pair = Pair(**vars(posed))
                recording.offer(replace(pair, rgb=with_plain_pixels(pair.rgb)))
            _take_cloud(recorder, recording, world)
            recording.write()
            if time.monotonic() - told > TELL_EVERY_S:
                told = time.monotonic()
                say(_state(recorder, recording))


def _take_cloud(recorder: Recorder, recording: LiveRecording, world: str) -> None:
    try:
        cloud = recorder.take_cloud(world)
    except ValueError as error:
        recorder.reason = str(error)
        return
    if cloud is not None:
        recording.set_cloud(cloud, recorder.cloud_topic)


def _state(recorder: Recorder, recording: LiveRecording) -> str:
    """Say how far the recording is, and why nothing comes of it if nothing does."""
    text = (
        f'{recording.views} views, {recording.size_bytes / 1e6:.1f} MB; {recorder.pairs} pairs of '
        f'{recorder.received["rgb"]} colour and {recorder.received["depth"]} depth images'
    )
    if recorder.without_pose or (recorder.reason and not recording.views):
        text += f'; {recorder.without_pose} without pose ({recorder.reason})'
    if recorder.dropped or recording.unreadable:
        text += f'; {recorder.dropped} dropped, {recording.unreadable} unreadable'
    return text


def _told(recorder: Recorder, recording: LiveRecording) -> int:
    """Say what was recorded; 1 if nothing was."""
    if recording.full:
        say(f'ended: {recording.full}')
    say(_state(recorder, recording))
    if not recording.views:
        return 1
    say(f'{recording.folder}: fuse its cloud with: folk record {recording.folder} --finish')
    return 0
