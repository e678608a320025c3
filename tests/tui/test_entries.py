from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from uuutorrent.anime.anime import Anime, MediaId, WatchEntry, WatchStatus
from uuutorrent.torrents.engine import InfoHash, Phase
from uuutorrent.torrents.holdings import Holding
from uuutorrent.tui import entries
from uuutorrent.tui.cells import Bar, Piece
from uuutorrent.tui.entries import View
from uuutorrent.tui.fetch import Fetch

NOW = datetime(2026, 11, 3, 12, tzinfo=UTC)
SHOW = Anime(
    MediaId(1), "Romaji", "English", "日本語", "Romaji", status="RELEASING", episodes=12, next_episode=6,
    next_airs_at=NOW + timedelta(days=2, hours=4),
)  # fmt: skip
OVER = replace(SHOW, next_episode=None, next_airs_at=None, status="FINISHED")
HELD = Holding(
    InfoHash("ab" * 20), "name", Phase.DOWNLOADING, 0.43, 1 << 30, 0, 0, 0, None, 0, 0, 0, NOW, None, 1, 4,
    shared=False, owners=(), sequential=False, down_limit_bps=0, up_limit_bps=0, note="",
)  # fmt: skip


def view(progress: int = 3, *, status: WatchStatus = WatchStatus.CURRENT, anime: Anime = SHOW, **more: object) -> View:
    return replace(View(WatchEntry(anime, status, progress), NOW), **more)  # type: ignore[arg-type]  # a test's shorthand


def cell(seen: View, column: str) -> str:
    place = [one.id for one in entries.COLUMNS].index(column)
    found = entries.row(seen).cells[place]
    assert not isinstance(found, Bar)
    return found.text if isinstance(found, Piece) else found


def card(seen: View) -> str:
    return "\n".join("".join(span.text for span in (*line.left, *line.right)) for line in entries.card(seen, width=80))


@pytest.mark.parametrize(
    ("seen", "behind", "then"),
    [
        (view(3), "2 behind", "ep 4"),
        (view(5), "caught up", "ep 6 in 2d 4h"),
        (view(12), "", "all seen"),
        (view(3, status=WatchStatus.PAUSED), "2 left", "ep 4"),
        (view(0, anime=replace(OVER, status="NOT_YET_RELEASED")), "caught up", "ep 1 not out"),
        (view(7, anime=replace(OVER, episodes=None)), "caught up", "ep 8"),
        (view(3, holdings=(HELD,)), "2 behind", "ep 4 ↓ 43 %"),
        (view(3, holdings=(replace(HELD, phase=Phase.SEEDING, progress=1.0),)), "2 behind", "ep 4 ready"),
        (view(3, holdings=(replace(HELD, phase=Phase.PAUSED),)), "2 behind", "ep 4 paused"),
        (view(3, holdings=(replace(HELD, phase=Phase.ERROR),)), "2 behind", "ep 4 error"),
        (view(3, holdings=(replace(HELD, phase=Phase.MISSING),)), "2 behind", "ep 4 files lost"),
        (view(3, holdings=(replace(HELD, episode=None),)), "2 behind", "ep 4 ↓ 43 %"),
        (view(3, holdings=(replace(HELD, episode=5),)), "2 behind", "ep 4"),
    ],
)
def test_a_row_says_what_to_do_next(seen: View, behind: str, then: str) -> None:
    assert (cell(seen, "behind"), cell(seen, "next")) == (behind, then)


def test_an_episode_counts_as_aired_from_the_moment_it_airs() -> None:
    later = view(5, now=NOW + timedelta(days=2, hours=4, seconds=1))
    assert (later.behind, later.is_out, cell(later, "next"), cell(later, "airs")) == (1, True, "ep 6", "")


def test_what_goes_on_comes_before_what_is_held() -> None:
    assert cell(view(3, holdings=(HELD,), fetch=Fetch(4)), "next").endswith("ep 4 starting")


def test_an_episode_of_its_own_is_preferred_to_a_batch() -> None:
    batch = replace(HELD, episode=None, progress=1.0, phase=Phase.SEEDING)
    assert view(3, holdings=(batch, HELD)).held is HELD


def test_shows_with_something_to_see_come_first_then_what_airs_soonest() -> None:
    sooner = replace(SHOW, media_id=MediaId(2), next_airs_at=NOW + timedelta(hours=1))
    over = replace(OVER, media_id=MediaId(3))
    shows = [view(12, anime=over), view(5), view(5, anime=sooner), view(1)]
    assert entries.in_order(shows) == [shows[3], shows[2], shows[1], shows[0]]
    elsewhere = [replace(one, entry=replace(one.entry, status=WatchStatus.PAUSED)) for one in shows]
    assert entries.in_order(elsewhere) == elsewhere


def test_the_card_has_the_other_titles_and_the_figures() -> None:
    said = card(view(3))
    assert "Romaji  English · 日本語" in said
    assert "3 of 12 seen, 5 aired   2 behind" in said
    assert "Next: episode 4" in said
    assert "episode 6 airs in 2d 4h" in said


def test_the_card_tells_of_the_torrent() -> None:
    said = card(view(3, holdings=(replace(HELD, down_bps=1 << 20, eta_s=600, note="Waiting for qBittorrent."),)))
    assert "Episode 4 downloading · 43 % of 1.0 GiB · 1.0 MiB/s · 10m left" in said
    assert "Waiting for qBittorrent." in said


def test_a_show_whose_length_nobody_knows_has_a_bar_all_the_same() -> None:
    endless = replace(SHOW, episodes=None, next_episode=1103)
    seen = view(1100, anime=endless)
    bar = entries.row(seen).cells[1]
    assert bar == Bar(1100 / 1102, "bar", until=1.0)
    assert cell(seen, "seen") == "1100/?"
