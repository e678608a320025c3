"""Somebody at a prompt: types a line, pipes something in, and sees what comes out of which end."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from rich.cells import cell_len

from uuutorrent.desk import Services
from uuutorrent.errors import Invalid
from uuutorrent.presence import Here
from uuutorrent.ssh import commands
from uuutorrent.users import User

WIDTH = 80
PATIENCE_S = 60


@dataclass
class Pipe:
    """What a session gives to a command, over bytes in memory. Input of None never ends."""

    given: bytes | None = b""
    width: int = WIDTH
    is_tty: bool = False
    prefix: str = "ssh -p 2222 ann@seedbox"
    written: bytearray = field(default_factory=bytearray)
    complained: bytearray = field(default_factory=bytearray)

    def out(self, data: bytes) -> None:
        self.written += data

    def err(self, data: bytes) -> None:
        self.complained += data

    async def send(self, data: bytes) -> bool:
        self.written += data
        return True

    async def read(self, limit: int) -> bytes:
        if self.given is None:
            await asyncio.Event().wait()
        assert self.given is not None
        if len(self.given) > limit:
            raise Invalid(f"that is too much input: at most {limit} bytes are taken here", field="stdin")
        return self.given


@dataclass(frozen=True)
class Answer:
    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """The one document, on one line."""
        assert self.out.endswith("\n")
        assert self.out.count("\n") == 1
        return json.loads(self.out)


@dataclass(frozen=True)
class Prompt:
    """`type` a line as one user; `says` and `json` also check how it ended."""

    services: Services
    user: User
    here: Callable[[], Here | None] = lambda: None
    """The connection that each line comes in."""

    async def type(self, line: str, given: bytes | None = b"", **terminal: Any) -> Answer:
        pipe = Pipe(given, **terminal)
        async with asyncio.timeout(PATIENCE_S):
            code = await commands.run(self.services.desk(self.user, self.here()), line, pipe)
        return Answer(code, pipe.written.decode(), pipe.complained.decode())

    async def says(self, line: str, given: bytes = b"", **terminal: Any) -> str:
        """What a person reads who did it right: it fits their terminal, and nothing is said beside it."""
        answer = await self.type(line, given, **terminal)
        assert (answer.code, answer.err) == (0, ""), answer
        assert all(cell_len(row) <= terminal.get("width", WIDTH) for row in answer.out.splitlines()), answer.out
        return answer.out

    async def json(self, line: str, given: bytes = b"") -> Any:
        """The document of a success; nothing is said beside it."""
        answer = await self.type(f"{line} --json", given)
        assert (answer.code, answer.err) == (0, ""), answer
        return answer.json

    async def fails(self, line: str, code: int, given: bytes = b"") -> str:
        """The sentence of a failure, which both forms give; only the document is on stdout, and only with --json."""
        plain, scripted = await self.type(line, given), await self.type(f"--json {line}", given)
        assert (plain.code, scripted.code) == (code, code), (plain, scripted)
        assert plain.out == ""
        error: Mapping[str, str] = scripted.json["error"]
        assert set(error) == {"code", "message"}
        assert error["code"] == CODES[code]
        assert scripted.err == plain.err == f"{error['message']}\n"
        return error["message"]


CODES = {
    2: "invalid",
    3: "refused",
    4: "missing",
    5: "conflict",
    70: "internal",
    75: "unreachable",
    76: "unexpected",
}


def an_instant(text: str) -> datetime:
    """UTC ISO 8601 with a Z, to the second."""
    return datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
