"""What a claim says of its files, and what is made of it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

import pytest

from uuutorrent.anime.anime import MediaId
from uuutorrent.releases.names import Reader
from uuutorrent.torrents.engine import InfoHash
from uuutorrent.torrents.holdings import BY_HAND, Claim, Finished, Pick
from uuutorrent.torrents.views.episodes import Shown, shows, tags
from uuutorrent.torrents.views.shownames import ShowName
from uuutorrent.torrents.views.telling import Told, by_claim
from uuutorrent.torrents.views.tree import Folder
from uuutorrent.users import UserId

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
SHOW = MediaId(7)


def finished(
    whole: Mapping[int, str],
    *picks: Pick,
    media_id: int | None = SHOW,
    episode: int | None = None,
    completed_at: datetime | None = NOON,
) -> Finished:
    claim = Claim(UserId(1), NOON - timedelta(hours=1), media_id, episode, picks=picks)
    return Finished(InfoHash("ab" * 20), "Show", "folder", claim, completed_at, whole)


def told(one: Finished) -> list[tuple[tuple[int, ...], int, tuple[int, ...]]]:
    return [(what.episodes, what.video, what.subtitles) for what in by_claim(one)]


def test_the_only_video_is_the_episode_that_was_asked_for() -> None:
    whole = {0: "Show/Show - 04.mkv", 1: "Show/Show - 04.en.ass", 2: "Show/font.ttf"}

    assert told(finished(whole, episode=4)) == [((4,), 0, (1,))]


@pytest.mark.parametrize(
    "one",
    [
        finished({0: "NCOP.mkv"}, episode=4, completed_at=None),
        finished({0: "Show - 04.mkv", 1: "NCOP.mkv"}, episode=4),
        finished({0: "lecture.mkv"}, media_id=None),
        finished({0: "notes.txt"}, episode=4),
        finished({0: "chosen.mkv"}, Pick(BY_HAND, BY_HAND, (0,)), media_id=None),
        finished({}, Pick(SHOW, 4, (0,))),
    ],
    ids=["more is to come", "two videos", "no show", "no video", "chosen by hand", "not here yet"],
)
def test_what_the_claim_does_not_say_is_not_guessed(one: Finished) -> None:
    assert told(one) == []


def test_picks_say_which_file_is_which_episode() -> None:
    whole = {3: "b/02.mkv", 4: "b/03-04.MKV", 5: "b/02.ass"}
    picks = (Pick(SHOW, 2, (3, 5)), Pick(SHOW, 3, (4,)), Pick(SHOW, 4, (4,)), Pick(SHOW, 9, (8,)))

    assert told(finished(whole, *picks)) == [((2,), 3, (5,)), ((3, 4), 4, ())]


@pytest.mark.parametrize(
    ("path", "torrent", "said"),
    [
        ("[Group] Show - 04 (1080p) [ABCD1234].mkv", "", "[1080p][Group]"),
        ("[Group] Show - 04v2 [720p].mkv", "", "[720p][Group][v2]"),
        ("04.mkv", "[Good] Show (BD 1080p)", "[1080p][Good]"),
        ("lecture.mkv", "lecture", ""),
    ],
)
def test_releases_are_told_apart_by_resolution_and_group(path: str, torrent: str, said: str) -> None:
    assert tags(path, torrent, Reader()) == said


def paths(folder: Folder, above: str = "") -> list[str]:
    below = [path for name, one in folder.folders.items() for path in paths(one, f"{above}{name}/")]
    return sorted([*(above + name for name in folder.files), *below])


def shown(title: str, media_id: int, *episodes: int, video: str = "a.mkv", mark: str = "aaaaaa") -> Shown:
    what = Told(MediaId(media_id), episodes, 0, ())
    return Shown(ShowName(title, is_film=False), what, "folder", mark, NOON, "[1080p][G]", video, ())


def test_two_shows_of_one_title_have_folders_of_their_own() -> None:
    made = shows([shown("Fruits Basket", 120, 1), shown("FRUITS BASKET", 105334, 1)])

    assert paths(made) == [
        "FRUITS BASKET (105334)/Season 01/FRUITS BASKET - S01E01 [1080p][G].mkv",
        "Fruits Basket/Season 01/Fruits Basket - S01E01 [1080p][G].mkv",
    ]
    assert made.modified_at == NOON


def test_a_file_of_several_episodes_says_so() -> None:
    assert paths(shows([shown("Show", 1, 3, 4, video="x.MKV")])) == ["Show/Season 01/Show - S01E03-E04 [1080p][G].mkv"]


def test_subtitles_have_the_name_of_their_video_whatever_mark_it_has() -> None:
    what = Told(SHOW, (4,), 0, (1, 2))
    name = ShowName("Show", is_film=False)
    every = [
        Shown(name, what, mark, mark, NOON, "", "S/04.mkv", ("S/04.en.ass", "S/German/04.srt")) for mark in ("1", "2")
    ]

    assert paths(shows(every)) == sorted(
        f"Show/Season 01/Show - S01E04{mark}{end}"
        for mark in ("", " (2)")
        for end in (".mkv", ".en.ass", ".German.srt")
    )
