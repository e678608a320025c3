"""The port as the usual client sees it: OpenSSH's ssh, sftp and scp."""

from __future__ import annotations

import asyncio
import os

import pytest

from tests.conftest import PASSWORD
from tests.ports import free_port
from tests.ssh.laptop import DEADLINE_S, Laptop
from tests.ssh.port import Port
from uuutorrent.users import User

pytestmark = pytest.mark.real

EPISODE = os.urandom(5_000_001)


async def test_a_key_runs_a_command(laptop: Laptop) -> None:
    done = await laptop.ssh("ann@127.0.0.1", "whoami")
    assert (done.code, done.out.split()[0]) == (0, "ann")


@pytest.mark.parametrize("method", ["keyboard-interactive", "password"])
async def test_a_password_runs_a_command(laptop: Laptop, method: str) -> None:
    done = await laptop.types_password(PASSWORD, "-o", f"PreferredAuthentications={method}", "ann@127.0.0.1", "whoami")
    assert (done.code, done.out.split()[0]) == (0, "ann")


async def test_three_wrong_passwords_are_told_so(laptop: Laptop) -> None:
    done = await laptop.types_password("wrong", "ann@127.0.0.1", "whoami")
    assert done.code == 255
    assert "too many wrong passwords" in done.err
    assert laptop.port.counted("ssh_auth_attempts", "keyboard-interactive", "failed") == 3


async def test_the_host_key_is_learnt_once(laptop: Laptop) -> None:
    await laptop.ssh("ann@127.0.0.1", "whoami")
    known = (laptop.home / "known_hosts").read_text()
    assert "ssh-ed25519" in known
    again = await laptop.ssh("-o", "StrictHostKeyChecking=yes", "ann@127.0.0.1", "whoami")
    assert again.code == 0


async def test_files_are_listed_fetched_and_resumed(laptop: Laptop, port: Port, ann: User) -> None:
    folder, name = "[Group] Show (1080p)", "Show - 01 「第一話」.mkv"
    await port.give(ann, folder, {name: EPISODE, "Extras/menu.txt": b"hello"})
    done = await laptop.sftp("cd torrents", "ls -l", f'ls -l "{folder}"', "df -h", "pwd", f'get -r "{folder}" got')
    assert done.code == 0, done.err
    assert str(len(EPISODE)) in done.out
    assert "50.0GB" in done.out
    assert "Remote working directory: /" in done.out
    episode = laptop.home / "got" / name
    assert episode.read_bytes() == EPISODE
    assert (laptop.home / "got/Extras/menu.txt").read_bytes() == b"hello"
    episode.write_bytes(EPISODE[:1_234_567])
    done = await laptop.sftp(f'cd "torrents/{folder}"', "lcd got", f'reget "{name}"')
    assert done.code == 0, done.err
    assert episode.read_bytes() == EPISODE


async def test_nothing_can_be_put_or_changed(laptop: Laptop, port: Port, ann: User) -> None:
    await port.give(ann, "Show", {"Show - 01.mkv": EPISODE})
    for line in (
        "put key /Show/key",
        "rm /torrents/Show/*",
        "mkdir /x",
        "rename /Show /Other",
        "chmod 777 /Show",
        "symlink /etc x",
    ):
        done = await laptop.sftp(line)
        assert done.code == 1, line
        assert "ermission denied" in done.err, done.err


async def test_scp_succeeds_when_its_copy_did(laptop: Laptop, port: Port, ann: User) -> None:
    await port.give(ann, "Show", {"Show - 01.mkv": EPISODE})
    done = await laptop.runs("scp", *laptop.options(), "-r", "ann@127.0.0.1:/torrents/Show", "copied")
    assert done.code == 0, done.err
    assert (laptop.home / "copied/Show - 01.mkv").read_bytes() == EPISODE
    done = await laptop.runs("scp", *laptop.options(), "ann@127.0.0.1:torrents/Show/*.mkv", "one.mkv")
    assert done.code == 0, done.err
    assert (laptop.home / "one.mkv").read_bytes() == EPISODE
    done = await laptop.runs("scp", *laptop.options(), "ann@127.0.0.1:/Nothing", ".")
    assert done.code == 1
    assert "There is no Nothing" in done.err or "No such file" in done.err


