import pytest

from tests.releases.corpus import episode_is_right, is_right, labelled
from uuutorrent.releases.layout import LONGEST
from uuutorrent.releases.names import parse
from uuutorrent.releases.release import Kind
from uuutorrent.releases.words import words

CORPUS = labelled()


def share(right: list[bool]) -> float:
    return sum(right) / len(right)


def test_the_corpus_is_read_without_knowing_any_title() -> None:
    wrong = [label.name for label in CORPUS if not is_right(parse(label.name), label)]
    assert len(wrong) / len(CORPUS) <= 0.01, wrong
    assert share([parse(label.name).group == label.group for label in CORPUS]) >= 0.99
    assert share([str(parse(label.name).resolution or "") == label.resolution for label in CORPUS]) >= 0.99


def test_the_corpus_is_read_with_the_title_known() -> None:
    wrong = [label.name for label in CORPUS if not is_right(parse(label.name, label.titles), label)]
    assert len(wrong) / len(CORPUS) <= 0.01, wrong


@pytest.mark.parametrize(
    ("name", "season", "episode"),
    [
        ("[0x539] Somali and the Forest Spirit - S01E01 (WEB 1080p Hi10P AAC) [BB7C6531].mkv", 1, "1"),
        ("[G] Show - 1080 (1080p) [05B85B5E].mkv", None, "1080"),
        ("[G] Show - 07 [E63F2984].mkv", None, "7"),
        ("[G] Show (2021) - 07v3 [E63F2984].mkv", None, "7"),
        ("Show.2024.S02E11.1080p.NF.WEB-DL.AAC2.0.H.264-GRP.mkv", 2, "11"),
        ("[G][Show][12][1080p][JPSC]", None, "12"),
        ("【G】【Show】【第05話】【1080p】", None, "5"),
        ("[G] 作品名 第2期 第07話 [1080p].mkv", 2, "7"),
        ("[G] 作品名 第二季 - 07 [1080p].mkv", 2, "7"),
        ("[G] Show S3 - 01 (51) [720p].mkv", 3, "1"),
        ("[G] Show Season 2 Episode 5 [720p].mkv", 2, "5"),
        ("[G] Show 3rd Season - 24 END [1080p].mkv", 3, "24"),
        ("[G] Show 2x05 [1080p].mkv", 2, "5"),
        ("[G] Show EP07.5 (BD 720p).mkv", None, "7.5"),
        ("[G] Show #04 (ABC 1280x720 x264 AAC).mp4", None, "4"),
        ("[G] Show - 01~12 [1080p]", None, "1-12"),
        ("[G] Show (01-28) [1080p]", None, "1-28"),
        ("[G] Show - 01 ~ 12 [BATCH]", None, "1-12"),
        ("[G] Show - 01v2-03v2 [720p]", None, "1-3"),
        ("[G] Show S02 [1080p][Batch]", 2, ""),
        ("[G] Show S1+S2+S3 [1080p]", "1-3", ""),
        ("[G] Show (Season 1-6) [1080p]", "1-6", ""),
        ("[G] Show S01-S04 [1080p]", "1-4", ""),
        ("Show S01E01-S01E03 1080p WEB-DL H264-GRP", 1, "1-3"),
        ("Show S01E01-E03 1080p WEB-DL H264-GRP", 1, "1-3"),
        ("Show S01E01E02E03 1080p WEB-DL H264-GRP", 1, "1-3"),
        ("[G] Show - S01E01-02-03 - Its Name [1080p]", 1, "1-3"),
        ("Show.S03.[Epi.01-06].720p.BluRay-GRP", 3, "1-6"),
        ("Show 作品 1080P BDRIP 第1~26話 全 外挂字幕", None, "1-26"),
        ("[G][Show][1080p][TV 01-52 Fin + 2 OVA]", None, "1-52"),
        ("[G] Movie of 5 Centimeters [1080p]", None, ""),
        ("[G] Byousoku 5 Centimeter [1080p].mkv", None, ""),
        ("[G] Show - Vol.3 [BD 1080p]", None, ""),
        ("[G] Show 2 - Pilot [1080p].mkv", None, ""),
    ],
)
def test_seasons_and_episodes(name: str, season: int | str | None, episode: str) -> None:
    read = parse(name)
    said = f"{read.season}-{read.last_season}" if read.last_season else read.season
    assert said == season, read
    assert episode_is_right(read, episode), read


