"""What the audit tells of the door: who came in and how, who did not, and how a flood of that is counted."""

from __future__ import annotations

import asyncio
from contextlib import suppress

import asyncssh
import pytest

from tests.conftest import PASSWORD
from tests.ssh.port import PATIENCE_S, Port
from tests.test_secondfactors import code_of
from uuutorrent.accounts import Accounts, Admin, User
from uuutorrent.audit import MOST_A_MINUTE, Note
from uuutorrent.config import Accounts as AccountSettings
from uuutorrent.errors import Missing
from uuutorrent.factors import Proof
from uuutorrent.publickeys import parse
from uuutorrent.signup import Newcomer


async def noted(port: Port, boss: Admin, at_least: int, text: str = "sign-in") -> list[tuple[str, ...]]:
    """Once there are so many, the oldest first; everybody here comes from this machine."""
    await port.until(lambda: not sum(port.server.connections().values()))
    async with asyncio.timeout(PATIENCE_S):
        while True:
            await port.services.audit.write_once()
            found = await port.services.audit.search(boss, text)
            if len(found) >= at_least:
                break
            await asyncio.sleep(0.005)
    assert {one.source for one in found} == {"127.0.0.1"}
    return [_told(one) for one in reversed(found)]


def _told(one: Note) -> tuple[str, ...]:
    return one.who, one.act, one.target, one.outcome, one.detail


async def fails(port: Port, name: str, **options: object) -> None:
    with pytest.raises(asyncssh.Error):
        async with port.connect(name, **options):
            pass


async def test_each_sign_in_is_one_note_that_says_how(port: Port, boss: Admin, ann: User) -> None:
    fingerprint = parse((await port.key_of(ann)).export_public_key().decode()).fingerprint
    async with port.as_user(ann) as connection:
        await connection.run("whoami")
        await connection.run("whoami")
    async with port.connect("ann", password=PASSWORD, preferred_auth="password"):
        pass
    assert await noted(port, boss, 2) == [
        ("ann", "sign-in", "ann", "ok", f"publickey {fingerprint}"),
        ("ann", "sign-in", "ann", "ok", "password"),
    ]


async def test_a_code_that_was_typed_to_sign_in_is_noted_from_where(port: Port, boss: Admin, ann: User) -> None:
    begun = await port.services.second_factors.begin(ann)
    await port.services.second_factors.confirm(ann, code_of(begun.secret, -1), Proof())

    class Typist(asyncssh.SSHClient):
        def kbdint_auth_requested(self) -> str:
            return ""

        def kbdint_challenge_received(self, _name: str, _what: str, _lang: str, prompts: object) -> list[str]:
            asked = str(prompts)
            return [PASSWORD if "Password" in asked else code_of(begun.secret)] if prompts else []

    async with port.connect("ann", client_factory=Typist, preferred_auth="keyboard-interactive"):
        pass
    assert await noted(port, boss, 1) == [("ann", "sign-in", "ann", "ok", "keyboard-interactive with a code")]
    assert ("ann", "code", "ann", "ok", "") in await noted(port, boss, 2, "127.0.0.1")


async def test_a_connection_that_ended_in_vain_is_one_note_however_often_it_tried(
    port: Port, boss: Admin, ann: User
) -> None:
    await fails(port, "ann", password="wrong", preferred_auth="password")
    await fails(port, "Correct Horse 7!", password="wrong", preferred_auth="password")
    await fails(port, "ann", client_keys=[asyncssh.generate_private_key("ssh-ed25519") for _ in range(3)])
    assert await noted(port, boss, 3) == [
        ("", "sign-in", "ann", "failed", "password"),
        ("", "sign-in", "", "failed", "password"),
        ("", "sign-in", "ann", "failed", "publickey"),
    ]


async def test_who_is_right_and_may_not_come_in_is_noted_as_well(
    port: Port, boss: Admin, ann: User, accounts: Accounts
) -> None:
    accounts.config.become(AccountSettings(signup="open"))
    await port.services.signups.sign_up(Newcomer("carol", password=PASSWORD))
    await fails(port, "carol", password=PASSWORD, preferred_auth="password")
    assert await noted(port, boss, 1) == [
        ("", "sign-in", "carol", "failed", "an admin has to say yes first: come back later")
    ]


async def test_a_flood_of_wrong_passwords_is_counted(port: Port, boss: Admin, ann: User) -> None:
    for number in range(MOST_A_MINUTE + 3):
        with suppress(Missing):
            port.services.penalties.lift(boss, "127.0.0.1")
        await fails(port, f"nobody-{number}", password="wrong", preferred_auth="password")
    assert len(await noted(port, boss, MOST_A_MINUTE)) == MOST_A_MINUTE
