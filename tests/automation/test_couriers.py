"""Messages that a child process really sends, over loopback, and what it refuses to."""

from __future__ import annotations

import asyncio
import ipaddress
import socket
import ssl
import sys
import time
from collections.abc import AsyncIterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from tests.servers.receiver import Receiver, posting, receiving
from uuutorrent.automation.channels.couriers import MOST_TRIALS, Couriers, Sent
from uuutorrent.errors import Invalid, Refused, Unreachable, UuuError

HOSTILE = "Finished: [Sub](http://evil.example) <b>Show</b> @everyone & *all* <!channel>"


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    async with receiving() as receiver:
        yield receiver


async def send(url: str, *texts: str, allow_private: bool = True, deadline_s: float = 30.0) -> Sent:
    couriers = Couriers(allow_private=allow_private, deadline_s=deadline_s)
    return await couriers.send(url, [("uuutorrent", text) for text in texts or ("Hello.",)], to="channel")


def why(sent: Sent) -> str:
    assert sent.trouble
    return sent.trouble.message


async def refusal(url: str, *, allow_private: bool = True) -> UuuError:
    with pytest.raises(UuuError) as caught:
        await Couriers(allow_private=allow_private).check(url)
    return caught.value


async def test_several_messages_arrive_as_they_are(receiver: Receiver) -> None:
    sent = await send(receiver.url, HOSTILE, "Zweite, mit Ümläuten und 日本語.")
    assert sent == Sent(2)
    assert receiver.messages == [HOSTILE, "Zweite, mit Ümläuten und 日本語."]
    assert {one["title"] for one in receiver.got} == {"uuutorrent"}


async def test_ntfy_gets_the_text(receiver: Receiver) -> None:
    url = f"ntfy://127.0.0.1:{receiver.port}/things"
    assert await Couriers(allow_private=True).check(url) == "ntfy at 127.0.0.1"
    assert (await send(url, HOSTILE)).delivered == 1
    assert receiver.got == [{"topic": "things", "title": "uuutorrent", "message": HOSTILE}]


async def test_mail_arrives() -> None:
    async with posting() as postbox:
        url = f"mailto://127.0.0.1:{postbox.port}?from=seedbox@example.org&to=ann@example.org"
        assert await Couriers(allow_private=True).check(url) == "e-mail at 127.0.0.1"
        assert await send(url, "Finished: Frieren 5.", "Finished: Frieren 6.") == Sent(2)
    assert [one.get_content().strip() for one in postbox.mail] == ["Finished: Frieren 5.", "Finished: Frieren 6."]
    assert {one["Subject"] for one in postbox.mail} == {"uuutorrent"}
    assert set(postbox.recipients) == {"<ann@example.org>"}


@pytest.mark.parametrize(
    ("command", "answer", "told"),
    [
        ("AUTH", "535 5.7.8 wrong", "it does not let us in: look at the user and password"),
        ("RCPT", "550 no such user", "the mail server does not take the message"),
        ("DATA", "554 spam", "the mail server does not take the message"),
    ],
)
async def test_why_mail_is_not_taken_is_told(command: str, answer: str, told: str) -> None:
    async with posting() as postbox:
        postbox.refuses[command] = answer
        sent = await send(f"mailto://ann:hunter2@127.0.0.1:{postbox.port}?from=a@example.org&to=b@example.org")
    assert told in why(sent)
    assert postbox.mail == []


async def test_a_chat_is_told_no_markup_and_calls_nobody(receiver: Receiver) -> None:
    url = f"mmost://127.0.0.1:{receiver.port}/abcdefghijklmnopqrstuvwxyz"
    assert (await send(url, HOSTILE)).delivered == 1
    told = receiver.got[0]["text"]
    assert "@everyone" not in told
    assert "](http" not in told
    assert "<" not in told
    assert "\\*all\\*" in told


async def test_up_to_the_one_that_fails_everything_is_delivered(receiver: Receiver) -> None:
    receiver.refuses_after = 2
    sent = await send(receiver.url, "One.", "Two.", "Three.", "Four.")
    assert (sent.delivered, why(sent)) == (2, "channel: it answers 500")
    assert receiver.messages == ["One.", "Two."]


@pytest.mark.parametrize(
    ("status", "told"),
    [(401, "look at the password or token"), (404, "there is nothing at that address"), (429, "fewer messages")],
)
async def test_an_answer_is_told_in_words(receiver: Receiver, status: int, told: str) -> None:
    receiver.status = status
    assert told in why(await send(f"json://ann:hunter2@127.0.0.1:{receiver.port}/tok-123"))


