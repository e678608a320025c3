"""The inbox as a person meets it: what is new, what it says, what can be answered, and where it leads."""

from __future__ import annotations

import pytest

from tests.tui.evening import ENTER, Evening
from tests.tui.screen import Seat
from uuutorrent.accounts import User
from uuutorrent.automation.inbox.notice import Kind
from uuutorrent.store.database import Database
from uuutorrent.tui import inbox
from uuutorrent.tui.app import UuuApp

LONG = (
    "Episode 13 of Sousou no Frieren was replaced: no byte of [SubsPlease] Sousou no Frieren - 13 (1080p) came for "
    "15 minutes, so [Erai-raws] Sousou no Frieren - 13 [1080p] is fetched in its place. Undo it within a day."
)


async def tell(evening: Evening, kind: Kind, text: str, *, to: User | None = None, **about: object) -> None:
    key = str(about.pop("key", text))
    assert await evening.services.inbox.tell((to or evening.ann).id, kind, text, key=key, **about)  # type: ignore[arg-type]  # as given


async def ask(evening: Evening) -> None:
    key, choices = "watched:2:5", ("yes", "no")
    text = "Did you watch episode 5 of Dandadan?"
    await tell(evening, Kind.WATCHED, text, key=key, media_id=2, episode=5, choices=choices)


async def new(seat: Seat[UuuApp], n: int) -> None:
    """Wait until so many are new, on the screen rather than in what is said aloud."""
    await seat.until(lambda: seat.glass.lines[1].startswith(f"  {n} new"), f"{n} new")


@pytest.mark.parametrize(("width", "height"), [(120, 40), (80, 24), (40, 12)])
async def test_what_happened_is_listed_newest_first_with_all_of_the_one_under_the_cursor(
    evening: Evening, width: int, height: int
) -> None:
    await tell(evening, Kind.FINISHED, "Episode 12 is here.")
    await tell(evening, Kind.REPLACED, LONG)
    async with evening.sit(width=width, height=height) as seat:
        seat.type("4")
        await new(seat, 2)
        await seat.sees("●")
        lines = seat.glass.lines
        newest, older = (next(n for n, line in enumerate(lines) if mark in line) for mark in ("⇄ ", "✓ "))
        assert newest < older
        assert lines[newest].startswith("› ●")
        await seat.sees("just now")
        if height >= 24:
            await seat.sees("Undo it within a day.")
        seat.type("j")
        await seat.sees("✓ finished")
        await seat.sees("UTC")


async def test_who_has_nothing_new_is_told_what_will_stand_there(evening: Evening) -> None:
    async with evening.sit() as seat:
        seat.type("4")
        await seat.sees("Nothing yet. What finishes, fails or needs a choice of yours stands here.")
        await seat.sees("nothing new")


async def test_the_tab_says_how_much_is_new_and_what_comes_is_said_aloud(evening: Evening) -> None:
    await tell(evening, Kind.FINISHED, "Episode 12 is here.")
    async with evening.sit(width=80, height=24) as seat:
        await seat.sees("1 new in your inbox. Press 4.")
        await seat.sees("4 Inbox (1)")
        await tell(evening, Kind.FAILED, "Episode 13 cannot be had.")
        await seat.sees("Episode 13 cannot be had.")
        await seat.sees("4 Inbox (2)")
        seat.type("4")
        await new(seat, 2)
        await tell(evening, Kind.TAKEN, "Episode 14 was taken.")
        await new(seat, 3)
        await seat.sees("↓ taken")
        seat.type("a")
        await seat.sees("nothing new")
        await seat.sees_no("4 Inbox (")


async def test_who_left_everything_read_is_not_greeted(evening: Evening) -> None:
    async with evening.sit() as seat:
        await seat.settled()
        assert "in your inbox" not in seat.glass.text
        assert "4 Inbox (" not in seat.glass.text


async def test_of_a_flood_only_some_is_said_aloud(evening: Evening) -> None:
    async with evening.sit(height=40) as seat:
        for n in range(8):
            await tell(evening, Kind.FINISHED, f"Told number {n}.")
        await seat.sees("4 Inbox (8)")
        assert sum(f"Told number {n}." in seat.glass.text for n in range(8)) <= 3


