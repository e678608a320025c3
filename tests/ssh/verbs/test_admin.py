"""users: what admins do, and that nobody else does."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from tests.conftest import PASSWORD
from tests.ssh.prompt import Prompt, an_instant
from tests.ssh.verbs.conftest import House
from tests.test_secondfactors import code_of
from uuutorrent.signup import Newcomer
from uuutorrent.ssh.call import Verb
from uuutorrent.ssh.verbs import admin

USER = {
    "name", "role", "disabled", "waits", "password", "password_expired", "keys", "quota_bytes", "quota_torrents",
    "quota_active", "quota_month_bytes", "quota_bps", "torrents", "bytes", "served_bytes", "created_at",
    "last_seen_at",
}  # fmt: skip
each_verb = pytest.mark.parametrize("verb", admin.VERBS, ids=lambda verb: verb.name[-1])


def example(verb: Verb) -> str:
    """A line that uses the verb on bob."""
    rest = {"list": "", "add": "carol --admin", "role": "bob admin", "quota": "bob --bytes 0"}
    return f"users {verb.name[1]} {rest.get(verb.name[1], 'bob')}".strip()


@each_verb
async def test_who_is_no_admin_may_do_none_of_it(house: House, verb: Verb) -> None:
    before = await house.boss.json("users list")
    assert await house.ann.fails(example(verb), 3) == "only admins may do that"
    assert await house.boss.json("users list") == before
    assert (await house.services.accounts.with_password("bob", PASSWORD)).role == "user"


@each_verb
async def test_who_was_an_admin_at_sign_in_may_do_none_of_it_any_more(house: House, verb: Verb) -> None:
    await house.boss.says("users role ann admin")
    ann = Prompt(house.services, await house.services.accounts.by_name("ann"))
    assert await ann.json("users list")
    await house.boss.says("users role ann user")
    assert ann.user.is_admin
    assert await ann.fails(example(verb), 3) == "only admins may do that"


@each_verb
async def test_every_verb_works_for_an_admin(house: House, verb: Verb) -> None:
    begun = await house.bob.json("factor begin")
    await house.bob.json(f"factor confirm {code_of(begun['secret'], -1)}")
    if verb.name[-1] in ("approve", "reject"):
        await house.boss.says("users delete bob")
        house.people_sign_up("open")
        await house.services.signups.sign_up(Newcomer("bob", password=PASSWORD))
    assert await house.boss.json(example(verb))


async def test_users_are_listed(house: House) -> None:
    await house.holds(house.ann, "Lecture", {"a.mkv": 2048})
    listed = await house.boss.json("users list")
    assert [one["name"] for one in listed] == ["ann", "bob", "boss"]
    assert [(one["torrents"], one["bytes"]) for one in listed] == [(1, 2048), (0, 0), (0, 0)]
    assert set(listed[0]) == USER
    assert an_instant(listed[0]["created_at"]) <= datetime.now(UTC)
    assert (listed[0]["role"], listed[2]["role"]) == ("user", "admin")
    assert (listed[0]["disabled"], listed[0]["keys"], listed[0]["last_seen_at"]) == (False, 0, None)
    shown = await house.boss.says("users list")
    assert shown.splitlines()[1].split() == ["user", "never", "2.0", "KiB", "ann"]


async def test_a_new_user_signs_in_once_with_what_is_shown(house: House) -> None:
    made = await house.boss.json("users add carol")
    assert set(made) == {"name", "one_time_password"}
    carol = await house.services.accounts.with_password("carol", made["one_time_password"])
    assert (carol.role, carol.password_expired) == ("user", True)
    shown = await house.boss.says("users add dave --admin")
    assert "ssh -p 2222 dave@seedbox" in shown
    dave = await house.services.accounts.with_password("dave", shown.split()[-1])
    assert (dave.role, dave.password_expired) == ("admin", True)
    again = await house.boss.json("users passwd carol")
    assert again["one_time_password"] != made["one_time_password"]
    assert (await house.services.accounts.with_password("carol", again["one_time_password"])).name == "carol"


async def test_users_are_disabled_enabled_and_deleted(house: House) -> None:
    assert await house.boss.json("users disable ann") == {"name": "ann", "disabled": True}
    assert (await house.boss.json("users list"))[0]["disabled"] is True
    assert await house.boss.json("users enable ann") == {"name": "ann", "disabled": False}
    assert await house.boss.json("users role ann admin") == {"name": "ann", "role": "admin"}
    assert await house.boss.json("users delete ann") == {"name": "ann", "deleted": True}
    assert [one["name"] for one in await house.boss.json("users list")] == ["bob", "boss"]


async def test_quotas_are_set_one_at_a_time(house: House) -> None:
    nothing = dict.fromkeys(("quota_bytes", "quota_torrents", "quota_active", "quota_month_bytes", "quota_bps"))
    first = await house.boss.json("users quota ann --size 200G")
    assert first == {"name": "ann", **nothing, "quota_bytes": 200 << 30}
    second = await house.boss.json("users quota ann --torrents 3 --active 2 --month 1T --rate 20M")
    settled = {"quota_bytes": 200 << 30, "quota_torrents": 3, "quota_active": 2, "quota_month_bytes": 1 << 40}
    assert second == {"name": "ann", **settled, "quota_bps": 20 << 20}
    usage = await house.ann.json("whoami")
    assert (usage["quota_bytes"], usage["quota_torrents"]) == (200 << 30, 3)
    limits, ann = house.services.limits, house.ann.user
    limits.count(limits.meter(ann), 77)
    (listed,) = [one for one in await house.boss.json("users list") if one["name"] == "ann"]
    assert (listed["quota_active"], listed["served_bytes"]) == (2, 77)
    told = await house.boss.says("users quota ann --bytes 0 --torrents 0 --active 1 --month default --rate 0")
    assert told.splitlines() == [
        "ann may now", "  claim any size", "  have any number of torrents", "  run 1 download", "  read at any rate"
    ]  # fmt: skip
    assert (await house.ann.says("whoami")).startswith("ann (user): 0 B in 0 torrents\n0 of 1 downloads run\n")
    free = "--size default --torrents default --active default --rate default"
    assert await house.boss.json(f"users quota ann {free}") == {"name": "ann", **nothing}
    assert (await house.ann.json("whoami"))["quota_bytes"] == 50 << 30


async def test_what_cannot_be_done_is_refused(house: House) -> None:
    for line, code, said in (
        ("users add Carol", 2, "a-z"),
        ("users add root", 2, "reserved"),
        ("users add ann", 5, "already"),
        ("users passwd nobody", 4, "no user nobody"),
        ("users role nobody admin", 4, "no user nobody"),
        ("users role ann king", 2, "user or admin"),
        ("users role boss user", 3, "last admin"),
        ("users disable boss", 3, "last admin"),
        ("users delete boss", 3, "last admin"),
        ("users delete nobody", 4, "no user nobody"),
        ("users quota nobody --bytes 1", 4, "no user nobody"),
        ("users quota ann", 2, "which quota"),
        ("users quota ann --bytes much", 2, "500K"),
        ("users quota ann --bytes 99999999T", 2, "no size"),
        ("users quota ann --torrents 99999999999", 2, "too much"),
    ):
        assert said in await house.boss.fails(line, code)
