from __future__ import annotations

import json
from pathlib import Path
import shutil
import socket
import subprocess
import sys
import threading

from letters_tower import letters_tower
import numpy as np
import pytest
from safetensors.torch import save_file
import torch

from folk_ros.text import load_text_tower
from folk_ros.text_bert import load_packed
from folk_ros.training.demo_clip.pack import pack_text_tower, quantise_rows

DEMO_CLIP = Path(__file__).parents[1] / 'resource' / 'models' / 'demo_clip'


@pytest.fixture(scope='module')
def demo():
    """The shipped tower, loaded and run with every socket call refused."""

    def refuse(*args, **kwargs):
        raise AssertionError('a text tower on this machine must not touch the network')

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket, 'getaddrinfo', refuse)
        patch.setattr(socket.socket, 'connect', refuse)
        tower = load_text_tower(DEMO_CLIP)
        tower.warm_up()
    return tower


def test_a_synonym_is_nearer_than_any_other_name(demo):
    names = ['couch', 'chair', 'table', 'lamp', 'monitor', 'trash can', 'cup']
    embeddings = demo.encode(names)
    asked = {'sofa': 'couch', 'something to sit on': 'chair', 'screen': 'monitor', 'mug': 'cup',
             'garbage bin': 'trash can', 'something that gives light': 'lamp'}  # fmt: skip
    nearest = (demo.encode(list(asked)) @ embeddings.T).argmax(1)
    assert [names[k] for k in nearest] == list(asked.values())


def test_embeddings_are_unit_float32_in_the_order_asked(demo):
    one, two = demo.encode(['chair']), demo.encode(['a lamp', 'chair'])
    assert demo.name == 'folk-demo-clip-minilm-384'
    assert two.shape == (2, 384) and two.dtype == np.float32
    assert np.allclose(np.linalg.norm(two, axis=1), 1, atol=1e-5)
    assert np.allclose(one[0], two[1], atol=1e-5)


def test_a_text_longer_than_the_tower_reads_is_cut(demo):
    long = demo.encode(['chair ' * 2000])
    assert np.isfinite(long).all()


def test_the_shipped_tower_works_from_a_read_only_folder_anywhere(tmp_path, demo):
    folder = tmp_path / 'some where' / 'else'
    shutil.copytree(DEMO_CLIP, folder)
    before = sorted(folder.iterdir())
    for path in (*before, folder):
        path.chmod(0o555 if path.is_dir() else 0o444)
    moved = load_text_tower(folder)
    assert np.array_equal(moved.encode(['red mug']), demo.encode(['red mug']))
    folder.chmod(0o755)
    assert sorted(folder.iterdir()) == before


def test_a_known_text_is_not_run_again():
    tower, asked = letters_tower()
    tower.encode(['chair', 'lamp', 'chair'])
    tower.encode(['lamp', ' chair\n'])
    assert asked == [['chair', 'lamp']]


def test_the_cache_forgets_what_was_asked_longest_ago():
    tower, asked = letters_tower(cache_size=2)
    for text in ('a', 'b', 'a', 'c', 'a', 'b'):
        tower.encode([text])
    assert [texts for (texts,) in asked] == ['a', 'b', 'c', 'b']


def test_more_texts_than_the_cache_holds_are_all_answered():
    tower, asked = letters_tower(cache_size=3)
    texts = [f'word {k}' for k in range(200)]
    assert tower.encode(texts).shape == (200, 5)
    assert max(map(len, asked)) <= 64


def test_templates_are_averaged_on_the_sphere():
    tower, _ = letters_tower(('{}', 'a {}'))
    plain, _ = letters_tower()
    mean = plain.encode(['chair', 'a chair']).mean(0)
    assert np.allclose(tower.encode(['chair'])[0], mean / np.linalg.norm(mean), atol=1e-6)


@pytest.mark.parametrize('templates', [(), ('a photo',), ('{} {}',), ('{name}',), ('{}{',)])
def test_a_template_without_exactly_one_place_is_refused(templates):
    with pytest.raises(ValueError, match='templates'):
        letters_tower(templates)


def test_braces_in_a_question_are_just_characters():
    tower, asked = letters_tower(('a {}',))
    tower.encode(['{0} {name}'])
    assert asked == [['a {0} {name}']]


def test_no_texts_give_no_rows():
    tower, asked = letters_tower()
    assert tower.encode([]).shape == (0, 5)
    assert not asked


@pytest.mark.parametrize('text', ['', '  \n', '\0\x07', '\u200b', '\ud800'])
def test_a_text_with_nothing_readable_is_refused_with_its_place(text):
    tower, _ = letters_tower()
    with pytest.raises(ValueError, match='text 2 of 2'):
        tower.encode(['chair', text])


def test_one_string_in_place_of_a_list_is_refused():
    tower, _ = letters_tower()
    with pytest.raises(ValueError, match='list of strings'):
        tower.encode('chair')


