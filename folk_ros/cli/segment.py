"""`folk segment`: find the objects in a cloud file, without ROS."""

from __future__ import annotations

import argparse
from pathlib import Path
import time
from typing import Any, TYPE_CHECKING

from folk_ros.cli.found import answers_table, by_text, Found
from folk_ros.cli.output import as_json, say

if TYPE_CHECKING:
    from folk_ros.pipeline import Folk
    from folk_ros.structures import Instances, Match, PointCloud

MAX_PORT = 65535


def add_parser(commands: Any) -> None:
    """Add `folk segment` to the parser."""
    parser = commands.add_parser(
        'segment',
        help='find the objects in a cloud file (PLY, PCD, NPZ)',
        description='Find the objects in a cloud file and name them, or answer free words.',
        epilog='Example: folk segment room.ply --query "something to sit on" --out room.png',
    )
    parser.add_argument('file', help='cloud, z up, in metres: .ply, .pcd or .npz')
    parser.add_argument('--query', metavar='TEXT', nargs='+', default=[], help='what to look for')
    parser.add_argument('--min-score', type=float, default=0.0, help='leave out what scores less')
    parser.add_argument('--max-results', type=int, default=0, help='answers per text at most')
    parser.add_argument('--model', default='', help='model folder (default: the shipped one)')
    parser.add_argument('--device', default='auto', help="'auto', 'cpu' or 'cuda' (default: auto)")
    parser.add_argument(
        '--out', metavar='FILE', help='write .ply (instance id per point) or .png (a picture)'
    )
    parser.add_argument(
        '--view',
        action='store_true',
        help='look at it in a browser and ask there, until Ctrl-C',
    )
    parser.add_argument('--port', type=int, default=0, help='of --view (default: any free one)')
    parser.add_argument(
        '--save', metavar='FILE', help='keep the scene for folk query --scene: .safetensors'
    )
    parser.add_argument('--json', action='store_true', help='print JSON instead of a table')
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Read, segment, print, write."""
    check_out(args.out)
    check_out(args.save, ('.safetensors',), '--save')
    if not 0 <= args.port <= MAX_PORT:
        raise ValueError(f'--port {args.port}: expected 0 (any free one) to {MAX_PORT}')
    from folk_ros.cloud_files import read_cloud
    from folk_ros.config import FolkConfig, SegmentConfig, with_values
    from folk_ros.pipeline import Folk

    cloud = read_cloud(args.file)
    if not len(cloud):
        raise ValueError(f'{args.file}: has no point with coordinates; was the sensor covered?')
    config = FolkConfig(segment=with_values(SegmentConfig(), {'device': args.device}))
    say(f'{args.file}: {len(cloud)} points, {"with" if cloud.rgb is not None else "no"} colour')
    folk = Folk.load(args.model, config)
    start = time.perf_counter()
    scene = folk.segment(cloud)
    seconds = time.perf_counter() - start
    say(f'{len(scene)} objects in {seconds:.2f} s on {folk.device}')
    if args.query:
        matches = folk.query(args.query, args.min_score, args.max_results)
    else:
        matches = folk.name(scene)
    found = [Found.from_match(match, scene) for match in matches]
    texts = list(dict.fromkeys(args.query)) or list(dict.fromkeys(item.text for item in found))
    if args.json:
        print(as_json({'points': len(cloud), 'seconds': seconds, 'found': by_text(found, texts)}))
    else:
        print(answers_table(found, texts) or 'nothing found')
    if args.out:
        write_result(Path(args.out), cloud, scene, matches)
        say(f'wrote {args.out}')
    if args.save:
        from folk_ros.scene_files import save_scene, SavedScene

        save_scene(args.save, SavedScene(scene, cloud, folk.student.config.clip))
        say(f'wrote {args.save}')
    if args.view:
        view(folk, cloud, args)
    return 0


def view(folk: Folk, cloud: PointCloud, args: argparse.Namespace) -> None:
    """Serve the page and open it in a browser; returns when Ctrl-C is pressed."""
    from contextlib import suppress
    import webbrowser

    from folk_ros.viewer.server import Viewer

    with Viewer(folk, cloud, Path(args.file).stem, args.port) as viewer:
        say(f'look at {viewer.url} (this machine alone; Ctrl-C ends it)')
        webbrowser.open(viewer.url)
        with suppress(KeyboardInterrupt):
            viewer.serve_forever()


def check_out(
    out: str | None, kinds: tuple[str, ...] = ('.ply', '.png'), option: str = '--out'
) -> None:
    """Raise ValueError for a result file of a kind that cannot be written, before any work."""
    if out is None:
        return
    if Path(out).suffix.lower() not in kinds:
        raise ValueError(f'{option} {out}: expected a name that ends in {" or ".join(kinds)}')
    if not Path(out).resolve().parent.is_dir():
        raise ValueError(f'{option} {out}: there is no folder {Path(out).resolve().parent}')


def write_result(path: Path, cloud: PointCloud, scene: Instances, matches: list[Match]) -> None:
    """Write the objects that were matched as a picture, or all as a cloud with ids."""
    if path.suffix.lower() == '.ply':
        from folk_ros.cloud_files import write_ply

        write_ply(cloud, path, point_ids(scene))
        return
    import numpy as np

    from folk_ros.draw import draw_overview

    best = {match.row: match.text for match in reversed(matches)}  # best first: it stays
    rows = np.array(sorted(best), np.int64)
    labels = [best[row] for row in rows.tolist()]
    draw_overview(cloud, scene.select(rows), labels, path, path.stem)


def point_ids(scene: Instances) -> Any:
    """Return one instance id per point [N] int32, 0 where there is none; better masks win."""
    import numpy as np

    ids = np.zeros(scene.num_points, np.int32)
    for row in np.argsort(scene.quality, kind='stable'):
        ids[scene.points_of(row)] = scene.ids[row]
    return ids
