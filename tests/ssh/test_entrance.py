"""What has to be so before one is let in: a second factor where one is needed, and a key for admins from outside."""

from __future__ import annotations

import asyncio

import asyncssh
import pytest
from structlog.testing import capture_logs

from tests.conftest import PASSWORD
from tests.people import CHEAP_ROUNDS, OTHER
from tests.ssh.port import Port
from tests.test_secondfactors import code_of
from uuutorrent.accounts import Accounts, Admin, Operator, User
from uuutorrent.config import Accounts as AccountSettings
from uuutorrent.delays import Delays
from uuutorrent.desk import Services
from uuutorrent.factors import Proof
from uuutorrent.ssh.signin import SignIn
from uuutorrent.store.database import Database

OUTSIDE, INSIDE = "203.0.113.9", "10.1.2.3"


@pytest.fixture
async def accounts(database: Database) -> Accounts:
    return Accounts(database, AccountSettings(second_factor="everyone"), rounds=CHEAP_ROUNDS)


@pytest.fixture
async def boss(accounts: Accounts) -> Admin:
    return Admin(await accounts.create(Operator(), "boss", role="admin", password=PASSWORD))


def signin(services: Services, ip: str, accounts: Accounts | None = None) -> SignIn:
    """What a connection from there tries."""
    limits, by = services.config.ssh, accounts or services.accounts
    one = SignIn(by, services.second_factors, services.tally, limits, Delays(), under_way=set[asyncio.Task[object]]())
    one.ip = ip
    return one


async def test_an_admins_password_is_wrong_from_outside_and_the_operator_is_told_why(
    services: Services, boss: Admin, ann: User
) -> None:
    for method in ("password", "keyboard-interactive"):
        with capture_logs() as logs:
            tried = signin(services, OUTSIDE)
            assert not await tried.password("boss", PASSWORD, method)
        assert (tried.wrong_passwords, tried.awaits_code("boss")) == (1, False)
        assert [(line["event"], line["ip"], line["user"]) for line in logs] == [
            ("admin_password_from_outside", OUTSIDE, "boss")
        ]
    assert await signin(services, INSIDE).password("boss", PASSWORD, "password")
    assert await signin(services, OUTSIDE).password("ann", PASSWORD, "password")


async def test_a_second_factor_does_not_open_it_from_outside(services: Services, boss: Admin) -> None:
    begun = await services.second_factors.begin(boss.user)
    await services.second_factors.confirm(boss.user, code_of(begun.secret, -1), Proof())
    tried = signin(services, OUTSIDE)
    assert not await tried.password("boss", PASSWORD, "keyboard-interactive")
    assert not await tried.code("boss", code_of(begun.secret), "keyboard-interactive")


async def test_a_one_time_password_is_taken_from_outside_once(services: Services, boss: Admin) -> None:
    once = await services.accounts.reset_password(Operator(), "boss")
    assert await signin(services, OUTSIDE).password("boss", once, "password")
    await services.accounts.set_password(boss.user, once, OTHER)
    assert not await signin(services, OUTSIDE).password("boss", OTHER, "password")


async def test_where_it_is_configured_an_admins_password_is_taken_from_anywhere(
    services: Services, boss: Admin, database: Database
) -> None:
    lax = Accounts(database, AccountSettings(admin_passwords="anywhere"), rounds=CHEAP_ROUNDS)
    assert await signin(services, OUTSIDE, lax).password("boss", PASSWORD, "password")


async def test_an_admin_from_this_machine_comes_in_by_password(port: Port, boss: Admin) -> None:
    async with port.connect("boss", password=PASSWORD, preferred_auth="password") as connection:
        assert (await connection.run("whoami")).exit_status == 0


async def test_without_the_second_factor_that_is_needed_there_are_no_files_and_few_verbs(port: Port, ann: User) -> None:
    async with port.as_user(ann) as connection:
        for line, code in (("whoami", 0), ("help", 0), ("torrents --help", 0), ("factor", 0), ("torrents", 3)):
            done = await connection.run(line)
            assert done.exit_status == code, line
        assert str(done.stderr).startswith("you need a second factor here: set one up first with ssh ")
        with pytest.raises((asyncssh.SFTPError, asyncssh.ConnectionLost)):
            async with connection.start_sftp_client() as sftp:
                await sftp.listdir("/")
        files = await connection.create_process(subsystem="sftp", encoding=None)
        said = await files.stderr.read()
        assert said == b"you need a second factor here: sign in with ssh and set one up first\n"
        assert (await connection.run("scp -f /")).stderr == said.decode()


async def test_once_it_is_set_up_everything_is_open(port: Port, ann: User) -> None:
    async with port.as_user(ann) as connection:
        begun = await port.services.second_factors.begin(ann)
        done = await connection.run(f"factor confirm {code_of(begun.secret)}")
        assert done.exit_status == 0
        assert (await connection.run("torrents")).exit_status == 0
        async with connection.start_sftp_client() as sftp:
            assert (await sftp.stat("/")).type == asyncssh.FILEXFER_TYPE_DIRECTORY


async def test_a_code_opens_what_admins_may_in_its_own_connection(port: Port, boss: Admin) -> None:
    begun = await port.services.second_factors.begin(boss.user)
    await port.services.second_factors.confirm(boss.user, code_of(begun.secret, -1), Proof())
    async with port.as_user(boss.user) as one, port.as_user(boss.user) as other:
        assert (await one.run("users list")).exit_status == 3
        assert (await one.run(f"code {code_of(begun.secret)}")).exit_status == 0
        assert (await one.run("users list")).exit_status == 0
        assert (await other.run("users list")).exit_status == 0, "the same key from the same address"
        proofs = [here.proof for here in port.services.presence.of(boss.user)]
        assert [proof.is_fresh() for proof in proofs] == [True, False], "screens of the other are not opened"
