import asyncio
from collections.abc import Awaitable, Callable, Sequence

import httpx
import pytest

from tests.clock import Clock
from tests.servers.anilist import FakeAniList, Fault
from tests.servers.anilist_data import Member
from uuutorrent.anime import anilist as module
from uuutorrent.anime.anilist import AniList, BadToken
from uuutorrent.anime.anime import Anime, MediaId, WatchEntry, WatchStatus
from uuutorrent.config import AniList as Settings
from uuutorrent.errors import Invalid, Missing, Unexpected, Unreachable, UuuError
from uuutorrent.tally import Tally

CURRENT = (WatchStatus.CURRENT,)
ALL = tuple(WatchStatus)


def titles(shown: Sequence[Anime] | Sequence[WatchEntry]) -> list[str]:
    return [one.title if isinstance(one, Anime) else one.anime.title for one in shown]


async def test_a_token_belongs_to_somebody(service: FakeAniList, anilist: AniList) -> None:
    ann = service.add_user("ann-chan", title_language="ENGLISH")
    viewer = await anilist.viewer(ann.token)
    assert (viewer.anilist_id, viewer.name, viewer.title_language) == (ann.id, "ann-chan", "ENGLISH")


async def test_a_list_has_each_show_once_newest_activity_first(service: FakeAniList, anilist: AniList) -> None:
    ann, bob = service.add_user("ann"), service.add_user("bob")
    shows = [service.add_media(f"Show {number}") for number in range(5)]
    service.list_entry(ann, shows[0], progress=3)
    service.list_entry(ann, shows[1], custom_lists=("Best", "With Bob"))
    service.list_entry(ann, shows[2], custom_lists=("Secret",), hidden=True)
    service.list_entry(ann, shows[3], "DROPPED")
    service.list_entry(bob, shows[4])
    entries = await anilist.collection(ann.token, ann.id, CURRENT)
    assert titles(entries) == ["Show 2", "Show 1", "Show 0"]
    assert entries[2].progress == 3


async def test_private_entries_come_with_the_token_only(service: FakeAniList, anilist: AniList) -> None:
    ann = service.add_user("ann")
    service.list_entry(ann, service.add_media("Guilty Pleasure"), private=True)
    assert titles(await anilist.collection(ann.token, ann.id, CURRENT)) == ["Guilty Pleasure"]
    assert await anilist.collection(None, ann.id, CURRENT) == ()


async def test_a_long_list_is_fetched_piece_by_piece(service: FakeAniList, anilist: AniList) -> None:
    ann = service.add_user("ann")
    for number in range(1100):
        service.list_entry(ann, service.add_media(f"Show {number}"), "COMPLETED")
    entries = await anilist.collection(ann.token, ann.id, (WatchStatus.COMPLETED,))
    assert len(entries) == 1100
    assert [asked.variables["chunk"] for asked in service.requests] == [1, 2, 3]


async def test_titles_come_in_the_language_of_whose_list_it_is_and_are_shared_in_none(
    service: FakeAniList, anilist: AniList
) -> None:
    ann = service.add_user("ann", title_language="ENGLISH")
    show = service.add_media("Sousou no Frieren", english="Frieren")
    service.list_entry(ann, show)
    assert titles(await anilist.collection(ann.token, ann.id, CURRENT)) == ["Frieren"]
    shared = anilist.known(MediaId(show.id))
    assert shared is not None
    assert shared.title == "Sousou no Frieren"


async def test_shows_are_asked_for_once_for_everybody(service: FakeAniList, anilist: AniList, clock: Clock) -> None:
    airing = service.add_media("Airing", next_episode=4)
    settled = service.add_media("Settled")
    ids = [MediaId(airing.id), MediaId(settled.id), MediaId(999_999)]
    found = await asyncio.gather(*(anilist.media(ids[:2]) for _ in range(8)))
    assert all(titles(list(shows.values())) == ["Airing", "Settled"] for shows in found)
    assert service.operations == ["Media"]
    assert list(await anilist.media(ids)) == ids[:2], "an unknown one is left out"
    clock.move(61)
    service.requests.clear()
    await anilist.media(ids[:2])
    assert [asked.variables["ids"] for asked in service.requests] == [[airing.id]], "what is settled is kept longer"


