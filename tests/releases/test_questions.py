import re
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

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


def test_the_loose_question_finds_what_phrases_miss() -> None:
    asked = Questions(FAMILY, 3).loose
    assert asked == "Re Zero kara Hajimeru Isekai Seikatsu"
    assert finds(asked, "[G] Zero Re - Isekai Seikatsu Hajimeru kara 03")
    shortened = alone("Mushoku Tensei: Isekai Ittara Honki Dasu", english="Mushoku Tensei: Jobless Reincarnation")
    asked = Questions(shortened, 3).loose
    assert asked == '"Mushoku Tensei"|(Mushoku Tensei Isekai Ittara Honki Dasu)'
    assert finds(asked, "[SubsPlease] Mushoku Tensei - 03 (1080p)")
    assert not finds(asked, "[SubsPlease] Tensei shitara Slime - 03 (1080p)")
    numbered = Questions(shortened, 3).loose_numbered
    assert finds(numbered, "[SubsPlease] Mushoku Tensei - 03 (1080p)")
    assert not finds(numbered, "[SubsPlease] Mushoku Tensei - 04 (1080p)")


def test_a_title_of_one_word_has_no_loose_question() -> None:
    assert Questions(alone("Dandadan"), 3).loose == Questions(alone("Dandadan"), 3).loose_numbered == ""


def test_a_head_that_is_asked_anyway_or_could_be_anything_is_not_asked() -> None:
    assert Questions(alone("Mushoku Tensei: Isekai", synonyms=("Mushoku Tensei",)), 3).loose == "Mushoku Tensei Isekai"
    assert Questions(alone("Fate: Stay"), 3).loose == "Fate Stay"


def test_titles_that_people_say_belong_to_it_are_asked_too() -> None:
    asked = Questions(FAMILY, 3, ("ReZero", "K 2nd Season", "x" * 255)).titles
    assert asked.startswith('"Re Zero kara Hajimeru Isekai Seikatsu"|"ReZero"|"K"|"Re ZERO Starting Life')
    assert finds(asked, "[G] ReZero - 28")
    assert finds(asked, "[G] K - 03")
    assert Questions(FAMILY, 3, ("Re:Zero",)).titles == '"Re Zero"|"Re ゼロから始める異世界生活"'


def test_no_title_however_long_pushes_out_the_others() -> None:
    long = " ".join(["longer"] * 40)
    asked = Questions(alone(long, english="Short and Good", synonyms=(f"x{long}",)), 1, (f"y{long}",)).titles
    phrases = asked.split("|")
    assert '"Short and Good"' in phrases
    assert len(phrases) == 4
    assert all(len(phrase) <= 82 for phrase in phrases)


@given(st.text(min_size=1, max_size=60), st.text(max_size=60))
def test_no_title_is_read_as_grammar(romaji: str, told: str) -> None:
    questions = Questions(alone(romaji), 7, (told,) if told else ())
    for phrase in questions.titles.split("|"):
        assert re.fullmatch(r'"[^"|()]+"', phrase) or not any(map(str.isalnum, romaji + told)), phrase
    assert not set(questions.loose) & set("-+~*\\")


def test_without_any_title_nothing_is_asked() -> None:
    nothing = Questions(alone(""), 1)
    assert {nothing.titles, nothing.numbered, nothing.loose, nothing.loose_numbered} == {""}
