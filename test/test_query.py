from dataclasses import replace

import numpy as np
import pytest

from folk_ros.config import QueryConfig
from folk_ros.query import (
    answer,
    Answering,
    best_names,
    check_limits,
    check_texts,
    evidence,
    meanings,
    probabilities,
    rivalry,
    Sayings,
    Vocabulary,
)
from folk_ros.structures import Boxes, Instances


def unit(*rows):
    array = np.array(rows, np.float32)
    return array / np.linalg.norm(array, axis=1, keepdims=True)


VOCABULARY = Vocabulary(
    ('sofa', 'lamp', 'door'), unit([1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 1, 0]), 20.0, 0.4
)


def scene(embeddings):
    count = len(embeddings)
    zero = np.zeros((count, 3), np.float32)
    return Instances(
        starts=np.arange(count + 1),
        points=np.arange(count, dtype=np.int32),
        embeddings=embeddings,
        quality=np.ones(count, np.float32),
        boxes=Boxes(zero, zero, zero[:, 0].copy()),
        ids=np.arange(1, count + 1, dtype=np.uint32),
        num_points=count,
    )


def ask(text, instances, limits=(0.5, 10)):
    return answer(['text'], unit(text), instances, VOCABULARY, limits)


def test_a_synonym_is_not_outvoted_by_the_name_it_means():
    found = ask([0.9, 0, 0, 0.4], scene(unit([1, 0, 0, 0.1], [0, 1, 0, 0])))
    assert [m.row for m in found] == [0]
    assert found[0].score > 0.9


def test_a_text_unlike_everything_here_matches_nothing():
    assert ask([0, 0, 0, 1], scene(unit([1, 0, 0, 0.1], [0, 1, 0, 0.1]))) == []


def test_an_unknown_thing_is_found_when_it_fits_better_than_any_name():
    found = ask([0.2, 0, 0, 1], scene(unit([0.2, 0.1, 0, 1], [0, 1, 0, 0])))
    assert [m.row for m in found] == [0]


def test_answers_come_best_first_and_no_more_than_asked():
    instances = scene(unit([1, 0.3, 0, 0], [1, 0, 0, 0], [1, 0.1, 0, 0]))
    found = ask([1, 0, 0, 0], instances, (0.1, 2))
    assert [m.row for m in found] == [1, 2]
    assert found[0].score >= found[1].score


def test_scores_are_probabilities_even_for_opposite_embeddings():
    found = ask([1, 0, 0, 0], scene(unit([-1, -1, -1, -1])), (0.0, 10))
    assert all(0.0 <= m.score <= 1.0 for m in found)


def test_an_empty_scene_answers_nothing():
    assert ask([1, 0, 0, 0], scene(np.zeros((0, 4), np.float32))) == []


def test_every_instance_gets_its_most_similar_name():
    names = best_names(scene(unit([0.1, 1, 0, 0], [0, 0.1, 1, 0])), VOCABULARY)
    assert [n.text for n in names] == ['lamp', 'door']


@pytest.mark.parametrize(
    ('texts', 'words'),
    [
        ([], 'expected at least one'),
        ([''], r'texts\[0\].*empty'),
        (['chair', ' \x00\n'], r'texts\[1\].*empty'),
        (['x' * 10_000], 'at most 300 characters, got 10000'),
        (['a'] * 1000, 'at most 64, got 1000'),
    ],
)
def test_bad_texts_get_a_sentence(texts, words):
    with pytest.raises(ValueError, match=words):
        check_texts(texts, QueryConfig())


def test_control_characters_are_taken_out_of_a_text():
    assert check_texts(['red\x00 \tmug\x1b'], QueryConfig()) == ['red mug']


@pytest.mark.parametrize('score', [float('nan'), -0.1, 1.5, float('inf')])
def test_a_minimum_that_is_no_probability_is_refused(score):
    with pytest.raises(ValueError, match='min_score: expected a probability'):
        check_limits(score, 0, QueryConfig())


def test_limits_of_zero_mean_the_configured_ones():
    assert check_limits(0.0, 0, QueryConfig()) == (0.25, 50)


def test_a_vocabulary_with_duplicates_is_refused():
    with pytest.raises(ValueError, match='different names'):
        Vocabulary(('a', 'a'), unit([1, 0], [0, 1]), 20.0, 0.4)


def test_evidence_is_what_a_plain_sum_over_names_gives():
    rng = np.random.default_rng(0)
    texts, embeddings, names = (unit(*rng.normal(size=(n, 6))) for n in (4, 5, 7))
    vocabulary = Vocabulary(tuple('abcdefg'), names, 20.0, 0.4)
    found = evidence(texts, embeddings, vocabulary)
    for q in range(4):
        meant = [np.exp(15 * texts[q] @ n) for n in names]
        for i in range(5):
            seen = [np.exp(15 * embeddings[i] @ n) for n in names]
            same = sum(m * s for m, s in zip(meant, seen, strict=True)) / sum(meant) / sum(seen)
            expected = np.log(same) + 10 * texts[q] @ embeddings[i]
            assert found[q, i] == pytest.approx(expected, abs=1e-3)


