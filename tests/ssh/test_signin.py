"""Who gets in, by which proof, and what everybody else is told."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from pathlib import Path

import asyncssh
import pytest
from structlog.testing import capture_logs

from tests.conftest import PASSWORD
from tests.people import a_key
from tests.ssh.port import Port
from uuutorrent.accounts import Accounts, Admin
from uuutorrent.store.database import Database
from uuutorrent.users import User


class Typist(asyncssh.SSHClient):
    """Answers every question for a password with the next of its answers."""

    def __init__(self, answers: Sequence[str]) -> None:
        self.answers = list(answers)
        self.asked: list[str] = []

    def password_auth_requested(self) -> str | None:
        return self.answers.pop(0) if self.answers else None

    def kbdint_auth_requested(self) -> str | None:
        return "" if self.answers else None

    def kbdint_challenge_received(
        self, name: str, instructions: str, lang: str, prompts: Sequence[tuple[str, bool]]
    ) -> Sequence[str] | None:
        self.asked += [prompt for prompt, _ in prompts]
        return [self.answers.pop(0) for _ in prompts]


async def whoami(connection: asyncssh.SSHClientConnection) -> str:
    done = await connection.run("whoami --json")
    assert done.exit_status == 0, done.stderr
    return str(done.stdout)


async def test_a_key_signs_its_user_in(port: Port, ann: User) -> None:
    with capture_logs() as logs:
        async with port.as_user(ann) as connection:
            assert '"ann"' in await whoami(connection)
    assert port.counted("ssh_auth_attempts", "publickey", "ok") == 1
    assert [line["user"] for line in logs if line["event"] == "ssh_signed_in"] == ["ann"]
    (key,) = await port.services.accounts.keys(ann)
    assert key.last_used_at is not None


@pytest.mark.parametrize("method", ["password", "keyboard-interactive"])
async def test_a_password_signs_its_user_in(port: Port, ann: User, method: str) -> None:
    typist = Typist([PASSWORD])
    async with port.connect("ann", client_factory=lambda: typist, preferred_auth=method) as connection:
        assert '"ann"' in await whoami(connection)
    assert port.counted("ssh_auth_attempts", method, "ok") == 1
    assert typist.asked == (["Password: "] if method == "keyboard-interactive" else [])


@pytest.mark.parametrize("method", ["password", "keyboard-interactive"])
@pytest.mark.parametrize(
    ("chosen", "typed"),
    [("of\ufb01ce with \uff57\uff49\uff44\uff45 doors", "office with wide doors"), ("wide\u3000office doors", None)],
)
async def test_a_password_is_the_same_by_either_method_however_it_is_composed(
    port: Port, ann: User, accounts: Accounts, method: str, chosen: str, typed: str | None
) -> None:
    await accounts.set_password(ann, PASSWORD, chosen)
    for given in (chosen, typed or chosen):
        typist = Typist([given])
        async with port.connect("ann", client_factory=lambda: typist, preferred_auth=method) as connection:  # noqa: B023
            assert '"ann"' in await whoami(connection)


async def test_signing_in_is_remembered(port: Port, ann: User, boss: Admin, accounts: Accounts) -> None:
    async with port.as_user(ann) as connection:
        await whoami(connection)
    seen = {info.user.name: info.last_seen_at for info in await accounts.users(boss)}
    assert seen["ann"] is not None
    assert seen["boss"] is None


@pytest.mark.parametrize("name", ["ann", "nobody-here"])
async def test_a_wrong_password_and_an_unknown_user_are_told_the_same(port: Port, ann: User, name: str) -> None:
    with pytest.raises(asyncssh.PermissionDenied) as told:
        async with port.connect(name, password="wrong", preferred_auth="password"):
            pass
    assert "ann" not in told.value.reason.replace("user ann", "")
    assert told.value.reason == f"Permission denied for user {name} on host 127.0.0.1"


@pytest.mark.parametrize("methods", ["password", "keyboard-interactive", "keyboard-interactive,password"])
async def test_the_third_wrong_password_ends_the_connection(port: Port, ann: User, methods: str) -> None:
    typist = Typist(["wrong"] * 3 + [PASSWORD])
    with capture_logs() as logs:
        with pytest.raises(asyncssh.DisconnectError, match="too many wrong passwords"):
            async with port.connect("ann", client_factory=lambda: typist, preferred_auth=methods):
                pass
        await port.until(lambda: port.counted("ssh_refused", "passwords") == 1)
    assert typist.answers == [PASSWORD]
    failures = [line for line in logs if line["event"] == "ssh_auth_failed"]
    assert len(failures) == 1
    assert failures[0]["ip"] == "127.0.0.1"


async def test_what_fails_is_one_line_in_the_log_with_the_address_before_the_name(port: Port, ann: User) -> None:
    name = 'x event=ssh_auth_failed ip=8.8.8.8 port=1 "' + "é" * 80
    with capture_logs() as logs:
        with pytest.raises(asyncssh.PermissionDenied):
            async with port.connect(name, password="wrong", preferred_auth="password"):
                pass
        await port.until(lambda: port.counted("ssh_refused", "auth_failed") == 1)
    (line,) = [line for line in logs if line["event"] == "ssh_auth_failed"]
    assert list(line)[:4] == ["ip", "port", "method", "user"]
    assert len(line["user"]) == 64
    assert " " not in line["user"]
    assert line["user"].isascii()


async def test_someone_who_never_tries_is_logged_as_such(port: Port) -> None:
    with capture_logs() as logs:
        _, writer = await asyncio.open_connection("127.0.0.1", port.number)
        writer.close()
        await writer.wait_closed()
        await port.until(lambda: port.counted("ssh_refused", "no_auth") == 1)
    assert [line["event"] for line in logs] == ["ssh_no_auth"]


async def test_a_disabled_user_does_not_get_in(port: Port, ann: User, boss: Admin, accounts: Accounts) -> None:
    key = await port.key_of(ann)
    await accounts.disable(boss, "ann")
    for proof in ({"client_keys": [key]}, {"password": PASSWORD}):
        with pytest.raises(asyncssh.PermissionDenied):
            async with port.connect("ann", **proof):
                pass


async def test_a_key_of_somebody_else_does_not_sign_in(port: Port, ann: User, bob: User) -> None:
    with pytest.raises(asyncssh.PermissionDenied):
        async with port.connect("ann", client_keys=[await port.key_of(bob)]):
            pass
    assert port.counted("ssh_auth_attempts", "publickey", "failed") == 1


async def test_a_one_time_password_opens_nothing_but_the_way_to_another(
    port: Port, ann: User, boss: Admin, accounts: Accounts
) -> None:
    once = await accounts.reset_password(boss, "ann")
    async with port.connect("ann", password=once) as connection:
        refused = await connection.run("torrents --json")
        assert refused.exit_status == 3
        assert json.loads(str(refused.stdout))["error"]["code"] == "refused"
        assert str(refused.stderr) == json.loads(str(refused.stdout))["error"]["message"] + "\n"
        # Behind -- it asks for no help; it would be the key's comment.
        assert (await connection.run(f"keys add {a_key('')} -- --help")).exit_status == 3
        assert (await connection.run("help keys")).exit_status == 0
        with pytest.raises(asyncssh.SFTPError):
            async with connection.start_sftp_client() as sftp:
                await sftp.listdir("/")
        changed = await connection.run("passwd", input=f"{once}\nquiet gravel lantern seven\n")
        assert changed.exit_status == 0, changed.stderr
    async with port.connect("ann", password="quiet gravel lantern seven") as connection:
        assert '"ann"' in await whoami(connection)


async def test_a_key_is_not_asked_to_change_a_password_it_did_not_use(
    port: Port, ann: User, boss: Admin, accounts: Accounts
) -> None:
    await accounts.reset_password(boss, "ann")
    async with port.as_user(ann) as connection:
        assert '"ann"' in await whoami(connection)


async def test_while_the_database_is_away_signing_in_says_so(
    port: Port, ann: User, database: Database, tmp_path: Path
) -> None:
    await database.engine.dispose()
    put_away(tmp_path)
    with capture_logs() as logs:
        with pytest.raises(asyncssh.DisconnectError, match="the database: its file cannot be used"):
            async with port.connect("ann", password=PASSWORD):
                pass
        await port.until(lambda: port.counted("ssh_refused", "trouble") == 1)
    # Nobody is to be banned for it.
    assert [line["event"] for line in logs] == ["sign_in_trouble"]


@pytest.mark.parametrize("method", ["password", "keyboard-interactive"])
async def test_when_too_many_sign_in_at_once_one_more_is_told_so(
    port: Port, ann: User, method: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(port.services.accounts._passwords, "_queue", -1000)
    typist = Typist([PASSWORD] * 2)
    with capture_logs() as logs:
        with pytest.raises(asyncssh.DisconnectError, match="too many people are signing in just now; try again"):
            async with port.connect("ann", client_factory=lambda: typist, preferred_auth=method):
                pass
        await port.until(lambda: port.counted("ssh_refused", "trouble") == 1)
    # Nobody is to be banned for it.
    assert [line["event"] for line in logs] == ["sign_in_trouble"]
    assert port.counted("ssh_auth_attempts", method, "trouble") == 1


def put_away(directory: Path) -> None:
    for file in directory.glob("uuutorrent.db*"):
        file.unlink()
    (directory / "uuutorrent.db").mkdir()
