from folk_ros.cli.demo_room import load_demo_room
from folk_ros.training.scenes import demo_room
from folk_ros.training.scenes.demo_room import BUILDING, OBJECTS, QUESTIONS, write_demo_room
from folk_ros.training.scenes.synthetic import RoomConfig


def test_the_demo_can_read_the_room_that_is_made_for_it(tmp_path, monkeypatch):
    monkeypatch.setattr(demo_room, 'RoomConfig', lambda: RoomConfig(views=4, width=64, height=48))
    write_demo_room(tmp_path, 2)
    room = load_demo_room(tmp_path)
    assert len(room.objects()) == len(room.names) == OBJECTS
    assert room.questions == QUESTIONS
    assert not set(room.names) & set(BUILDING)
    assert sorted(path.name for path in tmp_path.iterdir()) == ['room.json', 'room.npz']
