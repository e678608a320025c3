"""A small web server on 127.0.0.1, in the test's own loop: feeds, .torrent files, redirects and bad manners."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager


class Site:
    """A web server on loopback that notes what it is asked and answers what it is told."""

    def __init__(self) -> None:
        self.port = 0
        self.requests: list[str] = []
        self.pages: dict[str, bytes] = {}
        self.etags: dict[str, str] = {}

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def asked(self, path: str) -> int:
        return sum(request.split(" ")[1] == path for request in self.requests)

    def page(
        self, path: str, body: bytes, *, status: str = "200 OK", headers: Sequence[str] = (), etag: str = ""
    ) -> None:
        if etag:
            self.etags[path], headers = etag, (*headers, f"ETag: {etag}")
        lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", "Connection: close", *headers, "", ""]
        self.pages[path] = "\r\n".join(lines).encode() + body

    def redirect(self, path: str, to: str) -> None:
        self.page(path, b"", status="302 Found", headers=[f"Location: {to}"])

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            asked = (await reader.readuntil(b"\r\n\r\n")).decode()
            self.requests.append(asked)
            path = asked.split(" ")[1]
            answer = self.pages.get(path)
            if path in self.etags and f"If-None-Match: {self.etags[path]}".lower() in asked.lower():
                answer = b"HTTP/1.1 304 Not Modified\r\nConnection: close\r\n\r\n"
            if answer is None:
                await reader.read()  # says nothing until the other side gives up
            else:
                writer.write(answer)
                await writer.drain()
        except (OSError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    def host_of(self, n: int) -> str:
        return next(line[6:] for line in self.requests[n].split("\r\n") if line.lower().startswith("host:"))


@asynccontextmanager
async def serving(tls: ssl.SSLContext | None = None) -> AsyncIterator[Site]:
    site = Site()
    server = await asyncio.start_server(site.serve, "127.0.0.1", 0, ssl=tls)
    site.port = server.sockets[0].getsockname()[1]
    try:
        yield site
    finally:
        server.close()
        await server.wait_closed()
