from __future__ import annotations

import subprocess
import sys

from hypothesis import given, settings
from hypothesis import strategies as st
import numpy as np
import pytest

from folk_ros.markers import (
    clean_text,
    colour_of,
    MarkerLedger,
    MAX_NAMESPACES,
    PALETTE,
    REPEATS,
)
from folk_ros.structures import Boxes, Instances, Match


def make_instances(ids=(1, 2, 3), centre=None):
    count = len(ids)
    centres = np.arange(3 * count, dtype=np.float32).reshape(count, 3)
    return Instances(
        starts=np.zeros(count + 1, np.int64),
        points=np.empty(0, np.int32),
        embeddings=np.ones((count, 1), np.float32),
        quality=np.ones(count, np.float32),
        boxes=Boxes(
            centres if centre is None else centre,
            np.full((count, 3), (1.0, 0.6, 0.4), np.float32),
            np.full(count, 0.3, np.float32),
        ),
        ids=np.array(ids, np.uint32),
        num_points=0,
    )


def match(row, text='chair', score=0.87):
    return Match(row, text, score, 0.3)


def keys(specs, action):
    return {(spec.namespace, spec.id, spec.kind) for spec in specs if spec.action == action}


def show(shown, specs):
    """Do what RViz does with an array of markers."""
    for spec in specs:
        if spec.action == 'delete_all':
            shown.clear()
        elif spec.action == 'delete':
            shown.pop((spec.namespace, spec.id), None)
        else:
            shown[spec.namespace, spec.id] = spec


def test_a_match_has_a_box_and_a_label_above_it():
    box, label = MarkerLedger().update([match(1)], make_instances((7, 9, 8)))
    assert (box.kind, box.namespace, box.id) == ('box', 'chair', 9)
    assert (label.kind, label.namespace, label.id) == ('label', 'chair (label)', 9)
    assert label.text == 'chair 0.87'
    assert label.position[2] > box.points[:, 2].max()


def test_a_box_is_twelve_edges_of_its_lengths():
    box, _ = MarkerLedger().update([match(0)], make_instances())
    lengths = np.linalg.norm(box.points[::2] - box.points[1::2], axis=1)
    np.testing.assert_allclose(sorted(lengths), [0.4] * 4 + [0.6] * 4 + [1.0] * 4, rtol=1e-5)
    assert len({tuple(np.round(p, 4)) for p in box.points}) == 8


def test_what_is_gone_is_deleted_and_what_stays_is_not():
    ledger, instances = MarkerLedger(), make_instances()
    ledger.update([match(0), match(1)], instances)
    second = ledger.update([match(1)], instances)
    assert keys(second, 'delete') == {('chair', 1, 'box'), ('chair (label)', 1, 'label')}
    assert keys(second, 'add') == {('chair', 2, 'box'), ('chair (label)', 2, 'label')}


def test_that_a_marker_is_gone_is_said_some_times_and_then_no_more():
    ledger, instances = MarkerLedger(), make_instances()
    ledger.update([match(0), match(1)], instances)
    said = [len(keys(ledger.update([match(1)], instances), 'delete')) for _ in range(6)]
    assert said == [2] * REPEATS + [0] * (6 - REPEATS)


def test_what_comes_back_is_not_deleted():
    ledger, instances = MarkerLedger(), make_instances()
    ledger.update([match(0), match(1)], instances)
    ledger.update([match(1)], instances)
    for _ in range(REPEATS):
        specs = ledger.update([match(0), match(1)], instances)
        assert not keys(specs, 'delete') and len(keys(specs, 'add')) == 4


def test_who_misses_a_message_shows_no_ghost_soon_after():
    ledger, instances, shown = MarkerLedger(), make_instances((1, 2, 3)), {}
    show(shown, ledger.update([match(0), match(1), match(2)], instances))
    ledger.update([match(1)], instances)  # lost on the way
    show(shown, ledger.update([match(1)], instances))
    assert set(shown) == {('chair', 2), ('chair (label)', 2)}


def test_nothing_found_deletes_everything_one_by_one():
    ledger = MarkerLedger()
    ledger.update([match(0), match(1)], make_instances())
    specs = ledger.update([], make_instances(()))
    assert [spec.action for spec in specs] == ['delete'] * 4


def test_only_a_reset_deletes_all():
    ledger = MarkerLedger()
    ledger.update([match(0)], make_instances())
    assert [spec.action for spec in ledger.reset()] == ['delete_all']
    assert not keys(ledger.update([], make_instances()), 'delete')


