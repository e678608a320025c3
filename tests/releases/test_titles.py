import pytest

from uuutorrent.releases.titles import Shape, count_of, shapes, without_season
from uuutorrent.releases.words import key, words


def same(one: str, other: str) -> bool:
    return shapes(one)[0] == shapes(other)[0]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("SPY×FAMILY", "Spy x Family"),
        ("Re:ZERO -Starting Life-", "re zero starting life"),
        ("Jūjutsu Kaisen", "Jujutsu Kaisen"),
        ("Kaijuu 8-gou", "Kaiju 8 Gou"),
        ("Monogatari: Off & Monster", "Monogatari Off and Monster"),
        ("Frieren: Beyond Journey’s End", "Frieren.Beyond.Journeys.End"),
        ("The Apothecary Diaries", "Apothecary Diaries"),
        ("Ranma ½", "Ranma 1/2"),
        ("ＳＨＩＲＯＢＡＫＯ", "Shirobako"),
        ("X 2nd Season", "X Season 2"),
        ("X Second Season", "X S2"),
        ("X 第2期", "X Season II"),
        ("X Part 2", "X Cour 2"),
        ("X 第2クール", "X 2nd Cour"),
        ("X (TV)", "X"),
    ],
)
def test_spellings_of_one_title_are_equal(one: str, other: str) -> None:
    assert same(one, other), (shapes(one), shapes(other))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("X", "X 2nd Season"),
        ("X Season 2", "X Season 3"),
        ("X Season 2", "X Season 2 Part 2"),
        ("Naruto", "Naruto: Shippuuden"),
        ("Steins;Gate", "Steins;Gate 0"),
        ("K-ON!", "K-ON!! 2"),
        ("ガラス", "カラス"),
    ],
)
def test_different_titles_are_not(one: str, other: str) -> None:
    assert not same(one, other)


def test_a_numeral_at_the_end_may_count_seasons() -> None:
    literal, counted = shapes("Overlord IV")
    assert literal == Shape("overlordiv")
    assert (counted.base, counted.season, counted.literal) == ("overlord", 4, False)
    assert shapes("Boku no Hero Academia 2")[1].season == 2
    assert [shape.season for shape in shapes("Mushoku Tensei II: Isekai Ittara Honki Dasu")] == [None, 2]


@pytest.mark.parametrize("title", ["Mob Psycho 100", "Kaiju No. 8", "Steins;Gate 0", "86", "II", "Area 88"])
def test_other_numbers_in_titles_count_nothing(title: str) -> None:
    assert [shape.season for shape in shapes(title)] == [None]


def test_a_year_is_kept_apart() -> None:
    assert shapes("Hunter x Hunter (2011)") == (Shape("hunterxhunter", year=2011),)


def test_titles_without_their_season() -> None:
    assert without_season("Frieren: Beyond Journey's End Season 2") == "Frieren: Beyond Journey's End"
    assert without_season("Ranma ½ (2024) 2nd Season") == "Ranma ½"
    assert without_season("2nd Season") == "2nd Season"


def test_words_know_where_they_stand() -> None:
    text = "[G] Déjà-vu!"
    assert [(word.text, text[word.start : word.end]) for word in words(text)] == [
        ("g", "G"),
        ("deja", "Déjà"),
        ("vu", "vu"),
    ]
    assert key(["the", "kyou", "no"]) == "kyono"


@pytest.mark.parametrize(("word", "number"), [("2nd", 2), ("second", 2), ("two", 2), ("II", 2), ("二", 2), ("12", 12)])
def test_counting_words(word: str, number: int) -> None:
    assert count_of(word) == number
