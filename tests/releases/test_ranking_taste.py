"""What a taste does to the order: what it rejects, what it puts first, and how both are said."""

from __future__ import annotations

import pytest

from tests.releases.cases import release
from tests.releases.test_ranking import BEFORE
from uuutorrent.releases.ranking import best, rank
from uuutorrent.releases.release import Match, Ranked, Release, Taste, Wanted

MIB = 1 << 20


def ranked(*posts: Release, taste: Taste | None = None) -> tuple[Ranked, ...]:
    return rank(Wanted(BEFORE, 3), taste or Taste(), posts)


def post(tags: str = "1080p", group: str = "G", **said: int | str) -> Release:
    return release(f"[{group}] Kage no Uta - 03 [{tags}]", **said)


def liked(found: Ranked) -> tuple[str, ...]:
    """The reasons that are not about the episode."""
    return found.reasons[found.about_episode :]


@pytest.mark.parametrize(
    ("said", "taste", "reason"),
    [
        ({"seeders": 0}, Taste(), "no seeders, so nobody can send it"),
        ({"seeders": 2}, Taste(min_seeders=5), "only 2 seeders, and you want 5"),
        ({"remake": 1}, Taste(), "a remake of another release"),
        ({"category": "1_4"}, Taste(), "a raw: nothing is translated"),
        ({}, Taste(blocked_groups=("g",)), "G is a group you never take"),
        ({}, Taste(trusted_only=True), "the index does not mark it as trusted"),
        (
            {"size_bytes": 40 << 30}, Taste(),
            "40 GiB is too much for 24 min, so it is probably more than one episode",
        ),
        ({"size_bytes": 4 << 30}, Taste(max_bytes_per_min=MIB << 5), "4.0 GiB for 24 min is more than your 768 MiB"),
        ({"size_bytes": 90 * MIB}, Taste(min_bytes_per_min=10 * MIB), "90 MiB for 24 min is less than your 240 MiB"),
        ({}, Taste(resolutions=(720,)), "1080p is not 720p"),
        ({}, Taste(resolutions=(720, 480)), "1080p is not among 720p, 480p"),
    ],
)  # fmt: skip
def test_what_is_against_the_taste_says_so(said: dict[str, int | str], taste: Taste, reason: str) -> None:
    found = ranked(post("1080p", "G", **said), taste=taste)[0]
    assert (found.verdict, liked(found)) == (Match.REJECT, (reason,))


def test_a_match_says_what_puts_it_where_it_is() -> None:
    taste = Taste(groups=("A", "B", "G"), codecs=("HEVC", "AVC"), bit_depths=(10,), sources=("BD", "WEB"))
    found = ranked(post("WEB 1080p AVC 8bit", seeders=1204, size_bytes=1434 * MIB, trusted=1), taste=taste)[0]
    assert liked(found) == (
        "1080p, your first choice",
        "G is group 3 of the 3 you prefer",
        "AVC, choice 2 of 2",
        "8 bit, not a bit depth you prefer",
        "WEB, choice 2 of 2",
        "1204 seeders",
        "trusted",
        "1.4 GiB",
    )
    assert "HEVC, as you want it" in liked(ranked(post("1080p HEVC"), taste=Taste(codecs=("HEVC",)))[0])
    assert "it names no codec" in liked(ranked(post(), taste=taste)[0])
    assert "Z is not a group you prefer" in liked(ranked(post(group="Z"), taste=taste)[0])


# Languages


@pytest.mark.parametrize(
    ("tags", "category", "reason"),
    [
        ("1080p VOSTFR", "1_3", "only in French, and you follow English"),
        ("1080p VOSTFR", "1_2", "only in French, and you follow English"),
        ("1080p][GerSub", "1_3", "only in German, and you follow English"),
        ("1080p][German DL", "1_3", "only in German, and you follow English"),
        ("1080p][FRE][GER", "1_3", "only in French and German, and you follow English"),
        ("1080p][Spanish Subs", "1_3", "only in Spanish, and you follow English"),
        ("1080p", "1_3", "translated, but not into English"),
    ],
)
def test_what_is_only_in_other_languages_is_not_taken(tags: str, category: str, reason: str) -> None:
    found = ranked(post(tags, category=category))[0]
    assert (found.verdict, liked(found)) == (Match.REJECT, (reason,))