def test_rivals_are_all_names_but_those_that_mean_the_same():
    rng = np.random.default_rng(0)
    texts, embeddings, names = (unit(*rng.normal(size=(n, 6))) for n in (4, 5, 7))
    vocabulary = Vocabulary(tuple('abcdefg'), names, 20.0, 0.4)
    found = rivalry(texts, embeddings, vocabulary)
    kin = texts @ names.T
    for q in range(4):
        ally = kin[q] >= max(0.45, 0.85 * kin[q].max())
        for i in range(5):
            against = sum(np.exp(20 * embeddings[i] @ n) for n in names[~ally])
            expected = 20 * texts[q] @ embeddings[i] - np.log(against)
            assert found[q, i] == pytest.approx(expected, abs=1e-3)


def test_a_thing_that_goes_by_a_name_of_what_was_asked_beats_one_that_is_merely_near():
    both = scene(unit([0.9, 0, 0, -0.3], [0.55, 0.7, 0, 0.45]))
    text = unit([0.8, 0, 0, 0.6])  # a word for sofas that the vocabulary lacks
    cosine = text @ both.embeddings.T
    assert cosine[0, 1] > cosine[0, 0]
    found = evidence(text, both.embeddings, VOCABULARY)
    assert found[0, 0] > found[0, 1]


def test_learned_answering_takes_the_place_of_the_floor():
    instances = unit([1, 0, 0, 0.1], [0, 1, 0, 0])
    text = unit([1, 0, 0, 0])
    learned = Vocabulary(VOCABULARY.names, VOCABULARY.embeddings, 20.0, 0.4, Answering(1.0, 0.1))
    expected = 1 / (1 + np.exp(-1.0 - 0.1 * evidence(text, instances, learned)))
    assert np.allclose(probabilities(text, instances, learned), expected, atol=1e-5)
    assert not np.allclose(probabilities(text, instances, VOCABULARY), expected, atol=1e-2)


def with_sayings(vocabulary, of, embeddings):
    return replace(vocabulary, sayings=Sayings(np.array(of, np.int64), embeddings))


def test_a_text_means_a_name_by_all_that_is_said_of_it_as_a_plain_sum_gives():
    rng = np.random.default_rng(1)
    texts, names, said = (unit(*rng.normal(size=(n, 6))) for n in (4, 3, 5))
    of = [2, 0, 2, 2, 0]
    known = with_sayings(Vocabulary(tuple('abc'), names, 20.0, 0.4), of, said)
    found = meanings(texts, known)
    for q in range(4):
        weight = [np.exp(20 * texts[q] @ n) for n in names]
        for place, row in enumerate(of):
            weight[row] += np.exp(20 * texts[q] @ said[place])
        assert found[q] == pytest.approx(np.array(weight) / sum(weight), abs=1e-5)


def test_a_use_finds_the_thing_whose_saying_it_is_though_another_is_nearer():
    things = scene(unit([1, 0, 0, 0.1], [0, 1, 0, 0.3]))  # a sofa, and a lamp
    use = unit([0.2, 0.3, 0, 0.9])  # 'something to sit on'
    assert evidence(use, things.embeddings, VOCABULARY).argmax() == 1
    told = with_sayings(VOCABULARY, [0], unit([0.2, 0.25, 0, 0.9]))
    assert evidence(use, things.embeddings, told).argmax() == 0


def test_names_of_ones_own_are_labels_and_the_others_stay_as_background():
    said = unit([1, 1, 0, 0], [0, 1, 1, 0], [0, 0, 1, 1])
    told = with_sayings(VOCABULARY, [0, 2, 2], said)
    other = told.showing(('door', 'mug'), unit([0, 0, 1, 0], [0, 0, 0, 1]))
    assert other.labels == ('door', 'mug')
    assert other.names == ('door', 'mug', 'sofa', 'lamp')
    assert other.sayings.of.tolist() == [2, 0, 0]
    assert np.array_equal(other.embeddings, unit(*np.eye(4)[[2, 3, 0, 1]]))
    things = scene(unit([1, 0.2, 0.1, 0], [0, 0, 1, 0]))  # a sofa, and a door
    assert [name.text for name in best_names(things, other)] == ['door', 'door']
    assert VOCABULARY.labels == VOCABULARY.names


def test_a_list_of_few_names_does_not_change_what_answers_a_text():
    rng = np.random.default_rng(2)
    texts, things = unit(*rng.normal(size=(4, 4))), unit(*rng.normal(size=(5, 4)))
    few = VOCABULARY.showing(('lamp',), unit([0, 1, 0, 0]))
    assert np.allclose(evidence(texts, things, few), evidence(texts, things, VOCABULARY))


@pytest.mark.parametrize('row', [-1, 3])
def test_a_saying_of_no_name_is_refused(row):
    with pytest.raises(ValueError, match='some sayings are of row'):
        with_sayings(VOCABULARY, [0, row], unit([1, 0, 0, 0], [0, 1, 0, 0]))


@pytest.mark.parametrize('shown', [-1, 4])
def test_more_labels_than_names_are_refused(shown):
    with pytest.raises(ValueError, match='has 3 names, .* are shown'):
        replace(VOCABULARY, shown=shown)
