from __future__ import annotations

from pathlib import Path
import subprocess
import sys
import unicodedata

from hypothesis import given, strategies
from letters_tower import letters_tower
import numpy as np
import pytest

from folk_ros.text_embeddings import (
    clean_text,
    clean_texts,
    load_text_embeddings,
    MAX_CHARS,
    save_text_embeddings,
)


def test_control_characters_part_words_and_invisible_ones_do_not():
    assert clean_text(' red\0mug\t\x1b[0m ') == 'red mug [0m'
    assert clean_text('so\u00adfa') == 'sofa'


@given(strategies.text())
def test_whatever_is_sent_comes_out_clean_or_is_refused(text):
    try:
        cleaned = clean_texts([text])[0]
    except ValueError:
        return
    assert cleaned and cleaned == clean_text(cleaned)
    assert not {unicodedata.category(c)[0] for c in cleaned} & {'C'}
    assert len(cleaned) <= MAX_CHARS
    cleaned.encode()


def test_embeddings_saved_beforehand_answer_without_the_tower(tmp_path):
    tower, _ = letters_tower()
    save_text_embeddings(tmp_path / 'words.safetensors', tower, ['chair', 'lamp', 'chair'])
    known = load_text_embeddings(tmp_path / 'words.safetensors')
    assert (known.name, known.dim, known.texts) == ('letters', 5, ('chair', 'lamp'))
    assert np.array_equal(known.encode(['lamp', 'chair']), tower.encode(['lamp', 'chair']))
    with pytest.raises(ValueError, match="'giraffe' is not among the 2 texts"):
        known.encode(['giraffe'])


def test_saved_embeddings_need_neither_torch_nor_open_clip(tmp_path):
    tower, _ = letters_tower()
    path = tmp_path / 'words.safetensors'
    save_text_embeddings(path, tower, ['chair'])
    script = (
        'import sys; from pathlib import Path\n'
        'from folk_ros.text_embeddings import load_text_embeddings\n'
        f'load_text_embeddings(Path({str(path)!r})).encode(["chair"])\n'
        'assert not {"torch", "open_clip", "transformers"} & set(sys.modules)\n'
    )
    root = Path(__file__).parents[1]
    done = subprocess.run([sys.executable, '-c', script], cwd=root, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize('content', [b'', b'not safetensors'])
def test_a_broken_file_of_embeddings_is_named(tmp_path, content):
    path = tmp_path / 'words.safetensors'
    path.write_bytes(content)
    with pytest.raises(ValueError, match=r'words\.safetensors'):
        load_text_embeddings(path)
