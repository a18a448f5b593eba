"""Message classes that are built at run time."""

from __future__ import annotations

import array
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip('rosbags')

from rosbags.serde import SerdeError

from folk_ros.ros.embedded import message, service
from folk_ros.ros.embedded.definitions import MESSAGES, SERVICES
from folk_ros.ros.embedded.messages import dds_type, interfaces, ros_type

CLOUD = 'sensor_msgs/msg/PointCloud2'


def test_a_message_made_without_arguments_has_all_defaults():
    marker = message('visualization_msgs/msg/Marker')()
    assert (marker.ns, marker.id, marker.frame_locked, marker.points) == ('', 0, False, [])
    assert marker.pose.orientation.w == 1.0
    assert marker.header.stamp.sec == 0


def test_defaults_are_not_shared_between_messages():
    marker = message('visualization_msgs/msg/Marker')
    one, two = marker(), marker()
    one.points.append(message('geometry_msgs/msg/Point')())
    one.header.frame_id = 'map'
    assert (two.points, two.header.frame_id) == ([], '')


def test_constants_are_attributes_of_the_class():
    marker = message('visualization_msgs/msg/Marker')
    assert (marker.CUBE, marker.TEXT_VIEW_FACING, marker.DELETE) == (1, 9, 2)
    assert message('sensor_msgs/msg/PointField').FLOAT32 == 7
    assert message('diagnostic_msgs/msg/DiagnosticStatus').WARN == b'\x01'


@pytest.mark.parametrize('level', [b'\x00', b'\x03', b'\xff'])
def test_a_byte_is_one_byte_before_and_after_it_was_sent(level):
    status = message('diagnostic_msgs/msg/DiagnosticStatus')(level=level)
    again = interfaces().decode(interfaces().encode(status), status.ros_type)
    assert again.level == level
    assert isinstance(again.level, bytes)


@pytest.mark.parametrize(
    'data',
    [
        b'\1\2\3',
        bytearray(b'\1\2\3'),
        array.array('B', [1, 2, 3]),
        np.array([1, 2, 3], np.uint8),
        [1, 2, 3],
        (1, 2, 3),
        np.array([1, 2, 3]),
    ],
)
def test_bytes_arrays_and_lists_are_the_same_data(data):
    cloud = message(CLOUD)(data=data)
    assert cloud.data.dtype == np.uint8
    assert cloud == message(CLOUD)(data=b'\1\2\3')
    again = interfaces().decode(interfaces().encode(cloud), CLOUD)
    assert np.frombuffer(again.data, np.uint8).tolist() == [1, 2, 3]
    assert not again.data.flags.writeable


def test_data_is_taken_without_a_copy():
    data = np.zeros(1000, np.uint8)
    assert np.shares_memory(message(CLOUD)(data=data).data, data)


@pytest.mark.parametrize(
    ('name', 'field', 'value', 'said'),
    [
        (CLOUD, 'width', 1.5, 'expected an int, got float'),
        (CLOUD, 'width', np.int64(3), 'expected an int, got int64; write int(...)'),
        (CLOUD, 'width', -1, 'expected 0 to 4294967295, got -1'),
        (CLOUD, 'data', [1, 256], 'expected uint8 values, got 1 to 256'),
        (CLOUD, 'data', 'abc', 'expected a sequence of numbers, got str'),
        (CLOUD, 'data', np.zeros((2, 2), np.uint8), 'expected one dimension'),
        (CLOUD, 'data', [0.5], 'expected uint8 values, got float64'),
        (CLOUD, 'fields', ['x'], 'expected a PointField, got str'),
        (CLOUD, 'header', None, 'expected a Header, got NoneType'),
        (CLOUD, 'is_dense', 1, 'expected a bool, got int'),
        ('folk_ros/msg/Instance', 'score', 1, 'expected a float, got int; write float(...)'),
        ('folk_ros/msg/Instance', 'text', b'x', 'expected a str, got bytes'),
        ('folk_ros/srv/Query_Request', 'texts', 'chair', 'expected a sequence, got str'),
        ('sensor_msgs/msg/CameraInfo', 'k', [1.0], 'expected 9 values, got 1'),
    ],
)
def test_a_value_that_rclpy_would_refuse_is_refused_with_type_and_field(name, field, value, said):
    with pytest.raises((TypeError, ValueError)) as error:
        message(name)(**{field: value})
    assert f'{name}.{field}: ' in str(error.value)
    assert said in str(error.value)


def test_a_misspelt_field_is_refused_with_those_that_are_there():
    with pytest.raises(AttributeError, match="no field 'colour'; it has: header, ns"):
        message('visualization_msgs/msg/Marker')().colour = 1
    with pytest.raises(AttributeError, match="no field 'txts'; it has: texts"):
        service('folk_ros/srv/Query').Request(txts=[])


