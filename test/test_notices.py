import logging

from folk_ros import notices
from folk_ros.notices import Notice, NoticeLog


def test_a_notice_is_logged_when_new_and_again_after_a_while(caplog, monkeypatch):
    now = [100.0]
    monkeypatch.setattr(notices.time, 'monotonic', lambda: now[0])
    told = NoticeLog(logging.getLogger('folk_ros.test'))
    for second in range(130):
        now[0] = 100.0 + second
        told.tell([Notice('scale', f'too large by {second}')])
    assert [record.getMessage() for record in caplog.records] == [
        'too large by 0',
        'too large by 60',
        'too large by 120',
    ]


def test_a_notice_that_went_away_is_new_when_it_comes_back(caplog):
    told = NoticeLog(logging.getLogger('folk_ros.test'))
    for some in ([Notice('a', 'one')], [], [Notice('a', 'two'), Notice('b', 'three')]):
        told.tell(some)
    assert [record.getMessage() for record in caplog.records] == ['one', 'two', 'three']
