import pytest

from tests.anime.house import House, id_of
from tests.clock import Clock
from tests.servers.anilist import FakeAniList
from tests.servers.anilist_data import Media
from uuutorrent.anime.anilist import AniList
from uuutorrent.anime.anime import Family, MediaId
from uuutorrent.anime.family import DAY_S, Families
from uuutorrent.errors import Missing, Unreachable


@pytest.fixture
def families(anilist: AniList, clock: Clock) -> Families:
    return Families(anilist, clock=clock)


def seasons(service: FakeAniList, *episodes: int | None, **more: object) -> list[Media]:
    """A chain of TV shows, each the sequel of the one before."""
    chain: list[Media] = []
    for number, count in enumerate(episodes, 1):
        before = chain[-1] if chain else None
        chain.append(service.add_media(f"Show {number}", episodes=count, year=2000 + number, sequel_of=before))
    return chain


def numbering(family: Family) -> tuple[int, int]:
    return family.season, family.offset


async def test_a_first_season_counts_from_its_own_first_episode(service: FakeAniList, families: Families) -> None:
    first, second = seasons(service, 12, 13)
    family = await families.of(id_of(first))
    assert numbering(family) == (1, 0)
    assert family.prequels == ()
    assert family.others == {second.id: ("Show 2",)}
    assert service.operations == ["Kin"]


async def test_a_second_season_counts_after_the_first_with_one_question(
    service: FakeAniList, families: Families
) -> None:
    _, second = seasons(service, 12, 13)
    assert numbering(await families.of(id_of(second))) == (2, 12)
    assert service.operations == ["Kin"]


@pytest.mark.parametrize(("count", "questions"), [(3, 2), (4, 2), (5, 3), (9, 5)])
async def test_a_long_chain_is_walked_two_generations_per_question(
    service: FakeAniList, families: Families, count: int, questions: int
) -> None:
    chain = seasons(service, *[12] * count)
    family = await families.of(id_of(chain[-1]))
    assert numbering(family) == (count, 12 * (count - 1))
    assert [one.media_id for one in family.prequels] == [show.id for show in reversed(chain[:-1])]
    assert len(service.requests) == questions


async def test_a_third_season_that_is_on_a_list_needs_one_question(
    service: FakeAniList, families: Families, anilist: AniList
) -> None:
    *_, third = seasons(service, 12, 13, 11)
    await anilist.media([id_of(third)])
    assert numbering(await families.of(id_of(third))) == (3, 25)
    assert service.operations == ["Media", "Kin"]


async def test_a_chain_without_end_is_not_walked_without_end(service: FakeAniList, families: Families) -> None:
    chain = seasons(service, *[12] * 40)
    await families.of(id_of(chain[-1]))
    assert len(service.requests) == 6


async def test_relations_that_lead_round_in_circles_end(service: FakeAniList, families: Families) -> None:
    first, second = seasons(service, 12, 13)
    service.relate(first, "PREQUEL", second)
    assert numbering(await families.of(id_of(second))) == (2, 12)


async def test_films_and_extras_between_seasons_do_not_count_but_lead_on(
    service: FakeAniList, families: Families
) -> None:
    first = service.add_media("Kimetsu no Yaiba", episodes=26)
    film = service.add_media("Mugen Ressha-hen", format="MOVIE", episodes=1, sequel_of=first)
    second = service.add_media("Yuukaku-hen", episodes=11, sequel_of=film)
    family = await families.of(id_of(second))
    assert numbering(family) == (2, 26)
    assert [one.romaji for one in family.prequels] == ["Kimetsu no Yaiba"]
    assert family.others[MediaId(film.id)] == ("Mugen Ressha-hen",)


async def test_the_serial_prequel_is_followed_when_there_are_several(service: FakeAniList, families: Families) -> None:
    first = service.add_media("First", episodes=24)
    special = service.add_media("Special", format="SPECIAL", episodes=2, year=2030)
    second = service.add_media("Second", episodes=12)
    service.relate(second, "PREQUEL", special)
    service.relate(second, "PREQUEL", first)
    assert numbering(await families.of(id_of(second))) == (2, 24)


@pytest.mark.parametrize(("episodes", "expected"), [(1, (1, 0)), (12, (2, 12)), (None, (2, 0))])
async def test_a_short_pilot_before_a_tv_show_is_no_season(
    service: FakeAniList, families: Families, episodes: int | None, expected: tuple[int, int]
) -> None:
    pilot = service.add_media("Pilot", format="ONA", episodes=episodes)
    show = service.add_media("Show", sequel_of=pilot)
    family = await families.of(id_of(show))
    assert numbering(family) == expected
    assert family.others[MediaId(pilot.id)] == ("Pilot",)


