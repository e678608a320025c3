from __future__ import annotations

import re
from datetime import UTC, datetime

import pytest

from tests.tui.evening import ENTER, ESCAPE, Evening
from uuutorrent.anime.anime import MediaId


async def test_every_candidate_is_listed_best_first_with_its_reasons(evening: Evening) -> None:
    async with evening.sit(width=120) as seat:
        await seat.sees("› Sousou no Frieren")
        seat.type("o")
        await seat.sees("Episode ‹ 13 › of Sousou no Frieren")
        await seat.sees("2 fit,")
        await seat.sees("› ★ [SubsPlease] Sousou no Frieren - 13 (1080p)")
        assert re.search(r"✓ \[SubsPlease\] Sousou no Frieren - 13 \(720p\).* 720 +1.3 GiB +300", seat.glass.text)
        assert "480p" not in seat.glass.text
        await seat.sees("SubsPlease · 1080p · 1.3 GiB · 900 seeders · ")
        await seat.sees("It is episode 13")
        await seat.sees("· its own title")


async def test_what_does_not_fit_is_a_key_away_and_says_why(evening: Evening) -> None:
    async with evening.sit(width=120) as seat:
        await seat.sees("› Sousou no Frieren")
        seat.type("r")
        await seat.sees("2 fit,")
        seat.type("x")
        await seat.sees("✗ [Nobody] Sousou no Frieren - 13 (480p)")
        seat.type("G")
        await seat.sees("It is not episode 13")
        await seat.sees("· episode 12, not 13")
        seat.type("x")
        await seat.sees_no("✗ [Nobody]")


async def test_enter_takes_the_one_under_the_cursor(evening: Evening) -> None:
    async with evening.sit(width=120) as seat:
        await seat.sees("› Sousou no Frieren")
        seat.type("o")
        await seat.sees("2 fit,")
        seat.type("j")
        await seat.sees("› ✓ [SubsPlease] Sousou no Frieren - 13 (720p)")
        seat.type(ENTER)
        await seat.sees("Chosen by hand.")
        await seat.sees("ep 13 ↓")
        (held,) = await evening.services.library.holdings(evening.ann)
        assert "(720p)" in held.name


async def test_even_a_rejected_release_can_be_taken_by_hand(evening: Evening) -> None:
    async with evening.sit(width=120) as seat:
        await seat.sees("› Sousou no Frieren")
        seat.type("o")
        await seat.sees("2 fit,")
        seat.type("x")
        await seat.sees("✗ [Nobody]")
        while "› ✗ [Nobody] Sousou no Frieren - 13" not in seat.glass.text:
            seat.type("j")
            await seat.settled()
        seat.type(ENTER)
        await seat.sees("Chosen by hand.")
        (held,) = await evening.services.library.holdings(evening.ann)
        assert held.name.startswith("[Nobody]")


async def test_other_episodes_are_a_key_away(evening: Evening) -> None:
    async with evening.sit(width=120) as seat:
        await seat.sees("› Sousou no Frieren")
        seat.type("o")
        await seat.sees("2 fit,")
        seat.type("l")
        await seat.sees("Episode ‹ 14 ›")
        await seat.sees("› ★ [SubsPlease] Sousou no Frieren - 14")
        seat.type("h")
        await seat.sees("› ★ [SubsPlease] Sousou no Frieren - 13")


@pytest.mark.parametrize("fault", [503, "html", "cut"])
async def test_trouble_with_the_index_is_said_in_place_and_tried_again(evening: Evening, fault: int | str) -> None:
    evening.nyaa.fault = fault
    async with evening.sit(width=120) as seat:
        await seat.sees("› Sousou no Frieren")
        seat.type("o")
        await seat.sees("Nyaa:")
        evening.nyaa.fault = None
        seat.type("R")
        await seat.sees("2 fit,")
        await seat.sees_no("Nyaa:")


async def test_a_search_under_way_can_be_left(evening: Evening) -> None:
    evening.nyaa.delay_s = 30
    async with evening.sit() as seat:
        await seat.sees("› Sousou no Frieren")
        seat.type("o")
        await seat.sees("Looking for episode 13…")
        seat.type(ESCAPE)
        await seat.sees_no("Looking for")
        seat.type("j")
        await seat.sees("› Kaguya")


async def test_nothing_found_says_what_was_looked_for_and_shows_the_rejected(evening: Evening) -> None:
    evening.nyaa.posts.clear()
    evening.nyaa.post("[Group] Kaguya-sama [Ultra] Romantic - 12 (1080p).mkv")
    async with evening.sit(width=120) as seat:
        await seat.sees("Kaguya")
        seat.type("j")
        await seat.sees("› Kaguya")
        seat.type("o")
        await seat.sees("No release of Kaguya-sama [Ultra] Romantic episode 13 was found")
        await seat.sees("✗ [Group] Kaguya-sama [Ultra] Romantic - 12")


async def test_titles_from_the_index_are_neither_markup_nor_commands(evening: Evening) -> None:
    evening.nyaa.post("[/i][bold]Sousou no Frieren - 13 (1080p)\u202e\u2066.mkv", seeders=1)
    async with evening.sit(width=120) as seat:
        await seat.sees("› Sousou no Frieren")
        seat.type("o")
        await seat.sees("[/i][bold]Sousou no Frieren")
        assert "\u202e" not in seat.glass.text_sent
        seat.type("G")
        await seat.settled()
        seat.type(ENTER)
        await seat.sees_no("Episode ‹")


async def test_what_is_not_certain_is_marked_and_not_chosen(evening: Evening) -> None:
    media = evening.anilist.add_media("Toudaimori Nikki: Haru no Hen", episodes=24, status="FINISHED")
    evening.anilist.list_entry(evening.member, media, progress=12)
    evening.nyaa.post("[Group] Toudaimori Nikki - 13 (1080p).mkv")
    async with evening.sit(width=120) as seat:
        await seat.sees("› Toudaimori Nikki")
        seat.type("o")
        await seat.sees("› ? [Group] Toudaimori Nikki - 13 (1080p)")
        await seat.sees("Perhaps episode 13: 50 % sure")
        await seat.sees("Nothing is certain enough to be taken by itself.")
        seat.type(ENTER)
        await seat.sees("Chosen by hand.")


async def test_a_group_that_is_waited_for_is_told(evening: Evening) -> None:
    await evening.services.releases.tastes.set_show(evening.ann, MediaId(1), {"groups": ["Yoake"], "wait_min": 600})
    evening.nyaa.posts.clear()
    evening.nyaa.post("[SubsPlease] Sousou no Frieren - 13 (1080p).mkv", posted_at=datetime.now(UTC))
    async with evening.sit(width=80, height=24) as seat:
        await seat.sees("› Sousou no Frieren")
        seat.type("o")
        await seat.sees("Not fetched by itself yet: a group you prefer has 9h 59m left")
        await seat.sees("★ [SubsPlease]")


async def test_all_reasons_can_be_read_on_a_small_terminal(evening: Evening) -> None:
    async with evening.sit(width=60, height=14) as seat:
        await seat.sees("› Sousou no Frieren")
        seat.type("o")
        await seat.sees("It is episode 13")
        await seat.until(lambda: "★ 1080p before 720p" not in seat.glass.text, "no room for the last reason")
        seat.type("JJJ")
        await seat.sees("★ 1080p before 720p")
        seat.type("KKK")
        await seat.sees("It is episode 13")