def test_an_instance_that_answers_two_texts_has_markers_for_both():
    specs = MarkerLedger().update([match(0, 'chair'), match(0, 'seat')], make_instances())
    assert {spec.namespace for spec in specs} == {'chair', 'chair (label)', 'seat', 'seat (label)'}


def test_namespaces_are_capped_and_the_rest_is_other():
    matches = [match(i % 3, f'text {i}', 1 - i / 100) for i in range(60)]
    specs = MarkerLedger().update(matches, make_instances())
    boxes = {spec.namespace for spec in specs if spec.kind == 'box'}
    assert len(boxes) == MAX_NAMESPACES + 1
    assert 'other' in boxes


def test_a_text_keeps_its_namespace_while_it_is_shown():
    ledger, instances = MarkerLedger(), make_instances()
    ledger.update([match(0, f'old {i}', 0.1) for i in range(MAX_NAMESPACES)], instances)
    both = [match(0, f'old {i}', 0.1) for i in range(MAX_NAMESPACES)] + [match(1, 'new', 0.9)]
    specs = ledger.update(both, instances)
    assert not keys(specs, 'delete')
    assert ('other', 2, 'box') in keys(specs, 'add')


ALL_COLOURS = [tuple(int(c[i : i + 2], 16) / 255 for i in (0, 2, 4)) for c in PALETTE]

texts = st.sampled_from(['chair', 'chair\0', 'other', 'other (label)', '', '\n', 'x' * 99])
scores = st.sampled_from([0.0, 0.5, 1.0, 2.0, -1.0, float('nan'), float('inf')])
rounds = st.lists(st.lists(st.tuples(st.integers(0, 3), texts, scores), max_size=8), max_size=5)


@settings(max_examples=200, deadline=None)
@given(rounds)
def test_rviz_shows_what_was_found_last_whatever_came_before(all_found):
    ledger, shown = MarkerLedger(), {}
    ids = (5, 2**32 - 1, 6, 7)
    for found in all_found:
        specs = ledger.update([match(*f) for f in found], make_instances(ids))
        added = [(spec.namespace, spec.id) for spec in specs]
        assert len(added) == len(set(added))  # duplicate keys are an error in RViz
        show(shown, specs)
        fresh = MarkerLedger().update([match(*f) for f in found], make_instances(ids))
        assert {k: v.text for k, v in shown.items()} == {
            (spec.namespace, spec.id): spec.text for spec in fresh
        }
        for spec in specs:
            assert np.isfinite([*spec.rgba, *spec.position, spec.scale]).all()
            assert 0 <= min(spec.rgba) <= max(spec.rgba) <= 1
            assert 0 <= spec.id < 2**31


def test_a_box_that_is_not_finite_is_not_drawn():
    centre = np.array([[0, np.nan, 0], [1, 1, 1]], np.float32)
    specs = MarkerLedger().update([match(0), match(1)], make_instances((1, 2), centre))
    assert {spec.id for spec in specs} == {2}


def test_a_better_match_is_less_transparent():
    specs = MarkerLedger().update([match(0, score=0.2), match(1, score=0.9)], make_instances())
    alpha = {spec.id: spec.rgba[3] for spec in specs if spec.kind == 'box'}
    assert 0.3 < alpha[1] < alpha[2] <= 1


@pytest.mark.parametrize(
    ('text', 'cleaned'),
    [
        ('a\0b\x1b[31mc\nd', 'a b [31mc d'),
        ('  red   chair ', 'red chair'),
        ('y' * 61, 'y' * 59 + '…'),
        ('Stühle 椅子', 'Stühle 椅子'),
        ('\u202eevil', 'evil'),
    ],
)
def test_a_text_becomes_one_short_visible_line(text, cleaned):
    assert clean_text(text) == cleaned


def test_a_colour_is_the_same_in_another_process():
    code = "from folk_ros.markers import colour_of; print(colour_of('sofa'))"
    run = subprocess.run([sys.executable, '-c', code], capture_output=True, text=True)
    assert run.stdout.strip() == str(colour_of('sofa'))


def test_a_taken_colour_is_not_given_again_while_there_are_others():
    first = colour_of('sofa')
    assert colour_of('sofa', [first]) != first
    assert colour_of('sofa', ALL_COLOURS) == first
