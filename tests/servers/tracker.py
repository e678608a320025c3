"""A BitTorrent tracker over HTTP on loopback, which also serves .torrent files and refuses when told to.

Source: BEP 3 (announce), BEP 23 (compact peers).
"""

from __future__ import annotations

import socket
import struct
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any, Self
from urllib.parse import parse_qsl, urlsplit

from bencode2 import bencode

INTERVAL_S = 5


class Tracker:
    """`with Tracker() as tracker:` listens on a free port of 127.0.0.1."""

    def __init__(self) -> None:
        self.ports: dict[bytes, set[int]] = {}
        """Who is in which swarm, by the 20 bytes of its hash. Peers may be put in by hand."""
        self.files: dict[str, bytes] = {}
        """What `GET /torrents/<name>` answers."""
        self.failure = ""
        """When set, every announce is refused with these words."""
        self.announces: list[bytes] = []
        self._http = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._thread = Thread(target=self._http.serve_forever, kwargs={"poll_interval": 0.02}, name="tracker")

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._http.server_port}"

    @property
    def announce_url(self) -> str:
        return f"{self.url}/announce"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self._http.shutdown()
        self._http.server_close()
        self._thread.join()

    def announce(self, query: dict[str, bytes]) -> bytes:
        infohash, port = query["info_hash"], int(query["port"])
        self.announces.append(infohash)
        if self.failure:
            return bencode({b"failure reason": self.failure.encode()})
        swarm = self.ports.setdefault(infohash, set())
        others = swarm - {port}
        if query.get("event") == b"stopped":
            swarm.discard(port)
        else:
            swarm.add(port)
        peers = b"".join(socket.inet_aton("127.0.0.1") + struct.pack(">H", other) for other in others)
        return bencode({b"interval": INTERVAL_S, b"complete": 1, b"incomplete": len(others), b"peers": peers})


def _handler(tracker: Tracker) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked = urlsplit(self.path)
            if asked.path == "/announce":
                pairs = parse_qsl(asked.query, encoding="latin-1")
                self._answer(200, tracker.announce({key: value.encode("latin-1") for key, value in pairs}))
            elif (name := asked.path.removeprefix("/torrents/")) in tracker.files:
                self._answer(200, tracker.files[name], "application/x-bittorrent")
            else:
                self._answer(404, b"not here")

        def do_POST(self) -> None:
            self._answer(404, b"not here")

        def _answer(self, status: int, body: bytes, kind: str = "text/plain") -> None:
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:
            pass

    return Handler
