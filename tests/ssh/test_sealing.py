"""Packets that are sealed here, beside those of asyncssh: the same bytes, in order, no more than the client takes."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import asyncssh
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.fakes import FakeEngine
from tests.ssh.port import PATIENCE_S, Port, opened
from uuutorrent.desk import Services
from uuutorrent.ssh import algorithms, sealing
from uuutorrent.ssh.sealing import PACKET, PACKETS, Sealer
from uuutorrent.users import User

EPISODE = os.urandom(6_000_001)
PAIRS = [(cipher, mac) for cipher in algorithms.CIPHERS for mac in (algorithms.MACS if "ctr" in cipher else ("",))]
Step = tuple[Literal["seal", "write", "other", "pause", "resume", "our keys", "their keys"], int]


@dataclass(eq=False)
class Far(asyncssh.SSHClientSession[bytes]):
    """The client's end: what came, in which portions."""

    seen: bytearray = field(default_factory=bytearray)
    portions: list[int] = field(default_factory=list)

    def data_received(self, data: bytes, datatype: asyncssh.DataType) -> None:
        self.seen += data
        self.portions.append(len(data))


class Near(asyncssh.SSHServerSession[bytes]):
    """The server's end."""

    def __init__(self, opened: asyncio.Queue[asyncssh.SSHServerChannel[bytes]]) -> None:
        self._opened = opened

    def connection_made(self, chan: asyncssh.SSHServerChannel[bytes]) -> None:
        self._opened.put_nowait(chan)

    def subsystem_requested(self, subsystem: str) -> bool:
        return True


class Guest(asyncssh.SSHServer):
    """Lets everybody in."""

    def __init__(self) -> None:
        self.opened: asyncio.Queue[asyncssh.SSHServerChannel[bytes]] = asyncio.Queue()

    def begin_auth(self, username: str) -> bool:
        return False

    def session_requested(self) -> Near:
        return Near(self.opened)


@dataclass
class Pair:
    """Both ends of a connection."""

    server: Guest
    client: asyncssh.SSHClientConnection

    async def channel(self, **options: Any) -> tuple[asyncssh.SSHServerChannel[bytes], Far, Any]:
        """A channel, by both its ends."""
        far = Far()
        chan, _ = await self.client.create_session(lambda: far, subsystem="x", encoding=None, **options)
        return await self.server.opened.get(), far, chan


@asynccontextmanager
async def pair(cipher: str = "aes128-gcm@openssh.com", mac: str = "") -> AsyncGenerator[Pair]:
    guests: list[Guest] = []

    def guest() -> Guest:
        guests.append(Guest())
        return guests[-1]

    key = asyncssh.generate_private_key("ssh-ed25519")
    options: dict[str, Any] = {"server_host_keys": [key], "line_editor": False, "encoding": None}
    only: dict[str, Any] = {"encryption_algs": [cipher]} | ({"mac_algs": [mac]} if mac else {})
    alone: dict[str, Any] = {"known_hosts": None, "client_keys": None, "config": None, "agent_path": None}
    async with await asyncssh.create_server(guest, "127.0.0.1", 0, **options, **only) as acceptor:
        port = acceptor.get_port()
        async with asyncssh.connect("127.0.0.1", port, username="ann", compression_algs=None, **alone) as client:
            yield Pair(guests[0], client)


async def send(sealer: Sealer, chan: asyncssh.SSHServerChannel[bytes], data: bytes) -> int:
    """As much of it as can be sent now; how much."""
    state = sealer.state(len(data))
    if state == "asyncssh":
        chan.write(data)
        return len(data)
    if state != "ready":
        return 0
    sent = 0
    for place in sealer.lay(len(data)):
        place[:] = data[sent : sent + len(place)]
        sent += len(place)
    assert sealer.send()
    return sent


async def until_seen(far: Far, wanted: bytes) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while len(far.seen) < len(wanted):  # noqa: ASYNC110 - what is waited for tells nobody
            await asyncio.sleep(0.001)
    assert far.seen == wanted


def test_the_bytes_are_those_of_asyncssh_with_every_cipher_of_the_port() -> None:
    assert sealing.examined(algorithms.CIPHERS, algorithms.MACS) == ""


@pytest.mark.parametrize(("cipher", "mac"), PAIRS)
async def test_ours_and_asyncsshs_packets_follow_each_other_through_new_keys_from_both_sides(
    cipher: str, mac: str
) -> None:
    async with pair(cipher, mac) as both:
        chan, far, _ = await both.channel()
        sealer, wanted, sealed = Sealer(chan), b"", 0
        for n in range(60):
            data = os.urandom(1 + n * 4999 % 200_000)
            if n % 3 == 0:
                chan.write(data)
                wanted += data
            else:
                sent = await send(sealer, chan, data)
                wanted, sealed = wanted + data[:sent], sealed + sent
            if n % 20 == 10:
                chan.get_connection()._rekey_bytes_sent = 2**62
            if n % 20 == 15:
                both.client._rekey_bytes_sent = 2**62
                both.client.send_debug("new keys are due")
            await asyncio.sleep(0)
        await until_seen(far, wanted)
        assert sealed > 500_000


STEPS: st.SearchStrategy[list[Step]] = st.lists(
    st.tuples(
        st.sampled_from(["seal", "seal", "seal", "write", "other", "pause", "resume", "our keys", "their keys"]),
        st.integers(1, 2 * PACKETS * PACKET),
    ),
    max_size=25,
)


def test_never_more_is_sent_than_the_client_takes_whatever_is_mixed() -> None:
    with asyncio.Runner() as runner:
        context = pair()
        both = runner.run(context.__aenter__())

        @settings(max_examples=60, deadline=None)
        @given(st.integers(1024, 300_000), st.integers(1024, 40_000), STEPS)
        def mixed(window: int, largest: int, steps: Sequence[Step]) -> None:
            runner.run(_mix(both, window, largest, steps))

        mixed()
        runner.run(context.__aexit__(None, None, None))


