"""How a release's name is laid out: what is group, technical, aside, and what is left to read. No I/O.

Everything stays where it stood: `text` is readable, `line` has the same length with GAP over what is technical or
set aside and MASK over titles that were known beforehand, so that whatever reads numbers meets no others.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from uuutorrent.releases import marks
from uuutorrent.releases.marks import Mark
from uuutorrent.releases.words import sound, words

LONGEST = 255
"""Nyaa's titles are no longer; what comes after is not read."""
GAP = "\ue001"
MASK = "\ue000"

_EXTENSION = re.compile(
    r"(?:\.(?:mkv|mp4|avi|ts|m2ts|webm|ogm|rmvb|wmv|mov|m4v|flv|mka|ass|srt|zip|7z|rar|patch|torrent))+$", re.I
)
_TABLE = {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)} | {
    **dict.fromkeys(range(32), " "),
    **dict.fromkeys((0x7F, 0xA0, 0x3000, 0xE000, 0xE001), " "),
    **dict.fromkeys(map(ord, "–—―−‐"), "-"),
    **dict.fromkeys(map(ord, "～〜"), "~"),
    **dict.fromkeys(map(ord, "’‘"), "'"),
}
_CLOSING = {"(": ")", "[": "]", "{": "}", "【": "】", "「": "」", "『": "』", "《": "》"}
_OPENING = re.compile(f"[{re.escape(''.join(_CLOSING))}]")
QUOTES = "「『《"
"""Brackets that hold titles rather than groups."""
_CHECKSUM = re.compile(r"(?:CRC[ :]?)?([0-9A-F]{8})", re.I)
_YEAR = re.compile(r"(?:TV,? ?)?((?:19[5-9]|20[0-3])\d)(?:[-.]\d\d[-.]\d\d| ?- ?(?:19[5-9]|20[0-3])\d)?")
_ONE_IN_OTHER = re.compile(r"\[(\d{1,4}) ?\((\d{1,4})\)\]")
"""The season's number with the number of all in the same brackets: "[05(29)]"."""
_NUMBERED = re.compile(
    r"(?:TV|OVA|OAD|SP|Specials?|E(?:pi?)?\.?|Episodes?)? ?[第全]?#?\d{1,4}(?:\.\d)?(?:v\d)?"
    r"(?: ?[-~+&] ?(?:第|EP?)?\d{1,4}(?:v\d)?)?(?: ?\+ ?[a-z][\w +&]*)?"
    r" ?(?:(?:[話话集回](?:全|完)?|(?:of|/) ?\d+|из ?\w+|\(?(?:END|Fin|完|全)\)?|Pre|Batch|Complete|合集) ?)*"
    r"(?:\+ ?\w[\w +&]*)?"
    r"|\d{2,3} [\u3040-\u30ff\u4e00-\u9fff].*"
    r"|S\d{1,2} ?E\d{1,4}(?:v\d)?|(?:Seasons? |Saison |S)\d{1,2}(?: ?[-+&~] ?S?\d{1,2})*(?: ?\+.*| Part \d)?"
    r"|\d(?:st|nd|rd|th) Season|第 ?[\d一二三四五六七八九十]+ ?[期季]",
    re.I,
)
_AMONG_MARKS = re.compile(r"\s*(\d{2,3})(?:v\d)?(?= )")
_NEW_THIS_SEASON = re.compile(r"[★【\[]?\d{1,2}月新番[★】\]]?")
_SCENE_GROUP = re.compile(
    r"(?:(?<=[\w)\]])-| - ?| -)(?P<group>\d*[^\W\d_][\w&@!]*(?:-[A-Z][\w&@!]*)?)(?: v\d)?(?= *(?:$|[\[(]))"
)
_GROUP_UNDERSCORED = re.compile(r"^_([^_\s]+)_(?= )")
_IN_BRACKETS = re.compile(r"\[[^\]]*\]|\([^)]*\)")
_DOTS = re.compile(r"(?<!\d)\.|\.(?!\d(?!\d))")
_HEIGHT = re.compile(r"\d{3,4}")
_WORDS = re.compile(r"[^\W_]+")
_ONLY_BEGUN = re.compile(r"\[[^\s\]]*")
_TRAILING_WORDS = frozenset({"uncensored", "uncut", "weekly", "remaster", "remastered", "hd"})
_TRAILING_KINDS = frozenset({"batch", "source", "version", "raw", "language", "dual"})
_BARE_HEIGHT = re.compile(r"(?<!\S)(?:2160|1080|720|480)(?=[ .](?:BD|WEB|DVD|x26|h ?26|HEVC|AAC))", re.I)


