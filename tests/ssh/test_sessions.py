"""What runs in a channel: the screens, a command, and what happens when they break."""

from __future__ import annotations

import asyncio

import asyncssh
import pytest
from structlog.testing import capture_logs

from tests.fakes import FakeEngine
from tests.ssh.port import PATIENCE_S, Port, opened, sit_down
from uuutorrent.desk import Services
from uuutorrent.users import User


async def test_a_terminal_without_a_command_gets_the_screens(port: Port, ann: User) -> None:
    async with port.as_user(ann) as connection:
        person = await sit_down(connection)
        await person.sees(b"hello ann on 80x24")
        assert port.server.sessions() == {"screen": 1, "command": 0, "sftp": 0}
        person.types(b"q")
        assert await person.ends() == 0
        # The person's own screen is back, cursor and all.
        assert person.seen.endswith(b"\x1b[?1049l\x1b[?25h")
    assert port.counted("sessions", "screen") == 1
    await port.until(lambda: not port.server.sessions()["screen"])


async def test_the_screens_follow_the_window(port: Port, ann: User) -> None:
    async with port.as_user(ann) as connection:
        person = await sit_down(connection)
        await person.sees(b"hello ann on 80x24")
        person.process.change_terminal_size(100, 30)
        person.process.change_terminal_size(0, 0)
        person.process.change_terminal_size(2**31, 2**31)
        await person.sees(b"500x200")
        person.process.change_terminal_size(90, 20)
        await person.sees(b"90x20")
        person.types(b"q")
        assert await person.ends() == 0


@pytest.mark.parametrize("size", [(0, 0), (2**31, 2**31)])
async def test_a_terminal_of_no_size_or_of_any_is_believed_within_reason(
    port: Port, ann: User, size: tuple[int, int]
) -> None:
    async with port.as_user(ann) as connection:
        person = await sit_down(connection, term_size=size)
        await person.sees(b"hello ann on " + (b"80x24" if size == (0, 0) else b"500x200"))


@pytest.mark.parametrize("term", ["dumb", ""])
async def test_a_terminal_that_shows_no_screens_is_told_what_to_do(port: Port, ann: User, term: str) -> None:
    async with port.as_user(ann) as connection:
        process = await connection.create_process(term_type=term or "unknown")
        done = await process.wait()
    assert done.exit_status == 1
    assert "real terminal" in str(done.stderr)


async def test_a_session_that_breaks_ends_alone_and_says_one_sentence(port: Port, ann: User, bob: User) -> None:
    async with port.as_user(ann) as anns, port.as_user(bob) as bobs:
        broken, beside, elsewhere = await sit_down(anns), await sit_down(anns), await sit_down(bobs)
        for person in (broken, beside, elsewhere):
            await person.sees(b"hello")
        with capture_logs() as logs:
            broken.types(b"b")
            assert await broken.ends() == 1
        last = broken.seen.rpartition(b"\x1b[?1049l")[2]
        assert b"something broke on the server and ended this session; it was logged\r\n" in last
        assert b"ValueError" not in broken.seen
        assert [line["event"] for line in logs if line["log_level"] == "error"] == ["session broke"]
        assert port.counted("session_crashes", "screen") == 1
        for person in (beside, elsewhere):
            person.types(b"q")
            assert await person.ends() == 0


