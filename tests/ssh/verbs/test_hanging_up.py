"""Commands whose client goes away, through the real port."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import asyncssh
import pytest

from tests.ssh.port import PATIENCE_S, Port, opened
from tests.ssh.verbs.conftest import House
from uuutorrent.ssh import session


@pytest.fixture
async def port(house: House) -> AsyncIterator[Port]:
    async with opened(house.services, house.engine) as running:
        yield running


async def test_a_grab_whose_client_hung_up_while_it_searched_is_given_up(
    house: House, port: Port, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(session, "LINGER_S", 0.05)
    house.post(5)
    house.nyaa.fault = "hang"
    async with port.as_user(house.ann.user) as connection:
        await connection.create_process(f"get {house.frieren.id} 5")
        await port.until(lambda: house.nyaa.requests)
        connection.abort()
    await port.until(lambda: not any(port.server.sessions().values()))
    (grab,) = await house.ann.json("grabs")
    assert (grab["state"], grab["reason"]) == ("failed", "It was cancelled before anything was added.")
    assert port.counted("session_crashes", "command") == 0


async def test_a_quick_command_is_finished_though_nobody_waits_for_it(
    house: House, port: Port, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(session, "LINGER_S", PATIENCE_S)
    house.post(5)
    house.nyaa.gate.shut()
    async with port.as_user(house.ann.user) as connection:
        await connection.create_process(f"get {house.frieren.id} 5")
        await house.nyaa.gate.holds()
        connection.abort()
    await port.until(lambda: not port.server._guests.connections)
    house.nyaa.gate.open()
    await port.until(lambda: not any(port.server.sessions().values()))
    assert [grab["state"] for grab in await house.ann.json("grabs")] == ["added"]


async def test_ctrl_c_gives_a_grab_up(house: House, port: Port) -> None:
    house.nyaa.fault = "hang"
    async with port.as_user(house.ann.user) as connection:
        process = await connection.create_process(f"get {house.frieren.id} 5", term_type="xterm", encoding=None)
        await port.until(lambda: house.nyaa.requests)
        process.stdin.write(b"\x03")
        assert (await asyncio.wait_for(process.wait(), PATIENCE_S)).exit_status == 130
    assert [grab["state"] for grab in await house.ann.json("grabs")] == ["failed"]


async def test_a_torrent_cut_off_on_its_way_in_is_not_added(house: House, port: Port) -> None:
    async with port.as_user(house.ann.user) as connection:
        process = await connection.create_process("add -", encoding=None)
        process.stdin.write(b"d8:announce")
        await port.until(lambda: port.server.sessions()["command"] == 1)
        connection.abort()
    await port.until(lambda: not any(port.server.sessions().values()))
    assert await house.ann.json("torrents") == []


async def test_a_document_is_whole_and_alone_on_stdout(house: House, port: Port) -> None:
    await house.holds(house.ann, files={f"{n:05}.mkv": 10 for n in range(3000)})
    (torrent,) = await house.ann.json("torrents")
    async with port.as_user(house.ann.user) as connection:
        done = await connection.run(f"show {torrent['infohash']} --json")
        refused = await connection.run("users list --json")
    assert (done.exit_status, done.stderr) == (0, "")
    assert isinstance(done.stdout, str)
    assert done.stdout.count("\n") == 1
    assert done.stdout.endswith("}\n")
    assert (refused.exit_status, refused.stderr) == (3, "only admins may do that\n")
    assert refused.stdout == '{"error": {"code": "refused", "message": "only admins may do that"}}\n'


async def test_a_one_time_password_is_told_as_json_too(house: House, port: Port) -> None:
    once = (await house.boss.json("users passwd ann"))["one_time_password"]
    async with port.connect("ann", password=once) as connection:
        done = await connection.run("--json torrents")
        helped = await connection.run("help")
    assert isinstance(done.stdout, str)
    assert (done.exit_status, done.stdout[:29]) == (3, '{"error": {"code": "refused",')
    assert helped.exit_status == 0
    with pytest.raises(asyncssh.PermissionDenied):
        async with port.connect("ann", password="wrong horse battery"):
            pass
