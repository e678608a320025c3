"""Secrets at rest: sealed with a key that is not in the database, each to the one place it belongs.

The database alone (a backup that leaks) opens nothing, and what is moved to another user's row stays shut.
"""

from __future__ import annotations

import base64
import binascii
import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Self

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from uuutorrent.errors import BadConfig, Invalid
from uuutorrent.store.private import write_once

VERSION = "v1"
KEY_BYTES = 32
NONCE_BYTES = 12
"""Source: NIST SP 800-38D, 8.2.2: 96 random bits, good for 2^32 texts per key."""


class KeyRing:
    """The keys that seal secrets. The newest one seals; every one that is kept opens what it sealed."""

    def __init__(self, keys: Mapping[str, bytes]) -> None:
        self._keys = {key_id: AESGCM(key) for key_id, key in keys.items()}
        self._newest = next(reversed(list(keys)))

    @classmethod
    def open(cls, path: Path) -> Self:
        """Read the key file (a line `<id> <base64 of 32 bytes>` per key, newest last); made once if there is none.

        Raises:
            BadConfig: others may read it, or it is not a key file.
        """
        if not path.exists():
            write_once(
                path, f"{secrets.token_hex(4)} {base64.b64encode(secrets.token_bytes(KEY_BYTES)).decode()}\n".encode()
            )
        if path.stat().st_mode & 0o077:
            raise BadConfig(f"{path} may be read by others: run `chmod 400 {path}`")
        try:
            return cls(_parse(path.read_text("ascii")))
        except OSError as e:
            raise BadConfig(f"{path}: {e.strerror}") from e
        except ValueError as e:
            raise BadConfig(f"{path} is damaged: put back the one from your backup; sealed secrets need it") from e

    def seal(self, secret: str, *, place: str) -> str:
        """The secret, sealed for `place` ("table:column:user id"), as `v1:<key id>:<nonce>:<ciphertext>`."""
        nonce = secrets.token_bytes(NONCE_BYTES)
        sealed = self._keys[self._newest].encrypt(nonce, secret.encode(), _bound(self._newest, place))
        return ":".join((VERSION, self._newest, _text(nonce), _text(sealed)))

    def unseal(self, sealed: str, *, place: str) -> str:
        """The secret that was sealed for this place.

        Raises:
            Invalid: it was sealed for another place, changed, or sealed with a key that is gone.
        """
        version, key_id, nonce, text = (sealed.split(":") + [""] * 4)[:4]
        if version != VERSION or key_id not in self._keys:
            raise Invalid("a stored secret cannot be opened: the key it was sealed with is gone")
        try:
            return self._keys[key_id].decrypt(_bytes(nonce), _bytes(text), _bound(key_id, place)).decode()
        except (InvalidTag, ValueError) as e:
            raise Invalid("a stored secret cannot be opened: it was changed or moved") from e


def _parse(text: str) -> dict[str, bytes]:
    keys = {}
    for line in text.splitlines():
        key_id, encoded = line.split()
        keys[key_id] = base64.b64decode(encoded, validate=True)
        if len(keys[key_id]) != KEY_BYTES or not key_id.isalnum():
            raise ValueError("not a key")
    if not keys:
        raise ValueError("no keys")
    return keys


def _bound(key_id: str, place: str) -> bytes:
    return f"{VERSION}:{key_id}:{place}".encode()


def _text(value: bytes) -> str:
    return base64.urlsafe_b64encode(value).decode().rstrip("=")


def _bytes(text: str) -> bytes:
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except binascii.Error as e:
        raise ValueError("not base64") from e
