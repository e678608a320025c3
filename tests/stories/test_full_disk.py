"""A disk of 24 MiB that fills: what does not fit is refused, what runs waits, and all of it goes on by itself.

The daemon runs in a mount namespace of its own, with a tmpfs for its downloads. That takes root, or a kernel that lets
people make user namespaces; where neither is had these stories fail and say so.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.stories.hatchery import die_with_parent
from tests.stories.house import House
from tests.swarm import MIB, Made, Swarm

pytestmark = pytest.mark.real

DISK_MIB = 24
FLOOR_MIB = 4
SLOW_BPS = 200_000


@dataclass
class Cellar:
    """A house whose downloads have a small disk, and a swarm to fetch from."""

    house: House
    swarm: Swarm
    inside: Path
    """The disk as the daemon sees it, from outside."""

    @contextmanager
    def filled(self) -> Iterator[None]:
        """Somebody else writes onto the disk until nothing is left, and takes it away again."""
        filler = self.inside / "filler"
        with filler.open("wb", buffering=0) as writing:
            try:
                while writing.write(bytes(MIB // 4)):
                    pass
            except OSError:
                pass
        yield
        filler.unlink()

    def adds(self, made: Made, code: int = 0) -> Any:
        return self.house.json("ann", "add", "-", given=made.metainfo, code=code)

    def sees(self, made: Made) -> dict[str, Any]:
        (found,) = [one for one in self.house.json("ann", "torrents") if one["infohash"] == made.infohash]
        return dict(found)

    def waits(self, made: Made) -> bool:
        return bool(self.sees(made)["note"] == "It waits for room on the disk, and goes on by itself.")

    def bytes_of(self, made: Made) -> bytes:
        return (self.inside / made.infohash / made.name).read_bytes()


@contextmanager
def small_disk(disk: Path) -> Iterator[int]:
    """A process that sees a small disk there, which goes when it ends."""
    as_root = () if os.geteuid() == 0 else ("--user", "--map-root-user")
    mount = f'mount -t tmpfs -o size={DISK_MIB}M tmpfs "{disk}" && echo mounted && exec sleep infinity'
    holder = subprocess.Popen(
        ["unshare", *as_root, "--mount", "sh", "-c", mount],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        preexec_fn=die_with_parent,
    )
    with holder:
        assert holder.stdout is not None
        assert holder.stderr is not None
        if holder.stdout.readline() != b"mounted\n":
            pytest.fail(f"only root, or who may make user namespaces, gets a small disk: {holder.stderr.read()!r}")
        try:
            yield holder.pid
        finally:
            holder.kill()


def seen_from(pid: int) -> tuple[str, ...]:
    """What starts a program that sees the disks of a process."""
    as_root = () if os.geteuid() == 0 else ("--user", "--preserve-credentials")
    return ("nsenter", "--target", str(pid), "--mount", *as_root, "--")


@pytest.fixture
def cellar(tmp_path: Path) -> Iterator[Cellar]:
    (tmp_path / "seeds").mkdir()
    (disk := tmp_path / "disk").mkdir()
    with Swarm(tmp_path / "seeds") as swarm, small_disk(disk) as holder:
        house = House(
            tmp_path / "house",
            qbittorrent_settings=f'interface = "lo"\ndiscovery = false\ndownload_dir = "{disk}"',
            upkeep_settings=f"free_floor_bytes = {FLOOR_MIB * MIB}",
            launcher=seen_from(holder),
        )
        house.start().add_user("ann")
        yield Cellar(house, swarm, Path(f"/proc/{holder}/root{disk}"))
        if house.process is not None:
            house.stop()


def test_a_full_disk_refuses_holds_back_and_lets_go_on(cellar: Cellar) -> None:
    house, swarm = cellar.house, cellar.swarm
    house.add_user("boss", admin=True)
    first = swarm.share("First.mkv", 8 * MIB, limit_bps=SLOW_BPS)
    second = swarm.share("Second.mkv", 6 * MIB, limit_bps=SLOW_BPS)
    cellar.adds(first)
    cellar.adds(second)
    house.until(lambda: cellar.sees(first)["progress"] > 0 < cellar.sees(second)["progress"], "nothing comes")

    refused = cellar.adds(swarm.share("Third.mkv", 10 * MIB, seed=False), code=3)["error"]["message"]
    assert refused.startswith("It needs 10 MiB; "), refused
    assert refused.endswith(" are free beside what is downloading and the 4.0 MiB that stay free."), refused
    assert len(house.json("ann", "torrents")) == 2

    with cellar.filled():
        house.until(lambda: cellar.waits(first) and cellar.waits(second), "they do not wait")
        said = house.ssh("ann", "resume", first.infohash).stdout.decode()
        assert said == "First.mkv waits for room on the disk, and goes on by itself.\n"
        assert house.json("boss", "orphans")["files"][0]["path"] == "filler"

    swarm.limit(first, 0)
    swarm.limit(second, 0)
    for made in (first, second):
        house.until(lambda made=made: cellar.sees(made)["completed_at"], f"{made.name} does not go on by itself")
        assert cellar.bytes_of(made) == made.files[made.name]
        assert cellar.sees(made)["note"] == ""


def test_what_waits_goes_on_though_the_daemon_was_killed_meanwhile(cellar: Cellar) -> None:
    house, swarm = cellar.house, cellar.swarm
    made = swarm.share("Only.mkv", 8 * MIB, limit_bps=SLOW_BPS)
    cellar.adds(made)
    house.until(lambda: cellar.sees(made)["progress"] > 0, "nothing comes")
    with cellar.filled():
        house.until(lambda: cellar.waits(made), "it does not wait")
        house.kill()
        house.start()
        house.until(lambda: cellar.sees(made)["phase"] == "paused", "it does not wait any more")
        assert cellar.waits(made)
    swarm.limit(made, 0)
    house.until(lambda: cellar.sees(made)["completed_at"], "it does not go on")
    assert cellar.bytes_of(made) == made.files[made.name]