@dataclass(frozen=True, slots=True)
class Aside:
    """Words in brackets that may or may not belong to the title."""

    start: int
    end: int
    known: bool = False
    """They are a title that was known beforehand."""

    def of(self, text: str) -> str:
        """The words without their brackets."""
        return text[self.start + 1 : self.end - 1].strip()


@dataclass(slots=True)
class Layout:
    """A name, taken apart."""

    text: str
    line: str
    group: str = ""
    group_end: int = 0
    checksum: str = ""
    year: int | None = None
    is_file: bool = False
    """It names one file: an extension or a checksum is there."""
    marks: list[Mark] = field(default_factory=list)
    asides: list[Aside] = field(default_factory=list)
    others: list[str] = field(default_factory=list)
    """Words found among technical marks: other titles, a group."""


class Known:
    """Titles that are cut out of a name before anything else is read."""

    def __init__(self, titles: Sequence[str]) -> None:
        self._by_first: dict[str, list[tuple[str, ...]]] = {}
        spoken = {tuple(sound(word.text) for word in words(title)) for title in titles}
        for title in sorted(filter(None, spoken), key=len, reverse=True):
            self._by_first.setdefault(title[0], []).append(title)

    def masked(self, text: str) -> str:
        """The text with MASK over every known title; of two that begin together the longer one counts."""
        if not self._by_first:
            return text
        found, out = words(text), list(text)
        heard, at = tuple([sound(word.text) for word in found]), 0
        while at < len(found):
            length = self._length_at(heard, at, text, found[at].start)
            if length:
                start, end = found[at].start, found[at + length - 1].end
                out[start:end] = MASK * (end - start)
            at += length or 1
        return "".join(out)

    def _length_at(self, heard: tuple[str, ...], at: int, text: str, start: int) -> int:
        for title in self._by_first.get(heard[at], ()):
            if heard[at : at + len(title)] == title and (not _slight(title) or _begins(text, start)):
                return len(title)
        return 0


def lay_out(raw: str, known: Known) -> Layout:
    """Take a name apart."""
    text = _GROUP_UNDERSCORED.sub(r"[\1]", raw[:LONGEST].translate(_TABLE).rstrip())
    bare = _EXTENSION.sub("", text)
    is_file, text = bare != text, _spaced(bare.replace("[[", " [", 1) if bare.startswith("[[") else bare)
    if _ONLY_BEGUN.fullmatch(text):
        text = " " * len(text)
    text = _ONE_IN_OTHER.sub(r"[\1][\2]", text)
    text = _NEW_THIS_SEASON.sub(lambda match: " " * len(match[0]), text)
    masked = known.masked(text)
    page = Layout(text, masked, is_file=is_file, marks=list(marks.find(masked)))
    brackets = _brackets(masked)
    _take_group(page, brackets, raw)
    line = list(masked)
    for start, end in brackets:
        _read_bracket(page, line, start, end)
    page.line = "".join(line)
    _blank_strong_marks(page)
    return page


def _slight(title: tuple[str, ...]) -> bool:
    """So short, or so numeric, that elsewhere than at a beginning it is rather something else."""
    return len(title) == 1 and (title[0].isdigit() or len(title[0]) < 4)


def _begins(text: str, at: int) -> bool:
    return text[:at].rstrip(" -★")[-1:] in ("", *"[](){}|/【】「『《")


