"""The cryptography the port offers. What is not on this page is refused.

No finite-field groups (up to 16 ms of CPU per handshake before anyone has signed in), no NIST key exchange, no CBC, no
SHA-1, no MAC before encryption. ChaCha20 is left out because clients that offer both then take AES-GCM, which costs
this server a third.
"""

from __future__ import annotations

import asyncssh
from asyncssh.kex import get_kex_algs

_KEY_EXCHANGE = (
    "mlkem768x25519-sha256",
    "sntrup761x25519-sha512",
    "sntrup761x25519-sha512@openssh.com",
    "curve25519-sha256",
    "curve25519-sha256@libssh.org",
)
KEY_EXCHANGE = tuple(name for name in _KEY_EXCHANGE if name.encode() in get_kex_algs())
"""Post-quantum first, as far as the libraries of this machine have it."""
CIPHERS = ("aes128-gcm@openssh.com", "aes256-gcm@openssh.com", "aes256-ctr")
MACS = ("hmac-sha2-256-etm@openssh.com", "hmac-sha2-512-etm@openssh.com", "hmac-sha2-256")
"""Only for aes256-ctr: GCM brings its own. The last is for curl with libssh2 before 1.11, which has no other."""
COMPRESSION = ("none",)
SIGNATURES = (
    "ssh-ed25519",
    "sk-ssh-ed25519@openssh.com",
    "ecdsa-sha2-nistp256",
    "ecdsa-sha2-nistp384",
    "ecdsa-sha2-nistp521",
    "sk-ecdsa-sha2-nistp256@openssh.com",
    "rsa-sha2-512",
    "rsa-sha2-256",
)
"""With which people's keys may sign."""


def only_modern_signatures(key: asyncssh.SSHKey) -> None:
    """Make this one key object refuse signatures outside SIGNATURES, `ssh-rsa` (SHA-1) above all.

    asyncssh tells clients the list but does not hold them to it: its RSA keys verify SHA-1 as well.
    """
    key.all_sig_algorithms = key.all_sig_algorithms & {name.encode() for name in SIGNATURES}
