"""Makes the packets of file data ready for the socket, in place of asyncssh, which spends most of its time on copies.

A batch of packets is laid out in one buffer, filled in place, sealed in place, and written at once; what asyncssh keeps
of keys, numbers and windows is brought up to date, so that its own packets and ours follow each other in any order.
This reaches far into asyncssh: it is done only with a version that was read, after `examined` has found the same bytes
as asyncssh makes, and whenever something does not fit asyncssh does it itself.
"""

from __future__ import annotations

import hmac
import os
import struct
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

import asyncssh
from asyncssh.encryption import BasicEncryption, Encryption, ETMEncryption, GCMEncryption, get_encryption
from asyncssh.encryption import get_encryption_params as params_of
from asyncssh.mac import _HMAC
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from uuutorrent.ssh import tcp

READ_VERSIONS = frozenset({"2.24.1"})
"""Versions of asyncssh whose source this was written against."""
PACKETS = 9
"""Packets of a batch: a READ of 255 KiB takes eight and a little."""
PACKET = 32 * 1024
"""Bytes of data in a packet, at most."""
TOO_SMALL = 1024
"""Who takes no more in a packet is served by asyncssh."""

_HEAD = struct.Struct(">IBBII")
"""Length, length of the padding, kind, channel, length of the data."""
_AFTER = 16 + 8 + 64
"""Bytes of padding and MAC behind the data, at most."""
_CHANNEL_DATA = 94
_SEQUENCE, _COUNTER = 2**32 - 1, 2**64 - 1
_BUFFER = 4 + PACKETS * (_HEAD.size + PACKET + _AFTER)

State = Literal["ready", "window", "socket", "rekey", "asyncssh"]
"""What can be done now: send; nothing, until the client's window opens, until the socket has drained, until there are
new keys; or let asyncssh send the next piece."""


class Cipher(Protocol):
    """Seals laid out packets as one of asyncssh's ciphers does."""

    mac_size: int

    def seal(self, buffer: memoryview, packets: Sequence[tuple[int, int]], sequence: int) -> None:
        """Encrypt packets, given by start and end, and put the MAC behind each. 4 bytes before the first are free."""


class _Gcm:
    """AES-GCM, 128 or 256."""

    mac_size = 16

    def __init__(self, encryption: GCMEncryption) -> None:
        self._kept = encryption._cipher
        self._seal_into = AESGCM(self._kept._key).encrypt_into

    def seal(self, buffer: memoryview, packets: Sequence[tuple[int, int]], sequence: int) -> None:
        """The length is authenticated only; each packet has the next number in its nonce."""
        fixed, counter = self._kept._iv[:4], int.from_bytes(self._kept._iv[4:])
        for start, end in packets:
            body = start + 4
            nonce = fixed + counter.to_bytes(8)
            self._seal_into(nonce, buffer[body:end], buffer[start:body], buffer[body : end + 16])
            counter = (counter + 1) & _COUNTER
        self._kept._iv = fixed + counter.to_bytes(8)


class _Ctr:
    """AES-CTR and an HMAC: over what is encrypted (`etm`), or over what is to be, with the length encrypted too."""

    def __init__(self, encryption: BasicEncryption, mac: _HMAC, *, etm: bool) -> None:
        self.mac_size = mac._hash_size
        self._key, self._hash = mac._key, mac._hash_alg
        self._plain = 4 if etm else 0
        self._etm = etm
        encryption._cipher.encrypt(b"")  # asyncssh makes the keystream with the first use
        assert encryption._cipher._encryptor is not None
        self._encrypt_into = encryption._cipher._encryptor.update_into

    def seal(self, buffer: memoryview, packets: Sequence[tuple[int, int]], sequence: int) -> None:
        """One keystream runs through all packets."""
        for number, (start, end) in enumerate(packets, sequence):
            if self._etm:
                self._encrypt(buffer, start, end)
            mac = self._mac(buffer, start, end, number & _SEQUENCE)
            if not self._etm:
                self._encrypt(buffer, start, end)
            buffer[end : end + self.mac_size] = mac

    def _encrypt(self, buffer: memoryview, start: int, end: int) -> None:
        # The library wants room for most of a block more than it writes.
        self._encrypt_into(buffer[start + self._plain : end], buffer[start + self._plain : end + 15])

    def _mac(self, buffer: memoryview, start: int, end: int, number: int) -> bytes:
        """The number of the packet belongs before it: put it there for a moment, rather than copy the packet."""
        before = bytes(buffer[start - 4 : start])
        buffer[start - 4 : start] = number.to_bytes(4)
        mac = hmac.digest(self._key, buffer[start - 4 : end], self._hash)
        buffer[start - 4 : start] = before
        return mac[: self.mac_size]


