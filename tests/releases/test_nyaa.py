import asyncio
import inspect
from dataclasses import replace
from datetime import UTC, datetime

import httpx
import pytest

from tests.servers.nyaa import PAGE, FakeNyaa, Fault
from uuutorrent.config import Nyaa as Settings
from uuutorrent.errors import Missing, RemoteError, Unexpected, Unreachable
from uuutorrent.releases import nyaa as room
from uuutorrent.releases.nyaa import Nyaa
from uuutorrent.tally import Tally


async def test_a_post_comes_through_whole(index: FakeNyaa, nyaa: Nyaa) -> None:
    posted = index.post(
        'Tom & Jerry <"x"> - 01', seeders=7, leechers=2, downloads=30, size=1_500_000_000, trusted=True, remake=True
    )
    (found,) = await nyaa.search("Tom Jerry", ttl_s=300)
    assert found.title == 'Tom & Jerry <"x"> - 01'
    assert (found.infohash, found.seeders, found.leechers, found.downloads) == (posted.infohash, 7, 2, 30)
    assert (found.link, found.page) == (f"{index.url}/download/{posted.id}.torrent", f"{index.url}/view/{posted.id}")
    assert (found.category, found.trusted, found.remake) == ("1_2", True, True)
    assert abs(found.size_bytes - 1_500_000_000) < 2**30 / 10
    assert found.posted_at == datetime(2026, 1, 1, 0, 1, tzinfo=UTC)


async def test_it_asks_in_the_configured_category_and_gets_the_newest(index: FakeNyaa, nyaa: Nyaa) -> None:
    for number in range(PAGE + 5):
        index.post(f"Show - {number:02}")
    index.post("Show - raw", category="1_4")
    found = await nyaa.search("Show", ttl_s=300)
    assert len(found) == PAGE
    assert found[0].title == f"Show - {PAGE + 4:02}"
    assert index.requests == ["/?page=rss&q=Show&c=1_2&f=0"]


async def test_two_who_ask_the_same_at_once_share_one_request(index: FakeNyaa, nyaa: Nyaa) -> None:
    index.post("Show - 01")
    index.gate.shut()
    asking = [asyncio.create_task(nyaa.search("Show", ttl_s=300)) for _ in range(2)]
    await index.gate.holds()
    index.gate.open()
    both = await asyncio.gather(*asking)
    assert both[0] == both[1]
    await nyaa.search("Show", ttl_s=300)
    assert len(index.requests) == 1
    await nyaa.search("Show", ttl_s=0)
    assert len(index.requests) == 2