@pytest.mark.parametrize(
    ("name", "known", "episode"),
    [
        ("[G] 86 - 05 (1080p).mkv", "86", "5"),
        ("[G] 86 [1080p].mkv", "86", ""),
        ("[G] 91 Days - 05 [1080p].mkv", "91 Days", "5"),
        ("[G] 91 Days [1080p].mkv", "91 Days", ""),
        ("[G] Mob Psycho 100 - 03.mkv", "Mob Psycho 100", "3"),
        ("[G]_Steins;Gate_0_-_07_[1080p].mkv", "Steins;Gate 0", "7"),
        ("[G] Steins Gate 0 [1080p].mkv", "Steins;Gate 0", ""),
        ("Kaiju.No.8.04.1080p.WEB-DL.mkv", "Kaiju No. 8", "4"),
        ("[G] Zom 100 - 100 [1080p].mkv", "Zom 100", "100"),
        ("[G] Kill la Kill 24 [BD 1080p]", "Kill la Kill", "24"),
        ("[G] Boku no Hero Academia 2 [1080p]", "Boku no Hero Academia", ""),
    ],
)
def test_a_known_title_is_no_number(name: str, known: str, episode: str) -> None:
    assert episode_is_right(parse(name, [known]), episode), parse(name, [known])


def test_an_accent_inside_a_title_parts_no_words() -> None:
    assert [word.text for word in words("L´été 0´0")] == ["lete", "00"]


def test_of_two_known_titles_the_longer_is_cut_out() -> None:
    assert parse("[G] Mob Psycho 100 - 05 [1080p]", ["Mob Psycho", "Mob Psycho 100"]).episode == 5


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("[G] Show - 05 [1080p]", Kind.EPISODE),
        ("[G] Show (01-12) [1080p]", Kind.BATCH),
        ("[G] Show [BD 1080p] (Batch)", Kind.BATCH),
        ("[G] Show S2 [BD 1080p]", Kind.BATCH),
        ("[G] Show - Vol. 2 [BD 1080p]", Kind.BATCH),
        ("[G] Show - NCOP1 [BD 1080p]", Kind.OPENING),
        ("[G] Show - 12 - Clean Opening [BD 1080p]", Kind.OPENING),
        ("[G] Show - Creditless OP1 [BD 1080p]", Kind.OPENING),
        ("[G] Show NCED2v2 [BD 1080p]", Kind.ENDING),
        ("[G] Show - PV3 [1080p]", Kind.PREVIEW),
        ("[G] Show - Trailer [1080p]", Kind.PREVIEW),
        ("[G] Show - Menu [BD 1080p]", Kind.EXTRA),
        ("[G] Show - 12.5 [1080p]", Kind.SPECIAL),
        ("[G] Show OVA - 01 [1080p]", Kind.OVA),
        ("[G] Show - OAD02 [1080p]", Kind.OVA),
        ("[G] Show - 13.5 (Recap) [1080p]", Kind.RECAP),
        ("[G] 作品总集篇 [1080p]", Kind.RECAP),
        ("[G] 作品OVA [1080p]", Kind.OVA),
        ("[G] 作品番外篇 [1080p]", Kind.SPECIAL),
        ("[G] PV=nRT - 05 [1080p]", Kind.EPISODE),
        ("[G] 作品 特别篇 [1080p]", Kind.SPECIAL),
        ("[G] Show 特典 [BDRip 1080p]", Kind.EXTRA),
        ("[G]剧场版作品[WEB-DL 1080p]", Kind.FILM),
        ("[G] Show - SP02 [1080p]", Kind.SPECIAL),
        ("[G] Show - EX01 [1080p]", Kind.SPECIAL),
        ("[G] Show - Special 03 [1080p]", Kind.SPECIAL),
        ("[G] Show Movie [BD 1080p]", Kind.FILM),
        ("[G] Show [BD 1080p]", Kind.UNKNOWN),
    ],
)
def test_the_kind_of_thing_it_is(name: str, kind: Kind) -> None:
    assert parse(name).kind is kind, parse(name)


