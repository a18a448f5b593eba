"""Parameters: types, ranges, who may refuse."""

from __future__ import annotations

import pytest

pytest.importorskip('rosbags')

from folk_ros.ros.embedded import message, Parameter
from folk_ros.ros.embedded.exceptions import (
    InvalidParameterTypeException,
    InvalidParameterValueException,
    ParameterAlreadyDeclaredException,
    ParameterNotDeclaredException,
    ParameterUninitializedException,
)
from folk_ros.ros.embedded.parameter_services import list_parameters
from folk_ros.ros.embedded.parameters import ParameterStore, result


def descriptor(**fields):
    return message('rcl_interfaces/msg/ParameterDescriptor')(**fields)


def ranged(kind: str, low, high, step=None):
    name = {'floating_point_range': 'FloatingPointRange', 'integer_range': 'IntegerRange'}[kind]
    limits = {'from_value': low, 'to_value': high, **({} if step is None else {'step': step})}
    return descriptor(**{kind: [message(f'rcl_interfaces/msg/{name}')(**limits)]})


def declare(store: ParameterStore, name: str, value, description=None):
    return store.declare(name, value, description, False).value


def test_an_override_wins_over_the_default():
    store = ParameterStore({'rate': 5.0})
    assert declare(store, 'rate', 1.0) == 5.0
    assert declare(store, 'other', 'x') == 'x'


@pytest.mark.parametrize(
    ('default', 'given'), [(1.0, 5), (1, 5.0), ('x', 5), (True, 1), ([1], ['a'])]
)
def test_an_override_of_another_type_is_refused(default, given):
    with pytest.raises(InvalidParameterTypeException, match="'p' is of type"):
        declare(ParameterStore({'p': given}), 'p', default)


@pytest.mark.parametrize('default', [['a'], [1], [1.0], [True]])
def test_an_empty_list_fits_every_list(default):
    assert declare(ParameterStore({'p': []}), 'p', default) == []


def test_a_value_out_of_its_range_is_refused_with_the_range():
    store = ParameterStore({'score': 1.5})
    limits = ranged('floating_point_range', 0.0, 1.0)
    with pytest.raises(
        InvalidParameterValueException, match="'score' must be 0.0 to 1.0, got 1.5"
    ):
        declare(store, 'score', 0.5, limits)


def test_nan_is_outside_of_every_range():
    store = ParameterStore({'score': float('nan')})
    with pytest.raises(InvalidParameterValueException, match='got nan'):
        declare(store, 'score', 0.5, ranged('floating_point_range', 0.0, 1.0))


def test_a_value_between_the_steps_is_refused():
    store = ParameterStore({})
    declare(store, 'n', 4, ranged('integer_range', 0, 9, 2))
    assert store.set_together([Parameter('n', value=8)]).successful
    assert 'in steps of 2, got 5' in store.set_together([Parameter('n', value=5)]).reason
    assert store.set_together([Parameter('n', value=9)]).successful  # the end counts


def test_a_read_only_parameter_keeps_its_value():
    store = ParameterStore({})
    declare(store, 'model', 'a', descriptor(read_only=True))
    assert 'read-only' in store.set_together([Parameter('model', value='b')]).reason
    assert store.get('model').value == 'a'


def test_a_type_does_not_change_unless_it_may():
    store = ParameterStore({})
    declare(store, 'fixed', 1)
    declare(store, 'free', 1, descriptor(dynamic_typing=True))
    assert (
        'expected INTEGER, got STRING'
        in store.set_together([Parameter('fixed', value='x')]).reason
    )
    assert store.set_together([Parameter('free', value='x')]).successful


def test_the_node_may_refuse_and_then_nothing_of_the_set_changes():
    store = ParameterStore({})
    declare(store, 'a', 1)
    declare(store, 'b', 1)
    store.callbacks.append(
        lambda changed: result('b must be even' if changed[-1].value % 2 else '')
    )
    answer = store.set_together([Parameter('a', value=2), Parameter('b', value=3)])
    assert (answer.successful, answer.reason) == (False, 'b must be even')
    assert store.get('a').value == 1