async def _mix(both: Pair, window: int, largest: int, steps: Sequence[Step]) -> None:
    """The client hangs up on whoever sends past its window; how large a packet is, is looked at here."""
    chan, far, near = await both.channel(window=window, max_pktsize=largest)
    other, other_far, other_near = await both.channel()
    sealer, wanted, others = Sealer(chan), b"", b""
    for step, size in steps:
        data = os.urandom(size)
        if step == "seal":
            wanted += data[: await send(sealer, chan, data)]
        elif step == "write":
            chan.write(data[:5000])
            wanted += data[:5000]
        elif step == "other":
            other.write(data[:5000])
            others += data[:5000]
        elif step == "our keys":
            chan.get_connection()._rekey_bytes_sent = 2**62
        elif step == "their keys":
            both.client._rekey_bytes_sent = 2**62
            both.client.send_debug("new keys are due")
        else:
            getattr(near, f"{step}_reading")()
        await asyncio.sleep(0)
    near.resume_reading()
    await until_seen(far, wanted)
    await until_seen(other_far, others)
    assert max(far.portions, default=0) <= largest
    near.close()
    other_near.close()


async def test_nothing_is_sealed_for_who_takes_tiny_packets_or_while_keys_are_due(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with pair() as both:
        tiny, _, _ = await both.channel(max_pktsize=500)
        assert Sealer(tiny).state() == "asyncssh"
        chan, _, _ = await both.channel(window=2000)
        sealer = Sealer(chan)
        assert sealer.state() == "ready"
        places = sealer.lay(5000)
        assert sum(len(place) for place in places) == 2000
        conn = chan.get_connection()
        conn._rekey_bytes_sent = 2**62
        assert not sealer.send()
        assert sealer.state() == "asyncssh"
        chan.write(b"x")
        assert sealer.state() == "rekey"


async def test_a_window_that_opens_a_little_is_waited_for_a_little() -> None:
    async with pair() as both:
        chan, far, _ = await both.channel(window=1_000_000)
        sealer = Sealer(chan)
        assert sealer.state(5_000_000) == "ready"
        chan._send_window = 1000
        assert sealer.state(1000) == "ready"
        assert sealer.state(5_000_000) == "window"
        assert sealer.ask_for_window()
        sealer.take_what_there_is()
        assert sealer.state(5_000_000) == "ready"
        assert await send(sealer, chan, EPISODE) == 1000
        assert sealer.state(5_000_000) == "window"
        assert not sealer.ask_for_window()
        await until_seen(far, EPISODE[:1000])
        closed, _, _ = await both.channel(window=0)
        assert Sealer(closed).state(1) == "window"


async def test_a_cipher_that_is_not_known_is_left_to_asyncssh() -> None:
    async with pair("chacha20-poly1305@openssh.com") as both:
        chan, far, _ = await both.channel()
        sealer = Sealer(chan)
        assert sealer.state() == "asyncssh"
        await send(sealer, chan, EPISODE[:100_000])
        await until_seen(far, EPISODE[:100_000])


def test_another_version_of_asyncssh_seals_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("asyncssh.__version__", "2.99.0")
    assert "2.99.0" in sealing.examined(algorithms.CIPHERS, algorithms.MACS)


def test_what_does_not_come_out_the_same_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("asyncssh.encryption.GCMEncryption.encrypt_packet", lambda *_: (b"", b""))
    assert "aes128-gcm" in sealing.examined(algorithms.CIPHERS, algorithms.MACS)
    monkeypatch.setattr("asyncssh.crypto.cipher.GCMCipher.__init__", lambda *_: None)
    assert "not what it was" in sealing.examined(algorithms.CIPHERS, algorithms.MACS)


@pytest.mark.parametrize(("cipher", "mac"), PAIRS)
async def test_a_file_comes_whole_through_many_new_keys(
    services: Services,
    engine: FakeEngine,
    ann: User,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    cipher: str,
    mac: str,
) -> None:
    monkeypatch.setattr("uuutorrent.ssh.server.REKEY_BYTES", 1_000_000)
    async with opened(services, engine) as port:
        await _fetch(port, ann, tmp_path, encryption_algs=[cipher], **({"mac_algs": [mac]} if mac else {}))
        assert port.counted("sftp_sent_bytes", "here") > len(EPISODE) // 2


async def test_the_channel_is_asyncsshs_own_not_its_editors(port: Port, ann: User) -> None:
    """What is set on a stand-in would not reach the window that asyncssh counts."""
    async with port.as_user(ann) as connection, connection.start_sftp_client():
        (session,) = port.server._guests.sessions
        assert session._channel is not None
        assert type(session._channel._chan) is asyncssh.SSHServerChannel


async def test_a_file_comes_whole_where_asyncssh_sends(
    services: Services, engine: FakeEngine, ann: User, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("asyncssh.__version__", "2.99.0")
    async with opened(services, engine) as port:
        await _fetch(port, ann, tmp_path)
        assert port.counted("sftp_sent_bytes", "here") == 0
        assert port.counted("sftp_sent_bytes", "asyncssh") > len(EPISODE)


async def _fetch(port: Port, user: User, into: Path, **options: Any) -> None:
    await port.give(user, "Show", {"Show - 01.mkv": EPISODE})
    key = await port.key_of(user)
    async with port.connect(user.name, client_keys=[key], **options) as connection:
        sftp = await connection.start_sftp_client()
        await sftp.get("/torrents/Show/Show - 01.mkv", into / "got")
    assert (into / "got").read_bytes() == EPISODE
