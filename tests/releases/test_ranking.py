from dataclasses import replace
from math import prod

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.releases.cases import Question, questions, release
from uuutorrent.anime.anime import Anime, Family, MediaId
from uuutorrent.releases.ladder import RUNGS, score
from uuutorrent.releases.ranking import best, rank
from uuutorrent.releases.release import SURE, Match, Ranked, Release, Taste, Wanted

QUESTIONS = questions()
FIRST = Anime(
    MediaId(1), "Kage no Uta", "Song of Shadows", "影の歌", "Kage no Uta", format="TV", status="FINISHED", episodes=24,
    duration_min=24, year=2022,
)  # fmt: skip
SECOND = replace(
    FIRST,
    media_id=MediaId(2),
    romaji="Kage no Uta 2nd Season",
    english="Song of Shadows Season 2",
    native="影の歌 第2期",
    preferred="Kage no Uta 2nd Season",
    episodes=12,
    year=2024,
)
BEFORE = Family(FIRST, offset=0, season=1, others={MediaId(2): SECOND.titles})
AFTER = Family(SECOND, offset=24, season=2, prequels=(FIRST,), others={MediaId(1): FIRST.titles})


def verdict(title: str, family: Family = BEFORE, episode: int = 3, taste: Taste | None = None) -> Ranked:
    return rank(Wanted(family, episode), taste or Taste(), [release(title)])[0]


@pytest.mark.parametrize("question", QUESTIONS, ids=str)
def test_the_right_release_or_none(question: Question) -> None:
    ranked = rank(question.wanted, question.taste, question.feed)
    chosen = best(ranked)
    title = chosen.release.title if chosen else None
    assert question.is_answered_by(title), f"{title}, where {question.right} is right"
    said = " · ".join(chosen.reasons) if chosen else ""
    assert [reason for reason in question.because if reason not in said] == []
    shown = {one.release.title for one in ranked if one.verdict is Match.MATCH and one.confidence < SURE}
    assert set(question.unsure) <= shown


def test_there_are_enough_questions() -> None:
    assert len(QUESTIONS) >= 40
    assert all(len(question.feed) == 75 for question in QUESTIONS)


@pytest.mark.parametrize(
    ("title", "family", "reasons"),
    [
        ("[G] Kage no Uta - 27 [1080p]", AFTER, ("the title of “Kage no Uta”, numbered on", "absolute 27 = 24 + 3")),
        ("[G] Kage no Uta S2 - 27 [1080p]", AFTER, ("it is season 2", "absolute 27 = 24 + 3")),
        ("[G] Kage no Uta S2 - 03 [1080p]", AFTER, ("it is season 2", "episode 3")),
        ("[G] Kage no Uta - 03 [1080p]", BEFORE, ("its own title", "episode 3")),
    ],
)
def test_a_match_says_how_its_number_was_read(title: str, family: Family, reasons: tuple[str, ...]) -> None:
    found = verdict(title, family)
    assert found.verdict is Match.MATCH
    assert found.reasons[: len(reasons)] == reasons


@pytest.mark.parametrize(
    ("title", "family", "reasons"),
    [
        ("[G] Hikari no Uta - 03 [1080p]", BEFORE, ("another show: “Hikari no Uta”",)),
        ("[G] Kage no Uta - 04 [1080p]", BEFORE, ("its own title", "episode 4, not 3")),
        ("[G] Kage no Uta - 03 [1080p].ass", BEFORE, ("its own title", "a file that ends in .ass is no video")),
        ("[G] Kage no Uta S2 - 28 [1080p]", AFTER, ("it is season 2", "absolute 28 = 24 + 4", "episode 4, not 3")),
        ("[G] Kage no Uta - 25 [1080p]", BEFORE, ("its own title", "episode 25 is beyond this season")),
        ("[G] Kage no Uta S2 - 03 [1080p]", BEFORE, ("another of the series: “Kage no Uta 2nd Season”",)),
        ("[G] Kage no Uta S3 - 03 [1080p]", BEFORE, ("season 3; the one wanted is season 1",)),
        ("[G] Kage no Uta - 03 [1080p]", AFTER, ("episode 3 without a season is an earlier season's",)),
        ("[G] Kage no Uta - NCOP3 [1080p]", BEFORE, ("an opening, ending or preview, not an episode",)),
        ("[G] Kage no Uta - 03.5 [1080p]", BEFORE, ("its own title", "3.5 is a special, not an episode")),
        ("[G] Kage no Uta - S00E03 [1080p]", BEFORE, ("season 0 holds specials",)),
        ("[G] Kage no Uta - 03 [360p]", BEFORE, ("its own title", "episode 3", "360p is not among 1080p, 720p, 480p")),
    ],
)
def test_a_rejection_says_all_there_is_to_it(title: str, family: Family, reasons: tuple[str, ...]) -> None:
    found = verdict(title, family)
    assert (found.verdict, found.reasons) == (Match.REJECT, reasons)


def test_a_rejection_for_several_reasons_names_them_all() -> None:
    taste = Taste(blocked_groups=("g",), min_seeders=5, trusted_only=True)
    found = rank(Wanted(BEFORE, 3), taste, [release("[G] Kage no Uta - 04 [360p]", seeders=1, remake=1)])[0]
    assert found.reasons[: found.about_episode] == ("its own title", "episode 4, not 3")
    assert found.reasons[found.about_episode :] == (
        "360p is not among 1080p, 720p, 480p",
        "G is a group you never take",
        "a remake of another release",
        "the index does not mark it as trusted",
        "only 1 seeder, and you want 5",
    )


