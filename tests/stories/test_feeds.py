"""Feed rules on real parts: from the feed to the finished file without being asked, also across a kill."""

import pytest

from tests.stories.conftest import Town

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
    house.until(lambda: house.json("ann", "files"), "never complete")
    house.sftp("ann", f'get "/{made.name}/{made.name}" got')
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
    house.until(lambda: house.json("ann", "files"), "never taken and completed")
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
    house.until(lambda: house.json("ann", "files"), "never taken and completed")
    assert [one["infohash"] for one in house.json("ann", "torrents")] == [made.infohash]
