"""A video that was read to its end: asked about, set, or only remembered."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest

from tests.automation.evening import Clock
from tests.desks import Built, built
from tests.servers.anilist import FakeAniList
from tests.servers.anilist_data import Media, Member
from tests.torrents import metainfos
from uuutorrent.accounts import User
from uuutorrent.anime.anime import MediaId, WatchStatus
from uuutorrent.automation.inbox.answers import Answers
from uuutorrent.automation.inbox.coverage import Coverage
from uuutorrent.automation.inbox.inbox import Inbox, Kind, Notice
from uuutorrent.automation.inbox.uses import LATER, MOOT_EVERY, QUIET_S, Uses
from uuutorrent.automation.preferences import PreferenceBook, Watched
from uuutorrent.errors import Conflict, Invalid, Missing, Unreachable
from uuutorrent.releases.naming import Naming
from uuutorrent.store.database import Database
from uuutorrent.torrents.holdings import Part
from uuutorrent.torrents.metainfo import parse_torrent

SIZE = 1_000_000
QUIET = timedelta(seconds=QUIET_S)


@dataclass
class Sofa:
    """Ann's evening: what she has, what she reads, what she is asked."""

    built: Built
    database: Database
    anilist: FakeAniList
    member: Member
    show: Media
    clock: Clock
    inbox: Inbox
    uses: Uses
    ann: User

    @property
    def answers(self) -> Answers:
        return Answers(self.inbox, {"watched": self.uses.answered})

    @property
    def progress(self) -> int:
        entry = self.anilist.entry(self.member, self.show)
        assert entry is not None
        return entry.progress

    async def has(self, name: str, episode: int | None = None, *, media_id: int | None = None) -> str:
        """Something finished; its place beneath the download root."""
        metainfo = parse_torrent(metainfos.single(name, SIZE))
        media_id = media_id or (self.show.id if episode else None)
        library = self.built.services.library
        await library.add(self.ann, metainfo, media_id=media_id, episode=episode)
        self.built.engine.complete(metainfo.infohash)
        await self.built.services.live.refresh()
        await library.reconcile()
        return f"{metainfo.infohash}/{name}"

    async def has_episode(self, number: int) -> str:
        return await self.has(f"[Group] Frieren - {number:02}.mkv", number)

    def reads(
        self, place: str, first: float = 0, last: float = 1, *, size: int = SIZE, user: User | None = None
    ) -> None:
        coverage = Coverage(size)
        coverage.note(round(size * first), round(size * last) - round(size * first))
        self.uses.closed(user or self.ann, place, coverage)

    async def later(self, after: timedelta = QUIET) -> None:
        await self.uses.run_once()
        self.clock.at += after
        await self.uses.run_once()

    async def reads_episode(self, number: int) -> None:
        self.reads(await self.has_episode(number))
        await self.later()

    async def asked(self) -> list[str]:
        """The open questions."""
        return [notice.text for notice in await self.inbox.waiting(self.ann.id)]

    async def told(self) -> list[str]:
        return [notice.text for notice in await self.inbox.of(self.ann)]

    async def question(self) -> Notice:
        (notice,) = await self.inbox.waiting(self.ann.id)
        return notice

    async def wishes(self, watched: Watched) -> None:
        await self.built.services.preferences.change(self.ann, watched=watched)


@pytest.fixture
async def sofa(database: Database, tmp_path: Path, ann: User) -> AsyncIterator[Sofa]:
    """Ann has seen 3 of 12 episodes."""
    with FakeAniList() as anilist:
        show = anilist.add_media("Frieren", episodes=12, next_episode=11)
        anilist.list_entry(member := anilist.add_user("AnnThere"), show, progress=3)
        async with built(database, tmp_path, anilist_url=anilist.url) as opened:
            services, clock = opened.services, Clock()
            await services.watchlists.link(ann, member.token)
            inbox = Inbox(database, now=clock)
            naming = Naming(services.releases, services.watchlists)
            lists, book = services.watchlists, PreferenceBook(database)
            uses = Uses(database, services.library, lists, naming, book, inbox, now=clock)
            yield Sofa(opened, database, anilist, member, show, clock, inbox, uses, ann)


async def test_an_episode_that_was_read_to_its_end_is_asked_about_once(sofa: Sofa) -> None:
    place = await sofa.has_episode(4)
    sofa.reads(place)
    await sofa.uses.run_once()
    assert await sofa.asked() == []
    await sofa.later()
    assert await sofa.asked() == ["Watched episode 4 of Frieren?"]
    sofa.reads(place)
    await sofa.later()
    assert await sofa.told() == ["Watched episode 4 of Frieren?"]
    assert sofa.progress == 3


