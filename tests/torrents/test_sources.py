from __future__ import annotations

import asyncio
import ipaddress
import ssl
from collections.abc import AsyncIterator, Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from tests.servers.site import Site, serving
from tests.torrents import metainfos
from uuutorrent.errors import Invalid, Refused, Unexpected, Unreachable
from uuutorrent.torrents import outside
from uuutorrent.torrents.addresses import allowed
from uuutorrent.torrents.metainfo import Magnet, Metainfo
from uuutorrent.torrents.outside import Outside
from uuutorrent.torrents.sources import LARGEST_TORRENT, Sources

TORRENT = metainfos.single()
V1 = "0123456789abcdef0123456789abcdef01234567"


@pytest.fixture
async def site() -> AsyncIterator[Site]:
    async with serving() as open_site:
        open_site.page("/x.torrent", TORRENT)
        yield open_site


def answering(*addresses: str) -> Callable[[str, int], asyncio.Future[Sequence[str]]]:
    def resolver(host: str, port: int) -> asyncio.Future[Sequence[str]]:
        done: asyncio.Future[Sequence[str]] = asyncio.get_running_loop().create_future()
        done.set_result(addresses)
        return done

    return resolver


def trial(*addresses: str) -> Sources:
    """With loopback allowed, and every name resolved to these addresses."""
    return Sources(Outside(allow_loopback=True, resolver=answering(*(addresses or ("127.0.0.1",)))))


async def test_bytes_are_read() -> None:
    source = await Sources(Outside()).read(TORRENT)

    assert isinstance(source, Metainfo)
    assert source.name == "Show - 01.mkv"


async def test_a_magnet_is_read() -> None:
    source = await Sources(Outside()).read(f"  magnet:?xt=urn:btih:{V1}\n")

    assert isinstance(source, Magnet)
    assert source.v1 == V1


async def test_an_address_is_fetched_under_its_own_name(site: Site) -> None:
    source = await trial().read(f"http://tracker.example:{site.port}/x.torrent#part")

    assert isinstance(source, Metainfo)
    assert source.raw == TORRENT
    assert site.host_of(0) == f"tracker.example:{site.port}"


async def test_the_name_is_looked_up_once_only(site: Site) -> None:
    asked: list[str] = []

    async def resolver(host: str, port: int) -> Sequence[str]:
        asked.append(host)
        return ("127.0.0.1",) if len(asked) == 1 else ("10.0.0.1",)

    await Sources(Outside(allow_loopback=True, resolver=resolver)).read(
        f"http://rebinding.example:{site.port}/x.torrent"
    )

    assert asked == ["rebinding.example"]


async def test_the_next_address_is_tried_when_the_first_takes_no_connection(site: Site) -> None:
    source = await trial("127.0.0.2", "127.0.0.1").read(f"http://tracker.example:{site.port}/x.torrent")

    assert isinstance(source, Metainfo)


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "127.8.8.8", "::1", "0.0.0.0", "::", "10.0.0.1", "172.16.0.1", "192.168.1.1", "169.254.169.254",
        "100.64.0.1", "100.100.100.200", "168.63.129.16", "192.0.0.192", "192.0.2.1", "198.18.0.1", "224.0.0.1",
        "239.255.255.250", "240.0.0.1", "255.255.255.255", "fe80::1", "fe80::1%eth0", "fc00::1", "fd00:ec2::254",
        "fec0::1", "ff02::1", "::ffff:127.0.0.1", "::ffff:8.8.8.8", "::ffff:169.254.169.254", "::7f00:1",
        "2002:7f00:1::", "2002:808:808::1", "2001::1", "2001:db8::1", "64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe",
        "64:ff9b:1::808:808", "100::1", "nonsense",
    ],
)  # fmt: skip
def test_an_address_that_is_not_public_is_refused(address: str) -> None:
    with pytest.raises(Refused, match="private network"):
        allowed("some.example", [address], loopback=False)


@pytest.mark.parametrize("address", ["8.8.8.8", "1.1.1.1", "2606:4700:4700::1111", "64:ff9b::808:808"])
def test_a_public_address_is_taken(address: str) -> None:
    assert allowed("some.example", [address], loopback=False) == (address,)


def test_one_private_address_among_public_ones_is_enough_to_refuse() -> None:
    with pytest.raises(Refused):
        allowed("some.example", ["8.8.8.8", "10.0.0.1"], loopback=False)


@pytest.mark.parametrize("address", ["10.0.0.1", "169.254.169.254", "fd00::1", "::ffff:127.0.0.1"])
def test_allowing_loopback_allows_nothing_else(address: str) -> None:
    with pytest.raises(Refused):
        allowed("some.example", [address], loopback=True)


@pytest.mark.parametrize(
    "host",
    ["127.0.0.1", "127.1", "2130706433", "0x7f000001", "0x7f.1", "localhost", "[::1]", "[::ffff:127.0.0.1]", "0"],
)
async def test_odd_ways_to_write_this_machine_are_refused(site: Site, host: str) -> None:
    with pytest.raises((Refused, Unreachable)):
        await Sources(Outside()).read(f"http://{host}:{site.port}/x.torrent")

    assert site.requests == []


@pytest.mark.parametrize(
    "given",
    [
        "", "hello", "ftp://example.com/x.torrent", "file:///etc/passwd", "http://", "http:///x", "http://0177.0.0.1/",
        "http://user@example.com/x", "http://user:secret@example.com/x", "http://example.com:99999/x",
        "http://exa\x00mple.com/", "gopher://127.0.0.1:70/", "//example.com/x", "http://" + "a" * 5000,
    ],
)  # fmt: skip
async def test_what_is_neither_magnet_nor_address_is_told_in_a_sentence(given: str) -> None:
    with pytest.raises(Invalid) as told:
        await trial().read(given)

    assert told.value.field == "source"
    assert "secret" not in told.value.message


