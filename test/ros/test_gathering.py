"""From messages to one cloud: filters, transforms that come late, frames on their side."""

from types import SimpleNamespace

import numpy as np
import pytest

from folk_ros.config import FolkConfig, NodeConfig, SourceConfig
from folk_ros.ros import gathering
from folk_ros.ros.conversions import to_point_cloud2
from folk_ros.ros.frames import OwnFrames
from folk_ros.ros.gathering import Gathering, Letter, MAX_WAITING
from folk_ros.ros.placing import Placing
from folk_ros.ros.timekeeping import Arrival
from folk_ros.structures import PointCloud
from folk_ros.transforms import Pose

SECOND = 1_000_000_000
UPRIGHT = np.array([0, 0, 0, 1.0])
OPTICAL = np.array([-0.5, 0.5, -0.5, 0.5])  # REP 103: of an optical frame in its body's frame


class Made:
    """A gathering with a clock and a tree of frames that the test moves."""

    def __init__(self, monkeypatch, node=None, sources=()):
        self.now = 1000.0
        monkeypatch.setattr(gathering, 'time', SimpleNamespace(monotonic=lambda: self.now))
        self.frames = OwnFrames()
        self.said = []
        log = SimpleNamespace(warning=self.said.append)
        self.gathering = Gathering(Placing(self.frames), log)
        topics = tuple(dict.fromkeys([*(node or {}).pop('topics', ('/a',))]))
        self.config = FolkConfig(
            node=NodeConfig(cloud_topics=topics, **(node or {})), sources=tuple(sources)
        )

    def take(self, arrival=None, **clouds):
        """Take clouds by topic, then place what can be placed."""
        letters = {
            f'/{name}': Letter(to_point_cloud2(cloud), arrival) for name, cloud in clouds.items()
        }
        self.behind = self.gathering.decode(letters, self.config)
        return self.gathering.place(self.config)

    def tf(self, parent, child, stamp_s, shift=(0, 0, 0), turn=UPRIGHT, static=False):
        pose = Pose(int(stamp_s * SECOND), np.array(shift, np.float64), turn)
        self.frames.buffer.insert(parent, child, pose, static=static)

    def reasons(self):
        return {topic: refusal.reason for topic, refusal in self.gathering.refusals.items()}


def points(*xyz, frame='map', stamp_s=1.0, colour=True):
    array = np.array(xyz, np.float32).reshape(-1, 3)
    rgb = np.full((len(array), 3), 9, np.uint8) if colour else None
    return PointCloud(array, rgb, frame, int(stamp_s * SECOND))


def test_without_tf_a_single_source_is_answered_in_its_own_frame(monkeypatch):
    made = Made(monkeypatch)
    placed = made.take(a=points([1, 2, 3], frame='lidar'))
    assert (placed.cloud.frame_id, placed.answer_frame) == ('lidar', 'lidar')
    assert placed.T_answer_cloud is None and placed.cloud.xyz.tolist() == [[1, 2, 3]]


def test_several_sources_meet_in_the_frame_of_the_first(monkeypatch):
    made = Made(monkeypatch, {'topics': ('/a', '/b')})
    made.tf('map', 'camera', 0, shift=(10, 0, 0), static=True)
    placed = made.take(a=points([1, 0, 0]), b=points([1, 0, 0], frame='camera'))
    assert placed.cloud.xyz[:, 0].tolist() == [1, 11] and placed.cloud.frame_id == 'map'


def test_a_cloud_waits_for_its_transform_and_the_others_do_not(monkeypatch):
    made = Made(monkeypatch, {'topics': ('/a', '/b'), 'fixed_frame': 'map'})
    made.tf('map', 'base', 1.0)
    placed = made.take(a=points([1, 0, 0]), b=points([5, 0, 0], frame='base', stamp_s=1.2))
    assert len(placed.cloud) == 1 and made.gathering.waits and not made.reasons()
    assert made.gathering.place(made.config) is None  # nothing new
    made.tf('map', 'base', 1.4, shift=(2, 0, 0))
    made.now += 0.3
    placed = made.gathering.place(made.config)
    assert sorted(placed.cloud.xyz[:, 0].tolist()) == [1, 6]  # moved at its own stamp, half way
    assert not made.gathering.waits


def test_a_cloud_whose_transform_never_comes_is_dropped_with_a_counted_reason(monkeypatch):
    made = Made(monkeypatch, {'fixed_frame': 'map', 'wait_for_transform': 0.5})
    assert made.take(a=points([1, 0, 0], frame='lost')) is None
    made.now += 0.4
    assert made.gathering.place(made.config) is None and made.gathering.waits
    made.now += 0.2
    assert made.gathering.place(made.config) is None and not made.gathering.waits
    assert "'lost' is not in TF" in made.reasons()['/a']
    assert made.gathering.refusals['/a'].count == 1


