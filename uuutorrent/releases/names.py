"""What a release's name says: title, season, episode or range, version, group, resolution and more. No I/O.

Own patterns come first. Titles that are known beforehand are cut out before any number is read, so that "86" or
"Mob Psycho 100" cannot be taken for episodes. anitopy is asked last, behind a guard: it raises on odd input.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

import anitopy

from uuutorrent.releases import marks, numbers
from uuutorrent.releases.layout import GAP, LONGEST, MASK, QUOTES, Aside, Known, Layout, lay_out
from uuutorrent.releases.marks import Mark, Marks
from uuutorrent.releases.numbers import Numbers
from uuutorrent.releases.release import Kind, ReleaseName

_EXTRA = re.compile(
    r"\b(?:(?P<opening>(?:NC ?)?OP)|(?P<ending>(?:NC ?)?ED)|(?P<preview>PV|CM))"
    r"(?: ?\d{1,2}[a-z]?)?(?:v\d)?\b(?!=)"
    r"|(?:(?<=- )|(?<=\d )|(?<=\d[: ]))(?i:(?P<opening2>(?:Creditless|Clean|Textless) (?:OP|Openings?) ?\d{0,2})"
    r"|(?P<ending2>(?:Creditless|Clean|Textless) (?:ED|Endings?) ?\d{0,2})|(?P<preview2>Trailer|Teaser|Preview|Promo)"
    r"|(?P<extra>Creditless|Menus?|Making of|Music Video|Interview|OST))\b|(?P<extra2>特典)"
)
_EXTRAS = {"opening": Kind.OPENING, "ending": Kind.ENDING, "preview": Kind.PREVIEW, "extra": Kind.EXTRA}
_BESIDE = re.compile(
    r"\b(?:(?P<recap>Recap|Soushuu?hen)|(?P<ova>(?:OVA|OAD)(?:s|\d{1,2})?(?:\.\d)?)"
    r"|(?P<special>(?:SP|Specials?|Omake|EX(?=\d))(?:s|\d{1,2})?(?:\.\d)?)|(?P<film>Movies?|Film|Gekijou?-?ban))\b"
    r"|(?P<recap2>総集編|[总總]集篇)|(?P<special2>特別編|特[别別]篇|番外[篇編])|(?P<ova2>(?<=[\u3040-\u9fff])(?:OVA|OAD))|(?P<film2>劇場版|剧场版|电影版)",
    re.I,
)
_REMASTER = re.compile(r"(?: HD)? Remaster(?:ed)?$", re.I)
_LOOSE = re.compile(r"\s*-\s*(?=-|$)|\s{2,}")
_BARS = re.compile(r"\s+[|/]\s+|\|")
_SURE_BEHIND = frozenset({"language", "batch", "raw"})
"""Marks that an episode's name seldom holds."""
_TRIM = " -~:|,.·★/&+"
_TRIM_BUT_DOTS = " -~:|,/&+"


def parse(title: str, known: Sequence[str] = ()) -> ReleaseName:
    """Read one name; to read many against the same known titles, keep a `Reader`."""
    return Reader(known).read(title)


class Reader:
    """Reads names, knowing some titles. It never raises, whatever the name."""

    def __init__(self, known: Sequence[str] = ()) -> None:
        self._known = Known(known)

    def read(self, raw: str) -> ReleaseName:
        """What the name says."""
        page = lay_out(raw, self._known)
        found = numbers.read(page)
        extra = _EXTRA.search(page.line, page.group_end)
        if extra and page.line[: extra.start()].strip(f" {GAP}"):
            found.start = min(found.start, extra.start())
        said = marks.read(_marks_beside_titles(page, found))
        titles = _titles(page, found)
        if not titles and page.group:
            titles, page.group = (_REMASTER.sub("", page.group),), ""
        if not titles and found.episode is None:
            titles = _ask_anitopy(raw[:LONGEST])
        return ReleaseName(
            raw=raw,
            title=titles[0] if titles else "",
            others=titles[1:],
            group=_as_written(page.group or _group_elsewhere(page, titles, raw)),
            season=found.season,
            last_season=found.last_season,
            part=found.part,
            episode=found.episode,
            last_episode=found.last,
            second=found.second,
            version=found.version or said.version or 1,
            kind=_kind(page, found, said, extra),
            resolution=said.resolution,
            source=said.source,
            codec=said.codec,
            bit_depth=said.bit_depth,
            checksum=page.checksum,
            audio=said.audio,
            subtitles=said.subtitles,
            dual_audio=said.dual_audio,
            raw_video=said.raw,
            year=page.year,
            fraction=found.fraction,
        )


