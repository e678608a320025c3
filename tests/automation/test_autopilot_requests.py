"""How little the autopilot asks, whoever follows whatever."""

from __future__ import annotations

import pytest

from tests.automation.sky import Sky
from tests.people import CHEAP_ROUNDS
from uuutorrent.accounts import Accounts, Operator, User
from uuutorrent.automation.inbox.inbox import Kind
from uuutorrent.config import Accounts as AccountSettings

PEOPLE, SHOWS, HOURS = 6, 5, 4


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    """What is asked of others is the same on each kind of database."""
    return sqlite_url


async def test_hours_of_many_people_cost_a_look_each_a_few_pages_and_a_search_per_episode(sky: Sky) -> None:
    accounts = Accounts(sky.database, AccountSettings(), rounds=CHEAP_ROUNDS)
    shows = [sky.show(title, airs_in=1.5 + at / 2) for at, title in enumerate(("Akai", "Kaze", "Yuki", "Mori", "Sora"))]
    for show in shows:
        show.romaji = f"{show.romaji} no Toshokan"
    users = [await accounts.create(Operator(), f"user{number}", password=None) for number in range(PEOPLE)]
    for user in users:
        await sky.watches(user, *shows)
        await sky.switch(user)
    sky.anilist.requests.clear()
    posts = []
    for _ in range(HOURS * 4):
        for show in shows:
            if show.airs_at <= sky.clock.now().timestamp():
                posts.append(sky.post(show, sky.airs(show)))
        await sky.later(minutes=15)
    assert len(posts) == SHOWS
    for user in users:
        assert await sky.has(user) == sorted(post.title for post in posts)
    searches = [query for query in sky.nyaa.queries if query]
    downloads = [path for path in sky.nyaa.requests if path.startswith("/download/")]
    assert (len(searches), len(downloads)) == (SHOWS, SHOWS)
    assert sky.nyaa.queries.count("") <= 6 * HOURS
    lists = sky.anilist.operations.count("Collection")
    assert lists <= PEOPLE * (HOURS + SHOWS)
    assert len(sky.anilist.operations) - lists <= 2 * SHOWS


async def test_a_sign_in_that_anilist_does_not_accept_any_more_fetches_nothing(sky: Sky, ann: User, bob: User) -> None:
    show = sky.show()
    member = await sky.watches(ann, show)
    await sky.watches(bob, show)
    for user in (ann, bob):
        await sky.switch(user)
    sky.anilist.revoke(member)
    post = sky.post(show, sky.airs(show))
    await sky.later(minutes=15)
    await sky.later(hours=2)
    assert (await sky.has(ann), await sky.has(bob)) == ([], [post.title])
    assert await sky.told(ann, Kind.TAKEN) == []
