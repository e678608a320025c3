from __future__ import annotations

import json
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.conftest import PASSWORD
from tests.operating import Operating, signs_in
from tests.servers.postgres import Postgres
from tests.test_secondfactors import code_of
from uuutorrent.accounts import Accounts, Operator
from uuutorrent.config import Accounts as AccountSettings
from uuutorrent.factors import Proof
from uuutorrent.invites import Invites
from uuutorrent.secondfactors import SecondFactors
from uuutorrent.signup import Newcomer, SignUps
from uuutorrent.store import migrate
from uuutorrent.store.database import Database
from uuutorrent.store.sealed import KeyRing


@pytest.fixture
def uuutorrent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Operating:
    return Operating(tmp_path, monkeypatch, capsys)


@pytest.fixture
def key_text(public_key: Path) -> str:
    return public_key.read_text()


@pytest.fixture
def public_key(tmp_path: Path) -> Path:
    path = tmp_path / "id"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "ann@laptop", "-f", path], check=True)
    return path.with_suffix(".pub")


async def test_a_user_is_made_with_a_password_from_stdin_in_a_database_that_was_not_there(
    uuutorrent: Operating,
) -> None:
    done = await uuutorrent("user", "add", "ann", "--password-stdin", given=f"{PASSWORD}\n")
    assert (done.code, done.out) == (0, "")
    assert done.err == "ann can sign in: ssh -p 2222 ann@box.example\n"
    assert await signs_in(uuutorrent.database_url, "ann", PASSWORD)


async def test_without_a_terminal_to_ask_on_a_one_time_password_is_made_and_stands_alone_on_stdout(
    uuutorrent: Operating,
) -> None:
    done = await uuutorrent("user", "add", "ann")
    assert done.code == 0
    assert "they choose their own at the first sign-in" in done.err
    assert await signs_in(uuutorrent.database_url, "ann", done.out.strip())
    (ann,) = await uuutorrent.users()
    assert ann["password_expired"] is True


async def test_a_user_with_a_key_needs_no_password(uuutorrent: Operating, public_key: Path) -> None:
    done = await uuutorrent("user", "add", "ann", "--admin", "--key", str(public_key))
    assert (done.code, done.out) == (0, "")
    (ann,) = await uuutorrent.users()
    assert {name: ann[name] for name in ("name", "role", "password", "keys")} == {
        "name": "ann",
        "role": "admin",
        "password": False,
        "keys": 1,
    }


async def test_a_weak_password_is_refused_with_advice_and_no_user_is_made(uuutorrent: Operating) -> None:
    done = await uuutorrent("user", "add", "ann", "--password-stdin", given="password1234\n")
    assert done.code == 2
    assert "too easy to guess" in done.err
    assert "unrelated words" in done.err
    assert await uuutorrent.users() == []


async def test_a_user_who_is_there_already_is_a_conflict(uuutorrent: Operating) -> None:
    await uuutorrent("user", "add", "ann")
    done = await uuutorrent("user", "add", "ann")
    assert (done.code, done.out, done.err) == (5, "", "uuutorrent: there is a user ann already\n")


async def test_the_list_of_users_says_how_each_signs_in(uuutorrent: Operating, public_key: Path) -> None:
    empty = await uuutorrent("user", "list")
    assert empty.out == "There are no users: uuutorrent user add NAME --admin\n"
    await uuutorrent("user", "add", "ann", "--admin", "--generate", "--key", str(public_key))
    await uuutorrent("user", "add", "bob", "--password-stdin", given=PASSWORD)
    await uuutorrent("user", "disable", "bob")
    lines = (await uuutorrent("user", "list")).out.splitlines()
    assert lines[0].split() == ["NAME", "ROLE", "SIGNS", "IN", "BY", "KEYS", "LAST", "SEEN"]
    assert lines[1].split() == ["ann", "admin", "one-time", "password", "and", "key", "1", "never"]
    assert lines[2].split() == ["bob", "user", "password", "0", "never", "disabled"]