def test_many_threads_asking_at_once_get_their_own_answers():
    tower, _ = letters_tower(cache_size=8)
    expected = {f'{v * 3} {k}': None for k, v in enumerate('aeiou' * 4)}
    alone, _ = letters_tower()
    answers: dict[str, np.ndarray] = {}

    def ask(text):
        for _ in range(20):
            answers[text] = tower.encode([text])

    threads = [threading.Thread(target=ask, args=(t,)) for t in expected]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for text in expected:
        assert np.allclose(answers[text], alone.encode([text]))


def test_the_tower_runs_on_one_core_and_leaves_the_others_to_the_rest():
    script = (
        'import torch; torch.set_num_threads(3)\n'
        'from folk_ros.text import TextTower\n'
        'import numpy as np\n'
        'seen = []\n'
        'def run(prompts):\n'
        '    seen.append(torch.get_num_threads())\n'
        '    return np.ones((len(prompts), 1), np.float32)\n'
        'tower = TextTower("t", 1, run)\n'
        'before = torch.get_num_threads()\n'
        'tower.encode(["chair"])\n'
        'assert (seen, before, torch.get_num_threads()) == ([1], 3, 3), (seen, before)\n'
    )
    root = Path(__file__).parents[1]
    done = subprocess.run([sys.executable, '-c', script], cwd=root, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_rows_are_quantised_to_within_half_a_step():
    weight = torch.randn(5, 40, generator=torch.Generator().manual_seed(0))
    weight[3] = 0
    packed, step = quantise_rows(weight)
    assert packed.dtype == torch.int8
    assert ((packed * step[:, None] - weight).abs() <= step[:, None] * 0.5001).all()


def test_weights_of_another_space_are_refused(tmp_path):
    path = tmp_path / 'text_tower.safetensors'
    save_file({'a': torch.ones(1)}, path, {'clip': 'one'})
    with pytest.raises(ValueError, match='expected weights of other, got one'):
        load_packed(path, 'other')


def test_a_tower_that_is_not_the_publishers_is_not_packed(tmp_path):
    save_file({'a': torch.ones(1)}, tmp_path / 'model.safetensors')
    with pytest.raises(ValueError, match='SHA-256'):
        pack_text_tower(tmp_path, tmp_path / 'out')


@pytest.mark.parametrize(
    'model', ['nowhere', '/no/such/folder', './x', 'ViT-B-32', 'No-Such/openai', '']
)
def test_a_model_that_cannot_be_meant_is_refused(model):
    with pytest.raises(ValueError, match="CLIP '"):
        load_text_tower(model)


def test_a_tag_not_fetched_before_is_refused_not_downloaded(monkeypatch, tmp_path):
    monkeypatch.setattr(socket, 'getaddrinfo', None)
    with pytest.raises(ValueError, match='folk weights fetch ViT-B-32/laion2b_e16'):
        load_text_tower('ViT-B-32/laion2b_e16')


def test_a_folder_without_a_config_is_named(tmp_path):
    with pytest.raises(ValueError, match=r'open_clip_config\.json'):
        load_text_tower(tmp_path)


@pytest.mark.parametrize('missing', ['config.json', 'text_tower.safetensors'])
def test_a_folder_that_lacks_a_file_is_named(tmp_path, missing):
    folder = tmp_path / 'model'
    shutil.copytree(DEMO_CLIP, folder)
    (folder / missing).unlink()
    with pytest.raises(ValueError, match=r'model'):
        load_text_tower(folder)


def test_any_open_clip_model_with_local_weights_is_a_text_tower(tmp_path):
    import open_clip

    config = {
        'embed_dim': 16,
        'vision_cfg': {'image_size': 32, 'layers': 1, 'width': 64, 'patch_size': 16},
        'text_cfg': {'context_length': 77, 'vocab_size': 49408, 'width': 32, 'heads': 2,
                     'layers': 1},
    }  # fmt: skip
    (tmp_path / 'folk-tiny-text.json').write_text(json.dumps(config))
    open_clip.add_model_config(tmp_path)
    torch.manual_seed(0)
    clip = open_clip.create_model('folk-tiny-text').eval()
    save_file(clip.state_dict(), tmp_path / 'weights.safetensors')
    tower = load_text_tower(f'folk-tiny-text/{tmp_path}/weights.safetensors', templates=('{}',))
    tokens = open_clip.get_tokenizer('folk-tiny-text')(['a chair'])
    with torch.no_grad():
        expected = clip.encode_text(tokens, normalize=True).numpy()
    assert tower.name == 'folk-tiny-text/weights'
    assert np.allclose(tower.encode(['a chair']), expected, atol=1e-5)
    assert tower.logit_scale == pytest.approx(clip.logit_scale.detach().exp().item())


def test_weights_of_another_architecture_are_refused_with_both_names(tmp_path):
    save_file({'a': torch.ones(1)}, tmp_path / 'weights.safetensors')
    with pytest.raises(ValueError, match=r'weights\.safetensors cannot be loaded into RN50'):
        load_text_tower(f'RN50/{tmp_path}/weights.safetensors')
