"""Links to files, as whoever holds one would use or misuse it."""

from __future__ import annotations

import pytest

from uuutorrent.browser.links import BEGIN_S, MOST_BEGUN, RESUME_S, Link, Links
from uuutorrent.errors import Refused
from uuutorrent.store.onlooking import only_looking
from uuutorrent.torrents.engine import InfoHash

SHOW = Link(InfoHash("ab" * 20), 3)

HERS, HIS = b"her session", b"his session"


class Clock:
    def __init__(self) -> None:
        self.now = 1_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def links(clock: Clock) -> Links:
    return Links(now=clock)


def token_of(address: str) -> str:
    _, files, token, _ = address.split("/")
    assert files == "files"
    return token


def test_a_link_leads_to_its_file_and_says_nothing_of_its_session(links: Links) -> None:
    address = links.address(HERS, 7, SHOW, "葬送 [01].mkv")
    assert address.endswith("/%E8%91%AC%E9%80%81%20%5B01%5D.mkv")
    assert HERS.decode() not in address
    assert links.follow(HERS, 7, token_of(address)) == SHOW


@pytest.mark.parametrize(("session", "user"), [(HIS, 7), (HERS, 8), (b"", 7)])
def test_in_another_session_or_for_another_user_it_leads_nowhere(links: Links, session: bytes, user: int) -> None:
    token = token_of(links.address(HERS, 7, SHOW, "a"))
    with pytest.raises(Refused, match="does not work here"):
        links.follow(session, user, token)


def test_one_that_was_changed_or_made_by_another_daemon_leads_nowhere(links: Links, clock: Clock) -> None:
    token = token_of(links.address(HERS, 7, SHOW, "a"))
    other = token_of(links.address(HERS, 7, Link(SHOW.infohash, 4), "a"))
    mixed = f"{other.rpartition('.')[0]}.{token.rpartition('.')[2]}"
    before = token_of(Links(now=clock).address(HERS, 7, SHOW, "a"))
    for bad in (mixed, before, token[:-1], token + "A", "", ".", "a.b", "é.ü"):
        with pytest.raises(Refused):
            links.follow(HERS, 7, bad)


def test_it_has_to_be_followed_soon_and_works_on_for_a_while_then(links: Links, clock: Clock) -> None:
    late, soon = (token_of(links.address(HERS, 7, Link(SHOW.infohash, n), "a")) for n in (1, 2))
    clock.now += BEGIN_S
    assert links.follow(HERS, 7, soon).index == 2
    clock.now += 1
    with pytest.raises(Refused):
        links.follow(HERS, 7, late)
    clock.now += RESUME_S - 1
    assert links.follow(HERS, 7, soon).index == 2
    clock.now += 2
    with pytest.raises(Refused):
        links.follow(HERS, 7, soon)


def test_whoever_only_looks_is_given_none(links: Links) -> None:
    with only_looking("ann"), pytest.raises(Refused, match="you only look at what ann sees"):
        links.address(HERS, 7, SHOW, "a")


def test_only_so_many_are_remembered(links: Links, clock: Clock) -> None:
    first, *others = (token_of(links.address(HERS, 7, Link(SHOW.infohash, n), "a")) for n in range(MOST_BEGUN + 1))
    for token in (first, *others):
        links.follow(HERS, 7, token)
    clock.now += BEGIN_S + 1
    with pytest.raises(Refused):
        links.follow(HERS, 7, first)
    assert links.follow(HERS, 7, others[0]).index == 1