@pytest.mark.parametrize("cipher", ["aes128-gcm@openssh.com", "aes256-gcm@openssh.com", "aes256-ctr"])
async def test_files_come_whole_over_every_cipher_and_through_a_rekey(
    laptop: Laptop, port: Port, ann: User, cipher: str
) -> None:
    await port.give(ann, "Show", {"Show - 01.mkv": EPISODE})
    options = ("-o", f"Ciphers={cipher}", "-o", "RekeyLimit=1M")
    done = await laptop.runs("scp", *laptop.options(), *options, "ann@127.0.0.1:/torrents/Show/Show - 01.mkv", "got")
    assert done.code == 0, done.err
    assert (laptop.home / "got").read_bytes() == EPISODE


@pytest.mark.parametrize(
    "old",
    ["KexAlgorithms=diffie-hellman-group14-sha256", "Ciphers=aes128-cbc", "HostKeyAlgorithms=rsa-sha2-256"],
)
async def test_old_algorithms_find_no_match(laptop: Laptop, old: str) -> None:
    done = await laptop.ssh("-o", old, "ann@127.0.0.1", "whoami")
    assert done.code == 255
    assert "no matching" in done.err


async def test_local_and_dynamic_forwarding_carry_nothing(laptop: Laptop) -> None:
    for option in ("-L", "-D"):
        local = free_port()
        where = f"127.0.0.1:{local}" + (f":127.0.0.1:{laptop.port.number}" if option == "-L" else "")
        forwarding = await asyncio.create_subprocess_exec(
            "ssh", *laptop.options(), "-N", option, where, "ann@127.0.0.1", stderr=asyncio.subprocess.PIPE
        )
        try:
            reader, writer = await reach(local)
            if option == "-D":
                writer.write(b"\x05\x01\x00\x05\x01\x00\x01\x7f\x00\x00\x01" + laptop.port.number.to_bytes(2))
            async with asyncio.timeout(DEADLINE_S):
                assert b"SSH-2.0" not in await reader.read()
            writer.close()
        finally:
            forwarding.terminate()
            await forwarding.communicate()


async def test_remote_forwarding_is_refused(laptop: Laptop) -> None:
    done = await laptop.ssh(
        *("-o", "ExitOnForwardFailure=yes", "-R", f"0:127.0.0.1:{laptop.port.number}", "ann@127.0.0.1", "whoami")
    )
    assert done.code == 255
    assert "forwarding failed" in done.err


async def test_asking_for_agent_and_x11_forwarding_gives_neither(laptop: Laptop) -> None:
    done = await laptop.ssh("-v", "-A", "-Y", "ann@127.0.0.1", "whoami", DISPLAY="127.0.0.1:99")
    assert done.code == 0
    assert "auth-agent@openssh.com" not in done.err
    assert "X11 connection" not in done.err


async def test_the_screens_are_shown_in_a_terminal_and_left_with_q(laptop: Laptop) -> None:
    process = await asyncio.create_subprocess_exec(
        *("ssh", *laptop.options(), "-tt", "ann@127.0.0.1"),
        env=dict(os.environ) | {"TERM": "xterm-256color"},
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    async with asyncio.timeout(DEADLINE_S):
        seen = b""
        while b"hello ann" not in seen:
            seen += await process.stdout.read(65536)
        process.stdin.write(b"q")
        rest, _ = await process.communicate()
    assert rest.endswith(b"\x1b[?1049l\x1b[?25h")
    assert process.returncode == 0


async def reach(port: int) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    async with asyncio.timeout(DEADLINE_S):
        while True:
            try:
                return await asyncio.open_connection("127.0.0.1", port)
            except OSError:
                await asyncio.sleep(0.05)
