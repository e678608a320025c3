"""The questions of tests/data/questions/: an anime with its family, a feed, and the right pick or none."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

from uuutorrent.anime.anime import Anime, Family, MediaId
from uuutorrent.releases.release import Correction, Form, Habit, Release, Taste, Wanted

DATA = Path(__file__).parents[1] / "data"
PAGE = 75
UNITS = {"M": 1 << 20, "G": 1 << 30}


@dataclass
class Question:
    show: str
    about: str
    wanted: Wanted
    taste: Taste
    feed: list[Release] = field(default_factory=list)
    right: str | None = None
    batches: list[str] = field(default_factory=list)
    """Where no single episode is there: the batches that surely hold it, any of which may be taken."""
    unsure: list[str] = field(default_factory=list)
    """What is a match, but too uncertain to be taken without asking."""
    because: list[str] = field(default_factory=list)
    """What the right pick gives among its reasons."""

    def is_answered_by(self, title: str | None) -> bool:
        """Whether taking this, or nothing, is right."""
        return title in self.batches if self.right is None and self.batches else title == self.right

    def __str__(self) -> str:
        return f"{self.show}, episode {self.wanted.episode}: {self.about}"


def release(title: str, **said: str | int) -> Release:
    """A post on the index with plain properties, but for what is said; `posted` is a day."""
    plain: dict[str, str | int] = {"seeders": 100, "size_bytes": 700 << 20, "category": "1_2"}
    values = plain | said
    infohash = hashlib.sha1(f"{title}{said}".encode()).hexdigest()
    return Release(
        title=title,
        infohash=infohash,
        link=f"https://nyaa.si/download/{infohash[:6]}.torrent",
        page="",
        size_bytes=int(values["size_bytes"]),
        seeders=int(values["seeders"]),
        leechers=1,
        downloads=1,
        category=str(values["category"]),
        trusted=bool(values.get("trusted")),
        remake=bool(values.get("remake")),
        posted_at=_day(str(values["posted"])) if "posted" in values else None,
    )


@cache
def questions(*paths: Path) -> Sequence[Question]:
    """Every question of these files (all by default), its feed filled up with the posts of all other families."""
    files = paths or tuple(sorted((DATA / "questions").glob("*.txt")))
    found = [question for path in files for question in _parse(path.read_text(encoding="utf-8").splitlines())]
    roots = [_root(question) for question in found]
    posts = [(root, tuple(question.feed)) for root, question in zip(roots, found, strict=True)]
    noises = {own: [post for root, feed in posts if root != own for post in feed] for own in set(roots)}
    for root, question in zip(roots, found, strict=True):
        noise = noises[root]
        # Spread over all families, so that every question meets every kind of name.
        wanted = max(0, PAGE - len(question.feed))
        question.feed += noise[:: max(1, len(noise) // wanted)][:wanted]
    return found


def _root(question: Question) -> str:
    """The franchise, by the first word of its title: feeds of one franchise are no noise to each other."""
    first = re.search(r"\w+", question.wanted.family.anime.romaji.lower())
    return first[0] if first else ""


def _parse(lines: list[str]) -> list[Question]:
    found: list[Question] = []
    said: list[tuple[Question, str, str]] = []
    show, anime, prequels, others = "", "", list[str](), list[str]()
    for line in lines:
        mark, _, rest = line.partition(" ")
        if mark == "=":
            show, anime, prequels, others = rest, "", [], []
        elif mark == "anime:":
            anime = rest
        elif mark == "prequel:":
            prequels.append(rest)
        elif mark == "other:":
            others.append(rest)
        elif mark == "?":
            found.append(_question(show, rest, _family(anime, prequels, others)))
        elif mark in (">", "+", "~", "-"):
            _add_post(found[-1], mark, _post(rest))
        elif mark == "because:":
            found[-1].because.append(rest)
        elif mark in ("habit:", "correct:"):
            said.append((found[-1], mark, rest))
    # Last, since a correction may be about a post that stands below it.
    for question, mark, rest in said:
        _add_lore(question, mark, rest)
    return found


def _add_post(question: Question, mark: str, post: Release) -> None:
    question.feed.append(post)
    if mark == "+":
        question.batches.append(post.title)
    if mark == "~":
        question.unsure.append(post.title)
    if mark == ">":
        assert question.right is None, f"two right picks: {question}"
        question.right = post.title


def _add_lore(question: Question, mark: str, rest: str) -> None:
    words, _, title = rest.partition(" | ")
    lore, media_id = question.wanted.lore, question.wanted.family.anime.media_id
    if mark == "habit:":
        group, offset = words.rsplit(" ", 1)
        lore = replace(lore, habits=(*lore.habits, Habit(group, int(offset), title)))
    else:
        correction = _correction(media_id, words, title, {post.title: post.infohash for post in question.feed})
        lore = replace(lore, corrections=(*lore.corrections, correction))
    question.wanted = replace(question.wanted, lore=lore)


def _correction(media_id: MediaId, words: str, title: str, posts: dict[str, str]) -> Correction:
    form, _, rest = words.partition(" ")
    if form == "title":
        return Correction(Form.TITLE, media_id, title=rest)
    if form == "offset":
        offset, _, group = rest.partition(" ")
        return Correction(Form.OFFSET, media_id, offset=int(offset), group=group, title=title)
    episode = int(rest) if rest else None
    return Correction(Form(form), media_id, infohash=posts[title], episode=episode, title=title)


def _question(show: str, rest: str, family: Family) -> Question:
    number, *words = rest.split()
    said = {key: value for key, _, value in (word.partition("=") for word in words if "=" in word)}
    taste = Taste(
        resolutions=(int(said["quality"]),) if "quality" in said else (1080, 720, 480),
        groups=tuple(said["prefer"].split(",")) if "prefer" in said else (),
        blocked_groups=tuple(said["block"].split(",")) if "block" in said else (),
        languages=tuple(said["languages"].split(",")) if "languages" in said else ("en",),
        remakes=words[:1] == ["remakes"] and words[1:2] != ["and"],
    )
    about = " ".join(word for word in words if "=" not in word)
    return Question(show, about, Wanted(family, int(number)), taste)


def _family(anime: str, prequels: list[str], others: list[str]) -> Family:
    chain = [_anime(text, 900 - at) for at, text in enumerate(prequels)]
    known = {MediaId(2000 + at): tuple(title.strip() for title in text.split("|")) for at, text in enumerate(others)}
    return Family(
        anime=_anime(anime, 1000),
        offset=sum(one.episodes or 0 for one in chain),
        season=len(chain) + 1,
        prequels=tuple(chain),
        others=known | {one.media_id: one.titles for one in chain},
    )


def _anime(text: str, media_id: int) -> Anime:
    names, _, facts = text.partition(" ; ")
    titles = [title.strip() for title in names.split("|")]
    format_, episodes, *rest = facts.split()
    days = {key: value for key, _, value in (word.partition("=") for word in rest)}
    next_on = days.pop("next", "")
    said = {key: int(value) for key, value in days.items()}
    aired = said.get("aired")
    native = [title for title in titles[1:] if not title.isascii()][:1]
    english = titles[1] if len(titles) > 1 and titles[1] not in native else ""
    return Anime(
        MediaId(media_id),
        romaji=titles[0],
        english=english,
        native=native[0] if native else "",
        preferred=titles[0],
        synonyms=tuple(title for title in titles[2:] if title not in native),
        format=format_,
        status="FINISHED" if aired is None else "RELEASING",
        episodes=None if episodes == "?" else int(episodes),
        duration_min=said.get("min"),
        year=said.get("year"),
        next_episode=None if aired is None else aired + 1,
        next_airs_at=_day(next_on) if next_on else None,
    )


def _post(rest: str) -> Release:
    title, _, said = rest.partition(" {")
    values: dict[str, str | int] = {}
    for word in said.rstrip("}").split():
        key, _, value = word.partition("=")
        if key == "size":
            values["size_bytes"] = int(value[:-1]) * UNITS[value[-1]]
        elif key in ("cat", "posted"):
            values["category" if key == "cat" else key] = value
        else:
            values[key] = int(value or 1)
    return release(title, **values)


def _day(day: str) -> datetime:
    return datetime.fromisoformat(day).replace(hour=12, tzinfo=UTC)
