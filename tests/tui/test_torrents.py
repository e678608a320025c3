from __future__ import annotations

import re

import pytest

from tests.tui.evening import ENTER, ESCAPE, TAB, Evening, paste
from tests.tui.screen import Seat
from uuutorrent.accounts import Accounts, Admin, User
from uuutorrent.torrents.engine import InfoHash, Peer, Phase, Tracker
from uuutorrent.tui.app import UuuApp

MAGNET = f"magnet:?xt=urn:btih:{'ab' * 20}&dn=Some%20%5BShow%5D%20-%2001"


@pytest.fixture
async def three(evening: Evening) -> tuple[InfoHash, InfoHash, InfoHash]:
    """Three torrents of Ann's, the last one the newest."""
    a, b, c = [await evening.fetch(1, number) for number in (12, 13, 14)]
    evening.engine.progress(a, 0.25, down_bps=1 << 20)
    evening.engine.complete(b)
    evening.engine.change(c, phase=Phase.STALLED, progress=0.5)
    await evening.services.live.refresh()
    return a, b, c


Three = tuple[InfoHash, InfoHash, InfoHash]


async def go_to(seat: Seat[UuuApp], number: int, *, downs: int) -> None:
    """To the torrents, and down to the one of an episode."""
    seat.type("2")
    await seat.sees("› Sousou no Frieren - 14")
    seat.type("j" * downs)
    await seat.sees(f"› Sousou no Frieren - {number}")


async def test_every_torrent_says_where_it_is_and_moves_on_by_itself(evening: Evening, three: Three) -> None:
    async with evening.sit(width=130) as seat:
        seat.type("2")
        await seat.sees("3 torrents  ↓ 1.0 MiB/s  3.9 GiB of 50 GiB used")
        await seat.sees("Frieren - 12")
        await seat.settled()
        rows = [line for line in seat.glass.lines if "Frieren - " in line]
        assert re.search(r"› Sousou no Frieren - 14 \(1080p\) .*stalled .*█+·+ +50 % +1.3 GiB", rows[0])
        assert re.search(r"Sousou no Frieren - 13 \(1080p\) .*seeding .*█+ +100 % +1.3 GiB", rows[1])
        assert re.search(r"Sousou no Frieren - 12 .*downloading .* 25 % +1.3 GiB +1.0 MiB/s .*1m", rows[2])
        evening.engine.progress(three[0], 0.77)
        await seat.sees(" 77 % ")


async def test_who_has_none_is_told_how_to_get_some(evening: Evening) -> None:
    async with evening.sit() as seat:
        seat.type("2")
        await seat.sees("No torrents yet. Fetch an episode under 1 Watchlist, or press a and paste a magnet.")


async def test_pausing_and_going_on(evening: Evening, three: Three) -> None:
    async with evening.sit() as seat:
        await go_to(seat, 12, downs=2)
        seat.type("p")
        await seat.sees("Paused [SubsPlease] Sousou no Frieren - 12")
        await seat.until(lambda: evening.engine.get(three[0]).phase is Phase.PAUSED)
        await seat.sees("paused")
        seat.type("p")
        await seat.sees("Resumed")
        await seat.until(lambda: evening.engine.get(three[0]).phase is Phase.DOWNLOADING)


async def test_several_are_marked_and_changed_at_once(evening: Evening, three: Three) -> None:
    async with evening.sit() as seat:
        seat.type("2")
        await seat.sees("› Sousou no Frieren - 14")
        seat.type("  ")
        await seat.sees("2 marked")
        seat.type("c")
        await seat.sees("Checking 2 torrents.")
        phases = [evening.engine.get(one).phase for one in three]
        assert phases == [Phase.DOWNLOADING, Phase.CHECKING, Phase.CHECKING]
        seat.type(ESCAPE)
        await seat.sees_no("2 marked")