@pytest.mark.parametrize(
    ("tags", "category"),
    [
        ("1080p", "1_2"),
        ("1080p", "1_0"),
        ("1080p][Multi-Subs", "1_2"),
        ("1080p][Multiple Subtitle", "1_2"),
        ("1080p][Eng Sub", "1_3"),
        ("1080p][ENG][POR-BR][SPA-LA", "1_2"),
        ("1080p][Dual Audio", "1_2"),
        ("1080p][Multi Subs][VOSTFR", "1_2"),
    ],
)
def test_what_can_be_followed_in_english_is_taken(tags: str, category: str) -> None:
    assert ranked(post(tags, category=category))[0].verdict is Match.MATCH


def test_a_language_that_is_wished_for_first_comes_first() -> None:
    vostfr, english = post("720p VOSTFR", category="1_3"), post("1080p")
    found = ranked(english, vostfr, taste=Taste(languages=("fr", "en")))
    assert found[0].release is vostfr
    assert "in French" in found[0].reasons
    assert found[0].lead == "French before English"
    assert ranked(english, vostfr, taste=Taste(languages=("en", "fr")))[0].release is english
    assert ranked(vostfr, taste=Taste(languages=()))[0].verdict is Match.MATCH


def test_what_does_not_say_its_language_comes_after_what_does() -> None:
    silent, english = post("1080p", "A", category="1_0", seeders=5000), post("720p", "B", seeders=10)
    found = ranked(silent, english)
    assert [one.release for one in found] == [english, silent]
    assert found[0].lead == "English before one that does not say its language"
    assert "it does not say in which language" in found[1].reasons


@pytest.mark.parametrize("tags", ["1080p][English Dub", "1080p English Dubbed", "1080p][Dub"])
def test_a_dub_without_the_original_voices_is_not_taken_unless_wished_for(tags: str) -> None:
    dub, plain = post(tags, "Yameii", seeders=5000), post("480p", seeders=1)
    found = ranked(dub, plain)
    assert found[0].release is plain
    assert (found[1].verdict, liked(found[1])) == (
        Match.REJECT,
        ("only dubbed (English), without the original voices",),
    )
    assert best(ranked(dub)) is None
    wished = ranked(dub, taste=Taste(dubs=True))[0]
    assert wished.verdict is Match.MATCH
    assert "a dub without the original voices" in wished.reasons


def test_dual_audio_is_taken_and_comes_first_where_it_is_liked() -> None:
    dual, plain = post("1080p][Dual Audio", "A", seeders=10), post("1080p", "B", seeders=900)
    assert [one.release for one in ranked(dual, plain)] == [plain, dual]
    found = ranked(plain, dual, taste=Taste(dual_audio=True))
    assert found[0].release is dual
    assert found[0].lead == "original voices and a dub, which the next has not"
    assert "original voices and a dub, as you like it" in found[0].reasons
    assert "not dual audio" in found[1].reasons


def test_who_follows_japanese_takes_raws() -> None:
    assert ranked(post(category="1_4"), taste=Taste(languages=("ja",)))[0].verdict is Match.MATCH


# Order


