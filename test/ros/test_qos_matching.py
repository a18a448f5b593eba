from itertools import product

import pytest

from folk_ros.ros.qos_matching import choose, NAMED, obstacle, Offer

KINDS = [Offer(f'/n{r:d}{k:d}', r, k) for r, k in product((True, False), repeat=2)]


def connects(choice, offer):
    """DDS's own rule: what is wanted must be offered."""
    return (offer.reliable or not choice.reliable) and (offer.latched or not choice.latched)


@pytest.mark.parametrize('mask', range(1, 16))
def test_auto_hears_every_publisher_there_is(mask):
    offers = [offer for n, offer in enumerate(KINDS) if mask >> n & 1]
    choice = choose('auto', offers)
    assert all(connects(choice, offer) for offer in offers)
    assert obstacle(choice, 'auto', offers) == ''


def test_auto_gets_the_map_that_was_published_before():
    assert choose('auto', [KINDS[0]]).latched


def test_nobody_there_yet_is_no_reason_to_lose_parts_of_the_first_cloud():
    choice = choose('auto', [])
    assert choice.reliable and not choice.latched


def test_a_publisher_of_something_else_does_not_count():
    scan = Offer('/laser', False, False, 'sensor_msgs/msg/LaserScan')
    assert choose('auto', [scan, KINDS[0]]) == choose('auto', [KINDS[0]])
    assert 'LaserScan' in obstacle(choose('auto', [scan]), 'auto', [scan])


@pytest.mark.parametrize('profile', NAMED)
def test_a_named_profile_stays_whatever_is_offered(profile):
    assert choose(profile, KINDS) == NAMED[profile]


def test_a_profile_that_hears_nothing_says_who_offers_what():
    camera = Offer('/camera', reliable=False, latched=False)
    reason = obstacle(NAMED['reliable'], 'reliable', [camera])
    assert '/camera offers best effort, volatile' in reason and "'auto'" in reason