async def test_searches_keep_their_distance(
    index: FakeNyaa, http: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    waited: list[float] = []

    async def sleep(seconds: float) -> None:
        waited.append(seconds)

    assert room.GAP_S == inspect.signature(Nyaa).parameters["gap_s"].default == 2
    patient = Nyaa(http, Settings(base_url=index.url), Tally(), gap_s=3600)
    await patient.search("One", ttl_s=300)
    monkeypatch.setattr(asyncio, "sleep", sleep)
    await patient.search("Two", ttl_s=300)
    assert 3000 < waited[0] <= 3600


async def test_an_empty_answer_is_kept_for_a_minute_only(index: FakeNyaa, nyaa: Nyaa) -> None:
    assert await nyaa.search("Show", ttl_s=1800) == ()
    kept = nyaa._answers._kept["Show"]
    nyaa._answers._kept["Show"] = (kept[0] - room.EMPTY_TTL_S - 1, kept[1])
    index.post("Show - 01")
    assert len(await nyaa.search("Show", ttl_s=1800)) == 1


@pytest.mark.parametrize(
    ("fault", "error", "told"),
    [
        (500, Unreachable, "out of order"),
        (503, Unreachable, "out of order"),
        (429, Unreachable, "slow down"),
        (403, Unreachable, "turned us away"),
        (404, Unexpected, "HTTP 404"),
        (302, Unexpected, "HTTP 302"),
        ("html", Unexpected, "a web page instead of a feed"),
        ("garbage", Unexpected, "not a feed"),
        ("bomb", Unexpected, "declares entities"),
        ("huge", Unexpected, "larger than 4"),
        ("cut", Unreachable, "broke off"),
    ],
)
async def test_each_way_it_fails_is_told(
    index: FakeNyaa, nyaa: Nyaa, fault: Fault, error: type[RemoteError], told: str
) -> None:
    index.fault = fault
    with pytest.raises(error, match=told) as caught:
        await nyaa.search("Show", ttl_s=300)
    assert caught.value.message.startswith("Nyaa: ")


async def test_a_silent_index_is_given_up(
    index: FakeNyaa, nyaa: Nyaa, monkeypatch: pytest.MonkeyPatch, tally: Tally
) -> None:
    monkeypatch.setattr(room, "DEADLINE_S", 0.05)
    index.fault = "hang"
    with pytest.raises(Unreachable, match="no answer in 0"):
        await nyaa.search("Show", ttl_s=300)
    assert tally.counters[("dependency_requests", ("nyaa", "timeout"))] == 1


async def test_after_being_turned_away_it_is_left_alone(index: FakeNyaa, nyaa: Nyaa) -> None:
    index.fault = 403
    for query in ("One", "Two", "Three"):
        with pytest.raises(Unreachable):
            await nyaa.search(query, ttl_s=300)
    assert len(index.requests) == 1


async def test_errors_are_not_kept(index: FakeNyaa, nyaa: Nyaa) -> None:
    index.post("Show - 01")
    index.fault = 500
    with pytest.raises(Unreachable):
        await nyaa.search("Show", ttl_s=300)
    index.fault = None
    assert len(await nyaa.search("Show", ttl_s=300)) == 1


async def test_malformed_posts_are_left_out(index: FakeNyaa, nyaa: Nyaa) -> None:
    index.post("Show - 01")
    index.post("Show - 02", seeders=9)
    index.fault = "malformed"
    found = await nyaa.search("Show", ttl_s=300)
    assert [one.title for one in found] == ["Show - 02", "Show - 01"]
    assert found[0].seeders == 0


async def test_the_torrent_file_comes_from_the_index(index: FakeNyaa, nyaa: Nyaa) -> None:
    posted = index.post("Show - 01")
    (found,) = await nyaa.search("Show", ttl_s=300)
    assert await nyaa.torrent_file(found) == posted.torrent


@pytest.mark.parametrize(
    "link",
    [
        "http://127.0.0.1:9/download/1.torrent",
        "https://127.0.0.1/download/1.torrent",
        "http://elsewhere.example/download/1.torrent",
        "file:///etc/passwd",
        "ftp://127.0.0.1/x.torrent",
        "http://user:pass@127.0.0.1/x.torrent",
        "http://[::1/x.torrent",
        "",
    ],
)
async def test_no_link_leads_elsewhere(index: FakeNyaa, nyaa: Nyaa, link: str) -> None:
    index.post("Show - 01")
    (found,) = await nyaa.search("Show", ttl_s=300)
    with pytest.raises(Unexpected, match="another server"):
        await nyaa.torrent_file(replace(found, link=link))
    assert len(index.requests) == 1


@pytest.mark.parametrize(
    ("fault", "told"), [("html", "no torrent file"), ("huge", "larger than 8"), (302, "HTTP 302"), (404, "HTTP 404")]
)
async def test_what_is_no_torrent_file_is_refused(index: FakeNyaa, nyaa: Nyaa, fault: Fault, told: str) -> None:
    index.post("Show - 01")
    (found,) = await nyaa.search("Show", ttl_s=300)
    index.download_fault = fault
    with pytest.raises(Unexpected, match=told):
        await nyaa.torrent_file(found)


async def test_a_post_with_only_a_magnet_has_no_file(index: FakeNyaa, nyaa: Nyaa) -> None:
    index.post("Show - 01", magnet=True)
    (found,) = await nyaa.search("Show", ttl_s=300)
    assert found.link.startswith("magnet:?xt=urn:btih:")
    with pytest.raises(Missing, match="only a magnet"):
        await nyaa.torrent_file(found)
