"""Make the demo CLIP: `python -m folk_ros.training.demo_clip --help`."""

from __future__ import annotations

import argparse
import json
import logging
from pathlib import Path

import numpy as np
import torch

from folk_ros.text import load_text_tower
from folk_ros.training.demo_clip.compare import compare_towers
from folk_ros.training.demo_clip.data import PORTRAITS, read_regions
from folk_ros.training.demo_clip.evaluate import (
    embed_instances,
    naming_report,
    NamingReport,
    retrieval_report,
)
from folk_ros.training.demo_clip.pack import pack_text_tower
from folk_ros.training.demo_clip.portraits import make_portraits
from folk_ros.training.demo_clip.tower import IMAGE_WEIGHTS, load_image_tower, save_image_tower
from folk_ros.training.demo_clip.train import train_demo_clip, TrainConfig
from folk_ros.training.scenes.objects.catalog import CATEGORIES

log = logging.getLogger('folk_ros.training.demo_clip')


def main() -> None:
    """Parse, call one function, log what came out."""
    arguments = _parser().parse_args()
    logging.basicConfig(level=logging.INFO, format='%(message)s')
    torch.set_num_threads(arguments.threads)
    if arguments.command == 'pack':
        pack_text_tower(arguments.source, arguments.model)
    elif arguments.command == 'compare':
        _compare(arguments)
    elif arguments.command == 'portraits':
        _portray(arguments)
    elif arguments.command == 'train':
        _train(arguments)
    else:
        _evaluate(arguments)


def _compare(arguments: argparse.Namespace) -> None:
    names = list(CATEGORIES)
    texts = dict.fromkeys(names)
    for category in CATEGORIES.values():
        texts |= dict.fromkeys((*category.words, *category.says))
    log.info('%s', compare_towers(arguments.source, arguments.model, list(texts), names))


def _portray(arguments: argparse.Namespace) -> None:
    def tell(done: int, total: int, name: str) -> None:
        log.info('%d of %d: %s', done, total, name)

    make_portraits(
        arguments.out,
        arguments.rooms,
        arguments.seed,
        arguments.workers,
        tell,
        arguments.pictures,
    )


def _train(arguments: argparse.Namespace) -> None:
    rooms = _rooms(arguments, 'train')
    if arguments.portraits:
        rooms += [r for f in arguments.portraits for r in sorted(f.glob(f'{PORTRAITS}_*'))]
    config = TrainConfig(
        steps=arguments.steps,
        seed=arguments.seed,
        lr=arguments.lr,
        every=arguments.every,
        widths=tuple(arguments.widths),
    )
    start = load_image_tower(arguments.start) if arguments.start else None
    tower = train_demo_clip(rooms, arguments.out, load_text_tower(arguments.model), config, start)
    facts = {'steps': str(config.steps), 'seed': str(config.seed), 'rooms': str(len(rooms))}
    save_image_tower(tower, arguments.out / IMAGE_WEIGHTS, facts)
    log.info('%s: written', arguments.out / IMAGE_WEIGHTS)


def _evaluate(arguments: argparse.Namespace) -> None:
    regions = read_regions(_rooms(arguments, arguments.split), arguments.every)
    seen = embed_instances(load_image_tower(arguments.weights), regions)
    text_tower = load_text_tower(arguments.model)
    every = sorted(set(regions.names))
    novel = {n for n, v in zip(regions.names, regions.novel, strict=True) if v}
    base = [name for name in every if name not in novel]
    base_alone = naming_report(seen, regions, text_tower, base)
    log.info('base names among base names: %s', _rates(base_alone))
    among_all = naming_report(seen, regions, text_tower, every)
    for title, names in (('base', base), ('novel', sorted(novel))):
        counted = [among_all.by_name.get(n, (0, 0)) for n in names]
        right, count = np.array(counted).reshape(-1, 2).sum(0)
        log.info('%s names among all names: %.3f (%d)', title, right / max(count, 1), count)
    _tell('all names among all names', among_all)
    for kind, (right, count) in sorted(retrieval_report(seen, regions, text_tower).items()):
        log.info('first answer of the room right, %s: %.3f (%d)', kind, right / count, count)


def _rooms(arguments: argparse.Namespace, split: str) -> list[Path]:
    """Return the folders of a split, in order of name, from all folders given."""
    found = [room for folder in arguments.rooms for room in sorted(folder.glob(f'{split}_*'))]
    return found[: arguments.max_rooms]


def _tell(title: str, report: NamingReport) -> None:
    log.info('%s: %s', title, _rates(report))
    for name, (right, count) in sorted(report.by_name.items(), key=lambda r: r[1][0] / r[1][1]):
        wrong = {said: n for (true, said), n in report.confusions.items() if true == name}
        most = dict(sorted(wrong.items(), key=lambda item: -item[1])[:3])
        log.info('  %-20s %3d of %3d  %s', name, right, count, json.dumps(most) if most else '')


def _rates(report: NamingReport) -> str:
    return f'top-1 {report.accuracy:.3f}, mean over names {report.mean_accuracy:.3f}'


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog='python -m folk_ros.training.demo_clip')
    parser.add_argument('--threads', type=int, default=1, help='torch threads (default: 1)')
    commands = parser.add_subparsers(dest='command', required=True)
    pack = commands.add_parser('pack', help="pack the text tower from the publisher's files")
    pack.add_argument('source', type=Path, help='folder with model.safetensors and tokenizer')
    pack.add_argument('model', type=Path, help='model folder to write')
    compare = commands.add_parser('compare', help='measure what packing cost')
    compare.add_argument('source', type=Path, help="folder with the publisher's files")
    compare.add_argument('model', type=Path, help='model folder')
    portraits = commands.add_parser('portraits', help='make pictures with novel things, for train')
    portraits.add_argument('out', type=Path, help='folder to write portraits_00000/ ... to')
    portraits.add_argument('--rooms', type=int, default=150, help='how many')
    portraits.add_argument('--pictures', type=int, default=6, help='of a room, at most')
    portraits.add_argument('--seed', type=int, default=0)
    portraits.add_argument('--workers', type=int, default=1, help='processes')
    train = commands.add_parser('train', help='train the image tower; resumes what was begun')
    train.add_argument('rooms', type=Path, nargs='+', help='folders with rooms train_*')
    train.add_argument('--out', type=Path, required=True, help='for checkpoint and weights')
    train.add_argument(
        '--portraits', type=Path, nargs='+', help='folders with portraits_*, for novel names'
    )
    train.add_argument('--start', type=Path, help='weights to begin with (default: random)')
    train.add_argument(
        '--widths', type=int, nargs='+', default=TrainConfig.widths, help='channels, see tower.py'
    )
    train.add_argument('--lr', type=float, default=TrainConfig.lr)
    train.add_argument('--steps', type=int, default=TrainConfig.steps)
    train.add_argument('--seed', type=int, default=TrainConfig.seed)
    evaluate = commands.add_parser('evaluate', help='name the objects of rooms not trained on')
    evaluate.add_argument('rooms', type=Path, nargs='+', help='folders with rooms val_*')
    evaluate.add_argument('--weights', type=Path, required=True, help='image tower weights')
    evaluate.add_argument('--split', default='val', help='which rooms (default: val)')
    for command, every_nth in ((train, TrainConfig.every), (evaluate, 1)):
        command.add_argument('--every', type=int, default=every_nth, help='each nth view')
        command.add_argument('--model', type=Path, required=True, help='folder of the text tower')
        command.add_argument('--max-rooms', type=int, default=None)
    return parser


if __name__ == '__main__':
    main()
