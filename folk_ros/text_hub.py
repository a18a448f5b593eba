"""
Weights on the model hub: finding those fetched before, and fetching them.

`download` is the only thing in this program that goes to the network for weights, and only the
command `folk weights fetch` calls it.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

CLIP_FILES = ('open_clip_model.safetensors', 'open_clip_pytorch_model.bin')
TOKENIZER_FILES = ['*.json', '*.txt', '*.model']


def clip_place(tag: dict[str, Any]) -> tuple[str, tuple[str, ...]]:
    """Return repository and possible file names of open_clip's entry for a tag ('' if none)."""
    repository, _, file = tag.get('hf_hub', '').rpartition('/')
    return repository, (file,) if file else CLIP_FILES


def fetched_weights(model: str, tag: dict[str, Any]) -> Path:
    """Return the file of 'ARCHITECTURE/TAG' fetched before; ValueError if it is not here."""
    from huggingface_hub import try_to_load_from_cache

    repository, names = clip_place(tag)
    for name in names if repository else ():
        found = try_to_load_from_cache(repository, name)
        if isinstance(found, str):
            return Path(found)
    arch, _, weights = model.partition('/')
    raise ValueError(
        f'text tower {model}: {weights!r} is neither a file nor weights fetched before; fetch '
        f'them once (folk weights fetch {model}) or name a file: {arch}/FILE.safetensors'
    )


def download(repository: str, names: Sequence[str]) -> Path:
    """
    Download the first file of a repository that is there, and return where it lies.

    The hub's client checks what arrives. Raises RuntimeError, with a sentence, if it cannot.
    """
    from huggingface_hub import hf_hub_download
    from huggingface_hub.errors import EntryNotFoundError, LocalEntryNotFoundError

    for name in names:
        try:
            return Path(hf_hub_download(repository, name))
        except (LocalEntryNotFoundError, OSError) as error:
            reason = str(error).strip().split('\n')[0]
            raise RuntimeError(
                f'{repository}/{name} could not be downloaded ({reason}); is there a network, and '
                'does the model hub know you where its licence asks for that?'
            ) from error
        except EntryNotFoundError:
            continue
    raise RuntimeError(f'{repository}: has none of the files {list(names)}')


def download_tokenizer(repository: str) -> None:
    """Download the small files of a tokenizer; raises RuntimeError, with a sentence."""
    from huggingface_hub import snapshot_download

    try:
        snapshot_download(repository, allow_patterns=TOKENIZER_FILES)
    except OSError as error:
        raise RuntimeError(f'{repository}: the tokenizer could not be downloaded') from error
