import re

import numpy as np
import pytest
import yaml

from folk_ros.resources import find_file
from folk_ros.training.distill.background import background
from folk_ros.training.distill.lexicon import lexicon, SAYINGS, sayings
from folk_ros.training.labels import load_labels


class Letters:
    """Texts as counts of letters."""

    name, dim = 'toy', 128

    def encode(self, texts):
        counts = [np.bincount([ord(c) % 128 for c in text], minlength=128) for text in texts]
        rows = np.array(counts, np.float32).reshape(-1, 128)
        return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def plain(text):
    return re.sub(r'^((the|a|an) )+', '', text.casefold())


def test_the_shipped_sayings_tell_of_every_name_that_students_are_asked_by():
    stored = yaml.safe_load(find_file(SAYINGS).read_text())
    names = load_labels('scannet200').instance_labels().names
    assert [name for name in names if name not in stored] == []
    assert [n for n, told in stored.items() if not (told['words'] or told['uses'])] == []


def test_no_saying_is_a_text_that_retrieval_is_measured_with():
    stored = yaml.safe_load(find_file(SAYINGS).read_text())
    asked = yaml.safe_load(find_file('config/free_words.yaml').read_text())
    said = {
        plain(str(text)) for told in stored.values() for part in told.values() for text in part
    }
    texts = {
        plain(entry['text'] if isinstance(entry, dict) else entry)
        for part in ('tune', 'judge')
        for kind in ('synonyms', 'functions', 'absent')
        for entry in asked[part][kind]
    }
    assert len(texts) > 150
    assert said & texts == set()


def test_words_uses_and_definitions_are_embedded_with_the_row_of_their_name(tmp_path):
    path = tmp_path / 'sayings.yaml'
    path.write_text('cot: {words: [crib], uses: [where a child sleeps]}\nbox: {words: [case]}\n')
    found = sayings(['box', 'unheard of', 'cot'], Letters(), path)
    assert found.of.tolist() == [0, 0, 2, 2, 2]  # box and cot have definitions
    assert np.allclose(
        found.embeddings[[0, 2, 3]], Letters().encode(['case', 'crib', 'where a child sleeps'])
    )
    nothing = sayings(['unheard of'], Letters(), path)
    assert nothing.of.shape == (0,) and nothing.embeddings.shape == (0, 128)


@pytest.mark.parametrize('text', ['just a line', 'cot: [crib]', '{'])
def test_a_file_of_another_form_is_refused_by_name(tmp_path, text):
    path = tmp_path / 'sayings.yaml'
    path.write_text(text)
    with pytest.raises(ValueError, match='sayings.yaml: expected names with words and uses'):
        sayings(['cot'], Letters(), path)


def test_names_of_generated_objects_have_other_words():
    assert 'sofa' in lexicon(['couch'])[0]
    assert lexicon(['unheard of']) == [()]


def test_things_are_not_called_by_another_word_for_a_name_unless_scenes_taught_it():
    asked = ('seat', 'chair', 'door')
    vocabulary = background(asked, Letters(), ('chair',))
    assert vocabulary.labels == ('chair', 'door')
    assert 'seat' in vocabulary.names and 'lamp' in vocabulary.names  # still a rival of texts
    assert background(asked, Letters(), asked).labels == asked
