"""The technical marks in a release's name: resolution, source, codec, languages, checksum. No I/O.

`find` tells where they stand, so that a title can be told from them; `read` tells what they say.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from uuutorrent.releases import languages

HEIGHTS = frozenset({360, 400, 480, 540, 576, 720, 810, 900, 1080, 1440, 2160, 4320})


class Mark(NamedTuple):
    """One mark. A strong one never belongs to a title, a weak one might."""

    kind: str
    text: str
    start: int
    end: int
    strong: bool


@dataclass(slots=True)
class Marks:
    """What all marks of a name say together; the first of a kind counts."""

    resolution: int | None = None
    source: str = ""
    codec: str = ""
    bit_depth: int | None = None
    version: int | None = None
    audio: tuple[str, ...] = ()
    subtitles: tuple[str, ...] = ()
    dual_audio: bool = False
    batch: bool = False
    raw: bool = False


_PATTERNS: Mapping[str, str] = {
    "resolution": r"(?:BD|WEB|DVD)?(?:\d{3,4}\s?[x×]\s?\d{3,4}(?:[pi](?:60)?)?|\d{3,4}[pi](?:60)?)|BD-?(?:1080|720)"
    r"|[48]K|UHD",
    "codec": r"[xh][ .]?26[45]|HEVC(?:[ -]?10bit)?|AVC|AV1|VP9|XviD|DivX[\d.]*|MPEG-?[24]|VC-?1|WMV",
    "depth": r"(?:8|10|12)[ -]?bits?(?:[xh][ .]?26[45])?|Hi10P?|Hi444P?|Ma10p",
    "source": r"WEB[ -]?(?:DL|Rip)|BD[ -]?(?:Rip|MV|Remux|Box|ISO)|Blu-?Ray(?:[ -]?(?:Rip|Remux))?|BR-?Rip|BDR?|Remux"
    r"|DVD[ -]?(?:Rip|ISO|scr|5|9)|DVD-?R?\d?|HDTV(?:[ -]?Rip)?|TV-?Rip|WEB|TV|VHS(?:[ -]?Rip)?|LD[ -]?Rip|CAM-?Rip",
    "audio": r"(?:\d\s?x\s?)?(?:HE-?AAC|AAC(?:-?LC)?|FLAC|E-?AC-?3|AC-?3|DDPA?|DD\+?|DTS(?:-?(?:HD|ES|X|MA))*|Opus"
    r"|TrueHD|MP3|Vorbis|OGG|L?PCM|ALAC)\+?[ ]?(?:x\d)?(?:\d\.\d)?(?:ch)?(?:x\d)?|[2578]\.[01](?:ch)?",
    "network": r"CR|NF|AMZN|DSNP|HIDIVE|HIDI|HULU|ADN|BILI|B-Global|Baha|ABEMA|U-NEXT|FUNi?|MAX|iP|ATVP|AT-X"
    r"|Netflix|Crunchyroll",
    "dual": r"(?:Dual|Multi)[ -]?Audios?|Dual(?![ -]?Sub)|(?<=[\[(])DA(?=[\])])|(?<=German[ .])DL",
    "language": languages.LANGUAGE,
    "tongue": languages.NAME,
    "batch": r"Batch|Complete(?: (?:Series|Season|Collection|Version))?|Season Pack|Int[ée]grale|(?:BD|DVD)[ -]?Box",
    "version": r"v\d",
    "raw": r"RAWS?|生肉",
    "misc": r"MKV|MP4|\d+(?:\.\d+)? ?[MG]i?B|Weekly|REPACK\d?|PROPER|Un(?:censored|cut)|(?:De)?censored|HDR(?:10\+?)?"
    r"|DoVi|DV|SDR|\d{2,3}(?:\.\d+)?fps|END|Fini?|Final|完|Chap(?:ter)?s?|ASS(?:x\d)?|SRT(?:x\d)?|PGS|NVENC|Fixed|HD"
    r"|Remaster(?:ed)?|Preview",
}
_STRONG = re.compile(
    r"(?:BD|WEB|DVD)?(?:\d{3,4}\s?[x×]\s?\d{3,4}.*|\d{3,4}[pi](?:60)?)|[xh][ .]?26[45]|HEVC.*|AV1|XviD"
    r"|WEB[ -]?(?:DL|Rip)|BD[ -]?Rip|Blu-?Ray.*|BR-?Rip|DVD[ -]?Rip|HDTV.*|TV-?Rip|Remux|(?:8|10|12)[ -]?bits?.*|Hi10P?"
    r"|(?:HE-?)?AAC.*|FLAC.*|E?-?AC-?3.*|(?:Dual|Multi)[ -]?Audios?|(?:Multi|Eng)[a-z]*[ -]?Sub.*|VOSTFR|Batch"
    r"|REPACK\d?|\d{2,3}(?:\.\d+)?fps|(?:BD|DVD)[ -]Box",
    re.IGNORECASE,
)
_MARK = re.compile(
    r"(?<![^\W_])(?:" + "|".join(f"(?P<{kind}>{pattern})" for kind, pattern in _PATTERNS.items()) + r")(?![^\W_])"
    r"|(?P<batch_>合集|全集)",
    re.IGNORECASE,
)
_CODECS = {"264": "AVC", "AVC": "AVC", "265": "HEVC", "HEVC": "HEVC", "AV1": "AV1"}
_SOURCES = {"WEB": "WEB", "BD": "BD", "BLU": "BD", "BR": "BD", "REMUX": "BD", "DVD": "DVD", "HD": "TV", "TV": "TV"}


def find(text: str) -> Iterator[Mark]:
    """Every mark in a text, in order."""
    for match in _MARK.finditer(text):
        said = match[0]
        yield Mark(
            (match.lastgroup or "").rstrip("_"), said, match.start(), match.end(), _STRONG.fullmatch(said) is not None
        )


def read(found: Iterable[Mark]) -> Marks:
    """What the marks of one name say."""
    marks, about = Marks(), list[str]()
    for mark in found:
        said = mark.text.upper()
        if mark.kind == "resolution":
            marks.resolution = marks.resolution or height(said)
            marks.source = marks.source or next((name for part, name in _SOURCES.items() if said.startswith(part)), "")
        elif mark.kind == "codec":
            marks.codec = marks.codec or next((name for part, name in _CODECS.items() if part in said), "")
            marks.bit_depth = marks.bit_depth or (10 if "10" in said else None)
        elif mark.kind == "depth":
            marks.bit_depth = marks.bit_depth or int((re.search(r"8|10|12", said) or ["10"])[0])
        elif mark.kind == "source":
            marks.source = marks.source or next((name for part, name in _SOURCES.items() if said.startswith(part)), "")
        elif mark.kind == "version":
            marks.version = marks.version or int(said[1:])
        elif mark.kind in ("language", "tongue"):
            about.append(mark.text)
        elif mark.kind == "dual":
            marks.dual_audio = True
            about += ["MULTI"] if said.startswith("MULTI") else []
        else:
            marks.batch |= mark.kind == "batch"
            marks.raw |= mark.kind == "raw"
    marks.audio, marks.subtitles = languages.read(about, dual=marks.dual_audio)
    return marks


def height(said: str) -> int | None:
    """Lines of a resolution as written: "1920x1080", "1080p", "4K"."""
    if said.upper() in ("4K", "UHD"):
        return 2160
    numbers = re.findall(r"\d{3,4}", said)
    return int(numbers[-1]) if numbers else None
