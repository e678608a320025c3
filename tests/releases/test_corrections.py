from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from tests.servers.anilist import FakeAniList
from tests.servers.anilist_data import Media
from uuutorrent.accounts import Accounts, Admin, Operator, User
from uuutorrent.anime.anime import MediaId
from uuutorrent.anime.watchlist import Watchlists
from uuutorrent.errors import Invalid, Missing, Refused
from uuutorrent.releases import corrections as room
from uuutorrent.releases.corrections import Corrections
from uuutorrent.releases.release import Correction, Form, Offer
from uuutorrent.store.database import Database

HASH = "ab" * 20
OTHER_HASH = "cd" * 20


@pytest.fixture
def corrections(database: Database, watchlists: Watchlists) -> Corrections:
    return Corrections(database, watchlists)


def is_episode(show: Media, episode: int, infohash: str = HASH) -> Correction:
    title = f"[G] Kage no Uta - {episode:02}"
    return Correction(Form.IS, MediaId(show.id), infohash=infohash, episode=episode, title=title)


def is_not(show: Media, episode: int, infohash: str = HASH) -> Correction:
    return replace(is_episode(show, episode, infohash), form=Form.IS_NOT)


def runs_ahead(show: Media, offset: int, group: str = "Aye") -> Correction:
    return Correction(Form.OFFSET, MediaId(show.id), group=group, offset=offset)


def is_called(show: Media, title: str) -> Correction:
    return Correction(Form.TITLE, MediaId(show.id), title=title)


def said(offers: tuple[Offer, ...]) -> list[Correction]:
    return [offer.correction for offer in offers]


async def every(corrections: Corrections, boss: Admin) -> tuple[Offer, ...]:
    return tuple(one.offer for one in await corrections.standing(boss))


async def test_what_one_says_counts_for_oneself_and_is_offered_to_the_others(
    corrections: Corrections, ann: User, bob: User, show: Media, anilist: FakeAniList
) -> None:
    other = MediaId(anilist.add_media("Another").id)
    made = await corrections.make(ann, is_episode(show, 3))
    media = MediaId(show.id)
    assert await corrections.lore_of(ann, media) == (is_episode(show, 3),)
    assert await corrections.mine(ann) == await corrections.mine(ann, media) == (made,)
    assert await corrections.mine(ann, other) == await corrections.offers(ann, media) == ()
    assert await corrections.lore_of(bob, media) == ()
    assert await corrections.offers(bob, media) == (made,)
    assert await corrections.offers(bob, other) == ()
    assert "ann" not in repr(await corrections.offers(bob, media))


async def test_an_offer_is_accepted_or_declined_once(
    corrections: Corrections, ann: User, bob: User, boss: Admin, show: Media
) -> None:
    made, media = await corrections.make(ann, runs_ahead(show, 24)), MediaId(show.id)
    assert await corrections.answer(bob, made.id, accept=True) == made
    assert await corrections.answer(boss.user, made.id, accept=False) == made
    assert await corrections.lore_of(bob, media) == (made.correction,)
    assert await corrections.lore_of(boss.user, media) == ()
    for user in (bob, boss.user):
        assert await corrections.offers(user, media) == ()
    await corrections.answer(bob, made.id, accept=False)
    assert await corrections.lore_of(bob, media) == ()
    assert await corrections.lore_of(ann, media) == (made.correction,)


async def test_what_nobody_holds_any_more_is_gone(
    corrections: Corrections, ann: User, bob: User, boss: Admin, show: Media
) -> None:
    made, media = await corrections.make(ann, is_called(show, "Shadow Song")), MediaId(show.id)
    await corrections.answer(bob, made.id, accept=True)
    await corrections.take_back(ann, made.id)
    assert await corrections.offers(ann, media) == await corrections.mine(bob) == (made,)
    await corrections.take_back(bob, made.id)
    assert await corrections.offers(ann, media) == await every(corrections, boss) == ()
    for again in (corrections.take_back(bob, made.id), corrections.answer(ann, made.id, accept=True)):
        with pytest.raises(Missing):
            await again


