from __future__ import annotations

import re
from datetime import timedelta

import pytest

from tests.servers.nyaa import made_up_torrent
from tests.tui.evening import ENTER, ESCAPE, TAB, Evening
from uuutorrent.accounts import User
from uuutorrent.anime.anime import MediaId, WatchStatus


async def test_every_show_says_how_far_one_is_and_what_comes_next(evening: Evening) -> None:
    async with evening.sit(width=120) as seat:
        await seat.sees("Dandadan")
        await seat.settled()
        lines = [line for line in seat.glass.lines if "/" in line and "ep " in line]
        frieren, kaguya, dandadan = lines
        assert re.search(r"Frieren .*█+.*▒+.*·+ +12/28 4 behind +ep 13 +ep 17 in 2d 4h", frieren)
        assert re.search(r"Kaguya-sama \[Ultra\] Romantic .* 12/13 1 behind +ep 13", kaguya)
        assert re.search(r"Dandadan .* 4/12 caught up ep 5 in 3h 1[12]m", dandadan)
        assert seat.glass.cell_at("4 behind").bold


async def test_the_card_tells_more_about_the_show_under_the_cursor(evening: Evening) -> None:
    async with evening.sit() as seat:
        await seat.sees("12 of 28 seen, 16 aired   4 behind")
        await seat.sees("Frieren: Beyond Journey's End")
        await seat.until(lambda: "葬送のフリーレン" in seat.glass.text.replace(" ", ""), "the native title")
        await seat.sees("AniList: frieren-fan")
        seat.type("j")
        await seat.sees("12 of 13 seen   1 behind")


async def test_enter_fetches_the_next_episode_and_says_what_was_chosen_and_why(evening: Evening) -> None:
    async with evening.sit() as seat:
        await seat.sees("› Sousou no Frieren")
        seat.type(ENTER)
        await seat.sees("Episode 13 of Sousou no Frieren")
        await seat.sees("[SubsPlease] Sousou no Frieren - 13")
        for step in ("watchlist", "search", "choose", "add", "link"):
            await seat.until(lambda: re.search(rf"✓ {step} \d", seat.glass.text) is not None, step)  # noqa: B023 - now
        await seat.sees("ep 13 ↓ 0 %")
        (held,) = await evening.services.library.holdings(evening.ann)
        assert (held.media_id, held.episode) == (1, 13)
        evening.engine.progress(held.infohash, 0.43)
        await seat.sees("ep 13 ↓ 43 %")
        evening.engine.complete(held.infohash)
        await seat.sees("ep 13 ready")


async def test_the_steps_are_shown_while_they_are_taken_and_escape_cancels(evening: Evening) -> None:
    evening.nyaa.gate.shut()
    async with evening.sit() as seat:
        await seat.sees("› Sousou no Frieren")
        seat.type(ENTER)
        await seat.sees("✓ watchlist")
        await seat.sees("ep 13 search")
        await seat.sees("· choose  · add  · link")
        seat.type("j")
        await seat.sees_no("· choose")
        seat.type("k")
        await seat.sees("esc cancels")
        seat.type(ESCAPE)
        await seat.sees_no("search")
        assert await evening.services.library.holdings(evening.ann) == ()
        seat.type(ENTER)
        await seat.sees("ep 13 search")


async def test_two_shows_can_be_fetched_at_once(evening: Evening) -> None:
    evening.nyaa.post("[SubsPlease] Kaguya-sama [Ultra] Romantic - 13 (1080p).mkv")
    evening.nyaa.gate.shut()
    async with evening.sit() as seat:
        await seat.sees("› Sousou no Frieren")
        seat.type(ENTER)
        await seat.sees("ep 13 search")
        seat.type("j" + ENTER)
        await seat.until(lambda: seat.glass.text.count("ep 13 search") == 2, "two searches")
        evening.nyaa.gate.open()
        await seat.until(lambda: seat.glass.text.count("ep 13 ↓") == 2, "two downloads")


async def test_what_cannot_be_found_is_said_in_place_and_the_session_lives(evening: Evening) -> None:
    async with evening.sit() as seat:
        await seat.sees("› Sousou no Frieren")
        seat.type("j" + ENTER)
        await seat.sees("✗ Episode 13: No release of Kaguya-sama [Ultra] Romantic episode 13")
        evening.nyaa.fault = 503
        seat.type("k" + ENTER)
        await seat.sees("✗ Episode 13: Nyaa:")
        await seat.sees("Press R to try again")


async def test_an_episode_that_is_not_out_is_not_looked_for(evening: Evening) -> None:
    async with evening.sit() as seat:
        await seat.sees("Dandadan")
        seat.type("G" + ENTER)
        await seat.sees("Episode 5 is not out. It airs in 3h")
        assert evening.nyaa.queries == []