def test_the_interfaces_of_this_package_are_those_of_its_files():
    root = Path(__file__).parents[3]
    for path in [*root.glob('msg/*.msg'), *root.glob('srv/*.srv')]:
        halves = path.read_text(encoding='utf-8').split('\n---\n')
        names = (
            [path.stem] if len(halves) == 1 else [f'{path.stem}_Request', f'{path.stem}_Response']
        )
        kind = path.suffix[1:]
        for name, text in zip(names, halves, strict=True):
            lines = [line.split('#')[0].split() for line in text.splitlines()]
            wanted = [line[1] for line in lines if line]
            fields = interfaces().message(f'folk_ros/{kind}/{name}').get_fields_and_field_types()
            assert list(fields) == wanted


STANDARD = (
    'diagnostic_msgs/msg/DiagnosticArray',
    'folk_ros/msg/InstanceArray',
    'rosgraph_msgs/msg/Clock',
    'tf2_msgs/msg/TFMessage',
    'visualization_msgs/msg/MarkerArray',
)


@pytest.mark.parametrize('name', [*MESSAGES, *STANDARD])
def test_an_empty_message_survives_being_sent(name):
    empty = message(name)()
    assert interfaces().decode(interfaces().encode(empty), name) == empty


@pytest.mark.parametrize('name', [*SERVICES, 'folk_ros/srv/Query'])
def test_both_halves_of_a_service_survive_being_sent(name):
    for half in (service(name).Request(), service(name).Response()):
        assert interfaces().decode(interfaces().encode(half), half.ros_type) == half


def test_an_unknown_interface_is_a_sentence():
    with pytest.raises(LookupError, match="no message type 'a/msg/B'"):
        message('a/msg/B')
    with pytest.raises(LookupError, match="no service type 'a/srv/B'"):
        service('a/srv/B')


def test_names_of_types_go_to_dds_and_back():
    assert dds_type('folk_ros/srv/Query_Request') == 'folk_ros::srv::dds_::Query_Request_'
    assert ros_type('folk_ros::srv::dds_::Query_Request_') == 'folk_ros/srv/Query_Request'
    assert ros_type('SomethingElse') == 'SomethingElse'


def test_hashes_are_those_that_ros_2_computes():
    hashes = {
        'std_msgs/msg/String': 'df668c740482bbd48fb39d76a70dfd4bd59db1288021743503259e948f6b1a18',
        'rmw_dds_common/msg/ParticipantEntitiesInfo': (
            '91a0593bacdcc50ea9bdcf849a938b128412cc1ea821245c663bcd26f83c295e'
        ),
    }
    assert {name: interfaces().type_hash(name) for name in hashes} == {
        name: f'RIHS01_{value}' for name, value in hashes.items()
    }


def test_bytes_at_random_are_refused_or_read_and_nothing_else():
    rng = np.random.default_rng(3)
    point = message('geometry_msgs/msg/Point')()
    marker = message('visualization_msgs/msg/Marker')(points=[point] * 3, text='chair')
    whole = interfaces().encode(
        message('visualization_msgs/msg/MarkerArray')(markers=[marker] * 2)
    )
    refused = 0
    for _ in range(500):
        data = bytearray(whole)
        for place in rng.integers(4, len(data), rng.integers(1, 5)):
            data[place] = rng.choice([0, 1, 127, 255])
        del data[rng.integers(5, len(data) + 1) :]
        try:
            interfaces().decode(memoryview(data), 'visualization_msgs/msg/MarkerArray')
        except SerdeError:
            refused += 1
    assert refused > 100


def test_a_cloud_of_a_million_fields_is_refused_before_they_are_made():
    from folk_ros.ros.embedded.cloud_peek import check_fields

    field = message('sensor_msgs/msg/PointField')
    cloud = message(CLOUD)()
    for frame in ('', 'a', 'map', 'camera_link'):
        cloud.header.frame_id = frame
        cloud.fields = [field(name='x')] * 1024
        check_fields(memoryview(bytes(interfaces().encode(cloud))))
        cloud.fields = [field(name='x')] * 1025
        with pytest.raises(SerdeError, match='1025 fields'):
            check_fields(memoryview(bytes(interfaces().encode(cloud))))
    check_fields(memoryview(b'\x00\x01\x00\x00' + bytes(8) + b'\xff\xff\xff\x7f'))  # cut off


def test_messages_of_very_many_objects_are_refused_before_they_are_made():
    from folk_ros.ros.embedded.sizes import check_size, MAX_OBJECT_BYTES

    long = memoryview(bytes(MAX_OBJECT_BYTES + 1))
    for name in ('tf2_msgs/msg/TFMessage', 'rcl_interfaces/msg/Parameter'):
        check_size(long[:-1], name)
        with pytest.raises(SerdeError, match='4194304 bytes at most'):
            check_size(long, name)
    for name in ('sensor_msgs/msg/Image', 'std_msgs/msg/String', 'sensor_msgs/msg/CameraInfo'):
        check_size(long, name)
