import pytest

from folk_ros.text_dictionary import load_dictionary
from folk_ros.training.wordnet import definitions, write

DATA = """\
  1 a licence
%(mouse)s 05 n 01 mouse 0 001 @ 01 n 0000 | a small rodent
%(device)s 06 n 02 mouse 0 computer_mouse 0 001 @ 01 n 0000 | a device; "click the mouse"
%(other)s 06 n 01 mouse 0 000 | a third meaning
"""
INDEX = """\
  1 a licence
computer_mouse n 1 1 @ 1 0 {device}
mouse n 3 1 @ 3 1 {mouse} {device} {other}
rodent n 1 1 @ 1 0 {mouse}
"""


@pytest.fixture
def folder(tmp_path):
    places = dict.fromkeys(('mouse', 'device', 'other'), '0' * 8)
    text = DATA % places
    lines = text.splitlines(keepends=True)
    starts = [sum(map(len, lines[:row])) for row in range(len(lines))]
    places = {name: f'{starts[row]:08d}' for row, name in enumerate(places, 1)}
    (tmp_path / 'data.noun').write_text(DATA % places)
    (tmp_path / 'index.noun').write_text(INDEX.format(**places))
    return tmp_path


def test_words_get_the_first_meaning_that_people_make_and_no_examples(folder):
    assert definitions(folder) == {'computer mouse': 'a device', 'mouse': 'a device'}


def test_what_is_written_is_read_and_the_same_each_time(folder):
    found = definitions(folder)
    write(found, folder / 'a.gz')
    write(dict(reversed(found.items())), folder / 'b.gz')
    assert load_dictionary(folder / 'a.gz') == found
    assert (folder / 'a.gz').read_bytes() == (folder / 'b.gz').read_bytes()


def test_other_files_are_refused_by_name(folder):
    (folder / 'data.noun').write_text('something else\n' * 9)
    with pytest.raises(ValueError, match='not the files of WordNet'):
        definitions(folder)
