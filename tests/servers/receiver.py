"""Where messages arrive, on 127.0.0.1 and in the test's own loop: webhooks and ntfy over HTTP, and mail."""

from __future__ import annotations

import asyncio
import email
import email.policy
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from email.message import EmailMessage
from typing import Any

PATIENCE_S = 60


@dataclass
class Receiver:
    """An HTTP server that notes the JSON it is sent. It answers `status`; 0: nothing, ever."""

    port: int = 0
    status: int = 200
    location: str = ""
    paths: list[str] = field(default_factory=list)
    got: list[Any] = field(default_factory=list)
    refuses_after: int | None = None
    """So many are taken; those behind them are answered with 500."""
    asked: asyncio.Event = field(default_factory=asyncio.Event)
    gate: asyncio.Event | None = None
    """No answer is given before this is set."""

    @property
    def url(self) -> str:
        return f"json://127.0.0.1:{self.port}/hook"

    @property
    def messages(self) -> list[str]:
        """The texts of the webhooks' messages."""
        return [one["message"] for one in self.got]

    async def until_asked(self, times: int = 1) -> None:
        """Wait for so many requests."""
        async with asyncio.timeout(PATIENCE_S):
            while len(self.paths) < times:
                self.asked.clear()
                await self.asked.wait()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
            length = next(int(line[15:]) for line in head.split("\r\n") if line.lower().startswith("content-length:"))
            body = await reader.readexactly(length)
            self.paths.append(head.split(" ")[1])
            self.asked.set()
            if self.gate:
                await self.gate.wait()
            if not self.status:
                await reader.read()
                return
            full = self.refuses_after is not None and len(self.got) >= self.refuses_after
            status = 500 if full else self.status
            if status == 200:
                self.got.append(json.loads(body))
            extra = f"Location: {self.location}\r\n" if self.location else ""
            answer = f"HTTP/1.1 {status} As told\r\n{extra}Content-Length: 2\r\nConnection: close\r\n\r\n{{}}"
            writer.write(answer.encode())
            await writer.drain()
        except (OSError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()


@dataclass
class Postbox:
    """An SMTP server that keeps the mail it is sent. Source: RFC 5321."""

    port: int = 0
    mail: list[EmailMessage] = field(default_factory=list)
    recipients: list[str] = field(default_factory=list)
    said: list[str] = field(default_factory=list)
    refuses: dict[str, str] = field(default_factory=dict)
    """What it answers to a command instead, by its first four letters."""

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        async def say(line: str) -> None:
            writer.write(f"{line}\r\n".encode())
            await writer.drain()

        try:
            await say("220 postbox")
            while line := (await reader.readline()).decode().strip():
                self.said.append(line)
                word = line[:4].upper()
                if word in self.refuses:
                    await say(self.refuses[word])
                    continue
                if word == "EHLO":
                    await say("250-postbox\r\n250 AUTH PLAIN")
                    continue
                if word == "RCPT":
                    self.recipients.append(line[8:])
                if word == "DATA":
                    await say("354 go on")
                    raw = await reader.readuntil(b"\r\n.\r\n")
                    self.mail.append(email.message_from_bytes(raw[:-5], policy=email.policy.default))
                await say({"QUIT": "221 bye", "AUTH": "235 in"}.get(word, "250 ok"))
                if word == "QUIT":
                    return
        except (OSError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()


@asynccontextmanager
async def receiving() -> AsyncIterator[Receiver]:
    receiver = Receiver()
    server = await asyncio.start_server(receiver.serve, "127.0.0.1", 0)
    receiver.port = server.sockets[0].getsockname()[1]
    async with server:
        yield receiver
        if receiver.gate:
            receiver.gate.set()


@asynccontextmanager
async def posting() -> AsyncIterator[Postbox]:
    postbox = Postbox()
    server = await asyncio.start_server(postbox.serve, "127.0.0.1", 0)
    postbox.port = server.sockets[0].getsockname()[1]
    async with server:
        yield postbox
