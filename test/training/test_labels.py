"""Label sets: those of the benchmarks as published, and our own words."""

from collections import Counter

import pytest

from folk_ros.training.labels import LabelSet, load_labels
from folk_ros.training.scenes.objects.catalog import CATEGORIES


def test_scannet200_has_the_published_ids_and_groups():
    labels = load_labels('scannet200')
    assert len(labels) == 200 and labels.ids == tuple(sorted(labels.ids))
    assert Counter(labels.groups) == {'head': 66, 'common': 68, 'tail': 66}
    known = {'wall': 1, 'chair': 2, 'floor': 3, 'couch': 6, 'mattress': 1191, 'object': 1163}
    assert {name: labels.id_of(name) for name in known} == known
    groups = dict(zip(labels.names, labels.groups, strict=True))
    assert (groups['desk'], groups['laptop'], groups['cup']) == ('head', 'common', 'tail')
    assert labels.sentences()[1] == 'a chair in a scene'


def test_wall_and_floor_are_no_instances():
    labels = load_labels('scannet200').instance_labels()
    assert Counter(labels.groups) == {'head': 64, 'common': 68, 'tail': 66}
    assert not {'wall', 'floor'} & set(labels.names) and 'ceiling' in labels.names


def test_replica_has_the_48_classes_that_are_scored():
    labels = load_labels('replica').instance_labels()
    assert len(labels) == 48 and set(labels.groups) == {''}
    assert (labels.id_of('basket'), labels.id_of('rug')) == (3, 98)
    assert labels.id_of('indoor plant') == labels.id_of('indoor-plant') == 44
    assert 'a tv screen in a scene' in labels.sentences()


def test_every_synthetic_category_is_a_scannet200_name():
    assert set(CATEGORIES) <= set(load_labels('scannet200').names)


def test_a_subset_keeps_ids_and_order():
    labels = load_labels('scannet200')
    some = labels.subset(['table', 'wall', 'chair', 'table'])
    assert some.names == ('wall', 'chair', 'table') and some.ids == (1, 2, 4)
    assert some.groups == ('head',) * 3 and some.countable == (False, True, True)


def test_own_words_count_from_one():
    words = LabelSet.from_names(['mug', 'red screwdriver'])
    assert words.ids == (1, 2) and words.name_of(2) == 'red screwdriver'
    assert words.instance_labels() == words and words.sentences() == words.names


@pytest.mark.parametrize(
    ('ask', 'says'),
    [
        (lambda: load_labels('scannet20'), r"no label set 'scannet20'; there are \['replica'"),
        (lambda: load_labels('folk'), "expected a list 'labels'"),
        (lambda: load_labels('replica').id_of('sofas'), "no label 'sofas'; the nearest.*'sofa'"),
        (lambda: load_labels('scannet200').name_of(12), 'no label with id 12'),
        (lambda: LabelSet.from_names(['cup', 'cup']), r"\['cup'\] stand there more than once"),
        (lambda: LabelSet('x', (1,), ('a',), (), (True,)), r'groups: expected \[1\], got \[0\]'),
        (lambda: LabelSet('x', (0,), ('a',), ('',), (True,)), 'expected 1 or more, got 0'),
        (lambda: LabelSet('x', (1,), ('a',), ('',), (True,), 'a'), 'prompt: expected one {}'),
    ],
)
def test_what_is_unknown_or_wrong_is_said(ask, says):
    with pytest.raises(ValueError, match=says):
        ask()


@pytest.mark.parametrize(
    ('text', 'says'),
    [
        ('labels: [', 'cannot be read'),
        ('just text', 'expected keys and values'),
        ('labels: [{id: one, name: cup}]', "label 0: expected a whole number 'id'"),
        ('labels: [{id: 1, name: cup, colour: red}]', 'label 0: expected'),
        ('labels: [{id: 1, name: cup, group: rare}]', 'groups: expected some of'),
        ('{labels: [{id: 1, name: cup}], not_instances: [wall]}', "not_instances.*'wall'"),
    ],
)
def test_a_malformed_label_file_is_named(tmp_path, text, says):
    path = tmp_path / 'own.yaml'
    path.write_text(text)
    with pytest.raises(ValueError, match=f'own.yaml: .*{says}'):
        load_labels(path)


def test_a_label_file_of_ones_own_is_read(tmp_path):
    path = tmp_path / 'tools.yaml'
    path.write_text('labels:\n  - {id: 7, name: hammer, aliases: [mallet]}\n')
    labels = load_labels(path)
    assert labels.name == 'tools' and labels.id_of('mallet') == 7 and labels.prompt == '{}'
