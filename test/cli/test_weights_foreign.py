import hashlib
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from safetensors import safe_open
from safetensors.torch import load_file
import torch

from folk_ros.cli.main import main
from folk_ros.student.weights import load_masks

RECORDED = Path(__file__).parents[1] / 'student' / 'data' / 'mask3d_reference.safetensors'


@pytest.fixture
def mask3d(tmp_path):
    tensors = {k: v for k, v in load_file(RECORDED).items() if k[:3] not in ('in.', 'out')}
    path = tmp_path / 'scannet200_val.ckpt'
    torch.save({'state_dict': tensors}, path)
    return path


def metadata_of(path):
    with safe_open(path, 'pt') as file:
        return file.metadata()


def test_an_imported_mask3d_says_where_it_is_from_and_that_it_has_no_words(
    mask3d, tmp_path, capsys
):
    out = tmp_path / 'model'
    assert main(['weights', 'import', 'mask3d', str(mask3d), '--out', str(out)]) == 0
    printed = capsys.readouterr().out
    assert '3 not needed' in printed and 'criterion.empty_weight: weights of the' in printed
    assert 'folk distill --masks' in printed
    metadata = metadata_of(out / 'student.safetensors')
    assert metadata['architecture'] == 'mask3d'
    assert metadata['embeddings'].startswith('none')
    assert hashlib.sha256(mask3d.read_bytes()).hexdigest() in metadata['provenance']
    assert load_masks(out / 'student.safetensors').config.embedding_dim == 0
    assert main(['weights', 'verify', str(out)]) == 0


def test_words_cannot_be_asked_of_an_imported_mask3d(mask3d, tmp_path, capsys):
    out = tmp_path / 'model'
    main(['weights', 'import', 'mask3d', str(mask3d), '--out', str(out)])
    cloud = tmp_path / 'cloud.npz'
    np.savez(cloud, xyz=np.zeros((100, 3), np.float32))
    assert main(['segment', str(cloud), '--model', str(out)]) == 2
    assert 'gives masks but no embeddings' in capsys.readouterr().err


def test_a_damaged_checkpoint_is_wrong_input_and_writes_nothing(mask3d, tmp_path, capsys):
    mask3d.write_bytes(mask3d.read_bytes()[:-1000])
    out = tmp_path / 'model'
    assert main(['weights', 'import', 'mask3d', str(mask3d), '--out', str(out)]) == 2
    assert 'was not copied whole' in capsys.readouterr().err
    assert not out.exists()


class Words:
    """Stands in for SigLIP2's text side, which is several GB."""

    name, dim, logit_scale = 'ViT-SO400M-14-SigLIP2/webli', 1152, 110.0

    def encode(self, texts):
        return np.eye(len(texts), self.dim, dtype=np.float32)


@pytest.fixture
def hub(monkeypatch, tmp_path):
    """Stand in for the model hub: notes what is asked for, hands out a small file."""
    asked = []
    file = tmp_path / 'hub.ckpt'
    shapes = {'learned_content': (200, 512), 'clip_head': (1152, 512), 'class_head': (2, 512)}
    tensors = {f'net.{name}.weight': torch.ones(shape) for name, shape in shapes.items()}
    torch.save({'state_dict': tensors | {'caption_loss.logit_scale': torch.ones(())}}, file)

    def download(repository, name):
        asked.append(f'{repository}/{name}')
        return str(file)

    monkeypatch.setattr('huggingface_hub.hf_hub_download', download)
    monkeypatch.setattr(
        'huggingface_hub.snapshot_download', lambda repository, **_: asked.append(repository)
    )
    monkeypatch.setattr('folk_ros.text.load_text_tower', lambda place: Words())
    return SimpleNamespace(asked=asked)


def test_fetching_spaceformer_shows_its_licence_and_writes_a_model(hub, tmp_path, capsys):
    out = tmp_path / 'model'
    command = ['weights', 'fetch', 'spaceformer', '--accept-licence', '--out', str(out)]
    assert main(command) == 0
    printed = capsys.readouterr().out
    assert 'CC-BY-NC-4.0' in printed and 'non-commercial' in printed
    assert hub.asked[0] == 'chrischoy/SpaCeFormer/spaceformer_512_siglip2_ssccc.ckpt'
    metadata = metadata_of(out / 'student.safetensors')
    assert metadata['architecture'] == 'spaceformer'
    assert metadata['embeddings'] == Words.name
    assert 'CC-BY-NC-4.0' in metadata['provenance']
    tensors = load_file(out / 'student.safetensors')
    assert set(tensors) == {
        'vocabulary',
        'net.learned_content.weight',
        'net.clip_head.weight',
        'net.class_head.weight',
    }
    assert tensors['vocabulary'].shape == (200, 1152)


def test_without_consent_nothing_is_downloaded(hub, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr('sys.stdin', SimpleNamespace(isatty=lambda: True))
    monkeypatch.setattr('builtins.input', lambda question: 'no')
    assert main(['weights', 'fetch', 'spaceformer', '--out', str(tmp_path / 'model')]) == 1
    assert 'not accepted; nothing was downloaded' in capsys.readouterr().err
    monkeypatch.setattr('sys.stdin', SimpleNamespace(isatty=lambda: False))
    assert main(['weights', 'fetch', 'spaceformer', '--out', str(tmp_path / 'model')]) == 1
    assert 'give --accept-licence' in capsys.readouterr().err
    assert hub.asked == []
    assert not (tmp_path / 'model').exists()


def test_consent_may_be_typed(hub, tmp_path, monkeypatch):
    monkeypatch.setattr('sys.stdin', SimpleNamespace(isatty=lambda: True))
    monkeypatch.setattr('builtins.input', lambda question: ' Yes ')
    assert main(['weights', 'fetch', 'spaceformer', '--out', str(tmp_path / 'model')]) == 0


def test_a_clip_is_fetched_by_its_open_clip_name(hub, capsys):
    assert main(['weights', 'fetch', 'ViT-SO400M-14-SigLIP2/webli']) == 0
    assert hub.asked == [
        'timm/ViT-SO400M-14-SigLIP2',  # the tokenizer
        'timm/ViT-SO400M-14-SigLIP2/open_clip_model.safetensors',
    ]
    assert main(['weights', 'fetch', 'ViT-L-14/of-nobody']) == 2
    assert 'no weights of open_clip are called so' in capsys.readouterr().err
