"""Who may not be here any more: what they have open ends with a sentence, and nothing new opens."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable
from pathlib import Path

import asyncssh
import pytest
from structlog.testing import capture_logs

from tests.conftest import PASSWORD
from tests.fakes import FakeEngine
from tests.people import OTHER, a_key
from tests.ssh.port import PATIENCE_S, Port, opened, part, sit_down
from tests.ssh.test_signin import put_away
from uuutorrent.accounts import Accounts, Operator
from uuutorrent.desk import Services
from uuutorrent.errors import Unreachable
from uuutorrent.presence import GONE, KEY_GONE, PASSWORD_RESET, ROLE_CHANGED
from uuutorrent.ssh import server
from uuutorrent.store.database import Database
from uuutorrent.users import User

Change = Callable[[Accounts, User], Awaitable[object]]
BY = Operator()


async def disable(accounts: Accounts, user: User) -> None:
    await accounts.disable(BY, user.name)


async def delete(accounts: Accounts, user: User) -> None:
    await accounts.delete(BY, user.name)


async def lose_key(accounts: Accounts, user: User) -> None:
    for key in await accounts.keys(user):
        await accounts.remove_key(user, key.fingerprint)


async def promote(accounts: Accounts, user: User) -> None:
    await accounts.set_role(BY, user.name, "admin")


async def reset(accounts: Accounts, user: User) -> None:
    await accounts.reset_password(BY, user.name)


KEY, BY_PASSWORD = "publickey", "password"
LEFT_OUT = [
    (KEY, disable, KEY_GONE),
    (KEY, delete, KEY_GONE),
    (KEY, lose_key, KEY_GONE),
    (KEY, promote, ROLE_CHANGED),
    (BY_PASSWORD, disable, GONE),
    (BY_PASSWORD, delete, GONE),
    (BY_PASSWORD, reset, PASSWORD_RESET),
]


def proof(method: str, key: asyncssh.SSHKey) -> dict[str, object]:
    return {"client_keys": [key]} if method == KEY else {"password": PASSWORD}


@pytest.mark.parametrize(("method", "change", "sentence"), LEFT_OUT)
async def test_open_screens_end_with_a_sentence_and_the_connection_with_them(
    port: Port, ann: User, bob: User, accounts: Accounts, method: str, change: Change, sentence: str
) -> None:
    async with port.connect("ann", **proof(method, await port.key_of(ann))) as anns, port.as_user(bob) as bobs:
        hers, his = await sit_down(anns), await sit_down(bobs)
        for person in (hers, his):
            await person.sees(b"hello")
        await port.server.send_away()
        await change(accounts, ann)
        with capture_logs() as logs:
            await port.server.send_away()
        assert await hers.ends() == 3
        assert hers.seen.rpartition(b"\x1b[?1049l\x1b[?25h")[2] == f"{sentence}\r\n".encode()
        await asyncio.wait_for(anns.wait_closed(), PATIENCE_S)
        assert [(line["event"], line["user"]) for line in logs] == [("ssh_sent_away", "ann")]
        his.types(b"q")
        assert await his.ends() == 0


async def test_commands_and_transfers_end_too(
    port: Port, ann: User, accounts: Accounts, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("uuutorrent.ssh.call.HINT_AFTER_S", 3600)
    await port.give(ann, "Show", {"Show - 01.mkv": b"x" * 100_000})
    async with port.as_user(ann) as connection, connection.start_sftp_client() as sftp:
        command = await connection.create_process("keys add")
        file = await sftp.open("/torrents/Show/Show - 01.mkv", "rb")
        assert await part(file, 10, 0) == b"x" * 10
        await accounts.disable(BY, "ann")
        await port.server.send_away()
        with pytest.raises((asyncssh.SFTPError, asyncssh.ConnectionLost, OSError)):
            await part(file, 10, 0)
        done = await command.wait()
    assert (done.exit_status, done.stderr) == (3, f"{KEY_GONE}\n")
    assert not any(port.server.sessions().values())


async def test_a_connection_with_nothing_open_is_told_when_it_is_ended(
    port: Port, ann: User, accounts: Accounts, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG, "asyncssh"):
        async with port.as_user(ann) as connection:
            await connection.run("whoami")
            await accounts.disable(BY, "ann")
            await port.server.send_away()
            await asyncio.wait_for(connection.wait_closed(), PATIENCE_S)
    assert f"Received disconnect: {KEY_GONE}" in caplog.text


@pytest.mark.parametrize(("method", "change", "sentence"), [row for row in LEFT_OUT if row[2] in (GONE, KEY_GONE)])
async def test_nothing_new_opens_at_once(
    port: Port, ann: User, accounts: Accounts, method: str, change: Change, sentence: str
) -> None:
    async with port.connect("ann", **proof(method, await port.key_of(ann))) as connection:
        assert (await connection.run("whoami")).exit_status == 0
        await change(accounts, ann)
        for opening in (sit_down(connection), connection.run("whoami"), connection.start_sftp_client()):
            with pytest.raises(asyncssh.ChannelOpenError, match=sentence):
                await opening


async def test_what_is_opened_later_knows_the_user_as_they_are_by_then(
    port: Port, ann: User, accounts: Accounts
) -> None:
    async def whoami(connection: asyncssh.SSHClientConnection) -> tuple[str, int]:
        found = json.loads(str((await connection.run("whoami --json", check=True)).stdout))
        return found["role"], found["quota_torrents"]

    async with port.as_user(ann) as connection:
        assert (await whoami(connection))[0] == "user"
        await accounts.set_role(BY, "ann", "admin")
        await port.services.limits.set(BY, "ann", {"torrents": 7})
        assert await whoami(connection) == ("admin", 7)
        # What was opened before still knows the old role.
        await port.server.send_away()
        await asyncio.wait_for(connection.wait_closed(), PATIENCE_S)


async def test_a_password_that_was_reset_is_to_be_changed_before_anything_else_is_opened(
    port: Port, ann: User, accounts: Accounts
) -> None:
    async with port.connect("ann", password=PASSWORD) as connection:
        await reset(accounts, ann)
        assert "one-time password" in str((await connection.run("torrents")).stderr)


async def test_changing_ones_own_password_or_other_keys_sends_nobody_away(
    port: Port, ann: User, accounts: Accounts
) -> None:
    other = await accounts.add_key(ann, a_key())
    async with port.as_user(ann) as by_key, port.connect("ann", password=PASSWORD) as by_password:
        await accounts.set_password(ann, PASSWORD, OTHER)
        await accounts.remove_key(ann, other.fingerprint)
        await port.server.send_away()
        for connection in (by_key, by_password):
            assert (await connection.run("whoami")).exit_status == 0


async def test_it_is_looked_after_them_again_and_again(
    services: Services, engine: FakeEngine, accounts: Accounts, ann: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert server.LOOK_EVERY_S + server.LOOK_DEADLINE_S <= 30
    monkeypatch.setattr(server, "LOOK_EVERY_S", 0.01)
    async with opened(services, engine) as port, port.as_user(ann) as connection:
        person = await sit_down(connection)
        await person.sees(b"hello")
        await accounts.disable(BY, "ann")
        assert await person.ends() == 3


async def test_while_the_database_is_away_nobody_is_sent_away_and_nothing_new_opens(
    port: Port, ann: User, database: Database, tmp_path: Path
) -> None:
    async with port.as_user(ann) as connection:
        person = await sit_down(connection)
        await person.sees(b"hello")
        await database.engine.dispose()
        put_away(tmp_path)
        with pytest.raises(Unreachable):
            await port.server.send_away()
        with pytest.raises(asyncssh.ChannelOpenError, match="the database"):
            await connection.run("whoami")
        person.types(b"q")
        assert await person.ends() == 0
