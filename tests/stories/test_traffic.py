"""What was served is still counted after the daemon was stopped."""

import pytest

from tests.stories.conftest import Town
from tests.swarm import MIB

pytestmark = pytest.mark.real


def test_what_was_served_is_counted_over_a_restart(town: Town) -> None:
    house = town.house
    house.add_user("ann")
    house.add_user("boss", admin=True)
    made = town.swarm.share("Lecture.mkv", 2 * MIB)
    house.json("ann", "add", "-", given=made.metainfo)
    house.until(lambda: house.json("ann", "files", "/torrents"), "never complete")
    house.sftp("ann", f"get torrents/{made.name}/{made.name} {house.home / 'fetched'}")
    assert (house.home / "fetched").read_bytes() == made.files[made.name]
    assert house.json("boss", "traffic")["sftp"] == 2 * MIB
    house.sftp("ann", f"get torrents/{made.name}/{made.name} {house.home / 'fetched'}")

    house.stop()
    house.start()

    month = house.json("boss", "traffic")
    assert (month["sftp"], month["slowed"]) == (4 * MIB, False)
    assert house.json("ann", "traffic", code=3)["error"]["message"] == "only admins may do that"
