"""How fast whom: token buckets for each user and for all, and whose turn it is. No clock and no waiting in here.

All users who want to be served get equal shares of what all may have, however many connections they have; what one
does not use goes to the others.
Source: P. Goyal, H. Vin, H. Cheng: Start-time Fair Queueing (1996), with equal weights.
"""

from __future__ import annotations

from dataclasses import dataclass, field

BURST_S = 0.25
"""What was not used is kept for so long."""
TURN_S = 0.02
"""A turn is what may be served in so long, within these bounds."""
LEAST_TURN, MOST_TURN = 4096, 2**20


@dataclass(slots=True)
class Bucket:
    """Tokens, one a byte, that come at a rate (bytes/s; 0: no limit) and are kept for a moment."""

    bps: int = 0
    tokens: float = 0.0
    at: float = 0.0

    def fill(self, now: float) -> None:
        """Add what came since it was filled last."""
        most = max(self.bps * BURST_S, _turn(self.bps))
        self.tokens = min(most, self.tokens + max(0.0, now - self.at) * self.bps)
        self.at = max(self.at, now)

    def wait_s(self, size: int) -> float:
        """How long from when it was filled last until it has so much."""
        return max(0.0, size - self.tokens) / self.bps if self.bps else 0.0

    def take(self, size: int) -> None:
        """Use tokens up."""
        if self.bps:
            self.tokens -= size


@dataclass(slots=True, eq=False)
class Share:
    """One user's part."""

    bucket: Bucket = field(default_factory=Bucket)
    balance: int = 0
    """Bytes that they may be served now; below 0 what they were served too much."""
    tag: float = 0.0
    """What they got, counted from where everybody is; who has the least is next."""


class Shares:
    """What all are served, and who wants to be."""

    def __init__(self, total_bps: int = 0) -> None:
        self._all = Bucket(total_bps)
        self._waiting: dict[Share, None] = {}
        self._tag = 0.0
        """Of who was served last."""

    @property
    def is_shared(self) -> bool:
        """Whether there is a limit for all together."""
        return bool(self._all.bps)

    def is_limited(self, share: Share) -> bool:
        """Whether there is anything to be waited for."""
        return bool(self._all.bps or share.bucket.bps)

    def ask(self, share: Share) -> None:
        """Somebody waits to be served."""
        self._waiting.setdefault(share)

    def leave(self, share: Share) -> None:
        """They do not wait any more."""
        self._waiting.pop(share, None)

    def grant(self, now: float) -> list[Share]:
        """Hand out what there is; those who may be served now, and wait no more."""
        self._all.fill(now)
        for one in self._waiting:
            one.bucket.fill(now)
            # Who was away, or bound by their own limit, gets little more than the others for it.
            one.tag = max(one.tag, self._tag - self._all.bps * BURST_S)
        served = []
        while (share := self._next()) and self._all.wait_s(turn := self._turn_of(share)) <= 0:
            self._all.take(turn)
            share.bucket.take(turn)
            self._tag = max(self._tag, share.tag)
            share.tag += turn
            share.balance += turn
            if share.balance > 0 or not self.is_limited(share):
                self.leave(share)
                served.append(share)
        return served

    def next_s(self) -> float | None:
        """How long after `grant` there is something to be handed out again; None: nobody waits."""
        waits = [
            max(self._all.wait_s(turn), share.bucket.wait_s(turn))
            for share in self._waiting
            for turn in (self._turn_of(share),)
        ]
        return min(waits, default=None)

    def _next(self) -> Share | None:
        able = (share for share in self._waiting if share.bucket.wait_s(self._turn_of(share)) <= 0)
        return min(able, key=lambda share: share.tag, default=None)

    def _turn_of(self, share: Share) -> int:
        rates = [bps for bps in (self._all.bps, share.bucket.bps) if bps]
        return _turn(min(rates, default=0))


def _turn(bps: int) -> int:
    return max(LEAST_TURN, min(MOST_TURN, round(bps * TURN_S)))
