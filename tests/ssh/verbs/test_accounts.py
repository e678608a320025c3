"""whoami, passwd, keys, link, unlink: what they print and what they refuse."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from tests.conftest import PASSWORD
from tests.people import OTHER, a_key
from tests.ssh.prompt import an_instant
from tests.ssh.verbs.conftest import House

SOON = timedelta(days=10)


async def test_whoami_tells_name_role_and_what_is_claimed(house: House) -> None:
    await house.holds(house.ann)
    assert await house.ann.json("whoami") == {
        "name": "ann",
        "role": "user",
        "claimed_bytes": 3000,
        "quota_bytes": 50 << 30,
        "torrents": 1,
        "quota_torrents": 500,
        "running": 1,
        "quota_active": 0,
        "served_bytes": 0,
        "quota_month_bytes": 0,
        "quota_bps": 0,
        "anilist": None,
        "anilist_expires_at": None,
    }
    assert await house.ann.says("whoami") == "ann (user): 2.9 KiB of 50 GiB in 1 torrent (at most 500)\n"
    assert (await house.boss.json("whoami"))["role"] == "admin"


async def test_whoami_tells_what_else_is_limited_and_what_was_read(house: House) -> None:
    await house.holds(house.ann)
    limits, ann = house.services.limits, house.ann.user
    limits.count(limits.meter(ann), 3 << 30)
    assert "3.0 GiB read this month\n" in await house.ann.says("whoami")

    await house.boss.says("users quota ann --active 2 --month 500G --rate 20M")
    assert (await house.ann.says("whoami")).splitlines()[1:] == [
        "1 of 2 downloads run", "3.0 GiB of 500 GiB read this month, at most 20 MiB/s"
    ]  # fmt: skip
    told = await house.ann.json("whoami")
    keys = ("running", "quota_active", "served_bytes", "quota_month_bytes", "quota_bps")
    assert [told[key] for key in keys] == [1, 2, 3 << 30, 500 << 30, 20 << 20]


async def test_a_password_is_changed_with_two_lines(house: House) -> None:
    assert await house.ann.json("passwd", f"{PASSWORD}\r\n{OTHER}\r\n".encode()) == {"changed": True}
    assert (await house.services.accounts.with_password("ann", OTHER)).name == "ann"


@pytest.mark.parametrize(
    ("given", "code", "said"),
    [
        (b"", 2, "a line each"),
        (f"{PASSWORD}\n".encode(), 2, "a line each"),
        (f"wrong horse\n{OTHER}\n".encode(), 3, "wrong"),
        (f"{PASSWORD}\nshort\n".encode(), 2, "too short"),
        (f"{PASSWORD}\npassword1234\n".encode(), 2, "password"),
    ],
)
async def test_a_password_that_cannot_be_changed_stays(house: House, given: bytes, code: int, said: str) -> None:
    sentence = await house.ann.fails("passwd", code, given)
    assert said in sentence
    assert OTHER not in sentence
    assert (await house.services.accounts.with_password("ann", PASSWORD)).name == "ann"


async def test_keys_are_added_by_stdin_or_by_argument_listed_and_removed(house: House) -> None:
    first = await house.ann.json("keys add", f"{a_key('ann@laptop')}\n".encode())
    second = await house.ann.json(f"keys add {a_key('ann at home')}")
    assert second["comment"] == "ann at home"
    listed = await house.ann.json("keys list")
    assert listed == [first, second]
    assert set(first) == {"id", "fingerprint", "comment", "added_at", "last_used_at"}
    assert first["fingerprint"].startswith("SHA256:")
    assert first["last_used_at"] is None
    assert datetime.now(UTC) - an_instant(first["added_at"]) < timedelta(minutes=1)
    shown = await house.ann.says("keys list")
    assert shown.splitlines()[0].split() == ["ID", "ADDED", "LAST", "USED", "KEY"]
    assert "ann@laptop" in shown
    assert await house.ann.json(f"keys remove {first['id']}") == {"removed": first["fingerprint"]}
    assert await house.ann.json(f"keys remove {second['fingerprint']}") == {"removed": second["fingerprint"]}
    assert await house.ann.says("keys list") == "You have no keys here.\n"


async def test_keys_that_cannot_be_are_refused(house: House) -> None:
    key = a_key()
    await house.bob.says(f"keys add {key}")
    assert "another user" in await house.ann.fails(f"keys add {key}", 5)
    assert ".pub" in await house.ann.fails("keys add", 2, b"ssh-ed25519 nonsense")
    (bobs,) = await house.bob.json("keys list")
    assert await house.ann.fails(f"keys remove {bobs['id']}", 4)
    assert await house.ann.fails(f"keys remove {bobs['fingerprint']}", 4)
    assert await house.bob.json("keys list") == [bobs]


async def test_link_takes_a_token_broken_into_lines(house: House) -> None:
    member = house.anilist.add_user("annie")
    broken = "\n".join(member.token[at : at + 60] for at in range(0, len(member.token), 60))
    linked = await house.ann.json("link", f"{broken}\n".encode())
    assert linked["anilist"] == "annie"
    assert an_instant(linked["expires_at"]) > datetime.now(UTC) + timedelta(days=300)
    assert (await house.ann.json("whoami"))["anilist"] == "annie"
    assert await house.ann.json("unlink") == {"anilist": None}
    assert (await house.ann.json("whoami"))["anilist"] is None


async def test_link_without_a_token_says_where_to_get_one(house: House) -> None:
    for answer in (await house.ann.type("link"), await house.ann.type("link", None, is_tty=True)):
        assert answer.code == 2
        assert "https://anilist.co/api/v2/oauth/authorize?client_id=4242&response_type=token ," in answer.err
        assert "ssh -p 2222 ann@seedbox link < token.txt" in answer.err


@pytest.mark.parametrize(
    ("token", "said"), [("not a token!", "not an AniList token"), ("x" * 4097, "4 KB"), ("a.b.c", "")]
)
async def test_link_refuses_what_is_no_token(house: House, token: str, said: str) -> None:
    sentence = await house.ann.fails("link", 2, token.encode())
    assert said in sentence
    assert token not in sentence


async def test_link_while_anilist_is_away_says_to_try_later(house: House) -> None:
    member = house.anilist.add_user("annie")
    house.anilist.fault = 503
    assert "AniList" in await house.ann.fails("link", 75, member.token.encode())


async def test_a_link_that_ends_soon_is_told_beside_every_answer_about_it(house: House) -> None:
    member = house.anilist.add_user("annie", expires_in=SOON)
    for line, given in (("link --json", member.token.encode()), ("whoami --json", b""), ("watchlist --json", b"")):
        answer = await house.ann.type(line, given)
        assert answer.code == 0
        assert answer.json is not None
        assert f"ends on {datetime.now(UTC) + SOON:%Y-%m-%d}" in answer.err
        assert "ssh -p 2222 ann@seedbox link" in answer.err
