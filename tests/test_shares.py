"""Who is served how fast: token buckets and fair shares, over a clock that only tests move."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from hypothesis import given, settings
from hypothesis import strategies as st

from uuutorrent.shares import BURST_S, LEAST_TURN, Bucket, Share, Shares

STEP_S = 0.005
A_FEW = settings(max_examples=25)
RATES = st.integers(20_000, 50_000_000)


@dataclass
class Client:
    """Somebody who takes what they are given in answers of a size, and comes back after a while."""

    answer: int = 32_768
    away_s: float = 0.0
    bps: int = 0
    share: Share = field(init=False)
    back_at: float = 0.0
    got: int = 0

    def __post_init__(self) -> None:
        self.share = Share(Bucket(self.bps))


def play(total_bps: int, clients: Sequence[Client], seconds: float) -> float:
    """Let them pull for a while; how long that was."""
    shares, now, end = Shares(total_bps), 0.0, seconds
    asking: set[int] = set()
    while now < end:
        for index, client in enumerate(clients):
            if client.back_at <= now and index not in asking:
                asking.add(index)
                shares.ask(client.share)
        shares.grant(now)
        for index in sorted(asking):
            client = clients[index]
            while client.share.balance > 0 and client.back_at <= now:
                client.share.balance -= client.answer
                client.got += client.answer
                client.back_at = now + client.away_s
                asking.discard(index)
            if client.share.balance <= 0 and client.away_s == 0:
                asking.add(index)
                shares.ask(client.share)
        now += STEP_S
    return end


def slack(total_bps: int, clients: Sequence[Client]) -> float:
    return 2 * BURST_S * total_bps + 4 * LEAST_TURN + sum(2 * client.answer for client in clients)


@A_FEW
@given(RATES, st.integers(1, 8))
def test_those_who_pull_all_the_time_get_the_same_and_all_there_is(total_bps: int, many: int) -> None:
    clients = [Client(answer=8192) for _ in range(many)]
    seconds = play(total_bps, clients, 3)
    room = slack(total_bps, clients)
    assert sum(client.got for client in clients) <= total_bps * seconds + room
    assert sum(client.got for client in clients) >= 0.9 * total_bps * seconds - room
    assert max(client.got for client in clients) - min(client.got for client in clients) <= room / 2


@A_FEW
@given(RATES, st.sampled_from([1024, 8192, 65_536]), st.sampled_from([1024, 8192, 65_536]))
def test_larger_answers_get_nobody_more(total_bps: int, one: int, other: int) -> None:
    clients = [Client(answer=one), Client(answer=other)]
    play(total_bps, clients, 3)
    assert abs(clients[0].got - clients[1].got) <= slack(total_bps, clients)


@A_FEW
@given(RATES, st.floats(0.1, 0.4))
def test_what_one_does_not_use_goes_to_the_others(total_bps: int, part: float) -> None:
    slow, fast = Client(answer=4096, bps=max(1, round(total_bps * part))), Client(answer=4096)
    seconds = play(total_bps, [slow, fast], 3)
    room = slack(total_bps, [slow, fast])
    assert slow.got <= total_bps * part * seconds + room
    assert fast.got >= 0.9 * total_bps * (1 - part) * seconds - room


@A_FEW
@given(RATES)
def test_a_rate_of_ones_own_holds_where_there_is_none_for_all(bps: int) -> None:
    one, free = Client(answer=4096, bps=bps), Share()
    seconds = play(0, [one], 3)
    assert 0.9 * bps * seconds - slack(bps, [one]) <= one.got <= bps * seconds + slack(bps, [one])
    assert not Shares(0).is_limited(free)


def test_who_comes_late_is_served_at_once_and_gets_no_more_than_the_others_for_it() -> None:
    total, answer = 1_000_000, 4096
    early, late = Client(answer), Client(answer, back_at=10.0)
    play(total, [early, late], 20)
    assert 4.5e6 <= late.got <= 5.5e6
    assert early.got + late.got <= 20.5e6


def test_a_short_way_back_costs_nobody_their_share() -> None:
    near, far = Client(answer=65_536), Client(answer=65_536, away_s=0.03)
    play(2_000_000, [near, far], 10)
    assert far.got >= 0.85 * near.got


def test_a_debt_is_paid_before_anything_else_is_served() -> None:
    shares, share = Shares(1_000_000), Share(balance=-500_000)
    shares.ask(share)
    assert shares.grant(0.0) == []
    assert shares.next_s() is not None
    at = 0.0
    while not shares.grant(at):
        at += STEP_S
    assert 0.4 <= at <= 0.6
    assert shares.next_s() is None


def test_who_leaves_is_not_served() -> None:
    shares, share = Shares(1000), Share()
    shares.ask(share)
    shares.leave(share)
    shares.leave(share)
    assert (shares.grant(100.0), shares.next_s()) == ([], None)