async def test_many_shows_are_asked_for_fifty_at_a_time(service: FakeAniList, anilist: AniList) -> None:
    ids = [MediaId(service.add_media(f"Show {number}").id) for number in range(120)]
    assert list(await anilist.media(ids)) == ids
    assert [len(asked.variables["ids"]) for asked in service.requests] == [50, 50, 20]


async def test_a_search_finds_shows_by_any_title_and_none_for_adults(service: FakeAniList, anilist: AniList) -> None:
    service.add_media("Sousou no Frieren", english="Frieren: Beyond Journey's End")
    service.add_media("Frieren After Dark", adult=True)
    service.add_media("Frieren the Book", type="MANGA")
    assert titles(await anilist.search("beyond FRIEREN")) == ["Sousou no Frieren"]
    assert titles(await anilist.search("  Beyond  frieren ")) == ["Sousou no Frieren"]
    assert service.operations == ["Search"]


async def test_saving_changes_what_is_given_and_leaves_the_rest(service: FakeAniList, anilist: AniList) -> None:
    ann, show = service.add_user("ann"), service.add_media("Show")
    entry = await anilist.save(ann.token, MediaId(show.id), status=WatchStatus.PAUSED)
    assert (entry.status, entry.progress, entry.anime.title) == (WatchStatus.PAUSED, 0, "Show")
    entry = await anilist.save(ann.token, MediaId(show.id), progress=5)
    assert (entry.status, entry.progress) == (WatchStatus.PAUSED, 5)
    assert service.requests[-1].variables == {"media": show.id, "progress": 5}


async def test_a_show_is_taken_off_the_list(service: FakeAniList, anilist: AniList) -> None:
    ann, show = service.add_user("ann"), service.add_media("Show")
    service.list_entry(ann, show)
    await anilist.delete(ann.token, ann.id, MediaId(show.id))
    assert service.entry(ann, show) is None
    with pytest.raises(Missing, match="not on your list"):
        await anilist.delete(ann.token, ann.id, MediaId(show.id))


async def test_a_show_that_does_not_exist_cannot_be_saved(service: FakeAniList, anilist: AniList) -> None:
    ann = service.add_user("ann")
    with pytest.raises(Invalid, match="The selected media id is invalid"):
        await anilist.save(ann.token, MediaId(5), progress=1)


async def test_writing_without_a_good_token_is_refused(service: FakeAniList, anilist: AniList) -> None:
    ann, show = service.add_user("ann"), service.add_media("Show")
    service.revoke(ann)
    for token in ("not.a.token", ""):
        with pytest.raises(BadToken, match="sign in to AniList again"):
            await anilist.save(token, MediaId(show.id), progress=1)


Verb = Callable[[AniList, Member], Awaitable[object]]
VERBS: dict[str, Verb] = {
    "viewer": lambda anilist, ann: anilist.viewer(ann.token),
    "collection": lambda anilist, ann: anilist.collection(ann.token, ann.id, CURRENT),
    "entry": lambda anilist, ann: anilist.entry(ann.token, ann.id, MediaId(1)),
    "media": lambda anilist, ann: anilist.media([MediaId(1)]),
    "kin": lambda anilist, ann: anilist.kin([MediaId(1)]),
    "search": lambda anilist, ann: anilist.search("x"),
    "save": lambda anilist, ann: anilist.save(ann.token, MediaId(1), progress=1),
    "delete": lambda anilist, ann: anilist.delete(ann.token, ann.id, MediaId(1)),
}
FAULTS: dict[Fault, tuple[type[UuuError], str]] = {
    "html": (Unreachable, "a web page instead of data; try again later"),
    "garbage": (Unreachable, "something that cannot be read; try again later"),
    "cut": (Unreachable, "broke off in the middle of its answer; try again later"),
    "token": (BadToken, "sign in to AniList again: Account → Link"),
    "outage": (Unreachable, "closed its door to programs for the moment; try again later"),
    "throttled": (Unreachable, "slow down; try again in 60 s"),
    "missing": (Missing, "AniList does not know it"),
    "validation": (Invalid, "AniList does not accept this: The progress may not be negative."),
    "unknown field": (Unexpected, "did not understand the question .* uuutorrent may need an update"),
    "errors": (Unreachable, "out of order just now .*; try again later"),
    500: (Unreachable, r"out of order just now \(HTTP 500\); try again later"),
    502: (Unreachable, r"out of order just now \(HTTP 502\); try again later"),
    403: (Unreachable, "a web page instead of data"),
    404: (Unexpected, "nothing at its address; check anilist.api_url"),
    418: (Unexpected, "HTTP 418"),
}


