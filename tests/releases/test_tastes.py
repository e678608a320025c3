"""Tastes as they are kept: one for each person, and what they prefer otherwise for one show."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from typing import Any

import pytest
from sqlalchemy import text

from uuutorrent.accounts import Accounts, Admin, Operator, User
from uuutorrent.anime.anime import MediaId
from uuutorrent.config import Accounts as AccountSettings
from uuutorrent.errors import Invalid, Missing, Refused
from uuutorrent.releases.release import Taste
from uuutorrent.releases.tastes import Tastes
from uuutorrent.store.database import SYSTEM, Database
from uuutorrent.users import UserId

SHOW, OTHER = MediaId(1018), MediaId(2001)
NOBODY = User(UserId(999), "nobody", "user")


@pytest.fixture
def tastes(database: Database) -> Tastes:
    return Tastes(database)


async def stored(database: Database, user: User, value: Mapping[str, Any], media_id: MediaId | None = None) -> None:
    """A taste as another version left it."""
    into = "tastes (user_id, taste) VALUES (:user, :taste)"
    if media_id is not None:
        into = "show_tastes (user_id, media_id, taste) VALUES (:user, :media, :taste)"
    said = {"user": user.id, "taste": json.dumps(value)} | ({} if media_id is None else {"media": media_id})
    async with database.begin(SYSTEM) as tx:
        await tx.execute(text(f"INSERT INTO {into}"), said)


async def test_a_taste_is_remembered_and_is_ones_own(tastes: Tastes, ann: User, bob: User) -> None:
    wished = Taste(
        resolutions=(1080, 720), groups=("Bee",), codecs=("AV1",), bit_depths=(10,), sources=("BD",),
        languages=("fr", "en"), dual_audio=True, dubs=True, min_seeders=3, min_bytes_per_min=1 << 20,
        max_bytes_per_min=1 << 27, trusted_only=True, remakes=True, wait_min=90,
    )  # fmt: skip
    await tastes.set(ann, wished)
    assert await tastes.of(ann) == wished
    assert await tastes.of(bob) == Taste()
    await tastes.set(ann, Taste(blocked_groups=("Bee",)))
    assert (await tastes.of(ann)).groups == ()


async def test_what_is_preferred_for_a_show_lies_over_the_taste(tastes: Tastes, ann: User, bob: User) -> None:
    await tastes.set(ann, Taste(groups=("Bee",), min_seeders=3))
    await tastes.set_show(ann, SHOW, {"resolutions": (720,), "groups": ()})
    assert await tastes.of(ann, SHOW) == Taste(resolutions=(720,), min_seeders=3)
    assert await tastes.show(ann, SHOW) == {"resolutions": (720,), "groups": ()}
    for user, show in ((ann, OTHER), (ann, None)):
        assert await tastes.of(user, show) == Taste(groups=("Bee",), min_seeders=3)
    assert await tastes.of(bob, SHOW) == Taste()
    await tastes.set(ann, Taste(min_seeders=9))
    assert await tastes.of(ann, SHOW) == Taste(resolutions=(720,), min_seeders=9)


async def test_what_was_preferred_for_a_show_is_replaced_and_cleared(tastes: Tastes, ann: User, bob: User) -> None:
    for user in (ann, bob):
        await tastes.set_show(user, SHOW, {"resolutions": (720,), "groups": ("Bee",)})
    await tastes.set_show(ann, SHOW, {"wait_min": 60})
    assert await tastes.show(ann, SHOW) == {"wait_min": 60}
    await tastes.clear_show(ann, SHOW)
    await tastes.clear_show(ann, OTHER)
    assert await tastes.show(ann, SHOW) == {}
    assert await tastes.of(ann, SHOW) == Taste()
    assert await tastes.show(bob, SHOW) == {"resolutions": (720,), "groups": ("Bee",)}
    await tastes.set_show(bob, SHOW, {})
    assert await tastes.of(bob, SHOW) == Taste()


@pytest.mark.parametrize(
    ("changes", "field", "said"),
    [
        ({"resolutions": ()}, "resolutions", "at least one resolution"),
        ({"resolutions": (1081,)}, "resolutions", "at least one resolution"),
        ({"groups": ("",)}, "groups", "1 to 100 characters"),
        ({"blocked_groups": ("x" * 101,)}, "blocked_groups", "1 to 100 characters"),
        ({"blocked_groups": tuple(map(str, range(99)))}, "blocked_groups", "at most 60 groups"),
        ({"codecs": ("VP9",)}, "codecs", "codecs: VP9 is none of AVC, HEVC, AV1"),
        ({"bit_depths": (9,)}, "bit_depths", "bit depths: 9 is none of 8, 10"),
        ({"sources": ("VHS",)}, "sources", "sources: VHS is none of WEB, BD, DVD, TV"),
        ({"languages": ("klingon",)}, "languages", "languages: klingon is none of"),
        ({"min_seeders": -1}, "min_seeders", "between 0 and 10000"),
        ({"min_bytes_per_min": 0}, "min_bytes_per_min", "above 0"),
        ({"max_bytes_per_min": 0}, "max_bytes_per_min", "above 0"),
        ({"min_bytes_per_min": 2, "max_bytes_per_min": 1}, "min_bytes_per_min", "nothing would fit"),
        ({"wait_min": -1}, "wait_min", "between 0 and 10080 minutes"),
    ],
)
async def test_a_preference_that_means_nothing_is_refused(
    tastes: Tastes, ann: User, changes: dict[str, Any], field: str, said: str
) -> None:
    for remember in (tastes.set(ann, Taste(**changes)), tastes.set_show(ann, SHOW, changes)):
        with pytest.raises(Invalid) as caught:
            await remember
        assert caught.value.field == field
        assert said in caught.value.message
    assert await tastes.of(ann, SHOW) == Taste()


async def test_a_show_cannot_have_a_size_that_does_not_fit_the_rest(tastes: Tastes, ann: User) -> None:
    await tastes.set(ann, Taste(max_bytes_per_min=1000))
    with pytest.raises(Invalid, match="nothing would fit"):
        await tastes.set_show(ann, SHOW, {"min_bytes_per_min": 2000})


async def test_a_preference_that_does_not_exist_is_refused(tastes: Tastes, ann: User) -> None:
    with pytest.raises(Invalid, match="no preference colour"):
        await tastes.set_show(ann, SHOW, {"colour": "red"})


async def test_an_episodes_size_from_before_is_read_as_one_of_24_minutes(
    tastes: Tastes, database: Database, ann: User
) -> None:
    await stored(database, ann, {"resolutions": [720], "max_episode_bytes": 24 << 20})
    assert await tastes.of(ann) == Taste(resolutions=(720,), max_bytes_per_min=1 << 20)
    await tastes.set(ann, Taste())
    assert await tastes.of(ann) == Taste()


async def test_what_another_version_stored_is_left_alone(tastes: Tastes, database: Database, ann: User) -> None:
    await stored(database, ann, {"min_seeders": 7, "colour": "red"})
    await stored(database, ann, {"min_seeders": 8, "colour": "blue"}, SHOW)
    assert (await tastes.of(ann)).min_seeders == 7
    assert await tastes.show(ann, SHOW) == {"min_seeders": 8}
    await tastes.set(ann, Taste(min_seeders=9))
    await tastes.set_show(ann, SHOW, {"min_seeders": 1})
    async with database.begin(SYSTEM) as tx:
        kept = [str(await tx.scalar(text(f"SELECT taste FROM {table}"))) for table in ("tastes", "show_tastes")]
    assert "red" in kept[0]
    assert "blue" in kept[1]


async def test_who_is_gone_has_no_taste(tastes: Tastes) -> None:
    for remember in (tastes.set(NOBODY, Taste()), tastes.set_show(NOBODY, SHOW, {}), tastes.clear_show(NOBODY, SHOW)):
        with pytest.raises(Refused):
            await remember


# For admins


async def test_an_admin_settles_what_somebody_prefers_and_they_change_it(
    tastes: Tastes, accounts: Accounts, ann: User, bob: User, boss: Admin
) -> None:
    wished = Taste(resolutions=(720,), languages=("de",))
    await tastes.set_theirs(boss, "ann", wished)
    assert await tastes.theirs(boss, "ann") == await tastes.of(ann) == wished
    assert await tastes.of(bob) == await tastes.of(boss.user) == Taste()
    await tastes.set(ann, Taste())
    assert await tastes.theirs(boss, "ann") == Taste()
    (note,) = await accounts.audit.search(boss, "users taste")
    assert (note.who, note.target) == ("boss", "ann")


async def test_nobody_but_admins_settles_what_others_prefer(
    tastes: Tastes, accounts: Accounts, ann: User, boss: Admin
) -> None:
    for missing in (tastes.theirs(boss, "nobody"), tastes.set_theirs(boss, "nobody", Taste())):
        with pytest.raises(Missing):
            await missing
    await accounts.create(Operator(), "carl", role="admin")
    await accounts.set_role(Operator(), "boss", "user")
    for refused in (tastes.theirs(boss, "ann"), tastes.set_theirs(boss, "ann", Taste(remakes=True))):
        with pytest.raises(Refused, match="only admins"):
            await refused
    assert await tastes.of(ann) == Taste()


async def test_whoever_chose_none_has_the_taste_that_is_configured_for_them(
    database: Database, ann: User, bob: User
) -> None:
    tastes, wished = Tastes(database, AccountSettings(taste_of="bob")), Taste(resolutions=(720,), languages=("de",))
    assert await tastes.of(ann) == Taste()
    await tastes.set(bob, wished)
    await tastes.set_show(ann, SHOW, {"remakes": True})
    assert await tastes.of(ann) == wished
    assert await tastes.of(ann, SHOW) == dataclasses.replace(wished, remakes=True)
    assert (await tastes.of(bob), await tastes.of(NOBODY)) == (wished, wished)
    await tastes.set(ann, Taste(dubs=True))
    assert await tastes.of(ann) == Taste(dubs=True)
    assert await Tastes(database, AccountSettings(taste_of="gone")).of(NOBODY) == Taste()
