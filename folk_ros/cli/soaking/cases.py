"""Which bytes go where: the cases, each made anew from the seed and its number alone."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from folk_ros.cli.soaking import bytes_fuzz, cloud_fuzz, request_fuzz
from folk_ros.ros import runtime

Rng = np.random.Generator
Maker = Callable[[Rng], bytes]
QUERY, SETTINGS = '/folk/query', '/folk/set_parameters'
GET, LIST = '/folk/get_parameters', '/folk/list_parameters'
TOPIC, TEXT, TF, GRAPH = '/cloud', '/folk/query_text', '/tf', 'ros_discovery_info'
CLOUD_TYPE, TF_TYPE = 'sensor_msgs/msg/PointCloud2', 'tf2_msgs/msg/TFMessage'
INFO_TYPE = 'rmw_dds_common/msg/ParticipantEntitiesInfo'
TOPICS = {TOPIC: CLOUD_TYPE, TEXT: 'std_msgs/msg/String', TF: TF_TYPE}
SERVICES = {
    QUERY: 'folk_ros/srv/Query',
    SETTINGS: 'rcl_interfaces/srv/SetParameters',
    GET: 'rcl_interfaces/srv/GetParameters',
    LIST: 'rcl_interfaces/srv/ListParameters',
}
CDR_HEADER = 4


@dataclass(frozen=True)
class Case:
    """One message to throw."""

    number: int
    kind: str  # of fault, see KINDS
    target: str  # topic or service
    payload: bytes  # CDR with its header; of a request without the identity of who asks


def case(seed: int, number: int) -> Case:
    """Make a case."""
    kind = kind_of(seed, number)
    target, make = MAKERS[kind]
    return Case(number, kind, target, make(np.random.default_rng((seed, number, 1))))


def kind_of(seed: int, number: int) -> str:
    """Return of which kind a case is, without making it."""
    return KINDS[int(np.random.default_rng((seed, number)).integers(len(KINDS)))]


def _cloud_bytes(rng: Rng) -> bytes:
    return bytes_fuzz.spoilt(rng, cloud_fuzz.fair(rng))


def _request_bytes(rng: Rng) -> bytes:
    return bytes_fuzz.spoilt(rng, request_fuzz.odd(rng))


def _text(rng: Rng) -> bytes:
    """Spoil words for the standing query, readable ones among them."""
    texts = (
        *request_fuzz.TEXTS,
        ';' * 5000,
        ';' * 200_000,
        'chair; table',
        '\n'.join(['a'] * 500),
    )
    message = runtime.message('std_msgs/msg/String')(data=texts[int(rng.integers(len(texts)))])
    data = bytes(runtime.serialize_message(message))
    return data if rng.random() < 0.3 else bytes_fuzz.spoilt(rng, data)


def _setting(rng: Rng) -> bytes:
    """Spoil the setting of a parameter that changes nothing."""
    request = runtime.service('rcl_interfaces/srv/SetParameters').Request()
    kinds = ('a.safetensors', '', 7, -1.5, True, ['a', ''], [1, 2**40], [float('nan')])
    values = [kinds[int(rng.integers(len(kinds)))] for _ in range(int(rng.integers(1, 4)))]
    names = ('scene_file', 'scene_file', 'nobody.knows', '', 'model', 'x' * 3000)
    request.parameters = [
        runtime.Parameter(names[int(rng.integers(len(names)))], value=value).to_parameter_msg()
        for value in values
    ]
    data = bytes(runtime.serialize_message(request))
    return data if rng.random() < 0.3 else bytes_fuzz.spoilt(rng, data)


def _many_names(kind: str) -> Maker:
    """Ask for one parameter thousands of times."""

    def make(rng: Rng) -> bytes:
        request = runtime.service(kind).Request()
        many = int(rng.integers(2000, 30_000))
        if hasattr(request, 'names'):
            request.names = ['cloud_topics'] * many
        elif hasattr(request, 'prefixes'):
            request.prefixes = ['node'] * many
        else:
            setting = runtime.Parameter('scene_file', value='a.safetensors').to_parameter_msg()
            request.parameters = [setting] * (many // 3)
        return bytes(runtime.serialize_message(request))

    return make


def _transforms(rng: Rng) -> bytes:
    """Spoil transforms, those in a circle and of no length among them."""
    numbers = (0.0, 1.0, -1.0, float('nan'), float('inf'), 1e308, 1e-308)
    frames = ('map', 'odom', 'base_link', '', 'loop', 'x' * 500, '\n')

    def one() -> object:
        kind = runtime.message('geometry_msgs/msg/TransformStamped')
        item = kind(child_frame_id=frames[int(rng.integers(len(frames)))])
        item.header.frame_id = frames[int(rng.integers(len(frames)))]
        item.header.stamp.sec = int(rng.integers(-(2**31), 2**31))
        for part, names in (
            (item.transform.translation, 'xyz'),
            (item.transform.rotation, 'xyzw'),
        ):
            for name in names:
                setattr(part, name, numbers[int(rng.integers(len(numbers)))])
        return item

    kind = runtime.message(TF_TYPE)
    data = bytes(
        runtime.serialize_message(kind(transforms=[one() for _ in range(int(rng.integers(5)))]))
    )
    return data if rng.random() < 0.5 else bytes_fuzz.spoilt(rng, data)


def _names(rng: Rng) -> bytes:
    """Spoil what participants tell of their nodes."""
    info = runtime.message(INFO_TYPE)()
    node = runtime.message('rmw_dds_common/msg/NodeEntitiesInfo')
    texts = request_fuzz.TEXTS
    info.gid.data = np.frombuffer(rng.bytes(len(info.gid.data)), np.uint8)
    info.node_entities_info_seq = [
        node(node_namespace='/', node_name=texts[int(rng.integers(len(texts)))][:256])
        for _ in range(int(rng.integers(4)))
    ]
    return bytes_fuzz.spoilt(rng, bytes(runtime.serialize_message(info)))


MAKERS: dict[str, tuple[str, Maker]] = {  # kind: where it goes, what makes it
    'clouds, bytes spoilt': (TOPIC, _cloud_bytes),
    'clouds, fields spoilt': (TOPIC, cloud_fuzz.absurd),
    'questions, bytes spoilt': (QUERY, _request_bytes),
    'questions, odd': (QUERY, request_fuzz.odd),
    'questions, heavy': (QUERY, request_fuzz.heavy),
    'standing queries, spoilt': (TEXT, _text),
    'parameters, spoilt': (SETTINGS, _setting),
    'parameters, many to set': (SETTINGS, _many_names('rcl_interfaces/srv/SetParameters')),
    'parameters, many to get': (GET, _many_names('rcl_interfaces/srv/GetParameters')),
    'parameters, many to list': (LIST, _many_names('rcl_interfaces/srv/ListParameters')),
    'transforms, spoilt': (TF, _transforms),
    'node names, spoilt': (GRAPH, _names),
}
KINDS = (  # as often as they stand here; heavy ones are few
    *(('clouds, bytes spoilt',) * 60),
    *(('clouds, fields spoilt',) * 60),
    *(('questions, bytes spoilt',) * 30),
    *(('questions, odd',) * 14),
    *('questions, heavy', 'parameters, many to set'),
    *('parameters, many to get', 'parameters, many to list'),
    *(('standing queries, spoilt',) * 10),
    *(('parameters, spoilt',) * 10),
    *(('transforms, spoilt',) * 10),
    *(('node names, spoilt',) * 5),
)
