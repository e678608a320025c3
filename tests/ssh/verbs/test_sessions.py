"""sessions, account: what one sees of oneself, and leaving for good."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.conftest import PASSWORD
from tests.people import a_key
from tests.ssh.prompt import Prompt, an_instant
from tests.ssh.verbs.conftest import House
from tests.test_secondfactors import code_of
from tests.torrents import metainfos
from uuutorrent.accounts import User
from uuutorrent.errors import Missing, Refused
from uuutorrent.presence import Activity, Here


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    """What these verbs ask the database is tested where it is asked."""
    return sqlite_url


def arrived(house: House, user: User, ip: str = "192.0.2.7", fingerprint: str | None = None) -> tuple[Here, list[str]]:
    """A connection of somebody's, and what was said when it ended."""
    said: list[str] = []
    activity = Activity(("screen", "sftp"), 5 << 20, 1000)
    here = Here(user, ip, "publickey" if fingerprint else "password", fingerprint, lambda: activity, said.append)
    house.services.presence.came(here)
    return here, said


async def test_sessions_are_ones_own_with_key_address_and_what_is_open(house: House) -> None:
    key = await house.services.accounts.add_key(house.ann.user, a_key("ann@laptop"))
    here, _ = arrived(house, house.ann.user, fingerprint=key.fingerprint)
    arrived(house, house.bob.user, "192.0.2.99")
    (one,) = await house.ann.json("sessions")
    an_instant(one.pop("since"))
    assert one == {
        "id": here.id,
        "ip": "192.0.2.7",
        "method": "publickey",
        "key": "ann@laptop",
        "open": ["screen", "sftp"],
        "sent_bytes": 5 << 20,
        "received_bytes": 1000,
        "this": False,
    }
    shown = await house.ann.says("sessions")
    assert "screen, sftp" in shown
    assert "ann@laptop" in shown
    assert "5.0 MiB" in shown
    assert "192.0.2.99" not in shown


async def test_a_session_is_ended_by_its_user_only(house: House) -> None:
    (mine, said), (other, others_said) = arrived(house, house.ann.user), arrived(house, house.ann.user)
    at_mine = replace(house.ann, here=lambda: mine)
    assert "you have no session" in await house.bob.fails(f"sessions end {other.id}", 4)
    for wrong in ("-- -1", "x", "²", "9" * 30):
        assert await house.ann.fails(f"sessions end {wrong}", 2) != ""
    assert "you are in" in await at_mine.fails(f"sessions end {mine.id}", 5)
    assert others_said == []
    assert await at_mine.json(f"sessions end {other.id}") == {"ended": 1}
    assert await at_mine.says("sessions end others") == "Ended 1 other session.\n"
    assert said == []
    assert len(others_said) == 2


async def test_admins_see_and_end_everybodys_sessions(house: House) -> None:
    (anns, said), (bosses, bosses_said) = arrived(house, house.ann.user), arrived(house, house.boss.user)
    arrived(house, house.bob.user, "192.0.2.99")
    every = await house.boss.json("sessions --all")
    assert [(one["name"], one["ip"]) for one in every] == [
        ("ann", "192.0.2.7"), ("boss", "192.0.2.7"), ("bob", "192.0.2.99")
    ]  # fmt: skip
    assert [one["id"] for one in await house.boss.json("sessions")] == [bosses.id]
    shown = await house.boss.says("sessions --all")
    assert "192.0.2.99" in shown
    assert shown.splitlines()[-1].endswith("bob")
    assert await house.boss.says(f"sessions end {anns.id}") == f"Ended session {anns.id} of ann.\n"
    assert said == ["an admin ended this session"]
    assert bosses_said == []
    assert "there is no session" in await house.boss.fails("sessions end 99", 4)


def at_screen(house: House, user: User) -> tuple[Here, list[str]]:
    """A connection with a screen in it, and what the admins said there."""
    heard: list[str] = []

    def hear(sentence: str) -> bool:
        heard.append(sentence)
        return True

    here = Here(user, "192.0.2.8", say=hear)
    house.services.presence.came(here)
    return here, heard


