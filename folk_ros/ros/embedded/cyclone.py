"""
The C calls of Cyclone DDS 11 that the embedded runtime is built on, through ctypes.

Topics are opaque (a type is a name and bytes): no type information is announced, which older
Cyclone peers do not survive, and ctypes releases the GIL in every call.
"""

from __future__ import annotations

import ctypes as ct
from functools import lru_cache
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec, module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any

ENTITY = ct.c_int32
HANDLE = ct.c_uint64
NANOSECONDS = ct.c_int64
POINTER = ct.c_void_p
FOREVER_NS = 2**63 - 1

PARTICIPANTS, PUBLICATIONS, SUBSCRIPTIONS = 0x7FFF0001, 0x7FFF0003, 0x7FFF0004  # built-in topics
OFFERED_INCOMPATIBLE = 1 << 3  # status bits, in the order of dds_status_id in dds.h
REQUESTED_INCOMPATIBLE = 1 << 4
DATA_AVAILABLE = 1 << 8
ANY_STATE = 0x7F  # every sample, view and instance state
ALIVE = 0x0F | 0x10  # every sample and view state, instances that are alive
RETCODE_TIMEOUT = -10
SERDATA_KIND_DATA = 2
XCDR1 = 0


class DdsError(RuntimeError):
    """A call of the DDS library failed."""


class IoVector(ct.Structure):
    """One run of bytes (struct iovec)."""

    _fields_ = [('base', POINTER), ('size', ct.c_size_t)]


class Guid(ct.Structure):
    """The 16 bytes that name an entity on the network."""

    _fields_ = [('bytes', ct.c_uint8 * 16)]


class SampleInfo(ct.Structure):
    """What DDS says about one sample (dds_sample_info_t)."""

    _fields_ = [
        ('sample_state', ct.c_uint),
        ('view_state', ct.c_uint),
        ('instance_state', ct.c_uint),
        ('valid_data', ct.c_bool),
        ('source_timestamp', NANOSECONDS),
        ('instance_handle', HANDLE),
        ('publication_handle', HANDLE),
        ('disposed_generation_count', ct.c_uint32),
        ('no_writers_generation_count', ct.c_uint32),
        ('sample_rank', ct.c_uint32),
        ('generation_rank', ct.c_uint32),
        ('absolute_generation_rank', ct.c_uint32),
    ]


class EndpointData(ct.Structure):
    """A reader or writer as discovered (dds_builtintopic_endpoint_t)."""

    _fields_ = [
        ('key', Guid),
        ('participant_key', Guid),
        ('participant_handle', HANDLE),
        ('topic_name', ct.c_char_p),
        ('type_name', ct.c_char_p),
        ('qos', POINTER),
    ]


class ParticipantData(ct.Structure):
    """A participant as discovered (dds_builtintopic_participant_t)."""

    _fields_ = [('key', Guid), ('qos', POINTER)]


class TypeMeta(ct.Structure):
    """Serialised type information: always empty here."""

    _fields_ = [('data', POINTER), ('size', ct.c_uint32)]


class TopicDescriptor(ct.Structure):
    """How a type is laid out (dds_topic_descriptor_t): here one octet, the rest is kept as is."""

    _fields_ = [
        ('size', ct.c_uint32),
        ('align', ct.c_uint32),
        ('flagset', ct.c_uint32),
        ('nkeys', ct.c_uint32),
        ('typename', ct.c_char_p),
        ('keys', POINTER),
        ('nops', ct.c_uint32),
        ('ops', ct.POINTER(ct.c_uint32)),
        ('meta', ct.c_char_p),
        ('type_information', TypeMeta),
        ('type_mapping', TypeMeta),
        ('restrict_data_representation', ct.c_uint32),
    ]


OCTET_PROGRAM = (ct.c_uint32 * 3)(0x01 << 24 | 0x01 << 16, 0, 0)  # one octet at offset 0, end
RESTRICT_DATA_REPRESENTATION = 1 << 7
QOS = POINTER
OUT = ct.c_void_p  # an address that the call writes to

