"""Where somebody is signed in, as they see it themselves, and its end."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import asyncssh

from tests.conftest import PASSWORD
from tests.ssh.port import PATIENCE_S, Port, sit_down
from tests.test_secondfactors import code_of
from uuutorrent.accounts import Admin, User
from uuutorrent.factors import Proof
from uuutorrent.presence import ENDED


async def sessions(connection: asyncssh.SSHClientConnection) -> list[dict[str, Any]]:
    done = await connection.run("sessions --json", check=True)
    listed: list[dict[str, Any]] = json.loads(str(done.stdout))
    return listed


async def test_one_sees_where_one_is_signed_in_and_what_is_open_there(port: Port, ann: User, bob: User) -> None:
    async with port.as_user(ann) as laptop, port.connect("ann", password=PASSWORD) as other, port.as_user(bob) as his:
        person = await sit_down(other)
        await person.sees(b"hello")
        first, second = await sessions(laptop)
        assert (first["ip"], first["method"], first["this"]) == ("127.0.0.1", "publickey", True)
        assert first["open"] == ["command"]
        assert (second["method"], second["key"], second["this"]) == ("keyboard-interactive", None, False)
        assert second["open"] == ["screen"]
        assert second["sent_bytes"] > 1000
        assert second["received_bytes"] > 1000
        assert len(await sessions(his)) == 1
    async with port.as_user(bob) as his:
        await port.until(lambda: not port.services.presence.of(ann))
        assert len(await sessions(his)) == 1


async def test_a_session_is_ended_from_another_with_a_sentence(port: Port, ann: User, bob: User) -> None:
    async with port.as_user(ann) as one, port.as_user(ann) as other, port.as_user(bob) as his:
        person = await sit_down(other)
        await person.sees(b"hello")
        which = (await sessions(one))[1]["id"]
        assert (await his.run(f"sessions end {which}")).exit_status == 4
        assert (await one.run(f"sessions end {which}")).exit_status == 0
        assert await person.ends() == 3
        assert person.seen.endswith(f"{ENDED}\r\n".encode())
        await asyncio.wait_for(other.wait_closed(), PATIENCE_S)
        assert len(await sessions(one)) == 1


async def test_a_password_with_a_code_has_proved_it_in_that_connection(port: Port, boss: Admin) -> None:
    begun = await port.services.second_factors.begin(boss.user)
    await port.services.second_factors.confirm(boss.user, code_of(begun.secret, -1), Proof())

    class Typist(asyncssh.SSHClient):
        answers = [PASSWORD, code_of(begun.secret)]  # noqa: RUF012 - of this one connection

        def kbdint_auth_requested(self) -> str:
            return ""

        def kbdint_challenge_received(self, name: str, instructions: str, lang: str, prompts: Any) -> list[str]:
            return [self.answers.pop(0) for _ in prompts]

    async with port.connect("boss", client_factory=Typist, preferred_auth="keyboard-interactive") as connection:
        assert (await connection.run("users list")).exit_status == 0


async def test_who_deletes_their_account_is_gone_everywhere_at_once(port: Port, ann: User) -> None:
    async with port.connect("ann", password=PASSWORD) as one, port.as_user(ann) as other:
        person = await sit_down(other)
        await person.sees(b"hello")
        done = await one.run("account delete ann", input=f"{PASSWORD}\n")
        assert done.exit_status == 0, done.stderr
        assert await person.ends() == 3
        assert b"this account was deleted by its owner" in person.seen
