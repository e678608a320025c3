"""Being told outside by a real daemon: from a file that is complete to the message, without any secret in the log."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from tests.stories.conftest import Town

pytestmark = pytest.mark.real

TITLE = "[Hoshizora] Umibe no Toshokan - 01 (1080p) [3F2A91C7]"
SECRET = "s3cr3t-t0k3n"


class Hook(BaseHTTPRequestHandler):
    """Takes what a webhook is sent."""

    got: list[str]

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.got.append(json.loads(body)["message"])
        self.send_response(200)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        """Nobody reads it."""


@pytest.fixture
def hook() -> Iterator[tuple[int, list[str]]]:
    """A receiver of webhooks: its port, and the messages it got."""
    got: list[str] = []
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("OwnHook", (Hook,), {"got": got}))
    thread = threading.Thread(target=server.serve_forever, name="hook")
    thread.start()
    yield server.server_port, got
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.mark.parametrize("town", ["[notifications]\nallow_private = true"], indirect=True, ids=["this machine"])
def test_what_became_complete_is_told_outside(town: Town, hook: tuple[int, list[str]]) -> None:
    house, (port, got) = town.house, hook
    house.add_user("ann")
    house.add_user("bob")
    url = f"json://ann:{SECRET}@127.0.0.1:{port}/{SECRET}"
    made = house.json("ann", "notify", "add", "-", given=url.encode())
    assert made["service"] == "a webhook at 127.0.0.1"
    assert house.json("ann", "notify", "test", "1") == {"channel": 1, "sent": True}
    assert len(got) == 1
    assert house.json("bob", "notify", "test", "1", code=4)["error"]["code"] == "missing"

    release = town.release(TITLE)
    house.json("ann", "add", "-", given=release.metainfo)
    house.until(lambda: len(got) > 1, "nothing was told outside")
    assert "Umibe no Toshokan" in got[1]
    (channel,) = house.json("ann", "notify", "list")
    assert (channel["last_error"], channel["failures"]) == (None, 0)

    house.json("ann", "notify", "add", f"ntfy://127.0.0.1:9/{SECRET}")
    assert "cannot be reached" in house.json("ann", "notify", "test", "2", code=75)["error"]["message"]
    assert SECRET not in house.log
    assert house.stop() == 0
