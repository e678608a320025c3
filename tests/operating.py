"""The operator at work: commands as they are typed on the machine, and what comes of them."""

from __future__ import annotations

import io
import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from uuutorrent import cli
from uuutorrent.accounts import Accounts
from uuutorrent.config import Accounts as AccountSettings
from uuutorrent.errors import Refused
from uuutorrent.store.database import Database


@dataclass(frozen=True)
class Done:
    code: int
    out: str
    err: str


@dataclass(frozen=True)
class Operating:
    """A machine with a configuration of its own; call it with the words of a command."""

    home: Path
    monkeypatch: pytest.MonkeyPatch
    capsys: pytest.CaptureFixture[str]

    def __post_init__(self) -> None:
        self.monkeypatch.setenv("UUUTORRENT_CONFIG", str(self.config_file))
        self.config_file.write_text(
            f'[server]\ndata_dir = "{self.home / "data"}"\n[database]\nurl = "{self.database_url}"\n'
            '[ssh]\npublic_host = "box.example"\n'
        )

    @property
    def config_file(self) -> Path:
        return self.home / "config.toml"

    @property
    def database_url(self) -> str:
        return f"sqlite+aiosqlite:///{self.home / 'uuutorrent.db'}"

    async def __call__(self, *words: str, given: str = "") -> Done:
        self.monkeypatch.setattr(sys, "stdin", io.StringIO(given))
        code = await cli.run(words)
        told = self.capsys.readouterr()
        return Done(code, told.out, told.err)

    async def users(self) -> list[dict[str, Any]]:
        answer: list[dict[str, Any]] = json.loads((await self("user", "list", "--json")).out)
        return answer


async def signs_in(database_url: str, name: str, password: str) -> bool:
    async with Database(database_url) as database:
        try:
            await Accounts(database, AccountSettings()).with_password(name, password)
        except Refused:
            return False
    return True
