"""How long signing in takes: ssh connect to the first painted screen, by key and by password, beside plain sshd.

Run: python -m benchmarks.connect [--runs 30]
"""

from __future__ import annotations

import argparse
import os
import pty
import subprocess
import tempfile
import time
from pathlib import Path

from benchmarks.machine import machine, percentile
from tests.ports import free_port
from tests.stories.hatchery import die_with_parent
from tests.stories.house import House

PASSWORD = "plain horses battery staple"
PAINTED = b"Watchlist"


def until_painted(command: list[str], environment: dict[str, str]) -> float:
    """Seconds until the screen's first words arrive at the client."""
    master, slave = pty.openpty()
    begun = time.perf_counter()
    process = subprocess.Popen(
        command, stdin=slave, stdout=slave, stderr=slave, env=environment, preexec_fn=die_with_parent
    )
    os.close(slave)
    seen = b""
    while PAINTED not in seen:
        seen += os.read(master, 65536)
    took = time.perf_counter() - begun
    process.kill()
    process.wait()
    os.close(master)
    return took


def until_done(command: list[str]) -> float:
    """Seconds that a command takes."""
    begun = time.perf_counter()
    subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, check=True)
    return time.perf_counter() - begun


def start_sshd(house: House) -> tuple[subprocess.Popen[bytes], list[str]]:
    """The distribution's sshd with the same kind of key, and the command that runs `true` on it."""
    port, folder = free_port(), house.home
    host_key, allowed = folder / "sshd_key", folder / "authorized_keys"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", host_key], check=True)
    allowed.write_bytes((folder / "key-ann.pub").read_bytes())
    Path("/run/sshd").mkdir(exist_ok=True)
    options = [f"HostKey={host_key}", f"AuthorizedKeysFile={allowed}", "StrictModes=no", "UsePAM=no", "PidFile=none"]
    listening = ["/usr/sbin/sshd", "-D", "-e", "-f", "/dev/null", "-p", str(port), "-o", "ListenAddress=127.0.0.1"]
    daemon = subprocess.Popen(
        [*listening, *(word for option in options for word in ("-o", option))],
        stderr=subprocess.DEVNULL,
        preexec_fn=die_with_parent,
    )
    time.sleep(0.5)
    user = subprocess.run(["id", "-un"], capture_output=True, text=True, check=True).stdout.strip()
    return daemon, ["ssh", *house.options("ann"), "-p", str(port), f"{user}@127.0.0.1", "true"]


def main() -> None:
    """Print medians, p95 and the ratio to sshd, the kinds taken in turn."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=30)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        house = House(Path(folder) / "house").start()
        house.add_user("ann")
        house.uuutorrent("user", "passwd", "ann", "--password-stdin", given=PASSWORD + "\n")
        target = ["-tt", "-p", str(house.port), "ann@127.0.0.1"]
        environment = house.environment() | {"TERM": "xterm-256color"}
        answer = house.home / "answer.sh"
        answer.write_text(f'#!/bin/sh\necho "{PASSWORD}"\n')
        answer.chmod(0o700)
        typing = environment | {"SSH_ASKPASS": str(answer), "SSH_ASKPASS_REQUIRE": "force"}
        by_password = ["ssh", "-F", "none", "-o", "PubkeyAuthentication=no", *house.options("ann")[6:-4], *target]
        sshd, plain = start_sshd(house)
        taken: dict[str, list[float]] = {"key": [], "password": [], "sshd true": []}
        for _ in range(given.runs):
            taken["key"].append(until_painted(["ssh", *house.options("ann"), *target], environment))
            taken["password"].append(until_painted(by_password, typing))
            taken["sshd true"].append(until_done(plain))
        sshd.kill()
        sshd.wait()
        house.stop()
    print(machine())
    for kind, seconds in taken.items():
        ratio = percentile(seconds, 50) / percentile(taken["sshd true"], 50)
        p50, p95 = percentile(seconds, 50) * 1000, percentile(seconds, 95) * 1000
        print(f"{kind:10} p50 {p50:.0f} ms, p95 {p95:.0f} ms, {ratio:.2f} × sshd")


if __name__ == "__main__":
    main()