def _marks_beside_titles(page: Layout, found: Numbers) -> Iterator[Mark]:
    """The marks that are no words of a title nor, behind a number, of an episode's name."""
    numbered = max(span[1] for span in (found.episode_span, found.season_span, (0, 0)) if span)
    for mark in page.marks:
        if mark.start < page.group_end or _in_aside(page, mark.start):
            continue
        beyond = mark.start > found.start
        at_once = beyond and not page.text[numbered : mark.start].strip()
        sure = page.line[mark.start] == GAP or (beyond and mark.kind in _SURE_BEHIND)
        if sure or at_once or _follows_season(page, found, mark):
            yield mark


def _follows_season(page: Layout, found: Numbers, mark: Mark) -> bool:
    """As in "Title S02 JAPANESE": what stands right behind the season is no word of the title."""
    end = found.season_span[1] if found.season_span else len(page.text)
    return mark.start > end and not page.text[end : mark.start].strip(" .")


def _kind(page: Layout, found: Numbers, said: Marks, extra: re.Match[str] | None) -> Kind:
    if extra:
        return _EXTRAS[(extra.lastgroup or "").rstrip("2")]
    if found.last is not None or found.last_season is not None or said.batch or found.volume or found.besides:
        return Kind.BATCH
    text = " ".join((page.line[page.group_end :], *(words for words in _asides(page) if len(words.split()) <= 2)))
    said_beside = {(match.lastgroup or "").rstrip("2") for match in _BESIDE.finditer(text)}
    if kind := next((kind for kind in (Kind.RECAP, Kind.OVA, Kind.SPECIAL) if kind in said_beside), None):
        return kind
    if found.fraction is not None:
        return Kind.SPECIAL
    if found.episode is not None:
        return Kind.EPISODE
    if Kind.FILM in said_beside:
        return Kind.FILM
    return Kind.BATCH if found.season is not None else Kind.UNKNOWN


def _titles(page: Layout, found: Numbers) -> tuple[str, ...]:
    """The title first, then other titles the name gives."""
    start = _first_word(page.line, page.group_end)
    if start is not None and found.season_span and found.season_span[0] == start:
        start = _first_word(page.line, found.season_span[1])
    first_number = found.episode_span[0] if found.episode_span else len(page.line)
    if start is None or start >= first_number:
        return _titles_elsewhere(page, found)
    end = _end_of_title(page, start, found.start)
    left_out = [*numbers.spans_to_leave_out(found)]
    left_out += [(mark.start, mark.end) for mark in page.marks if _follows_season(page, found, mark)]
    left_out += [(aside.start, aside.end) for aside in page.asides if not _belongs(page, aside, end)]
    main = _split(_clean(page, start, end, left_out))
    if MASK not in page.line[start:end]:
        main = [*(aside.of(page.text) for aside in page.asides if aside.end <= start and _leads(page, aside)), *main]
    return _distinct([*main, *_asides(page), *page.others])


def _leads(page: Layout, aside: Aside) -> bool:
    """Words in brackets before all others are the title when it is known, or quoted."""
    return aside.known or (aside.start == 0 and page.text[0] in QUOTES)


def _titles_elsewhere(page: Layout, found: Numbers) -> tuple[str, ...]:
    """Everything is in brackets, or the number comes before the title."""
    start, after = found.episode_span or (len(page.line), len(page.line))
    if found.season_span and page.line[found.season_span[0]] == GAP:
        first, last = found.season_span
        page.text = page.text[:first] + " " * (last - first) + page.text[last:]
    before = [title for aside in page.asides if aside.start < start for title in _split(aside.of(page.text))]
    rest_at = _first_word(page.line, after)
    if before or (page.asides and not page.group and rest_at is None):
        latin = [title for title in before or _asides(page) if _is_latin(title)]
        return _distinct([*latin, *before, *_asides(page)])
    if page.group or rest_at is None:
        return ()
    rest = _clean(page, rest_at, _end_of_title(page, rest_at, len(page.line)), [*numbers.spans_to_leave_out(found)])
    title, dash, _ = rest.partition(" - ")
    labelled = page.line[start].isalpha()
    # "05 - Title - Its name" has a title, "05 - Its name" has none, "Episode 5 Title" has one.
    told = bool(dash) if not labelled else not page.line[after:].lstrip().startswith("-")
    return (title,) if told else ()