async def test_one_is_seen_or_all_of_them_and_only_new_ones_can_be_shown(evening: Evening) -> None:
    for n in range(3):
        await tell(evening, Kind.FINISHED, f"Told number {n}.")
    async with evening.sit() as seat:
        seat.type("4")
        await new(seat, 3)
        seat.type(" ")
        await new(seat, 2)
        await seat.sees("› ● ✓ finished  Told number 1.")
        seat.type("u")
        await seat.sees("only new")
        await seat.sees_no("Told number 2.")
        seat.type("m")
        await new(seat, 1)
        seat.type("a")
        await seat.sees("Nothing new. u shows all.")
        seat.type("u")
        await seat.sees("Told number 2.")
    assert await evening.services.inbox.unseen(evening.ann) == 0


async def test_enter_goes_to_the_torrent_or_the_show(evening: Evening) -> None:
    infohash = await evening.fetch(1, 13)
    await tell(evening, Kind.AVAILABLE, "Episode 5 of Dandadan is out.", media_id=2, episode=5)
    await tell(evening, Kind.FINISHED, "Episode 13 is here.", media_id=1, episode=13, infohash=infohash)
    async with evening.sit() as seat:
        seat.type("4")
        await seat.sees("› ● ✓ finished  Episode 13 is here.")
        seat.type(ENTER)
        await seat.sees("› Sousou no Frieren - 13 (1080p)")
        await seat.sees("4 Inbox (1)")
        seat.type("4")
        await new(seat, 1)
        seat.type("j")
        await seat.sees("› ● + available Episode 5 of Dandadan is out.")
        seat.type(ENTER)
        await seat.sees("› Dandadan")
        await seat.sees_no("4 Inbox (")


async def test_what_is_about_nothing_leads_nowhere(evening: Evening) -> None:
    await tell(evening, Kind.TROUBLE, "The disk is nearly full.")
    async with evening.sit() as seat:
        seat.type("4")
        await seat.sees("! trouble")
        seat.type(ENTER)
        await seat.sees("There is nothing to go to")


async def test_more_than_a_page_is_read_when_one_goes_there(evening: Evening, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inbox, "PAGE", 5)
    for n in range(12):
        await tell(evening, Kind.FINISHED, f"Told number {n}.")
    async with evening.sit(height=40) as seat:
        seat.type("4")
        await seat.sees("Told number 7.")
        for n in (6, 1, 0):
            seat.type("G")
            await seat.sees(f"Told number {n}.")


async def test_without_colours_what_is_new_is_seen_all_the_same(evening: Evening) -> None:
    await tell(evening, Kind.FAILED, "Episode 13 cannot be had.")
    async with evening.sit(width=80, height=24, env={"NO_COLOR": "1"}) as seat:
        seat.type("4")
        await seat.sees("● ✗ failed")
        assert seat.glass.cell_at("✗").fg == "default"


async def test_other_peoples_notices_are_never_seen(evening: Evening, bob: User) -> None:
    await tell(evening, Kind.FINISHED, "This is bob's.", to=bob)
    async with evening.sit() as seat:
        seat.type("4")
        await seat.sees("Nothing yet.")
        await tell(evening, Kind.FINISHED, "This is bob's, too.", to=bob)
        await tell(evening, Kind.FINISHED, "This is ann's.")
        await seat.sees("This is ann's.")
        await seat.settled()
        assert "bob's" not in seat.glass.text
    assert await evening.services.inbox.unseen(bob) == 2


async def test_a_database_that_is_away_is_said_and_the_list_stays(evening: Evening, database: Database) -> None:
    await tell(evening, Kind.FINISHED, "Episode 12 is here.")
    async with evening.sit() as seat:
        seat.type("4")
        await new(seat, 1)
        await database.__aexit__()
        seat.type("R")
        await seat.sees("R tries again.")
        await seat.sees("Episode 12 is here.")


