from __future__ import annotations

from collections.abc import Callable

from hypothesis import given
from hypothesis import strategies as st

from tests.clock import Clock
from tests.test_penalties import TARIFF
from uuutorrent.admission import Admission, Pace
from uuutorrent.config import Ssh
from uuutorrent.penalties import Offence, Penalties, Source

LIMITS = Ssh()


def sources(count: int) -> list[Source]:
    return [Source(f"10.0.{number // 256}.{number % 256}") for number in range(count)]


def admission(random: Callable[[], float] = lambda: 1.0) -> Admission:
    return Admission(LIMITS, Penalties(TARIFF), random=random)


def test_one_source_signs_in_four_times_at_once_and_again_when_one_is_through() -> None:
    door, here = admission(), Source("192.0.2.7")
    assert [door.refusal(here) for _ in range(6)] == ["", "", "", "", "source", "source"]
    door.proved(here)
    assert door.refusal(here) == ""
    door.gone(here, proved=False)
    assert door.refusal(here) == ""
    assert door.refusal(here) == "source"


def test_ten_may_sign_in_whatever_the_dice_say_and_sixty_are_all() -> None:
    assert [admission(lambda: 0.0).refusal(one) for one in sources(1)] == [""]
    unlucky, lucky = admission(lambda: 0.0), admission(lambda: 0.999)
    assert sum(not unlucky.refusal(one) for one in sources(200)) == 10
    assert sum(not lucky.refusal(one) for one in sources(200)) == 60


def test_the_risk_begins_at_three_of_ten_and_grows() -> None:
    door = admission(lambda: 0.31)
    assert sum(not door.refusal(one) for one in sources(200)) == 11


def test_people_who_are_signed_in_take_nobodys_place_until_the_house_is_full() -> None:
    door = admission()
    for one in sources(200):
        assert door.refusal(one) == ""
        door.proved(one)
    assert door.refusal(Source("192.0.2.7")) == "full"
    door.gone(sources(1)[0], proved=True)
    assert door.refusal(Source("192.0.2.7")) == ""


def test_who_was_punished_enough_is_refused_first_of_all_until_it_is_over() -> None:
    clock = Clock()
    door = Admission(LIMITS, Penalties(TARIFF, clock=clock), random=lambda: 1.0)
    here = Source("192.0.2.7")
    door.penalties.add(here, Offence.UNKNOWN)
    assert door.refusal(here) == ""
    door.penalties.add(here, Offence.UNKNOWN)
    assert door.refusal(here) == "banned"
    clock.move(20)
    assert door.refusal(here) == ""


def test_where_people_are_known_a_penalty_lets_in() -> None:
    door, here = Admission(LIMITS, Penalties(TARIFF, clock=Clock()), random=lambda: 1.0), Source("192.0.2.7")
    door.penalties.welcome(here)
    door.penalties.add(here, Offence.WRONG, 20)
    assert [door.refusal(here) for _ in range(5)] == ["", "", "", "", "source"]


def test_so_many_at_once_and_so_many_more_each_second() -> None:
    clock = Clock()
    pace = Pace(5, 2.0, clock=clock)
    assert [pace.allows() for _ in range(7)] == [True] * 5 + [False] * 2
    clock.move(1)
    assert [pace.allows() for _ in range(3)] == [True, True, False]
    clock.move(3600)
    assert sum(pace.allows() for _ in range(100)) == 5


@given(st.lists(st.tuples(st.integers(0, 20), st.booleans(), st.booleans()), max_size=200))
def test_counts_come_back_to_nothing_when_everybody_is_gone(steps: list[tuple[int, bool, bool]]) -> None:
    door, inside = admission(), list[tuple[Source, bool]]()
    for number, leaves, proves in steps:
        source = Source(f"10.0.0.{number}")
        if leaves and inside:
            gone, proved = inside.pop()
            door.gone(gone, proved=proved)
        elif not door.refusal(source):
            if proves:
                door.proved(source)
            inside.append((source, proves))
    for source, proved in inside:
        door.gone(source, proved=proved)
    assert [door.refusal(Source("10.0.0.1")) for _ in range(5)] == ["", "", "", "", "source"]