@pytest.mark.parametrize(("answer", "verb"), [("f", "delete with files"), ("k", "delete")])
async def test_deleting_asks_and_says_what_is_lost(evening: Evening, three: Three, answer: str, verb: str) -> None:
    async with evening.sit() as seat:
        await go_to(seat, 13, downs=1)
        seat.type("x")
        await seat.sees("Delete this torrent?")
        await seat.sees("Delete, files too (1.3 GiB are here)")
        await seat.sees("cannot fetch the files over SFTP")
        seat.type(ESCAPE)
        await seat.sees_no("Delete this torrent?")
        seat.type("x")
        await seat.sees("Delete this torrent?")
        seat.type(answer)
        await seat.sees("Deleted [SubsPlease] Sousou no Frieren - 13")
        await seat.sees("2 torrents")
        assert f"{verb} {three[1]}" in evening.engine.calls


async def test_deleting_what_others_have_too_says_that_it_stays(evening: Evening, three: Three, bob: User) -> None:
    await evening.fetch(1, 13, by=bob)
    async with evening.sit() as seat:
        await go_to(seat, 13, downs=1)
        seat.type("x")
        await seat.sees("Others have it too: for them nothing changes, and the files stay.")
        seat.type("f")
        await seat.sees("is off your list. Others claim it too")
        await seat.sees("2 torrents")
        assert evening.engine.has(three[1])
        assert len(await evening.services.library.holdings(bob)) == 1


async def test_what_others_fetch_too_is_not_paused_for_them(evening: Evening, three: Three, bob: User) -> None:
    await evening.fetch(1, 12, by=bob)
    async with evening.sit() as seat:
        await go_to(seat, 12, downs=2)
        seat.type("p")
        await seat.sees("so it goes on")
        assert evening.engine.get(three[0]).phase is Phase.DOWNLOADING


async def test_a_magnet_is_added_from_the_dialog_or_just_pasted(evening: Evening) -> None:
    async with evening.sit() as seat:
        seat.type("2")
        await seat.sees("No torrents yet")
        seat.type("a")
        await seat.sees("Add a torrent")
        await seat.sees("ssh -p 2222 ann@seedbox add - < file.torrent")
        seat.type("nonsense" + ENTER)
        await seat.until(lambda: any(word in seat.glass.text for word in ("magnet", "address")), "what to give instead")
        seat.type(ESCAPE)
        await seat.sees_no("Add a torrent")
        paste(seat, MAGNET + "\n")
        await seat.sees("Add a torrent")
        seat.type(ENTER)
        await seat.sees("Added Some [Show] - 01.")
        await seat.sees("asking peers")
        assert evening.engine.has("ab" * 20)


async def test_what_is_refused_is_said_in_the_dialog(evening: Evening) -> None:
    async with evening.sit() as seat:
        seat.type("2")
        await seat.sees("No torrents yet")
        paste(seat, "http://10.0.0.1/x.torrent")
        await seat.sees("Add a torrent")
        seat.type(ENTER)
        await seat.until(lambda: "10.0.0.1" in seat.glass.text and "dd a torrent" in seat.glass.text)
        await seat.sees_no("Fetching the .torrent")
        assert evening.engine.calls == []


async def test_details_show_files_trackers_and_peers_of_the_torrent_under_the_cursor(
    evening: Evening, three: Three
) -> None:
    evening.engine.trackers_of[three[2]] = (Tracker("udp://tracker.example:80", "working", 912, 34, "[b]hello"),)
    evening.engine.peers_of[three[2]] = (Peer("203.0.113.7:51413", "qBittorrent/4.6", 1.0, 1 << 20, 0),)
    async with evening.sit() as seat:
        seat.type("2")
        await seat.sees("› Sousou no Frieren - 14")
        seat.type(ENTER)
        await seat.sees("files 1   trackers 1   peers 1")
        await seat.sees("normal")
        seat.type("l")
        await seat.sees("udp://tracker.example:80")
        await seat.sees("912/34")
        await seat.sees("[b]hello")
        seat.type("l")
        await seat.sees("203.0.113.7:51413")
        seat.type("j")
        await seat.sees("No peers just now.")
        await seat.sees("y copies  scp -P 2222 -r")
        seat.type("y")
        await seat.sees("Copied the line that fetches it")
        seat.type(ESCAPE)
        await seat.sees_no("peers 0")
        await evening.services.live.refresh()