async def test_admins_say_something_to_who_sits_at_a_screen(house: House) -> None:
    (anns, heard), (bobs, _) = at_screen(house, house.ann.user), arrived(house, house.bob.user)
    told = await house.boss.json(f"sessions message {anns.id} please 'log  out' \x1b[31m now")
    assert told == {"told": [{"id": anns.id, "name": "ann"}]}
    assert heard == ["please log out ?[31m now"]
    assert await house.boss.says("sessions message --all back at 8") == "It stands on 1 screen now: ann.\n"
    assert heard[1:] == ["back at 8"]
    assert "open there is screen, sftp" in await house.boss.fails(f"sessions message {bobs.id} hello", 5)
    assert "there is no session" in await house.boss.fails("sessions message 99 hello", 4)
    for line in (f"sessions message {anns.id}", f"sessions message {anns.id} {'x' * 301}", "sessions message hello"):
        assert await house.boss.fails(line, 2) != ""
    assert len(heard) == 2
    notes = [
        f"{one['who']} {one['target']} {one['detail']}" for one in await house.boss.json("audit 'sessions message'")
    ]
    assert notes == ["boss everybody back at 8", "boss ann please log  out ?[31m now"]


async def test_nobody_but_admins_says_anything_on_others_screens(house: House) -> None:
    anns, heard = at_screen(house, house.ann.user)
    for line in (f"sessions message {anns.id} hello", "sessions message --all hello"):
        assert await house.bob.fails(line, 3) == "only admins may do that"
    assert heard == []


async def test_nobody_else_sees_or_ends_others_sessions_nor_who_was_an_admin_once(house: House) -> None:
    other, said = arrived(house, house.bob.user)
    assert await house.ann.fails("sessions --all", 3) == "only admins may do that"
    boss = await house.services.desk(house.boss.user).admin()
    await house.services.accounts.set_role(boss, "ann", "admin")
    once = replace(house.ann, user=await house.services.accounts.by_name("ann"))
    await house.services.accounts.set_role(boss, "ann", "user")
    assert once.user.is_admin
    for line in ("sessions --all", f"sessions end {other.id}"):
        assert await once.fails(line, 3) == "only admins may do that"
    assert said == []


async def test_who_is_disabled_or_deleted_is_out_at_once(house: House) -> None:
    (_, anns), (_, bobs) = arrived(house, house.ann.user), arrived(house, house.bob.user)
    mine = await house.holds(house.ann, "Mine", {"a.mkv": 2048})
    await house.boss.says("users disable ann")
    assert (anns, bobs) == (["an admin disabled this account"], [])
    await house.boss.says("users delete ann")
    assert anns[1:] == ["an admin deleted this account"]
    assert mine not in {torrent.v1 for torrent in await house.engine.torrents()}
    await house.boss.fails("users delete boss", 3)


async def test_deleting_an_account_is_explained_first(house: House) -> None:
    shared = metainfos.several("Shared", {"a.mkv": 3000})
    await house.holds(house.ann, "Mine", {"a.mkv": 2048})
    for prompt in (house.ann, house.bob):
        await prompt.json("add -", shared)
    shown = await house.ann.says("account")
    assert "Your account has 2 torrents." in shown
    assert "Deleted with their files, 2.0 KiB:\n  Mine\n" in shown
    assert "Others have these too, so they stay for them:\n  Shared\n" in shown
    assert "account delete ann" in shown
    assert (await house.services.accounts.by_name("ann")) == house.ann.user


async def test_an_account_is_deleted_with_what_only_it_has(house: House) -> None:
    shared = metainfos.several("Shared", {"a.mkv": 3000})
    mine = await house.holds(house.ann, "Mine", {"a.mkv": 2048})
    for prompt in (house.ann, house.bob):
        theirs = (await prompt.json("add -", shared))["infohash"]
    await house.services.live.refresh()
    _, said = arrived(house, house.ann.user)
    deleted = await house.ann.json("account delete ann", f"{PASSWORD}\n".encode())
    assert deleted == {"deleted": True, "torrents": 2, "going": ["Mine"], "going_bytes": 2048, "staying": ["Shared"]}
    with pytest.raises(Missing):
        await house.services.accounts.by_name("ann")
    assert said == ["this account was deleted by its owner"]
    left = {torrent.v1 for torrent in await house.engine.torrents()}
    assert (mine in left, theirs in left) == (False, True)
    assert [one["name"] for one in await house.bob.json("torrents")] == ["Shared"]


