from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.releases import cases
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
        "(Re Zero kara Hajimeru Isekai Seikatsu)|(Re ZERO Starting Life in Another World)|(Re ゼロから始める異世界生活)"
    )
    for title in (
        "[SubsPlease] Re Zero kara Hajimeru Isekai Seikatsu - 28 (1080p)",
        "[G] Re:Zero kara Hajimeru Isekai Seikatsu - 28",
        "[G] Re - Zero kara Hajimeru Isekai Seikatsu 28",
        "Re.ZERO.Starting.Life.in.Another.World.S02E03.1080p.WEB-DL",
        "Re_ZERO_-Starting_Life_in_Another_World-_03",
    ):
        assert finds(asked, title), title
    assert not finds(asked, "[SubsPlease] Isekai Seikatsu - 28 (1080p)")


def test_numbers_are_asked_in_each_form() -> None:
    asked = Questions(FAMILY, 3).numbered
    assert asked.endswith(" (03|003|e03|ep03|s02e03|s02e28|28)")
    for form in ("- 03", "S02E03", "- 28v2", "E03", "- 003"):
        assert finds(asked, f"[G] Re Zero kara Hajimeru Isekai Seikatsu {form} [1080p]"), form
    assert not finds(asked, "[G] Re Zero kara Hajimeru Isekai Seikatsu - 14 [1080p]")


def test_a_title_that_another_finds_as_well_is_not_asked() -> None:
    synonyms = ("Dandadan: the first", "First Dandadan", "Another Name")
    assert Questions(alone("Dandadan", synonyms=synonyms), 1).titles == "Dandadan|(Another Name)"


def test_a_title_of_short_words_that_begin_many_others_is_asked_last() -> None:
    questions = Questions(alone("Dandadan", english="DAN DA DAN"), 1)
    assert (questions.titles, questions.loose) == ("Dandadan", "DAN DA")
    assert Questions(alone("DAN DA DAN"), 1).titles == "DAN DA"


def test_words_that_are_long_are_asked_with_the_others() -> None:
    asked = Questions(alone("Kimi to Antidisestablishmentarianism"), 1).titles
    assert asked == "Kimi to Antidisestablishmentarianism"
    assert finds(asked, "[G] Kimi to Antidisestablishmentarianism - 01")


@pytest.mark.parametrize(
    ("title", "posted"),
    [
        ("Frieren: Beyond Journey's End Season 2", "Frieren.Beyond.Journeys.End.S02E01.1080p"),
        ("Frieren: Beyond Journey's End Season 2", "[G] Frieren: Beyond Journey's End - 01"),
        ("Queen's Blade", "[G] Queen's Blade - 01"),
        ("Queen’s Blade", "[G] Queens Blade - 01"),
        ("SPY×FAMILY", "[G] Spy x Family - 01"),
        ("SPY×FAMILY", "[G] SPY×FAMILY - 01"),
        ("SPY x FAMILY", "[G] SPY×FAMILY - 01"),
        ("Off & Monster", "[G] Off and Monster - 01"),
        ("Off and Monster", "[G] Off & Monster - 01"),
        ("Ore wo Suki nano wa", "[G] Ore o Suki nano wa - 01"),
        ("The Apothecary Diaries", "[G] Apothecary Diaries - 01"),
        ("Kaguya-sama wa Kokurasetai?", "[SubsPlease] Kaguya-sama wa Kokurasetai - 01"),
        ("Kaguya-sama wa Kokurasetai?", "[G] Kaguya sama wa Kokurasetai - 01"),
        ("K-ON!", "[G] K-ON! - 01"),
        ("L'Arc en Ciel", "[G] L'Arc en Ciel - 01"),
    ],
)
def test_every_spelling_is_found(title: str, posted: str) -> None:
    assert finds(Questions(alone(title), 1).titles, posted)


def test_a_very_short_title_is_asked_when_it_is_all_there_is() -> None:
    assert Questions(alone("86"), 1).titles == "86"
    assert Questions(alone("86", english="86 EIGHTY-SIX"), 1).titles == "86 EIGHTY SIX"
    assert Questions(alone("☆"), 1).titles == ""


def test_a_query_stays_short() -> None:
    synonyms = tuple(f"{letter * 14} title number {letter}" for letter in "abcdefghijklmnop")
    assert len(Questions(alone("Main", synonyms=synonyms), 1).titles) <= LONGEST_QUERY


def test_the_loose_question_finds_what_whole_titles_miss() -> None:
    shortened = alone("Mushoku Tensei: Isekai Ittara Honki Dasu", english="Mushoku Tensei: Jobless Reincarnation")
    asked = Questions(shortened, 3).loose
    assert asked == "Mushoku Tensei"
    assert not finds(Questions(shortened, 3).titles, "[SubsPlease] Mushoku Tensei - 03 (1080p)")
    assert finds(asked, "[SubsPlease] Mushoku Tensei - 03 (1080p)")
    numbered = Questions(shortened, 3).loose_numbered
    assert finds(numbered, "[SubsPlease] Mushoku Tensei - 03 (1080p)")
    assert not finds(numbered, "[SubsPlease] Mushoku Tensei - 04 (1080p)")
    long = alone("Tensei Kizoku no Isekai Boukenroku", english="Chronicles of an Aristocrat Reborn in Another World")
    assert Questions(long, 3).loose == "(Tensei Kizoku no)|(Chronicles of Aristocrat)"