async def test_a_file_can_be_skipped_and_come_first(evening: Evening) -> None:
    evening.engine.calls.clear()
    await evening.services.library.add_given(evening.ann, MAGNET)
    evening.engine.metadata("ab" * 20, "Some Show", {"Some Show/01.mkv": 700 << 20, "Some Show/02.mkv": 700 << 20})
    await evening.services.live.refresh()
    async with evening.sit() as seat:
        seat.type("2")
        await seat.sees("Some Show")
        seat.type("d")
        await seat.sees("files 2")
        seat.type(TAB)
        await seat.sees("› Some Show/01.mkv")
        seat.type("j")
        await seat.sees("› Some Show/02.mkv")
        seat.type("w")
        await seat.sees("1 file: skip.")
        await seat.sees("skip")
        seat.type("k+")
        await seat.sees("1 file: high.")
        assert [file.priority for file in await evening.engine.files(evening.engine.id_of("ab" * 20))] == [6, 0]
        seat.type(" +")
        await seat.sees("1 file: highest.")


async def test_limits_and_order(evening: Evening, three: Three) -> None:
    async with evening.sit() as seat:
        seat.type("2")
        await seat.sees("› Sousou no Frieren - 14")
        seat.type("m")
        await seat.sees("Speed limits")
        seat.type("fast" + ENTER)
        await seat.sees("fast is no speed: type a number of KiB/s such as 500, or 2M")
        await seat.clears()
        seat.type("500" + TAB)
        await seat.settled()
        seat.type("1.5M" + ENTER)
        await seat.sees("Limits are set for")
        torrent = evening.engine.get(three[2])
        assert (torrent.down_limit_bps, torrent.up_limit_bps) == (500 << 10, 3 << 19)
        seat.type("o")
        await seat.sees("In order: from the first byte to the last.")
        assert evening.engine.get(three[2]).sequential
        seat.type("d")
        await seat.sees("in order · ↓ at most 500 KiB/s · ↑ at most 1.5 MiB/s")


async def test_sorting_by_key_and_by_a_click_on_a_title(evening: Evening, three: Three) -> None:
    async with evening.sit(width=130) as seat:

        async def sees_order(*numbers: str) -> None:
            line = re.compile(r"Frieren - (\d\d) .*%")
            await seat.until(lambda: line.findall(seat.glass.text) == list(numbers), f"the order {numbers}")

        seat.type("2")
        await seat.sees("by newest")
        await sees_order("14", "13", "12")
        seat.type("s")
        await seat.sees("Name ▲")
        await sees_order("12", "13", "14")
        seat.type("S")
        await seat.sees("Name ▼")
        await sees_order("14", "13", "12")
        x = seat.glass.lines[2].index("Done") + 2
        seat.type(f"\x1b[<0;{x};3M\x1b[<0;{x};3m")
        await seat.sees("Done ▲")
        await sees_order("12", "14", "13")


async def test_the_filter_narrows_and_escape_widens(evening: Evening, three: Three) -> None:
    async with evening.sit() as seat:
        seat.type("2")
        await seat.sees("› Sousou no Frieren - 14")
        seat.type("/frieren 13" + ENTER)
        await seat.sees_no("Frieren - 12")
        await seat.sees("› Sousou no Frieren - 13")
        seat.type(ESCAPE)
        await seat.sees("Frieren - 12")


