from dataclasses import replace
import gzip

import numpy as np
import pytest

from folk_ros.query import Sayings, Vocabulary
from folk_ros.resources import find_file
from folk_ros.text_dictionary import define, embed_questions, load_dictionary, SHIPPED

WORDS = {'cot': 'a small bed', 'bed post': 'a post of a bed', 'stairs': 'a flight of steps'}


class Tower:
    """Each text of its own direction, and how often it was asked."""

    name, dim = 'toy', 64

    def __init__(self):
        self.rows = {}
        self.asked = []

    def encode(self, texts):
        self.asked += texts
        rows = [self.rows.setdefault(text, len(self.rows)) for text in texts]
        return np.eye(self.dim, dtype=np.float32)[rows]


def vocabulary(tower, names=('bed',), said=('something to sleep on',)):
    of = np.zeros(len(said), np.int64)
    sayings = Sayings(of, tower.encode(said))
    return Vocabulary(names, tower.encode(names), 20.0, 0.4, sayings=sayings)


@pytest.mark.parametrize(
    ('text', 'definition'),
    [
        ('cot', 'a small bed'),
        ('Cot', 'a small bed'),
        ('a cot', 'a small bed'),
        ('cots', 'a small bed'),
        ('the old red cot', 'old red a small bed'),
        ('the bed post', 'a post of a bed'),
        ('stairs', 'a flight of steps'),
        ('a place for the cot', ''),  # asks for a place
        ('sleeps in the cot', ''),
        ('the red', ''),
        ('the', ''),
    ],
)
def test_a_thing_is_defined_with_its_looks_and_a_sentence_is_not(text, definition):
    assert define(text, WORDS) == definition


def test_an_unknown_word_lies_between_itself_and_its_definition():
    tower = Tower()
    found = embed_questions(['tallboy', 'bed'], tower, vocabulary(tower))
    definition = load_dictionary(find_file(SHIPPED))['tallboy']
    both = tower.encode(['tallboy', definition]).sum(0) / np.sqrt(2)
    assert np.allclose(found[0], both)
    assert np.array_equal(found[1], tower.encode(['bed'])[0])


def test_what_the_vocabulary_says_already_is_not_defined_anew():
    tower = Tower()
    found = embed_questions(['tallboy'], tower, vocabulary(tower, said=('tallboy',)))
    assert np.array_equal(found, tower.encode(['tallboy']))


def test_a_vocabulary_learned_without_definitions_gets_texts_as_they_are():
    tower = Tower()
    plain = replace(vocabulary(tower), sayings=None)
    tower.asked.clear()
    found = embed_questions(['tallboy'], tower, plain)
    assert tower.asked == ['tallboy']
    assert np.array_equal(found, tower.encode(['tallboy']))


def test_no_texts_give_no_embeddings():
    tower = Tower()
    assert embed_questions([], tower, vocabulary(tower)).shape == (0, 64)


def test_the_shipped_dictionary_knows_furniture():
    words = load_dictionary(find_file(SHIPPED))
    assert 'drawers' in words['tallboy'] and 'bed' in words['four-poster']
    assert len(words) > 15_000
    assert (find_file(SHIPPED).parent / 'LICENSE').is_file()


def test_a_damaged_dictionary_is_refused_with_the_line(tmp_path):
    path = tmp_path / 'words.tsv.gz'
    with gzip.open(path, 'wt') as file:
        file.write('cot\ta small bed\nchair\n')
    with pytest.raises(ValueError, match=r'words.tsv.gz: line 2: expected a word, a tab'):
        load_dictionary(path)
