from __future__ import annotations

import base64
import struct
import subprocess
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ed25519
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given
from hypothesis import strategies as st

from uuutorrent.errors import Invalid
from uuutorrent.publickeys import MAX_COMMENT, parse


def string(value: bytes) -> bytes:
    return struct.pack(">I", len(value)) + value


def raw_key() -> bytes:
    # The same in every test process, since it is part of the names of tests.
    return (
        ed25519.Ed25519PrivateKey.from_private_bytes(b"a key for tests".ljust(32))
        .public_key()
        .public_bytes(Encoding.Raw, PublicFormat.Raw)
    )


def line(kind: str, *parts: bytes, comment: str = "") -> str:
    blob = string(kind.encode()) + b"".join(string(part) for part in parts)
    return f"{kind} {base64.b64encode(blob).decode()} {comment}".rstrip()


ED25519 = line("ssh-ed25519", raw_key(), comment="ann@laptop")
SECURITY_KEY = line("sk-ssh-ed25519@openssh.com", raw_key(), b"ssh:", comment="yubikey")


def keygen(path: Path, *words: str) -> Path:
    subprocess.run(["ssh-keygen", "-q", "-N", "", "-C", "some body@host", "-f", path, *words], check=True)
    return path.with_suffix(".pub")


def told_by_keygen(path: Path) -> str:
    done = subprocess.run(["ssh-keygen", "-lf", path], check=True, capture_output=True, text=True)
    return done.stdout.split()[1]


@pytest.mark.parametrize(
    "words",
    [
        ("-t", "ed25519"),
        ("-t", "ecdsa", "-b", "256"),
        ("-t", "ecdsa", "-b", "384"),
        ("-t", "ecdsa", "-b", "521"),
        ("-t", "rsa", "-b", "3072"),
    ],
)
def test_the_fingerprint_is_the_one_that_ssh_keygen_prints(tmp_path: Path, words: tuple[str, ...]) -> None:
    file = keygen(tmp_path / "id", *words)
    key = parse(file.read_text())
    assert key.fingerprint == told_by_keygen(file)
    assert key.comment == "some body@host"
    assert f"{key.line} some body@host\n" == file.read_text()


def test_security_keys_are_keys_too(tmp_path: Path) -> None:
    file = tmp_path / "sk.pub"
    file.write_text(SECURITY_KEY)
    assert parse(SECURITY_KEY).fingerprint == told_by_keygen(file)


def test_a_short_rsa_key_is_refused_with_what_to_do(tmp_path: Path) -> None:
    file = keygen(tmp_path / "id", "-t", "rsa", "-b", "2048")
    with pytest.raises(Invalid, match=r"this one has 2048\): make a new key with ssh-keygen -t ed25519"):
        parse(file.read_text())


def test_a_private_key_is_refused_without_being_shown(tmp_path: Path) -> None:
    text = keygen(tmp_path / "id", "-t", "ed25519").with_suffix("").read_text()
    with pytest.raises(Invalid, match="that is a private key") as caught:
        parse(text)
    assert text.splitlines()[1] not in caught.value.message


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "not an OpenSSH public key"),
        ("ssh-ed25519", "not an OpenSSH public key"),
        ("hello there", "not an OpenSSH public key"),
        (f'from="10.0.0.1" {ED25519}', "not an OpenSSH public key"),
        ("ssh-dss AAAAB3NzaC1kc3M=", "DSA keys are too weak"),
        ("ssh-ed25519-cert-v01@openssh.com AAAA", "that is a certificate"),
        (f"{ED25519}\n{SECURITY_KEY}", "one public key at a time"),
        ("ssh-ed25519 !!!!", "damaged"),
        ("ssh-ed25519 AAAA", "damaged"),
        (ED25519.split()[0] + " " + ED25519.split()[1][:-8], "damaged"),
        ("ssh-rsa " + ED25519.split()[1], "damaged"),
        (line("ssh-ed25519", b"x" * 31), "damaged"),
        (line("ssh-rsa", b"", b""), "damaged"),
        ("ssh-ed25519 " + "A" * 9000, "not an OpenSSH public key"),
    ],
)
def test_what_is_not_one_public_key_is_refused_with_what_it_is(text: str, told: str) -> None:
    with pytest.raises(Invalid, match=told) as caught:
        parse(text)
    assert caught.value.field == "key"


def test_a_comment_cannot_drive_a_terminal_and_has_an_end() -> None:
    bare = " ".join(ED25519.split()[:2])
    assert parse(f"{bare} \x1b[2Jann\x07 at\u202ehome").comment == "[2Jann athome"
    assert len(parse(f"{bare} {'x' * 1000}").comment) == MAX_COMMENT
    assert parse(bare).comment == ""


@given(st.text())
def test_no_text_does_more_than_be_refused(text: str) -> None:
    with pytest.raises(Invalid):
        parse(text)


@given(st.sampled_from(["ssh-ed25519", "ssh-rsa", "ecdsa-sha2-nistp256", "sk-ssh-ed25519@openssh.com"]), st.binary())
def test_no_damaged_key_does_more_than_be_refused(kind: str, rest: bytes) -> None:
    blob = string(kind.encode()) + rest
    with pytest.raises(Invalid):
        parse(f"{kind} {base64.b64encode(blob).decode()}")
