"""What the guard of the sending process lets through: judged where Python is about to act."""

from __future__ import annotations

import os
import socket
import ssl
from pathlib import Path

import pytest

from uuutorrent.automation.channels.guard import Guard


def connects(host: object, *, allow_private: bool = False) -> bool:
    """Whether a connection to this address, as `socket.connect` is given it, is let through."""
    guard = Guard(allow_private=allow_private)
    address = host if isinstance(host, bytes) else (host, 443)
    try:
        guard("socket.connect", (None, address))
    except PermissionError:
        assert guard.refused
        return False
    return True


@pytest.mark.parametrize("host", ["93.184.216.34", "2606:2800:220:1:248:1893:25c8:1946"])
def test_public_addresses_are_reached(host: str) -> None:
    assert connects(host)


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.9.1", "::1", "10.0.0.1", "172.31.0.1", "192.168.0.1", "fd12::1"])
def test_private_addresses_need_permission(host: str) -> None:
    assert not connects(host)
    assert connects(host, allow_private=True)


@pytest.mark.parametrize(
    "host",
    [
        *("169.254.169.254", "169.254.170.2", "fe80::1", "fe80::1%eth0", "fd00:ec2::254", "fd20:ce::254"),
        *("100.100.100.200", "168.63.129.16", "192.0.0.192"),
        *("0.0.0.0", "::", "0.1.2.3", "224.0.0.1", "ff02::1", "240.0.0.1", "255.255.255.255"),
        *("::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:169.254.169.254", "64:ff9b::7f00:1", "2002:7f00:1::"),
        # Names and other ways of writing a number: they would be looked up after they were judged.
        *("localhost", "127.1", "0x7f000001", "2130706433", "", "<broadcast>", "example.org"),
        b"/run/docker.sock",
    ],
)
def test_some_are_never_reached(host: object) -> None:
    assert not connects(host)
    assert not connects(host, allow_private=True)


def test_the_public_address_of_this_machine_is_not_reached(monkeypatch: pytest.MonkeyPatch) -> None:
    class Here(socket.socket):
        """Sends from where it connects to, as a socket does whose other end is this machine."""

        def connect(self, address: object, /) -> None:
            self.to = address

        def getsockname(self) -> object:
            return self.to

    monkeypatch.setattr(socket, "socket", Here)
    assert not connects("93.184.216.34")
    assert connects("93.184.216.34", allow_private=True)


def test_only_what_it_runs_on_is_read(tmp_path: Path) -> None:
    guard, secret = Guard(allow_private=True), tmp_path / "keyring"
    secret.write_text("secret")
    link = tmp_path / "link"
    link.symlink_to("/etc/passwd")
    for place in ("/etc/passwd", "/proc/self/environ", str(secret), str(link), os.fsencode(secret), "keyring"):
        with pytest.raises(PermissionError):
            guard("open", (place, "r", os.O_RDONLY))
    for fine in (ssl.__file__, str(Path(__file__).parents[2] / "uuutorrent/errors.py"), 5):
        guard("open", (fine, "r", os.O_RDONLY))


def test_nothing_is_written_and_nothing_is_started() -> None:
    guard = Guard(allow_private=True)
    with pytest.raises(PermissionError):
        guard("open", (ssl.__file__, "w", os.O_WRONLY | os.O_CREAT))
    for event in ("subprocess.Popen", "os.system", "os.posix_spawn", "os.fork", "socket.bind", "socket.sendto"):
        with pytest.raises(PermissionError):
            guard(event, ("rm",))
    guard("socket.getaddrinfo", ("example.org", 443))