async def test_nobody_takes_back_what_others_said(corrections: Corrections, ann: User, bob: User, show: Media) -> None:
    made = await corrections.make(ann, is_called(show, "Shadow Song"))
    with pytest.raises(Missing, match="you have no such correction"):
        await corrections.take_back(bob, made.id)
    await corrections.answer(bob, made.id, accept=False)
    await corrections.take_back(bob, made.id)
    assert await corrections.mine(ann) == await corrections.offers(bob, MediaId(show.id)) == (made,)


async def test_the_same_thing_said_twice_is_one_correction(
    corrections: Corrections, ann: User, bob: User, boss: Admin, show: Media
) -> None:
    for one, same in (
        (is_episode(show, 3), replace(is_episode(show, 3, HASH.upper()), title="[G] otherwise spelt")),
        (runs_ahead(show, 24, "Aye"), runs_ahead(show, 24, "AYE")),
        (is_called(show, "Shadow Song"), is_called(show, "  shadow   SONG ")),
    ):
        made = await corrections.make(ann, one)
        assert await corrections.make(ann, same) == made
        assert await corrections.make(bob, same) == made
    assert len(await every(corrections, boss)) == 3
    assert len(await corrections.mine(ann)) == len(await corrections.mine(bob)) == 3


async def test_two_who_say_the_same_at_once_say_one_thing(
    corrections: Corrections, ann: User, bob: User, boss: Admin, show: Media
) -> None:
    for number in range(1, 6):
        one, other = await asyncio.gather(*(corrections.make(user, is_episode(show, number)) for user in (ann, bob)))
        assert one == other
        await asyncio.gather(*(corrections.take_back(user, one.id) for user in (ann, bob)))
    await asyncio.gather(
        *(corrections.make(user, runs_ahead(show, offset)) for user in (ann, bob) for offset in (12, 24))
    )
    for user in (ann, bob):
        assert len(await corrections.mine(user)) == 1
    assert {one.correction.offset for one in await every(corrections, boss)} <= {12, 24}


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (is_episode, is_not),
        (is_not, is_episode),
        (lambda show, _: runs_ahead(show, 12), lambda show, _: runs_ahead(show, 24, "aye")),
        (is_episode, lambda show, number: is_episode(show, number + 1)),
    ],
)
async def test_the_contrary_replaces_what_one_said_before(  # type: ignore[no-untyped-def] # made of lambdas
    corrections: Corrections, ann: User, bob: User, show: Media, before, after
) -> None:
    media = MediaId(show.id)
    first = await corrections.make(ann, before(show, 3))
    await corrections.answer(bob, first.id, accept=True)
    second = await corrections.make(ann, after(show, 3))
    assert await corrections.mine(ann) == (second,)
    assert await corrections.mine(bob) == (first,)
    assert await corrections.offers(ann, media) == ()
    await corrections.answer(bob, second.id, accept=True)
    assert await corrections.mine(bob) == (second,)
    assert await corrections.lore_of(bob, media) == (second.correction,)
    with pytest.raises(Missing):
        await corrections.answer(bob, first.id, accept=True)


async def test_what_goes_together_stays(corrections: Corrections, ann: User, show: Media) -> None:
    together = [
        is_episode(show, 3),
        is_not(show, 4),
        is_not(show, 5),
        is_episode(show, 3, OTHER_HASH),
        runs_ahead(show, 24),
        runs_ahead(show, 12, "Bee"),
        runs_ahead(show, 0, ""),
        is_called(show, "Shadow Song"),
        is_called(show, "Song of Shadow"),
    ]
    for one in together:
        await corrections.make(ann, one)
    assert said(await corrections.mine(ann)) == together


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"episode": 0}, "episode"),
        ({"episode": 13}, "episode"),
        ({"episode": None}, "episode"),
        ({"infohash": "ab"}, "infohash"),
        ({"infohash": ""}, "infohash"),
        ({"form": Form.OFFSET, "offset": None}, "offset"),
        ({"form": Form.OFFSET, "offset": -1}, "offset"),
        ({"form": Form.OFFSET, "offset": 5001}, "offset"),
        ({"form": Form.OFFSET, "offset": 1, "group": "x" * 256}, "group"),
        ({"form": Form.TITLE, "title": "x"}, "title"),
        ({"form": Form.TITLE, "title": "\x1b\u202e!?☆"}, "title"),
        ({"form": Form.TITLE, "title": "x" * 256}, "title"),
    ],
)
async def test_what_cannot_be_meant_is_refused(
    corrections: Corrections, ann: User, show: Media, change: dict[str, object], field: str
) -> None:
    with pytest.raises(Invalid) as caught:
        await corrections.make(ann, replace(is_episode(show, 3), **change))  # type: ignore[arg-type] # fields by name
    assert caught.value.field == field
    assert await corrections.mine(ann) == ()


