"""The numbers in a release's name: season, part, episode or range, version. No I/O.

They are looked for in a `Layout`'s line, from the clearest form to the weakest; the first that is found counts.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from uuutorrent.releases.layout import GAP, MASK, Layout
from uuutorrent.releases.titles import HAN, ORDINALS, count_of

_LEFT = r"(?<![^\W_])"
_RIGHT = r"(?![^\W_])"
_AFTER = rf"(?=\s*(?:$|[{GAP}(\[「|~]|-\s|-$|\.(?=[^\W\d]|{GAP})|(?:END|Fin|FINAL|V\d|DVD|BD|WEB){_RIGHT}))"
_ONE = r"(?P<episode>\d{1,4})(?:\.(?P<fraction>\d{1,2}))?(?:[a-cA-C](?![^\W_]))?(?:\s?[vV](?P<version>\d))?"

_LAST = r"(?:(?:-?EP?|-)(?P<last>\d{1,4})(?![\dpx]))?"
_SXXEYY = re.compile(
    rf"{_LEFT}S(?P<season>\d{{1,2}})[ .-]{{0,3}}EP?[ .]?{_ONE}{_LAST}{_RIGHT}"
    rf"|{_LEFT}(?P<season2>\d{{1,2}})x(?P<episode2>\d{{2,3}}){_RIGHT}",
    re.I,
)
_SEASONS = re.compile(
    rf"{_LEFT}(?:S(?P<a>\d{{1,2}})(?:\s?[-~+&]\s?S\d{{1,2}})*\s?[-~+&]\s?S(?P<b>\d{{1,2}})"
    rf"|S(?P<c>\d{{1,2}})(?:\+\d{{1,2}})*\+(?P<d>\d{{1,2}})"
    rf"|Seasons?\s?(?P<e>\d{{1,2}})(?:\s?[+&]\s?\d{{1,2}})*(?:-|\s?[+&~]\s?)(?P<f>\d{{1,2}})){_RIGHT}",
    re.I,
)
_SEASON = re.compile(
    rf"{_LEFT}(?:S(\d{{1,2}})|(?:Season|Saison|Temporada)[ .]?(\d{{1,2}}|X|IX|VI{{0,3}}|I?V|I{{1,3}})"
    rf"|(\d{{1,2}}(?:st|nd|rd|th)|{'|'.join(ORDINALS)})[ .]Season){_RIGHT}"
    rf"|第 ?(\d{{1,2}}|[{HAN}]) ?[期季]|{_LEFT}(\d) ?期",
    re.I,
)
_PART = re.compile(
    rf"{_LEFT}(?:(?:Part|Cour)[ .]?(\d|I{{1,3}}|IV|one|two|three)|(\d)(?:st|nd|rd|th)[ .](?:Part|Cour)){_RIGHT}", re.I
)
_VOLUME = re.compile(rf"{_LEFT}Vol(?:ume)?s?\.? ?\d+(?:v\d)?(?:\s?[-&+]\s?(?:Vol\.? ?)?\d+(?:v\d)?)*{_RIGHT}", re.I)
_RANGE = re.compile(
    r"(?<![\w.])(?:EP?(?:isode)?s?[. ]*)?#?第?(?P<episode>\d{1,4})(?:v\d)?(?:-\d{2,4})*(?:\s?~\s?|-#?E?P?|[+&])第?"
    r"(?P<last>\d{1,4})"
    r"(?:v(?P<version>\d))?(?![\w.])"
    r"|(?<![\w.])(?P<episode2>0\d{1,3})\s-\s(?P<last2>\d{2,4})(?![\w.])"
    r"|第(?P<episode3>\d{1,4})-(?P<last3>\d{1,4})[話话集回]|全 ?(?P<last4>\d{1,4}) ?[話话集回]",
    re.I,
)
_LABELLED = re.compile(
    rf"{_LEFT}(?:Episodes?|Ep|Folge|Épisode|E(?=\d)|(?:SP|EX|OVA|OAD|Specials?)(?=\s?\d)|#)[ .:]*{_ONE}{_RIGHT}"
    rf"|第 ?(?P<episode2>\d{{1,4}}) ?[話话集回]|{_LEFT}(?P<episode3>\d{{1,4}}) ?[話话集]",
    re.I,
)
_DASHED = re.compile(rf"(?:(?<=\s)|(?<=[{GAP}{MASK}])|^)-\s*#?{_ONE}{_AFTER}")
_BRACKETED = re.compile(
    rf"{GAP}\s*(?:TV )?{_ONE}\s*(?:of ?\d+|\(?(?:END|Fin|完)\)?|Pre|\s[\u3040-\u9fff][^{GAP}]*)?\s*{GAP}", re.I
)
_NOT_COUNTING = "".join(
    rf"(?<!{word} )" for word in ("No\\.", "No", "no", "Movie", "Film", "Part", "Cour", "Volume", "Movies")
)
_TRAILING = re.compile(rf"(?<![\w.#&]){_NOT_COUNTING}{_ONE}{_AFTER}")
_LEADING = re.compile(rf"^\W*{_ONE}\s+-\s+(?=\S)")
_INNER = re.compile(rf"(?<=\w |{MASK} )(?P<episode>0\d{{1,2}})(?= [^\W\d_])")
_GLUED = re.compile(rf"(?<=[^\W\d_])-(?P<episode>0\d|\d{{3,4}})(?=\s|{GAP}|$)")
_SPECIAL_LABEL = re.compile(r"(?:SP|EX|OVA|OAD|Specials?)", re.I)
_SECOND = re.compile(rf"{GAP}\s*(?:S(?P<season>\d{{1,2}})E|Episode )?(?P<episode>\d{{1,4}})\s*{GAP}", re.I)
_YEARS = range(1950, 2040)


@dataclass(slots=True)
class Numbers:
    """What was found; `start` is where the first number that is not the title's begins."""

    start: int
    season: int | None = None
    last_season: int | None = None
    part: int | None = None
    episode: int | None = None
    last: int | None = None
    fraction: float | None = None
    version: int | None = None
    second: int | None = None
    """Another number in brackets beside the first, often the absolute one."""
    volume: bool = False
    episode_span: tuple[int, int] | None = None
    season_span: tuple[int, int] | None = None


