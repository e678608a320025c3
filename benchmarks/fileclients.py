"""The clients with which `benchmarks.files` fetches files, as people start them."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.fileservers import BIG, MANY, SMALL, Server
from tests.stories.hatchery import die_with_parent

GCM, CHACHA, CTR = "aes128-gcm@openssh.com", "chacha20-poly1305@openssh.com", "aes256-ctr"
DEADLINE_S = 300


@dataclass(frozen=True)
class Seat:
    """Where a client sits: its home, with the key that signs it in, and where it puts what it fetched."""

    home: Path
    key: Path
    scratch: Path

    def options(self, server: Server, cipher: str) -> list[str]:
        """Options of OpenSSH."""
        options = (
            f"IdentityFile={self.key}", "IdentitiesOnly=yes", "IdentityAgent=none", "StrictHostKeyChecking=no",
            f"UserKnownHostsFile={self.home}/known", "LogLevel=ERROR", f"Port={server.port}", f"Ciphers={cipher}",
            "MACs=hmac-sha2-256-etm@openssh.com",
        )  # fmt: skip
        return ["-F", "none", *(word for option in options for word in ("-o", option))]


@dataclass(frozen=True)
class Errand:
    """What a client is told to do: its words, what it is given on stdin, and whether its output is what it fetched."""

    words: Sequence[str]
    given: str = ""
    deaf: bool = False
    """What it says is thrown away as it comes."""


Order = Callable[[Seat, Server], Errand]


def sftp(cipher: str, line: str = f'get "{{root}}/{BIG}/file" /dev/null') -> Order:
    """OpenSSH's sftp, with one line to do."""

    def order(seat: Seat, server: Server) -> Errand:
        words = ["sftp", "-q", *seat.options(server, cipher), "-b", "-", f"{server.user}@127.0.0.1"]
        return Errand(words, line.format(root=server.root, scratch=seat.scratch) + "\n", deaf=True)

    return order


def scp(seat: Seat, server: Server) -> Errand:
    """OpenSSH's scp, which speaks SFTP."""
    source = f"{server.user}@127.0.0.1:{server.root}/{BIG}/file"
    return Errand(["scp", "-q", *seat.options(server, GCM), source, "/dev/null"])


def lftp(line: str = f"get {{root}}/{BIG}/file -o /dev/null") -> Order:
    """lftp, over OpenSSH's ssh."""

    def order(seat: Seat, server: Server) -> Errand:
        connect = " ".join(["ssh", "-a", "-x", *seat.options(server, GCM)])
        told = line.format(root=server.root, scratch=seat.scratch)
        script = f'set xfer:clobber on; set sftp:connect-program "{connect}"; {told}; exit'
        return Errand(["lftp", "--norc", "-e", script, f"sftp://{server.user}:none@127.0.0.1"], deaf=True)

    return order


def rclone(what: str, where: str) -> Order:
    """rclone, without a configuration."""

    def order(seat: Seat, server: Server) -> Errand:
        remote = [
            "--sftp-host=127.0.0.1", f"--sftp-port={server.port}", f"--sftp-user={server.user}",
            f"--sftp-key-file={seat.key}", "--sftp-shell-type=none", "--ignore-times", "--retries=1",
        ]  # fmt: skip
        verb = "copyto" if what.endswith("file") else "copy"
        return Errand(["rclone", verb, *remote, f":sftp:{server.root}/{what}", f"{seat.scratch}/{where}"])

    return order


def curl(seat: Seat, server: Server) -> Errand:
    """curl."""
    url = f"sftp://127.0.0.1:{server.port}{server.root}/{BIG}/file"
    key = ["--key", str(seat.key), "--pubkey", f"{seat.key}.pub", "-u", f"{server.user}:"]
    return Errand(["curl", "-sS", "-k", *key, "-o", "/dev/null", url])


def psftp(seat: Seat, server: Server) -> Errand:
    """PuTTY's psftp, which keeps keys in a form of its own."""
    ppk = seat.home / "key.ppk"
    fingerprint = (seat.home / f"fingerprint-{server.name}").read_text()
    words = ["psftp", "-batch", "-P", str(server.port), "-i", str(ppk), "-hostkey", fingerprint, "-b", "/dev/stdin"]
    return Errand([*words, f"{server.user}@127.0.0.1"], f"get {server.root}/{BIG}/file /dev/null\n", deaf=True)


LISTING = sftp(GCM, f'ls -1 "{{root}}/{MANY}"')
SMALL_FILES: Mapping[str, Order] = {
    "sftp": sftp(GCM, f'get -r "{{root}}/{SMALL}" "{{scratch}}"'),
    "lftp": lftp(f"mirror {{root}}/{SMALL} {{scratch}}/{SMALL}"),
    "rclone": rclone(SMALL, SMALL),
}


def prepare(seat: Seat, servers: Sequence[Server]) -> None:
    """What psftp must have before it signs in: its own form of the key, and to know whom it may trust."""
    subprocess.run(["puttygen", seat.key, "-o", seat.home / "key.ppk"], check=True)
    for server in servers:
        shown = subprocess.run(["ssh-keygen", "-lf", server.host_key], capture_output=True, check=True)
        (seat.home / f"fingerprint-{server.name}").write_text(shown.stdout.decode().split()[1])


def start(errand: Errand, seat: Seat) -> subprocess.Popen[bytes]:
    """Send it off."""
    environment = {"PATH": os.environ["PATH"], "HOME": str(seat.home), "LANG": "C.UTF-8"}
    process = subprocess.Popen(
        errand.words,
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL if errand.deaf else subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment,
        preexec_fn=die_with_parent,
    )
    assert process.stdin is not None
    process.stdin.write(errand.given.encode())
    process.stdin.close()
    process.stdin = None
    return process


def ended(process: subprocess.Popen[bytes]) -> str:
    """Wait for it; returns what went wrong, if anything."""
    try:
        _, trouble = process.communicate(timeout=DEADLINE_S)
    except subprocess.TimeoutExpired:
        process.kill()
        return "took too long"
    said = trouble.decode(errors="replace").strip().splitlines()
    return (said[-1] if said else f"exit {process.returncode}") if process.returncode else ""
