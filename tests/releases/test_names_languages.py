import pytest

from uuutorrent.releases.names import parse


@pytest.mark.parametrize(
    ("name", "audio", "subtitles"),
    [
        ("[SubsPlease] Show - 05 (1080p) [AB12CD34].mkv", "", ""),
        ("[Erai-raws] Show - 05 [1080p CR WEBRip HEVC AAC][MultiSub][AB12CD34]", "", "multi"),
        ("[Erai-raws] Show - 05 [1080p][Multiple Subtitle] [ENG][POR-BR][SPA-LA][SPA][ARA]", "", "en pt es ar"),
        ("[Erai-raws] Show - 05 (JA) [1080p][MultiSub]", "ja", "multi"),
        ("[Erai-raws] Show 4th Season - 10 (Chinese Audio) [1080p][MultiSub]", "zh", "multi"),
        ("[Judas] Show - S01E05 [1080p][HEVC x265 10bit][Dual-Audio][Multi-Subs]", "ja en", "multi"),
        ("[Trix] Show (01-12) (1080p AV1) [Multi Subs] (VOSTFR)", "", "multi fr"),
        ("[Asakura] Show 02 (WEB 1080p AVC AAC) [Dual-Sub].mkv", "", "multi"),
        ("[Anime Time] Show (Season 1) [BD][Dual Audio][1080p][AAC][Eng Sub] [Batch]", "ja en", "en"),
        ("[Yameii] Show - S01E05 [English Dub] [CR WEB-DL 1080p]", "en", ""),
        ("[Golumpa] Show - 05 [English Dub] [CR-DUB 1080p x264 AAC]", "en", ""),
        (
            "Show S01E05 Its Name 1080p NF WEB-DL DUAL DDP5.1 H 264-VARYG (Other, Dual-Audio, Multi-Subs)",
            "ja en",
            "multi",
        ),
        ("Show S01E05 VOSTFR 1080p WEB x264 AAC -Tsundere-Raws (CR)", "", "fr"),
        ("Show S01E05 MULTI 1080p WEB x264 AAC -Tsundere-Raws (CR)", "multi", ""),
        ("Show Saison 3 Intégrale VF 1080p BluRay x265", "fr", ""),
        ("Show S01E05 VF VOSTFR 1080p WEB x264", "fr", "fr"),
        ("[ToonsHub] Show S01E05 1080p B-Global WEB-DL AAC2.0 H.264 (Multi-Audio, Multi-Subs)", "multi", "multi"),
        ("[LoliHouse] 节目 / Show - 05 [WebRip 1080p HEVC-10bit AAC][简繁日内封字幕]", "", "zh ja"),
        ("[Nekomoe kissaten] Show [05][1080p][JPSC].mp4", "", "ja zh"),
        ("[Nekomoe kissaten] Show [05][1080p][CHS].mp4", "", "zh"),
        ("[Group] Show [05][GB][1080P]", "", "zh"),
        ("[Group] Show [05][BIG5][1080P]", "", "zh"),
        ("[Group] Show [05][1080p][简体内嵌]", "", "zh"),
        ("[Group] Show [05][1080p][简日双语]", "", "zh ja"),
        ("[Group] Show [05][1080p][CHS&JPN]", "", "zh ja"),
        ("[ANi] Show - 05 [1080P][Baha][WEB-DL][AAC AVC][CHT][MP4]", "", "zh"),
        ("[PuyaSubs!] Show S2 - 13 [ESP-ENG][1080p]", "", "es en"),
        ("[Kirion] Show - 03 [1080p][Sub Español]", "", "es"),
        ("Show Temporada 4 [1080p][Latino-Japonés][HEVC]", "es ja", ""),
        ("Show - 20 [Castellano][WEB-DL 1080p][x265]", "es", ""),
        ("Show - 20 [Audio Latino][WEB-DL 1080p][x265]", "es", ""),
        ("Show S01E05 1080p CR WEB-DL Hindi-English-Japanese AAC 2.0 H.264-Grp", "hi en ja", ""),
        ("[Grp] Show - 05 [Hindi Dub][1080p]", "hi", ""),
        ("[Grp] Show - 05 [Dual Audio][Hindi-Japanese][1080p][ESub]", "hi ja", "en"),
        ("Show S04 [BluRay 1080p HEVC ITA-JPN AAC SUB ITA]", "it ja", "it"),
        ("[Grp] Show - 05 (ITA) [1080p]", "it", ""),
        ("[Grp] Show - 05 [Sub ITA][1080p]", "", "it"),
        ("[Grp] Show - 05 [JA+EN][1080p]", "ja en", ""),
        ("Показ / Show [01-12 из 12] [JAP+RUS] [Русские субтитры] [WEBRip 1080p]", "ja ru", "ru"),
        ("[Grp] Show - 05 [GerSub][1080p]", "", "de"),
        ("[Grp] Show - 05 [GerDub][1080p]", "de", ""),
        ("Show.S02E03.German.DL.1080p.WEB.H264-ATAX", "de ja", ""),
        ("[Grp] Show - 05 [Arabic Sub][1080p]", "", "ar"),
        ("[Grp] Show - 05 [1080p][Legendado PT-BR]", "", "pt"),
        ("[Grp] Show - 05 [1080p][Dublado]", "pt", ""),
        ("[Grp] Show - 05 [1080p][VietSub]", "", "vi"),
        ("[Grp] Show - 05 [1080p][Sub Indo]", "", "id"),
        ("[Grp] Show - 05 [720p AAC(5.1ch JP+EN) +Sub(JP-EN-SP-FR-CH)]", "ja en", "ja en es fr zh"),
        ("[Grp] The French Girl - 05 [1080p]", "", ""),
        ("[Grp] English Club (Teacher in English) - 05 [1080p]", "", ""),
        ("[Grp] Show - 05 [1080p][Dubbed]", "en", ""),
        ("[Grp] Show - 05 [1080p] (Eng-Subs)", "", "en"),
        ("[Grp] Show (01-12) [1080p][Spanish Dub][Spanish Subs]", "es", "es"),
    ],
)
def test_which_languages_are_spoken_and_which_written(name: str, audio: str, subtitles: str) -> None:
    read = parse(name)
    assert (read.audio, read.subtitles) == (tuple(audio.split()), tuple(subtitles.split()))


def test_words_of_a_title_are_no_languages() -> None:
    read = parse("[Grp] The Italian Job in French - 05 [1080p]")
    assert (read.title, read.audio, read.subtitles) == ("The Italian Job in French", (), ())