def test_at_a_high_rate_the_clouds_that_wait_longest_keep_their_place(monkeypatch):
    """If the newest always took the place of the one that waits, none would ever be used."""
    made = Made(monkeypatch, {'fixed_frame': 'map'})
    made.tf('map', 'base', 1.0)
    used = []
    for tenth in range(40):  # 10 Hz, and transforms that are 0.35 s late
        made.now += 0.1
        made.tf('map', 'base', 1.0 + tenth / 10 - 0.35)
        placed = made.take(a=points([1, 0, 0], frame='base', stamp_s=1.0 + tenth / 10))
        assert len(made.gathering._waiting) <= MAX_WAITING
        if placed is not None:
            used.append(placed.cloud.stamp_ns)
    assert len(used) > 15 and used == sorted(used)


def test_a_cloud_that_comes_through_late_does_not_replace_a_newer_one(monkeypatch):
    made = Made(monkeypatch, {'fixed_frame': 'map'})
    made.take(a=points([1, 0, 0], frame='base', stamp_s=5.0))
    newer = made.take(a=points([2, 0, 0], stamp_s=5.5))
    made.tf('map', 'base', 5.0)
    assert newer is not None and made.gathering.place(made.config) is None


def test_what_went_back_in_time_starts_anew(monkeypatch):
    made = Made(monkeypatch, {'fixed_frame': 'map'})
    made.tf('map', 'base', 50.0)
    made.tf('map', 'base', 51.0)
    made.tf('base', 'lidar', 0.0, static=True)
    made.take(a=points([1, 0, 0], frame='base', stamp_s=50.5))
    made.take(a=points([1, 0, 0], frame='base', stamp_s=10.0))
    assert '/a' in made.behind.reason and made.behind.stamp_ns == 10 * SECOND
    assert not made.frames.connected('map', 'base')  # that was the future
    assert made.frames.connected('base', 'lidar')


def test_clouds_of_the_new_time_that_wait_outlive_the_jump(monkeypatch):
    made = Made(monkeypatch, {'topics': ('/a', '/b'), 'fixed_frame': 'map'})
    made.take(a=points([1, 0, 0], stamp_s=50.0))
    assert made.take(b=points([2, 0, 0], frame='base', stamp_s=50.0)) is None
    assert made.take(b=points([3, 0, 0], frame='base', stamp_s=9.0)) is None
    made.gathering.forget(9 * SECOND)
    made.tf('map', 'base', 9.0)
    placed = made.gathering.place(made.config)
    assert placed.cloud.xyz[:, 0].tolist() == [3.0]  # neither what waited nor what was kept


def test_settings_of_a_source_hold_for_its_clouds_alone(monkeypatch):
    near = SourceConfig(name='near', topic='/a', max_range=2.0, colour='none')
    made = Made(monkeypatch, {'topics': ('/a', '/b')}, [near])
    far = points([1, 0, 0], [3, 0, 0])
    placed = made.take(a=far, b=far)
    assert len(placed.cloud) == 3 and placed.cloud.rgb is None


def test_colour_may_be_required(monkeypatch):
    source = SourceConfig(name='camera', topic='/a', colour='required')
    made = Made(monkeypatch, sources=[source])
    assert made.take(a=points([1, 0, 0], colour=False)) is None
    assert 'sources.camera.colour' in made.reasons()['/a']
    assert made.take(a=points([1, 0, 0])) is not None


def test_a_cloud_that_comes_too_late_is_refused_with_its_age(monkeypatch):
    source = SourceConfig(name='lidar', topic='/a', max_age=2.0)
    made = Made(monkeypatch, sources=[source])
    late, fresh = Arrival(7.5, True, 0, 0.0), Arrival(0.5, True, 0, 0.0)
    assert made.take(late, a=points([1, 0, 0])) is None
    assert 'was 7.5 s old' in made.reasons()['/a']
    other_clock = Arrival(1e9, False, 0, 0.0)  # nothing is known of its age
    assert made.take(other_clock, a=points([1, 0, 0])) is not None
    assert made.take(fresh, a=points([1, 0, 0])) is not None


def test_points_that_limits_leave_none_of_are_refused(monkeypatch):
    made = Made(monkeypatch, sources=[SourceConfig(name='x', topic='/a', min_height=5.0)])
    assert made.take(a=points([1, 0, 0])) is None
    assert 'nothing to segment' in made.reasons()['/a']