def cipher_of(encryption: Encryption | None) -> Cipher | None:
    """What seals like this; None: asyncssh alone can."""
    if type(encryption) is GCMEncryption:
        return _Gcm(encryption)
    if isinstance(encryption, BasicEncryption) and type(encryption._mac) is _HMAC:
        return _Ctr(encryption, encryption._mac, etm=type(encryption) is ETMEncryption)
    return None


@dataclass(slots=True)
class Layout:
    """Packets in a buffer: where each starts and ends, and the places for their data."""

    packets: list[tuple[int, int]]
    places: list[memoryview]
    size: int
    """Bytes of data."""
    end: int


def laid_out(
    buffer: memoryview, size: int, *, channel: int, largest: int, block: int, encrypted_head: int, mac_size: int
) -> Layout:
    """Lay out so many bytes of data as packets, or as many as a batch holds. Source: RFC 4253, 6; RFC 4254, 5.2."""
    layout, at, noise = Layout([], [], 0, 4), 4, os.urandom(24 * PACKETS)
    for n in range(PACKETS):
        length = min(largest, size - layout.size)
        if length <= 0:
            break
        padding = -(encrypted_head + 9 + length) % block
        padding += block if padding < 4 else 0
        _HEAD.pack_into(buffer, at, 10 + length + padding, padding, _CHANNEL_DATA, channel, length)
        data = at + _HEAD.size
        end = data + length + padding
        buffer[data + length : end] = noise[24 * n : 24 * n + padding]
        layout.places.append(buffer[data : data + length])
        layout.packets.append((at, end))
        layout.size += length
        layout.end = at = end + mac_size
    return layout


