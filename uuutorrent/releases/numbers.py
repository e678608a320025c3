"""The numbers in a release's name: season, part, episode or range, version. No I/O.

They are looked for in a `Layout`'s line, from the clearest form to the weakest; the first that is found counts.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from uuutorrent.releases.layout import GAP, MASK, Layout
from uuutorrent.releases.marks import HEIGHTS
from uuutorrent.releases.titles import HAN, ORDINALS, count_of

_LEFT = _RIGHT = r"\b"
_AFTER = rf"(?=\s*(?:$|[{GAP}(\[「|~]|-\s|-$|\.(?=[^\W\d]|{GAP})|(?:END|Fin|FINAL|V\d|DVD|BD|WEB){_RIGHT}))"
_ONE = r"(?P<episode>\d{1,4})(?:\.(?P<fraction>\d{1,2}))?(?:[a-cA-C](?![^\W_]))?(?:\s?[vV](?P<version>\d))?"

_LAST = r"(?:(?:\s?[-~]\s?(?:S\d\d?)?EP?|EP?|[-~])(?:\d{2,3}(?:-E?|E))*(?P<last>\d{1,4})(?![\dpx]))?"
_SXXEYY = re.compile(
    rf"{_LEFT}S(?P<season>\d{{1,2}}){MASK}{{0,3}}[ .-]{{0,3}}EP?[ .]?{_ONE}{_LAST}{_RIGHT}"
    rf"|{_LEFT}(?P<season2>\d{{1,2}})x(?P<episode2>\d{{2,3}}){_RIGHT}",
    re.I,
)
_SEASONS = re.compile(
    rf"{_LEFT}(?:S(?P<a>\d{{1,2}})(?:\s?[-~+&]\s?S\d{{1,2}})*\s?[-~+&]\s?S(?P<b>\d{{1,2}})(?:P\d{{1,2}})?"
    rf"|S(?P<c>\d{{1,2}})(?:\+\d{{1,2}})*\+(?P<d>\d{{1,2}})"
    rf"|(?:Seasons?|Saisons?|Temporadas?)\s?(?P<e>\d{{1,2}})(?:\s?[+&]\s?\d{{1,2}})*"
    rf"(?:-|\s?[+&~]\s?| (?:to|à|et|al?|y) )(?P<f>\d{{1,2}})){_RIGHT}",
    re.I,
)
_SEASON = re.compile(
    rf"{_LEFT}(?:S(\d{{1,2}})|(?:Season|Saison|Temporada)[ .]?(\d{{1,2}}|X|IX|VI{{0,3}}|I?V|I{{1,3}})"
    rf"|(\d{{1,2}}(?:st|nd|rd|th)|{'|'.join(ORDINALS)})[ .]Season){_RIGHT}"
    rf"|第 ?(\d{{1,2}}|[{HAN}]) ?[期季]|{_LEFT}(\d) ?期|{_LEFT}S(\d{{1,2}})(?=P\d\d?\b)",
    re.I,
)
_NO_WORDS = re.compile(r"[第話话集回完全v]|END|Fin|TV", re.I)
_SERIES = re.compile(rf"(?<=[\w{MASK}] )([2-5])(?= {GAP})")
_LABEL_AFTER = re.compile(rf"P\d\d?\b|\s(?:OVA|OAD|SP|Specials?)(?=\s*(?:-\s*\d|{GAP}|$))", re.I)
_BESIDES = re.compile(r"(?:\s?[+&]\s?(?:Movies?|Films?|OVAs?|OADs?|ONAs?|Specials?|SPs?|Extras?))+(?![^\W_])", re.I)
_PART = re.compile(
    rf"{_LEFT}(?:(?:Part|Cour)[ .]?(\d|I{{1,3}}|IV|one|two|three)|(\d)(?:st|nd|rd|th)[ .](?:Part|Cour)(?!\s?\d))"
    rf"{_RIGHT}|第 ?(\d|[{HAN}]) ?(?:クール|部分?)|(?<=\d)P(\d\d?)(?:{_RIGHT}|(?=E))",
    re.I,
)
_VOLUME = re.compile(rf"{_LEFT}Vol(?:ume)?s?\.? ?\d+(?:v\d)?(?:\s?[-&+]\s?(?:Vol\.? ?)?\d+(?:v\d)?)*{_RIGHT}", re.I)
_RANGE = re.compile(
    r"(?<![\w.])(?:E(?:p(?:i(?:sode)?)?)?s?[. ]*)?#?第?(?P<episode>\d{1,4})(?:v\d)?(?:-\d{2,4})*"
    r"(?:\s?~\s?|-#?E?P?|[+&])第?(?P<last>\d{1,4})"
    r"(?:v(?P<version>\d))?(?![\w.])"
    r"|(?<![\w.])(?P<episode2>0\d{1,3})\s-\s(?P<last2>\d{2,4})(?![\w.])"
    rf"|(?:(?<![\w.])(?=\d\d)|(?<=- )|(?<={GAP}))(?P<episode4>\d{{1,4}}) (?:à|to|al|bis) (?P<last5>\d{{2,4}})(?![\w.])"
    rf"|(?:(?<={MASK} )|(?<=Movies )|(?<![\w.])(?=\d\d))(?P<episode5>\d{{1,4}}) [+&] (?P<last6>\d{{1,4}})(?![\w.])"
    r"|第 ?(?P<episode3>\d{1,4})\s?[-~]\s?第?(?P<last3>\d{1,4})[話话集回]|全 ?(?P<last4>\d{1,4}) ?[話话集回]",
    re.I,
)
_MAY_BE_RANGE = re.compile(r"\d(?:v\d)?\s?[-~+&]|[全第]|\d (?:à|to|al|bis) ", re.I)
_LABELLED = re.compile(
    rf"(?:{_LEFT}(?:Episodes?|Ep|Folge|Épisode|E(?=\d)|(?:SP|EX|OVA|OAD|Specials?)(?=\s?\d))|(?<!\w)#)[ .:]*"
    rf"{_ONE}{_RIGHT}"
    rf"|第 ?(?P<episode2>\d{{1,4}}) ?[話话集回]|{_LEFT}(?P<episode3>\d{{1,4}}) ?[話话集]",
    re.I,
)
_DASHED = re.compile(rf"(?:(?<=\s)|(?<=[{GAP}{MASK}])|^)-\s*#?{_ONE}{_AFTER}")
_BRACKETED = re.compile(
    rf"{GAP}\s*(?:TV )?{_ONE}\s*(?:of ?\d+|из ?\w+|\(?(?:END|Fin|完)\)?|Pre|\s[\u3040-\u9fff][^{GAP}]*)?\s*{GAP}", re.I
)
_NOT_COUNTING = "".join(
    rf"(?<!{word} )" for word in ("No\\.", "No", "no", "Movie", "Film", "Part", "Cour", "Volume", "Movies")
)
_TRAILING = re.compile(rf"(?<![\w.#&]){_NOT_COUNTING}{_ONE}{_AFTER}")
_LEADING = re.compile(rf"^\W*{_ONE}\s+-\s+(?=\S)")
_INNER = re.compile(rf"(?<=\w |{MASK} )(?P<episode>0\d{{1,2}})(?= [^\W\d_])")
_AFTER_TITLE = re.compile(rf"(?<={MASK})(?: (?P<episode>[1-9]\d{{1,2}})(?= [^\W\d_])|-(?P<episode2>\d{{2,4}})(?= ))")
_GLUED = re.compile(rf"(?<=[^\W\d_])-(?P<episode>0\d|\d{{3,4}})(?=\s|{GAP}|$)")
_SPECIAL_LABEL = re.compile(r"(?:Specials?|SP|EX|OVA|OAD)", re.I)
_SECOND = re.compile(rf"{GAP}\s*(?:S(?P<season>\d{{1,2}})E|Episode )?(?P<episode>\d{{1,4}})\s*{GAP}", re.I)
_YEARS = range(1950, 2040)
_NO_SECOND = HEIGHTS | frozenset(_YEARS)


@dataclass(slots=True)
class Numbers:
    """What was found; `start` is where the first number that is not the title's begins."""

    start: int
    season: int | None = None
    last_season: int | None = None
    part: int | None = None
    part_span: tuple[int, int] | None = None
    episode: int | None = None
    last: int | None = None
    fraction: float | None = None
    version: int | None = None
    second: int | None = None
    """Another number in brackets beside the first, often the absolute one."""
    volume: bool = False
    episode_span: tuple[int, int] | None = None
    season_span: tuple[int, int] | None = None
    season_again: list[tuple[int, int]] = field(default_factory=list)
    """Where the same season is told once more, as beside a title in another language."""
    besides: bool = False
    """Films or specials come with it."""