def test_the_log_is_told_of_a_reason_once_whatever_its_numbers(monkeypatch):
    made = Made(monkeypatch, {'fixed_frame': 'map', 'wait_for_transform': 0.0})
    made.tf('map', 'base', 1.0)
    for second in range(2, 30):
        made.take(a=points([1, 0, 0], frame='base', stamp_s=second))
    assert len(made.said) == 1 and made.gathering.refusals['/a'].count == 28


# --- frames with z forward ---


def test_an_optical_cloud_is_segmented_upright_and_answered_where_it_is(monkeypatch):
    made = Made(monkeypatch)
    made.tf('odom', 'base_link', 1.0, shift=(1, 2, 0))
    made.tf('base_link', 'cam_optical_frame', 0, (0, 0, 1), OPTICAL, static=True)
    ahead_and_low = points([0, 0.5, 3], frame='cam_optical_frame')  # 3 m ahead, 0.5 m below
    placed = made.take(a=ahead_and_low)
    assert placed.cloud.frame_id == 'odom' and placed.answer_frame == 'cam_optical_frame'
    assert np.allclose(placed.cloud.xyz, [[1 + 3, 2, 0.5]], atol=1e-6)
    T = placed.T_answer_cloud
    assert np.allclose(T @ [*placed.cloud.xyz[0], 1], [0, 0.5, 3, 1], atol=1e-5)


def test_without_an_upright_frame_the_camera_is_taken_to_look_level(monkeypatch):
    made = Made(monkeypatch)
    cloud = points([0.2, 0.5, 3], frame='cam_optical_frame')
    assert made.take(a=cloud) is None and made.gathering.waits  # TF may be on its way
    made.now += 1.0
    placed = made.gathering.place(made.config)
    assert np.allclose(placed.cloud.xyz, [[3, -0.2, -0.5]])
    assert np.allclose(placed.T_answer_cloud @ [3, -0.2, -0.5, 1], [0.2, 0.5, 3, 1])
    assert 'z points forward' in made.gathering.placing.note
    made.tf('map', 'cam_optical_frame', 0, (0, 0, 0), OPTICAL, static=True)
    assert made.take(a=cloud).cloud.frame_id == 'map'  # as soon as it is known


def test_the_frame_of_inference_may_be_named(monkeypatch):
    made = Made(monkeypatch, {'inference_frame': 'gravity', 'fixed_frame': 'map'})
    made.tf('map', 'gravity', 0, (0, 0, 5), static=True)
    made.tf('gravity', 'sensor', 0, (1, 0, 0), static=True)
    placed = made.take(a=points([0, 0, 0], frame='sensor'))
    assert placed.cloud.frame_id == 'gravity' and placed.answer_frame == 'map'
    assert np.allclose(placed.cloud.xyz, [[1, 0, 0]])
    assert np.allclose(placed.T_answer_cloud @ [1, 0, 0, 1], [1, 0, 5, 1])


def test_a_named_frame_that_is_not_there_is_said(monkeypatch):
    made = Made(monkeypatch, {'inference_frame': 'gravity', 'wait_for_transform': 0.0})
    assert made.take(a=points([0, 0, 0])) is None
    assert 'map -> gravity' in made.reasons()['/a']


@pytest.mark.parametrize('stamp_s', [0.0, 3.0])
def test_a_stamp_of_zero_takes_the_newest_transform(monkeypatch, stamp_s):
    made = Made(monkeypatch, {'fixed_frame': 'map'})
    made.tf('map', 'base', 3.0, shift=(1, 0, 0))
    placed = made.take(a=points([0, 0, 0], frame='base', stamp_s=stamp_s))
    assert placed.cloud.xyz[0, 0] == 1


def test_reasons_that_change_with_every_cloud_do_not_fill_the_log(monkeypatch):
    made = Made(monkeypatch)
    for number in range(100):
        made.now += 0.1
        made.gathering.refuse('/a', f'the {"x" * number} of this cloud is wrong')
    assert 9 <= len(made.said) <= 11
    assert made.gathering.refusals['/a'].count == 100
    made.now += 2
    made.gathering.refuse('/a', 'a long reason ' + 'y' * 100_000)
    assert len(made.gathering.refusals['/a'].reason) < 1100
    assert len(made.said[-1]) < 1200


def test_a_reason_held_back_is_logged_when_it_comes_again(monkeypatch):
    made = Made(monkeypatch)
    made.gathering.refuse('/a', 'one reason')
    made.gathering.refuse('/a', 'another reason')
    assert len(made.said) == 1
    made.now += 2
    made.gathering.refuse('/a', 'another reason')
    assert [line.split(': ')[2].split(' (')[0] for line in made.said] == [
        'one reason',
        'another reason',
    ]
