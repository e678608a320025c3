from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tests.clock import Clock
from uuutorrent.ssh.turns import FREE_S, LONGEST_S, SHARE, Debt, Turns

PACKETS_S = 0.01


class Loop:
    """An event loop of one thread: it takes in what is ripe, or idles for a millisecond."""

    def __init__(self, senders: int) -> None:
        self.clock = Clock()
        turns = Turns(clock=self.clock)
        self.debts = [Debt(turns) for _ in range(senders)]
        self.ripe_at = [0.0] * senders
        self.took = [0.0] * senders

    def run(self, seconds: float, each_s: float = PACKETS_S) -> None:
        end = self.clock() + seconds
        while self.clock() < end:
            idle = True
            for number, debt in enumerate(self.debts):
                if self.ripe_at[number] <= self.clock():
                    self.clock.move(each_s)
                    self.took[number] += each_s
                    self.ripe_at[number] = self.clock() + debt.took(each_s)
                    idle = False
            if idle:
                self.clock.move(0.001)


def test_one_who_floods_has_half_of_the_time() -> None:
    loop = Loop(1)
    loop.run(10)
    assert abs(loop.took[0] / 10 - SHARE) < 0.05


def test_many_who_flood_share_that_half_evenly() -> None:
    for senders in (2, 10, 40):
        loop = Loop(senders)
        loop.run(30)
        assert sum(loop.took) / 30 < SHARE + 0.1
        assert max(loop.took) < 2 * min(loop.took)


def test_who_sends_less_than_that_half_is_never_left_unheard_while_nobody_floods() -> None:
    clock = Clock()
    debt = Debt(Turns(clock=clock))
    for _ in range(1000):
        clock.move(0.006)
        assert debt.took(0.002) == 0


def test_who_only_presses_keys_is_heard_at_once_whoever_floods() -> None:
    clock = Clock()
    turns = Turns(clock=clock)
    flood, typist = Debt(turns), Debt(turns)
    for _ in range(200):
        clock.move(0.05)
        assert flood.took(1.0) >= 0
        assert typist.took(0.0004) == 0


def test_a_burst_is_free_and_what_was_owed_is_forgotten_with_time() -> None:
    clock = Clock()
    debt = Debt(Turns(clock=clock))
    assert debt.took(FREE_S) == 0
    assert debt.took(FREE_S) > 0
    clock.move(60)
    assert debt.took(FREE_S) == 0


@given(st.lists(st.tuples(st.floats(0, 1), st.floats(0, 30)), max_size=50))
def test_nobody_waits_longer_than_two_seconds_at_a_time(taken: list[tuple[float, float]]) -> None:
    clock = Clock()
    turns = Turns(clock=clock)
    debts = [Debt(turns) for _ in range(5)]
    for number, (passes, seconds) in enumerate(taken):
        clock.move(passes)
        assert 0 <= debts[number % 5].took(seconds) <= LONGEST_S
