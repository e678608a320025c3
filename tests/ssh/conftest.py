"""What tests of the port stand on."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import asyncssh
import httpx
import pytest

from tests.fakes import FakeEngine
from tests.ssh.laptop import Laptop
from tests.ssh.port import Port, opened
from uuutorrent.accounts import Accounts, User
from uuutorrent.compose import compose
from uuutorrent.config import Config, QBittorrent, Ssh
from uuutorrent.config import Server as ServerSettings
from uuutorrent.desk import Services
from uuutorrent.store.database import Database
from uuutorrent.tally import Tally


@pytest.fixture
def database_url(tmp_path: Path, furnished_file: Path) -> str:
    """The port does not care which database there is."""
    copied = shutil.copyfile(furnished_file, tmp_path / "uuutorrent.db")
    return f"sqlite+aiosqlite:///{copied}"


@pytest.fixture
def engine() -> FakeEngine:
    return FakeEngine()


@pytest.fixture
def ssh_limits() -> dict[str, Any]:
    """Settings of the port that a test wants otherwise; it parametrises this name."""
    return {"refusal_s": 0.05}


@pytest.fixture
def config(tmp_path: Path, ssh_limits: dict[str, Any]) -> Config:
    return Config(
        server=ServerSettings(data_dir=tmp_path / "data"),
        ssh=Ssh(host="127.0.0.1", port=0, public_host="seedbox", **ssh_limits),
        qbittorrent=QBittorrent(download_dir=str(tmp_path / "downloads")),
    )


@pytest.fixture
async def services(
    config: Config, database: Database, accounts: Accounts, engine: FakeEngine
) -> AsyncIterator[Services]:
    """The services as the daemon builds them, with nobody outside to talk to."""
    config.download_dir.mkdir()
    async with httpx.AsyncClient(transport=httpx.MockTransport(lambda _: httpx.Response(503))) as nobody:
        yield compose(config, database, engine, nobody, Tally(), accounts)


@pytest.fixture
async def port(services: Services, engine: FakeEngine) -> AsyncIterator[Port]:
    async with opened(services, engine) as running:
        yield running


@pytest.fixture
async def laptop(port: Port, ann: User, accounts: Accounts, tmp_path: Path) -> Laptop:
    """Ann's, with a key that signs her in."""
    home = tmp_path / "laptop"
    home.mkdir()
    key = asyncssh.generate_private_key("ssh-ed25519")
    file = home / "key"
    file.touch(mode=0o600)
    key.write_private_key(file)
    key.write_public_key(home / "key.pub")
    await accounts.add_key(ann, key.export_public_key().decode())
    return Laptop(home, port, file)
