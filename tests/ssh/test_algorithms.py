"""The port's cryptography, as ssh-audit judges it."""

from __future__ import annotations

import asyncio
import json
import sys
from typing import Any

import pytest

from tests.ssh.port import Port

KNOWN = {
    "does not provide protection against post-quantum attacks": "curve25519-sha256",
    "using encrypt-and-MAC mode": "hmac-sha2-256",
}
"""Warnings, and of what: each stays for clients that have nothing newer, and is never chosen where both have."""


@pytest.fixture
async def audit(port: Port) -> dict[str, Any]:
    program = [sys.executable, "-m", "ssh_audit", "--json", "--skip-rate-test", "-p", str(port.number), "127.0.0.1"]
    process = await asyncio.create_subprocess_exec(*program, stdout=asyncio.subprocess.PIPE)
    async with asyncio.timeout(120):
        output, _ = await process.communicate()
    found: dict[str, Any] = json.loads(output)
    return found


async def test_the_audit_finds_no_fault_and_warns_of_nothing_new(audit: dict[str, Any]) -> None:
    said = [
        (offered["algorithm"], note)
        for kind in ("kex", "key", "enc", "mac")
        for offered in audit[kind]
        for level in ("fail", "warn")
        for note in offered["notes"].get(level, ())
    ]
    assert [one for one in said if one[1] not in KNOWN] == []
    assert {(note, one.removesuffix("@libssh.org")) for one, note in said} == set(KNOWN.items())
    assert audit["cves"] == []


async def test_what_is_strongest_is_offered_first_and_nothing_is_compressed(audit: dict[str, Any]) -> None:
    assert audit["kex"][0]["algorithm"] == "mlkem768x25519-sha256"
    assert audit["enc"][0]["algorithm"] == "aes128-gcm@openssh.com"
    assert audit["mac"][-1]["algorithm"] == "hmac-sha2-256"
    assert audit["compression"] == ["none"]
    assert [key["algorithm"] for key in audit["key"]] == ["ssh-ed25519"]