async def test_a_redirect_is_not_followed(receiver: Receiver) -> None:
    async with receiving() as elsewhere:
        receiver.status, receiver.location = 302, f"http://127.0.0.1:{elsewhere.port}/"
        assert "it redirects elsewhere" in why(await send(receiver.url))
        assert elsewhere.paths == []


async def test_where_nothing_listens_is_told() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        sent = await send(f"json://127.0.0.1:{free.getsockname()[1]}/")
    assert isinstance(sent.trouble, Unreachable)
    assert why(sent) == "channel: it cannot be reached"


async def test_one_that_never_answers_is_cut_at_the_deadline(receiver: Receiver) -> None:
    receiver.status = 0
    before = time.monotonic()
    sent = await send(receiver.url, deadline_s=3.0)
    assert why(sent) == "channel: it does not answer in 3 s"
    assert receiver.paths == ["/hook"]
    assert time.monotonic() - before < 20
    assert await children() == []


async def test_an_answer_without_end_is_cut() -> None:
    async def endless(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            writer.write(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n")
            while True:
                writer.write(b"x" * (1 << 16))
                await writer.drain()
        writer.close()

    server = await asyncio.start_server(endless, "127.0.0.1", 0)
    async with server:
        sent = await send(f"json://127.0.0.1:{server.sockets[0].getsockname()[1]}/")
    assert sent.delivered == 0
    assert await children() == []


async def test_a_machine_that_starts_no_process_is_told_of() -> None:
    couriers = Couriers(allow_private=True, program=("/nonexistent/python",))
    sent = await couriers.send("json://127.0.0.1/", [("uuutorrent", "Hello.")], to="channel")
    assert why(sent) == "channel: no process can be started for it just now"


async def test_a_certificate_that_nobody_vouches_for_is_not_taken(tmp_path: Path) -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0, ssl=own_certificate(tmp_path))
    async with server:
        sent = await send(f"jsons://127.0.0.1:{server.sockets[0].getsockname()[1]}/")
    assert why(sent) == "channel: its certificate is not valid"


async def test_a_sender_that_goes_away_takes_the_child_along(receiver: Receiver) -> None:
    receiver.status = 0
    sending = asyncio.create_task(send(receiver.url), name="sending")
    await receiver.until_asked()
    sending.cancel()
    await asyncio.wait({sending})
    assert sending.cancelled()
    assert await children() == []


@pytest.mark.parametrize("code", ["import os; os._exit(3)", "print('nonsense')", "import os, signal; os.kill(0, 9)"])
async def test_a_child_that_breaks_is_told_of(code: str) -> None:
    couriers = Couriers(allow_private=True, program=(sys.executable, "-c", code))
    sent = await couriers.send("json://127.0.0.1/", [("uuutorrent", "Hello.")], to="channel")
    assert (sent.delivered, why(sent)) == (0, "channel: something broke while it was sent")


async def test_two_children_at_most_run_at_once(receiver: Receiver) -> None:
    receiver.gate = asyncio.Event()
    couriers = Couriers(allow_private=True)
    sending = [asyncio.create_task(couriers.send(receiver.url, [("t", "x")], to="c"), name=f"{n}") for n in range(4)]
    await receiver.until_asked(2)
    assert len(await children()) == 2
    receiver.gate.set()
    assert [one.delivered for one in await asyncio.gather(*sending)] == [1, 1, 1, 1]


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "localhost", "[::1]", "10.1.2.3", "192.168.1.1", "169.254.169.254", "0.0.0.0"]
)
async def test_private_addresses_are_refused_without_permission(receiver: Receiver, host: str) -> None:
    url = f"json://{host}:{receiver.port}/hook"
    assert isinstance(await refusal(url, allow_private=False), Refused)
    sent = await send(url, allow_private=False)
    assert isinstance(sent.trouble, Refused)
    assert "private network" in why(sent)
    assert receiver.paths == []


async def test_mail_to_a_private_address_is_refused_without_permission() -> None:
    async with posting() as postbox:
        sent = await send(f"mailto://localhost:{postbox.port}?from=a@b.de&to=c@d.de", allow_private=False)
    assert "private network" in why(sent)
    assert postbox.said == []


