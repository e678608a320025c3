from __future__ import annotations

from tests.clock import Clock
from uuutorrent.delays import LONGEST_S, NAMES, Delays


def test_a_few_wrong_passwords_cost_nothing_and_many_cost_seconds_never_more() -> None:
    delays, waits = Delays(clock=Clock()), []
    for _ in range(100):
        waits.append(delays.wait_s("ann"))
        delays.failed("ann")
    assert waits[:6] == [0, 0, 0, 0, 0.5, 1.0]
    assert max(waits) == LONGEST_S
    assert delays.wait_s("bob") == 0


def test_it_is_over_once_somebody_got_in_or_ten_minutes_passed() -> None:
    clock = Clock()
    delays = Delays(clock=clock)
    for _ in range(5):
        delays.failed("ann")
        delays.failed("bob")
    delays.succeeded("ann")
    assert (delays.wait_s("ann"), delays.wait_s("bob")) == (0, 1.0)
    clock.move(600)
    assert delays.wait_s("bob") == 0


def test_who_makes_up_names_fills_no_memory() -> None:
    delays = Delays(clock=Clock())
    for number in range(3 * NAMES):
        for _ in range(4):
            delays.failed(f"{number}" + "x" * 1000)
    assert len(delays._wrong) == NAMES
    assert sum(map(len, delays._wrong)) <= 64 * NAMES
