"""A file that is arriving, at the door: read where it is whole, and no further."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import asyncssh
import pytest

from tests.ssh.port import Port, part
from tests.ssh.prompt import Pipe
from tests.torrents import metainfos
from uuutorrent.config import Config, Files, QBittorrent, Server, Ssh
from uuutorrent.ssh import commands
from uuutorrent.torrents.views import incoming
from uuutorrent.users import User

PIECE = 1 << 16
CONTENT = bytes(range(256)) * 1024
"""Four pieces."""
PATH = "/incoming/Show/a.mkv"


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    return sqlite_url


@pytest.fixture
def config(tmp_path: Path, ssh_limits: dict[str, Any]) -> Config:
    return Config(
        server=Server(data_dir=tmp_path / "data"),
        ssh=Ssh(host="127.0.0.1", port=0, public_host="seedbox", **ssh_limits),
        qbittorrent=QBittorrent(download_dir=str(tmp_path / "downloads")),
        files=Files(incoming=True),
    )


async def test_what_has_come_can_be_read_and_what_has_not_is_told(
    port: Port, ann: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(incoming, "LOOK_S", 0.0)
    services, engine = port.services, port.engine
    added = await services.library.add_given(ann, metainfos.several("Show", {"a.mkv": len(CONTENT)}))
    place = services.config.download_dir / added.infohash / "Show/a.mkv"
    place.parent.mkdir(parents=True)
    place.write_bytes(CONTENT[: 2 * PIECE] + bytes(PIECE))
    engine.file_progress(added.infohash, 0, 0.5)
    engine.progress(added.infohash, 0.5)
    engine.pieces_came(added.infohash, PIECE, [True, True, False, False])
    await services.live.refresh()
    async with port.as_user(ann) as connection, connection.start_sftp_client() as sftp:
        assert (await sftp.stat(PATH)).size == len(CONTENT)
        async with sftp.open(PATH, "rb", block_size=0) as file:
            # A file may begin anywhere in its first piece, so the last whole piece before a hole is not given yet.
            assert await part(file, 1000, 500) == CONTENT[500:1500]
            with pytest.raises(asyncssh.SFTPFailure, match="not arrived yet"):
                await part(file, 1000, 2 * PIECE)
            place.write_bytes(CONTENT)
            engine.pieces_came(added.infohash, PIECE, [True] * 4)
            assert await part(file, 1000, 2 * PIECE) == CONTENT[2 * PIECE : 2 * PIECE + 1000]
    engine.pieces_came(added.infohash, PIECE, [True, True, False, False])
    pipe = Pipe()
    assert await commands.run(services.desk(ann), f"cat {PATH}", pipe) == 75
    assert bytes(pipe.written) == CONTENT[:PIECE]


async def test_a_file_that_is_not_as_long_on_the_disk_yet_does_not_end_there(
    port: Port, ann: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(incoming, "LOOK_S", 0.0)
    services, engine = port.services, port.engine
    added = await services.library.add_given(ann, metainfos.several("Show", {"a.mkv": len(CONTENT)}))
    place = services.config.download_dir / added.infohash / "Show/a.mkv"
    place.parent.mkdir(parents=True)
    place.write_bytes(CONTENT[: 2 * PIECE])
    engine.file_progress(added.infohash, 0, 0.5)
    engine.progress(added.infohash, 0.5)
    engine.pieces_came(added.infohash, PIECE, [True, True, False, False])
    await services.live.refresh()
    async with (
        port.as_user(ann) as connection,
        connection.start_sftp_client() as sftp,
        sftp.open(PATH, "rb", block_size=0) as file,
    ):
        assert (await file.stat()).size == len(CONTENT)
        with pytest.raises(asyncssh.SFTPFailure, match="not arrived yet"):
            await part(file, 1000, 2 * PIECE)
        assert await part(file, 1000, len(CONTENT)) == b""
