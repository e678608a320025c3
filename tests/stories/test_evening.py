"""An evening in front of the screens, through a real ssh with a terminal."""

import re
import subprocess

import pytest

from tests.stories.conftest import Town
from tests.stories.house import DONE_S, House

pytestmark = pytest.mark.real

TITLE = "Sousou no Frieren"


def test_enter_fetches_the_next_episode_before_your_eyes(town: Town) -> None:
    town.release(f"[SubsPlease] {TITLE} - 05 (1080p) [6EB72DA5]", 2_000_000)
    town.anilist.list_entry(town.moves_in("ann"), town.airs(TITLE, aired=5), progress=4)
    with town.house.screen("ann", columns=80, rows=24) as screen:
        screen.shows(TITLE, "1 behind", "ep 5")
        screen.type("\r")
        screen.shows("[SubsPlease]", "watchlist", "search", "choose", "add", "link")
        screen.shows("ready")
        screen.type("2")
        screen.shows(TITLE, "100 %")
        screen.type("1")
        screen.shows("1 behind", "ready")
        screen.type("+")
        screen.shows("5/12", "caught up")
        screen.type("q")
        assert screen.ends() == 0
    (entry,) = town.house.json("ann", "watchlist")
    assert entry["progress"] == 5


def test_a_server_that_stops_says_so_and_gives_the_terminal_back(town: Town) -> None:
    town.house.add_user("ann")
    with town.house.screen("ann") as screen:
        screen.shows("Watchlist")
        assert town.house.stop() == 0
        screen.ends()
        painted, left, after = screen.raw.rpartition(b"\x1b[?1049l")
        assert left, "the alternate screen was not left"
        assert b"Watchlist" in painted
        assert b"the server is restarting" in after
        assert b"\x1b[?25h" in after


def test_the_first_admin_chooses_a_password_before_anything_else(town: Town) -> None:
    house: House = town.house
    found = house.until(lambda: re.search(r"one-time password:\s+(\S+)", house.log), "no one-time password was printed")
    chosen = "seventeen brass kettles hum"
    with house.screen("admin", password=found[1]) as screen:
        screen.shows("password of your own", "New, once more")
        house.until(lambda: screen.ground("One-time password") != screen.ground("New password"), "no field to type in")
        lit, typed = screen.ground("One-time password"), 0
        for label, word in (("One-time password", found[1]), ("New password", chosen), ("New, once more", chosen)):
            house.until(lambda field=label: screen.ground(field) == lit, f"the cursor is not behind {label}")
            typed += len(word)
            screen.type(word)
            house.until(lambda shown=typed: screen.text.count("•") == shown, f"not typed: {screen.text}")
            screen.type("\r")
        screen.shows("Your password is changed")
        can_sign_in = lambda: house.with_password("admin", chosen, "whoami").returncode == 0  # noqa: E731
        house.until(can_sign_in, "the password did not change")
    assert house.with_password("admin", found[1], "whoami").returncode == 255


def test_a_terminal_too_small_is_told_what_is_needed(town: Town) -> None:
    town.house.add_user("ann")
    with town.house.screen("ann", columns=39, rows=11) as screen:
        screen.shows("40")
        screen.type("q")


def test_without_a_terminal_there_is_help(town: Town) -> None:
    town.house.add_user("ann")
    done = subprocess.run(
        ["ssh", *town.house.options("ann"), "-T", "-p", str(town.house.port), "ann@127.0.0.1"],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=DONE_S,
        check=False,
    )
    assert done.returncode == 0
    assert b"watchlist" in done.stdout
