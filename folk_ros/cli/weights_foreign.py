"""`folk weights import` and `folk weights fetch`: the weights of others."""

from __future__ import annotations

import argparse
from pathlib import Path
import sys
from typing import Any

from folk_ros.cli.output import CommandFailed

SPACEFORMER_TERMS = """\
SpaCeFormer (Choy et al., ICML 2026): weights of 85.8 M parameters, from the model hub
({repository}, {file}). Their licence is {licence}, not this program's:
  - you may use and adapt them for non-commercial purposes only;
  - you must name their authors wherever you show results or pass them on.
  https://creativecommons.org/licenses/by-nc/4.0/
Their text side (SigLIP2 SO400M, Apache-2.0, several GB) is fetched with them. The network runs on
CUDA alone, in the package warpconvnet, which you install yourself.
"""


def add_import(actions: Any) -> None:
    """Add `folk weights import` to the actions."""
    parser = actions.add_parser(
        'import',
        help='turn a checkpoint of another program into a model folder',
        description='Turn a checkpoint of another program into a model folder of ours. Nothing '
        'of the other program is needed or run.',
        epilog='Example: folk weights import mask3d scannet200_val.ckpt --out models/mask3d',
    )
    parser.add_argument('kind', choices=('mask3d', 'spaceformer'), help='what the checkpoint is')
    parser.add_argument('checkpoint', type=Path, help='the file')
    parser.add_argument('--out', type=Path, required=True, help='model folder to write')
    parser.set_defaults(run=run_import)


def add_fetch(actions: Any) -> None:
    """Add `folk weights fetch` to the actions."""
    parser = actions.add_parser(
        'fetch',
        help='download public weights, once; nothing else ever downloads',
        description='Download public weights from the model hub, once. Nothing else in this '
        'program ever downloads anything.',
        epilog='Examples: folk weights fetch spaceformer --out models/spaceformer; '
        'folk weights fetch ViT-L-14-336/openai',
    )
    parser.add_argument('what', help="'spaceformer', or a CLIP as open_clip's ARCHITECTURE/TAG")
    parser.add_argument(
        '--out', type=Path, default=Path('spaceformer'), help='model folder (default: spaceformer)'
    )
    parser.add_argument(
        '--accept-licence', action='store_true', help='accept the licence shown, without asking'
    )
    parser.set_defaults(run=run_fetch)


def run_import(args: argparse.Namespace) -> int:
    """Import a checkpoint; say what became of its tensors."""
    from folk_ros.student.foreign.mask3d import import_mask3d
    from folk_ros.student.sums import digest_of, write_sums
    from folk_ros.student.weights import save_student, STUDENT_FILE

    if args.kind == 'spaceformer':
        return _import_spaceformer(args.checkpoint, args.out)
    found = import_mask3d(args.checkpoint)
    digest = digest_of(args.checkpoint)
    provenance = f'Mask3D checkpoint {args.checkpoint.name}, SHA-256 {digest}'
    path = args.out / STUDENT_FILE
    save_student(path, found.student, None, half=False, provenance=provenance)
    write_sums(args.out)
    print(f'{len(found.taken)} tensors taken over, {len(found.ignored)} not needed:')
    for name, reason in found.ignored.items():
        print(f'  {name}: {reason}')
    print(f'wrote {path}: masks, no embeddings yet')
    print(f'add them with: folk distill --masks {args.out.resolve()}')
    return 0


def run_fetch(args: argparse.Namespace) -> int:
    """Download weights, after their licence was accepted."""
    from folk_ros.student.foreign.spaceformer import FILE, LICENCE, REPOSITORY
    from folk_ros.student.spaceformer import SpaceFormerConfig
    from folk_ros.text import fetch_open_clip
    from folk_ros.text_hub import download

    if args.what != 'spaceformer':
        print(f'fetched {fetch_open_clip(args.what)}')
        return 0
    print(SPACEFORMER_TERMS.format(repository=REPOSITORY, file=FILE, licence=LICENCE))
    if not args.accept_licence and not _agrees():
        raise CommandFailed('the licence was not accepted; nothing was downloaded')
    checkpoint = download(REPOSITORY, [FILE])
    fetch_open_clip(SpaceFormerConfig().text_tower)
    return _import_spaceformer(checkpoint, args.out)


def _agrees() -> bool:
    if not sys.stdin.isatty():
        raise CommandFailed(
            'there is nobody to ask here; read the licence and give --accept-licence'
        )
    return input('Accept this licence? Type yes: ').strip().lower() == 'yes'


def _import_spaceformer(checkpoint: Path, out: Path) -> int:
    """Write a model folder from a checkpoint, the vocabulary embedded by its text side."""
    from folk_ros.query import Vocabulary
    from folk_ros.student.foreign.spaceformer import FLOOR, LICENCE, read_spaceformer, REPOSITORY
    from folk_ros.student.spaceformer import SpaceFormerConfig
    from folk_ros.student.sums import digest_of, write_sums
    from folk_ros.student.weights import save_tensors, STUDENT_FILE
    from folk_ros.text import load_text_tower
    from folk_ros.training.labels import load_labels

    tensors = read_spaceformer(checkpoint)
    config = SpaceFormerConfig()
    tower = load_text_tower(config.text_tower)
    names = load_labels('scannet200').names
    vocabulary = Vocabulary(names, tower.encode(names), tower.logit_scale, FLOOR)
    digest = digest_of(checkpoint)
    provenance = f'{REPOSITORY} {checkpoint.name}, SHA-256 {digest}, licence {LICENCE}'
    save_tensors(out / STUDENT_FILE, config, tensors, vocabulary, provenance)
    write_sums(out)
    print(f'wrote {out / STUDENT_FILE}, under {LICENCE}')
    print(f'use it with: folk segment CLOUD --model {out.resolve()}')
    return 0