@pytest.mark.parametrize(
    ("name", "season", "part", "episode"),
    [
        ("[G] Show Part 2 - 05 [1080p]", None, 2, 5),
        ("[G] Show Part II - 05 [1080p]", None, 2, 5),
        ("[G] Show 2nd Cour - 13 [1080p]", None, 2, 13),
        ("[G] Show Season 2 Cour 2 - 05 [1080p]", 2, 2, 5),
        ("[G] 作品 第2クール - 13 [1080p]", None, 2, 13),
        ("[G] Show S02P02 - 05 [1080p]", 2, 2, 5),
        ("[G] Show S02P02E05 [1080p]", 2, 2, 5),
        ("[G] Show S02P02 [1080p]", 2, 2, None),
        ("[G] Show - 05 - The Battle Part 2 [1080p]", None, None, 5),
    ],
)
def test_a_season_may_come_in_parts(name: str, season: int | None, part: int | None, episode: int | None) -> None:
    read = parse(name)
    assert (read.season, read.part, read.episode) == (season, part, episode), read


def test_what_the_technical_marks_say() -> None:
    read = parse("[Group] Show - 03v2 (BD 1920x1080 x265 10-bit FLAC) [Dual-Audio][Multi-Subs][ABCD1234].mkv")
    assert (read.resolution, read.source, read.codec, read.bit_depth) == (1080, "BD", "HEVC", 10)
    assert (read.version, read.dual_audio, read.subtitles, read.checksum) == (2, True, ("multi",), "ABCD1234")
    web = parse("Show.S01E03.2160p.NF.WEB-DL.AAC2.0.H.264-GRP.mkv")
    assert (web.resolution, web.source, web.codec, web.group) == (2160, "WEB", "AVC", "GRP")
    assert parse("[G] Show - 03 [ENG][FRE][ITA][1080p AV1]").subtitles == ("en", "fr", "it")
    assert parse("[G] Show - 03 [WebRip 1080p HEVC-10bit AAC][简繁内封字幕]").subtitles == ("zh",)
    assert parse("[G] Show (2011) - 03 [1080p]").year == 2011


def test_other_titles_are_kept() -> None:
    read = parse("Solo Leveling S02E04 1080p WEB-DL H 264-VARYG (Ore dake Level Up na Ken Season 2, Dual-Audio)")
    assert read.title == "Solo Leveling"
    assert "Ore dake Level Up na Ken Season 2" in read.others
    barred = parse("[G] 葬送的芙莉莲 / Sousou no Frieren - 03 [1080p]")
    assert (barred.title, barred.others) == ("Sousou no Frieren", ("葬送的芙莉莲",))


def test_words_of_an_episode_s_name_are_no_marks() -> None:
    read = parse("Show S01E03 O Fim da TV Preview 1080p NF WEB-DL H 264-GRP")
    assert (read.source, read.dual_audio, read.audio, read.kind) == ("WEB", False, (), Kind.EPISODE)
    assert parse("Show S01E03 DUAL 1080p WEB H264-GRP").dual_audio
    assert parse("[G] Show - 03 [1080p][DA]").dual_audio
    assert parse("[G] Show - 03 RAW [1080p]").raw_video
    assert parse("Show - 03 DVD - G").source == "DVD"


def test_what_stands_right_behind_the_season_is_no_title() -> None:
    japanese = parse("Show S02 JAPANESE 1080p NF WEB-DL x265-GRP")
    assert (japanese.title, japanese.season, japanese.audio) == ("Show", 2, ("ja",))
    second = parse("Show.S01.v2.1080p.Blu-Ray.Dual-Audio.x265-GRP")
    assert (second.title, second.season, second.version) == ("Show", 1, 2)


def test_a_group_may_stand_between_underscores() -> None:
    read = parse("_Some-Group_ Show of Shows VOSTFR")
    assert (read.group, read.title, read.subtitles) == ("Some-Group", "Show of Shows", ("fr",))


def test_an_index_that_counts_past_255_characters_is_cut_off() -> None:
    read = parse("[G] " + "word " * 400 + "- 05 [1080p]")
    assert read.episode is None
    assert len(read.title) <= LONGEST
