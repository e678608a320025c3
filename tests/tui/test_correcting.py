"""What can be said about a release that was read wrongly: what is offered, and in which words."""

from __future__ import annotations

from dataclasses import replace

from uuutorrent.anime.anime import Anime, Family, MediaId
from uuutorrent.releases.release import Correction, Form, Match, Offer, Ranked, Release, ReleaseName, Wanted
from uuutorrent.tui.correcting import Fix, fixes, in_words

SHOW = MediaId(7)
GROUP = "Hoshizora"


def wanted(episode: int = 6, *, before: int = 24, episodes: int = 12) -> Wanted:
    anime = Anime(SHOW, "Umi", "", "", "Umi", episodes=episodes)
    return Wanted(Family(anime, offset=before, season=2 if before else 1), episode)


def ranked(number: int | None, first: int | None = None, *, group: str = GROUP, title: str = "Umi") -> Ranked:
    """A post with this number in its name, read as episode `first`."""
    raw = f"[{group}] {title} - {number}"
    release = Release(raw, "ab" * 20, "", "", 1, 1, 1, 1, "1_2", False, False, None)
    name = ReleaseName(raw, title, group=group, episode=number)
    return Ranked(release, name, Match.MATCH if first == 6 else Match.REJECT, 0.0, (), first=first, last=first)


def labels(choices: tuple[Fix, ...]) -> list[str]:
    return [choice.label for choice in choices]


def test_a_group_whose_number_is_beyond_the_season_may_count_on_from_the_first() -> None:
    assert labels(fixes(wanted(), ranked(30))) == [
        "This is episode 6",
        "Hoshizora counts on from the first season (30 = 24 + 6)",
    ]


def test_what_is_taken_for_the_episode_may_be_another() -> None:
    assert labels(fixes(wanted(), ranked(30, 6))) == ["This is not episode 6"]


def test_what_is_read_as_counted_on_may_be_counted_within_the_season() -> None:
    says = labels(fixes(wanted(episodes=26, before=13), ranked(19, 6)))
    assert "Hoshizora starts every season at 1 (19 is episode 19)" in says


def test_numbers_may_run_ahead_by_something_else() -> None:
    assert "Hoshizora runs 12 ahead of the show's own numbers (18 = 12 + 6)" in labels(fixes(wanted(), ranked(18)))


def test_a_title_nobody_knows_may_be_the_shows() -> None:
    choices = fixes(wanted(), ranked(6, title="The Sea"))
    assert choices[-1] == Fix("“The Sea” is this show", Correction(Form.TITLE, SHOW, title="The Sea"))


def test_nothing_is_said_of_the_numbers_of_nobody() -> None:
    assert labels(fixes(wanted(), ranked(30, group=""))) == ["This is episode 6"]


def test_a_batch_is_no_episode_and_has_no_number_to_count_from() -> None:
    one = ranked(1)
    batch = replace(one, name=replace(one.name, last_episode=12))
    assert labels(fixes(wanted(), batch)) == []
    holding = replace(batch, first=1, last=12, is_batch=True)
    assert labels(fixes(wanted(), holding)) == ["This does not hold episode 6"]


def test_what_was_said_is_not_offered_again_but_can_be_taken_back() -> None:
    given = ranked(30)
    absolute = next(choice.says for choice in fixes(wanted(), given) if choice.says and choice.says.offset == 24)
    of_another = replace(absolute, title="[Hoshizora] Umi - 31")
    elsewhere = Correction(Form.OFFSET, SHOW, group="Mikan", offset=24)
    mine = [Offer(4, of_another), Offer(5, elsewhere)]
    assert fixes(wanted(), given, mine)[1:] == (
        Fix("Take it back: Hoshizora counts on from the first season", takes_back=4),
    )


def test_corrections_read_as_a_person_would_say_them() -> None:
    for correction, words in (
        (Correction(Form.IS, SHOW, "ab" * 20, 6, title="[G] Umi - 30"), "[G] Umi - 30 is episode 6"),
        (Correction(Form.IS_NOT, SHOW, "ab" * 20, 6, title="[G] Umi - 30"), "[G] Umi - 30 is not episode 6"),
        (Correction(Form.OFFSET, SHOW, group="G", offset=24), "G counts on from the first season"),
        (Correction(Form.OFFSET, SHOW, group="G", offset=12), "G runs 12 ahead of the show's own numbers"),
        (Correction(Form.OFFSET, SHOW, offset=0), "everybody starts every season at 1"),
        (Correction(Form.TITLE, SHOW, title="The Sea"), "“The Sea” is this show"),
    ):
        assert in_words(correction, 24) == words
