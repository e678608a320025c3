from collections.abc import Mapping
from datetime import UTC, datetime

import pytest

from uuutorrent.anime.anime import MediaId, WatchStatus
from uuutorrent.anime.answers import (
    clean,
    parse_anime,
    parse_collection,
    parse_entry,
    parse_kin,
    parse_page_entry,
    parse_page_entry_id,
    parse_page_media,
    parse_saved,
    parse_viewer,
)

BARE = {"id": 5, "type": "ANIME"}
NULLS = ("title", "coverImage", "nextAiringEpisode", "synonyms", "relations", "startDate", "episodes", "format")


def test_a_show_is_read_in_full() -> None:
    anime = parse_anime(
        {
            "id": 154587,
            "type": "ANIME",
            "format": "TV",
            "status": "RELEASING",
            "episodes": 28,
            "duration": 24,
            "seasonYear": 2023,
            "isAdult": False,
            "siteUrl": "https://anilist.co/anime/154587",
            "synonyms": ["Frieren at the Funeral", None, ""],
            "title": {"romaji": "Sousou no Frieren", "english": None, "native": "葬送", "userPreferred": "葬送"},
            "startDate": {"year": 2022},
            "coverImage": {"extraLarge": None, "large": "https://s4.anilist.co/a.jpg", "color": "#D6F1C9"},
            "nextAiringEpisode": {"airingAt": 1_700_000_000, "episode": 10},
            "relations": {"edges": [{"relationType": "SOURCE", "node": {"id": 9, "type": "MANGA"}}]},
        }
    )
    assert anime is not None
    assert (anime.romaji, anime.english, anime.preferred) == ("Sousou no Frieren", "", "葬送")
    assert anime.synonyms == ("Frieren at the Funeral",)
    assert (anime.episodes, anime.next_episode, anime.aired, anime.year) == (28, 10, 9, 2023)
    assert anime.next_airs_at == datetime(2023, 11, 14, 22, 13, 20, tzinfo=UTC)
    assert (anime.cover_url, anime.cover_colour) == ("https://s4.anilist.co/a.jpg", "#d6f1c9")
    assert anime.relatives == (), "a manga is no relative here"


@pytest.mark.parametrize("value", [None, [], {}, "text", 7, [None], {"edges": None}, {"edges": [None, {}]}])
def test_a_show_is_read_whatever_stands_in_its_fields(value: object) -> None:
    anime = parse_anime({**BARE, **dict.fromkeys(NULLS, value)})
    assert anime is not None
    assert anime.media_id == 5
    assert anime.relatives == ()


@pytest.mark.parametrize("value", [None, {}, {"id": None}, {"id": "5"}, {"id": True}, [], "show"])
def test_a_show_without_an_id_is_none(value: object) -> None:
    assert parse_anime(value) is None


@pytest.mark.parametrize("colour", ["red", "#12345", "#gggggg", "#ffffff; x", None])
def test_a_colour_that_is_none_is_empty(colour: str | None) -> None:
    anime = parse_anime({**BARE, "coverImage": {"color": colour}})
    assert anime is not None
    assert anime.cover_colour == ""


@pytest.mark.parametrize("at", [0, -5, 10**12, 2**63, "soon"])
def test_a_time_that_cannot_be_is_none(at: object) -> None:
    anime = parse_anime({**BARE, "nextAiringEpisode": {"airingAt": at, "episode": 3}})
    assert anime is not None
    assert anime.next_airs_at is None
    assert anime.next_episode == 3


def test_text_from_outside_is_one_clean_line() -> None:
    assert clean("a\x1b[31m\nb\tc\u202ed\x00  e\u3000f") == "a[31m b cd e f"
    assert clean("  葬送の  フリーレン ") == "葬送の フリーレン"
    assert len(clean("x" * 10_000)) == 500


def test_an_entry_found_on_several_lists_is_one_and_takes_the_lists_status_if_it_has_none() -> None:
    entry = {"id": 1, "status": None, "progress": None, "updatedAt": None, "media": BARE}
    answer: Mapping[str, object] = {
        "MediaListCollection": {
            "hasNextChunk": None,
            "lists": [
                None,
                {"status": "CURRENT", "entries": [entry, None, {"id": 2, "status": "CURRENT", "media": None}]},
                {"status": None, "entries": [entry, {**entry, "id": 3}]},
                {"status": "CURRENT", "entries": None},
            ],
        }
    }
    parsed = parse_collection(answer)
    assert parsed is not None
    assert list(parsed[0]) == [1]
    assert parsed[0][1].status is WatchStatus.CURRENT
    assert parsed[0][1].progress == 0
    assert parsed[1] is False


def test_an_entry_of_another_show_is_never_taken_for_the_one_asked_for() -> None:
    answer = {"Page": {"mediaList": [None, {"id": 7, "mediaId": 6}, {"id": 8, "mediaId": 5}]}}
    assert parse_page_entry_id(MediaId(5), answer) == 8
    assert parse_page_entry_id(MediaId(4), answer) is None


def test_a_status_from_a_later_version_is_left_out() -> None:
    assert parse_entry({"id": 1, "status": "POSTPONED", "media": BARE}) is None


def test_answers_without_their_root_are_none() -> None:
    assert parse_collection({"MediaListCollection": None}) is None
    assert parse_page_media({"Page": None}) is None
    assert parse_page_entry(MediaId(5), {"Page": {"mediaList": [{"id": None, "mediaId": 5}]}}) is None
    assert parse_saved({"SaveMediaListEntry": None}) is None
    assert parse_viewer({"Viewer": {"id": 1, "name": None}}) is None
    assert parse_kin({"Page": None}) == {}