def read(page: Layout) -> Numbers:
    """The numbers of a name."""
    line = page.line
    found = Numbers(start=len(line))
    if volume := _VOLUME.search(line):
        found.volume, found.start = True, volume.start()
        line = line[: volume.start()] + GAP * (len(line) - volume.start())
    line = _read_seasons(found, line)
    match = (
        _sxxeyy(line)
        or _range(line)
        or _labelled(line)
        or _dashed(line)
        or _leading(page, line)
        or _bracketed(line)
        or _trailing(page, line, found)
        or _inner(line, found)
        or _GLUED.search(line)
    )
    if match:
        _take(found, match, line)
    return found


def _read_seasons(found: Numbers, line: str) -> str:
    """Notes season and part, and masks them: their numbers are no episodes."""
    if several := _SEASONS.search(line):
        first, last = (int(group) for group in several.groups() if group)
        found.season, found.last_season, found.season_span = first, last, several.span()
    elif season := _SEASON.search(line):
        found.season, found.season_span = count_of(next(group for group in season.groups() if group)), season.span()
    part = _PART.search(line)
    if part:
        found.part = count_of(next(group for group in part.groups() if group))
    for start, end in filter(None, (found.season_span, part and part.span())):
        line = line[:start] + MASK * (end - start) + line[end:]
    return line


def _take(found: Numbers, match: re.Match[str], line: str) -> None:
    groups = {name.rstrip("234"): value for name, value in match.groupdict().items() if value}
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
    second = _SECOND.match(line, match.end() - (match[0][-1] == GAP)) or _SECOND.search(line, match.end())
    if second and len(second["episode"]) > 1 and int(second["episode"]) not in _YEARS:
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
    def rises(match: re.Match[str]) -> bool:
        *before, last = (int(value) for name, value in match.groupdict().items() if value and name != "version")
        first = before[0] if before else 1
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
        if len(number) == 1 and (known or dash_follows or not page.is_file):
            continue
        if padded or page.is_file or before.rstrip(" :").endswith(MASK):
            return match
    return None


def _leading(page: Layout, line: str) -> re.Match[str] | None:
    return None if page.group else _LEADING.search(line)


def _inner(line: str, found: Numbers) -> re.Match[str] | None:
    """A padded number among words, as in the scene's "Title.08.Its.Name"; never where seasons were named."""
    if found.season is not None:
        return None
    matches = [m for m in _INNER.finditer(line) if MASK not in line or line[m.start() - 2] == MASK]
    return matches[0] if matches else None


def _has_words(text: str) -> bool:
    return any(sign.isalpha() or sign == MASK for sign in text)


def spans_to_leave_out(found: Numbers) -> Iterator[tuple[int, int]]:
    """Where in the title the season is named: it is told as a number instead."""
    if found.season_span is not None:
        yield found.season_span
