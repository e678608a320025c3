from dataclasses import replace

import pytest

from uuutorrent.anime.anime import Anime, MediaId, WatchEntry, WatchStatus

SHOW = Anime(MediaId(1), romaji="Sousou no Frieren", english="Frieren", native="葬送のフリーレン", preferred="Frieren")


def test_titles_are_distinct_and_the_preferred_one_is_first() -> None:
    titled = replace(SHOW, synonyms=("Frieren at the Funeral", "Sousou no Frieren", ""))
    assert titled.titles == ("Frieren", "Sousou no Frieren", "葬送のフリーレン", "Frieren at the Funeral")
    assert titled.title == "Frieren"


def test_a_show_without_any_title_is_still_called_something() -> None:
    assert replace(SHOW, romaji="", english="", native="", preferred="").title == "anime 1"


@pytest.mark.parametrize(
    ("status", "episodes", "next_episode", "aired"),
    [
        ("FINISHED", 12, None, 12),
        ("RELEASING", 24, 8, 7),
        ("RELEASING", None, 1100, 1099),
        ("RELEASING", None, None, None),
        ("NOT_YET_RELEASED", 12, None, 0),
        ("NOT_YET_RELEASED", None, 1, 0),
    ],
)
def test_what_has_aired_is_what_comes_before_the_next_one(
    status: str, episodes: int | None, next_episode: int | None, aired: int | None
) -> None:
    assert replace(SHOW, status=status, episodes=episodes, next_episode=next_episode).aired == aired


@pytest.mark.parametrize(
    ("progress", "next_episode", "behind"), [(0, 1, 7), (5, 6, 2), (7, 8, 0), (8, 9, 0), (24, None, 0)]
)
def test_an_entry_knows_what_comes_next_and_how_far_it_is_behind(
    progress: int, next_episode: int | None, behind: int
) -> None:
    entry = WatchEntry(replace(SHOW, status="RELEASING", episodes=24, next_episode=8), WatchStatus.CURRENT, progress)
    assert (entry.next_episode, entry.behind) == (next_episode, behind)