async def test_yes_sets_the_progress_and_no_does_not(sofa: Sofa) -> None:
    await sofa.reads_episode(4)
    first = await sofa.question()
    assert (first.choices, first.media_id, first.episode) == (("yes", "no"), sofa.show.id, 4)
    said = await sofa.answers.answer(sofa.ann, first.id, "Yes")
    assert (said, sofa.progress) == ("Frieren: episode 4 is marked as watched.", 4)
    sofa.clock.move(hours=1)
    await sofa.reads_episode(5)
    second = await sofa.question()
    assert await sofa.answers.answer(sofa.ann, second.id, "no") == "Your progress stays as it is."
    assert (sofa.progress, await sofa.asked()) == (4, [])


async def test_it_is_answered_once_and_only_by_whom_it_asks(sofa: Sofa, bob: User) -> None:
    await sofa.reads_episode(4)
    question = await sofa.question()
    with pytest.raises(Missing, match="no such notice"):
        await sofa.answers.answer(bob, question.id, "yes")
    with pytest.raises(Invalid, match="yes, no"):
        await sofa.answers.answer(sofa.ann, question.id, "perhaps")
    assert sofa.progress == 3
    await sofa.answers.answer(sofa.ann, question.id, "yes")
    with pytest.raises(Conflict, match="answered already: yes"):
        await sofa.answers.answer(sofa.ann, question.id, "no")


async def test_an_answer_that_anilist_does_not_take_can_be_given_again(sofa: Sofa) -> None:
    await sofa.reads_episode(4)
    question = await sofa.question()
    sofa.anilist.fault = 503
    with pytest.raises(Unreachable):
        await sofa.answers.answer(sofa.ann, question.id, "yes")
    sofa.anilist.fault = None
    await sofa.answers.answer(sofa.ann, question.id, "yes")
    assert sofa.progress == 4


async def test_a_question_about_a_show_that_left_the_list_ends_with_a_sentence(sofa: Sofa) -> None:
    await sofa.reads_episode(4)
    question = await sofa.question()
    await sofa.built.services.watchlists.remove(sofa.ann, MediaId(sofa.show.id))
    said = await sofa.answers.answer(sofa.ann, question.id, "yes")
    assert said == "This show is not on your list any more."
    assert await sofa.asked() == []


async def test_who_is_further_by_now_stays_there(sofa: Sofa) -> None:
    await sofa.reads_episode(4)
    question = await sofa.question()
    await sofa.built.services.watchlists.set_progress(sofa.ann, MediaId(sofa.show.id), 7)
    said = await sofa.answers.answer(sofa.ann, question.id, "yes")
    assert (said, sofa.progress) == ("Frieren: you are at episode 7 already.", 7)


async def test_a_question_is_taken_back_once_the_episode_is_marked_elsewhere(sofa: Sofa) -> None:
    await sofa.reads_episode(4)
    await sofa.built.services.watchlists.set_progress(sofa.ann, MediaId(sofa.show.id), 5)
    await sofa.later(MOOT_EVERY)
    assert await sofa.asked() == []
    assert await sofa.told() == ["Watched episode 4 of Frieren? You are at episode 5."]


async def test_an_answer_that_nobody_waits_for_ends_with_a_sentence(sofa: Sofa) -> None:
    await sofa.inbox.tell(sofa.ann.id, Kind.CHOICE, "Dance?", key="dance:1", choices=("yes",))
    said = await sofa.answers.answer(sofa.ann, (await sofa.question()).id, "yes")
    assert said == "Nothing waits for this answer any more."
    assert await sofa.asked() == []


async def test_a_reader_that_reads_only_half_is_not_asked(sofa: Sofa) -> None:
    place = await sofa.has_episode(4)
    sofa.reads(place, 0, 0.5)
    await sofa.later()
    assert (await sofa.told(), await sofa.uses.served(sofa.ann)) == ([], ())


async def test_a_transfer_that_broke_and_went_on_within_a_day_counts_as_one(sofa: Sofa) -> None:
    place = await sofa.has_episode(4)
    sofa.reads(place, 0, 0.6)
    sofa.clock.move(hours=25)
    sofa.reads(place, 0.6, 1)
    await sofa.later()
    assert await sofa.asked() == []
    sofa.reads(place, 0, 0.6)
    await sofa.later()
    assert await sofa.asked() == ["Watched episode 4 of Frieren?"]


