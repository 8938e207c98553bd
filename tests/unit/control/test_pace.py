"""When transactions are made."""

from __future__ import annotations

from clusterdns.control.pace import BURST, HEAVY, MOST_KEYS, RATE, REST, Pace
from clusterdns.control.zones import Key

SMALL: Key = ("service", "shop", "small")
HUGE: Key = ("service", "shop", "huge")


def weight(key: Key) -> int:
    return HEAVY if key == HUGE else 10


def test_when_it_is_quiet_a_change_is_made_at_once() -> None:
    pace = Pace()
    for second in range(100, 200):
        assert pace.choose([SMALL], weight, second / 50) == [SMALL]


def test_in_a_storm_there_are_as_many_as_the_rate_allows() -> None:
    pace = Pace()
    made = sum(bool(pace.choose([SMALL], weight, 100 + step / 1000)) for step in range(1000))
    assert RATE <= made <= RATE + BURST + 1


def test_what_is_put_off_has_its_time() -> None:
    pace = Pace()
    while pace.choose([SMALL], weight, 100.0):
        pass
    assert 100.0 < pace.next_time([SMALL], 100.0) <= 100.0 + 1 / RATE
    assert pace.choose([SMALL], weight, pace.next_time([SMALL], 100.0) + 1e-6) == [SMALL]


def test_a_huge_service_is_made_alone_and_rests_four_times_as_long() -> None:
    pace = Pace()
    assert pace.choose([HUGE, SMALL], weight, 100.0) == [SMALL]
    assert not pace.measures
    assert pace.choose([HUGE], weight, 100.0) == [HUGE]
    assert pace.measures
    pace.took(0.05, 100.05)
    assert pace.choose([HUGE], weight, 100.06) == []
    assert pace.choose([HUGE, SMALL], weight, 100.06) == [SMALL]
    assert pace.next_time([HUGE], 100.06) == 100.05 + REST * 0.05
    assert pace.choose([HUGE], weight, 100.26) == [HUGE]


def test_never_so_many_at_once_that_others_wait() -> None:
    assert len(Pace().choose([("service", "shop", str(number)) for number in range(1000)], weight, 100.0)) == MOST_KEYS


def test_nothing_to_do_is_nothing_to_wait_for() -> None:
    pace = Pace()
    assert pace.choose([], weight, 100.0) == ()
    assert pace.next_time([], 100.0) == float("inf")
