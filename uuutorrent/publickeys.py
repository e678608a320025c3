"""OpenSSH public keys: reading the one line of a `.pub` file, and the fingerprint people compare."""

from __future__ import annotations

import base64
import binascii
import hashlib
import struct
import unicodedata
from dataclasses import dataclass

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import load_ssh_public_key

from uuutorrent.errors import Invalid

KINDS = (
    "ssh-ed25519",
    "ecdsa-sha2-nistp256",
    "ecdsa-sha2-nistp384",
    "ecdsa-sha2-nistp521",
    "sk-ssh-ed25519@openssh.com",
    "sk-ecdsa-sha2-nistp256@openssh.com",
    "ssh-rsa",
)
MIN_RSA_BITS = 3072
MAX_LINE = 8192
MAX_COMMENT = 200


@dataclass(frozen=True, slots=True)
class PublicKey:
    """A public key as it is stored: `line` is its type and base64 without the comment."""

    line: str
    fingerprint: str
    comment: str


def parse(line: str) -> PublicKey:
    """Read one line as `ssh-keygen` writes it: type, base64, and a comment if there is one.

    Raises:
        Invalid: not a public key, more than one, a kind that is not accepted, or an RSA key below 3072 bits.
    """
    text = line.strip()
    if "PRIVATE KEY" in text:
        raise Invalid("that is a private key: keep it to yourself and give the .pub file beside it", field="key")
    if "\n" in text:
        raise Invalid("give one public key at a time: a single line", field="key")
    kind, encoded, comment = [*text.split(None, 2), "", "", ""][:3]
    if kind not in KINDS or not encoded or len(text) > MAX_LINE:
        raise Invalid(_what_is_wrong(kind), field="key")
    blob = _blob(kind, encoded)
    _check(kind, encoded)
    return PublicKey(f"{kind} {encoded}", fingerprint(blob), _printable(comment)[:MAX_COMMENT])


def fingerprint(blob: bytes) -> str:
    """SHA256:…, as `ssh-keygen -l` prints it, of a key in its wire form."""
    return "SHA256:" + base64.b64encode(hashlib.sha256(blob).digest()).decode().rstrip("=")


def _what_is_wrong(kind: str) -> str:
    if "-cert-" in kind:
        return "that is a certificate: give the public key itself"
    if kind == "ssh-dss":
        return "DSA keys are too weak to be accepted: make a new key with ssh-keygen -t ed25519"
    return "that is not an OpenSSH public key: give the line of a .pub file, e.g. ssh-ed25519 AAAA… you@laptop"


def _blob(kind: str, encoded: str) -> bytes:
    """The wire form; its first string must name the same type as the line does."""
    head = struct.pack(">I", len(kind)) + kind.encode()
    try:
        blob = base64.b64decode(encoded, validate=True)
    except binascii.Error as e:
        raise Invalid("that public key is damaged: copy the whole line of the .pub file", field="key") from e
    if not blob.startswith(head):
        raise Invalid("that public key is damaged: copy the whole line of the .pub file", field="key")
    return blob


def _check(kind: str, encoded: str) -> None:
    try:
        key = load_ssh_public_key(f"{kind} {encoded}".encode())
    except (ValueError, UnsupportedAlgorithm) as e:
        raise Invalid("that public key is damaged: copy the whole line of the .pub file", field="key") from e
    if isinstance(key, rsa.RSAPublicKey) and key.key_size < MIN_RSA_BITS:
        raise Invalid(
            f"RSA keys below {MIN_RSA_BITS} bits are too weak to be accepted (this one has {key.key_size}): "
            "make a new key with ssh-keygen -t ed25519",
            field="key",
        )


def _printable(comment: str) -> str:
    """The comment without controls: it is shown on terminals."""
    return "".join(c for c in comment if unicodedata.category(c)[0] != "C").strip()