@pytest.mark.parametrize("verb", VERBS)
@pytest.mark.parametrize("fault", FAULTS)
async def test_each_way_to_fail_is_a_sentence_with_what_to_do(
    service: FakeAniList, anilist: AniList, verb: str, fault: Fault
) -> None:
    error, sentence = FAULTS[fault]
    ann = service.add_user("ann")
    service.fault = fault
    with pytest.raises(error, match=sentence):
        await VERBS[verb](anilist, ann)
    assert len(service.requests) == 1, "nothing is asked again by itself"


@pytest.mark.parametrize("verb", ["viewer", "collection", "media", "search", "save"])
async def test_nothing_where_something_must_be_is_unexpected(service: FakeAniList, anilist: AniList, verb: str) -> None:
    ann = service.add_user("ann")
    service.fault = "nulls"
    with pytest.raises(Unexpected):
        await VERBS[verb](anilist, ann)


@pytest.mark.parametrize("verb", VERBS)
async def test_an_answer_that_never_comes_is_given_up(
    service: FakeAniList, anilist: AniList, verb: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "DEADLINE_S", 0.05)
    service.fault = "hang"
    with pytest.raises(Unreachable, match=r"AniList: no answer in 0.05 s; try again later"):
        await VERBS[verb](anilist, service.add_user("ann"))


async def test_after_slow_down_nobody_asks_until_the_time_is_over(
    service: FakeAniList, anilist: AniList, clock: Clock
) -> None:
    ann = service.add_user("ann")
    service.fault = "throttled"
    for verb in (*VERBS.values(), *VERBS.values()):
        with pytest.raises(Unreachable) as raised:
            await verb(anilist, ann)
        assert raised.value.retry_after_s == 60
    assert len(service.requests) == 1
    service.fault = None
    clock.move(60)
    assert (await anilist.viewer(ann.token)).name == "ann"


async def test_many_people_at_once_do_not_make_a_storm(http: httpx.AsyncClient, clock: Clock) -> None:
    with FakeAniList(rate_limit=None) as service:
        anilist = AniList(http, Settings(api_url=service.url), Tally(), clock=clock)
        people = [service.add_user(f"user{number}") for number in range(12)]
        asking = (anilist.collection(one.token, one.id, CURRENT) for one in people[:5])
        assert await asyncio.gather(*asking) == [()] * 5
        waiting = [asyncio.create_task(anilist.collection(one.token, one.id, CURRENT)) for one in people[5:]]
        await asyncio.sleep(0)
        refused = [task.exception() for task in waiting if task.done()]
        assert len(refused) == 4, "3 wait their turn of 2.4 s each, who would wait longer than 8 s is told at once"
        assert all(isinstance(error, Unreachable) and error.retry_after_s for error in refused)
        for task in waiting:
            task.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)
        assert len(service.requests) == 5


async def test_the_pace_follows_what_the_service_announces(http: httpx.AsyncClient) -> None:
    with FakeAniList(rate_limit=90) as service:
        anilist = AniList(http, Settings(api_url=service.url), Tally())
        await anilist.viewer(service.add_user("ann").token)
        assert anilist.per_min == pytest.approx(75)


async def test_tokens_do_not_show_in_errors_or_figures(service: FakeAniList, http: httpx.AsyncClient) -> None:
    tally = Tally()
    anilist = AniList(http, Settings(api_url=service.url), tally)
    service.fault = "token"
    with pytest.raises(BadToken) as raised:
        await anilist.viewer("secret-token-of-ann")
    assert "secret-token-of-ann" not in repr(raised.value) + str(raised.value.__cause__) + repr(tally)
