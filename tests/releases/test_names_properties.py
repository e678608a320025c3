"""What holds for every name: built from known parts it reads back to them, and noise moves no episode."""

import random
from dataclasses import dataclass

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from tests.releases.corpus import Labelled, labelled
from uuutorrent.releases.names import Reader, parse
from uuutorrent.releases.release import Kind, ReleaseName

CORPUS = labelled()
STEADY = settings(max_examples=300, deadline=None, derandomize=True)
READER = Reader(["Sousou no Frieren", "86", "Mob Psycho 100"])

WORDS = st.sampled_from(
    [
        "Kage", "Hikari", "Sora", "no", "wa", "Densetsu", "Mahou", "Gakuen", "Monster", "Blue", "Lock", "Kimi",
        "Yuusha", "Isekai", "Kingdom", "Wars", "Saga", "Knights",
    ]
)  # fmt: skip
TITLES = st.lists(WORDS, min_size=1, max_size=6, unique=True).map(" ".join)
NUMBERED_TITLES = st.sampled_from(
    ["86", "91 Days", "Mob Psycho 100", "Steins;Gate 0", "Zom 100", "Kaiju No. 8", "Kaijuu 8-gou", "Rokka 6 Braves"]
)
GROUPS = st.sampled_from(["SubsPlease", "Erai-raws", "ASW", "Some Group", "A&B-Subs", "neoHEVC", "0x539"])
CHECKSUMS = st.integers(0, 2**32 - 1).map(lambda number: f"{number:08X}").filter(lambda said: not said.isalpha())
HEIGHTS = st.sampled_from([480, 720, 1080, 2160])
SOURCES = st.sampled_from(
    [("", ""), ("WEB-DL", "WEB"), ("WEBRip", "WEB"), ("BD", "BD"), ("BluRay", "BD"), ("DVDRip", "DVD")]
)
CODECS = st.sampled_from(
    [("", ""), ("x264", "AVC"), ("H.264", "AVC"), ("HEVC", "HEVC"), ("x265", "HEVC"), ("AV1", "AV1")]
)
DEPTHS = st.sampled_from([("", None), ("10bit", 10), ("10-bit", 10), ("8bit", 8)])
SPEECH = st.sampled_from(
    [
        ("", (), ()),
        ("[Dual-Audio]", ("ja", "en"), ()),
        ("[Multi-Subs]", (), ("multi",)),
        ("[English Dub]", ("en",), ()),
        ("[Eng Sub]", (), ("en",)),
        ("[ITA-JPN]", ("it", "ja"), ()),
        ("[Multiple Subtitle] [ENG][POR-BR]", (), ("en", "pt")),
        ("[VOSTFR]", (), ("fr",)),
        ("[简繁内封字幕]", (), ("zh",)),
    ]
)
NOISE = st.lists(
    st.sampled_from(
        [
            "[1080p]", "(720p)", "[1920x1080]", "[HEVC x265 10bit]", "[AVC 8bit]", "(WEB 1080p)", "[CR WEB-DL AAC2.0]",
            "(BD 1080p Hi10P FLAC)", "[DDP5.1]", "[AAC 2.0]", "[23.976fps]", "[1.4 GiB]", "[HDR10+]", "[NF]", "[AMZN]",
            "[Dual-Audio]", "[Multi-Subs]", "[Eng Sub]", "[ENG][FRE][ITA]", "[VOSTFR]", "[JPSC]", "[简体内嵌]",
            "(Weekly)", "[Русские субтитры]", "[Hindi]", "[English Dub]", "[DEADBEEF]", "[E63F2984]", "[00000012]",
            "[Uncensored]", "[Batchless]", "[AniUploader]", "[Best Releases]", "[site.example]", "(remux by Somebody)",
        ]
    ),
    max_size=4,
    unique=True,
)  # fmt: skip


@dataclass(frozen=True)
class Numbering:
    """How a name may write its number, and what that says."""

    written: str
    season: int | None
    episode: int | None
    last: int | None = None
    version: int = 1


@st.composite
def numberings(draw: st.DrawFn) -> Numbering:
    season, episode, version = draw(st.integers(1, 30)), draw(st.integers(1, 999)), draw(st.integers(1, 4))
    last = episode + draw(st.integers(1, 60))
    v = f"v{version}" if version > 1 else ""
    one, ranged = (None, episode), (None, episode, last)
    return draw(
        st.sampled_from(
            [
                Numbering(f"- {episode:02}{v}", *one, version=version),
                Numbering(f"- {episode:03}{v} END", *one, version=version),
                Numbering(f"[{episode:02}]", *one),
                Numbering(f"[第{episode:02}話]", *one),
                Numbering(f"第{episode:02}话", *one),
                Numbering(f"Episode {episode}", *one),
                Numbering(f"EP{episode:02}", *one),
                Numbering(f"S{season:02}E{episode:02}{v}", season, episode, version=version),
                Numbering(f"- S{season:02}E{episode:02}", season, episode),
                Numbering(f"S{season} - {episode:02}", season, episode),
                Numbering(f"Season {season} - {episode:02}{v}", season, episode, version=version),
                Numbering(f"第{season}期 - {episode:02}", season, episode),
                Numbering(f"(Season {season})", season, None),
                Numbering(f"S{season:02}", season, None),
                Numbering(f"({episode:02}-{last:02})", *ranged),
                Numbering(f"[{episode:02}-{last:02}]", *ranged),
                Numbering(f"- {episode:02} ~ {last:02}", *ranged),
                Numbering(f"{episode:02}-{last:02}", *ranged),
                Numbering(f"S{season} ({episode:02}-{last:02})", season, episode, last),
                Numbering("- 12.5", None, None),
            ]
        )
    )


