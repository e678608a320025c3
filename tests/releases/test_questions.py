from dataclasses import replace

from tests.servers.nyaa_query import compiled
from uuutorrent.anime.anime import Anime, Family, MediaId
from uuutorrent.releases.questions import LONGEST_QUERY, Questions

FIRST = Anime(
    MediaId(1),
    "Re:Zero kara Hajimeru Isekai Seikatsu",
    "Re:ZERO -Starting Life in Another World-",
    "Re:ゼロから始める異世界生活",
    "",
    episodes=25,
)
SECOND = replace(
    FIRST,
    media_id=MediaId(2),
    romaji="Re:Zero kara Hajimeru Isekai Seikatsu 2nd Season",
    english="Re:ZERO -Starting Life in Another World- Season 2",
    native="Re:ゼロから始める異世界生活 2nd season",
    episodes=13,
)
FAMILY = Family(SECOND, offset=25, season=2, prequels=(FIRST,), others={})


def finds(query: str, title: str) -> bool:
    return compiled(query)(title)


def alone(title: str, **more: object) -> Family:
    return Family(replace(Anime(MediaId(9), title, "", "", ""), **more), offset=0, season=1)  # type: ignore[arg-type] # a field by name


def test_titles_are_asked_without_season_or_punctuation() -> None:
    asked = Questions(FAMILY, 3).titles
    assert asked == (
        '"Re Zero kara Hajimeru Isekai Seikatsu"|"Re ZERO Starting Life in Another World"|"Re ゼロから始める異世界生活"'
    )
    assert finds(asked, "[SubsPlease] Re Zero kara Hajimeru Isekai Seikatsu - 28 (1080p)")
    assert finds(asked, "Re.ZERO.Starting.Life.in.Another.World.S02E03.1080p.WEB-DL")
    assert not finds(asked, "[SubsPlease] Isekai Seikatsu - 28 (1080p)")


def test_numbers_are_asked_in_each_form() -> None:
    asked = Questions(FAMILY, 3).numbered
    assert asked.endswith(" (03|003|e03|ep03|s02e03|28)")
    for form in ("- 03", "S02E03", "- 28v2", "E03", "- 003"):
        assert finds(asked, f"[G] Re Zero kara Hajimeru Isekai Seikatsu {form} [1080p]"), form
    assert not finds(asked, "[G] Re Zero kara Hajimeru Isekai Seikatsu - 14 [1080p]")


def test_a_title_that_another_begins_is_not_asked_twice() -> None:
    asked = Questions(
        alone("Dandadan", english="DAN DA DAN", synonyms=("Dandadan: the first", "DAN DA DAN TV")), 1
    ).titles
    assert asked == '"Dandadan"|"DAN DA DAN"'


def test_a_phrase_never_mixes_words_of_both_indexes() -> None:
    asked = Questions(alone("Kimi to Antidisestablishmentarianism"), 1).titles
    assert asked == '"Kimi to"'
    assert Questions(alone("Antidisestablishmentarianism no Kimi"), 1).titles == '"Antidisestablishmentarianism"'


def test_a_possessive_is_found_in_both_spellings() -> None:
    asked = Questions(alone("Frieren: Beyond Journey's End Season 2"), 1).titles
    assert finds(asked, "Frieren.Beyond.Journeys.End.S02E01.1080p")
    assert finds(asked, "[G] Frieren: Beyond Journey's End - 01")
    assert Questions(alone("Queen's Blade"), 1).titles == '"Queen\'s Blade"'


def test_signs_with_a_meaning_are_left_out() -> None:
    for title in ('-X- "Y" (Z) | W', "SPY×FAMILY", "Kaguya-sama wa Kokurasetai?", "K-ON!"):
        for phrase in Questions(alone(title), 1).titles.split("|"):
            assert not set('"|()-!?') & set(phrase.strip('"')), phrase
    asked = Questions(alone("SPY×FAMILY"), 1).titles
    assert finds(asked, "[G] Spy x Family - 01")
    assert finds(asked, "[G] SPY×FAMILY - 01")


def test_a_very_short_title_is_asked_when_it_is_all_there_is() -> None:
    assert Questions(alone("86"), 1).titles == '"86"'
    assert Questions(alone("86", english="86 EIGHTY-SIX"), 1).titles == '"86 EIGHTY SIX"'
    assert Questions(alone("☆"), 1).titles == '"☆"'


def test_a_query_stays_short() -> None:
    synonyms = tuple(f"{letter * 14} title number {letter}" for letter in "abcdefghijklmnop")
    assert len(Questions(alone("Main", synonyms=synonyms), 1).titles) <= LONGEST_QUERY


def test_the_plain_question_has_no_grammar() -> None:
    assert Questions(FAMILY, 3).plain == "Re Zero kara Hajimeru Isekai Seikatsu"
