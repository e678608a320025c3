from __future__ import annotations

import time

import pytest

from uuutorrent.automation.feeds.item import Item
from uuutorrent.automation.feeds.rule import Fitting, Saving, Terms, check, shown
from uuutorrent.errors import Invalid

SHOW = Item("k", "[SubsPlease] Sousou no Frieren - 05 (1080p) [ABCD1234].mkv", "magnet:", "", 1 << 30, 50, "1_2")


def complaints(terms: Terms, item: Item = SHOW) -> list[str]:
    return list(Fitting(terms).complaints(item))


@pytest.mark.parametrize(
    "terms",
    [
        Terms(),
        Terms(include=("frieren", "1080P")),
        Terms(include=("Dandadan", "Frieren"), is_any=True),
        Terms(include=("Ｆｒｉｅｒｅｎ",)),
        Terms(regex=r"- \d{2} \("),
        Terms(regex=r"^\[subsplease\]"),
        Terms(exclude=("HEVC",)),
        Terms(min_bytes=1 << 20, max_bytes=2 << 30),
        Terms(min_seeders=50),
        Terms(category="1_"),
    ],
)
def test_what_fits(terms: Terms) -> None:
    assert complaints(terms) == []


@pytest.mark.parametrize(
    ("terms", "told"),
    [
        (Terms(include=("Frieren", "720p", "HEVC")), "without “720p”, “HEVC”"),
        (Terms(include=("Dandadan", "Bleach"), is_any=True), "without “Dandadan”, “Bleach”"),
        (Terms(regex=r"S\d\dE\d\d"), "the expression is not found"),
        (Terms(exclude=("1080p", "x265")), "with “1080p”"),
        (Terms(min_bytes=2 << 30), "smaller than wanted"),
        (Terms(max_bytes=1 << 29), "larger than wanted"),
        (Terms(min_seeders=51), "50 seeders are too few"),
        (Terms(category="1_4"), "its category is 1_2"),
    ],
)
def test_what_does_not_fit_says_why(terms: Terms, told: str) -> None:
    assert complaints(terms) == [told]


def test_a_size_nobody_told_does_not_fit_a_bound_but_unknown_seeders_do() -> None:
    unknown = Item("k", "Show", "magnet:")
    assert complaints(Terms(max_bytes=1), unknown) == ["the feed does not tell its size"]
    assert complaints(Terms(min_seeders=5), unknown) == []


@pytest.mark.parametrize(
    ("terms", "saving", "field"),
    [
        (Terms(include=("",)), Saving(), "include"),
        (Terms(exclude=("x" * 201,)), Saving(), "exclude"),
        (Terms(include=("x",) * 41), Saving(), "include"),
        (Terms(regex="("), Saving(), "regex"),
        (Terms(regex=r"(\w)\1"), Saving(), "regex"),
        (Terms(regex="(?=x)"), Saving(), "regex"),
        (Terms(regex="x" * 1001), Saving(), "regex"),
        (Terms(regex="((a{100}){100}){100}"), Saving(), "regex"),
        (Terms(min_bytes=2, max_bytes=1), Saving(), "min_bytes"),
        (Terms(min_bytes=0), Saving(), "min_bytes"),
        (Terms(min_seeders=-1), Saving(), "min_seeders"),
        (Terms(category="x" * 201), Saving(), "category"),
        (Terms(), Saving(daily=0), "daily"),
    ],
)
def test_a_rule_that_cannot_be_kept_names_what_is_wrong(terms: Terms, saving: Saving, field: str) -> None:
    with pytest.raises(Invalid) as told:
        check(terms, saving)
    assert told.value.field == field


def test_an_expression_made_to_hang_takes_no_time() -> None:
    hanging = Fitting(Terms(regex=r"(a+)+$"))
    begun = time.process_time()
    list(hanging.complaints(Item("k", "a" * 500 + "!", "magnet:")))
    assert time.process_time() - begun < 5


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("https://nyaa.si/?page=rss&q=frieren&c=1_2", "https://nyaa.si/?page=rss&q=frieren&c=1_2"),
        ("https://tracker.example/rss?passkey=abc&cat=1", "https://tracker.example/rss?passkey=…&cat=1"),
        ("https://tracker.example/feed/rss_torrents_all/0123456789abcdef01", "https://tracker.example/feed/rss_torrents_all/…"),
        ("https://a.example/rss", "https://a.example/rss"),
    ],
)  # fmt: skip
def test_keys_in_an_address_are_not_shown(url: str, told: str) -> None:
    assert shown(url) == told