def order(*posts: Release, taste: Taste | None = None) -> list[str]:
    return [one.release.title for one in rank(Wanted(BEFORE, 3), taste or Taste(), posts)]


def post(group: str, lines: int = 1080, version: str = "", **said: int) -> Release:
    return release(f"[{group}] Kage no Uta - 03{version} [{lines}p]", **said)


def test_the_first_difference_decides() -> None:
    taste = Taste(resolutions=(1080, 720), groups=("Best", "Good"), codecs=("HEVC", "AVC"))
    hevc, avc = (release(f"[Any] Kage no Uta - 03 [1080p {codec}]", seeders=20) for codec in ("HEVC", "AVC"))
    wished = [
        post("Best", seeders=1),
        post("Good", version="v2", seeders=2),
        hevc,
        avc,
        post("Any", seeders=5000),
        post("Other", seeders=900, size_bytes=300 << 20),
        post("Other", seeders=400, size_bytes=900 << 20),
        post("Best", 720, seeders=9000),
    ]
    assert order(*reversed(wished), taste=taste) == [one.title for one in wished]


def test_a_new_version_counts_within_its_group_only() -> None:
    assert order(post("A", seeders=10), post("B", version="v2", seeders=900), post("C", seeders=5000)) == [
        post("C", seeders=5000).title,
        post("B", version="v2").title,
        post("A").title,
    ]
    assert order(post("A", seeders=9000), post("A", version="v2", seeders=10))[0] == post("A", version="v2").title


def test_scores_fall_with_the_order_and_rejects_come_last() -> None:
    for question in QUESTIONS[::5]:
        ranked = rank(question.wanted, question.taste, question.feed)
        assert [one.score for one in ranked] == sorted((one.score for one in ranked), reverse=True)
        verdicts = [one.verdict for one in ranked]
        assert verdicts == sorted(verdicts, key=lambda verdict: verdict is Match.REJECT)


def test_what_is_uncertain_is_shown_but_not_taken() -> None:
    found = rank(Wanted(BEFORE, 3), Taste(), [release("[G] Unheard (Kage Uta) (Song of Shadows) - 03 [1080p]")])
    assert found[0].verdict is Match.MATCH
    family = replace(BEFORE, anime=replace(FIRST, english="Shadows"))
    unsure = rank(Wanted(family, 3), Taste(), [release("[G] Unheard Of (Shadows) - 03 [1080p]")])
    assert unsure[0].verdict is Match.MATCH
    assert unsure[0].confidence < SURE
    assert "not certain enough to take without asking" in unsure[0].reasons
    assert best(unsure) is None


def test_a_group_that_numbers_on_is_read_so() -> None:
    """12 of 24 + 12: with a title of the second season 25 could be nothing else, so 26 is the second, not "26"."""
    longer = replace(AFTER, anime=replace(SECOND, episodes=30))
    alone = [release("[G] Kage no Uta S2 - 26 [1080p]")]
    assert rank(Wanted(longer, 26), Taste(), alone)[0].verdict is Match.MATCH
    beside = [*alone, release("[G] Kage no Uta S2 - 49 [1080p]")]
    assert rank(Wanted(longer, 26), Taste(), beside)[0].verdict is Match.REJECT
    assert rank(Wanted(longer, 2), Taste(), beside)[0].verdict is Match.MATCH


def test_nothing_that_has_not_aired_is_taken() -> None:
    airing = replace(BEFORE, anime=replace(FIRST, status="RELEASING", next_episode=3))
    found = verdict("[G] Kage no Uta - 03 [1080p]", airing)
    assert (found.verdict, found.reasons[-1]) == (Match.REJECT, "episode 3 has not aired yet, so this cannot be it")


@given(
    st.integers(1, 24),
    st.integers(1, 24),
    st.sampled_from(["S2 - {:02}", "2nd Season - {:02}", "S02E{:02}", "Season 2 - {:02}"]),
)
def test_a_release_of_a_sibling_season_is_never_a_match(episode: int, number: int, form: str) -> None:
    second = f"[G] Kage no Uta {form.format(number)} [1080p].mkv"
    assert verdict(second, BEFORE, episode).verdict is Match.REJECT
    if episode <= 12:
        first = [f"[G] Kage no Uta - {number:02} [1080p].mkv", f"[G] Kage no Uta S01E{number:02} [1080p].mkv"]
        assert all(verdict(title, AFTER, episode).verdict is Match.REJECT for title in first)


@given(st.integers(1, 24), st.integers(1, 36))
def test_a_number_matches_its_own_episode_only(episode: int, number: int) -> None:
    matched = verdict(f"[G] Kage no Uta - {number:02} [1080p].mkv", BEFORE, episode).verdict is Match.MATCH
    assert matched == (number == episode)
    if episode <= 12:
        title = f"[G] Song of Shadows - {number:02} [1080p].mkv"
        assert (verdict(title, AFTER, episode).verdict is Match.MATCH) == (number == episode + 24)


def test_the_order_in_which_posts_are_listed_decides_nothing_but_ties() -> None:
    for question in QUESTIONS[::7]:
        one, other = (
            rank(question.wanted, question.taste, feed) for feed in (question.feed, [*reversed(question.feed)])
        )
        assert [(r.score, r.verdict) for r in one] == [(r.score, r.verdict) for r in other]
        assert {(r.release.title, r.score) for r in one} == {(r.release.title, r.score) for r in other}


def test_a_score_holds_every_order_exactly() -> None:
    assert prod(rung.values for rung in RUNGS) <= 2**53
    assert score([rung.values - 1 for rung in RUNGS]) - score([rung.values - 1 for rung in RUNGS[:-1]] + [0]) == (
        RUNGS[-1].values - 1
    )
