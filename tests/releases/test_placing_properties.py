"""Invented families of shows, posted whole by groups of many habits: no season is ever taken for another."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.releases.cases import release
from uuutorrent.anime.anime import Anime, Family, MediaId
from uuutorrent.releases.names import Reader
from uuutorrent.releases.placing import known_titles, place_all
from uuutorrent.releases.ranking import best, rank
from uuutorrent.releases.release import SURE, Match, Taste, Wanted

WORDS = (
    "Kage", "Uta", "Hikari", "Machi", "Sora", "Fune", "Tsuki", "Mori", "Hoshi", "Kawa", "Yume", "Kaze", "Umi", "Tori",
)  # fmt: skip
ENGLISH = ("Shadow", "Song", "Light", "Town", "Sky", "Ship", "Moon", "Forest", "Star", "River", "Dream", "Wind")
ARCS = ("Yoake-hen", "Tasogare-hen", "Arashi no Shima-hen", "Saigo no Tabi-hen", "Kessen-hen")
ROMAN = ("", " II", " III", " IV", " V")
ORDINALS = ("", " 2nd Season", " 3rd Season", " 4th Season", " 5th Season")
COMPANY = (" Nikki", ": Mini Anime", " Movie: Owari no Hi", ": Another Tale", " Shippuuden", " Junior High", " 0")


@dataclass(frozen=True)
class Season:
    """One entry at AniList."""

    titles: tuple[str, ...]
    number: int
    part: int
    count: int
    before: int
    """Episodes of all entries before."""
    before_within: int
    """Episodes of the parts of its season before."""


@dataclass(frozen=True)
class Invented:
    """A family and what groups may call it."""

    name: str
    english: str
    seasons: tuple[Season, ...]
    company: tuple[str, ...]

    def family(self, at: int) -> Family:
        animes = [
            Anime(
                MediaId(place),
                season.titles[0],
                season.titles[1],
                "",
                season.titles[0],
                format="TV",
                status="FINISHED",
                episodes=season.count,
                duration_min=24,
            )
            for place, season in enumerate(self.seasons, 1)
        ]
        before = tuple(animes[:at][::-1])
        others = {anime.media_id: anime.titles for anime in animes if anime is not animes[at]}
        strangers = {MediaId(100 + place): (title,) for place, title in enumerate(self.company)}
        return Family(animes[at], self.seasons[at].before, at + 1, before, others | strangers)


Style = Callable[[Invented, Season, int], str]


def _mark(season: Season) -> str:
    return f" S{season.number}" if season.number > 1 else ""


STYLES: dict[str, Style] = {
    "of all": lambda show, one, n: f"[OfAll] {show.name} - {one.before + n:02} (1080p) [ABCDEF12].mkv",
    "own": lambda show, one, n: f"[Own] {one.titles[0].replace(':', ' -')} - {n:02} [1080p][Multiple Subtitle].mkv",
    "own, English": lambda show, one, n: f"[Abroad] {one.titles[1]} - {n:02} [1080p HEVC x265 10bit]",
    "own, brackets": lambda show, one, n: f"[Brackets][{one.titles[0].replace(':', '')}][{n:02}][1080p]",
    "season": lambda show, one, n: f"[Season] {show.name}{_mark(one)} - {one.before_within + n:02} [1080p].mkv",
    "season and all": lambda show, one, n: f"[Marked] {show.name}{_mark(one)} - {one.before + n:02} [1080p].mkv",
    "coded": lambda show, one, n: f"[Coded] {show.name} - S{one.number:02}E{one.before_within + n:02} [1080p]",
    "pair": lambda show, one, n: (
        f"[Pair] {show.name} - S{one.number:02}E{one.before_within + n:02} ({one.before + n}) [1080p]"
    ),
    "scene": lambda show, one, n: (
        f"{show.english.replace(' ', '.')}.S{one.number:02}E{one.before_within + n:02}.1080p.WEB-DL.H.264-GRP.mkv"
    ),
    "ordinal": lambda show, one, n: (
        f"[Ordinal] {show.name}{ORDINALS[one.number - 1]} - {one.before_within + n:02} [1080p CR WEBRip HEVC AAC]"
    ),
}


def _names(kind: str, length: int) -> list[tuple[str, int, int]]:
    """What stands behind the name of the show, its season and its part, entry by entry."""
    if kind == "arcs":
        return [("", 1, 1), *((f": {ARCS[at - 1]}", at + 1, 1) for at in range(1, length))]
    if kind == "halves":
        halves = [("", ""), ("", " Part 2"), (ORDINALS[1], ""), (ORDINALS[1], " Part 2"), (ORDINALS[2], "")]
        return [(f"{season}{part}", at // 2 + 1, at % 2 + 1) for at, (season, part) in enumerate(halves[:length])]
    suffixes = {"ordinals": ORDINALS, "Roman": ROMAN, "words": ["", *(f" Season {at}" for at in range(2, 6))]}[kind]
    return [(suffixes[at], at + 1, 1) for at in range(length)]


@st.composite
def shows(draw: st.DrawFn) -> Invented:
    words = st.lists(st.sampled_from(WORDS), min_size=2, max_size=3, unique=True)
    english = st.lists(st.sampled_from(ENGLISH), min_size=2, max_size=3, unique=True)
    name = " no ".join(draw(words)) + draw(st.sampled_from(("", "", " 100", "!", " 8-gou")))
    abroad = " of ".join(draw(english))
    counts = draw(st.lists(st.integers(8, 16), min_size=2, max_size=4))
    seasons: list[Season] = []
    for count, (suffix, number, part) in zip(counts, _names(draw(_KINDS), len(counts)), strict=False):
        within = [one for one in seasons if one.number == number]
        before, before_within = sum(one.count for one in seasons), sum(one.count for one in within)
        seasons.append(Season((f"{name}{suffix}", f"{abroad}{suffix}"), number, part, count, before, before_within))
    company = draw(st.lists(st.sampled_from(COMPANY), max_size=3, unique=True))
    return Invented(name, abroad, tuple(seasons), tuple(f"{name}{one}" for one in company))


_KINDS = st.sampled_from(("ordinals", "Roman", "words", "arcs", "halves"))
QUIETLY = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@QUIETLY
@given(shows(), st.data())
def test_a_release_of_a_sibling_season_is_never_a_match(show: Invented, data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(show.seasons) - 1), label="season")
    episode = data.draw(st.integers(1, show.seasons[at].count), label="episode")
    styles = data.draw(st.lists(st.sampled_from(sorted(STYLES)), min_size=2, max_size=3, unique=True), label="styles")
    meant: dict[str, set[tuple[int, int]]] = {}
    for style in styles:
        for place, one in enumerate(show.seasons):
            for number in range(1, one.count + 1):
                meant.setdefault(STYLES[style](show, one, number), set()).add((place, number))
    strangers = [f"[Own] {title.replace(':', ' -')} - {episode:02} [1080p].mkv" for title in show.company]
    ranked = rank(Wanted(show.family(at), episode), Taste(), [release(title) for title in (*meant, *strangers)])
    taken = {one.release.title for one in ranked if one.verdict is Match.MATCH and one.confidence >= SURE}
    assert not [title for title in taken if meant.get(title) != {(at, episode)}]


@QUIETLY
@given(shows(), st.sampled_from(("own", "own, English", "own, brackets", "of all", "ordinal", "scene")), st.data())
def test_the_right_seasons_plain_name_is_found(show: Invented, style: str, data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(show.seasons) - 1), label="season")
    season = show.seasons[at]
    episode = data.draw(st.integers(1, season.count), label="episode")
    feed = [release(STYLES[style](show, season, number)) for number in range(1, season.count + 1)]
    chosen = best(rank(Wanted(show.family(at), episode), Taste(), feed))
    assert chosen is not None
    assert chosen.release.title == STYLES[style](show, season, episode)


@QUIETLY
@given(shows(), st.sampled_from(("{} - {:02} [1080p].mkv", "{} E{:02} [1080p].mkv", "{} [{:02}][1080p].mkv")))
def test_a_name_alone_is_surely_of_one_episode_at_most(show: Invented, written: str) -> None:
    titles = {title.replace(":", " -") for season in show.seasons for title in season.titles}
    titles |= {f"{show.name} S{season.number}" for season in show.seasons}
    numbers = range(1, sum(season.count for season in show.seasons) + 3)
    posts = [release(written.format(title, number)) for title in sorted(titles) for number in numbers]
    claims: dict[str, set[tuple[int, int | None]]] = {}
    for at in range(len(show.seasons)):
        wanted = Wanted(show.family(at), 1)
        reader = Reader(known_titles(wanted))
        read = [(post, reader.read(post.title)) for post in posts]
        for (post, _), place in zip(read, place_all(wanted, read), strict=True):
            if place.ours and not place.is_batch and place.first is not None and place.confidence >= SURE:
                claims.setdefault(post.title, set()).add((at, place.first))
    assert not {title: claim for title, claim in claims.items() if len(claim) > 1}
