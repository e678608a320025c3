import base64
import json
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from tests.anime.house import House
from tests.servers.anilist_data import jwt
from uuutorrent.accounts import User
from uuutorrent.anime.links import LONGEST_TOKEN, expiry, tidy_token
from uuutorrent.anime.watchlist import BadToken, Watchlists
from uuutorrent.config import AniList as Settings
from uuutorrent.errors import Invalid, Refused, Unreachable
from uuutorrent.store.database import SYSTEM
from uuutorrent.store.sealed import KeyRing
from uuutorrent.store.tables import LinkRow


def token_with(claims: object) -> str:
    packed = base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("=")
    return f"head.{packed}.signature"


async def test_a_pasted_token_links_the_account_it_belongs_to(house: House, ann: User) -> None:
    member = house.service.add_user("Ann_of_AniList")
    wrapped = "\r\n".join(member.token[at : at + 78] for at in range(0, len(member.token), 78))
    link = await house.watchlists.link(ann, f"  {wrapped}\n\n")
    assert link.anilist_name == "Ann_of_AniList"
    assert (link.expires_soon, link.broken) == (False, False)
    assert link.expires_at is not None
    assert timedelta(days=364) < link.expires_at - datetime.now(UTC) <= timedelta(days=365)
    assert await house.watchlists.link_of(ann) == link


async def test_the_token_is_not_in_the_database_and_opens_with_the_key_ring_only(
    house: House, ann: User, bob: User
) -> None:
    member = await house.linked(ann)
    async with house.database.begin(SYSTEM) as tx:
        row = (await tx.scalars(select(LinkRow))).one()
    assert member.token not in row.sealed_token
    assert member.token.split(".")[1] not in row.sealed_token
    assert house.keyring.unseal(row.sealed_token, place=f"links:sealed_token:{ann.id}") == member.token
    with pytest.raises(Invalid):
        house.keyring.unseal(row.sealed_token, place=f"links:sealed_token:{bob.id}")


async def test_a_link_moved_to_somebody_else_opens_nothing(house: House, ann: User, bob: User) -> None:
    await house.linked(ann)
    await house.linked(bob)
    async with house.database.begin(SYSTEM) as tx:
        stolen = await tx.scalar(select(LinkRow.sealed_token).where(LinkRow.user_id == ann.id))
        row = await tx.get(LinkRow, bob.id)
        assert row is not None
        assert stolen is not None
        row.sealed_token = stolen
    with pytest.raises(BadToken):
        await house.watchlists.list(bob)
    assert house.service.requests == []


async def test_with_another_key_ring_the_user_is_asked_to_sign_in_again(house: House, ann: User) -> None:
    await house.linked(ann)
    house.keyring = KeyRing({"other": b"x" * 32})
    house.restart()
    with pytest.raises(BadToken, match="sign in to AniList again"):
        await house.watchlists.list(ann)


@pytest.mark.parametrize(
    ("pasted", "sentence"),
    [
        ("", "paste the token"),
        (" \n ", "paste the token"),
        ("x" * (LONGEST_TOKEN + 1), "too long"),
        ("tóken", "not an AniList token"),
        ("abc\x1b[31mdef", "not an AniList token"),
        ("Bearer: abc", "not an AniList token"),
    ],
)
async def test_what_cannot_be_a_token_is_never_sent(house: House, ann: User, pasted: str, sentence: str) -> None:
    with pytest.raises(Invalid, match=sentence) as raised:
        await house.watchlists.link(ann, pasted)
    assert raised.value.field == "token"
    assert house.service.requests == []


def test_the_longest_token_allowed_is_4_kb_without_its_line_breaks() -> None:
    assert tidy_token("\n".join("x" * LONGEST_TOKEN)) == "x" * LONGEST_TOKEN


async def test_a_token_that_anilist_refuses_changes_nothing(house: House, ann: User) -> None:
    await house.linked(ann)
    with pytest.raises(Invalid, match="AniList does not accept this token") as raised:
        await house.watchlists.link(ann, jwt(77))
    assert raised.value.field == "token"
    link = await house.watchlists.link_of(ann)
    assert link is not None
    assert (link.anilist_name, link.broken) == ("ann-chan", False)


async def test_while_anilist_is_away_linking_says_so_and_changes_nothing(house: House, ann: User) -> None:
    house.service.fault = 503
    with pytest.raises(Unreachable):
        await house.watchlists.link(ann, jwt(77))
    assert await house.watchlists.link_of(ann) is None


@pytest.mark.parametrize(("days", "soon"), [(31, False), (29, True), (1, True), (-1, True)])
async def test_thirty_days_before_a_token_expires_the_link_says_so(
    house: House, ann: User, days: int, soon: bool
) -> None:
    await house.linked(ann, expires_in=timedelta(days=days))
    link = await house.watchlists.link_of(ann)
    assert link is not None
    assert link.expires_soon is soon


async def test_unlinking_forgets_the_account_the_token_and_the_list(house: House, ann: User) -> None:
    member = await house.linked(ann)
    house.service.list_entry(member, house.service.add_media("Show"))
    assert len((await house.watchlists.list(ann)).entries) == 1
    await house.watchlists.unlink(ann)
    await house.watchlists.unlink(ann)
    assert await house.watchlists.link_of(ann) is None
    async with house.database.begin(SYSTEM) as tx:
        assert (await tx.scalars(select(LinkRow))).all() == []
    house.service.fault = 503
    empty = await house.watchlists.list(ann)
    assert (empty.entries, empty.source, empty.stale) == ((), "local", "")


async def test_linking_another_account_shows_nothing_of_the_one_before(house: House, ann: User) -> None:
    member = await house.linked(ann)
    house.service.list_entry(member, house.service.add_media("Mine from before"))
    await house.watchlists.list(ann)
    other = house.service.add_user("other")
    await house.watchlists.link(ann, other.token)
    assert (await house.watchlists.list(ann)).entries == ()
    house.restart()
    house.service.fault = 503
    assert (await house.watchlists.list(ann)).entries == ()


async def test_nobody_sees_or_loses_another_users_link(house: House, ann: User, bob: User) -> None:
    await house.linked(ann)
    assert await house.watchlists.link_of(bob) is None
    await house.watchlists.unlink(bob)
    link = await house.watchlists.link_of(ann)
    assert link is not None
    assert link.anilist_name == "ann-chan"


async def test_the_address_to_authorize_names_the_client(house: House) -> None:
    expected = "https://anilist.co/api/v2/oauth/authorize?client_id=1234&response_type=token"
    assert house.watchlists.authorize_url == expected


async def test_without_a_client_id_there_is_a_sentence_instead_of_an_address(house: House) -> None:
    unset = Watchlists(house.database, house.anilist, house.keyring, Settings(client_id=""))
    with pytest.raises(Refused, match=r"ask an admin to set anilist\.client_id"):
        _ = unset.authorize_url


def test_a_token_says_when_it_expires() -> None:
    assert expiry(token_with({"exp": 1_800_000_000})) == datetime(2027, 1, 15, 8, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    "token",
    [
        "",
        "opaque",
        "a.b",
        "a.%%%.c",
        "a.AAAA.c",
        token_with([1, 2]),
        token_with({}),
        token_with({"exp": None}),
        token_with({"exp": "tomorrow"}),
        token_with({"exp": True}),
        token_with({"exp": 10**18}),
        token_with({"exp": -(10**18)}),
        token_with({"exp": float("nan")}),
        token_with({"exp": float("inf")}),
    ],
)
def test_a_token_that_does_not_say_it_expires_at_an_unknown_time(token: str) -> None:
    assert expiry(token) is None