@pytest.mark.parametrize(
    ("taste", "first", "second", "lead"),
    [
        (Taste(), post("1080p", seeders=1), post("720p", seeders=9000), "1080p before 720p"),
        (Taste(), post("1080p"), post("AVC"), "1080p before one that names no resolution"),
        (Taste(groups=("B",)), post(group="B"), post(group="A", seeders=9000), "B is your first group, before A"),
        (
            Taste(groups=("C", "B")), post(group="B"), post(group="A", seeders=900),
            "B is a group you prefer, before A",
        ),
        (Taste(codecs=("HEVC",)), post("1080p HEVC"), post("1080p AVC", seeders=900), "HEVC before AVC"),
        (
            Taste(bit_depths=(10, 8)), post("1080p 10bit"), post("1080p 8bit", seeders=9000),
            "10 bit before 8 bit",
        ),
        (Taste(sources=("BD",)), post("BD 1080p"), post("WEB 1080p", seeders=9000), "BD before WEB"),
        (Taste(), post(seeders=1000), post(seeders=900), "1000 seeders against 900"),
        (Taste(), post(group="A", trusted=1, seeders=250), post(seeders=913), "trusted, which the next is not"),
        (
            Taste(), post(group="A", size_bytes=300 * MIB), post(size_bytes=900 * MIB),
            "300 MiB is smaller than 900 MiB",
        ),
        (
            Taste(min_bytes_per_min=10 * MIB, max_bytes_per_min=70 * MIB),
            post(group="A", size_bytes=900 * MIB), post(size_bytes=300 * MIB),
            "900 MiB is nearer to your size than 300 MiB",
        ),
        (Taste(), post(size_bytes=300 * MIB), post(size_bytes=13 * MIB), "large enough to be watched"),
    ],
)  # fmt: skip
def test_the_better_one_says_what_it_has_over_the_next(
    taste: Taste, first: Release, second: Release, lead: str
) -> None:
    found = ranked(second, first, taste=taste)
    assert [one.release for one in found] == [first, second]
    assert found[0].lead.startswith(lead)
    assert found[1].lead == ""


def test_a_newer_version_of_the_same_group_says_so() -> None:
    newer, older = release("[G] Kage no Uta - 03v2 [1080p]", seeders=10), post(seeders=5000)
    found = ranked(older, newer)
    assert [one.release for one in found] == [newer, older]
    assert found[0].lead == "v2 of the same group"
    assert "version 2" in found[0].reasons
    assert "there is a newer version by the same group" in found[1].reasons


# Dead


def test_a_dead_better_release_loses_to_a_live_worse_one_which_says_so() -> None:
    dead, live = post(group="Best", seeders=0), post("720p", "Other", seeders=3)
    found = ranked(dead, live, taste=Taste(groups=("Best",)))
    assert best(found) is found[0]
    assert found[0].release is live
    assert found[0].reasons[-1] == "1080p of Best would be better, but nobody seeds it"
    assert "no seeders, so nobody can send it" in found[1].reasons


def test_a_dead_worse_release_is_not_worth_a_word() -> None:
    found = ranked(post(seeders=50), post("720p", "Other", seeders=0))
    assert not any("would be better" in reason for one in found for reason in one.reasons)
    equal = ranked(post(group="A", seeders=50), post(group="B", seeders=0))
    assert not any("would be better" in reason for one in equal for reason in one.reasons)


def test_a_dead_newer_version_is_missed_aloud() -> None:
    found = ranked(post(seeders=50), release("[G] Kage no Uta - 03v2 [1080p]", seeders=0))
    assert found[0].verdict is Match.MATCH
    assert found[0].reasons[-1] == "1080p v2 of G would be better, but nobody seeds it"


def test_where_the_dead_may_be_taken_the_living_come_first() -> None:
    dead, live = post("1080p", "A", seeders=0), post("480p", "B", seeders=1)
    found = ranked(dead, live, taste=Taste(min_seeders=0))
    assert [(one.release, one.verdict) for one in found] == [(live, Match.MATCH), (dead, Match.MATCH)]
    assert found[0].lead == "somebody sends it, and nobody the next"
    assert found[0].reasons[-1] == "1080p of A would be better, but nobody seeds it"


def test_too_few_seeders_are_named() -> None:
    found = ranked(post(seeders=2), post("720p", seeders=50), taste=Taste(min_seeders=5))
    assert found[0].reasons[-1] == "1080p of G would be better, but only 2 seed it"