async def test_redirects_are_followed_and_keep_the_name(site: Site) -> None:
    site.redirect("/a", "/b")
    site.redirect("/b", f"http://other.example:{site.port}/x.torrent")

    source = await trial().read(f"http://tracker.example:{site.port}/a")

    assert isinstance(source, Metainfo)
    assert site.host_of(1) == f"tracker.example:{site.port}"
    assert site.host_of(2) == f"other.example:{site.port}"


async def test_a_redirect_to_a_private_address_is_refused(site: Site) -> None:
    site.redirect("/a", "http://inside.example/latest/meta-data")

    async def resolver(host: str, port: int) -> Sequence[str]:
        return ("169.254.169.254",) if host == "inside.example" else ("127.0.0.1",)

    with pytest.raises(Refused):
        await Sources(Outside(allow_loopback=True, resolver=resolver)).read(f"http://tracker.example:{site.port}/a")


@pytest.mark.parametrize("to", ["file:///etc/passwd", "http://user@x/", "gopher://x/", "http://[", "ftp://x/y"])
async def test_a_redirect_to_something_else_is_not_followed(site: Site, to: str) -> None:
    site.redirect("/a", to)

    with pytest.raises(Unexpected, match="redirects"):
        await trial().read(f"http://tracker.example:{site.port}/a")


async def test_a_redirect_to_a_magnet_is_that_magnet(site: Site) -> None:
    site.redirect("/a", f"magnet:?xt=urn:btih:{V1}")

    source = await trial().read(f"http://tracker.example:{site.port}/a")

    assert isinstance(source, Magnet)


async def test_a_fourth_redirect_is_too_many(site: Site) -> None:
    for n in range(5):
        site.redirect(f"/{n}", f"/{n + 1}")

    with pytest.raises(Unexpected, match="redirects"):
        await trial().read(f"http://tracker.example:{site.port}/0")

    assert len(site.requests) == 4


async def test_more_than_8_mib_are_not_read_to_the_end(site: Site) -> None:
    site.page("/big", b"x" * (LARGEST_TORRENT + 1))

    with pytest.raises(Unexpected, match="8 MiB"):
        await trial().read(f"http://tracker.example:{site.port}/big")


async def test_a_compressed_answer_is_not_unpacked(site: Site) -> None:
    site.page("/zip", b"\x1f\x8b...", headers=["Content-Encoding: gzip"])

    with pytest.raises(Unexpected):
        await trial().read(f"http://tracker.example:{site.port}/zip")


@pytest.mark.parametrize(
    ("status", "error"),
    [
        ("404 Not Found", Unexpected), ("403 Forbidden", Unexpected), ("204 No Content", Unexpected),
        ("304 Not Modified", Unexpected), ("429 Slow Down", Unreachable), ("503 Busy", Unreachable),
    ],
)  # fmt: skip
async def test_a_failure_of_the_site_is_told(site: Site, status: str, error: type[Exception]) -> None:
    site.page("/x", b"", status=status)

    with pytest.raises(error, match=r"tracker\.example"):
        await trial().read(f"http://tracker.example:{site.port}/x")


async def test_a_page_that_is_no_torrent_is_told(site: Site) -> None:
    site.page("/x", b"<html>please sign in</html>")

    with pytest.raises(Unexpected, match="not a torrent file"):
        await trial().read(f"http://tracker.example:{site.port}/x")


async def test_a_site_that_says_nothing_is_given_up(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outside, "DEADLINE_S", 0.05)

    with pytest.raises(Unreachable, match="no answer"):
        await trial().read(f"http://tracker.example:{site.port}/silent")


async def test_a_port_without_a_site_is_told() -> None:
    async with serving() as gone:
        port = gone.port

    with pytest.raises(Unreachable, match="cannot be reached"):
        await trial().read(f"http://tracker.example:{port}/x")


async def test_an_unknown_host_is_told() -> None:
    with pytest.raises(Unreachable, match="no such host"):
        await Sources(Outside()).read("http://no-such-host.invalid/x.torrent")


async def test_a_proxy_from_the_environment_is_not_used(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:1")

    assert isinstance(await trial().read(f"http://tracker.example:{site.port}/x.torrent"), Metainfo)


def certificate(folder: Path, name: str) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """A server's context with a certificate for a name, and a client's that trusts it."""
    key = ec.generate_private_key(ec.SECP256R1())
    who = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    names = x509.SubjectAlternativeName([x509.DNSName(name), x509.IPAddress(ipaddress.ip_address("192.0.2.1"))])
    made = (
        x509.CertificateBuilder()
        .subject_name(who)
        .issuer_name(who)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(names, critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = made.public_bytes(serialization.Encoding.PEM)
    secret = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    (folder / "both.pem").write_bytes(secret + pem)
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(folder / "both.pem")
    return server, ssl.create_default_context(cadata=pem.decode())


async def test_the_certificate_must_be_for_the_name_though_the_address_is_pinned(tmp_path: Path) -> None:
    server, client = certificate(tmp_path, "tracker.example")
    async with serving(server) as site:
        site.page("/x.torrent", TORRENT)
        reader = Sources(Outside(allow_loopback=True, resolver=answering("127.0.0.1"), tls=client))

        assert isinstance(await reader.read(f"https://tracker.example:{site.port}/x.torrent"), Metainfo)
        with pytest.raises(Unreachable, match="certificate"):
            await reader.read(f"https://other.example:{site.port}/x.torrent")
        with pytest.raises(Unreachable, match="certificate"):
            await Sources(Outside(allow_loopback=True, resolver=answering("127.0.0.1"))).read(
                f"https://tracker.example:{site.port}/x.torrent"
            )