PROTOTYPES: dict[str, tuple[Any, list[Any]]] = {
    'dds_create_domain': (ENTITY, [ct.c_uint32, ct.c_char_p]),
    'dds_create_participant': (ENTITY, [ct.c_uint32, QOS, POINTER]),
    'dds_create_topic': (ENTITY, [ENTITY, ct.POINTER(TopicDescriptor), ct.c_char_p, QOS, POINTER]),
    'dds_create_reader': (ENTITY, [ENTITY, ENTITY, QOS, POINTER]),
    'dds_create_writer': (ENTITY, [ENTITY, ENTITY, QOS, POINTER]),
    'dds_create_waitset': (ENTITY, [ENTITY]),
    'dds_create_guardcondition': (ENTITY, [ENTITY]),
    'dds_set_guardcondition': (ct.c_int32, [ENTITY, ct.c_bool]),
    'dds_take_guardcondition': (ct.c_int32, [ENTITY, OUT]),
    'dds_waitset_attach': (ct.c_int32, [ENTITY, ENTITY, ct.c_ssize_t]),
    'dds_waitset_detach': (ct.c_int32, [ENTITY, ENTITY]),
    'dds_waitset_wait': (ct.c_int32, [ENTITY, OUT, ct.c_size_t, NANOSECONDS]),
    'dds_set_status_mask': (ct.c_int32, [ENTITY, ct.c_uint32]),
    'dds_take_status': (ct.c_int32, [ENTITY, OUT, ct.c_uint32]),
    'dds_get_guid': (ct.c_int32, [ENTITY, OUT]),
    'dds_get_instance_handle': (ct.c_int32, [ENTITY, OUT]),
    'dds_get_entity_sertype': (ct.c_int32, [ENTITY, OUT]),
    'dds_get_matched_subscriptions': (ct.c_int32, [ENTITY, OUT, ct.c_size_t]),
    'dds_get_matched_publications': (ct.c_int32, [ENTITY, OUT, ct.c_size_t]),
    'dds_get_matched_subscription_data': (ct.POINTER(EndpointData), [ENTITY, HANDLE]),
    'dds_get_matched_publication_data': (ct.POINTER(EndpointData), [ENTITY, HANDLE]),
    'dds_builtintopic_free_endpoint': (None, [ct.POINTER(EndpointData)]),
    'dds_wait_for_acks': (ct.c_int32, [ENTITY, NANOSECONDS]),
    'dds_delete': (ct.c_int32, [ENTITY]),
    'dds_read_mask': (ct.c_int32, [ENTITY, OUT, OUT, ct.c_size_t, ct.c_uint32, ct.c_uint32]),
    'dds_return_loan': (ct.c_int32, [ENTITY, OUT, ct.c_int32]),
    'dds_takecdr': (ct.c_int32, [ENTITY, OUT, ct.c_uint32, OUT, ct.c_uint32]),
    'dds_writecdr': (ct.c_int32, [ENTITY, POINTER]),
    'ddsi_serdata_from_ser_iov': (
        POINTER,
        [POINTER, ct.c_int, ct.c_size_t, ct.POINTER(IoVector), ct.c_size_t],
    ),
    'ddsi_serdata_size': (ct.c_uint32, [POINTER]),
    'ddsi_serdata_to_ser_ref': (POINTER, [POINTER, ct.c_size_t, ct.c_size_t, OUT]),
    'ddsi_serdata_to_ser_unref': (None, [POINTER, OUT]),
    'ddsi_serdata_unref': (None, [POINTER]),
    'dds_create_qos': (QOS, []),
    'dds_delete_qos': (None, [QOS]),
    'dds_qset_reliability': (None, [QOS, ct.c_int, NANOSECONDS]),
    'dds_qset_durability': (None, [QOS, ct.c_int]),
    'dds_qset_history': (None, [QOS, ct.c_int, ct.c_int32]),
    'dds_qset_durability_service': (
        None,
        [QOS, NANOSECONDS, ct.c_int, ct.c_int32, ct.c_int32, ct.c_int32, ct.c_int32],
    ),
    'dds_qset_writer_data_lifecycle': (None, [QOS, ct.c_bool]),
    'dds_qset_data_representation': (None, [QOS, ct.c_uint32, ct.POINTER(ct.c_int16)]),
    'dds_qset_userdata': (None, [QOS, ct.c_char_p, ct.c_size_t]),
    'dds_qget_reliability': (ct.c_bool, [QOS, OUT, OUT]),
    'dds_qget_durability': (ct.c_bool, [QOS, OUT]),
    'dds_qget_history': (ct.c_bool, [QOS, OUT, OUT]),
    'dds_qget_userdata': (ct.c_bool, [QOS, OUT, OUT]),
    'dds_free': (None, [POINTER]),
    'dds_strretcode': (ct.c_char_p, [ct.c_int32]),
}


@lru_cache(maxsize=1)
def library() -> ct.CDLL:
    """
    Load the DDS library that lies in the cyclonedds wheel, with every prototype set.

    The wheel's Python modules stay unimported. Raises ModuleNotFoundError with what to install.
    """
    dll = ct.CDLL(str(_library_path()))
    for name, (result, arguments) in PROTOTYPES.items():
        function = getattr(dll, name)
        function.restype, function.argtypes = result, arguments
    return dll


def _library_path() -> Path:
    """Find libddsc: the wheel says where in a small module of its own."""
    advice = "install it with: pip install 'cyclonedds>=11.0.1,<12' 'rosbags>=0.11'"
    package = find_spec('cyclonedds')
    try:
        installed = version('cyclonedds')
    except PackageNotFoundError:
        installed = 'none'
    if package is None or not package.submodule_search_locations or not installed[:3] == '11.':
        raise ModuleNotFoundError(
            f'Without ROS 2, DDS comes from cyclonedds 11; found {installed}; {advice}'
        )
    source = Path(package.submodule_search_locations[0]) / '__library__.py'
    spec = spec_from_file_location('_cyclonedds_library', source)
    if spec is None or spec.loader is None:
        raise ModuleNotFoundError(f'cyclonedds {installed} has no {source}; {advice}')
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return Path(module.library_path)


def check(code: int, doing: str) -> int:
    """Return a result that is no error; raise DdsError saying what was being done."""
    if code < 0:
        reason = library().dds_strretcode(code).decode()
        raise DdsError(f'DDS could not {doing}: {reason} ({code})')
    return code
