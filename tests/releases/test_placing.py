"""What a place tells beside the verdict: the way of counting, whether a habit may be learnt, what people said."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from tests.releases.cases import release
from uuutorrent.anime.anime import Anime, Family, MediaId
from uuutorrent.releases.airing import Airing
from uuutorrent.releases.asides import asides
from uuutorrent.releases.names import Reader, parse
from uuutorrent.releases.placing import Place, known_titles, place_all
from uuutorrent.releases.release import SURE, Correction, Form, Habit, Lore, Wanted

FIRST = Anime(MediaId(1), "Kage no Uta", "", "", "", format="TV", status="FINISHED", episodes=12, year=2022)
SECOND = Anime(MediaId(2), "Kage no Uta 2nd Season", "", "", "", format="TV", status="FINISHED", episodes=24, year=2024)
FAMILY = Family(SECOND, offset=12, season=2, prequels=(FIRST,), others={FIRST.media_id: FIRST.titles})


def place(title: str, lore: Lore | None = None, *, beside: tuple[str, ...] = ()) -> Place:
    wanted = Wanted(FAMILY, 2, lore or Lore())
    reader = Reader(known_titles(wanted))
    return place_all(wanted, [(release(name), reader.read(name)) for name in (title, *beside)])[0]


@pytest.mark.parametrize(
    ("title", "episode", "offset", "is_clear"),
    [
        ("[G] Kage no Uta S2 - 02 [1080p]", 2, 0, True),
        ("[G] Kage no Uta S2 - 30 [1080p]", 18, 12, True),
        ("[G] Kage no Uta S2 - 14 [1080p]", 14, 0, False),
        ("[G] Kage no Uta - 14 [1080p]", 2, 12, False),
    ],
)
def test_a_place_tells_how_its_number_was_read(title: str, episode: int, offset: int, is_clear: bool) -> None:
    found = place(title)
    assert (found.first, found.last, found.offset, found.is_clear) == (episode, episode, offset, is_clear)


def test_only_what_the_name_alone_shows_is_learnt() -> None:
    lore = Lore(habits=(Habit("G", 12, "[G] Kage no Uta S2 - 30 [1080p]"),))
    found = place("[G] Kage no Uta S2 - 14 [1080p]", lore)
    assert (found.first, found.offset, found.is_clear) == (2, 12, False)
    assert found.confidence >= SURE


def test_a_group_that_counts_in_two_ways_is_read_as_is_usual() -> None:
    beside = ("[G] Kage no Uta S2 - 02 [1080p]", "[G] Kage no Uta S2 - 30 [1080p]")
    assert place("[G] Kage no Uta S2 - 14 [1080p]", beside=beside).first == 14


def test_a_title_that_somebody_added_is_known_before_numbers_are_read() -> None:
    added = Correction(Form.TITLE, SECOND.media_id, title="Shadow 86")
    assert "Shadow 86" in known_titles(Wanted(FAMILY, 2, Lore(corrections=(added,))))
    found = place("[G] Shadow 86 - 02 [1080p]", Lore(corrections=(added,)))
    assert (found.first, found.is_corrected, found.why[0]) == (2, True, "you said that “Shadow 86” is this show")


def test_a_correction_of_another_show_changes_nothing() -> None:
    other = Correction(Form.OFFSET, FIRST.media_id, group="G", offset=5)
    assert place("[G] Kage no Uta S2 - 02 [1080p]", Lore(corrections=(other,))).first == 2


def test_everybodys_correction_gives_way_to_ones_own() -> None:
    own = Correction(Form.OFFSET, SECOND.media_id, group="G", offset=1)
    everybodys = Correction(Form.OFFSET, SECOND.media_id, group="G", offset=3)
    assert place("[G] Kage no Uta S2 - 05 [1080p]", Lore(corrections=(own, everybodys))).first == 4


def test_a_show_that_airs_tells_when_each_episode_did() -> None:
    on_air = Anime(
        MediaId(3), "X", "", "", "", year=2024, next_episode=6, next_airs_at=datetime(2024, 2, 12, 15, tzinfo=UTC)
    )
    airing = Airing(on_air)
    assert airing.fits(5, datetime(2024, 2, 5, 16, tzinfo=UTC))
    assert airing.fits(4, datetime(2024, 1, 30, tzinfo=UTC))
    assert not airing.fits(5, datetime(2024, 1, 30, tzinfo=UTC))
    assert not airing.fits(5, None)


def test_a_winter_show_may_begin_before_its_year() -> None:
    airing = Airing(SECOND)
    assert airing.was_before(datetime(2023, 11, 1, tzinfo=UTC))
    assert not airing.was_before(datetime(2023, 12, 28, tzinfo=UTC))
    assert not airing.was_before(None)


def test_a_season_alone_in_brackets_gets_its_word() -> None:
    assert asides(parse("[G] Kage no Uta - 04 [TV-2][1080p]")) == ("Season 2", "1080p")
    assert asides(parse("[G] Kage no Uta - 04 (2nd)")) == ("Season 2",)