def _spaced(text: str) -> str:
    """Spaces where underscores, dots, pluses or dashes stand for them; the length stays."""
    outside = _IN_BRACKETS.sub("", text).strip()
    if " " not in outside and outside.count(".") >= max(3, 2 * outside.count("_")):
        head, dash, group = text.rpartition("-")
        return _without_dots(head.replace("_", " ")) + dash + _without_dots(group)
    text, outside = text.replace("_", " "), outside.replace("_", " ").strip()
    if " " in outside:
        return text
    if outside.count(".") >= 2:
        return _without_dots(text)
    if outside.count("+") >= 2:
        return text.replace("+", " ")
    return text.replace("-", " ") if outside.count("-") >= 3 else text


def _without_dots(text: str) -> str:
    return _DOTS.sub(" ", text)


def _brackets(text: str) -> list[tuple[int, int]]:
    """The outermost pairs of brackets; one that never closes is an ordinary sign."""
    found: list[tuple[int, int]] = []
    at = 0
    while opening := _OPENING.search(text, at):
        end = _end_of(text, opening.start(), opening[0], _CLOSING[opening[0]])
        if end:
            found.append((opening.start(), end))
        at = end or opening.end()
    return found


def _end_of(text: str, at: int, opening: str, closing: str) -> int:
    """Past the bracket that closes the one at `at`; 0 when none does."""
    inner, end = text.find(opening, at + 1), text.find(closing, at + 1)
    depth = 1
    while end >= 0:
        if 0 <= inner < end:
            depth, inner = depth + 1, text.find(opening, inner + 1)
            continue
        depth -= 1
        if depth == 0:
            return end + 1
        end = text.find(closing, end + 1)
    return 0


def _take_group(page: Layout, brackets: list[tuple[int, int]], raw: str) -> None:
    """The first bracket at the very start, or the scene's "-GROUP" behind technical marks; spelt as it was written."""
    before = page.text[: brackets[0][0]].strip(" -★") if brackets else ""
    if (
        brackets
        and (not before or before.isdigit() or before.endswith("."))
        and not _begins_with_title(page, brackets, raw)
    ):
        start, end = brackets[0]
        inner = page.text[start + 1 : end - 1].strip()
        quoted = page.text[start] in QUOTES
        if inner and not quoted and not _NUMBERED.fullmatch(inner) and not _is_technical(page, start, end, group=True):
            page.group, page.group_end = raw[start + 1 : end - 1].strip(), end
            return
    strong = [mark.start for mark in page.marks if mark.strong]
    for match in _SCENE_GROUP.finditer(page.line):
        at = match.start("group")
        if strong and at > strong[0] and not any(mark.start <= at < mark.end for mark in page.marks):
            page.group = raw[at : match.end("group")]


def _begins_with_title(page: Layout, brackets: list[tuple[int, int]], raw: str) -> bool:
    """The first brackets hold a known title, or everything stands in brackets and dashes join them."""
    start, end = brackets[0]
    inner = page.line[start + 1 : end - 1].strip()
    if inner and not inner.strip(MASK + " "):
        return MASK not in page.line[end:]
    dashes = "".join(_between(page.text, brackets))
    return len(brackets) > 2 and not dashes.strip("- ") and raw[end : end + 2] == "-("


def _between(text: str, brackets: list[tuple[int, int]]) -> Iterator[str]:
    at = 0
    for start, end in [*brackets, (len(text), len(text))]:
        yield text[at:start]
        at = end