async def test_an_account_is_deleted_while_the_engine_is_away_and_its_torrents_once_it_is_back(house: House) -> None:
    mine = await house.holds(house.ann, "Mine", {"a.mkv": 2048})
    await house.away()
    assert (await house.ann.json("account delete ann", f"{PASSWORD}\n".encode()))["deleted"]
    house.engine.come_back()
    assert mine in {torrent.v1 for torrent in await house.engine.torrents()}
    await house.services.library.reconcile()
    assert mine not in {torrent.v1 for torrent in await house.engine.torrents()}


async def test_nobody_deletes_an_account_by_mistake_or_without_its_password(house: House) -> None:
    assert "type your own name, ann" in await house.ann.fails("account delete bob", 2, f"{PASSWORD}\n".encode())
    assert await house.ann.fails("account delete ann", 3, b"wrong\n") == "the password is wrong"
    assert await house.ann.fails("account delete ann", 3, b"") == "the password is wrong"
    assert (await house.services.accounts.by_name("ann")) == house.ann.user


async def test_with_a_second_factor_a_code_comes_first_from_the_same_place(house: House) -> None:
    begun = await house.ann.json("factor begin")
    await house.ann.json(f"factor confirm {code_of(begun['secret'], -1)}")
    given = f"{PASSWORD}\n".encode()
    ann = from_(house.ann)
    assert "code 123456" in await ann.fails("account delete ann", 3, given)
    await ann.json(f"code {code_of(begun['secret'])}")
    assert "code 123456" in await from_(house.ann, "192.0.2.8").fails("account delete ann", 3, given)
    assert (await ann.json("account delete ann"))["deleted"]


def from_(prompt: Prompt, ip: str = "192.0.2.7") -> Prompt:
    """The same person with a key at this address; each line of theirs is a connection of its own."""
    return replace(prompt, here=lambda: Here(prompt.user, ip=ip, fingerprint="SHA256:key"))


async def test_the_last_admin_stays(house: House) -> None:
    sentence = await house.boss.fails("account delete boss", 3, f"{PASSWORD}\n".encode())
    assert sentence == "boss is the last admin: make somebody else an admin first"
    await house.services.accounts.set_role(await house.services.desk(house.boss.user).admin(), "ann", "admin")
    assert (await house.boss.json("account delete boss", f"{PASSWORD}\n".encode()))["deleted"]


async def test_who_is_gone_deletes_nobody_who_has_their_name_now(house: House) -> None:
    boss = await house.services.desk(house.boss.user).admin()
    await house.services.accounts.delete(boss, "ann")
    new = await house.services.accounts.create(boss, "ann", password=PASSWORD)
    assert await house.ann.fails("account delete ann", 3, f"{PASSWORD}\n".encode()) != ""
    assert await house.services.accounts.by_name("ann") == new


async def test_an_admin_from_outside_is_told_to_add_a_key_with_their_new_password(house: House) -> None:
    boss = replace(house.boss, here=lambda: Here(house.boss.user, ip="203.0.113.9", method="password"))
    given = f"{PASSWORD}\nfour unrelated words, boss\n".encode()
    answer = await boss.type("passwd", given)
    assert answer.code == 0
    assert answer.err.startswith("From where you are, admins sign in with a key only. Add one before you leave: ssh ")
    await boss.json(f"keys add {a_key()}")
    again = await boss.type("passwd", f"four unrelated words, boss\n{PASSWORD}\n".encode())
    assert (again.code, again.err) == (0, "")


async def test_others_are_not_told_so(house: House) -> None:
    given = f"{PASSWORD}\nfour unrelated words, ann\n".encode()
    outside = replace(house.ann, here=lambda: Here(house.ann.user, ip="203.0.113.9", method="password"))
    assert (await outside.type("passwd", given)).err == ""
    with pytest.raises(Refused):
        await house.services.accounts.with_password("ann", PASSWORD)