async def test_what_is_ready_is_not_fetched_again_but_its_line_can_be_copied(evening: Evening) -> None:
    evening.engine.complete(await evening.fetch(1, 13))
    async with evening.sit() as seat:
        await seat.sees("Episode 13 is ready, 1.3 GiB")
        seat.type(ENTER)
        await seat.sees("Episode 13 is here already")
        seat.type("y")
        await seat.sees("Copied the line that fetches it")
        assert b"\x1b]52;c;" in seat.glass.raw


async def test_plus_and_minus_are_written_back_to_anilist(evening: Evening) -> None:
    async with evening.sit() as seat:
        await seat.sees("› Sousou no Frieren")
        seat.type("+++-")
        await seat.sees("14/28 2 behind")
        await seat.until(lambda: evening.entry(1).progress == 14, "progress at AniList")
        await seat.sees("14 of 28 seen, 16 aired   2 behind")
        await seat.sees("ep 15")


async def test_who_leaves_right_after_the_key_has_seen_the_episode_all_the_same(evening: Evening) -> None:
    async with evening.sit() as seat:
        await seat.sees("12/28")
        with evening.anilist.lock:  # meanwhile no question is looked at
            seat.type("+")
            await seat.sees("saving…")
            seat.type("q")
            await seat.end()
            assert evening.entry(1).progress == 12
        await seat.until(lambda: evening.entry(1).progress == 13, "progress at AniList")


async def test_progress_that_cannot_be_written_goes_back_and_says_why(evening: Evening) -> None:
    async with evening.sit() as seat:
        await seat.sees("12/28")
        evening.anilist.fault = 503
        seat.type("+")
        await seat.sees("AniList:")
        await seat.sees("12/28")
        assert evening.entry(1).progress == 12


@pytest.mark.parametrize(
    ("answer", "status", "progress"), [("y", "COMPLETED", 13), ("n", "CURRENT", 13), (ESCAPE, "CURRENT", 12)]
)
async def test_seeing_the_last_episode_asks_before_the_show_is_completed(
    evening: Evening, answer: str, status: str, progress: int
) -> None:
    async with evening.sit() as seat:
        await seat.sees("Kaguya")
        seat.type("j+")
        await seat.sees("Episode 13 is the last of Kaguya-sama [Ultra] Romantic.")
        seat.type(answer)
        await seat.sees_no("is the last of")
        await seat.until(lambda: (evening.entry(3).status, evening.entry(3).progress) == (status, progress))
        if answer == "y":
            await seat.sees("Kaguya-sama [Ultra] Romantic is under Completed now")
            await seat.until(lambda: seat.glass.text.count("Kaguya") == 1, "gone from the list")
        else:
            await seat.sees(f"{progress}/13")


async def test_the_parts_of_the_list_are_a_tab_away(evening: Evening) -> None:
    evening.anilist.list_entry(evening.member, evening.anilist.add_media("SPY×FAMILY"), "COMPLETED", progress=12)
    async with evening.sit() as seat:
        await seat.sees("› Sousou no Frieren")
        seat.type(TAB)
        await seat.sees("Nothing under Again.")
        for _ in range(3):
            seat.type("l")
        await seat.sees("› SPY×FAMILY")
        await seat.sees("all seen")
        seat.type("h" * 4)
        await seat.sees("› Sousou no Frieren")
        x = seat.glass.lines[1].index("Completed") + 2
        seat.type(f"\x1b[<0;{x};2M\x1b[<0;{x};2m")
        await seat.sees("› SPY×FAMILY")


async def test_a_show_can_be_moved_and_removed(evening: Evening) -> None:
    async with evening.sit() as seat:
        await seat.sees("› Sousou no Frieren")
        seat.type("s")
        await seat.sees("Move it to")
        seat.type("3")
        await seat.sees("Sousou no Frieren is under Paused now.")
        assert evening.entry(1).status == "PAUSED"
        await seat.sees("› Kaguya")
        seat.type("x")
        await seat.sees("Remove this show?")
        seat.type(ESCAPE)
        await seat.sees_no("Remove this show?")
        seat.type("x")
        await seat.sees("That you have seen 12 episodes is forgotten.")
        seat.type("x")
        await seat.sees("Kaguya-sama [Ultra] Romantic is off your list.")
        assert evening.anilist.entry(evening.member, evening.anilist.data.media[3]) is None
        await seat.sees("› Dandadan")


async def test_the_filter_finds_any_title_and_escape_shows_all_again(evening: Evening) -> None:
    async with evening.sit() as seat:
        await seat.sees("› Sousou no Frieren")
        seat.type("/かぐや")
        await seat.sees_no("Sousou")
        await seat.sees("Kaguya")
        seat.type(ENTER)
        await seat.sees("filter: かぐや"[:8])
        seat.type(ESCAPE)
        await seat.sees("Sousou no Frieren")
        seat.type("/q12")
        await seat.sees("No title here has “q12” in it.")
        seat.type(ESCAPE)
        await seat.sees("Dandadan")