async def test_screens_that_hang_are_ended_with_their_connection(
    port: Port, ann: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("uuutorrent.ssh.session.LINGER_S", 0.1)
    async with port.as_user(ann) as connection:
        person = await sit_down(connection)
        await person.sees(b"hello ann")
        person.types(b"h")
        await person.sees(b"\x07")
    await port.until(lambda: not port.server.sessions()["screen"])


@pytest.mark.parametrize("signal", ["INT", "TERM", "HUP"])
async def test_a_signal_ends_the_screens(port: Port, ann: User, signal: str) -> None:
    async with port.as_user(ann) as connection:
        person = await sit_down(connection)
        await person.sees(b"hello ann")
        person.process.send_signal(signal)
        assert await person.ends() == 130
        assert b"\x1b[?1049l" in person.seen


async def test_a_person_who_does_not_read_is_not_painted_for(port: Port, ann: User) -> None:
    async with port.as_user(ann) as connection:
        person = await sit_down(connection, window=1024)
        await person.sees(b"hello ann")
        person.process.channel.pause_reading()
        for width in range(81, 181):
            person.process.change_terminal_size(width, 24)
            await asyncio.sleep(0.002)
        (session,) = port.server._guests.sessions
        assert session._channel is not None
        assert session._channel._chan.get_write_buffer_size() < 128 * 1024
        person.process.channel.resume_reading()
        await person.sees(b"180x24")


async def test_no_terminal_and_no_command_gets_help(port: Port, ann: User) -> None:
    async with port.as_user(ann) as connection:
        done = await connection.run()
    assert done.exit_status == 0
    assert "ssh -p 0 ann@seedbox" in str(done.stdout)


async def test_a_command_runs_with_a_terminal_too(port: Port, ann: User) -> None:
    async with port.as_user(ann) as connection:
        done = await connection.run("whoami", term_type="xterm", encoding=None)
    assert done.exit_status == 0
    assert isinstance(done.stdout, bytes)
    assert done.stdout.startswith(b"ann ")
    assert done.stdout.endswith(b"\r\n")


async def test_a_command_reads_what_is_piped_into_it(port: Port, ann: User) -> None:
    key = asyncssh.generate_private_key("ssh-ed25519").export_public_key("openssh").decode()
    async with port.as_user(ann) as connection:
        done = await connection.run("keys add", input=key)
        assert done.exit_status == 0, done.stderr
        assert len(await port.services.accounts.keys(ann)) == 2


async def test_a_command_takes_no_more_input_than_it_can_use(port: Port, ann: User) -> None:
    async with port.as_user(ann) as connection:
        process = await connection.create_process("keys add", encoding=None)
        process.stdin.write(b"x" * 2_000_000)
        done = await asyncio.wait_for(process.wait(), PATIENCE_S)
    assert done.exit_status == 2
    assert isinstance(done.stderr, bytes)
    assert b"too much input" in done.stderr


async def test_input_that_nobody_asked_for_is_not_taken_in(port: Port, ann: User) -> None:
    async with port.as_user(ann) as connection:
        process = await connection.create_process("whoami", encoding=None)
        process.stdin.write(b"x" * 2_000_000)
        done = await asyncio.wait_for(process.wait(), PATIENCE_S)
    assert done.exit_status == 0


async def test_a_command_that_waits_for_input_gives_up_in_the_end(
    port: Port, ann: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("uuutorrent.ssh.stdio.PATIENCE_S", 0.05)
    async with port.as_user(ann) as connection:
        process = await connection.create_process("keys add")
        done = await asyncio.wait_for(process.wait(), PATIENCE_S)
    assert done.exit_status == 2
    assert "nothing came on stdin" in str(done.stderr)


async def test_ctrl_c_stops_a_command_and_ctrl_d_ends_its_input(port: Port, ann: User) -> None:
    async with port.as_user(ann) as connection:
        process = await connection.create_process("keys add", term_type="xterm", encoding=None)
        process.stdin.write(b"\x03")
        assert (await asyncio.wait_for(process.wait(), PATIENCE_S)).exit_status == 130
        process = await connection.create_process("keys add", term_type="xterm", encoding=None)
        process.stdin.write(b"nonsense\r\x04")
        assert (await asyncio.wait_for(process.wait(), PATIENCE_S)).exit_status == 2


async def test_input_cut_off_by_a_lost_connection_is_not_taken_for_whole(port: Port, ann: User) -> None:
    key = asyncssh.generate_private_key("ssh-ed25519").export_public_key("openssh").decode()
    async with port.as_user(ann) as connection:
        process = await connection.create_process("keys add")
        process.stdin.write(key)
        await port.until(lambda: port.server.sessions()["command"] == 1)
        connection.abort()
    await port.until(lambda: not any(port.server.sessions().values()))
    assert len(await port.services.accounts.keys(ann)) == 1


@pytest.mark.parametrize(
    ("line", "instead"),
    [("rsync --server . /", "sftp"), ("/usr/lib/openssh/sftp-server", "without -s")],
)
async def test_programs_of_other_servers_are_answered_with_what_to_use(
    port: Port, ann: User, line: str, instead: str
) -> None:
    async with port.as_user(ann) as connection:
        done = await connection.run(line)
    assert done.exit_status == 2
    assert instead in str(done.stderr)


async def test_another_subsystem_is_refused(port: Port, ann: User) -> None:
    async with port.as_user(ann) as connection:
        with pytest.raises(asyncssh.ChannelOpenError):
            await connection.create_process(subsystem="netconf")


async def test_the_screens_of_the_house_are_shown_and_left(services: Services, engine: FakeEngine, ann: User) -> None:
    async with opened(services, engine, open_app=None) as port, port.as_user(ann) as connection:
        person = await sit_down(connection)
        await person.sees(b"Watchlist")
        person.types(b"q")
        assert await person.ends() == 0