async def test_a_new_password_replaces_the_old(uuutorrent: Operating) -> None:
    await uuutorrent("user", "add", "ann", "--password-stdin", given=PASSWORD)
    made = await uuutorrent("user", "passwd", "ann", "--generate")
    assert await signs_in(uuutorrent.database_url, "ann", made.out.strip())
    given = await uuutorrent("user", "passwd", "ann", "--password-stdin", given="four unrelated words, ann\r\n")
    assert (given.code, given.out) == (0, "")
    assert await signs_in(uuutorrent.database_url, "ann", "four unrelated words, ann")
    assert not await signs_in(uuutorrent.database_url, "ann", PASSWORD)


async def test_keys_are_added_listed_and_removed(uuutorrent: Operating, public_key: Path) -> None:
    await uuutorrent("user", "add", "ann")
    added = await uuutorrent("user", "key", "add", "ann", str(public_key))
    (key,) = json.loads((await uuutorrent("user", "key", "list", "ann", "--json")).out)
    assert key["fingerprint"].startswith("SHA256:")
    assert added.out == f"ann signs in with {key['fingerprint']} ann@laptop\n"
    table = (await uuutorrent("user", "key", "list", "ann")).out
    assert "ann@laptop" in table
    removed = await uuutorrent("user", "key", "remove", "ann", key["fingerprint"])
    assert removed.code == 0
    assert (await uuutorrent("user", "key", "list", "ann")).out == "ann has no keys.\n"
    assert (await uuutorrent("user", "key", "remove", "ann", "1")).code == 4


@pytest.mark.parametrize("words", [(), ("-",)])
async def test_keys_are_read_from_stdin_several_at_once(
    uuutorrent: Operating, key_text: str, words: Sequence[str]
) -> None:
    await uuutorrent("user", "add", "ann")
    given = f"# my keys\n\n{key_text}"
    assert (await uuutorrent("user", "key", "add", "ann", *words, given=given)).code == 0
    assert len(json.loads((await uuutorrent("user", "key", "list", "ann", "--json")).out)) == 1


async def test_a_private_key_given_by_mistake_is_refused_without_showing_it(
    uuutorrent: Operating, public_key: Path
) -> None:
    done = await uuutorrent("user", "add", "ann", "--key", str(public_key.with_suffix("")))
    assert done.code == 2
    assert done.err == "uuutorrent: that is a private key: keep it to yourself and give the .pub file beside it\n"
    assert await uuutorrent.users() == []


@pytest.mark.parametrize(
    ("content", "code", "told"),
    [(None, 4, "No such file"), (b"# nothing\n", 2, "holds no public key"), (b"\xff\xfe", 2, "not a file of public")],
)
async def test_a_key_file_that_cannot_be_used_is_told(
    uuutorrent: Operating, tmp_path: Path, content: bytes | None, code: int, told: str
) -> None:
    file = tmp_path / "ann.pub"
    if content is not None:
        file.write_bytes(content)
    done = await uuutorrent("user", "add", "ann", "--key", str(file))
    assert done.code == code
    assert told in done.err


async def test_roles_change_but_the_last_admin_stays(uuutorrent: Operating) -> None:
    await uuutorrent("user", "add", "ann", "--admin")
    for words in (("role", "ann", "user"), ("disable", "ann"), ("delete", "ann")):
        done = await uuutorrent("user", *words)
        assert (done.code, done.err) == (3, "uuutorrent: ann is the last admin: make somebody else an admin first\n")
    await uuutorrent("user", "add", "bob")
    assert (await uuutorrent("user", "role", "bob", "admin")).out == "bob is now: admin\n"
    assert (await uuutorrent("user", "role", "ann", "user")).code == 0


async def test_a_disabled_user_stays_out_until_enabled(uuutorrent: Operating) -> None:
    await uuutorrent("user", "add", "ann", "--password-stdin", given=PASSWORD)
    assert (await uuutorrent("user", "disable", "ann")).code == 0
    assert not await signs_in(uuutorrent.database_url, "ann", PASSWORD)
    assert (await uuutorrent("user", "enable", "ann")).out == "ann can sign in again.\n"
    assert await signs_in(uuutorrent.database_url, "ann", PASSWORD)


