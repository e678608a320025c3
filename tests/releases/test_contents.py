"""What is inside a batch: lists of files as groups publish them, and which of them an episode is."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.releases.shelves import wanted
from uuutorrent.releases.contents import MOST_READ, pick, told
from uuutorrent.releases.release import Correction, Form, Lore, Wanted


def run(form: str, first: int, last: int) -> list[str]:
    """Names that differ by their number."""
    return [form.format(number) for number in range(first, last + 1)]


def picked(show: str, paths: list[str], title: str = "") -> dict[int, list[str]]:
    found = pick([(path, 1000) for path in paths], wanted(show), title=title)
    return {episode: [paths[index] for index in files] for episode, files in found.items()}


JUDAS = "[Judas] Sousou no Frieren (Season 1) [1080p][HEVC x265 10bit]"
BLEACH = [
    *run("Bleach/Bleach - {:03}.mkv", 1, 366),
    *run("Bleach/Bleach - Thousand-Year Blood War/{:02}.mkv", 1, 13),
]
PLEIADES = [
    *run("Overlord/Overlord - {:02}.mkv", 1, 13),
    *run("Overlord/Specials/Overlord - Ple Ple Pleiades - {:02}.mkv", 1, 8),
]
ARCS = [
    *run("One Piece/001-061 East Blue/One Piece - {:03}.mkv", 1, 61),
    *run("One Piece/062-077 Alabasta/One Piece - {:03}.mkv", 62, 77),
]


def two(top: str, first: str, second: str, counts: tuple[int, int] = (13, 13)) -> list[str]:
    """Two folders, each counted from 1."""
    return [*run(f"{top}/{first}.mkv", 1, counts[0]), *run(f"{top}/{second}.mkv", 1, counts[1])]


FRIEREN = {
    "names in full": "[Judas] Sousou no Frieren - S01E{:02}.mkv",
    "bare numbers": "{:02}.mkv",
    "bare digits": "{}.mkv",
    "bare numbers with a version": "{:02}v2.mkv",
    "a number and marks": "{:02} [1080p].mkv",
    "group and number": "[Judas] {:02} [ABCD1234].mkv",
    "SxxEyy-Title": "S01E{:02}-The Hero's Party.mkv",
    "SxxEyy.Title": "S01E{:02}.The.Heros.Party.mkv",
    "02 - Title": "{:02} - The Hero's Party.mkv",
    "02. Title": "{:02}. The Hero's Party.mkv",
    "02-Title": "{:02}-Title.mkv",
    "Episode 02 - Title": "Episode {:02} - Title.mkv",
    "Ep2": "Ep{}.mp4",
    "in brackets": "[{:02}].mkv",
    "a Japanese count": "第{:02}話.mkv",
    "the title shortened": "Frieren {:02} [ABCD1234].mkv",
    "underscores": "Frieren_-_{:02}_(BD_1080p).mkv",
    "the scene's dots": "Frieren.Beyond.Journeys.End.S01E{:02}.A.Title.1080p.WEB.H264-VARYG.mkv",
    "a folder of videos": "Videos/{:02}.mkv",
    "a disc": "BD 1/{:02}.mkv",
    "an old container": "Sousou no Frieren Ep {:02}.AVI",
}


@pytest.mark.parametrize("form", FRIEREN.values(), ids=FRIEREN.keys())
@pytest.mark.parametrize("top", ["Frieren/", "[Judas] Sousou no Frieren (Season 1) [1080p]/", ""])
def test_however_a_group_writes_them_the_numbers_are_told(form: str, top: str) -> None:
    paths = run(f"{top}{form}", 1, 28)
    found = picked("frieren", paths, JUDAS)
    assert told(found) == "1-28"
    assert found[5] == [paths[4]]


ONE_OF_EACH = [
    pytest.param("frieren", JUDAS, [*run("Frieren/Disc 1/{:02}.mkv", 1, 2), *run("Frieren/Disc 2/{:02}.mkv", 3, 5)],
                 4, "1-5", id="discs that are numbered on"),
    pytest.param("overlord", "Overlord S1-S2", two("Overlord", "Season 1/{:02}", "Season 2/{:02}"), 4, "1-13",
                 id="the first season's folder"),
    pytest.param("overlord2", "Overlord S1-S2", two("Overlord", "Season 1/{:02}", "Season 2/{:02}"), 17, "1-13",
                 id="the second season's folder"),
    pytest.param("overlord2", "Overlord S1+S2", two("Overlord", "S1/Overlord - {:02}", "S2/Overlord - {:02}"), 17,
                 "1-13", id="folders S1 and S2, numbers within"),
    pytest.param("overlord2", "Overlord", two("Overlord", "Overlord/{:02}", "Overlord II/Overlord II - {:02}"), 17,
                 "1-13", id="folders with titles"),
    pytest.param("overlord2", "[G] Overlord", run("Overlord/Overlord - {:02}.mkv", 1, 26), 17, "1-13",
                 id="absolute numbers"),
    pytest.param("overlord3", "[G] Overlord", run("Overlord/Overlord - {:02}.mkv", 1, 52), 30, "1-13",
                 id="absolute numbers of four seasons"),
    pytest.param("overlord2", "[G] Overlord S2", run("Overlord/Overlord - {:02}.mkv", 1, 13), 4, "1-13",
                 id="only the post names the season"),
    pytest.param("overlord2", "[G] Overlord II", two("Overlord II", "{:02}", "Specials/{:02}"), 4, "1-13",
                 id="specials beside"),
    pytest.param("pleiades", "[G] Overlord", PLEIADES, 17, "1-8", id="the specials themselves"),
    pytest.param("tybw", "[G] Bleach + TYBW", BLEACH, 370, "1-13", id="a sequel's own folder"),
    pytest.param("bleach", "[G] Bleach + TYBW", BLEACH, 4, "1-366", id="the long show beside its sequel"),
    pytest.param("tybw", "[G] Bleach", run("Bleach/Bleach - {:03}.mkv", 1, 379), 370, "1-13",
                 id="a sequel numbered on from a long show"),
    pytest.param("mob", "[G] Mob Psycho 100", run("Mob Psycho 100/Mob Psycho 100 - {:02}.mkv", 1, 12), 4, "1-12",
                 id="a title with a number"),
    pytest.param("mob2", "[G] Mob Psycho 100 S1+S2", two("Mob", "S1/Mob Psycho 100 - S01E{:02}",
                 "S2/Mob Psycho 100 - S02E{:02}"), 17, "1-13", id="a title with a number, second season"),
    pytest.param("86", "[G] 86", run("86/86 - {:02}.mkv", 1, 11), 4, "1-11", id="a title that is a number"),
    pytest.param("86-2", "[G] 86", run("86 EIGHTY-SIX/86 EIGHTY-SIX - {:02}.mkv", 1, 23), 15, "1-12",
                 id="the second part, numbered on"),
    pytest.param("86-2", "[G] 86 EIGHTY-SIX", two("86", "Part 1/{:02}", "Part 2/{:02}", (11, 12)), 15, "1-12",
                 id="folders of parts"),
    pytest.param("91", "[G] 91 Days", run("91 Days/91 Days - {:02}.mkv", 1, 12), 4, "1-12", id="91 Days"),
    pytest.param("spy2", "[G] SPY x FAMILY", run("SPY x FAMILY/SPY x FAMILY - {:02}.mkv", 1, 25), 16, "1-13",
                 id="a split cour"),
    pytest.param("spy3", "[G] SPY x FAMILY S1-S2", two("SPY x FAMILY", "S1/SPY x FAMILY - S01E{:02}",
                 "S2/SPY x FAMILY - S02E{:02}", (25, 12)), 29, "1-12", id="the third entry is the second season"),
    pytest.param("onepiece", "[G] One Piece", ARCS, 4, "1-77", id="folders of arcs"),
    pytest.param("basket2019", "[G] Fruits Basket (2019)", run("Fruits Basket (2019)/Fruits Basket - {:02}.mkv", 1, 25),
                 4, "1-25", id="a remake, told apart by its folder's year"),
]  # fmt: skip


@pytest.mark.parametrize(("show", "title", "paths", "index", "all_told"), ONE_OF_EACH)
def test_the_fifth_episode_is_found_among_the_family(
    show: str, title: str, paths: list[str], index: int, all_told: str
) -> None:
    found = picked(show, paths, title)
    assert told(found) == all_told
    assert found[5] == [paths[index]]


def test_a_film_is_found_among_episodes_and_trailers() -> None:
    among = ["Bleach/Bleach - 001.mkv", "Bleach/Movies/Bleach - Memories of Nobody.mkv"]
    assert picked("memories", among, "[G] Bleach") == {1: [among[1]]}
    alone = ["Your Name/Kimi no Na wa.mkv", "Your Name/Kimi no Na wa - Trailer.mkv"]
    assert picked("film", alone, "Your Name") == {1: [alone[0]]}


UNTOLD = [
    pytest.param("frieren", JUDAS, two("Frieren", "Disc 1/{:02}", "Disc 2/{:02}"), id="two folders that count from 1"),
    pytest.param("frieren", JUDAS, run("Frieren/91 Days - {:02}.mkv", 1, 12), id="another show in the folder"),
    pytest.param("frieren", JUDAS, run("Frieren/91 Days/{:02}.mkv", 1, 12), id="another show's folder"),
    pytest.param("frieren", JUDAS, ["Frieren/a.mkv", "Frieren/b.mkv"], id="no numbers"),
    pytest.param("frieren", JUDAS, run("Frieren/Extras/{:02}.mkv", 1, 12), id="extras"),
    pytest.param("frieren", JUDAS, run("Frieren/Specials/S01E{:02}.mkv", 1, 12), id="specials"),
    pytest.param("frieren", JUDAS, run("Frieren/Season 1 Bonus/Frieren - {:02}.mkv", 1, 12), id="bonus"),
    pytest.param("frieren", JUDAS, run("Frieren/NCOP & NCED/{:02}.mkv", 1, 12), id="openings and endings"),
    pytest.param("frieren", JUDAS, run("Frieren/Menus/Frieren - {:02}.mkv", 1, 12), id="menus"),
    pytest.param("frieren", JUDAS, run("Frieren/Frieren NCOP{}.mkv", 1, 3), id="openings among the episodes"),
    pytest.param("frieren", JUDAS, run("Frieren/S00E{:02}.mkv", 1, 3), id="season 0"),
    pytest.param("frieren", JUDAS, ["Frieren/12.5.mkv", "Frieren/13.5.mkv"], id="half numbers"),
    pytest.param("frieren", JUDAS, run("Frieren/{:02}.zip", 1, 3), id="archives"),
    pytest.param("frieren", JUDAS, run("Frieren/{:02}.nfo", 1, 3), id="no videos"),
    pytest.param("frieren", JUDAS, run("Frieren/{:02}.mkv.!qB", 1, 3), id="unfinished downloads"),
    pytest.param("frieren", "", run("Films/{:02}.mkv", 1, 3), id="nothing names the show"),
    pytest.param("overlord", "Overlord II", run("Overlord II/{:02}.mkv", 1, 13), id="another season's folder"),
    pytest.param("overlord2", "Overlord", run("Overlord/Overlord - {:02}.mkv", 1, 13), id="an earlier season"),
    pytest.param("overlord2", "Overlord", run("Overlord/Season 2/Overlord - S01E{:02}.mkv", 1, 13),
                 id="folder and file contradict each other"),
    pytest.param("overlord", "Overlord", ["Overlord/Overlord - 01 (Commentary).mkv",
                 "Overlord/Sample/Overlord - 01.mkv", "Overlord/Overlord.S01E01.sample.mkv"], id="samples"),
    pytest.param("basket", "[G] Fruits Basket", run("Fruits Basket/Fruits Basket - {:02}.mkv", 1, 25),
                 id="two shows of one name"),
    pytest.param("pleiades", "Overlord", run("Overlord/Overlord - {:02}.mkv", 1, 13), id="the series, not its special"),
    pytest.param("memories", "Bleach", run("Bleach/Bleach - {:03}.mkv", 1, 13), id="the series, not its film"),
]  # fmt: skip


@pytest.mark.parametrize(("show", "title", "paths"), UNTOLD)
def test_what_could_be_something_else_is_nobodys(show: str, title: str, paths: list[str]) -> None:
    assert picked(show, paths, title) == {}


def test_the_newest_version_counts() -> None:
    paths = [
        "Frieren/[G] Sousou no Frieren - 02.mkv",
        "Frieren/[G] Sousou no Frieren - 02v2.mkv",
        "Frieren/[G] Sousou no Frieren - 01.mkv",
    ]
    assert picked("frieren", paths)[2] == [paths[1]]


def test_of_two_sizes_the_larger_picture_counts() -> None:
    paths = [f"Frieren/{p}/[G] Sousou no Frieren - 02 [{p}].mkv" for p in ("720p", "1080p")]
    assert picked("frieren", paths)[2] == [paths[1]]


def test_two_different_ones_for_one_episode_leave_only_that_one_open() -> None:
    paths = [
        f"Frieren/{place}/Sousou no Frieren - {number}.mkv" for place, number in (("A", "02"), ("B", "02"), ("A", "03"))
    ]
    assert told(picked("frieren", paths)) == "3"


def test_a_second_version_in_a_folder_of_its_own_does_not_count() -> None:
    paths = [f"Frieren/{place}Sousou no Frieren - 02.mkv" for place in ("Director's Cut/", "", "English Dub/")]
    assert picked("frieren", paths)[2] == [paths[1]]


@pytest.mark.parametrize("name", ["- 01-02", "S01E01-E02", "S01E01E02"])
def test_a_file_of_two_episodes_holds_both(name: str) -> None:
    paths = [f"Frieren/Sousou no Frieren {name}.mkv", "Frieren/Sousou no Frieren - 03.mkv"]
    found = picked("frieren", paths)
    assert found[1] == found[2] == [paths[0]]
    assert found[3] == [paths[1]]


def test_subtitles_and_fonts_come_along_and_nothing_else() -> None:
    ours = [
        "Frieren/[G] Sousou no Frieren - 02.mkv",
        "Frieren/[G] Sousou no Frieren - 02.ass",
        "Frieren/[G] Sousou no Frieren - 02.en.srt",
        "Frieren/[G] Sousou no Frieren - 02.mka",
        "Frieren/Subs/Frieren 02.srt",
        "Frieren/Subs/[G] Sousou no Frieren - 02/2_English.srt",
        "Frieren/Fonts/Arial.ttf",
    ]
    theirs = [
        "Frieren/[G] Sousou no Frieren - 02.nfo",
        "Frieren/[G] Sousou no Frieren - 02.jpg",
        "Frieren/[G] Sousou no Frieren - 20.ass",
        "Frieren/[G] Sousou no Frieren - 20.mkv",
        "Frieren/Subs/Frieren 20.srt",
        "Frieren/Sample/[G] Sousou no Frieren - 02.mkv",
        "Frieren/read me.txt",
        "Frieren/Scans/02.png",
    ]
    assert picked("frieren", [*ours, *theirs], JUDAS)[2] == ours


def test_each_season_has_its_own_subtitles() -> None:
    paths = [
        "Overlord/Season 1/02.mkv", "Overlord/Season 1/02.ass", "Overlord/Season 1/01.mkv",
        "Overlord/Season 2/02.mkv", "Overlord/Season 2/Subs/02.ass", "Overlord/Season 2/01.mkv",
    ]  # fmt: skip
    assert picked("overlord2", paths, "[G] Overlord S1-S2")[2] == paths[3:5]
    assert picked("overlord", paths, "[G] Overlord S1-S2")[2] == paths[:2]


def test_an_empty_list_and_empty_files_hold_nothing() -> None:
    assert pick([], wanted("frieren")) == {}
    assert pick([("Sousou no Frieren - 01.mkv", 0), ("Sousou no Frieren - 02.mkv", 5)], wanted("frieren")) == {2: (1,)}


def test_hostile_names_are_read_like_others() -> None:
    paths = [
        "Frieren/Sousou\x00no\x1bFrieren - 02.mkv",
        "Frieren/" + "A" * 4096 + " - 03.mkv",
        "Frieren/" + "[" * 4000 + "04.mkv",
        "Frieren/" + "/".join("d" * 30 for _ in range(30)) + "/05.mkv",
        "Frieren/Sousou no Frieren - 06.mkv",
        "Frieren/Sousou no Frieren - 06.mkv",
        "Frieren/\u202eSousou no Frieren - 07.mkv",
        "Frieren/.mkv",
        "",
        "/",
        "Frieren/Sousou no Frieren - 08.",
        "Frieren/Sousou no Frieren - ９.mkv",
    ]
    found = pick([(path, 1000 + n) for n, path in enumerate(paths)], wanted("frieren"))
    assert found[2] == (0,)
    assert found[6] == (5,)
    assert 3 not in found
    assert 8 not in found


def test_of_more_files_than_any_show_has_nothing_is_told() -> None:
    paths = run("One Piece/One Piece - {:05}.mkv", 1, MOST_READ + 1)
    assert picked("onepiece", paths) == {}


def test_numbers_of_episodes_are_told_in_runs() -> None:
    assert told([3, 1, 2, 7, 9, 10]) == "1-3, 7, 9-10"
    assert told([]) == ""


def with_lore(show: str, *corrections: Correction) -> Wanted:
    return replace(wanted(show), lore=Lore(corrections))


def listed(paths: list[str]) -> list[tuple[str, int]]:
    return [(path, 1000) for path in paths]


def test_a_title_that_somebody_told_is_read_in_files_too() -> None:
    media_id = wanted("frieren").family.anime.media_id
    files = listed(run("The Elf Show/The Elf Show - {:02}.mkv", 1, 12))
    assert pick(files, wanted("frieren")) == {}
    told_so = with_lore("frieren", Correction(Form.TITLE, media_id, title="The Elf Show"))
    assert told(pick(files, told_so)) == "1-12"


def test_a_groups_offset_that_somebody_told_counts_in_files_too() -> None:
    media_id = wanted("overlord2").family.anime.media_id
    name = "[Odd] Overlord II - 101.mkv"
    files = listed(run("Overlord II/[Odd] Overlord II - {}.mkv", 101, 113))
    assert 5 not in pick(files, wanted("overlord2"))
    told_so = with_lore("overlord2", Correction(Form.OFFSET, media_id, group="Odd", offset=100, title=name))
    assert pick(files, told_so)[5] == (4,)


def test_what_was_said_of_the_batch_is_not_said_of_its_files() -> None:
    media_id = wanted("frieren").family.anime.media_id
    said = Correction(Form.IS, media_id, infohash="ab" * 20, episode=7, title="[G] Sousou no Frieren [Batch]")
    files = listed(run("Frieren/[G] Sousou no Frieren - {:02}.mkv", 1, 3))
    assert told(pick(files, with_lore("frieren", said))) == "1-3"