@pytest.mark.parametrize("host", ["169.254.169.254", "[fe80::1]", "[fd00:ec2::254]", "100.100.100.200", "0.0.0.0"])
async def test_a_clouds_credentials_are_refused_with_permission_too(host: str) -> None:
    assert isinstance(await refusal(f"json://{host}/latest"), Refused)
    assert "private network" in why(await send(f"json://{host}/latest"))


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("dbus://", "Nothing is sent to dbus://"),
        ("syslog://", "Nothing is sent to syslog://"),
        ("gnome://", "Nothing is sent to gnome://"),
        ("file:///etc/passwd", "Nothing is sent to file://"),
        ("apprise://localhost/token", "Nothing is sent to apprise://"),
        ("exec://rm", "Nothing is sent to exec://"),
        ("https://hooks.example.org/x", "jsons://HOST/PATH"),
        ("no address", "Give an address such as ntfys://"),
        ("json://", "cannot be read as an address of a webhook"),
        ("json://127.0.0.1/?verify=no", "The option verify of a webhook is not taken here"),
        ("json://127.0.0.1/?redirect=yes", "The option redirect"),
        ("form://127.0.0.1/?attach-as=x", "The option attach-as"),
        ("ntfy://127.0.0.1/x?attach=/etc/passwd", "The option attach of ntfy"),
        ("ntfy://127.0.0.1/x?+Header=1", "The option +header of ntfy"),
        ("discord://1234/abcd?template=/etc/passwd", "The option template of Discord"),
        ("discord://1234/abcd?format=markdown", "The option format"),
        ("mailto://a:b@127.0.0.1?pgppub=/etc/passwd", "The option pgppub of e-mail"),
        ("mailtos://a:b@example.org?mode=insecure", "never sent unencrypted"),
        ("tgram://not-a-token", "cannot be read as an address of Telegram"),
        ("ntfy://127.0.0.1/" + "/".join(f"t{n}" for n in range(11)), "10 targets at most"),
    ],
)
async def test_what_is_not_taken_is_told(url: str, told: str) -> None:
    error = await refusal(url)
    assert isinstance(error, Invalid)
    assert (error.field, told in error.message) == ("url", True), error.message


@pytest.mark.parametrize(
    ("url", "label"),
    [
        ("https://discord.com/api/webhooks/123456/s3cret-token", "Discord"),
        ("https://hooks.slack.com/services/T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ", "Slack"),
        ("tgram://123456789:s3cret_token/12315544", "Telegram"),
        ("pover://s3crets3crets3crets3crets3crets@tokentokentokentokentokentoke", "Pushover"),
        ("matrix://ann:s3cret@127.0.0.1/#things", "Matrix at 127.0.0.1"),
        ("json://ann:s3cret@127.0.0.1:8000/s3cret?+Authorization=s3cret", "a webhook at 127.0.0.1"),
    ],
)
async def test_the_name_of_an_address_tells_no_secret(url: str, label: str) -> None:
    assert await Couriers(allow_private=True).check(url) == label


async def children() -> list[int]:
    """The couriers that this process still has."""
    return await asyncio.to_thread(_children)


def _children() -> list[int]:
    found = []
    for task in Path("/proc/self/task").iterdir():
        for pid in (task / "children").read_text().split():
            place = Path(f"/proc/{pid}/cmdline")
            if place.exists() and b"uuutorrent.automation.channels.courier" in place.read_bytes():
                found.append(int(pid))
    return found


def own_certificate(folder: Path) -> ssl.SSLContext:
    """A server's side of TLS, with a certificate for 127.0.0.1 that it signed itself."""
    key, name, now = ec.generate_private_key(ec.SECP256R1()), x509.Name([]), datetime.now(UTC)
    begun = x509.CertificateBuilder(name, name, key.public_key(), 1, now - timedelta(days=1), now + timedelta(days=1))
    here = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    signed = begun.add_extension(here, critical=False).sign(key, hashes.SHA256())
    secret = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    (folder / "server.pem").write_bytes(secret + signed.public_bytes(serialization.Encoding.PEM))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "server.pem")
    return context


_SLOW_TRIALS = """
import json, signal, sys
if "messages" in json.load(sys.stdin):
    print('{"delivered": 1}', flush=True)
else:
    signal.pause()
"""


async def test_people_who_try_out_addresses_do_not_keep_messages_from_being_sent() -> None:
    couriers = Couriers(allow_private=True, program=(sys.executable, "-c", _SLOW_TRIALS))
    trials = [asyncio.create_task(couriers.check("json://127.0.0.1:9")) for _ in range(MOST_TRIALS + 2)]
    try:
        for _ in range(3):
            sent = await asyncio.wait_for(couriers.send("json://127.0.0.1:9", [("t", "Hello.")], to="channel"), 20)
            assert sent == Sent(1)
        refused = [trial.exception() for trial in trials if trial.done()]
        assert [str(one) for one in refused] == [
            "The courier: too many addresses are being tried out just now; try again in a minute"
        ] * 2
    finally:
        for trial in trials:
            trial.cancel()
        await asyncio.gather(*trials, return_exceptions=True)
