"""Signing in with a password and a code."""

from __future__ import annotations

import asyncssh
import pytest

from tests.conftest import PASSWORD
from tests.ssh.attacker import attacking
from tests.ssh.port import Port
from tests.ssh.test_signin import Typist
from tests.test_secondfactors import code_of
from uuutorrent.accounts import Admin
from uuutorrent.factors import Proof
from uuutorrent.secondfactors import WRONG_CODES
from uuutorrent.users import User


@pytest.fixture
async def secret(port: Port, ann: User) -> str:
    """Of the second factor that ann has."""
    begun = await port.services.second_factors.begin(ann)
    await port.services.second_factors.confirm(ann, code_of(begun.secret, -1), Proof())
    return begun.secret


async def comes_in(port: Port, *answers: str, method: str = "keyboard-interactive") -> list[str]:
    """Sign in as ann with these answers; what was asked."""
    typist = Typist(answers)
    async with port.connect("ann", client_factory=lambda: typist, preferred_auth=method) as connection:
        assert (await connection.run("whoami")).exit_status == 0
    return typist.asked


async def test_the_code_is_asked_for_after_the_right_password(port: Port, secret: str) -> None:
    asked = await comes_in(port, PASSWORD, code_of(secret))
    assert asked == ["Password: ", "Code of your app, or a recovery code: "]


async def test_a_wrong_password_is_not_told_apart_before_any_code_is_asked_for(port: Port, secret: str) -> None:
    typist = Typist(["wrong", "wrong"])
    with pytest.raises(asyncssh.PermissionDenied):
        async with port.connect("ann", client_factory=lambda: typist, preferred_auth="keyboard-interactive"):
            pass
    assert typist.asked == ["Password: ", "Password: "]


async def test_a_code_is_not_taken_a_second_time(port: Port, secret: str) -> None:
    code = code_of(secret)
    await comes_in(port, PASSWORD, code)
    with pytest.raises((asyncssh.PermissionDenied, asyncssh.DisconnectError)):
        await comes_in(port, PASSWORD, code)


async def test_wrong_codes_are_tries_and_cost_their_source(port: Port, secret: str, boss: Admin) -> None:
    with pytest.raises(asyncssh.DisconnectError, match="too many wrong passwords"):
        await comes_in(port, PASSWORD, "000000", PASSWORD, "000001", PASSWORD, "000002")
    await port.until(lambda: [one.source for one in port.services.penalties.every(boss) if one.left_s > 10])


async def test_guessing_on_after_too_many_wrong_codes_costs_its_source_too(
    port: Port, ann: User, boss: Admin, secret: str
) -> None:
    for _ in range(WRONG_CODES):
        assert not await port.services.second_factors.proves(ann, "wrong")
    with pytest.raises(asyncssh.DisconnectError, match="ten minutes"):
        await comes_in(port, PASSWORD, "000000")
    await port.until(lambda: port.services.penalties.every(boss))


async def test_a_password_by_itself_does_not_do_any_more(port: Port, secret: str) -> None:
    with pytest.raises(asyncssh.PermissionDenied):
        await comes_in(port, PASSWORD, method="password")
    assert port.counted("ssh_auth_attempts", "password", "ok") == 0


async def test_a_code_for_another_name_does_nothing(port: Port, secret: str, bob: User) -> None:
    """The right password of one, and then another name with the code."""
    signin = port.services.accounts
    assert (await signin.with_password("ann", PASSWORD)).name == "ann"
    typist = Typist([PASSWORD, code_of(secret)])
    async with port.connect("bob", client_factory=lambda: typist, preferred_auth="keyboard-interactive") as connection:
        assert (await connection.run("whoami --json")).exit_status == 0
    assert typist.asked == ["Password: "]


async def test_who_asks_to_be_asked_again_is_asked_for_the_password(port: Port, secret: str) -> None:
    async with attacking(port) as (attacker, connecting):
        for _ in range(2):
            attacker.begins_interactive("ann")
            assert await attacker.hears() == "challenge"
            attacker.answers(PASSWORD)
            assert await attacker.hears() == "challenge"
        attacker.answers(code_of(secret))
        assert await attacker.hears() == "success"
        assert (await (await connecting).run("whoami")).exit_status == 0
    assert port.counted("ssh_auth_attempts", "keyboard-interactive", "failed") == 0


async def test_no_order_of_requests_spares_one_the_code(port: Port, secret: str, bob: User) -> None:
    async with attacking(port) as (attacker, _):
        attacker.begins_interactive("ann")
        assert await attacker.hears() == "challenge"
        attacker.answers(PASSWORD)
        assert await attacker.hears() == "challenge"
        attacker.shows("ann", await port.key_of(await port.services.accounts.by_name("ann")))
        assert await attacker.hears() == "challenge"
        attacker.password("ann", PASSWORD)
        assert await attacker.hears() == "failure"
        attacker.begins_interactive("bob")
        assert await attacker.hears() == "challenge"
        attacker.answers(code_of(secret))
        assert await attacker.hears() == "failure"
        attacker.begins_interactive("ann")
        assert await attacker.hears() == "challenge"
        attacker.answers(code_of(secret))
        assert await attacker.hears() == "gone"
    assert port.counted("ssh_auth_attempts", "keyboard-interactive", "ok") == 0


async def test_a_key_needs_no_code_until_it_is_about_what_admins_may(port: Port, ann: User, secret: str) -> None:
    async with port.as_user(ann) as connection:
        assert (await connection.run("whoami")).exit_status == 0
        assert (await connection.run("users list")).exit_status == 3
