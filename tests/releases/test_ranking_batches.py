"""Batches: where only they hold an episode, what they hold for sure, and when one is worth offering."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.releases.cases import release
from tests.releases.test_ranking import AFTER, BEFORE, FIRST
from uuutorrent.releases.ranking import batch_worth_offering, best, rank
from uuutorrent.releases.release import Match, Ranked, Release, Taste, Wanted

SINGLE = "[G] Kage no Uta - 03 [1080p]"
WHOLE = "[G] Kage no Uta (01-24) [1080p]"
AIRING = replace(BEFORE, anime=replace(FIRST, status="RELEASING", next_episode=13))


def ranked(*posts: Release, episode: int = 3, taste: Taste | None = None) -> tuple[Ranked, ...]:
    return rank(Wanted(BEFORE, episode), taste or Taste(), posts)


def test_a_batch_is_kept_back_while_a_single_episode_will_do() -> None:
    found = ranked(release(WHOLE, seeders=9000), release(SINGLE, seeders=1))
    assert [one.verdict for one in found] == [Match.MATCH, Match.REJECT]
    assert (found[0].is_batch, found[1].is_batch) == (False, True)
    assert found[1].reasons == ("its own title", "batch 01-24 holds it", "single episodes are preferred")
    assert found[1].is_kept_back


def test_where_only_a_batch_holds_the_episode_it_is_taken_and_says_so() -> None:
    found = ranked(release(WHOLE, size_bytes=24 << 30), release("[G] Kage no Uta (05-24) [1080p]"))
    chosen = best(found)
    assert chosen is not None
    assert (chosen.release.title, chosen.is_batch, chosen.first, chosen.last) == (WHOLE, True, 1, 24)
    assert chosen.reasons == (
        "its own title",
        "batch 01-24 holds it",
        "no single episode will do, so only episode 3 of it is fetched",
        "1080p, your first choice",
        "100 seeders",
        "about 1.0 GiB of 24 GiB",
    )
    assert found[1].reasons == ("its own title", "batch 05-24 does not hold it")


def test_a_live_batch_is_taken_where_the_single_episodes_are_dead() -> None:
    found = ranked(release(SINGLE, seeders=0), release(WHOLE))
    assert found[0].release.title == WHOLE
    assert found[0].verdict is Match.MATCH
    anyhow = ranked(release(SINGLE, seeders=0), release(WHOLE), taste=Taste(min_seeders=0))
    assert [one.release.title for one in anyhow] == [WHOLE, SINGLE]
    assert anyhow[0].lead == "somebody sends it, and nobody the next"


def test_a_batch_must_be_to_the_taste_as_well() -> None:
    found = ranked(release("[G] Kage no Uta (01-24) [360p]"), release(WHOLE, seeders=0))
    assert [one.verdict for one in found] == [Match.REJECT, Match.REJECT]
    small = ranked(release(WHOLE, size_bytes=12 << 30), taste=Taste(min_bytes_per_min=40 << 20))[0]
    assert "512 MiB for 24 min is less than your 960 MiB" in small.reasons
    assert (
        ranked(release(WHOLE, size_bytes=48 << 30), taste=Taste(min_bytes_per_min=40 << 20))[0].verdict is Match.MATCH
    )


def test_a_whole_season_surely_holds_an_episode_only_when_it_is_over() -> None:
    batch = release("[G] Kage no Uta [Batch] [BD 1080p]")
    assert best(ranked(batch)) is not None
    found = rank(Wanted(AIRING, 3), Taste(), [batch])[0]
    assert found.verdict is Match.REJECT
    assert "it is not certain what is in it" in found.reasons


def test_a_volume_may_hold_anything() -> None:
    found = ranked(release("[G] Kage no Uta - Vol.1 [BD 1080p]"))
    assert best(found) is None
    assert found[0].verdict is Match.REJECT


def test_a_batch_that_counts_on_holds_what_is_counted_on() -> None:
    found = rank(Wanted(AFTER, 3), Taste(), [release("[G] Kage no Uta (01-36) [1080p]", size_bytes=36 << 30)])
    chosen = best(found)
    assert chosen is not None
    assert "about 1.0 GiB of 36 GiB" in chosen.reasons


# Worth offering


def offered(*posts: str, episode: int = 3, seen: int | None = None, **said: int) -> str | None:
    wanted = Wanted(BEFORE, episode)
    found = rank(wanted, Taste(), [release(title, **said) for title in posts])
    batch = batch_worth_offering(found, wanted, seen)
    return batch.release.title if batch else None


def test_a_batch_with_all_the_rest_of_a_finished_show_is_worth_offering() -> None:
    assert offered(SINGLE, WHOLE) == WHOLE
    assert offered(WHOLE) == WHOLE
    assert offered(SINGLE, "[G] Kage no Uta (03-24) [1080p]") == "[G] Kage no Uta (03-24) [1080p]"


@pytest.mark.parametrize(("episode", "seen"), [(14, None), (14, 13), (3, 20), (24, 23)])
def test_when_most_is_seen_no_batch_is_worth_it(episode: int, seen: int | None) -> None:
    single = f"[G] Kage no Uta - {episode:02} [1080p]"
    assert offered(single, WHOLE, episode=episode, seen=seen) is None
    assert offered(f"[G] Kage no Uta - {13:02} [1080p]", WHOLE, episode=13, seen=12) == WHOLE


def test_a_batch_that_lacks_some_is_dead_or_not_to_the_taste_is_not_offered() -> None:
    assert offered(SINGLE, "[G] Kage no Uta (01-12) [1080p]") is None
    assert offered(SINGLE, "[G] Kage no Uta (01-24) [360p]") is None
    assert offered(SINGLE, WHOLE, seeders=0) is None


def test_while_a_show_airs_no_batch_is_offered() -> None:
    wanted = Wanted(AIRING, 3)
    assert batch_worth_offering(rank(wanted, Taste(), [release(WHOLE)]), wanted, 2) is None