async def test_where_the_count_is_not_known_high_numbers_are_fine(
    corrections: Corrections, ann: User, anilist: FakeAniList
) -> None:
    endless = anilist.add_media("Endless Song", episodes=None, next_episode=1200)
    await corrections.make(ann, is_episode(endless, 1100))
    with pytest.raises(Invalid):
        await corrections.make(ann, is_episode(endless, 10_001))
    with pytest.raises(Missing):
        await corrections.make(ann, replace(is_episode(endless, 1), media_id=MediaId(424242)))


async def test_text_is_kept_harmless(corrections: Corrections, ann: User, show: Media) -> None:
    evil = "Sha\x00dow\x1b[2J\nSong\u202e\ud800"
    await corrections.make(ann, is_called(show, evil))
    await corrections.make(ann, replace(is_episode(show, 3), title=evil + "x" * 900))
    await corrections.make(ann, runs_ahead(show, 1, evil))
    for one in said(await corrections.mine(ann)):
        assert one.title.isprintable()
        assert one.group.isprintable()
        assert len(one.title) <= room.LONGEST_NAME
    assert (await corrections.mine(ann))[0].correction.title == "Shadow[2J Song"


async def test_one_person_holds_only_so_many(
    corrections: Corrections, ann: User, bob: User, show: Media, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(room, "MOST", 2)
    one = await corrections.make(ann, is_episode(show, 1))
    await corrections.make(ann, is_called(show, "Shadow Song"))
    third = await corrections.make(bob, is_called(show, "Song of Shadow"))
    for refused in (corrections.make(ann, runs_ahead(show, 1)), corrections.answer(ann, third.id, accept=True)):
        with pytest.raises(Refused, match="take some back first"):
            await refused
    assert len(await corrections.mine(ann)) == 2
    # Another opinion takes the place of the first.
    await corrections.make(ann, is_not(show, 1))
    assert one not in await corrections.mine(ann)
    await corrections.answer(ann, third.id, accept=False)


async def test_what_most_accept_is_offered_first_and_only_so_much(
    corrections: Corrections, ann: User, bob: User, boss: Admin, show: Media, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(room, "MOST_OFFERED", 3)
    made = [await corrections.make(ann, is_called(show, f"Song {number}")) for number in range(5)]
    await corrections.answer(boss.user, made[3].id, accept=True)
    shared = await corrections.set_for_all(boss, made[4].id, on=True)
    assert await corrections.offers(bob, MediaId(show.id)) == (shared, made[3], made[0])
    await corrections.answer(bob, made[3].id, accept=False)
    assert await corrections.offers(bob, MediaId(show.id)) == (shared, made[0], made[1])


# For everybody


async def test_what_an_admin_lets_count_counts_for_everybody_who_does_not_decline(
    corrections: Corrections, ann: User, bob: User, boss: Admin, show: Media
) -> None:
    made, media = await corrections.make(ann, runs_ahead(show, 24)), MediaId(show.id)
    shared = await corrections.set_for_all(boss, made.id, on=True)
    assert shared == replace(made, is_for_all=True)
    assert await corrections.lore_of(bob, media) == (made.correction,)
    assert await corrections.offers(bob, media) == (shared,)
    await corrections.take_back(ann, made.id)
    assert await every(corrections, boss) == (shared,)
    await corrections.answer(bob, made.id, accept=False)
    assert await corrections.lore_of(bob, media) == ()
    assert await corrections.lore_of(ann, media) == (made.correction,)
    await corrections.set_for_all(boss, made.id, on=False)
    assert await every(corrections, boss) == ()
    assert await corrections.lore_of(ann, media) == ()


async def test_admins_see_who_said_it_and_what_they_reject_is_gone_for_all(
    corrections: Corrections, accounts: Accounts, ann: User, bob: User, boss: Admin, show: Media
) -> None:
    made, media = await corrections.make(ann, is_episode(show, 3)), MediaId(show.id)
    carl = await accounts.create(Operator(), "carl")
    await corrections.answer(bob, made.id, accept=True)
    await corrections.answer(carl, made.id, accept=False)
    (standing,) = await corrections.standing(boss)
    assert (standing.offer, standing.accepted_by, standing.declined) == (made, ("ann", "bob"), 1)
    assert await corrections.reject(boss, made.id) == made
    assert await corrections.mine(ann) == await corrections.mine(bob) == await every(corrections, boss) == ()
    (note,) = await accounts.audit.search(boss, "corrections reject")
    assert (note.who, note.target, note.detail) == ("boss", str(made.id), f"of anime {show.id}")
    with pytest.raises(Missing):
        await corrections.reject(boss, made.id)
    await corrections.make(ann, is_episode(show, 3))
    assert len(await corrections.lore_of(ann, media)) == 1


async def test_ones_own_word_beats_what_counts_for_everybody(
    corrections: Corrections, ann: User, bob: User, boss: Admin, show: Media
) -> None:
    made, media = await corrections.make(ann, is_episode(show, 3)), MediaId(show.id)
    await corrections.set_for_all(boss, made.id, on=True)
    contrary = await corrections.make(bob, is_not(show, 3))
    assert await corrections.lore_of(bob, media) == (contrary.correction,)
    await corrections.set_for_all(boss, contrary.id, on=True)
    assert await corrections.lore_of(boss.user, media) == (contrary.correction,)
    assert await corrections.lore_of(ann, media) == (made.correction,)


async def test_who_is_no_admin_any_more_decides_nothing(
    corrections: Corrections, accounts: Accounts, ann: User, boss: Admin, show: Media
) -> None:
    made = await corrections.make(ann, is_episode(show, 3))
    await accounts.create(Operator(), "carl", role="admin")
    await accounts.set_role(Operator(), "boss", "user")
    for refused in (
        corrections.standing(boss),
        corrections.set_for_all(boss, made.id, on=True),
        corrections.reject(boss, made.id),
    ):
        with pytest.raises(Refused, match="only admins"):
            await refused
    assert await corrections.mine(ann) == (made,)


async def test_who_is_disabled_says_nothing(
    corrections: Corrections, accounts: Accounts, ann: User, bob: User, show: Media
) -> None:
    made = await corrections.make(ann, is_episode(show, 3))
    await accounts.disable(Operator(), "bob")
    for refused in (
        corrections.make(bob, is_not(show, 3)),
        corrections.answer(bob, made.id, accept=True),
        corrections.take_back(bob, made.id),
    ):
        with pytest.raises(Refused, match="disabled or gone"):
            await refused


async def test_with_their_author_goes_what_nobody_else_holds(
    corrections: Corrections, accounts: Accounts, ann: User, bob: User, boss: Admin, show: Media
) -> None:
    lost, media = await corrections.make(ann, is_episode(show, 3)), MediaId(show.id)
    kept = await corrections.make(ann, is_called(show, "Shadow Song"))
    await corrections.answer(bob, kept.id, accept=True)
    await accounts.delete(Operator(), "ann")
    assert await corrections.offers(bob, media) == ()
    assert await every(corrections, boss) == await corrections.mine(bob) == (kept,)
    with pytest.raises(Missing):
        await corrections.answer(bob, lost.id, accept=True)
    again = await corrections.make(bob, is_episode(show, 3))
    assert set(await corrections.mine(bob)) == {again, kept}
