"""Limits of the file doors as a client meets them, through the real port."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path
from typing import Any

import asyncssh
import pytest

from tests.ssh.port import Port, part
from uuutorrent.accounts import Operator, User
from uuutorrent.config import Config, Files, QBittorrent, Server, Ssh

TOTAL_BPS = 1_000_000


@pytest.fixture
def config(tmp_path: Path, ssh_limits: dict[str, Any]) -> Config:
    return Config(
        server=Server(data_dir=tmp_path / "data"),
        ssh=Ssh(host="127.0.0.1", port=0, **ssh_limits),
        qbittorrent=QBittorrent(download_dir=str(tmp_path / "downloads")),
        files=Files(total_bps=TOTAL_BPS),
    )


async def pull(connection: asyncssh.SSHClientConnection, got: dict[str, int], name: str) -> None:
    async with connection.start_sftp_client() as sftp, sftp.open("torrents/Show/01.mkv", "rb") as file:
        while True:
            got[name] = got.get(name, 0) + len(await part(file, 16_384, 0))


async def test_two_users_at_a_small_rate_get_the_same_though_one_has_four_transfers(
    port: Port, ann: User, bob: User
) -> None:
    for user in (ann, bob):
        await port.give(user, "Show", {"01.mkv": b"x" * 65_536})
    got: dict[str, int] = {}
    async with port.as_user(ann) as anns, port.as_user(bob) as bobs:
        pulling = [asyncio.create_task(pull(anns, got, "ann"), name="ann")]
        pulling += [asyncio.create_task(pull(bobs, got, f"bob {n}"), name="bob") for n in range(4)]
        await port.until(lambda: len(got) == 5)
        began, before = time.monotonic(), dict(got)
        # So much takes more than a second at this rate: what was kept for a moment says nothing then.
        await port.until(lambda: sum(got.values()) - sum(before.values()) > 1.2 * TOTAL_BPS)
        took_s = time.monotonic() - began
        for task in pulling:
            task.cancel()
        await asyncio.gather(*pulling, return_exceptions=True)
    assert took_s >= 0.8
    assert 0.35 <= (got["ann"] - before["ann"]) / (sum(got.values()) - sum(before.values())) <= 0.65
    assert await port.services.limits.served(ann) >= got["ann"]


async def test_a_month_that_is_used_up_is_told_by_the_read(port: Port, ann: User) -> None:
    await port.give(ann, "Show", {"01.mkv": b"x" * 65_536})
    await port.services.limits.set(Operator(), "ann", {"month_bytes": 40_000})
    async with port.as_user(ann) as connection, connection.start_sftp_client() as sftp:
        async with sftp.open("torrents/Show/01.mkv", "rb") as file:
            assert len(await part(file, 32_768, 0)) == 32_768
            assert len(await part(file, 32_768, 32_768)) == 32_768
            with pytest.raises(asyncssh.SFTPPermissionDenied, match="which is all you may have"):
                await part(file, 1, 0)
        assert await sftp.listdir("/torrents") == ["Show"]
        await port.services.limits.set(Operator(), "ann", {"month_bytes": 0})
        async with sftp.open("torrents/Show/01.mkv", "rb") as file:
            assert len(await part(file, 32_768, 0)) == 32_768


async def test_a_month_that_is_used_up_in_the_middle_breaks_the_old_scp_off_rather_than_its_file(
    port: Port, ann: User
) -> None:
    content = bytes(700_000)
    await port.give(ann, "Show", {"01.mkv": content})
    await port.services.limits.set(Operator(), "ann", {"month_bytes": 300_000})
    async with port.as_user(ann) as connection:
        line = "scp -f torrents/Show/01.mkv torrents/Show/01.mkv"
        process = await connection.create_process(line, encoding=None)
        process.stdin.write(b"\0\0")
        async with asyncio.timeout(10):
            assert await process.stdout.readuntil(b"\n") == b"C0644 700000 01.mkv\n"
            got, said = await process.stdout.read(), await process.stderr.read()
            done = await process.wait()
        assert got == content[: len(got)]
        assert b"which is all you may have" in said
        assert done.exit_status == 3
        process = await connection.create_process(line, encoding=None)
        process.stdin.write(b"\0")
        async with asyncio.timeout(10):
            assert b"which is all you may have" in await process.stdout.readuntil(b"\n")
