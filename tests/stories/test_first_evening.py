"""The first start of a machine nobody prepared, and the sign-in that follows."""

import re
import signal
import time
from pathlib import Path

import pytest

from tests.stories.house import House

pytestmark = pytest.mark.real


@pytest.fixture
def house(tmp_path: Path) -> House:
    return House(tmp_path / "house")


def test_the_first_start_makes_an_admin_and_says_how_to_sign_in_once(house: House) -> None:
    house.start()
    house.until(lambda: "one-time password" in house.log, "no one-time password was printed")
    assert f"ssh -p {house.port} admin@127.0.0.1" in house.log
    found = re.search(r"one-time password:\s+(\S+)", house.log)
    assert found
    password = found[1]
    host_key = (house.home / "data" / "ssh_host_ed25519_key").read_text()

    refused = house.with_password("admin", "not the password", "whoami")
    assert refused.returncode == 255

    must_change = house.with_password("admin", password, "whoami")
    assert must_change.returncode == 3
    assert "passwd" in must_change.stderr

    assert house.stop() == 0
    before = len(house.log)
    house.start()
    assert "password" not in house.log[before:]
    assert (house.home / "data" / "ssh_host_ed25519_key").read_text() == host_key
    assert house.stop() == 0


def test_ctrl_c_ends_the_daemon_within_five_seconds_and_leaves_no_child(house: House) -> None:
    begun = time.monotonic()
    house.start()
    started_s = time.monotonic() - begun
    assert house.qbittorrent()
    assert house.process is not None
    house.process.send_signal(signal.SIGINT)
    # On a machine that starts it in no time; where starting takes long, all the rest does too.
    assert house.process.wait(timeout=5 + 5 * started_s) == 0
    assert house.qbittorrents() == []


def test_a_user_added_while_the_daemon_runs_signs_in_at_once(house: House) -> None:
    house.start()
    house.add_user("ann")
    assert house.json("ann", "whoami")["name"] == "ann"
    assert house.json("ann", "whoami")["role"] == "user"
    house.uuutorrent("user", "disable", "ann")
    assert house.ssh("ann", "whoami").returncode == 255
    house.stop()


def test_what_is_not_a_verb_says_what_to_type(house: House) -> None:
    house.start()
    house.add_user("ann")
    done = house.ssh("ann", "wachlist")
    assert done.returncode == 2
    assert b"watchlist" in done.stderr
    helped = house.ssh("ann", "help")
    assert helped.returncode == 0
    assert f"ssh -p {house.port} ann@127.0.0.1".encode() in helped.stdout
    assert house.json("ann", "nonsense", code=2)["error"]["code"] == "invalid"
    house.stop()
