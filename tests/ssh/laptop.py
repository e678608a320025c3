"""A person's machine with OpenSSH on it."""

from __future__ import annotations

import asyncio
import os
from dataclasses import dataclass
from pathlib import Path

from tests.ssh.port import Port

DEADLINE_S = 120


@dataclass(frozen=True)
class Done:
    code: int
    out: str
    err: str


@dataclass
class Laptop:
    """A person's machine with OpenSSH on it."""

    home: Path
    port: Port
    key: Path

    def options(self) -> list[str]:
        return [
            *("-F", "none", "-o", f"IdentityFile={self.key}", "-o", "IdentitiesOnly=yes", "-o", "IdentityAgent=none"),
            *("-o", "StrictHostKeyChecking=no", "-o", f"UserKnownHostsFile={self.home / 'known_hosts'}"),
            *("-o", "LogLevel=INFO", "-o", f"Port={self.port.number}"),
        ]

    async def runs(self, *words: str, given: str = "", **environment: str) -> Done:
        process = await asyncio.create_subprocess_exec(
            *words,
            cwd=self.home,
            env=dict(os.environ) | {"HOME": str(self.home), "LC_ALL": "C.UTF-8", "TZ": "UTC"} | environment,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        async with asyncio.timeout(DEADLINE_S):
            out, err = await process.communicate(given.encode())
        return Done(process.returncode or 0, out.decode(errors="replace"), err.decode(errors="replace"))

    async def ssh(self, *words: str, given: str = "", **environment: str) -> Done:
        return await self.runs("ssh", *self.options(), *words, given=given, **environment)

    async def sftp(self, *lines: str) -> Done:
        given = "\n".join(lines) + "\n"
        return await self.runs("sftp", *self.options(), "-b", "-", "ann@127.0.0.1", given=given)

    async def types_password(self, password: str, *words: str) -> Done:
        """ssh as somebody who answers every question with this."""
        answer = self.home / "answer"
        answer.write_text('#!/bin/sh\nprintf "%s\\n" "$ANSWER"\n')
        answer.chmod(0o700)
        return await self.ssh(
            *("-o", "PubkeyAuthentication=no", *words),
            SSH_ASKPASS=str(answer),
            SSH_ASKPASS_REQUIRE="force",
            ANSWER=password,
        )
