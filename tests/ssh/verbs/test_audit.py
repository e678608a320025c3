"""audit: each act of a family is one note with the right who, where and what; and nobody but admins sees it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.conftest import PASSWORD
from tests.people import OTHER, a_key
from tests.ssh.prompt import Prompt, an_instant
from tests.ssh.verbs.conftest import House
from tests.ssh.verbs.test_upkeep import leave
from tests.test_secondfactors import code_of
from uuutorrent.accounts import User
from uuutorrent.errors import Invalid
from uuutorrent.penalties import Offence, Source
from uuutorrent.presence import Here
from uuutorrent.publickeys import parse
from uuutorrent.signup import Lobby, Newcomer
from uuutorrent.ssh.verbs.audit import time

WHERE = {"ann": "192.0.2.1", "boss": "2001:db8::7"}


def at(prompt: Prompt) -> Prompt:
    """The same person, at the address that is theirs."""
    user: User = prompt.user
    here = Here(user, WHERE[user.name], "publickey", "SHA256:of-a-key")
    return Prompt(prompt.services, user, lambda: here)


async def notes(house: House, after: int = 0) -> list[Mapping[str, Any]]:
    """What was noted since, the oldest first."""
    await house.services.audit.write_once()
    return [one for one in reversed(await house.boss.json("audit")) if one["id"] > after]


def told(note: Mapping[str, Any]) -> tuple[str, ...]:
    return tuple(note[key] for key in ("who", "from", "act", "target", "outcome", "detail"))


async def only(house: House, after: int) -> tuple[str, ...]:
    (one,) = await notes(house, after)
    return told(one)


async def newest(house: House) -> int:
    return int((await notes(house))[-1]["id"])


FOR_ADMINS = (
    ("users add carol", ("users add", "carol", "ok", "user")),
    ("users role bob admin", ("users role", "bob", "ok", "admin")),
    ("users passwd bob", ("users passwd", "bob", "ok", "one-time")),
    ("users disable bob", ("users disable", "bob", "ok", "")),
    ("users enable bob", ("users enable", "bob", "ok", "")),
    ("users quota bob --torrents 3", ("users quota", "bob", "ok", "torrents=3")),
    ("users unfactor ann", ("users unfactor", "ann", "ok", "")),
    ("policy bob --ratio 2", ("policy", "bob", "ok", "ratio=2.0 minutes=None")),
    ("invites create --note secret", ("invites create", "1", "ok", "user, 1 uses, 7 days")),
    ("invites revoke 1", ("invites revoke", "1", "ok", "")),
    ("penalties lift 192.0.2.7", ("penalties lift", "192.0.2.7", "ok", "")),
    ("orphans remove left.mkv", ("orphans remove", "left.mkv", "ok", "Removed left.mkv.")),
    ("corrections share 1 on", ("corrections share", "1", "ok", "on")),
    ("users approve dan", ("users approve", "dan", "ok", "")),
    ("users reject eve", ("users reject", "eve", "ok", "")),
    ("users delete bob", ("users delete", "bob", "ok", "")),
)


async def prepare(house: House) -> None:
    """Something of everything that an admin can do something about."""
    begun = await house.ann.json("factor begin")
    await house.ann.json(f"factor confirm {code_of(begun['secret'], -1)}")
    leave(house)
    house.services.penalties.add(Source("192.0.2.7"), Offence.UNKNOWN, 3)
    await house.ann.json(f"correct title {house.frieren.id} Elf")
    house.people_sign_up("open")
    for name in ("dan", "eve"):
        await house.services.signups.sign_up(Newcomer(name, password=PASSWORD))


async def test_each_act_of_an_admin_is_one_note_with_who_where_what_and_how_it_ended(house: House) -> None:
    await prepare(house)
    last, boss = await newest(house), at(house.boss)
    for line, expected in FOR_ADMINS:
        await boss.says(line)
        assert await only(house, last) == ("boss", WHERE["boss"], *expected), line
        last = await newest(house)


async def test_what_somebody_tries_who_is_no_admin_is_one_note_and_nothing_else_is(house: House) -> None:
    await prepare(house)
    last, ann = await newest(house), at(house.ann)
    for line, expected in FOR_ADMINS:
        assert (await ann.type(line)).code == 3
        words = line.split()
        name = " ".join(words[:2] if expected[0].count(" ") else words[:1])
        assert await only(house, last) == ("ann", WHERE["ann"], "admin", name, "refused", ""), line
        last = await newest(house)
        house.services.audit._counts.clear()


async def test_what_people_do_to_their_own_account_is_noted_without_any_secret(house: House) -> None:
    last, ann, key = await newest(house), at(house.ann), a_key()
    fingerprint = parse(key).fingerprint
    secrets = [PASSWORD, OTHER]

    async def noted(act: str, outcome: str = "ok", detail: str = "") -> None:
        nonlocal last
        assert await only(house, last) == ("ann", WHERE["ann"], act, "ann", outcome, detail)
        last = await newest(house)

    await ann.says("passwd", f"{PASSWORD}\n{OTHER}\n".encode())
    await noted("password")
    await ann.says("keys add", key.encode())
    await noted("keys add", detail=fingerprint)
    await ann.says(f"keys remove {fingerprint}")
    await noted("keys remove", detail=fingerprint)
    begun = await ann.json("factor begin")
    confirmed = await ann.json(f"factor confirm {code_of(begun['secret'], -1)}")
    await noted("factor on")
    assert (await ann.type("code 000000")).code == 2
    await noted("code", "failed")
    await ann.says(f"code {code_of(begun['secret'])}")
    await noted("code")
    secrets += [begun["secret"], *confirmed["recovery_codes"], code_of(begun["secret"])]
    await ann.json(f"factor remove {confirmed['recovery_codes'][0]}")
    assert [told(one)[2:4] for one in await notes(house, last)] == [("code", "ann"), ("factor off", "ann")]
    last = await newest(house)
    await ann.says("account delete ann", f"{OTHER}\n".encode())
    await noted("account delete")
    everything = str(await notes(house))
    assert not [secret for secret in secrets if secret in everything]


async def test_torrents_that_people_delete_are_noted(house: House) -> None:
    infohash = await house.holds(house.ann, "Lectures")
    last, ann = await newest(house), at(house.ann)
    await ann.says(f"delete {infohash} --files")
    assert await only(house, last) == ("ann", WHERE["ann"], "delete", f"Lectures {infohash}", "ok", "with files")


async def test_signing_up_is_noted_with_the_address_and_without_the_code(house: House) -> None:
    house.people_sign_up("invite")
    code = (await house.boss.json("invites create"))["code"]
    last = await newest(house)
    lobby = Lobby(house.services.signups, None, reach=str, wrong_codes=3, refusal_s=0, ip="192.0.2.44")
    await lobby.sign_up(Newcomer("carol", password=PASSWORD, code=code))
    assert await only(house, last) == ("carol", "192.0.2.44", "sign up", "carol", "ok", "invitation 1, user")
    assert code not in str(await notes(house))


async def test_sessions_that_an_admin_ends_are_noted(house: House) -> None:
    theirs = Here(house.ann.user, "192.0.2.1")
    house.services.presence.came(theirs)
    last, desk = await newest(house), house.services.desk(house.boss.user, Here(house.boss.user, "192.0.2.9"))
    await desk.end_session(await desk.admin(), theirs.id)
    assert await only(house, last) == ("boss", "192.0.2.9", "sessions end", "ann", "ok", "from 192.0.2.1")


async def test_an_admin_reads_it_at_a_prompt(house: House) -> None:
    await at(house.boss).says("users role ann admin")
    await at(house.boss).says("users role ann user")
    assert "only admins" in (await at(house.ann).type("users list")).err
    await house.services.audit.write_once()
    lines = (await house.boss.says("audit --user ann --since 5m --limit 4")).splitlines()
    assert lines[0].split() == ["AT", "WHO", "FROM", "WHAT"]
    assert lines[1].split()[1:] == ["ann", "192.0.2.1", "admin", "users", "list", "(refused)"]
    assert lines[2].split()[1:] == ["boss", "2001:db8::7", "users", "role", "ann:", "user"]
    assert lines[4].split()[1:] == ["operator", "-", "users", "add", "ann:", "user"]
    assert len(lines) == 5
    found = await house.boss.json("audit role ann")
    assert [one["detail"] for one in found] == []
    found = await house.boss.json("audit 'users role' --since 2026-01-01")
    assert [one["detail"] for one in found] == ["user", "admin"]
    assert an_instant(found[0]["at"]) <= datetime.now(UTC)
    assert await house.boss.says("audit nothing like this") == "Nothing.\n"


async def test_nobody_else_reads_it(house: House) -> None:
    assert await house.ann.fails("audit", 3) == "only admins may do that"
    assert await house.ann.fails("audit --user ann", 3) == "only admins may do that"


async def test_what_cannot_be_meant_is_said(house: House) -> None:
    assert "2026-11-21T18:00" in await house.boss.fails("audit --since yesterday", 2)
    assert "0" in await house.boss.fails("audit --limit 0", 2)


def test_times_are_typed_as_dates_moments_and_ages() -> None:
    now = datetime(2026, 11, 21, 20, 0, tzinfo=UTC)
    assert time("2026-11-20", now) == datetime(2026, 11, 20, tzinfo=UTC)
    assert time("2026-11-20T18:30", now) == datetime(2026, 11, 20, 18, 30, tzinfo=UTC)
    assert time("2026-11-20T18:30+09:00", now) == datetime(2026, 11, 20, 9, 30, tzinfo=UTC)
    assert [now - time(age, now) for age in ("90m", "12h", "7d")] == [
        timedelta(minutes=90), timedelta(hours=12), timedelta(days=7),
    ]  # fmt: skip
    for wrong in ("", "7", "7w", "-7d", "٧d", "9999999d", "99999d x"):
        with pytest.raises(Invalid, match="no time"):
            time(wrong, now)
