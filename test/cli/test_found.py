import math
from types import SimpleNamespace

import numpy as np
import pytest

from folk_ros.cli.found import answers_table, by_text, Found
from folk_ros.structures import Boxes, Instances, Match


def scene():
    return Instances(
        starts=np.array([0, 2]),
        points=np.array([0, 2], np.int32),
        embeddings=np.ones((1, 1), np.float32),
        quality=np.array([0.75], np.float32),
        boxes=Boxes(
            np.array([[1, 2, 3]], np.float32),
            np.array([[4, 5, 6]], np.float32),
            np.array([-1.2], np.float32),
        ),
        ids=np.array([9], np.uint32),
        num_points=3,
    )


def message_of(found):
    """The message that the node would send, field by field."""
    xyz = dict(zip('xyz', found.position, strict=True))
    turn = {'z': math.sin(found.yaw / 2), 'w': math.cos(found.yaw / 2)}
    return SimpleNamespace(
        id=np.uint32(found.id),
        text=found.text,
        score=np.float32(found.score),
        similarity=np.float32(found.similarity),
        quality=np.float32(found.quality),
        pose=SimpleNamespace(
            position=SimpleNamespace(**xyz), orientation=SimpleNamespace(x=0, y=0, **turn)
        ),
        size=SimpleNamespace(**dict(zip('xyz', found.size, strict=True))),
        point_count=found.point_count,
    )


def test_a_scene_in_memory_and_its_message_read_the_same():
    found = Found.from_match(Match(0, 'bed', 0.5, 0.25), scene())
    assert found.position == (1, 2, 3)
    assert found.size == (4, 5, 6)
    assert found.point_count == 2
    heard = Found.from_message(message_of(found))
    assert heard.yaw == pytest.approx(found.yaw)
    assert {**heard.as_dict(), 'yaw': 0} == {**found.as_dict(), 'yaw': 0}


def test_an_object_is_where_a_transform_moves_it():
    quarter = np.array([[0, -1, 0, 10], [1, 0, 0, 0], [0, 0, 1, 0.5], [0, 0, 0, 1]])
    match = Match(0, 'bed', 0.5, 0.25)
    here, there = Found.from_match(match, scene()), Found.from_match(match, scene(), quarter)
    assert there.position == pytest.approx((8, 1, 3.5))
    assert there.yaw == pytest.approx(here.yaw + np.pi / 2)
    assert (there.size, there.score) == (here.size, here.score)


def test_texts_stand_in_the_order_of_the_question():
    found = [Found.from_match(Match(0, text, 0.5, 0.25), scene()) for text in ('bed', 'chair')]
    lines = answers_table(found, ('giraffe', 'chair')).splitlines()[2:]
    assert [line.split()[0] for line in lines] == ['giraffe', 'chair', 'bed']
    assert 'nothing found' in lines[0]


def test_json_has_a_key_for_every_text_asked():
    found = [Found.from_match(Match(0, 'bed', 0.5, 0.25), scene())]
    grouped = by_text(found, ('bed', 'giraffe'))
    assert grouped['giraffe'] == []
    assert grouped['bed'][0]['id'] == 9
    assert type(grouped['bed'][0]['quality']) is float