async def test_what_is_no_video_says_nothing(sofa: Sofa) -> None:
    sofa.reads(await sofa.has("[Group] Frieren - 04.ass", 4))
    await sofa.later()
    assert await sofa.uses.served(sofa.ann) == ()


async def test_a_season_that_is_copied_is_one_question(sofa: Sofa) -> None:
    places = [await sofa.has_episode(number) for number in range(4, 11)]
    for place in places:
        sofa.reads(place)
        await sofa.uses.run_once()
        sofa.clock.move(minutes=1)
        await sofa.uses.run_once()
    assert await sofa.asked() == []
    await sofa.later()
    assert await sofa.told() == ["Watched episodes 4-10 of Frieren?"]
    await sofa.answers.answer(sofa.ann, (await sofa.question()).id, "yes")
    assert sofa.progress == 10


async def test_a_wider_question_takes_the_place_of_the_one_before(sofa: Sofa) -> None:
    await sofa.reads_episode(4)
    await sofa.reads_episode(5)
    assert await sofa.asked() == ["Watched episodes 4-5 of Frieren?"]
    before = (await sofa.inbox.of(sofa.ann))[1]
    assert (before.is_open, before.text) == (False, "Watched episode 4 of Frieren? You read more of it since.")


async def test_a_gap_and_the_end_are_named(sofa: Sofa) -> None:
    await sofa.reads_episode(6)
    assert await sofa.asked() == ["Watched episode 6 of Frieren? Yes marks all up to 6; you are at 3."]
    await sofa.reads_episode(12)
    asked = "Watched episodes 6, 12 of Frieren? It is the last: yes marks the show as completed."
    assert await sofa.asked() == [asked]
    said = await sofa.answers.answer(sofa.ann, (await sofa.question()).id, "yes")
    assert said == "Frieren: episode 12 is marked as watched and completed."
    entry = await sofa.built.services.watchlists.entry(sofa.ann, MediaId(sofa.show.id))
    assert entry is not None
    assert entry.status is WatchStatus.COMPLETED


async def test_what_was_watched_before_is_not_asked_about(sofa: Sofa) -> None:
    await sofa.reads_episode(3)
    assert await sofa.told() == []
    (served,) = await sofa.uses.served(sofa.ann)
    assert (served.path, served.media_id, served.episode) == ("[Group] Frieren - 03.mkv", sofa.show.id, 3)


async def test_who_wants_it_has_the_next_episode_set(sofa: Sofa) -> None:
    await sofa.wishes(Watched.SET)
    await sofa.reads_episode(4)
    assert (sofa.progress, await sofa.told()) == (4, ["Episode 4 of Frieren is marked as watched."])
    assert await sofa.asked() == []
    sofa.clock.move(minutes=30)
    await sofa.reads_episode(5)
    assert sofa.progress == 5


async def test_only_the_next_episode_is_set_and_only_forwards(sofa: Sofa) -> None:
    await sofa.wishes(Watched.SET)
    await sofa.reads_episode(3)
    assert (sofa.progress, await sofa.told()) == (3, [])
    sofa.clock.move(hours=1)
    await sofa.reads_episode(5)
    assert sofa.progress == 3
    assert await sofa.asked() == ["Watched episode 5 of Frieren? Yes marks all up to 5; you are at 3."]


async def test_more_episodes_than_can_be_watched_in_that_time_are_asked_about(sofa: Sofa) -> None:
    await sofa.wishes(Watched.SET)
    await sofa.reads_episode(4)
    assert sofa.progress == 4
    await sofa.reads_episode(5)
    assert (sofa.progress, await sofa.asked()) == (4, ["Watched episode 5 of Frieren?"])


async def test_the_end_of_a_show_is_always_asked_about(sofa: Sofa) -> None:
    await sofa.wishes(Watched.SET)
    await sofa.built.services.watchlists.set_progress(sofa.ann, MediaId(sofa.show.id), 11)
    await sofa.reads_episode(12)
    assert sofa.progress == 11
    assert await sofa.asked() == ["Watched episode 12 of Frieren? It is the last: yes marks the show as completed."]


async def test_who_wants_none_of_it_is_left_alone(sofa: Sofa) -> None:
    await sofa.wishes(Watched.OFF)
    await sofa.reads_episode(4)
    assert (sofa.progress, await sofa.told()) == (3, [])
    assert [served.episode for served in await sofa.uses.served(sofa.ann)] == [4]