class Sealer:
    """Sends data in one channel. Ask for the `state`; `lay` out, fill the places, `send`."""

    def __init__(self, chan: asyncssh.SSHServerChannel[bytes]) -> None:
        self._chan = chan
        conn = chan.get_connection()
        assert isinstance(conn, asyncssh.SSHServerConnection)
        self._conn = conn
        self._socket: int = self._conn.get_extra_info("socket").fileno()
        self._buffer: memoryview | None = None
        self._layout: Layout | None = None
        self._sealed_like: Encryption | None = None
        self._cipher: Cipher | None = None
        self._widest = chan._send_window
        self._impatient = False
        # asyncssh describes each packet in words, whether anybody logs them or not.
        chan.log_received_packet = lambda *_: None  # type: ignore[method-assign]
        tcp.carry_much(self._conn)

    def state(self, size: int = 1) -> State:
        """What can be done now with so many bytes of data."""
        chan, conn, transport = self._chan, self._conn, self._conn._transport
        if not conn._kex_complete:
            return "rekey"
        if conn._rekey_bytes_sent >= conn._rekey_bytes or (
            conn._rekey_seconds and time.monotonic() >= conn._rekey_time
        ):
            return "asyncssh"  # which asks for new keys before it sends
        if conn._send_encryption is not self._sealed_like:
            self._sealed_like, self._cipher = conn._send_encryption, cipher_of(conn._send_encryption)
        if self._cipher is None or conn._compressor is not None or chan._send_pktsize < TOO_SMALL:
            return "asyncssh"
        if transport is None or transport.is_closing() or chan._send_state != "open" or chan._send_buf:
            return "asyncssh"
        if conn._deferred_packets:
            return "asyncssh"
        if transport.get_write_buffer_size():
            return "socket"
        return "ready" if self._is_worth_it(size) else "window"

    def lay(self, size: int) -> Sequence[memoryview]:
        """Places for so many bytes of data, or for as many as may be sent now; the state must be `ready`."""
        if self._buffer is None:
            self._buffer = memoryview(bytearray(_BUFFER))
        chan, conn = self._chan, self._conn
        self._impatient = False
        assert chan._send_chan is not None
        assert self._cipher is not None
        self._layout = laid_out(
            self._buffer,
            min(size, chan._send_window),
            channel=chan._send_chan,
            largest=min(chan._send_pktsize, PACKET),
            block=conn._send_blocksize,
            encrypted_head=conn._send_enchdrlen,
            mac_size=self._cipher.mac_size,
        )
        return self._layout.places

    def send(self) -> bool:
        """Seal and send what was laid out. False: it does not fit any more, nothing was done; ask for the state."""
        chan, conn, layout, self._layout = self._chan, self._conn, self._layout, None
        assert layout is not None
        if not self._still_fits(layout):
            return False
        assert self._buffer is not None
        assert self._cipher is not None
        self._cipher.seal(self._buffer, layout.packets, conn._send_seq)
        conn._send_seq = (conn._send_seq + len(layout.packets)) & _SEQUENCE
        conn._rekey_bytes_sent += sum(end - start - 4 for start, end in layout.packets)
        chan._send_window -= layout.size
        self._write(self._buffer[4 : layout.end])
        return True

    def ask_for_window(self) -> bool:
        """Have asyncssh call `resume_writing` once the client's window opens: it believes that it has paused us.

        True: it is open a little already. Somebody has to say `take_what_there_is` if it does not open further.
        """
        self._chan._send_paused = True
        return self._chan._send_window > 0

    def take_what_there_is(self) -> None:
        """A small window is as good as none for so long only."""
        self._impatient = True

    def free(self) -> None:
        """Keep no buffer until the next time."""
        self._buffer = self._layout = None

    def _is_worth_it(self, size: int) -> bool:
        """A client that reads opens its window by a little many times; some of that at once costs less."""
        window = self._chan._send_window
        self._widest = max(self._widest, window)
        return window > 0 and (self._impatient or window >= min(size, self._widest // 4, PACKETS * PACKET))

    def _still_fits(self, layout: Layout) -> bool:
        """While the disk was read there may have been new keys, other packets, or an end."""
        return (
            self.state() in ("ready", "socket")
            and self._sealed_like is self._conn._send_encryption
            and layout.size <= self._chan._send_window
        )

    def _write(self, sealed: memoryview) -> None:
        transport = self._conn._transport
        assert transport is not None
        written = 0
        if not transport.get_write_buffer_size():
            try:
                written = os.write(self._socket, sealed)
            except OSError:  # it is full, or gone: the transport finds out which
                written = 0
        if written < len(sealed):
            transport.write(bytes(sealed[written:]))


def examined(ciphers: Sequence[str], macs: Sequence[str]) -> str:
    """Why packets are not to be sealed here; empty: with all these, the bytes are the same as asyncssh's."""
    if asyncssh.__version__ not in READ_VERSIONS:
        return f"asyncssh {asyncssh.__version__} is not a version that was looked at"
    try:
        for cipher in ciphers:
            for mac in ("",) if "gcm" in cipher else macs:
                if not _same_as_asyncssh(cipher.encode(), mac.encode()):
                    return f"{cipher} {mac} is not sealed as asyncssh does".replace("  ", " ")
    except (AttributeError, TypeError, ValueError, KeyError, BufferError, UnsupportedAlgorithm) as e:
        return f"asyncssh or cryptography is not what it was: {e}"
    return ""


def _same_as_asyncssh(cipher: bytes, mac: bytes) -> bool:
    """Three batches, each followed by a packet of asyncssh's own."""
    key_size, iv_size, block, mac_key_size, mac_size, etm = params_of(cipher, mac)
    secrets = (os.urandom(key_size), os.urandom(iv_size), mac, os.urandom(mac_key_size), etm)
    ours, theirs = get_encryption(cipher, *secrets), get_encryption(cipher, *secrets)
    sealing, buffer, sequence = cipher_of(ours), memoryview(bytearray(_BUFFER)), _SEQUENCE - 5
    for size in (3 * 1000 + 1, 1, PACKETS * 1000):
        if sealing is None or sealing.mac_size != mac_size:
            return False
        head = 1 if etm else 5
        layout = laid_out(buffer, size, channel=7, largest=1000, block=block, encrypted_head=head, mac_size=mac_size)
        for place in layout.places:
            place[:] = os.urandom(len(place))
        expected = b""
        for n, (start, end) in enumerate(layout.packets, sequence):
            packet, code = bytes(buffer[start:end]), n & _SEQUENCE
            expected += b"".join(theirs.encrypt_packet(code, packet[:4], packet[4:]))
        sealing.seal(buffer, layout.packets, sequence)
        sequence = (sequence + len(layout.packets)) & _SEQUENCE
        between = os.urandom(2 * block - (0 if etm else 4))
        same = ours.encrypt_packet(sequence, bytes(4), between) == theirs.encrypt_packet(sequence, bytes(4), between)
        if bytes(buffer[4 : layout.end]) != expected or not same:
            return False
        sequence = (sequence + 1) & _SEQUENCE
    return True