def _read_bracket(page: Layout, line: list[str], start: int, end: int) -> None:
    inner = "".join(line[start + 1 : end - 1]).strip()
    if end == page.group_end or not inner:
        _blank(line, start, end)
    elif (checksum := _CHECKSUM.fullmatch(inner)) and not inner.isalpha():
        page.checksum, page.is_file = checksum[1].upper(), True
        _blank(line, start, end)
    elif year := _YEAR.fullmatch(inner):
        page.year = page.year or int(year[1])
        _blank(line, start, end)
    elif _HEIGHT.fullmatch(inner) and int(inner) in marks.HEIGHTS and not _tells(page, "resolution"):
        page.marks.append(Mark("resolution", inner, start, end, strong=True))
        _blank(line, start, end)
    elif _NUMBERED.fullmatch(inner):
        line[end - 1] = GAP
        _blank(line, start, start + (4 if inner.upper().startswith("TV ") else 1))
    elif _is_technical(page, start, end) or _ends_technically(page, start, end):
        _set_aside_titles(page, start, end)
        number = _AMONG_MARKS.match(page.line, start + 1)
        inside = number and not any(mark.start < number.end() and number.start(1) < mark.end for mark in page.marks)
        _blank(line, number.end() if number and inside else start, end)
        line[start] = GAP
    else:
        page.asides.append(Aside(start, end, known=not inner.strip(MASK + " ")))
        _blank(line, start, end)


def _tells(page: Layout, kind: str) -> bool:
    return any(mark.kind == kind for mark in page.marks)


def _is_technical(page: Layout, start: int, end: int, *, group: bool = False) -> bool:
    inside = [mark for mark in page.marks if start < mark.start and mark.end < end]
    if not inside:
        return False
    rest = list(page.line[start + 1 : end - 1])
    for mark in inside:
        _blank(rest, mark.start - start - 1, mark.end - start - 1)
    left = _WORDS.findall("".join(rest).replace(MASK, "a"))
    strong = sum(mark.strong for mark in inside)
    # A group may call itself Some-Raws or Other Subs.
    if group:
        return not left or bool(strong)
    return len(left) <= sum(mark.kind != "tongue" for mark in inside) + strong


def _ends_technically(page: Layout, start: int, end: int) -> bool:
    """A list of titles and marks: its last part is nothing but a mark."""
    comma = page.text.rfind(",", start, end)
    last = page.text[comma + 1 : end - 1].strip()
    return comma >= 0 and any(mark.text == last and comma < mark.start < end for mark in page.marks)


def _set_aside_titles(page: Layout, start: int, end: int) -> None:
    """Titles among technical marks, as in "(Dandadan, Dual-Audio, Multi-Subs)"."""
    if "," not in page.text[start:end]:
        return
    at = start + 1
    for part in page.text[start + 1 : end - 1].split(","):
        if any(map(str.isalnum, part)) and not any(at <= mark.start < at + len(part) for mark in page.marks):
            page.others.append(part.strip())
        at += len(part) + 1


def _blank_strong_marks(page: Layout) -> None:
    """Outside brackets, marks count as such from the first strong one on; before it they may be the title's words."""
    line = list(page.line)
    for match in _BARE_HEIGHT.finditer(page.line):
        page.marks.append(Mark("resolution", match[0], match.start(), match.end(), strong=True))
        _blank(line, match.start(), match.end())
    seen_strong = False
    _blank_languages_before_strong(page, line)
    for mark in page.marks:
        if line[mark.start] not in (GAP, MASK):
            seen_strong = seen_strong or mark.strong
            if seen_strong:
                _blank(line, mark.start, mark.end)
    for mark in reversed(page.marks):
        trails = mark.kind in _TRAILING_KINDS or mark.text.lower() in _TRAILING_WORDS
        if trails and mark.text != "TV" and not "".join(line[mark.end :]).replace(GAP, "").strip(" -.~0123456789"):
            _blank(line, mark.start, mark.end)
    page.line = "".join(line)


def _blank_languages_before_strong(page: Layout, line: list[str]) -> None:
    """As in "Title VF 1080p": what stands right before a strong mark is one as well."""
    outside = [mark for mark in page.marks if line[mark.start] not in (GAP, MASK)]
    first = next((index for index, mark in enumerate(outside) if mark.strong), 0)
    for mark, follower in zip(reversed(outside[:first]), reversed(outside[1 : first + 1]), strict=True):
        fit = mark.kind in ("language", "batch", "dual") or mark.text.lower() in _TRAILING_WORDS
        if not fit or page.text[mark.end : follower.start].strip():
            return
        _blank(line, mark.start, mark.end)


def _blank(line: list[str], start: int, end: int) -> None:
    line[start:end] = GAP * (end - start)
