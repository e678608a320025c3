"""The one open port under load and under attack, beside the distribution's sshd where that compares.

    python -m benchmarks.doors signins    handshakes and sign-ins a second and CPU of each, beside sshd, in turns
    python -m benchmarks.doors memory     what an open connection and a screen take
    python -m benchmarks.doors attacks    key press to paint for an honest user while each flood of
                                          tests/ssh/floods.py runs, CPU, memory before and after

The attacker is a process of its own (`attack NAME`), from as many addresses as 127.0.0.0/8 has; the honest user comes
from 127.0.0.1 and has signed in before.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass, field
from pathlib import Path

import asyncssh

from benchmarks.connect import start_sshd
from benchmarks.load import cpu_s, memory_mib
from benchmarks.machine import machine, percentile
from tests.ports import free_port
from tests.ssh.floods import INSIDERS, STRANGERS, sources
from tests.stories.hatchery import die_with_parent
from tests.stories.house import House

PATIENCE_S = 60
SETTLE_S = 2.0
STEP_S = 0.02
TARGET_MS = 100
SIZES = ((100, 30), (101, 30))
OPEN_DOOR = "\n[penalties]\nenforced_from_s = 80000\ncap_s = 80000\n"
"""What is measured is what a sign-in costs, not how long one is kept from it."""


async def signed_in(house: House, name: str, **options: object) -> asyncssh.SSHClientConnection:
    """Somebody's connection, by key."""
    return await asyncssh.connect(
        "127.0.0.1", house.port, username=name, client_keys=[str(house.key(name))], known_hosts=None, config=None,
        agent_path=None, keepalive_interval=0, **options,
    )  # fmt: skip


@dataclass
class Person:
    """An honest user's screen: what was painted since it was looked at last."""

    process: asyncssh.SSHClientProcess[bytes]
    took_ms: list[float] = field(default_factory=list)

    @classmethod
    async def sits_down(cls, connection: asyncssh.SSHClientConnection) -> Person:
        """Once the first screen is painted."""
        process = await connection.create_process(
            term_type="xterm-256color", term_size=SIZES[0], encoding=None, stderr=asyncssh.STDOUT
        )
        person = cls(process)
        await person.sees(b"Watchlist")
        return person

    async def sees(self, text: bytes) -> None:
        """Wait until it is painted."""
        seen = b""
        async with asyncio.timeout(PATIENCE_S):
            while text not in seen:
                seen = seen[-200:] + await self.process.stdout.read(65536)

    async def presses(self, seconds: float) -> None:
        """Open and close the help, and note how long each takes to be painted."""
        until = time.perf_counter() + seconds
        while time.perf_counter() < until:
            for key in (b"2", b"1"):
                await asyncio.sleep(STEP_S)
                with suppress(TimeoutError):  # what came late, or a clock
                    async with asyncio.timeout(0.01):
                        await self.process.stdout.read(65536)
                began = time.perf_counter()
                self.process.stdin.write(key)
                async with asyncio.timeout(PATIENCE_S):
                    await self.process.stdout.read(65536)
                self.took_ms.append((time.perf_counter() - began) * 1000)

    def quoted(self) -> str:
        """Percentiles, and starts anew."""
        took, self.took_ms = self.took_ms, []
        p50, p99 = percentile(took, 50), percentile(took, 99)
        mark = "" if p99 < TARGET_MS else f"  over {TARGET_MS}"
        return f"p50 {p50:6.1f} ms  p99 {p99:6.1f} ms  max {max(took):6.1f} ms  {len(took):4} keys{mark}"


def pid_of(house: House) -> int:
    """The daemon."""
    assert house.process is not None
    return house.process.pid


async def attacks(house: House, given: argparse.Namespace) -> None:
    """Each flood in turn."""
    pid, connection = pid_of(house), await signed_in(house, "ann")
    person = await Person.sits_down(connection)
    names = ["nobody", *STRANGERS, *INSIDERS]
    for name in [one for one in names if not given.only or one in given.only]:
        await asyncio.sleep(SETTLE_S)
        before, used = memory_mib(pid), cpu_s(pid)
        attackers = [] if name == "nobody" else [_attacker(house, name) for _ in range(given.attackers)]
        await asyncio.sleep(SETTLE_S)
        during, began = cpu_s(pid), time.perf_counter()
        await person.presses(given.seconds)
        share = (cpu_s(pid) - during) / (time.perf_counter() - began)
        high = memory_mib(pid)
        for attacker in attackers:
            attacker.terminate()
            attacker.wait()
        await asyncio.sleep(SETTLE_S)
        after = memory_mib(pid)
        print(
            f"{name:22} {person.quoted()}  CPU {share:.2f} ({cpu_s(pid) - used:.1f} s)"
            f"  memory {before:.0f} → {high:.0f} → {after:.0f} MiB",
            flush=True,
        )
    connection.abort()


def _attacker(house: House, name: str) -> subprocess.Popen[bytes]:
    words = [sys.executable, "-m", "benchmarks.doors", "attack", "--name", name, "--port", str(house.port)]
    key = str(house.key("mallory"))
    attacker = subprocess.Popen(
        [*words, "--key", key], preexec_fn=die_with_parent, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    )
    assert attacker.stdout is not None
    attacker.stdout.readline()
    return attacker