async def test_deleting_somebody_says_what_happens_to_what_was_theirs(uuutorrent: Operating) -> None:
    await uuutorrent("user", "add", "ann")
    done = await uuutorrent("user", "delete", "ann")
    assert done.code == 0
    assert "ann is deleted, with keys, AniList link, watchlist and claims." in done.out
    assert "torrents\nthat nobody else has a claim on, with their files" in done.out
    assert await uuutorrent.users() == []


async def test_the_last_admin_who_lost_their_second_factor_gets_rid_of_it_at_the_machine(
    uuutorrent: Operating, tmp_path: Path
) -> None:
    await uuutorrent("user", "add", "ann", "--admin")
    async with Database(uuutorrent.database_url) as database:
        accounts = Accounts(database, AccountSettings())
        factors = SecondFactors(database, KeyRing.open(tmp_path / "keyring"), accounts)
        ann = await accounts.by_name("ann")
        await factors.confirm(ann, code_of((await factors.begin(ann)).secret), Proof())
        done = await uuutorrent("user", "unfactor", "ann")
        assert (done.code, done.out) == (0, "ann signs in without a code from now on.\n")
        assert not (await factors.of(ann)).is_on
    assert (await uuutorrent("user", "unfactor", "ann")).code == 4


@pytest.mark.parametrize("words", [("passwd",), ("unfactor",), ("disable",), ("enable",), ("delete",), ("key", "list")])
async def test_a_user_who_is_not_there_is_missing(uuutorrent: Operating, words: Sequence[str]) -> None:
    done = await uuutorrent("user", *words, "nobody-here")
    assert (done.code, done.out, done.err) == (4, "", "uuutorrent: there is no user nobody-here\n")


async def test_commands_work_while_another_process_uses_the_database(uuutorrent: Operating) -> None:
    async with Database(uuutorrent.database_url) as busy:
        await migrate.upgrade(busy)
        accounts = Accounts(busy, AccountSettings())
        await uuutorrent("user", "add", "ann")
        assert (await accounts.by_name("ann")).name == "ann"
        await accounts.create(Operator(), "bob")
        assert [user["name"] for user in await uuutorrent.users()] == ["ann", "bob"]


@pytest.mark.real
async def test_all_of_it_works_on_postgresql_too(
    uuutorrent: Operating, public_key: Path, postgres_cluster: Postgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = postgres_cluster.fresh()
    monkeypatch.setenv("UUUTORRENT_DATABASE__URL", url)
    for words, given in (
        (("user", "add", "boss", "--admin", "--generate"), ""),
        (("user", "add", "ann", "--key", str(public_key)), ""),
        (("user", "passwd", "ann", "--password-stdin"), PASSWORD),
        (("user", "key", "remove", "ann", "1"), ""),
        (("user", "disable", "ann"), ""),
        (("user", "enable", "ann"), ""),
        (("user", "role", "ann", "admin"), ""),
        (("check",), ""),
    ):
        assert (await uuutorrent(*words, given=given)).code == 0, words
    assert await signs_in(url, "ann", PASSWORD)
    assert (await uuutorrent("user", "delete", "boss")).code == 0
    assert [user["name"] for user in await uuutorrent.users()] == ["ann"]


async def test_an_invitation_of_the_operators_makes_an_account_and_stands_alone_on_stdout(
    uuutorrent: Operating,
) -> None:
    done = await uuutorrent("invite", "--admin", "--uses", "2", "--note", "the film club")
    assert done.code == 0
    assert "nobody can sign up here" in done.err
    assert "They type: ssh -p 2222 join@box.example" in done.err
    async with Database(uuutorrent.database_url) as database:
        accounts = Accounts(database, AccountSettings(signup="invite"))
        await SignUps(database, accounts, Invites(database)).sign_up(Newcomer("kim", done.out.strip(), PASSWORD))
    (kim,) = await uuutorrent.users()
    assert (kim["name"], kim["role"], kim["waits"]) == ("kim", "admin", False)
    assert (await uuutorrent("invite", "--uses", "0")).code == 2