def numbers_of(read: ReleaseName) -> tuple[int | None, int | None, int | None, int | None, float | None]:
    return read.season, read.last_season, read.episode, read.last_episode, read.fraction


@given(TITLES, GROUPS, numberings(), HEIGHTS, SOURCES, CODECS, DEPTHS, SPEECH, CHECKSUMS)
@STEADY
def test_a_name_built_from_parts_reads_back_to_them(
    title: str,
    group: str,
    numbering: Numbering,
    height: int,
    source: tuple[str, str],
    codec: tuple[str, str],
    depth: tuple[str, int | None],
    speech: tuple[str, tuple[str, ...], tuple[str, ...]],
    checksum: str,
) -> None:
    technical = " ".join(filter(None, (source[0], f"{height}p", codec[0], depth[0])))
    name = f"[{group}] {title} {numbering.written} ({technical}) {speech[0]}[{checksum}].mkv"
    read = parse(name)
    assert (read.title, read.group) == (title, group)
    assert (read.season, read.episode, read.last_episode) == (numbering.season, numbering.episode, numbering.last)
    assert read.version == numbering.version
    assert (read.resolution, read.source, read.codec) == (height, source[1], codec[1])
    assert (read.bit_depth, read.audio, read.subtitles, read.checksum) == (depth[1], speech[1], speech[2], checksum)


@given(TITLES, st.integers(1, 20), st.integers(1, 99), HEIGHTS, st.sampled_from(["VARYG", "ToonsHub", "iDN_CreW"]))
@STEADY
def test_a_scene_name_built_from_parts_reads_back_to_them(
    title: str, season: int, episode: int, height: int, group: str
) -> None:
    dotted = title.replace(" ", ".")
    read = parse(f"{dotted}.S{season:02}E{episode:02}.{height}p.NF.WEB-DL.AAC2.0.H.264-{group}.mkv")
    assert (read.title, read.season, read.episode) == (title, season, episode)
    assert (read.group, read.resolution, read.source, read.codec) == (group, height, "WEB", "AVC")


@given(NUMBERED_TITLES, GROUPS, numberings(), HEIGHTS)
@STEADY
def test_a_known_title_is_no_number_wherever_the_number_stands(
    title: str, group: str, numbering: Numbering, height: int
) -> None:
    read = parse(f"[{group}] {title} {numbering.written} [{height}p]", [title])
    assert read.title == title
    assert (read.season, read.episode, read.last_episode) == (numbering.season, numbering.episode, numbering.last)


@given(TITLES, GROUPS, numberings(), NOISE, st.booleans())
@STEADY
def test_noise_never_changes_the_episode(
    title: str, group: str, numbering: Numbering, noise: list[str], known: bool
) -> None:
    reader = Reader([title] if known else [])
    plain = reader.read(f"[{group}] {title} {numbering.written} [1080p]")
    noisy = reader.read(f"[{group}] {title} {numbering.written} [1080p] {' '.join(noise)}.mkv")
    assert numbers_of(noisy) == numbers_of(plain)
    assert noisy.title == plain.title


@given(st.sampled_from(CORPUS), NOISE)
@STEADY
def test_noise_never_changes_the_episode_of_a_real_name(label: Labelled, noise: list[str]) -> None:
    assume(label.name.endswith("]"))
    plain, noisy = parse(label.name), parse(f"{label.name} {' '.join(noise)}")
    assert numbers_of(noisy) == numbers_of(plain)


@given(TITLES, GROUPS, st.integers(1, 999), st.integers(1, 60))
@STEADY
def test_a_range_is_a_batch(title: str, group: str, first: int, more: int) -> None:
    assert parse(f"[{group}] {title} ({first:02}-{first + more:02}) [1080p]").kind is Kind.BATCH


@given(st.text(max_size=400))
@STEADY
def test_no_text_breaks_the_reader(text: str) -> None:
    assert isinstance(READER.read(text), ReleaseName)


@given(st.sampled_from(CORPUS), st.randoms(use_true_random=False))
@STEADY
def test_no_mutated_name_breaks_the_reader(label: Labelled, chance: random.Random) -> None:
    text = label.name
    for _ in range(chance.randint(1, 5)):
        at = chance.randint(0, len(text))
        piece = chance.choice(["[", "]", "(", "第", "話", " - ", "S", "E", "0", "²", "½", "|", "\x00", "~12", "v", "."])
        text = chance.choice(
            [text[:at] + piece * chance.randint(1, 9) + text[at:], text[at:], text[:at] + text[at + 2 :]]
        )
    assert isinstance(READER.read(text), ReleaseName)
