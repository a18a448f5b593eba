import numpy as np
import pytest

from folk_ros.training.evaluate.embedded_masks import instances_of
from folk_ros.training.evaluate.free_words import (
    ask,
    has_look,
    load_words,
    PARTS,
    Question,
    Word,
    WordList,
)
from folk_ros.training.evaluate.retrieval import average_precision, judge, overlaps, summarize
from folk_ros.training.scenes.objects.catalog import CATEGORIES, VARIANTS
from folk_ros.training.scenes.scene import GroundTruth


def truth(names, captions=None, points=100):
    return GroundTruth(
        np.repeat(np.arange(len(names)), points).astype(np.int32),
        list(names),
        captions or tuple((name,) for name in names),
        np.zeros(len(names), bool),
    )


def masks_of_truth(count, points=100):
    starts = np.arange(count + 1) * points
    embeddings = np.ones((count, 2), np.float32)
    every = np.arange(count * points, dtype=np.int32)
    return instances_of(starts, every, embeddings, np.ones(count, np.float32), count * points)


def test_no_word_of_the_list_was_ever_said_of_a_generated_object():
    taught = {
        text.lower()
        for category in (*CATEGORIES.values(), *VARIANTS.values())
        for text in (category.name, *category.words, *category.says)
    }
    for part in PARTS:
        assert {word.text.lower() for word in load_words(part).words} & taught == set()


def test_no_word_is_both_chosen_by_and_judged_with():
    tune, judged = ({word.text for word in load_words(part).words} for part in PARTS)
    assert tune & judged == set()


def test_words_mean_categories_that_there_are():
    for part in PARTS:
        means = {name for word in load_words(part).words for name in word.means}
        assert means <= set(CATEGORIES)


def test_a_word_list_without_a_part_is_refused_by_name(tmp_path):
    path = tmp_path / 'words.yaml'
    path.write_text('attributes: []\n')
    with pytest.raises(ValueError, match=r'words\.yaml: expected judge'):
        load_words('judge', path)
    with pytest.raises(ValueError, match='expected one of'):
        load_words('train', path)


WORDS = WordList(
    (
        Word('sofa bed', 'synonym', frozenset(['couch', 'bed'])),
        Word('lamp post', 'synonym', frozenset(['street light'])),
        Word('zebra', 'absent everywhere', frozenset()),
    ),
    ('red', 'blue'),
)


def test_a_scene_is_asked_for_what_is_there_and_for_what_is_not():
    scene = truth(['couch', 'chair'], (('couch', 'a dark red couch'), ('chair', 'a blue chair')))
    asked = {q.text: (q.kind, q.wanted.tolist()) for q in ask(scene, WORDS)}
    assert asked == {
        'couch': ('name', [True, False]),
        'chair': ('name', [False, True]),
        'sofa bed': ('synonym', [True, False]),
        'the red sofa bed': ('attribute', [True, False]),
        'lamp post': ('absent here', [False, False]),
        'zebra': ('absent everywhere', [False, False]),
    }


def test_what_is_there_in_too_few_points_alone_is_not_asked_for():
    assert [q.text for q in ask(truth(['couch'], points=99), WORDS)] == ['lamp post', 'zebra']


def test_a_look_is_one_that_captions_say_of_the_object_itself():
    captions = ('chair', 'a dark red chair', 'a red one', 'a wooden chair')
    assert has_look('chair', captions, 'red')
    assert has_look('chair', captions, 'wooden')
    assert not has_look('chair', captions, 'blue')
    assert not has_look('chair', ('a chair',), 'air')


def test_overlaps_are_intersections_over_unions():
    owner = np.array([0, 0, 1, 1, -1], np.int32)
    found = instances_of(
        np.array([0, 3, 5]),
        np.array([0, 1, 2, 3, 4], np.int32),
        np.ones((2, 2), np.float32),
        np.ones(2, np.float32),
        5,
    )
    assert overlaps(found, owner, 2).tolist() == [[2 / 3, 1 / 4], [0.0, 1 / 3]]


def asked(*wanted, kind='synonym'):
    return Question('word', kind, np.array(wanted, bool))


def test_only_the_best_answer_counts_for_recall_at_one():
    iou = np.eye(2)
    (right,) = judge('s', [asked(True, False)], np.array([[0.9, 0.8]]), iou)
    (wrong,) = judge('s', [asked(True, False)], np.array([[0.8, 0.9]]), iou)
    assert right.hit == (True, True)
    assert wrong.hit == (False, False)
    assert (right.precision, wrong.precision) == ((1.0, 1.0), (0.5, 0.5))


def test_a_mask_that_overlaps_too_little_is_no_hit():
    (half,) = judge('s', [asked(True)], np.array([[0.9]]), np.array([[0.4]]))
    assert half.hit == (True, False)


def test_a_scene_in_which_nothing_was_found_is_a_miss():
    (none,) = judge('s', [asked(True)], np.zeros((1, 0)), np.zeros((0, 1)))
    assert (none.best, none.hit, none.precision) == (0.0, (False, False), (0.0, 0.0))


def test_average_precision_counts_each_object_once_and_missed_ones_as_nothing():
    right, owner = np.array([True, True, False, True]), np.array([0, 0, 1, 2])
    assert average_precision(right, owner, 2) == pytest.approx((1 + 2 / 3) / 2)
    assert average_precision(right, owner, 4) == pytest.approx((1 + 2 / 3) / 4)


def test_figures_say_what_is_found_and_what_is_wrongly_answered():
    iou = np.eye(2)
    outcomes = judge(
        's',
        [asked(True, False), asked(False, False, kind='absent here')],
        np.array([[0.2, 0.1], [0.3, 0.1]]),
        iou,
    )
    strict, lenient = summarize(outcomes, 0.25), summarize(outcomes, 0.15)
    assert strict['synonym']['recall1_25'] == 1.0
    assert (strict['synonym']['answered_25'], lenient['synonym']['answered_25']) == (0.0, 1.0)
    assert strict['absent here']['wrongly_answered'] == 1.0
    assert summarize(outcomes, 0.35)['absent here']['wrongly_answered'] == 0.0


def test_the_masks_of_the_truth_find_every_name():
    scene = truth(['couch', 'chair'])
    iou = overlaps(masks_of_truth(2), scene.point_instance, 2)
    questions = [q for q in ask(scene, WORDS) if q.kind == 'name']
    outcomes = judge('s', questions, np.array([q.wanted for q in questions], float), iou)
    assert all(all(outcome.hit) for outcome in outcomes)