async def test_while_anilist_is_away_it_waits(sofa: Sofa) -> None:
    await sofa.wishes(Watched.SET)
    place = await sofa.has_episode(4)
    sofa.reads(place)
    sofa.anilist.fault = 503
    await sofa.later()
    assert (sofa.progress, await sofa.told()) == (3, [])
    sofa.anilist.fault = None
    await sofa.later(LATER)
    assert sofa.progress == 4


async def test_of_two_daemons_one_asks(sofa: Sofa) -> None:
    services = sofa.built.services
    naming = Naming(services.releases, services.watchlists)
    lists, book = services.watchlists, services.preferences
    other = Uses(sofa.database, services.library, lists, naming, book, sofa.inbox, now=sofa.clock)
    sofa.reads(await sofa.has_episode(4))
    await sofa.uses.run_once()
    sofa.clock.at += QUIET
    await other.run_once()
    await sofa.uses.run_once()
    assert await sofa.told() == ["Watched episode 4 of Frieren?"]


async def test_an_episode_out_of_a_batch_is_told_by_its_file(sofa: Sofa) -> None:
    names = [f"[Group] Frieren - {number:02}.mkv" for number in range(1, 7)]
    metainfo = parse_torrent(metainfos.several("Frieren", dict.fromkeys(names, SIZE)))
    part = Part(sofa.show.id, {4: (3,), 5: (4,)}, [SIZE] * 6)
    library = sofa.built.services.library
    await library.add(sofa.ann, metainfo, media_id=sofa.show.id, part=part)
    sofa.built.engine.complete(metainfo.infohash)
    await sofa.built.services.live.refresh()
    await library.reconcile()
    sofa.reads(f"{metainfo.infohash}/Frieren/{names[3]}")
    await sofa.later()
    assert await sofa.asked() == ["Watched episode 4 of Frieren?"]
    (served,) = await sofa.uses.served(sofa.ann)
    assert (served.infohash, served.path) == (metainfo.infohash, f"Frieren/{names[3]}")


async def test_a_video_beside_the_episode_is_not_the_episode(sofa: Sofa) -> None:
    names = ["[SubsPlease] Frieren - 04 (1080p).mkv", "NCOP.mkv"]
    metainfo = parse_torrent(metainfos.several("Frieren", dict.fromkeys(names, SIZE)))
    library = sofa.built.services.library
    await library.add(sofa.ann, metainfo, media_id=sofa.show.id, episode=4)
    sofa.built.engine.complete(metainfo.infohash)
    await sofa.built.services.live.refresh()
    await library.reconcile()
    sofa.reads(f"{metainfo.infohash}/Frieren/NCOP.mkv")
    await sofa.later()
    assert await sofa.asked() == []
    sofa.reads(f"{metainfo.infohash}/Frieren/{names[0]}")
    await sofa.later()
    assert await sofa.asked() == ["Watched episode 4 of Frieren?"]


async def test_what_was_added_by_hand_is_told_by_its_name(sofa: Sofa) -> None:
    sofa.reads(await sofa.has("[SubsPlease] Frieren - 04 (1080p) [ABCD1234].mkv"))
    await sofa.later()
    assert await sofa.asked() == ["Watched episode 4 of Frieren?"]
    sofa.reads(await sofa.has("[SubsPlease] Something Else - 05 (1080p).mkv"))
    await sofa.later()
    assert [(one.media_id, one.episode) for one in await sofa.uses.served(sofa.ann)] == [
        (None, None),
        (sofa.show.id, 4),
    ]


async def test_what_another_has_is_nothing_of_mine(sofa: Sofa, bob: User) -> None:
    sofa.reads(await sofa.has_episode(4), user=bob)
    await sofa.later()
    assert (await sofa.uses.served(bob), await sofa.uses.served(sofa.ann)) == ((), ())


@pytest.mark.parametrize("wish", [Watched.ASK, Watched.SET])
async def test_an_episode_that_the_show_does_not_have_is_neither_asked_about_nor_set(sofa: Sofa, wish: Watched) -> None:
    await sofa.wishes(wish)
    entry = sofa.anilist.entry(sofa.member, sofa.show)
    assert entry is not None
    entry.progress = 12
    await sofa.reads_episode(13)
    assert (await sofa.told(), sofa.progress) == ([], 12)
    entry.progress = 3
    await sofa.reads_episode(14)
    assert (await sofa.told(), sofa.progress) == ([], 3)