async def test_an_outage_shows_the_last_list_and_says_so_in_place(evening: Evening) -> None:
    await evening.services.watchlists.list(evening.ann)
    evening.anilist.fault = "outage"
    evening.services.watchlists._linked._users.clear()
    async with evening.sit() as seat:
        await seat.sees("› Sousou no Frieren")
        await seat.sees("This list is from")
        await seat.sees("R tries again.")
        evening.anilist.fault = None
        seat.type("R")
        await seat.sees_no("R tries again.")


async def test_a_refused_token_says_where_to_sign_in_again(evening: Evening) -> None:
    evening.anilist.revoke(evening.member)
    async with evening.sit() as seat:
        await seat.sees("AniList does not accept your sign-in any more")
        await seat.sees("Account")
        assert "R tries again" not in seat.glass.text


async def test_a_sign_in_that_ends_soon_is_said(evening: Evening) -> None:
    member = evening.anilist.add_user("soon", expires_in=timedelta(days=20))
    await evening.services.watchlists.link(evening.ann, member.token)
    async with evening.sit() as seat:
        await seat.sees("AniList forgets this sign-in on")


async def test_who_comes_for_the_first_time_is_told_how_to_begin_and_can_add_a_show(evening: Evening) -> None:
    await evening.without_link()
    async with evening.sit() as seat:
        await seat.sees("Nothing here yet.")
        await seat.sees("look a show up by its title")
        await seat.sees("link AniList to keep the list you have there")
        await seat.sees("kept here")
        seat.type("a")
        await seat.sees("Add a show")
        seat.type("frieren" + ENTER)
        await seat.sees("› Sousou no Frieren")
        seat.type(ENTER)
        await seat.sees("Sousou no Frieren is on your list, under Watching.")
        await seat.sees("0/28")
        seat.type("+")
        await seat.sees("1 of 28 seen")
        await seat.sees_no("saving…")
        entry = await evening.services.watchlists.entry(evening.ann, MediaId(1))
        assert entry is not None
        assert (entry.progress, entry.status) == (1, WatchStatus.CURRENT)


async def test_what_goes_wrong_while_adding_is_said_in_the_dialog(evening: Evening) -> None:
    async with evening.sit() as seat:
        await seat.sees("› Sousou no Frieren")
        seat.type("a")
        await seat.sees("Add a show")
        seat.type("nothing like that" + ENTER)
        await seat.sees("AniList knows no such show.")
        await seat.clears()
        seat.type("dandadan" + ENTER)
        await seat.sees("› Dandadan")
        seat.type(ENTER)
        await seat.sees("Dandadan is on your list already")
        seat.type(ESCAPE)
        await seat.sees_no("Add a show")


async def test_a_batch_that_is_held_counts_for_the_next_episode(evening: Evening) -> None:
    title = "[Judas] Sousou no Frieren (Season 1) [1080p] (Batch)"
    post = evening.nyaa.post(title, torrent=made_up_torrent(title, 1_000_000))
    grab = await evening.services.grabs.get(evening.ann, 1, 13, infohash=post.infohash, whole_batch=True)
    assert grab.infohash is not None, grab.reason
    evening.engine.complete(grab.infohash)
    async with evening.sit() as seat:
        await seat.sees("ep 13 ready")
        await seat.sees("A batch with it is ready")


async def test_the_torrent_of_a_show_is_one_key_away(evening: Evening) -> None:
    await evening.fetch(1, 12)
    await evening.fetch(1, 13)
    await evening.fetch(1, 14)
    async with evening.sit() as seat:
        await seat.sees("ep 13 ↓")
        seat.type("d")
        await seat.sees("› Sousou no Frieren - 13")


async def test_other_peoples_downloads_are_not_shown_as_mine(evening: Evening, bob: User) -> None:
    await evening.fetch(1, 13, by=bob)
    async with evening.sit() as seat:
        await seat.sees("› Sousou no Frieren")
        await evening.services.live.refresh()
        await seat.settled()
        assert "↓" not in seat.glass.text


@pytest.mark.parametrize(("width", "height"), [(80, 24), (40, 12)])
async def test_a_small_terminal_shows_what_matters(evening: Evening, width: int, height: int) -> None:
    async with evening.sit(width=width, height=height) as seat:
        await seat.sees("› Sousou no Frieren")
        await seat.sees("ep 13")
        await seat.sees("ep 5 in 3h")
        await seat.sees("Watching")
        assert all(len(line) <= width for line in seat.glass.lines)


async def test_a_feed_rule_for_the_show_is_one_key_away(evening: Evening) -> None:
    async with evening.sit() as seat:
        await seat.sees("› Sousou no Frieren")
        seat.type("f")
        await seat.sees("Add a feed rule")
        await seat.sees("q=Sousou+no+Frieren")
        seat.type(ENTER)
        await seat.sees("New episodes of Sousou no Frieren")
    (rule,) = await evening.services.feeds.rulebook.rules(evening.ann)
    assert (rule.saving.media_id, rule.url) == (1, f"{evening.nyaa.url}/?page=rss&c=1_2&q=Sousou+no+Frieren")
