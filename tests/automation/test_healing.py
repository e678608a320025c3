"""Each step of the healer as people see it: in their list, on their timeline, in their inbox."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.automation.clinic import BEST, SECOND, STALLED, THIRD, WAIT, Clinic, opened_clinic
from tests.torrents import metainfos
from tests.torrents.shelf import quota
from uuutorrent.accounts import Accounts, Operator, User
from uuutorrent.automation.inbox.inbox import Kind
from uuutorrent.store.database import Database
from uuutorrent.torrents.engine import Phase
from uuutorrent.torrents.grab import GrabState
from uuutorrent.torrents.metainfo import parse_torrent


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    """What is decided here is the same on each kind of database; those that race for a row are tested on both."""
    return sqlite_url


@pytest.fixture
async def clinic(database: Database, tmp_path: Path) -> AsyncIterator[Clinic]:
    async with opened_clinic(database, tmp_path) as opened:
        yield opened


async def test_a_stalled_download_is_announced_checked_blocked_and_replaced(clinic: Clinic, ann: User) -> None:
    grab = await clinic.get(ann)
    assert grab.infohash == clinic.hash(BEST)
    clinic.engine.progress(clinic.hash(BEST), 0.4)
    await clinic.turns(STALLED)
    assert await clinic.steps(ann, BEST) == ["reannounced"]
    assert f"reannounce {clinic.hash(BEST)}" in clinic.engine.calls
    await clinic.turns(WAIT)
    assert await clinic.steps(ann, BEST) == ["reannounced", "rechecked"]
    assert f"recheck {clinic.hash(BEST)}" in clinic.engine.calls
    assert await clinic.has(ann) == [BEST]
    await clinic.turns(WAIT)
    assert await clinic.steps(ann, BEST) == ["reannounced", "rechecked", "blocked", "replaced", "added"]
    assert await clinic.steps(ann, SECOND) == ["reannounced", "rechecked", "blocked", "replaced", "added"]
    (one,) = await clinic.services.library.holdings(ann)
    assert (one.infohash, one.media_id, one.episode) == (clinic.hash(SECOND), clinic.show.id, 3)
    assert not clinic.engine.has(clinic.hash(BEST))
    assert await clinic.blocked(ann) == [BEST]
    await clinic.turns()
    (told,) = await clinic.told(ann)
    assert told.startswith(
        f"{clinic.posts[SECOND].title} took the place of {clinic.posts[BEST].title}, because no byte"
    )


async def test_what_waits_for_the_episode_goes_along(clinic: Clinic, ann: User) -> None:
    grab = await clinic.get(ann)
    await clinic.turns(STALLED + 2 * WAIT)
    clinic.engine.complete(clinic.hash(SECOND))
    await clinic.settle()
    now = await clinic.services.grabs.one(ann, grab.id)
    assert (now.state, now.infohash) == (GrabState.COMPLETE, clinic.hash(SECOND))
    assert now.title == clinic.posts[SECOND].title


async def test_a_download_that_does_well_is_left_alone(clinic: Clinic, ann: User) -> None:
    await clinic.get(ann)
    for turn in range(20):
        clinic.engine.progress(clinic.hash(BEST), turn / 40)
        await clinic.turns()
    assert await clinic.steps(ann, BEST) == []
    assert not [call for call in clinic.engine.calls if call.startswith(("reannounce", "recheck"))]


async def test_bytes_that_come_after_a_step_end_the_treatment(clinic: Clinic, ann: User) -> None:
    await clinic.get(ann)
    await clinic.turns(STALLED)
    clinic.engine.progress(clinic.hash(BEST), 0.1)
    await clinic.turns(2)
    assert await clinic.steps(ann, BEST) == ["reannounced", "recovered"]
    await clinic.turns(STALLED - 1)
    assert await clinic.steps(ann, BEST) == ["reannounced", "recovered", "reannounced"]
    assert await clinic.has(ann) == [BEST]


async def test_a_recheck_is_no_recovery(clinic: Clinic, ann: User) -> None:
    """It finds less than was thought to be here, and that is less still than what was to come."""
    await clinic.get(ann)
    clinic.engine.progress(clinic.hash(BEST), 0.5)
    await clinic.turns(STALLED + WAIT)
    clinic.engine.progress(clinic.hash(BEST), 0.3, down_bps=0)
    await clinic.turns(WAIT)
    assert "recovered" not in await clinic.steps(ann, BEST)
    assert await clinic.has(ann) == [SECOND]


async def test_what_rested_gets_its_time_anew_before_it_is_held_against_it(clinic: Clinic, ann: User) -> None:
    """As after hours in which an admin had everything stand still."""
    await clinic.get(ann)
    await clinic.turns(STALLED + WAIT)
    its = clinic.engine.id_of(clinic.hash(BEST))
    await clinic.engine.stop([its])
    await clinic.turns(2 * WAIT)
    await clinic.engine.start([its])
    await clinic.turns(WAIT)
    assert await clinic.steps(ann, BEST) == ["reannounced", "rechecked"]
    await clinic.turns(1)
    assert await clinic.has(ann) == [SECOND]


async def test_where_there_is_no_other_it_is_said_once_and_looked_for_at_growing_pauses(
    clinic: Clinic, ann: User
) -> None:
    clinic.sky.nyaa.posts = [clinic.posts[BEST]]
    await clinic.get(ann)
    await clinic.turns(STALLED + 2 * WAIT)
    assert await clinic.has(ann) == [BEST]
    assert (await clinic.steps(ann, BEST))[-1] == "stuck"
    asked = len(clinic.sky.nyaa.queries)
    await clinic.turns(35)
    assert await clinic.told(ann) == await clinic.told(ann, Kind.FAILED)
    (said,) = await clinic.told(ann)
    assert said.startswith(f"{clinic.posts[BEST].title} is not well, because no byte came for")
    searches = len(clinic.sky.nyaa.queries) - asked
    assert searches == 1
    clinic.sky.nyaa.posts.append(clinic.posts[SECOND])
    await clinic.turns(65)
    assert await clinic.has(ann) == [SECOND]
    assert len(await clinic.told(ann)) == 2


async def test_it_recovers_by_itself_though_nothing_was_found_and_is_not_blocked_any_more(
    clinic: Clinic, ann: User
) -> None:
    clinic.sky.nyaa.posts = [clinic.posts[BEST]]
    await clinic.get(ann)
    await clinic.turns(STALLED + 2 * WAIT)
    assert await clinic.blocked(ann) == [BEST]
    clinic.engine.progress(clinic.hash(BEST), 0.2)
    await clinic.turns(2)
    assert (await clinic.steps(ann, BEST))[-1] == "recovered"
    assert await clinic.blocked(ann) == []


async def test_two_claimants_each_get_their_own_and_the_torrent_goes_with_the_last(
    clinic: Clinic, ann: User, bob: User
) -> None:
    await clinic.get(ann)
    await clinic.get(bob)
    await quota(clinic.services.library, bob, torrents=1)
    await clinic.turns(STALLED + 2 * WAIT)
    assert (await clinic.has(ann), await clinic.has(bob)) == ([SECOND], [SECOND])
    assert not clinic.engine.has(clinic.hash(BEST))
    await clinic.turns()
    assert len(await clinic.told(ann)) == len(await clinic.told(bob)) == 1


async def test_one_of_two_has_no_room_and_keeps_the_old_one(clinic: Clinic, ann: User, bob: User) -> None:
    small = clinic.sky.nyaa.post(f"[{BEST}] {clinic.show.romaji} - 04 (1080p)", size=400_000_000, seeders=900)
    big = clinic.sky.nyaa.post(f"[{SECOND}] {clinic.show.romaji} - 04 (1080p)", size=2_000_000_000, seeders=90)
    clinic.posts |= {BEST: small, SECOND: big}
    await clinic.get(ann, 4)
    await clinic.get(bob, 4)
    await quota(clinic.services.library, bob, size_bytes=1_000_000_000)
    await clinic.turns(STALLED + 2 * WAIT + 1)
    assert (await clinic.has(ann), await clinic.has(bob)) == ([SECOND], [BEST])
    assert clinic.engine.has(clinic.hash(BEST))
    (said,) = await clinic.told(bob)
    assert "Delete something first." in said


async def test_it_never_goes_back_and_replaces_an_episode_three_times_a_day_at_most(clinic: Clinic, ann: User) -> None:
    clinic.post(THIRD, seeders=50)
    clinic.post("Yukimori", seeders=40)
    clinic.post("Akatombo", seeders=30)
    await clinic.get(ann)
    seen: list[str] = []
    for _ in range(70):
        await clinic.turns()
        (now,) = await clinic.has(ann)
        seen += [now] if not seen or seen[-1] != now else []
    assert len(seen) == len(set(seen)) == 4
    assert await clinic.blocked(ann) == sorted(seen)
    clinic.later(days=1)
    await clinic.turns(STALLED)
    (last,) = await clinic.has(ann)
    assert last not in seen


async def test_while_the_engine_is_away_nothing_is_done(clinic: Clinic, ann: User) -> None:
    await clinic.get(ann)
    await clinic.turns(STALLED - 2)
    clinic.engine.go_down()
    await clinic.turns(40)
    clinic.engine.come_back()
    await clinic.turns()
    assert await clinic.steps(ann, BEST) == []


async def test_when_all_stand_still_at_once_it_is_the_network_and_nothing_is_done(clinic: Clinic, ann: User) -> None:
    for episode in (1, 2, 4):
        clinic.sky.post(clinic.show, episode, group="Another", seeders=9)
    for episode in (1, 2, 3, 4):
        await clinic.get(ann, episode)
    await clinic.turns(STALLED + 3 * WAIT)
    assert await clinic.steps(ann, BEST) == []
    assert await clinic.blocked(ann) == []
    assert not [call for call in clinic.engine.calls if call.startswith(("reannounce", "recheck"))]
    clinic.later(hours=6)
    await clinic.turns(1)
    assert await clinic.steps(ann, BEST) == ["reannounced"]


async def test_while_the_index_is_away_nothing_is_blocked(clinic: Clinic, ann: User) -> None:
    await clinic.get(ann)
    await clinic.turns(STALLED + WAIT)
    clinic.sky.nyaa.fault = 503
    await clinic.turns(3 * WAIT)
    assert await clinic.blocked(ann) == []
    assert await clinic.has(ann) == [BEST]
    clinic.sky.nyaa.fault = None
    await clinic.turns(3 * WAIT)
    assert await clinic.has(ann) == [SECOND]


async def test_what_has_no_episode_is_announced_checked_and_told_of(clinic: Clinic, ann: User) -> None:
    other = parse_torrent(metainfos.single("lecture.mkv", 5000))
    await clinic.services.library.add(ann, other)
    await clinic.turns(STALLED + 2 * WAIT + 30)
    steps = [line.step for line in await clinic.services.timeline.of(ann, other.infohash)]
    assert steps == ["reannounced", "rechecked", "stuck"]
    (said,) = await clinic.told(ann)
    assert said.endswith("Which episode it is was not said, so nothing takes its place.")
    assert clinic.engine.has(other.infohash)


async def test_somebody_who_is_disabled_gets_nothing_until_they_are_back(
    clinic: Clinic, accounts: Accounts, ann: User
) -> None:
    await clinic.get(ann)
    await accounts.disable(Operator(), "ann")
    asked = len(clinic.sky.nyaa.queries)
    await clinic.turns(STALLED + 2 * WAIT)
    assert await clinic.has(ann) == [BEST]
    assert len(clinic.sky.nyaa.queries) == asked
    await accounts.enable(Operator(), "ann")
    clinic.later(days=1)
    await clinic.turns(STALLED + 3 * WAIT)
    assert await clinic.has(ann) == [SECOND]


async def test_what_was_deleted_meanwhile_stays_deleted(clinic: Clinic, ann: User) -> None:
    await clinic.get(ann)
    await clinic.turns(STALLED + WAIT)
    await clinic.services.library.delete(ann, clinic.hash(BEST), with_files=True)
    await clinic.turns(2 * WAIT)
    assert await clinic.has(ann) == []
    assert await clinic.told(ann) == []
    assert await clinic.blocked(ann) == []


async def test_what_is_paused_is_not_treated_and_goes_on_where_it_was(clinic: Clinic, ann: User) -> None:
    await clinic.get(ann)
    await clinic.turns(STALLED)
    await clinic.services.library.pause(ann, clinic.hash(BEST))
    await clinic.turns(3 * WAIT)
    assert await clinic.steps(ann, BEST) == ["reannounced"]
    assert await clinic.has(ann) == [BEST]


async def test_an_error_is_checked_twice_before_it_is_held_against_the_release(clinic: Clinic, ann: User) -> None:
    await clinic.get(ann)
    await clinic.turns()
    while await clinic.has(ann) == [BEST]:
        clinic.engine.change(clinic.hash(BEST), phase=Phase.ERROR)
        await clinic.turns()
    assert await clinic.steps(ann, BEST) == ["rechecked", "rechecked", "blocked", "replaced", "added"]
    assert await clinic.has(ann) == [SECOND]


async def test_a_batch_is_told_of_and_not_replaced(clinic: Clinic, ann: User) -> None:
    clinic.sky.nyaa.posts = []
    clinic.sky.batch(clinic.show)
    await clinic.get(ann)
    await clinic.turns(STALLED + 2 * WAIT)
    (said,) = await clinic.told(ann, Kind.FAILED)
    assert said.endswith("Of a batch nothing is replaced by itself.")
    (held,) = await clinic.services.library.holdings(ann)
    assert held.is_part
