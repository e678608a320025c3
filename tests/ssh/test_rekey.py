"""New keys in the middle of a transfer, asked for by the server and by the client."""

from __future__ import annotations

import os
from typing import Any

import asyncssh
import pytest

from tests.fakes import FakeEngine
from tests.ssh.port import opened
from uuutorrent.desk import Services
from uuutorrent.users import User

EPISODE = os.urandom(6_000_001)
EVERY = 500_000


@pytest.mark.parametrize("cipher", ["aes128-gcm@openssh.com", "aes256-ctr"])
@pytest.mark.parametrize("who", ["server", "client", "both"])
async def test_a_long_transfer_comes_whole_through_many_new_keys(
    services: Services, engine: FakeEngine, ann: User, monkeypatch: pytest.MonkeyPatch, who: str, cipher: str
) -> None:
    if who != "client":
        monkeypatch.setattr("uuutorrent.ssh.server.REKEY_BYTES", EVERY)
    theirs: dict[str, Any] = {} if who == "server" else {"rekey_bytes": EVERY // 500}
    async with opened(services, engine) as port:
        await port.give(ann, "Show", {"1.mkv": EPISODE})
        key = await port.key_of(ann)
        async with port.connect("ann", client_keys=[key], encryption_algs=[cipher], **theirs) as connection:
            exchanges = count_exchanges(connection)
            async with connection.start_sftp_client() as files, files.open("/torrents/Show/1.mkv", "rb") as file:
                got: Any = await file.read()
            assert got == EPISODE
    assert len(exchanges) >= 2


def count_exchanges(connection: asyncssh.SSHClientConnection) -> list[None]:
    """One for each time that new keys come into use."""
    conn: Any = connection
    exchanges: list[None] = []
    plain = conn._packet_handlers[21]

    def counted(*given: Any) -> Any:
        exchanges.append(None)
        return plain(*given)

    conn._packet_handlers = conn._packet_handlers | {21: counted}
    return exchanges
