"""The dialogs in which a taste is typed: everywhere, and for one show."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from textual.widgets import Input

from tests.tui.evening import ENTER, ESCAPE, Evening
from tests.tui.screen import Seat
from uuutorrent.anime.anime import MediaId
from uuutorrent.releases.release import Taste
from uuutorrent.tui.app import UuuApp
from uuutorrent.tui.taste import ShowTasteDialog, TasteDialog
from uuutorrent.tui.wishes import WISHES

SHOW = MediaId(1)
DOWN, UP, WIPE = "\x1b[B", "\x1b[A", "\x15"


@asynccontextmanager
async def everywhere(evening: Evening) -> AsyncIterator[Seat[UuuApp]]:
    """Ann at her taste, on a small terminal."""
    async with evening.sit(width=80, height=24) as seat:
        taste = await evening.services.releases.tastes.of(evening.ann)
        seat.app.call_later(seat.app.push_screen, TasteDialog(evening.services.desk(evening.ann), taste))
        await seat.sees("What you like among releases")
        yield seat


@asynccontextmanager
async def for_a_show(evening: Evening) -> AsyncIterator[Seat[UuuApp]]:
    """Ann at the taste of one show, which is read."""
    async with evening.sit(width=80, height=24) as seat:
        anime = (await evening.services.watchlists.family(SHOW)).anime
        dialog = ShowTasteDialog(evening.services.desk(evening.ann), anime)
        seat.app.call_later(seat.app.push_screen, dialog)
        await seat.sees("What you like of Sousou no Frieren; empty: as everywhere")
        await seat.until(lambda: dialog.is_read, "what is liked everywhere")
        yield seat


async def go(seat: Seat[UuuApp], name: str) -> Input:
    """Go down to a line."""
    for _ in WISHES:
        await seat.settled()
        at = seat.app.focused
        if isinstance(at, Input) and at.id == name:
            return at
        seat.type(DOWN)
    raise AssertionError(f"there is no line {name}:\n{seat.glass.text}")


async def test_every_preference_can_be_reached_on_a_small_screen(evening: Evening) -> None:
    async with everywhere(evening) as seat:
        await seat.sees("Lines, best first      1080, 720, 480")
        await seat.sees("Other resolutions are not taken.")
        for wish in WISHES:
            await go(seat, wish.name)
            await seat.sees(f"{wish.label} ")
            await seat.sees(wish.about)
        seat.type(DOWN)
        await seat.sees("Other resolutions are not taken.")
        seat.type(UP)
        await seat.sees("Also take re-encodes of other groups' work.")


async def test_what_is_typed_is_the_taste_from_then_on(evening: Evening) -> None:
    async with everywhere(evening) as seat:
        for name, text in (("languages", "French, en"), ("sources", "bluray"), ("max_bytes_per_min", "2 GiB")):
            await go(seat, name)
            await seat.clears()
            seat.type(text)
        seat.type(ENTER)
        await seat.sees_no("What you like among releases")
    taste = await evening.services.releases.tastes.of(evening.ann)
    assert taste == Taste(languages=("fr", "en"), sources=("BD",), max_bytes_per_min=round((2 << 30) / 24))


async def test_what_cannot_be_meant_is_said_where_it_is_typed(evening: Evening) -> None:
    async with everywhere(evening) as seat:
        await go(seat, "wait_min")
        seat.type("soon" + ENTER)
        await seat.sees("soon is no time: type e.g. 90 min or 6 h")
        await seat.clears()
        await go(seat, "min_bytes_per_min")
        seat.type("3 GiB")
        await go(seat, "max_bytes_per_min")
        seat.type("1 GiB" + ENTER)
        await seat.sees("nothing would fit")
        focused = seat.app.focused
        assert focused is not None
        assert focused.id == "min_bytes_per_min"
        seat.type(ESCAPE)
        await seat.sees_no("What you like among releases")
    assert await evening.services.releases.tastes.of(evening.ann) == Taste()


async def test_for_a_show_what_is_liked_everywhere_stands_there_dimmed(evening: Evening) -> None:
    tastes = evening.services.releases.tastes
    await tastes.set(evening.ann, Taste(groups=("SubsPlease",), min_seeders=7))
    await tastes.set_show(evening.ann, SHOW, {"resolutions": (720,), "groups": ()})
    async with for_a_show(evening) as seat:
        await seat.sees("Lines, best first      720")
        await seat.sees("Groups, best first     any")
        await seat.sees("Least seeders          7")
        assert (await go(seat, "min_seeders")).value == ""
        seat.type(ESCAPE)


async def test_only_what_is_typed_for_a_show_is_its_own(evening: Evening) -> None:
    tastes = evening.services.releases.tastes
    await tastes.set(evening.ann, Taste(min_seeders=7))
    await tastes.set_show(evening.ann, SHOW, {"resolutions": (720,), "wait_min": 60})
    async with for_a_show(evening) as seat:
        await go(seat, "resolutions")
        await seat.clears()
        await go(seat, "blocked_groups")
        seat.type("Bad" + ENTER)
        await seat.sees_no("What you like of")
    assert await tastes.show(evening.ann, SHOW) == {"blocked_groups": ("Bad",), "wait_min": 60}
    assert await tastes.of(evening.ann) == Taste(min_seeders=7)


async def test_a_show_without_a_line_is_as_everywhere(evening: Evening) -> None:
    tastes = evening.services.releases.tastes
    await tastes.set_show(evening.ann, SHOW, {"resolutions": (720,)})
    async with for_a_show(evening) as seat:
        await go(seat, "resolutions")
        await seat.clears()
        seat.type(ENTER)
        await seat.sees_no("What you like of")
    assert await tastes.show(evening.ann, SHOW) == {}
