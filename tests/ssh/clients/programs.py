"""The programs that people move files with, on one person's machine, each told the key and the port in its own way."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import os
import re
import shlex
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import asyncssh
import paramiko

from tests.ssh.laptop import Done, Laptop

SHOWS = "/torrents"
"""The folder of the view that holds one folder per torrent."""

_SYS_ADMIN = 21
"""Source: linux/capability.h, CAP_SYS_ADMIN."""
RCLONE = ("rclone", "--config", "/dev/null", "--retries", "1", "--low-level-retries", "2")


@dataclass
class Programs:
    """What is installed on Ann's machine."""

    laptop: Laptop
    user: str = "ann"
    _ppk: Path | None = field(default=None)

    @property
    def home(self) -> Path:
        return self.laptop.home

    async def sftp(self, *lines: str) -> Done:
        return await self.laptop.sftp(*lines)

    async def scp(self, *words: str) -> Done:
        return await self.laptop.runs("scp", *self.laptop.options(), *words)

    @property
    def rclone_environment(self) -> dict[str, str]:
        """`here:` in front of a path is the seedbox."""
        remote = {
            "TYPE": "sftp",
            "HOST": "127.0.0.1",
            "PORT": str(self.laptop.port.number),
            "USER": self.user,
            "KEY_FILE": str(self.laptop.key),
        }
        return {f"RCLONE_CONFIG_HERE_{key}": value for key, value in remote.items()}

    async def rclone(self, *words: str, given: str = "") -> Done:
        return await self.laptop.runs(*RCLONE, *words, given=given, **self.rclone_environment)

    async def lftp(self, *lines: str) -> Done:
        connect = " ".join(["ssh", "-a", "-x", *self.laptop.options()])
        given = "; ".join((f'set sftp:connect-program "{connect}"', "set net:max-retries 2", *lines, "exit"))
        return await self.laptop.runs("lftp", "--norc", "-e", given, f"sftp://{self.user}:none@127.0.0.1")

    @property
    def curl_url(self) -> str:
        return f"sftp://127.0.0.1:{self.laptop.port.number}"

    @property
    def curl_options(self) -> tuple[str, ...]:
        sum_ = base64.b64encode(hashlib.sha256(self._host_key().public_data).digest()).decode().rstrip("=")
        key = str(self.laptop.key)
        return ("-sS", "--hostpubsha256", sum_, "--user", f"{self.user}:", "--key", key, "--pubkey", f"{key}.pub")

    async def curl(self, path: str, *words: str, given: str = "") -> Done:
        return await self.laptop.runs("curl", *self.curl_options, *words, f"{self.curl_url}{path}", given=given)

    async def psftp(self, *lines: str) -> Done:
        if self._ppk is None:
            self._ppk = self.home / "key.ppk"
            done = await self.laptop.runs("puttygen", str(self.laptop.key), "-o", str(self._ppk))
            assert done.code == 0, done.err
        script = self.home / "script"
        script.write_text("\n".join(lines) + "\n")
        host_key = self._host_key().get_fingerprint()
        told = ("-batch", "-hostkey", host_key, "-P", str(self.laptop.port.number), "-i", str(self._ppk))
        return await self.laptop.runs("psftp", *told, "-be", "-b", str(script), f"{self.user}@127.0.0.1")

    async def rsync(self, *words: str) -> Done:
        return await self.laptop.runs("rsync", "-e", shlex.join(["ssh", *self.laptop.options()]), *words)

    @asynccontextmanager
    async def mounted(self) -> AsyncGenerator[Path]:
        """The files as a folder of this machine, by sshfs."""
        where = self.home / "mount"
        where.mkdir(exist_ok=True)
        done = await self.laptop.runs("sshfs", *self.laptop.options(), f"{self.user}@127.0.0.1:/", str(where))
        assert done.code == 0, done.err
        try:
            yield where
        finally:
            done = await self.laptop.runs("fusermount3", "-u", str(where))
            assert done.code == 0, done.err

    @asynccontextmanager
    async def paramiko(self) -> AsyncGenerator[paramiko.SFTPClient]:
        """Its calls block: each in a thread."""
        client = paramiko.SSHClient()
        client.set_missing_host_key_policy(paramiko.AutoAddPolicy())
        await asyncio.to_thread(
            client.connect,
            "127.0.0.1",
            self.laptop.port.number,
            self.user,
            key_filename=str(self.laptop.key),
            allow_agent=False,
            look_for_keys=False,
            timeout=30,
        )
        try:
            yield await asyncio.to_thread(client.open_sftp)
        finally:
            await asyncio.to_thread(client.close)

    def _host_key(self) -> asyncssh.SSHKey:
        return asyncssh.read_private_key(self.laptop.port.services.config.server.data / "ssh_host_ed25519_key")


def can_mount() -> bool:
    """Whether this machine lets us mount with FUSE: as root with CAP_SYS_ADMIN, or as anybody with fusermount."""
    try:
        os.close(os.open("/dev/fuse", os.O_RDWR))
    except OSError:
        return False
    (held,) = re.findall(r"^CapEff:\s*(\w+)", Path("/proc/self/status").read_text(), re.MULTILINE)
    return bool(int(held, 16) >> _SYS_ADMIN & 1) or os.geteuid() != 0