def test_a_typed_parameter_without_a_value_says_so_until_it_has_one():
    store = ParameterStore({})
    declare(store, 'frame', Parameter.Type.STRING)
    with pytest.raises(ParameterUninitializedException):
        store.get('frame')
    store.set_together([Parameter('frame', value='map')])
    assert store.get('frame').value == 'map'


def test_unknown_and_repeated_names_are_sentences():
    store = ParameterStore({})
    declare(store, 'rate', 1)
    with pytest.raises(ParameterNotDeclaredException, match="no parameter 'rat'; there are: rate"):
        store.get('rat')
    with pytest.raises(ParameterAlreadyDeclaredException, match="'rate' is declared already"):
        declare(store, 'rate', 1)


@pytest.mark.parametrize(
    'value', [True, 3, 2.5, 'text', [True, False], [1, 2], [1.5], ['a', 'b'], [b'\1', b'\2']]
)
def test_a_parameter_survives_being_sent(value):
    parameter = Parameter('p', value=value)
    again = Parameter.from_parameter_msg(parameter.to_parameter_msg())
    assert again == parameter
    assert again.type_ == parameter.type_


@pytest.mark.parametrize('value', [{'a': 1}, [1, 'a'], object(), [[1]]])
def test_what_is_no_parameter_value_is_refused(value):
    with pytest.raises(InvalidParameterTypeException, match='is no parameter value'):
        Parameter('p', value=value)


def test_parameters_are_listed_by_prefix_and_depth():
    store = ParameterStore({})
    for name in ('a', 'cloud.topics', 'cloud.qos.depth', 'clouds'):
        declare(store, name, 1)
    assert list_parameters(store, [], 0).names == [
        'a',
        'cloud.qos.depth',
        'cloud.topics',
        'clouds',
    ]
    assert list_parameters(store, [], 1).names == ['a', 'clouds']
    assert list_parameters(store, ['cloud'], 1).names == ['cloud.topics']
    assert list_parameters(store, ['cloud'], 0).prefixes == ['cloud', 'cloud.qos']


def test_very_many_names_in_one_request_are_refused():
    from types import SimpleNamespace

    from folk_ros.ros.embedded import service
    from folk_ros.ros.embedded.parameter_services import MAX_NAMES, ParameterServices

    made = {}
    keep = lambda kind, name, handler, **_: made.update({name: (kind, handler)})  # noqa: E731
    store = ParameterStore({})
    declare(store, 'a', 1)
    ParameterServices(SimpleNamespace(create_service=keep), store)

    def call(name, **fields):
        kind, handler = made[f'~/{name}']
        return handler(kind.Request(**fields), kind.Response())

    assert service('rcl_interfaces/srv/GetParameters') is made['~/get_parameters'][0]
    assert len(call('get_parameters', names=['a'] * MAX_NAMES).values) == MAX_NAMES
    assert call('list_parameters', prefixes=['a'] * MAX_NAMES).result.names == ['a']
    many = [Parameter('a', value=2).to_parameter_msg()] * (MAX_NAMES + 1)
    assert call('get_parameters', names=['a'] * (MAX_NAMES + 1)).values == []
    assert call('list_parameters', prefixes=['a'] * (MAX_NAMES + 1)).result.names == []
    results = call('set_parameters', parameters=many).results
    assert len(results) == MAX_NAMES + 1
    assert 'at most 256 parameters at once, got 257' in results[-1].reason
    assert not call('set_parameters_atomically', parameters=many).result.successful
    assert store.get('a').value == 1
    with pytest.raises(ParameterNotDeclaredException) as caught:
        store.get('x' * 3000)
    assert len(str(caught.value)) < 200
