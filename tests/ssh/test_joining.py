"""Strangers at the port: `ssh join@host` gets them the sign-up screen where one can sign up, and nothing else."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from typing import Any

import asyncssh
import pytest
from structlog.testing import capture_logs

from tests.clock import Clock
from tests.conftest import PASSWORD
from tests.filling import fill
from tests.people import CHEAP_ROUNDS, a_key, refusal
from tests.ssh.laptop import Laptop
from tests.ssh.port import PATIENCE_S, Person, Port, sit_down
from uuutorrent.accounts import WAITS, Accounts, Admin, Operator, User, UserId
from uuutorrent.config import Accounts as AccountSettings
from uuutorrent.delays import Delays
from uuutorrent.desk import Services
from uuutorrent.errors import Missing, Refused
from uuutorrent.penalties import Offence, Source, source_of
from uuutorrent.signup import Newcomer
from uuutorrent.ssh.joining import CROWDED_THERE, IDLE_S, MOST, NOTHING_ELSE, STAY_S, WAITING_S, Joiners
from uuutorrent.ssh.screen import Screen
from uuutorrent.ssh.session import IDLE
from uuutorrent.ssh.signin import SignIn
from uuutorrent.store.database import Database
from uuutorrent.tui.join import JoinApp

HERE = source_of("127.0.0.1")


@pytest.fixture
def mode() -> str:
    """How one can sign up; a test parametrises this name."""
    return "invite"


@pytest.fixture
async def accounts(database: Database, mode: str) -> Accounts:
    return Accounts(database, AccountSettings(signup=mode), rounds=CHEAP_ROUNDS)  # type: ignore[arg-type]  # a test's


class WithoutKeys(asyncssh.SSHClient):
    """A client that answers questions, if there are any."""

    def kbdint_auth_requested(self) -> str:
        return ""

    def kbdint_challenge_received(self, name: str, instructions: str, lang: str, prompts: Any) -> list[str]:
        return ["wrong" for _ in prompts]


async def code_of(port: Port, **options: Any) -> str:
    _, code = await port.services.invites.create(Operator(), **options)
    return code


@asynccontextmanager
async def joining(port: Port, **options: Any) -> AsyncGenerator[Person]:
    """A stranger at a terminal, with a key of theirs or what is named."""
    options = options or {"client_keys": [asyncssh.generate_private_key("ssh-ed25519")]}
    async with port.connect("join", **options) as connection:
        person = await sit_down(connection)
        await person.sees(b"Sign up")
        await person.sees(b"Done")  # the first line has the focus
        yield person


def forgive(port: Port, by: User) -> None:
    """Let this address connect again, whatever came of its connections."""
    with suppress(Missing):
        port.services.penalties.lift(Admin(by), "127.0.0.1")


async def fills(port: Port, person: Person, **typed: str) -> None:
    """They look where they type: a key that comes long after the one before it may be heard first on a busy machine."""
    (session,) = port.server._guests.sessions
    assert isinstance(session._door, Screen)
    assert session._door._app is not None
    await fill(session._door._app, lambda keys: person.types(keys.encode()), port.until, **typed)


async def named(port: Port, name: str) -> User:
    return await port.services.accounts.by_name(name)


async def test_who_comes_with_a_key_and_a_code_signs_in_with_that_key_from_then_on(port: Port) -> None:
    code, key = await code_of(port, uses=2), asyncssh.generate_private_key("ssh-ed25519")
    async with joining(port, client_keys=[key]) as person:
        await person.sees(key.get_fingerprint()[:20].encode())
        await fills(port, person, code=code, name="kim")
        assert await person.ends() == 0
        assert b"Welcome, kim. You can now sign in: ssh -p" in person.seen
        assert b"kim@seedbox" in person.seen
    async with port.connect("kim", client_keys=[key]) as connection:
        assert "kim" in str((await connection.run("whoami")).stdout)
    assert port.counted("sign_ups", "invited") == 1
    assert port.services.penalties.left_s(HERE) == 0


async def test_who_comes_without_a_key_is_asked_for_nothing_before_the_screen(port: Port) -> None:
    code = await code_of(port)
    async with joining(port, client_factory=WithoutKeys) as person:
        assert b"Key you came with" not in person.seen
        await fills(port, person, code=code, name="kim", password=PASSWORD, again=PASSWORD)
        assert await person.ends() == 0
    async with port.connect("kim", password=PASSWORD) as connection:
        assert (await connection.run("help")).exit_status == 0


async def test_openssh_with_and_without_keys_is_told_that_it_needs_a_terminal(laptop: Laptop) -> None:
    for options in ((), ("-o", "PubkeyAuthentication=no")):
        done = await laptop.ssh(*options, "join@127.0.0.1")
        assert done.code == 3
        assert "signing up needs a terminal: ssh -t" in done.err
        assert "join@seedbox" in done.err


async def test_openssh_with_a_terminal_gets_the_screen(laptop: Laptop) -> None:
    done = await laptop.ssh("-tt", "join@127.0.0.1", given="\x1b", TERM="xterm-256color")
    assert "Sign up" in done.out
    assert done.code == 0


async def test_nothing_but_the_screen_is_open_to_them(port: Port, laptop: Laptop, ann: User) -> None:
    for command in ("whoami", "torrents", "users list", "scp -t /", "help"):
        done = await laptop.ssh("join@127.0.0.1", command)
        assert (done.code, done.out) == (3, "")
        assert NOTHING_ELSE in done.err
        forgive(port, ann)
    done = await laptop.runs("sftp", *laptop.options(), "join@127.0.0.1")
    assert done.code != 0
    assert NOTHING_ELSE in done.err


async def test_only_one_at_a_time_comes_from_one_address_with_one_session(port: Port) -> None:
    key = asyncssh.generate_private_key("ssh-ed25519")
    async with port.connect("join", client_keys=[key]) as connection:
        person = await sit_down(connection)
        await person.sees(b"Sign up")
        with pytest.raises(asyncssh.ChannelOpenError):
            await connection.create_process("help")
        with pytest.raises((asyncssh.DisconnectError, asyncssh.ChannelOpenError)):
            async with port.connect("join", client_keys=[key]) as other:
                await other.run("help")
    assert port.counted("ssh_refused", "join_limit") == 1
    await port.until(lambda: not port.server.connections()["joining"])
    async with joining(port) as person:
        person.types(b"\x1b")
        assert await person.ends() == 0


async def test_where_a_neighbour_guesses_nobody_signs_up_for_a_while_and_is_told_so(port: Port, laptop: Laptop) -> None:
    port.services.penalties.welcome(HERE)
    port.services.penalties.add(HERE, Offence.WRONG, 4)
    done = await laptop.ssh("-tt", "join@127.0.0.1")
    assert done.code != 0
    assert "nobody can sign up from there for" in done.err


async def test_three_wrong_codes_end_it_cost_the_address_and_are_a_line_in_the_log(port: Port, ann: User) -> None:
    with capture_logs() as logs:
        async with joining(port) as person:
            (connection,) = port.server._guests.connections
            assert connection.stranger is not None
            for _ in range(2):
                await refusal(connection.stranger.lobby.sign_up(Newcomer("ann", "wrong", PASSWORD)))
            await fills(port, person, code="wrong", name="ann")
            assert await person.ends() == 3
            assert b"too many wrong codes" in person.seen
        await port.until(lambda: [one for one in port.services.penalties.every(Admin(ann)) if one.left_s > 10])
    (line,) = [one for one in logs if one["event"] == "ssh_auth_failed"]
    assert (line["ip"], line["method"], line["user"]) == ("127.0.0.1", "invitation", "join")


@pytest.mark.parametrize("mode", ["open"])
async def test_where_it_is_open_who_signed_up_waits_and_is_told_so_when_their_password_is_right(port: Port) -> None:
    async with joining(port) as person:
        assert b"an admin has to say yes" in person.seen
        await fills(port, person, name="kim", password=PASSWORD, again=PASSWORD)
        assert await person.ends() == 0
        assert b"An admin has to say yes first" in person.seen
    with pytest.raises(asyncssh.DisconnectError, match=WAITS):
        async with port.connect("kim", password=PASSWORD):
            pass
    with pytest.raises(asyncssh.PermissionDenied):
        async with port.connect("kim", password="wrong"):
            pass
    await port.services.signups.approve(Operator(), "kim")
    async with port.connect("kim", password=PASSWORD) as connection:
        assert (await connection.run("help")).exit_status == 0


@pytest.mark.parametrize("mode", ["open"])
async def test_a_key_of_somebody_who_waits_is_told_so_too(port: Port) -> None:
    key = asyncssh.generate_private_key("ssh-ed25519")
    await port.services.signups.sign_up(Newcomer("kim", keys=(key.export_public_key().decode(),)))
    async with port.connect("kim", client_keys=[key]) as connection:
        with pytest.raises((asyncssh.ChannelOpenError, asyncssh.DisconnectError), match=WAITS):
            await connection.run("help")


@pytest.mark.parametrize("mode", ["closed"])
@pytest.mark.parametrize(
    "options",
    [{"password": "wrong"}, {"client_factory": WithoutKeys}, {"client_keys": "a key"}],
    ids=["password", "questions", "key"],
)
async def test_where_it_is_closed_join_is_a_name_that_nobody_has(
    port: Port, ann: User, options: dict[str, Any]
) -> None:
    if "client_keys" in options:
        options = {"client_keys": [asyncssh.generate_private_key("ssh-ed25519")]}
    told = []
    for name in ("join", "nobody-here"):
        methods = await asyncssh.get_server_auth_methods("127.0.0.1", port.number, name, config=None)
        with capture_logs() as logs:
            with pytest.raises(asyncssh.PermissionDenied) as caught:
                async with port.connect(name, **options):
                    pass
            await port.until(lambda: [one for one in logs if one["event"] == "ssh_auth_failed"])
        forgive(port, ann)
        told.append((methods, caught.value.reason.replace(name, ""), [one["event"] for one in logs]))
    assert told[0] == told[1]


async def test_who_does_nothing_for_ten_minutes_is_shown_out(port: Port) -> None:
    async with joining(port) as person:
        (connection,) = port.server._guests.connections  # its clock is the machine's
        (session,) = connection._sessions
        session.end_if_idle(session._asked_at + IDLE_S - 1, connection._limits)
        assert not person.process.is_closing()
        session.end_if_idle(session._asked_at + IDLE_S + 1, connection._limits)
        assert await person.ends() == 0
        assert IDLE.encode() in person.seen


async def test_nobody_stays_at_it_for_longer_than_half_an_hour(port: Port) -> None:
    async with joining(port) as person:
        (connection,) = port.server._guests.connections
        connection._began -= STAY_S
        connection.hang_up_if_idle()
        assert await person.ends() == 0
        assert IDLE.encode() in person.seen


def test_no_more_than_so_many_are_here_from_wherever(services: Services) -> None:
    joiners = Joiners(services, lambda lobby, terminal: JoinApp(lobby, terminal))
    here = [joiners.admit(Source(f"192.0.2.{number}"), None) for number in range(MOST)]
    with pytest.raises(Refused, match="too many people are signing up"):
        joiners.admit(Source("198.51.100.1"), None)
    joiners.left(here[0], "192.0.2.0", 5555)
    joiners.admit(Source("198.51.100.1"), None)
    assert {one.source for one in services.penalties.every(Admin(User(UserId(1), "boss", "admin")))} == {
        "198.51.100.1",
        "192.0.2.0",
    }


@pytest.mark.parametrize("mode", ["open"])
async def test_one_address_fills_no_more_than_three_places_of_those_who_wait_in_a_day(services: Services) -> None:
    clock = Clock()
    joiners = Joiners(services, lambda lobby, terminal: JoinApp(lobby, terminal), clock=clock)

    async def sign_up(name: str, source: str = "192.0.2.1", code: str = "") -> None:
        stranger = joiners.admit(Source(source), None)
        try:
            await stranger.lobby.sign_up(Newcomer(name, code, PASSWORD))
        finally:
            joiners.left(stranger, source, 5555)

    for name in ("kim", "lee", "mia"):
        await sign_up(name)
    assert await refusal(sign_up("noa")) == CROWDED_THERE
    await sign_up("noa", "198.51.100.1")
    _, code = await services.invites.create(Operator())
    await sign_up("ole", code=code)
    clock.move(WAITING_S)
    await sign_up("pia")


async def test_a_key_that_was_only_shown_is_not_offered_and_makes_nobody_of_them(services: Services, ann: User) -> None:
    key = asyncssh.generate_private_key("ssh-ed25519")
    signin = SignIn(
        services.accounts, services.second_factors, services.tally, services.config.ssh, Delays(), under_way=set()
    )
    signin.comes_with(key)
    signin.begins_anew()
    assert signin.key_shown() is None
    signin.comes_with(key)
    with pytest.raises(Refused):
        await signin.complete("ann")
    assert signin.key_shown() is None


async def test_a_stranger_is_told_when_the_server_restarts(port: Port) -> None:
    async with joining(port) as person:
        draining = asyncio.create_task(port.server.drain(1.0))
        await person.ends()
        assert b"the server is restarting" in person.seen
        async with asyncio.timeout(PATIENCE_S):
            await draining


async def test_a_key_of_somebody_here_signs_nobody_else_up(port: Port, ann: User) -> None:
    key = await port.key_of(ann)
    code = await code_of(port)
    async with joining(port, client_keys=[key]) as person:
        await fills(port, person, code=code, name="kim")
        await person.sees(b"that key cannot be used here")
    assert {one.user.name for one in await port.services.accounts.users(Operator())} == {"ann"}


async def test_a_pasted_key_signs_in(port: Port) -> None:
    code, line = await code_of(port), a_key()
    async with joining(port, client_factory=WithoutKeys) as person:
        await fills(port, person, code=code, name="kim", key=f"\x1b[200~{line}\x1b[201~")
        assert await person.ends() == 0
    (key,) = await port.services.accounts.keys(await named(port, "kim"))
    assert key.public_key == " ".join(line.split()[:2])
