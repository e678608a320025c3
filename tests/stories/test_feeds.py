"""Feed rules on real parts: from the feed to the finished file without being asked, also across a kill."""

import threading

import pytest

from tests.stories.conftest import Town
from tests.stories.house import DONE_S
from tests.stories.test_kills import Obstacle, anilist_hangs, heal, nothing_hangs, qbittorrent_hangs

pytestmark = pytest.mark.real

TITLE = "[Hoshizora] Umibe no Toshokan - 01 (1080p) [3F2A91C7]"


def test_what_a_rule_takes_is_complete_without_being_asked_for(town: Town) -> None:
    house = town.house
    house.add_user("ann")
    made = town.release(TITLE)
    town.release("[Other] Another Show - 01 (1080p)", seed=False)
    rule = house.json("ann", "feeds", "add", f"'{town.nyaa.url}/?page=rss'", "--include", "toshokan")["rule"]
    (torrent,) = house.until(lambda: house.json("ann", "torrents"), "the rule took nothing by itself")
    assert torrent["infohash"] == made.infohash
    house.until(lambda: house.json("ann", "files", "/torrents"), "never complete")
    house.sftp("ann", f'get "/torrents/{made.name}/{made.name}" got')
    assert (house.home / "got").read_bytes() == made.files[made.name]
    (noted,) = house.json("ann", "feeds", "log", str(rule))
    assert (noted["outcome"], noted["infohash"]) == ("taken", made.infohash)


def test_a_rule_killed_while_it_takes_something_takes_it_once_at_the_next_start(town: Town) -> None:
    house = town.house
    house.add_user("ann")
    made = town.release(TITLE)
    town.nyaa.download_fault = "hang"
    house.json("ann", "feeds", "add", f"'{town.nyaa.url}/?page=rss'")
    house.until(lambda: any("/download/" in path for path in town.nyaa.requests), "the rule did not come so far")
    house.kill()
    town.nyaa.download_fault = None
    house.start()
    house.until(lambda: house.json("ann", "files", "/torrents"), "never taken and completed")
    assert [one["infohash"] for one in house.json("ann", "torrents")] == [made.infohash]
    assert [one["outcome"] for one in house.json("ann", "feeds", "log")] == ["taken"]


def test_a_rule_killed_while_it_reads_its_feed_reads_it_again(town: Town) -> None:
    house = town.house
    house.add_user("ann")
    made = town.release(TITLE)
    town.nyaa.fault = "hang"
    house.json("ann", "feeds", "add", f"'{town.nyaa.url}/?page=rss'")
    house.until(lambda: town.nyaa.requests, "the feed was not asked for")
    house.kill()
    town.nyaa.fault = None
    house.start()
    # The poll that was killed holds the feed for some minutes; a person need not wait for that.
    house.until(lambda: house.json("ann", "feeds", "poll")["polled"] or house.json("ann", "torrents"), "still held")
    house.until(lambda: house.json("ann", "files", "/torrents"), "never taken and completed")
    assert [one["infohash"] for one in house.json("ann", "torrents")] == [made.infohash]


@pytest.mark.parametrize("obstacle", [anilist_hangs, qbittorrent_hangs, nothing_hangs])
def test_a_bound_rule_killed_at_any_later_step_takes_its_episode_once(town: Town, obstacle: Obstacle) -> None:
    house = town.house
    show = town.airs("Umibe no Toshokan", aired=1)
    town.anilist.list_entry(town.moves_in("ann"), show)
    house.json("ann", "feeds", "add", f"'{town.nyaa.url}/?page=rss'", "--show", str(show.id))
    house.json("ann", "feeds", "poll")

    made = town.release(TITLE)
    reached = obstacle(town)
    polling = threading.Thread(target=house.ssh, args=("ann", "feeds", "poll"))
    polling.start()
    house.until(reached, "the poll did not come so far")
    house.kill()
    polling.join(timeout=DONE_S)
    heal(town)

    house.start()
    # What was not written down yet is read again; a person need not wait for the feed's time.
    house.until(lambda: house.json("ann", "feeds", "poll") and house.json("ann", "torrents"), "it was lost")
    house.until(lambda: house.json("ann", "files", "/torrents"), "never completed")
    house.until(lambda: [one["outcome"] for one in house.json("ann", "feeds", "log")] == ["taken"], "not taken once")
    (torrent,) = house.json("ann", "torrents")
    assert (torrent["infohash"], torrent["media_id"], torrent["episode"]) == (made.infohash, show.id, 1)
