"""What tests about people share: a key of somebody's, passwords that cost little, and what a refusal said."""

from __future__ import annotations

import ssl
from collections.abc import Awaitable
from functools import cache

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric import ed25519
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from uuutorrent.errors import Refused

OTHER = "four unrelated words, ann"
"""Another good password."""
CHEAP_ROUNDS = 4
"""Of bcrypt: the fewest there are."""
PATIENCE_S = 60
"""How long what is asked over HTTP may take on a busy machine."""


@cache
def trust() -> ssl.SSLContext:
    """Whom HTTP clients trust: read once, for it takes longer than most tests."""
    return httpx.create_ssl_context()


def a_key(comment: str = "ann@laptop") -> str:
    public = ed25519.Ed25519PrivateKey.generate().public_key()
    return f"{public.public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).decode()} {comment}"


async def refusal(trying: Awaitable[object]) -> str:
    with pytest.raises(Refused) as caught:
        await trying
    return caught.value.message
