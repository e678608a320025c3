"""Every way groups number the seasons of a show, against every way AniList names them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from tests.releases.cases import Question, questions, release
from uuutorrent.anime.anime import Anime, Family, MediaId
from uuutorrent.releases.ranking import best, rank
from uuutorrent.releases.release import SURE, Match, Taste, Wanted

SHOW = "Mob Psycho 100"
COUNTS = (12, 13, 11, 10)
QUESTIONS = questions()


@dataclass(frozen=True)
class Entry:
    """One entry at AniList: its title behind the show's name, and which season and part it is."""

    suffix: str
    season: int
    part: int = 1


NAMINGS = {
    "ordinals": [Entry("", 1), Entry(" 2nd Season", 2), Entry(" 3rd Season", 3)],
    "Roman numerals": [Entry("", 1), Entry(" II", 2), Entry(" III", 3)],
    "numerals": [Entry("", 1), Entry(" 2", 2), Entry(" 3", 3)],
    "split cours": [Entry("", 1), Entry(" Part 2", 1, 2), Entry(" 2nd Season", 2), Entry(" 2nd Season Part 2", 2, 2)],
    "arcs": [Entry("", 1), Entry(": Yami-hen", 2), Entry(": Hikari-hen", 3)],
    "final seasons": [
        Entry("", 1), Entry(" Season 2", 2), Entry(": The Final Season", 3), Entry(": The Final Season Part 2", 3, 2),
    ],
}  # fmt: skip


def shows(entries: list[Entry]) -> list[Anime]:
    return [
        Anime(
            MediaId(at),
            f"{SHOW}{entry.suffix}",
            "",
            "",
            "",
            format="TV",
            status="FINISHED",
            episodes=count,
            duration_min=24,
        )
        for at, (entry, count) in enumerate(zip(entries, COUNTS, strict=False), 1)
    ]


def family(every: list[Anime], at: int) -> Family:
    before = every[:at][::-1]
    return Family(
        every[at],
        offset=sum(one.episodes or 0 for one in before),
        season=at + 1,
        prequels=tuple(before),
        others={one.media_id: one.titles for one in every if one is not every[at]},
    )


def posts(entries: list[Entry], every: list[Anime]) -> Iterator[tuple[str, tuple[int, int]]]:
    """Names in the ways of six groups, each with the entry and episode it is."""
    so_far, in_season = 0, dict[int, int]()
    for at, (entry, anime) in enumerate(zip(entries, every, strict=True)):
        own, before, season = anime.romaji.replace(":", " -"), in_season.get(entry.season, 0), entry.season
        mark = f" S{season}" if season > 1 else ""
        split = sum(other.season == season for other in entries) > 1
        for number in range(1, (anime.episodes or 0) + 1):
            counted = before + number
            yield f"[Absolute] {SHOW} - {so_far + number:02} (1080p) [ABCDEF12].mkv", (at, number)
            yield f"[Own] {own} - {number:02} [1080p][Multiple Subtitle].mkv", (at, number)
            yield f"[Season] {SHOW}{mark} - {counted:02} [1080p HEVC x265 10Bit][AAC]", (at, number)
            yield f"[Both] {SHOW} - S{season:02}E{counted:02} [1080p][Multi-Subs]", (at, number)
            yield f"{SHOW.replace(' ', '.')}.S{season:02}E{counted:02}.1080p.WEB-DL.H.264-GRP.mkv", (at, number)
            if split:
                yield f"[Part] {SHOW} S{season} Part {entry.part} - {number:02} [1080p]", (at, number)
        so_far, in_season[season] = so_far + (anime.episodes or 0), before + (anime.episodes or 0)


@pytest.mark.parametrize(
    ("naming", "place"), [(naming, place) for naming, entries in NAMINGS.items() for place in range(len(entries))]
)
def test_each_name_is_a_match_for_its_own_episode_and_no_other(naming: str, place: int) -> None:
    entries = NAMINGS[naming]
    every = shows(entries)
    meant = dict(posts(entries, every))
    feed = [release(title) for title in meant]
    for episode in (1, COUNTS[place]):
        ranked = rank(Wanted(family(every, place), episode), Taste(), feed)
        taken = {one.release.title for one in ranked if one.verdict is Match.MATCH and one.confidence >= SURE}
        assert taken == {title for title, what in meant.items() if what == (place, episode)}


@pytest.mark.parametrize("question", [question for question in QUESTIONS if question.unsure], ids=str)
def test_what_nobody_can_be_sure_of_is_a_match_that_is_not_taken(question: Question) -> None:
    ranked = rank(question.wanted, question.taste, question.feed)
    found = {one.release.title: one for one in ranked if one.release.title in question.unsure}
    assert all(one.verdict is Match.MATCH and one.confidence < SURE for one in found.values())


@pytest.mark.parametrize("question", [question for question in QUESTIONS if question.because], ids=str)
def test_the_pick_says_what_decided(question: Question) -> None:
    chosen = best(rank(question.wanted, question.taste, question.feed))
    assert chosen is not None
    assert set(question.because) <= set(chosen.reasons)


def test_a_correction_is_told_apart_from_what_was_read() -> None:
    lore = [question for question in QUESTIONS if question.wanted.lore.corrections and question.because]
    for question in lore:
        chosen = best(rank(question.wanted, question.taste, question.feed))
        assert chosen is not None
        assert chosen.is_corrected


def test_nothing_wrong_is_picked_and_nearly_everything_right() -> None:
    picks = [(question, best(rank(question.wanted, question.taste, question.feed))) for question in QUESTIONS]
    titles = [(question, pick.release.title if pick else None) for question, pick in picks]
    assert not [str(question) for question, title in titles if title and not question.is_answered_by(title)]
    right = sum(question.is_answered_by(title) for question, title in titles)
    assert right >= 0.97 * len(QUESTIONS)