async def test_seasons_on_the_net_follow_each_other(service: FakeAniList, families: Families) -> None:
    first = service.add_media("Short", format="ONA", episodes=3)
    second = service.add_media("Short 2", format="ONA", sequel_of=first)
    assert numbering(await families.of(id_of(second))) == (2, 3)


async def test_a_film_has_no_season_but_knows_its_family(service: FakeAniList, families: Families) -> None:
    show = service.add_media("Show", episodes=24)
    film = service.add_media("Film", format="MOVIE", episodes=1, sequel_of=show)
    family = await families.of(id_of(film))
    assert numbering(family) == (1, 0)
    assert family.prequels == ()
    assert family.others == {show.id: ("Show",)}


async def test_others_are_close_relatives_of_the_line_with_all_their_titles(
    service: FakeAniList, families: Families
) -> None:
    first, second, third, fourth = seasons(service, 12, 12, 12, 12)
    side = service.add_media("Side", english="The Side", native="外伝", synonyms=("Gaiden",), format="OVA")
    book = service.add_media("Book", type="MANGA", format="MANGA")
    crossover = service.add_media("Crossover")
    elsewhere = service.add_media("Sequel of the crossover", sequel_of=crossover)
    service.relate(first, "SIDE_STORY", side)
    service.relate(second, "SOURCE", book)
    service.relate(second, "CHARACTER", crossover)
    others = (await families.of(id_of(second))).others
    assert others[MediaId(side.id)] == ("Side", "The Side", "外伝", "Gaiden")
    assert {first.id, third.id, fourth.id, crossover.id} <= others.keys()
    assert not {second.id, book.id, elsewhere.id} & others.keys()


async def test_a_family_is_kept_for_a_day_while_the_show_itself_stays_present(
    service: FakeAniList, families: Families, clock: Clock
) -> None:
    first = service.add_media("First", episodes=12)
    show = service.add_media("Second", next_episode=4, sequel_of=first)
    await families.of(id_of(show))
    await families.of(id_of(show))
    assert service.operations == ["Kin"]
    show.next_episode = 5
    clock.move(61)
    assert (await families.of(id_of(show))).anime.aired == 4
    assert service.operations == ["Kin", "Media"]
    clock.move(DAY_S)
    await families.of(id_of(show))
    assert service.operations == ["Kin", "Media", "Kin"]


async def test_a_family_with_an_unknown_number_is_looked_at_again_after_an_hour(
    service: FakeAniList, families: Families, clock: Clock
) -> None:
    first, second = seasons(service, None, 12)
    assert (await families.of(id_of(second))).offset == 0
    first.episodes = 25
    clock.move(3601)
    assert (await families.of(id_of(second))).offset == 25


async def test_while_anilist_is_away_the_family_is_as_it_was(
    service: FakeAniList, families: Families, clock: Clock
) -> None:
    _, second = seasons(service, 12, 13)
    known = await families.of(id_of(second))
    clock.move(2 * DAY_S)
    service.fault = 503
    assert await families.of(id_of(second)) == known


async def test_while_anilist_is_away_only_a_show_without_prequels_has_a_family_nobody_asked_for(
    service: FakeAniList, families: Families, anilist: AniList
) -> None:
    first, second = seasons(service, 12, 13)
    await anilist.media([id_of(first), id_of(second)])
    service.fault = 503
    assert numbering(await families.of(id_of(first))) == (1, 0)
    with pytest.raises(Unreachable):
        await families.of(id_of(second))
    service.fault = None
    assert numbering(await families.of(id_of(second))) == (2, 12)


async def test_no_family_of_nothing(service: FakeAniList, families: Families) -> None:
    with pytest.raises(Missing, match="AniList knows no anime 5"):
        await families.of(MediaId(5))


async def test_everybody_shares_families(house: House) -> None:
    _, second = seasons(house.service, 12, 13)
    assert numbering(await house.watchlists.family(id_of(second))) == (2, 12)


async def test_the_families_of_several_shows_are_learnt_with_one_question(
    service: FakeAniList, families: Families, anilist: AniList
) -> None:
    first, second = seasons(service, 12, 13)
    alone = service.add_media("Alone")
    await families.foresee([id_of(second), id_of(alone), id_of(first)])
    assert service.operations == ["Kin"]
    assert numbering(await families.of(id_of(second))) == (2, 12)
    assert numbering(await families.of(id_of(alone))) == (1, 0)
    await families.foresee([id_of(second), id_of(alone)])
    assert service.operations == ["Kin"]