def _asides(page: Layout) -> list[str]:
    return [title for aside in page.asides for title in _split(aside.of(page.text))]


def _distinct(titles: list[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(title for title in titles if any(map(str.isalnum, title))))


def _is_latin(title: str) -> bool:
    return sum(map(str.isascii, title)) * 2 > len(title)


def _first_word(line: str, at: int) -> int | None:
    for index in range(at, len(line)):
        if line[index].isalnum() or line[index] == MASK:
            return index
    return None


def _end_of_title(page: Layout, start: int, end: int) -> int:
    """The first gap that is neither a year nor words in brackets ends the title."""
    index = page.line.find(GAP, start, end)
    while index >= 0:
        if aside := next((aside for aside in page.asides if aside.start <= index < aside.end), None):
            index = page.line.find(GAP, aside.end, end)
            continue
        after = index
        while after < len(page.line) and page.line[after] == GAP:
            after += 1
        inner = page.text[index + 1 : after - 1]
        skipped = inner.upper() == "TV" or (inner.isdigit() and len(inner) == 4)
        if not skipped or not page.line[after:end].strip():
            return index
        index = page.line.find(GAP, after, end)
    return end


def _belongs(page: Layout, aside: Aside, end: int) -> bool:
    """Words in brackets belong to the title when they touch a word, stand among words, or are few before a number."""
    before, after = page.line[: aside.start], page.line[aside.end : end].replace(GAP, " ")
    if before[-1:].isalnum() and page.text[aside.start] == "(":
        return True
    if after[:1].isalnum() or (after[:1] == " " and after[1:2].isalnum()):
        return True
    few = len(aside.of(page.text).split()) <= 2 and page.text[aside.start] == "("
    return few and (bool(after.strip(" -")) or end < len(page.line))


def _clean(page: Layout, start: int, end: int, left_out: list[tuple[int, int]]) -> str:
    kept = list(page.text[start:end])
    for first, last in left_out:
        for index in range(max(first, start), min(last, end)):
            kept[index - start] = ""
    at = page.line.find(GAP, start, end)
    while at >= 0:
        kept[at - start] = kept[at - start] if _in_aside(page, at) else ""
        at = page.line.find(GAP, at + 1, end)
    words = "".join(kept).rstrip()
    return _LOOSE.sub(" ", words).strip(_TRIM_BUT_DOTS if words.endswith(".") else _TRIM)


def _in_aside(page: Layout, index: int) -> bool:
    return any(aside.start <= index < aside.end for aside in page.asides)


def _split(main: str) -> list[str]:
    """The titles of "One | Other" and "別名 / Title", the one to go by first."""
    pieces = [piece.strip(_TRIM) for piece in _BARS.split(main)]
    if len(pieces) < 2:
        return pieces
    latin = [piece for piece in pieces if _is_latin(piece)]
    return [*latin, *(piece for piece in pieces if piece not in latin)]


def _group_elsewhere(page: Layout, titles: tuple[str, ...], raw: str) -> str:
    """The last words in brackets that are no title: "Title - 01 [Group]"."""
    asides = [aside for aside in reversed(page.asides) if page.text[aside.start] == "["]
    candidates = [(aside.of(page.text), aside.of(raw)) for aside in asides] or [
        (said, said) for said in page.others[::-1]
    ]
    return next((written for words, written in candidates if titles and words != titles[0]), "")


def _as_written(group: str) -> str:
    """A group may have underscores in its name; around "&" they stand for spaces."""
    return group.replace("_", " ") if "_&_" in group else group


def _ask_anitopy(name: str) -> tuple[str, ...]:
    """The title anitopy sees where nothing was found. Its numbers are not taken: there, they are mostly wrong."""
    try:
        answer = anitopy.parse(name)
    except (AttributeError, IndexError, KeyError, TypeError, ValueError):
        return ()
    title = answer.get("anime_title") if answer else None
    return (title,) if isinstance(title, str) else ()