def read(page: Layout) -> Numbers:
    """The numbers of a name."""
    line = page.line
    found = Numbers(start=len(line))
    if volume := _VOLUME.search(line):
        found.volume, found.start = True, volume.start()
        line = line[: volume.start()] + GAP * (len(line) - volume.start())
    if besides := _BESIDES.search(line, page.group_end):
        found.besides, found.start = True, min(found.start, besides.start())
        line = line[: besides.start()] + GAP * len(besides[0]) + line[besides.end() :]
    line = _read_seasons(found, line, page)
    match = (
        _sxxeyy(line)
        or _range(line)
        or _labelled(line)
        or _dashed(line)
        or _leading(page, line)
        or _bracketed(line)
        or _trailing(page, line, found)
        or _inner(page, line, found)
        or _GLUED.search(line)
    )
    if match:
        _take(found, match, line)
        if found.part_span and found.part_span[0] > match.end():
            found.part = None
    return found


def _read_seasons(found: Numbers, line: str, page: Layout) -> str:
    """Notes season and part, and masks them: their numbers are no episodes."""
    if several := _SEASONS.search(line):
        first, last = (int(group) for group in several.groups() if group)
        found.season, found.last_season, found.season_span = first, last, several.span()
    elif seasons := [(_count(match), match.span()) for match in _SEASON.finditer(line)]:
        (found.season, (start, end)), *more = seasons
        label = _LABEL_AFTER.match(line, end)
        found.season_span = (start, label.end() if label else end)
        found.season_again = [span for season, span in more if season == found.season]
    elif (series := _SERIES.search(line)) and page.text[series.end() :].upper().startswith(" (TV)"):
        found.season, found.season_span = int(series[1]), series.span()
    elif not _has_words(_NO_WORDS.sub("", line)):
        _season_in_brackets(found, page)
    if part := _PART.search(line):
        found.part, found.part_span = _count(part), part.span()
    for start, end in filter(None, (found.season_span, found.part_span, *found.season_again)):
        line = line[:start] + MASK * (end - start) + line[end:]
    return line


