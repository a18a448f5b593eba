import pytest

from folk_ros.cli.doctoring.buffers import BufferFacts, judge_buffers, smallest_wanted

MB = 10**6


def uri(least):
    return (
        '<CycloneDDS xmlns="https://cdds.io/config"><Domain><Internal>'
        f'<SocketReceiveBufferSize min="{least}" max="8MB"/></Internal></Domain></CycloneDDS>'
    )


def test_what_linux_grants_by_default_is_a_note_with_the_line_that_raises_it():
    finding = judge_buffers(BufferFacts(212_992))
    assert finding.state == 'note'
    assert '6,000 points' in finding.found
    assert "echo 'net.core.rmem_max=8000000'" in finding.mend


def test_room_for_a_hundred_thousand_points_is_enough():
    assert judge_buffers(BufferFacts(4 * MB)).state == 'ok'
    assert judge_buffers(BufferFacts(3 * MB)).state == 'note'


def test_nobody_knows_on_other_systems():
    assert judge_buffers(BufferFacts(None)).state == 'ok'


def test_a_configuration_that_asks_for_more_than_is_granted_is_wrong():
    finding = judge_buffers(BufferFacts(8 * MB, cyclone_uri=uri('64MB')))
    assert finding.state == 'wrong'
    assert 'no node will start' in finding.found
    assert 'rmem_max=64000000' in finding.mend
    assert judge_buffers(BufferFacts(64 * MB, cyclone_uri=uri('64MB'))).state == 'ok'


@pytest.mark.parametrize(
    ('least', 'count'),
    [
        ('64MB', 64 * MB),
        ('1 MiB', 1 << 20),
        ('default', 0),
        ('512kB', 512_000),
        ('100 furlong', 0),
    ],
)
def test_sizes_are_read_as_cyclone_writes_them(least, count):
    assert smallest_wanted(uri(least)) == count


def test_a_configuration_that_cannot_be_read_wants_nothing():
    assert smallest_wanted('file:///not/there.xml') == 0
    assert smallest_wanted('') == 0
