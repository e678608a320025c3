"""What tests about people share: a key of somebody's, passwords that cost little, and what a refusal said."""

from __future__ import annotations

from collections.abc import Awaitable

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


def a_key(comment: str = "ann@laptop") -> str:
    public = ed25519.Ed25519PrivateKey.generate().public_key()
    return f"{public.public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).decode()} {comment}"


async def refusal(trying: Awaitable[object]) -> str:
    with pytest.raises(Refused) as caught:
        await trying
    return caught.value.message