def test_numbers_are_asked_from_every_season_they_may_be_counted_from() -> None:
    third = replace(SECOND, media_id=MediaId(3), romaji=f"{FIRST.romaji} 3", english="", native="", episodes=12)
    asked = Questions(Family(third, offset=38, season=3, prequels=(SECOND, FIRST), others={}), 3).numbered
    for form in ("- 03", "S03E03", "- 16", "S03E16", "- 41"):
        assert finds(asked, f"[G] Re Zero kara Hajimeru Isekai Seikatsu {form} [1080p]"), form
    assert not finds(asked, "[G] Re Zero kara Hajimeru Isekai Seikatsu - 28 [1080p]")


def test_a_film_is_not_asked_with_a_number() -> None:
    film = Questions(alone("Kage no Uta: The Movie", episodes=1, format="MOVIE"), 1)
    assert (film.numbered, film.loose_numbered) == ("", "")
    assert film.titles == "Kage no Uta Movie"


@pytest.mark.parametrize(
    ("title", "posted"),
    [
        ("Ousama Ranking", "[G] Osama Ranking - 01"),
        ("Minami-ke", "[G] Minamike - 01"),
        ("86", "[G] 86 - 01"),
        ("K-ON!", "[THORA] K-ON! - 03"),
        ("BOFURI: I Don't Want to Get Hurt", "[G] Bofuri - 01"),
    ],
)
def test_what_is_often_written_otherwise_is_found_with_the_second_question(title: str, posted: str) -> None:
    questions = Questions(alone(title, english="Another Good Name", native="けいおん"), 1)
    assert finds(questions.titles, posted) or finds(questions.loose, posted)


def test_the_numeral_of_a_later_season_is_no_part_of_its_title() -> None:
    third = replace(SECOND, synonyms=("ReZero 2", "RZ II"))
    asked = Questions(replace(FAMILY, anime=third), 3).titles
    assert finds(asked, "[G] ReZero - 28")
    assert Questions(alone("Area 88"), 1).titles == "Area 88"


def test_a_short_title_has_no_loose_question() -> None:
    for title in ("Dandadan", "Kage no Uta", "Fate: Stay"):
        assert Questions(alone(title), 3).loose == Questions(alone(title), 3).loose_numbered == ""
    assert Questions(alone("Mushoku Tensei: Isekai", synonyms=("Mushoku Tensei",)), 3).loose == ""


def test_titles_that_people_say_belong_to_it_are_asked_too() -> None:
    asked = Questions(FAMILY, 3, ("ReZero", "RZ 2nd Season", "x" * 290)).titles
    assert asked.startswith("(Re Zero kara Hajimeru Isekai Seikatsu)|ReZero|RZ|(Re ZERO Starting Life")
    assert finds(asked, "[G] ReZero - 28")
    assert finds(asked, "[G] RZ - 03")
    assert Questions(FAMILY, 3, ("K", "!?")).titles == Questions(FAMILY, 3).titles
    assert Questions(FAMILY, 3, ("Re:Zero",)).titles == "(Re Zero)|(Re ゼロから始める異世界生活)"


def test_no_title_however_long_pushes_out_the_others() -> None:
    long = " ".join(f"longer{n}" for n in range(40))
    asked = Questions(alone(long, english="Short and Good", synonyms=(f"x{long}",)), 1, (f"y{long}",)).titles
    titles = asked.split("|")
    assert "(Short Good)" in titles
    assert len(titles) == 4
    assert all(len(title) <= 82 for title in titles)


@given(st.text(min_size=1, max_size=60), st.text(max_size=60))
def test_no_title_is_read_as_grammar(romaji: str, told: str) -> None:
    questions = Questions(alone(romaji), 7, (told,) if told else ())
    for asked in (questions.titles, questions.numbered, questions.loose, questions.loose_numbered):
        assert not set(asked) & set("\"-+~*\\'[]{}:^")
        assert asked.count("(") == asked.count(")")
        assert "()" not in asked
        assert "||" not in asked
        assert asked.strip("| ") == asked


def test_without_any_title_nothing_is_asked() -> None:
    nothing = Questions(alone(""), 1)
    assert {nothing.titles, nothing.numbered, nothing.loose, nothing.loose_numbered} == {""}


def test_nearly_every_right_release_is_found_by_the_first_two_questions() -> None:
    asked = [(Questions(one.wanted.family, one.wanted.episode), one.right) for one in cases.questions() if one.right]
    found = [any(finds(query, right) for query in (one.titles, one.loose) if query) for one, right in asked]
    assert sum(found) > 0.95 * len(asked) > 200
