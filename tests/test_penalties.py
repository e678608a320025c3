from __future__ import annotations

from ipaddress import ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.clock import Clock
from uuutorrent.errors import Missing
from uuutorrent.penalties import KNOWN_CAP_S, Network, Offence, OnlyKeys, Penalties, Source, Tariff, source_of
from uuutorrent.users import Admin, User, UserId

TARIFF = Tariff(
    costs={Offence.WRONG: 5, Offence.UNKNOWN: 10, Offence.NO_AUTH: 1, Offence.GRACE: 10},
    enforced_from_s=15,
    cap_s=1800,
    known_s=1000,
    sources=100,
)
HERE = Source("192.0.2.7")
ADMIN = Admin(User(UserId(1), "ada", "admin"))


class House:
    """Penalties and the clock they go by."""

    def __init__(self, *exempt: Network) -> None:
        self.clock = Clock()
        self.penalties = Penalties(TARIFF, exempt, clock=self.clock)

    def add(self, offence: Offence, times: int = 1, source: Source = HERE) -> None:
        for _ in range(times):
            self.penalties.add(source, offence)

    def left_s(self, source: Source = HERE) -> float:
        return self.penalties.left_s(source)


def test_two_wrong_passwords_are_forgiven_and_the_third_is_not() -> None:
    house = House()
    house.add(Offence.WRONG, 2)
    assert house.left_s() == 0
    house.add(Offence.WRONG)
    house.clock.move(1)
    assert house.left_s() == 14
    assert house.left_s(Source("192.0.2.8")) == 0


def test_a_penalty_that_is_over_is_forgotten() -> None:
    house = House()
    house.add(Offence.WRONG, 3)
    house.clock.move(15)
    assert house.left_s() == 0
    house.add(Offence.WRONG)
    assert house.left_s() == 0
    assert [one.left_s for one in house.penalties.every(ADMIN)] == [5]


def test_who_errs_again_when_a_penalty_is_just_over_begins_anew_though_nobody_looked_meanwhile() -> None:
    house = House()
    house.add(Offence.WRONG, 3)
    house.clock.move(15)
    house.add(Offence.NO_AUTH)
    assert house.left_s() == 0


def test_what_is_refused_stays_refused_until_it_is_over() -> None:
    house = House()
    house.add(Offence.UNKNOWN, 2)
    house.clock.move(19)
    assert house.left_s() == 1
    house.clock.move(1)
    assert house.left_s() == 0


def test_who_errs_once_a_minute_is_never_refused() -> None:
    house = House()
    for _ in range(100):
        house.add(Offence.WRONG)
        assert house.left_s() == 0
        house.clock.move(60)


def test_where_somebody_signed_in_lately_only_passwords_are_refused_and_for_a_minute_at_most() -> None:
    house = House()
    house.penalties.welcome(HERE)
    assert house.penalties.knows(HERE)
    house.add(Offence.UNKNOWN, 500)
    assert house.left_s() == KNOWN_CAP_S
    with pytest.raises(OnlyKeys, match="no password is looked at from there for 60 s"):
        house.penalties.check_password(HERE)
    assert [one.is_known for one in house.penalties.every(ADMIN)] == [True]
    house.clock.move(KNOWN_CAP_S)
    house.penalties.check_password(HERE)


def test_guessing_is_no_faster_where_people_are_known() -> None:
    tries = dict[bool, int]()
    for is_known in (True, False):
        house, tried = House(), 0
        if is_known:
            house.penalties.welcome(HERE)
        for _ in range(900):
            if house.left_s() == 0:
                house.add(Offence.WRONG)
                tried += 1
            house.clock.move(1)
        tries[is_known] = tried
    assert tries[True] == tries[False] <= 190


def test_a_source_is_known_for_so_long_and_so_many_are() -> None:
    house = House()
    house.penalties.welcome(HERE)
    house.clock.move(TARIFF.known_s)
    assert not house.penalties.knows(HERE)
    for number in range(2 * TARIFF.sources):
        house.penalties.welcome(Source(f"10.0.{number // 256}.{number % 256}"))
    assert len(house.penalties._signed_in) == TARIFF.sources
    assert not house.penalties.knows(Source("10.0.0.0"))


def test_an_admin_sees_and_lifts_a_penalty_by_any_address_of_the_source() -> None:
    house = House()
    house.add(Offence.WRONG, 4, source_of("2001:db8::1"))
    (seen,) = house.penalties.every(ADMIN)
    assert (seen.source, seen.left_s, seen.is_refused) == ("2001:db8::/64", 20, True)
    assert house.penalties.lift(ADMIN, "2001:db8::77") == "2001:db8::/64"
    assert house.left_s(source_of("2001:db8::1")) == 0
    with pytest.raises(Missing):
        house.penalties.lift(ADMIN, "2001:db8::77")


def test_what_is_exempt_is_never_refused() -> None:
    house = House(ip_network("192.0.2.0/24"), ip_network("2001:db8::/32"))
    for source in (HERE, source_of("2001:db8:1:2::1")):
        house.add(Offence.UNKNOWN, 50, source)
        assert house.left_s(source) == 0
    house.add(Offence.UNKNOWN, 2, Source("198.51.100.1"))
    assert house.left_s(Source("198.51.100.1")) == 20


@pytest.mark.parametrize("network", ["2001:db8::1/128", "2001:db8::/64", "2001:db8::/32"])
def test_exempting_a_single_ipv6_address_exempts_the_source_it_is_in(network: str) -> None:
    house = House(ip_network(network))
    house.add(Offence.WRONG, 3, source_of("2001:db8::1"))
    assert house.left_s(source_of("2001:db8::1")) == 0


@pytest.mark.parametrize(
    ("address", "source"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("", ""),
        ("a path", "a path"),
    ],
)
def test_an_address_counts_where_one_person_has_many(address: str, source: str) -> None:
    assert source_of(address) == source


offences = st.lists(st.tuples(st.integers(0, 300), st.sampled_from(Offence), st.floats(0, 60)), max_size=300)


@given(offences)
def test_memory_and_time_are_bounded_whatever_is_done(done: list[tuple[int, Offence, float]]) -> None:
    house = House()
    for number, offence, passes in done:
        house.clock.move(passes)
        house.add(offence, source=Source(f"10.0.{number // 256}.{number % 256}"))
    there = house.penalties.every(ADMIN)
    assert len(there) <= TARIFF.sources
    assert all(0 < one.left_s <= TARIFF.cap_s for one in there)
