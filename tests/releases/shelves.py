"""Families of shows for tests about the contents of batches."""

from __future__ import annotations

from uuutorrent.anime.anime import Anime, Family, MediaId
from uuutorrent.releases.release import Wanted


def _anime(number: int, *titles: str, episodes: int | None = 12, format: str = "TV", year: int | None = None) -> Anime:
    romaji, *more = titles
    english = more[0] if more else ""
    return Anime(
        MediaId(number), romaji, english, "", romaji, tuple(more[1:]), format=format, status="FINISHED",
        episodes=episodes, duration_min=24, year=year,
    )  # fmt: skip


def family(anime: Anime, *prequels: Anime, others: tuple[Anime, ...] = ()) -> Family:
    """An anime with its prequels, the nearest first, and whoever else there is."""
    known = {one.media_id: one.titles for one in (*prequels, *others)}
    offset = sum(one.episodes or 0 for one in prequels)
    return Family(anime, offset, len(prequels) + 1, prequels, known)


FRIEREN = _anime(1, "Sousou no Frieren", "Frieren: Beyond Journey's End", episodes=28, year=2023)
OVERLORD = _anime(11, "Overlord", "Overlord", episodes=13, year=2015)
OVERLORD_2 = _anime(12, "Overlord II", "Overlord II", episodes=13, year=2018)
OVERLORD_3 = _anime(13, "Overlord III", "Overlord III", episodes=13, year=2018)
OVERLORD_4 = _anime(14, "Overlord IV", "Overlord IV", episodes=13, year=2022)
PLEIADES = _anime(15, "Overlord: Ple Ple Pleiades", episodes=8, format="SPECIAL", year=2015)
BLEACH = _anime(21, "BLEACH", "Bleach", episodes=366, year=2004)
BLOOD_WAR = _anime(
    22, "BLEACH: Sennen Kessen-hen", "Bleach: Thousand-Year Blood War", "Bleach TYBW", episodes=13, year=2022
)
MEMORIES = _anime(23, "BLEACH: MEMORIES OF NOBODY", "Bleach: Memories of Nobody", episodes=1, format="MOVIE", year=2006)
MOB = _anime(31, "Mob Psycho 100", "Mob Psycho 100", episodes=12, year=2016)
MOB_2 = _anime(32, "Mob Psycho 100 II", "Mob Psycho 100 II", episodes=13, year=2019)
EIGHTY_SIX = _anime(41, "86: Eighty Six", "86 EIGHTY-SIX", "86", episodes=11, year=2021)
EIGHTY_SIX_2 = _anime(42, "86: Eighty Six Part 2", "86 EIGHTY-SIX Part 2", "86 Part 2", episodes=12, year=2021)
SPY = _anime(51, "SPY×FAMILY", "SPY x FAMILY", episodes=12, year=2022)
SPY_2 = _anime(52, "SPY×FAMILY Part 2", "SPY x FAMILY Cour 2", episodes=13, year=2022)
SPY_3 = _anime(53, "SPY×FAMILY Season 2", "SPY x FAMILY Season 2", episodes=12, year=2023)
ONE_PIECE = _anime(61, "ONE PIECE", "One Piece", episodes=1100, year=1999)
BASKET = _anime(71, "Fruits Basket", "Fruits Basket", episodes=26, year=2001)
BASKET_NEW = _anime(72, "Fruits Basket: 1st Season", "Fruits Basket (2019)", episodes=25, year=2019)
DAYS = _anime(81, "91 Days", "91 Days", episodes=12, year=2016)
FILM = _anime(91, "Kimi no Na wa.", "Your Name.", episodes=1, format="MOVIE", year=2016)

FAMILIES = {
    "frieren": family(FRIEREN),
    "overlord": family(OVERLORD, others=(OVERLORD_2, PLEIADES)),
    "overlord2": family(OVERLORD_2, OVERLORD, others=(OVERLORD_3, PLEIADES)),
    "overlord3": family(OVERLORD_3, OVERLORD_2, OVERLORD, others=(OVERLORD_4, PLEIADES)),
    "pleiades": family(PLEIADES, others=(OVERLORD,)),
    "bleach": family(BLEACH, others=(BLOOD_WAR, MEMORIES)),
    "tybw": family(BLOOD_WAR, BLEACH, others=(MEMORIES,)),
    "memories": family(MEMORIES, others=(BLEACH,)),
    "mob": family(MOB, others=(MOB_2,)),
    "mob2": family(MOB_2, MOB),
    "86": family(EIGHTY_SIX, others=(EIGHTY_SIX_2,)),
    "86-2": family(EIGHTY_SIX_2, EIGHTY_SIX),
    "spy": family(SPY, others=(SPY_2, SPY_3)),
    "spy2": family(SPY_2, SPY, others=(SPY_3,)),
    "spy3": family(SPY_3, SPY_2, SPY),
    "onepiece": family(ONE_PIECE),
    "basket": family(BASKET, others=(BASKET_NEW,)),
    "basket2019": family(BASKET_NEW, others=(BASKET,)),
    "91": family(DAYS),
    "film": family(FILM),
}


def wanted(show: str, episode: int = 1) -> Wanted:
    """A question about one of the families."""
    return Wanted(FAMILIES[show], episode)
