"""`folk scenes stats` and `folk scenes show`: count what is in scenes, and look at them."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any, TYPE_CHECKING

from folk_ros.cli.output import Progress, say, table, write_json

if TYPE_CHECKING:
    from folk_ros.training.scenes.counts import Counts

MOST_ON_PAGE = 60


def add_parser(actions: Any) -> None:
    """Add the two actions to `folk scenes`."""
    stats = actions.add_parser(
        'stats',
        help='count scenes, points, views and objects of each category',
        description='Count scenes, points, views and objects of a folder of scenes, category by '
        'category. Objects without a single point are counted apart.',
        epilog='Example: folk scenes stats scenes --json stats.json. The exit code is 1 if a '
        'scene could not be read.',
    )
    stats.add_argument('folder', help='folder of scene folders')
    stats.add_argument('--json', metavar='FILE', help='also write the figures to a file')
    stats.set_defaults(run=run_stats)
    show = actions.add_parser(
        'show',
        help='draw one scene with its true objects and views, or a page of many',
        description='Draw one scene: its cloud, its true objects with names, some of its views. '
        'With --page, draw a page of scenes taken at random from a folder.',
        epilog='Examples: folk scenes show scenes/val_00001 --out room.png, '
        'folk scenes show scenes --page 12 --out page.png',
    )
    show.add_argument('scene', help='scene folder; with --page a folder of scene folders')
    show.add_argument('--out', required=True, metavar='PNG', help='picture to write')
    show.add_argument('--page', type=int, metavar='COUNT', help='draw so many scenes, small')
    show.add_argument('--seed', type=int, default=0, help='which ones (default: 0)')
    show.set_defaults(run=run_show)


def run_stats(args: argparse.Namespace) -> int:
    """Count what is in a folder of scenes."""
    from folk_ros.training.scenes.counts import Counts
    from folk_ros.training.scenes.scene import load_scene

    folders = scene_folders(Path(args.folder))
    counts, failed = Counts(), 0
    progress = Progress('scenes', len(folders))
    for folder in folders:
        try:
            counts.add(load_scene(folder))
        except (ValueError, OSError) as error:
            say(f'left out: {error}')
            failed += 1
        progress.step()
    totals = {**counts.totals(), 'scenes_failed': failed}
    _print_stats(counts, totals)
    if args.json:
        kinds = dict(counts.kinds.most_common())
        rows = counts.by_category()
        write_json(args.json, {**totals, 'scenes_by_kind': kinds, 'by_category': rows})
    return 1 if failed else 0


def _print_stats(counts: Counts, totals: dict[str, Any]) -> None:
    figures = [(key, f'{v:.3f}' if isinstance(v, float) else str(v)) for key, v in totals.items()]
    print(table(('figure', 'value'), figures))
    print()
    print(table(('kind', 'scenes'), [(k, str(n)) for k, n in counts.kinds.most_common()]))
    rows = counts.by_category()
    if not rows:
        return
    print()
    cells = [['*' if value is True else '' if value is False else str(value)
              for value in row.values()] for row in rows]  # fmt: skip
    print(table([key.replace('_', ' ') for key in rows[0]], cells))


def run_show(args: argparse.Namespace) -> int:
    """Draw one scene, or a page of scenes."""
    if Path(args.out).suffix.lower() != '.png':
        raise ValueError(f'--out {args.out}: expected a name that ends in .png')
    Path(args.out).parent.mkdir(parents=True, exist_ok=True)
    if args.page is not None:
        return _show_page(args)
    if not (Path(args.scene) / 'cloud.npz').is_file() and any(
        Path(args.scene).glob('*/cloud.npz')
    ):
        raise ValueError(
            f'{args.scene}: expected one scene folder, found a folder of them; name one, or draw '
            'several: --page 12'
        )
    from folk_ros.training.scenes.pictures import draw_scene
    from folk_ros.training.scenes.scene import load_scene

    draw_scene(load_scene(args.scene), args.out)
    say(f'wrote {args.out}')
    return 0


def _show_page(args: argparse.Namespace) -> int:
    if not 1 <= args.page <= MOST_ON_PAGE or args.seed < 0:
        raise ValueError(
            f'--page {args.page} --seed {args.seed}: expected 1 to {MOST_ON_PAGE} scenes and a '
            'seed of 0 or more'
        )
    import random

    from folk_ros.training.scenes.pictures import draw_page

    folders = scene_folders(Path(args.scene))
    chosen = random.Random(args.seed).sample(folders, min(args.page, len(folders)))
    failed: list[Path] = []

    def note(folder: Path, error: Exception) -> None:
        failed.append(folder)
        say(f'left out: {error}')

    if not draw_page(sorted(chosen), args.out, note):
        raise ValueError(f'{args.scene}: none of the {len(chosen)} scenes could be read')
    say(f'wrote {args.out}')
    return 1 if failed else 0


def scene_folders(folder: Path) -> list[Path]:
    """Return the scene folders in a folder; ValueError if there is none."""
    found = sorted(path.parent for path in folder.glob('*/cloud.npz'))
    if not found:
        raise ValueError(
            f'{folder}: expected scene folders with cloud.npz, found none; make some: '
            'folk scenes rooms --out DIR'
        )
    return found