async def test_the_keys_are_in_the_help(evening: Evening) -> None:
    await tell(evening, Kind.FINISHED, "Episode 12 is here.")
    async with evening.sit(width=110, height=50) as seat:
        seat.type("4")
        await new(seat, 1)
        seat.type("?")
        for words in ("To the torrent or the show it is about.", "All of it was seen.", "Only what was not seen yet"):
            await seat.sees(words)


async def test_an_answer_is_one_key_and_is_done_and_written_down(evening: Evening) -> None:
    await ask(evening)
    async with evening.sit(width=80, height=24) as seat:
        seat.type("4")
        await new(seat, 1)
        await seat.sees("1 choice to make")
        await seat.sees("y  yes    n  no")
        await seat.sees("y Yes  n No")
        seat.type("y")
        await seat.sees("You answered: yes.")
        await seat.sees_no("y Yes")
        await seat.sees_no("4 Inbox (")
        assert "choice to make" not in seat.glass.text
    assert evening.entry(2).progress == 5


async def test_keys_of_answers_are_offered_only_where_there_is_something_to_answer(evening: Evening) -> None:
    await ask(evening)
    await tell(evening, Kind.FINISHED, "Episode 12 is here.")
    async with evening.sit(width=80, height=24) as seat:
        seat.type("4")
        await new(seat, 2)
        await seat.settled()
        assert "y Yes" not in seat.glass.text
        seat.type("y")
        seat.type("j")
        await seat.sees("y Yes  n No")
        assert "t Take" not in seat.glass.text
        seat.type("n")
        await seat.sees("You answered: no.")
    assert evening.entry(2).progress == 4


async def test_what_nobody_needs_to_answer_any_more_says_so(evening: Evening) -> None:
    await ask(evening)
    await evening.services.inbox.withdraw(evening.ann.id, "watched:2:5", "You said so yourself.")
    async with evening.sit() as seat:
        seat.type("4")
        await seat.sees("No answer is needed any more.")
        await seat.sees("You said so yourself.")


async def test_an_answer_without_a_key_of_its_own_is_chosen_from_a_list(evening: Evening) -> None:
    key, choices = "watched:2:5", ("yes", "tomorrow")
    await tell(evening, Kind.WATCHED, "Did you watch it?", key=key, media_id=2, episode=5, choices=choices)
    async with evening.sit(width=80, height=24) as seat:
        seat.type("4")
        await new(seat, 1)
        await seat.sees("y  yes    c  tomorrow")
        seat.type("c")
        await seat.sees("1  yes")
        await seat.sees("2  tomorrow")
        seat.type("1")
        await seat.sees("You answered: yes.")
    assert evening.entry(2).progress == 5


async def test_an_answer_can_be_clicked(evening: Evening) -> None:
    await ask(evening)
    async with evening.sit(width=80, height=24) as seat:
        seat.type("4")
        await new(seat, 1)
        await seat.sees("y  yes    n  no")
        y, line = next((y, line) for y, line in enumerate(seat.glass.lines) if "y  yes" in line)
        x = line.index("yes") + 1
        seat.type(f"\x1b[<0;{x};{y + 1}M\x1b[<0;{x};{y + 1}m")
        await seat.sees("You answered: yes.")


async def test_a_key_that_is_pressed_twice_answers_once(evening: Evening) -> None:
    await ask(evening)
    async with evening.sit(width=80, height=24) as seat:
        seat.type("4")
        await new(seat, 1)
        await seat.sees("y Yes  n No")
        seat.type("yyy")
        await seat.sees("You answered: yes.")
        await seat.settled()
        assert "answered already" not in seat.glass.text


async def test_what_goes_wrong_with_an_answer_is_said_and_it_still_waits(evening: Evening) -> None:
    await ask(evening)
    async with evening.sit(width=110) as seat:
        seat.type("4")
        await new(seat, 1)
        await seat.sees("y Yes  n No")
        evening.anilist.fault = "outage"
        seat.type("y")
        await seat.sees("AniList:")
        await seat.sees("1 choice to make")
