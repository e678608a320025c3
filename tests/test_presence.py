from __future__ import annotations

from dataclasses import replace

import pytest

from uuutorrent.errors import Conflict, Missing
from uuutorrent.presence import ENDED, ENDED_BY_ADMIN, Here, Presence, is_inside, only_by_key
from uuutorrent.users import Admin, User, UserId

ANN, BOB = User(UserId(1), "ann", "user"), User(UserId(2), "bob", "user")
BOSS = Admin(User(UserId(3), "boss", "admin"))


@pytest.mark.parametrize(
    "ip",
    [
        "127.0.0.1", "::1", "10.4.5.6", "172.31.0.9", "192.168.1.20", "169.254.3.4", "fe80::1%eth0", "fd12:3456::1",
        "::ffff:192.168.1.20",
    ],
)  # fmt: skip
def test_this_machine_and_private_networks_are_inside(ip: str) -> None:
    assert is_inside(ip)


@pytest.mark.parametrize(
    "ip",
    ["8.8.8.8", "172.32.0.1", "192.0.2.7", "100.64.0.1", "2001:db8::1", "::ffff:8.8.8.8", "fec0::1", "", "localhost"],
)
def test_everything_else_is_outside_also_what_a_carrier_shares(ip: str) -> None:
    assert not is_inside(ip)


def test_admins_from_outside_come_by_key_unless_it_is_their_first_time_or_configured() -> None:
    first_time = replace(BOSS.user, password_expired=True)
    assert only_by_key(BOSS.user, "192.0.2.7", "inside")
    assert not only_by_key(BOSS.user, "192.0.2.7", "anywhere")
    assert not only_by_key(BOSS.user, "10.0.0.7", "inside")
    assert not only_by_key(first_time, "192.0.2.7", "inside")
    assert not only_by_key(ANN, "192.0.2.7", "inside")


class Wire:
    """A connection that can be hung up on."""

    def __init__(self, presence: Presence, user: User) -> None:
        self.said: list[str] = []
        self.here = Here(user, ip="192.0.2.7", hang_up=self.said.append)
        presence.came(self.here)


def test_people_see_and_end_their_own_and_nobody_elses() -> None:
    presence = Presence()
    one, two, his = Wire(presence, ANN), Wire(presence, ANN), Wire(presence, BOB)
    assert presence.of(ANN) == (one.here, two.here)
    with pytest.raises(Missing):
        presence.end(one.here, his.here.id)
    with pytest.raises(Missing):
        presence.end(one.here, 4711)
    with pytest.raises(Conflict, match="you are in"):
        presence.end(one.here, one.here.id)
    presence.end(one.here, two.here.id)
    assert (one.said, two.said, his.said) == ([], [ENDED], [])
    presence.left(two.here)
    assert presence.end_others(one.here) == 0
    assert presence.of(ANN) == (one.here,)


def test_admins_see_and_end_everybodys() -> None:
    presence = Presence()
    hers = Wire(presence, ANN)
    assert presence.every(BOSS) == (hers.here,)
    assert presence.end_for(BOSS, hers.here.id).user == ANN
    assert hers.said == [ENDED_BY_ADMIN]
    with pytest.raises(Missing):
        presence.end_for(BOSS, 4711)


def test_all_of_somebody_who_is_gone_end_but_one() -> None:
    presence = Presence()
    one, two, his = Wire(presence, ANN), Wire(presence, ANN), Wire(presence, BOB)
    presence.gone(ANN.id, "gone", but=one.here)
    assert (one.said, two.said, his.said) == ([], ["gone"], [])