def _season_in_brackets(found: Numbers, page: Layout) -> None:
    """Where all words stand in brackets, the season does as well."""
    for aside in page.asides:
        season = _SEASON.search(page.text, aside.start, aside.end)
        if season and found.season is None:
            found.season, found.season_span = _count(season), season.span()


def _count(match: re.Match[str]) -> int:
    return count_of(next(group for group in match.groups() if group))


def _take(found: Numbers, match: re.Match[str], line: str) -> None:
    groups = {name.rstrip("23456"): value for name, value in match.groupdict().items() if value}
    if "season" in groups:
        found.season, found.season_span = int(groups["season"]), None
    episode = int(groups.get("episode", "1"))
    found.version = int(groups["version"]) if "version" in groups else None
    if "fraction" in groups:
        found.fraction = float(f"{episode}.{groups['fraction']}")
    else:
        found.episode = episode
        found.last = int(groups["last"]) if "last" in groups else None
    found.episode_span = match.span()
    label = _SPECIAL_LABEL.match(line, match.start())
    found.start = min(found.start, label.end() if label else match.start())
    earlier = _dashed(line[: match.start()]) if match.re is _SXXEYY else None
    if earlier and int(earlier["episode"]) == episode:
        found.start = min(found.start, earlier.start())
    second = _SECOND.match(line, match.end() - (match[0][-1] == GAP)) or _SECOND.search(line, match.end())
    if second and len(second["episode"]) > 1 and int(second["episode"]) not in _NO_SECOND:
        found.second = int(second["episode"])
        found.season = found.season or (int(second["season"]) if second["season"] else None)
    if found.episode is not None and found.second is not None and found.last is None:
        found.episode, found.second = sorted((found.episode, found.second))