async def test_while_the_engine_is_away_the_screen_says_so_and_since_when(evening: Evening, three: Three) -> None:
    async with evening.sit() as seat:
        seat.type("2")
        await seat.sees("3 torrents")
        evening.engine.go_down()
        await evening.services.live.refresh()
        await seat.sees("UTC, and what you see is from then.")
        await seat.sees("Frieren - 12")
        seat.type("c")
        await seat.sees("Press R to try again")
        evening.engine.come_back()
        await evening.services.live.refresh()
        await seat.sees_no("It was last seen")


async def test_admins_may_look_at_everybodys_but_change_only_their_own(
    evening: Evening, three: Three, accounts: Accounts, boss: Admin
) -> None:
    await evening.fetch(1, 12, by=boss.user)
    async with evening.sit(as_=boss.user, width=140) as seat:
        seat.type("2")
        await seat.sees("1 torrent ")
        seat.type("A")
        await seat.sees("everybody's  3 torrents")
        await seat.sees("ann, boss │ Sousou no Frieren - 12")
        await seat.sees("ann │ Sousou no Frieren - 14")
        seat.type("gp")
        await seat.sees("Other people's torrents can be seen here, not changed.")
        assert evening.engine.get(three[2]).phase is Phase.STALLED
        seat.type("A")
        await seat.sees_no("everybody's")


async def test_who_is_no_admin_is_not_shown_others_torrents(evening: Evening, three: Three, bob: User) -> None:
    async with evening.sit(as_=bob) as seat:
        seat.type("2")
        await seat.sees("No torrents yet")
        seat.type("A")
        await seat.settled()
        assert "everybody's" not in seat.glass.text


async def test_names_from_outside_are_neither_markup_nor_commands(evening: Evening) -> None:
    name = "Evil%20%5B%2Fi%5D%5Bbold%5D%1b%5D52%3Bc%3BZXZpbA%3D%3D%07%E2%80%AE"
    await evening.services.library.add_given(evening.ann, f"magnet:?xt=urn:btih:{'cd' * 20}&dn={name}")
    async with evening.sit() as seat:
        seat.type("2")
        await seat.sees("Evil [/i][bold]")
        seat.type("d")
        await seat.settled()
        seat.type("x")
        await seat.sees("Delete this torrent?")
        seat.type("k")
        await seat.sees("Deleted Evil [/i][bold]")
        assert b"\x1b]52" not in seat.glass.raw
        assert "\u202e" not in seat.glass.text_sent


async def test_a_low_terminal_shows_the_details_alone(evening: Evening, three: Three) -> None:
    async with evening.sit(width=40, height=12) as seat:
        seat.type("2")
        await seat.sees("› Sousou no Frieren - 14 (1080p)")
        seat.type("d")
        await seat.sees("files 1")
        await seat.sees_no("Frieren - 12")
        seat.type(ESCAPE)
        await seat.sees("Frieren - 12")


async def test_every_program_has_its_line_and_a_phone_a_code(evening: Evening, three: Three) -> None:
    async with evening.sit(height=32) as seat:
        await go_to(seat, 13, downs=1)
        seat.type(ENTER)
        await seat.sees("Y sftp, rclone, mpv  K code")
        seat.type("Y")
        await seat.sees("Get [SubsPlease] Sousou no Frieren - 13")
        for line in ("c  scp        scp -P 2222 -r", "s  sftp       sftp -P 2222", "r  rclone     rclone copy -P"):
            await seat.sees(line)
        seat.type("r")
        await seat.sees("Copied the line for rclone")
        seat.type("K")
        await seat.sees("Point a camera at it")
        await seat.sees("sftp://ann@")
        seat.type(ESCAPE)
        await seat.sees_no("Point a camera")


async def test_there_are_no_lines_for_what_is_not_complete(evening: Evening, three: Three) -> None:
    async with evening.sit() as seat:
        await go_to(seat, 12, downs=2)
        seat.type("Y")
        await seat.sees("It is not complete yet")
