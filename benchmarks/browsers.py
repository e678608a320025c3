"""The door for browsers beside the SSH port: what a person at the screens costs, and how soon they see their keys.

python -m benchmarks.browsers    memory of a further screen, and key press to paint, over each, in turns
"""

from __future__ import annotations

import argparse
import asyncio
import os
import tempfile
import time
from contextlib import AsyncExitStack, suppress
from pathlib import Path
from typing import Protocol

import aiohttp

from benchmarks.doors import PATIENCE_S, SETTLE_S, SIZES, STEP_S, Person, pid_of, signed_in
from benchmarks.load import memory_mib
from benchmarks.machine import machine, percentile
from tests.ports import free_port
from tests.stories.house import House

PASSWORD = "seven brass kettles hum"
EXTRA = """
[browser]
enabled = true
port = {port}
sessions_per_user = 1000
"""


class Wire(Protocol):
    """What keys go through, and what is painted comes through."""

    async def press(self, key: str) -> None:
        """Type it."""

    async def painted(self) -> None:
        """Wait for whatever is painted next."""


class Page:
    """A page that shows the screens."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._socket = socket

    async def press(self, key: str) -> None:
        """Type it."""
        await self._socket.send_json(["stdin", key])

    async def painted(self) -> None:
        """Wait for whatever is painted next."""
        await self._socket.receive()


class Channel:
    """The screens over SSH."""

    def __init__(self, person: Person) -> None:
        self._process = person.process

    async def press(self, key: str) -> None:
        """Type it."""
        self._process.stdin.write(key.encode())

    async def painted(self) -> None:
        """Wait for whatever is painted next."""
        await self._process.stdout.read(65536)


async def opens_page(stack: AsyncExitStack, port: int) -> Page:
    """Sign in with a browser of one's own, up to the first screen."""
    jar, base = aiohttp.CookieJar(unsafe=True), f"http://127.0.0.1:{port}"
    http = await stack.enter_async_context(aiohttp.ClientSession(cookie_jar=jar))
    form, origin = {"name": "ann", "password": PASSWORD}, {"Origin": base}
    async with http.post(f"{base}/signin", data=form, headers=origin, allow_redirects=False) as answer:
        assert answer.status == 303, await answer.text()
    width, height = SIZES[0]
    socket = await http.ws_connect(f"{base}/screen?width={width}&height={height}", headers=origin)
    seen = b""
    async with asyncio.timeout(PATIENCE_S):
        while b"Watchlist" not in seen:
            message = await socket.receive()
            seen += message.data if message.type is aiohttp.WSMsgType.BINARY else b""
    return Page(socket)


async def opens_channel(stack: AsyncExitStack, house: House) -> Channel:
    """Sign in over SSH, up to the first screen."""
    return Channel(await Person.sits_down(await stack.enter_async_context(await signed_in(house, "ann"))))


async def presses(wire: Wire, times: int) -> list[float]:
    """Go to another screen and back, and how long each took to be painted, in ms."""
    took_ms = []
    for turn in range(times):
        await asyncio.sleep(STEP_S)
        with suppress(TimeoutError):  # what came late, or a clock
            async with asyncio.timeout(0.01):
                await wire.painted()
        began = time.perf_counter()
        await wire.press("12"[turn % 2 - 1])
        async with asyncio.timeout(PATIENCE_S):
            await wire.painted()
        took_ms.append((time.perf_counter() - began) * 1000)
    return took_ms


async def compare(house: House, port: int, given: argparse.Namespace) -> None:
    """Screens over SSH, then in pages, and keys in both."""
    pid = pid_of(house)
    async with AsyncExitStack() as stack:
        wires: dict[str, Wire] = {
            "ssh": await opens_channel(stack, house),
            "browser": await opens_page(stack, port),
        }
        for name in wires:
            await asyncio.sleep(SETTLE_S)
            before = memory_mib(pid)
            for _ in range(given.screens):
                await (opens_channel(stack, house) if name == "ssh" else opens_page(stack, port))
            await asyncio.sleep(SETTLE_S)
            each = (memory_mib(pid) - before) / given.screens
            print(f"{name:8} a further screen takes {each:5.2f} MiB", flush=True)
        took: dict[str, list[float]] = {name: [] for name in wires}
        for _ in range(4):
            for name, wire in wires.items():
                took[name] += await presses(wire, given.keys // 4)
        for name, ms in took.items():
            print(f"{name:8} key to paint p50 {percentile(ms, 50):5.1f} ms  p95 {percentile(ms, 95):5.1f} ms")


def main() -> None:
    """Measure, and name the machine."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--screens", type=int, default=5)
    parser.add_argument("--keys", type=int, default=200)
    given = parser.parse_args()
    print(f"{machine()}, load {os.getloadavg()[0]:.1f}")
    with tempfile.TemporaryDirectory() as folder:
        port = free_port()
        house = House(Path(folder) / "house", port=free_port(), extra=EXTRA.format(port=port)).start()
        house.add_user("ann")
        house.uuutorrent("user", "passwd", "ann", "--password-stdin", given=f"{PASSWORD}\n")
        try:
            asyncio.run(compare(house, port, given))
        finally:
            house.stop()


if __name__ == "__main__":
    main()