def _sxxeyy(line: str) -> re.Match[str] | None:
    match = _SXXEYY.search(line)
    if match and match.start() and line[match.start() - 1] == GAP and (first := _dashed(line)):
        return match if match.start() < first.start() else None
    return match


def _range(line: str) -> re.Match[str] | None:
    if not _MAY_BE_RANGE.search(line):
        return None

    def rises(match: re.Match[str]) -> bool:
        *before, last = (int(value) for name, value in match.groupdict().items() if value and name != "version")
        first = before[0] if before else 1
        if match["episode"] and len(match["episode"]) == 1 and line[match.start() - 1 : match.start()] not in ("", GAP):
            dashed = _dashed(line)
            if dashed and dashed.start() > match.end():
                return False
        return first < last and not (first in _YEARS and last in _YEARS)

    return next(filter(rises, _RANGE.finditer(line)), None)


def _labelled(line: str) -> re.Match[str] | None:
    return _LABELLED.search(line)


def _dashed(line: str) -> re.Match[str] | None:
    matches = list(_DASHED.finditer(line))
    if not matches:
        return None
    # The last one counts, unless it is a bare digit of an episode's title after a number written in full.
    full = [match for match in matches if len(match["episode"]) > 1]
    return (full or matches)[-1]


def _bracketed(line: str) -> re.Match[str] | None:
    for match in _BRACKETED.finditer(line):
        number = match["episode"]
        tight = match[0][1:].startswith(number) or len(number) > 1
        year = len(number) == 4 and int(number) in _YEARS
        if tight and not year and not line[: match.start()].rstrip()[-1:].isdigit():
            return match
    return None


def _trailing(page: Layout, line: str, found: Numbers) -> re.Match[str] | None:
    """A number at the end of the words: only where something else says that it is no part of the title."""
    if found.last_season is not None or found.volume:
        return None
    known = MASK in line
    for match in reversed(list(_TRAILING.finditer(line))):
        number, before = match["episode"], line[: match.start()].rstrip()
        if line[match.start() - 1 : match.start()] == GAP and before.rstrip(f" {GAP}")[-1:].isdigit():
            continue
        if not _has_words(before) or (len(number) == 4 and int(number) in _YEARS):
            continue
        padded, dash_follows = len(number) > 1 and number[0] == "0", line[match.end() :].lstrip().startswith("-")
        after_title = not known or before.endswith(MASK)
        if len(number) == 1 and (not after_title or dash_follows or not page.is_file):
            continue
        if padded or page.is_file or len(number) == 4 or before.rstrip(" :").endswith(MASK):
            return match
    return None


def _leading(page: Layout, line: str) -> re.Match[str] | None:
    return None if page.group else _LEADING.search(line)


def _inner(page: Layout, line: str, found: Numbers) -> re.Match[str] | None:
    """A padded number among words, as in the scene's "Title.08.Its.Name"; never where seasons were named."""
    if found.season is not None:
        return None
    matches = [m for m in _INNER.finditer(line) if MASK not in line or line[m.start() - 2] == MASK]
    if matches:
        return matches[0]
    after_title = _AFTER_TITLE.search(line)
    return after_title if after_title and (page.is_file or after_title["episode2"]) else None


def _has_words(text: str) -> bool:
    return any(sign.isalpha() or sign == MASK for sign in text)


def spans_to_leave_out(found: Numbers) -> Iterator[tuple[int, int]]:
    """Where in the title the season is named: it is told as a number instead."""
    if found.season_span is not None:
        yield found.season_span
    yield from found.season_again