async def attack(given: argparse.Namespace) -> None:
    """Pour, until killed."""
    print("ready", flush=True)
    if given.name in STRANGERS:
        await STRANGERS[given.name](given.port, sources(os.getpid()))
    while True:
        with suppress(OSError, asyncssh.Error):
            connection = await asyncssh.connect(
                "127.0.0.1", given.port, username="mallory", client_keys=[given.key], known_hosts=None, config=None,
                agent_path=None,
            )  # fmt: skip
            await INSIDERS[given.name](connection)
        await asyncio.sleep(0.1)


async def memory(house: House, given: argparse.Namespace) -> None:
    """Idle connections, then screens in them."""
    pid = pid_of(house)
    async with AsyncExitStack() as stack:
        print(f"nobody            {memory_mib(pid):7.1f} MiB")
        first = memory_mib(pid)
        connections = []
        for _ in range(given.connections):
            connections.append(await stack.enter_async_context(await signed_in(house, "ann")))
        await asyncio.sleep(SETTLE_S)
        second = memory_mib(pid)
        each = (second - first) * 1024 / given.connections
        print(f"{given.connections} connections     {second:7.1f} MiB: {each:.0f} KiB each")
        for one in connections:
            await Person.sits_down(one)
        await asyncio.sleep(SETTLE_S)
        third = memory_mib(pid)
        print(f"and their screens {third:7.1f} MiB: {(third - second) * 1024 / given.connections:.0f} KiB each")
    await asyncio.sleep(SETTLE_S)
    gc.collect()
    print(f"all gone          {memory_mib(pid):7.1f} MiB")


async def signins(house: House, given: argparse.Namespace) -> None:
    """Handshakes without, and with a key at the end, ours and sshd's in turns."""
    sshd, plain = start_sshd(house)
    other = int(plain[plain.index("-p") + 1])
    user = plain[-2].partition("@")[0]
    per_s: dict[str, list[float]] = {}
    cpu: dict[str, list[float]] = {}
    for _ in range(given.rounds):
        for server, port, pid, name in (
            ("ours", house.port, pid_of(house), "ann"),
            ("sshd", other, sshd.pid, user),
        ):
            for kind, once in (("handshake", _handshake), ("sign-in by key", _sign_in)):
                used, began = _cpu_with_children_s(pid), time.perf_counter()
                await _repeat(given.each, lambda: once(port, name, str(house.key("ann"))))  # noqa: B023 - at once
                took = time.perf_counter() - began
                per_s.setdefault(f"{kind} {server}", []).append(given.each / took)
                await asyncio.sleep(0.2)
                cpu.setdefault(f"{kind} {server}", []).append((_cpu_with_children_s(pid) - used) / given.each * 1000)
    for kind in ("handshake", "sign-in by key"):
        ours, theirs = (percentile(per_s[f"{kind} {server}"], 50) for server in ("ours", "sshd"))
        costs = [percentile(cpu[f"{kind} {server}"], 50) for server in ("ours", "sshd")]
        print(
            f"{kind:15} ours {ours:6.1f}/s  sshd {theirs:6.1f}/s  {ours / theirs:.2f} ×   "
            f"CPU ours {costs[0]:.1f} ms  sshd {costs[1]:.1f} ms"
        )
    sshd.kill()
    sshd.wait()


async def _repeat(times: int, once: Callable[[], Awaitable[None]]) -> None:
    """Three at a time: a source may be signing in four times."""
    left = iter(range(times))

    async def worker() -> None:
        for _ in left:
            await once()

    await asyncio.gather(*(worker() for _ in range(3)))


async def _handshake(port: int, _name: str, _key: str) -> None:
    await asyncssh.get_server_host_key("127.0.0.1", port, config=None)


async def _sign_in(port: int, name: str, key: str) -> None:
    async with asyncssh.connect(
        "127.0.0.1", port, username=name, client_keys=[key], known_hosts=None, config=None, agent_path=None
    ):
        pass


def _cpu_with_children_s(pid: int) -> float:
    """CPU of a process and of those that it waited for, as sshd's are."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return sum(int(fields[n]) for n in (11, 12, 13, 14)) / os.sysconf("SC_CLK_TCK")


MEASURES: dict[str, Callable[[House, argparse.Namespace], Coroutine[object, object, None]]] = {
    "signins": signins,
    "memory": memory,
    "attacks": attacks,
}
LIMITS = {"signins": OPEN_DOOR, "memory": "", "attacks": ""}


def main() -> None:
    """Measure one thing, and name the machine."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("measure", choices=[*MEASURES, "attack"])
    parser.add_argument("--seconds", type=float, default=8)
    parser.add_argument("--attackers", type=int, default=1)
    parser.add_argument("--only", nargs="+", default=[])
    parser.add_argument("--connections", type=int, default=5)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--each", type=int, default=60)
    for name, kind in (("--name", str), ("--port", int), ("--key", str)):
        parser.add_argument(name, type=kind, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.measure == "attack":
        asyncio.run(attack(given))
        return
    print(f"{machine()}, load {os.getloadavg()[0]:.1f}")
    with tempfile.TemporaryDirectory() as folder:
        house = House(Path(folder) / "house", port=free_port(), extra=LIMITS[given.measure]).start()
        for name in ("ann", "mallory"):
            house.add_user(name)
        try:
            asyncio.run(MEASURES[given.measure](house, given))
        finally:
            house.stop()


if __name__ == "__main__":
    main()
