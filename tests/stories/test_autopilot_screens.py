"""The autopilot at a terminal, through a real ssh: the plan first, then what it fetches, and what happened."""

import pytest

from tests.stories.conftest import Town

pytestmark = pytest.mark.real


def test_the_plan_is_shown_and_taken_and_what_became_of_it_is_in_the_inbox_and_the_timeline(town: Town) -> None:
    member = town.moves_in("ann")
    sea, stars = town.airs("Umibe no Toshokan", aired=2), town.airs("Hoshi no Tegami", aired=5)
    town.anilist.list_entry(member, sea, progress=1)
    town.anilist.list_entry(member, stars, progress=3)
    town.release("[Hoshizora] Umibe no Toshokan - 02 (1080p) [3F2A91C2]")
    with town.house.screen("ann", columns=100, rows=30) as screen:
        screen.shows("Umibe no Toshokan", "Hoshi no Tegami", "? Help")
        screen.type("A")
        screen.shows("It is off: m switches it on")
        screen.type("m")
        screen.shows("What the autopilot does")
        screen.type("n")
        plan = screen.shows("Nothing is taken before you say so.", "✓ Umibe no Toshokan", "· Hoshi no Tegami")
        assert "1 episode" in plan
        assert "2 to be searched for" in plan
        assert town.house.json("ann", "torrents") == []
        screen.type("t")
        screen.shows("that aired already are taken now.", "✓ Umibe no Toshokan")
        screen.type("\x1b")
        screen.shows("autopilot on")
        screen.type("2")
        screen.shows("Umibe no Toshokan - 02", "100 %")
        screen.type("t")
        screen.shows("timeline", "What happened", "Added.")
        screen.type("4")
        screen.shows("Umibe no Toshokan", "finished", "taken")
        screen.type("a")
        screen.shows("nothing new")
    unseen = [one for one in town.house.json("ann", "inbox") if not one["seen"]]
    assert unseen == []
