"""Opening the port: its host key, and what keeps it from opening."""

from __future__ import annotations

import stat
from pathlib import Path

import asyncssh
import pytest

from tests.ssh.port import Port
from uuutorrent.config import Ssh
from uuutorrent.desk import Services
from uuutorrent.errors import BadConfig
from uuutorrent.ssh.server import HOST_KEY, host_key, serve


def test_the_host_key_is_made_once_for_this_account_only_and_kept(tmp_path: Path) -> None:
    data = tmp_path / "new" / "data"
    made = host_key(data)
    assert made.algorithm == b"ssh-ed25519"
    assert stat.S_IMODE((data / HOST_KEY).stat().st_mode) == 0o600
    assert host_key(data).public_data == made.public_data


def test_a_host_key_that_others_can_read_is_not_used(tmp_path: Path) -> None:
    host_key(tmp_path)
    (tmp_path / HOST_KEY).chmod(0o640)
    with pytest.raises(BadConfig, match="chmod 600"):
        host_key(tmp_path)


def test_a_damaged_host_key_is_told_and_not_replaced(tmp_path: Path) -> None:
    file = tmp_path / HOST_KEY
    file.touch(mode=0o600)
    file.write_text("nonsense")
    with pytest.raises(BadConfig, match=HOST_KEY):
        host_key(tmp_path)
    assert file.read_text() == "nonsense"


def test_a_place_where_no_host_key_can_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(BadConfig, match=f"{HOST_KEY} cannot be used as the host key: .*(Not a directory|File exists)"):
        host_key(tmp_path / "file" / "data")


async def test_clients_see_that_key(port: Port) -> None:
    seen = await asyncssh.get_server_host_key("127.0.0.1", port.number, config=None)
    assert seen is not None
    assert seen.public_data == host_key(port.services.config.server.data).public_data


async def test_a_port_that_is_taken_is_told(port: Port, services: Services) -> None:
    taken = services.config.model_copy(update={"ssh": Ssh(host="127.0.0.1", port=port.number)})
    with pytest.raises(BadConfig, match=f"cannot listen on 127.0.0.1 port {port.number}"):
        async with serve(taken, services):
            pass
