"""How the machine does: reading /proc, and the samples of an hour and a day."""

from __future__ import annotations

from pathlib import Path

import pytest

from uuutorrent import machine
from uuutorrent.machine import Counters, Machine, Sample
from uuutorrent.tally import Tally

STAT = "cpu  100 10 50 800 40 5 5 0 7 0\ncpu0 50 5 25 400 20 2 3 0 7 0\nintr 1 2 3\n"
DEV = """Inter-|   Receive                                                |  Transmit
 face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls
    lo: 9000000 100 0 0 0 0 0 0 9000000 100 0 0 0 0 0 0
  eth0:1000 10 0 0 0 0 0 0 2000 20 0 0 0 0 0 0
enp0s3: 5 1 0 0 0 0 0 0 7 1 0 0 0 0 0 0
"""
MEMINFO = "MemTotal:       1000 kB\nMemFree:         100 kB\nMemAvailable:    400 kB\nHugePages_Total:       0\n"


@pytest.fixture
def proc(tmp_path: Path) -> Path:
    """A machine that stands still."""
    (tmp_path / "net").mkdir()
    for name, text in (("stat", STAT), ("net/dev", DEV), ("meminfo", MEMINFO)):
        (tmp_path / name).write_text(text)
    return tmp_path


def test_processors_are_busy_when_they_are_neither_idle_nor_wait_for_the_disk() -> None:
    assert machine.processors(STAT) == (170, 1010)


def test_lines_are_summed_without_loopback() -> None:
    assert machine.lines(DEV) == (1005, 2007)


def test_memory_that_can_be_had_at_once_is_not_used() -> None:
    assert machine.memory_share(MEMINFO) == pytest.approx(0.6)


@pytest.mark.parametrize("text", ["", "cpu\n", "cpu a b c d e\n", "nothing 1 2 3 4 5"])
def test_what_is_not_about_processors_is_not_read(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        machine.processors(text)


@pytest.mark.parametrize("text", ["", "MemTotal:\n", "MemTotal: 0 kB\nMemAvailable: 0 kB", "MemTotal: x kB\n"])
def test_what_is_not_about_memory_is_not_read(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        machine.memory_share(text)


def test_between_two_readings_there_is_a_share_and_a_rate() -> None:
    moved = machine.since((0.0, Counters(10, 100, 1000, 0)), (10.0, Counters(60, 200, 6000, 20_000)))
    assert moved == Sample(cpu=0.5, received_bps=500, sent_bps=2000)


def test_a_counter_that_went_back_says_nothing() -> None:
    assert machine.since((0.0, Counters(10, 100, 1000, 9)), (10.0, Counters(0, 0, 0, 10))) == Sample(sent_bps=0.1)
    assert machine.since(None, (10.0, Counters())) == Sample()


def test_the_worst_lag_is_the_highest_bucket_that_grew() -> None:
    assert machine.worst((1, 1, 1), (5, 2, 1), (0.1, 0.5)) == 0.5
    assert machine.worst((1, 1, 1), (1, 1, 2), (0.1, 0.5)) == 0.5
    assert machine.worst((1, 1, 1), (1, 1, 1), (0.1, 0.5)) is None


def test_five_minutes_are_means_and_the_worst_lag() -> None:
    five = machine.merged([Sample(cpu=0.2, lag_s=0.1), Sample(cpu=0.4, lag_s=1.0), Sample()])
    assert five.cpu == pytest.approx(0.3)
    assert (five.lag_s, five.disk) == (1.0, None)


async def test_an_hour_is_kept_by_ten_seconds_and_a_day_by_five_minutes(proc: Path, tmp_path: Path) -> None:
    tally, now = Tally(), 0.0
    watched = Machine(tally, tmp_path, proc=proc, clock=lambda: now)
    tally.observe("event_loop_lag_seconds", 0.03)
    for turn in range(machine.HOUR + 2 * machine.MERGED):
        now += machine.SAMPLE_S
        (proc / "net/dev").write_text(DEV.replace("eth0:1000", f"eth0:{1000 + 5000 * turn}"))
        await watched.sample_once()
    assert len(watched.hour()) == machine.HOUR
    assert len(watched.day()) == machine.HOUR // machine.MERGED + 2
    newest = watched.hour()[-1]
    assert (newest.received_bps, newest.sent_bps) == (500, 0)
    assert newest.memory == pytest.approx(0.6)
    assert newest.cpu is None
    assert newest.disk is not None
    assert 0 < newest.disk < 1
    assert watched.day()[0].lag_s == 0.05
    assert newest.lag_s is None


async def test_without_proc_and_disk_nothing_is_known(tmp_path: Path) -> None:
    watched = Machine(Tally(), tmp_path / "gone", proc=tmp_path)
    await watched.sample_once()
    assert watched.hour() == (Sample(),)


async def test_this_machine_says_how_it_does(tmp_path: Path) -> None:
    watched = Machine(Tally(), tmp_path)
    await watched.sample_once()
    (one,) = watched.hour()
    assert one.memory is not None
    assert 0 < one.memory < 1
