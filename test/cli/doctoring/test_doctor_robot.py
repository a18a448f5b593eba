from dataclasses import replace
from pathlib import Path

import pytest

from folk_ros.cli.doctoring.robot import (
    _python_of_rclpy,
    CYCLONE,
    judge_rmw,
    judge_ros,
    RmwFacts,
    RosFacts,
    STAND_INS,
)

ALONE = RosFacts(
    'embedded', rclpy_error="No module named 'rclpy'", cyclonedds='11.0.1', rosbags='0'
)
JAZZY = RosFacts('rclpy', 'jazzy')
RMW = RmwFacts('rclpy', CYCLONE, CYCLONE, (CYCLONE, 'rmw_fastrtps_cpp'), 'jazzy')


def test_no_ros_is_no_fault():
    assert judge_ros(ALONE).state == 'ok'
    assert 'no ROS 2' in judge_ros(ALONE).found


@pytest.mark.parametrize('package', ['cyclonedds', 'rosbags'])
def test_what_stands_in_for_ros_must_be_whole(package):
    finding = judge_ros(replace(ALONE, **{package: None}))
    assert (finding.state, package in finding.found) == ('wrong', True)
    assert finding.mend == "pip install 'cyclonedds>=11.0.1,<12' 'rosbags>=0.11'"


def test_what_is_installed_in_its_place_is_what_setup_asks_for():
    setup = (Path(__file__).resolve().parents[3] / 'setup.py').read_text(encoding='utf-8')
    assert [line for line in STAND_INS if f"'{line}'" not in setup] == []


def test_on_a_jetson_only_ros_helps():
    facts = replace(ALONE, cyclonedds=None, machine='aarch64', unsourced=('humble',))
    assert judge_ros(facts).mend == 'source /opt/ros/humble/setup.bash'


def test_ros_that_is_installed_but_not_sourced_is_a_note():
    finding = judge_ros(replace(ALONE, unsourced=('humble', 'jazzy')))
    assert (finding.state, finding.mend) == ('note', 'source /opt/ros/jazzy/setup.bash')


def test_an_rclpy_of_another_python_is_wrong_and_the_right_one_is_named():
    finding = judge_ros(replace(ALONE, distribution='jazzy', rclpy_built_for='3.12'))
    assert finding.state == 'wrong'
    assert 'Python 3.12 and this is 3.11' in finding.found
    assert finding.mend.startswith('python3.12 -m venv --system-site-packages')


def test_ros_sourced_in_an_environment_that_does_not_see_it_is_a_note():
    finding = judge_ros(replace(ALONE, distribution='jazzy', rclpy_built_for='3.11'))
    assert (finding.state, '--system-site-packages' in finding.mend) == ('note', True)


def test_whole_ros_is_fine():
    assert judge_ros(JAZZY).state == 'ok'


def test_missing_message_packages_are_installed_by_name():
    missing = {'vision_msgs.msg': 'No module', 'tf2_msgs.msg': 'No module', 'folk_ros.srv': 'x'}
    finding = judge_ros(replace(JAZZY, missing=missing))
    assert finding.state == 'wrong'
    assert finding.mend == 'sudo apt install ros-jazzy-vision-msgs ros-jazzy-tf2-msgs'


def test_own_messages_are_built_by_colcon():
    finding = judge_ros(replace(JAZZY, missing={'folk_ros.srv': "No module named 'folk_ros.srv'"}))
    assert finding.state == 'wrong'
    assert 'colcon build --packages-select folk_ros && source' in finding.mend


def test_the_python_of_rclpy_is_read_from_its_folder(tmp_path):
    place = tmp_path / 'lib' / 'python3.12' / 'site-packages'
    assert _python_of_rclpy(str(place)) == ''
    (place / 'rclpy').mkdir(parents=True)
    assert _python_of_rclpy(f'/elsewhere/python3.9:{place}') == '3.12'


def test_cyclone_is_fine_on_both_sides():
    assert judge_rmw(RMW).state == 'ok'
    assert judge_rmw(RmwFacts('embedded')).state == 'ok'
    assert judge_rmw(RmwFacts('embedded', wanted=CYCLONE)).state == 'ok'


def test_services_do_not_reach_another_rmw():
    finding = judge_rmw(RmwFacts('embedded', wanted='rmw_fastrtps_cpp'))
    assert (finding.state, finding.mend) == ('note', f'export RMW_IMPLEMENTATION={CYCLONE}')
    assert '/folk/query_text' in finding.found


def test_fast_dds_is_a_note_with_the_line_that_fits_what_is_installed():
    fast = replace(RMW, wanted='', taken='rmw_fastrtps_cpp')
    assert judge_rmw(fast).mend == f'export RMW_IMPLEMENTATION={CYCLONE}'
    finding = judge_rmw(replace(fast, installed=('rmw_fastrtps_cpp',)))
    assert finding.state == 'note'
    assert finding.mend.startswith('sudo apt install ros-jazzy-rmw-cyclonedds-cpp && export')


def test_an_rmw_that_is_not_installed_is_wrong():
    facts = replace(RMW, wanted='rmw_zenoh_cpp', taken='', error='could not load')
    finding = judge_rmw(facts)
    assert finding.state == 'wrong'
    assert finding.mend == 'sudo apt install ros-jazzy-rmw-zenoh-cpp'
    assert judge_rmw(replace(RMW, wanted='rmw_zenoh_cpp')).state == 'wrong'
