"""A torrent that does not do well, whom it belongs to, and what it tells about the network. No I/O."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from uuutorrent.accounts import User
from uuutorrent.automation.health.health import HUNGRY, Cause, Verdict
from uuutorrent.automation.health.observations import Unwell
from uuutorrent.automation.health.treatments import Step, Treatment
from uuutorrent.torrents.engine import Phase, Snapshot, Torrent
from uuutorrent.torrents.holdings import Claim, Stored

AT_ONCE = timedelta(minutes=5)
"""Downloads that stand still since the same minutes have the network in common, not their releases."""
FEW = 3
"""Fewer downloads than this say nothing about the network."""
AN_OUTAGE = timedelta(hours=6)
"""Networks and trackers come back within this; what stands still for longer is treated, each for itself."""
DISK = (Cause.ERROR, Cause.MISSING)
"""What is mostly the disk's fault and not the release's."""


@dataclass(frozen=True, slots=True)
class Patient:
    """A torrent that is not well, and those of its claimants whom something can be done for."""

    unwell: Unwell
    stored: Stored
    people: tuple[User, ...]

    def claim(self, user: User) -> Claim | None:
        """What they claim of it."""
        return self.stored.claim_of(user.id)

    def subject(self, user: User) -> tuple[int | None, int | None]:
        """The anime and the episode, as far as they are known."""
        claim = self.claim(user)
        return (claim.media_id, claim.episode) if claim is not None else (None, None)

    def is_batch(self, user: User) -> bool:
        """They have several episodes of it, or one out of several: others of them may be fine."""
        claim = self.claim(user)
        return claim is not None and (claim.is_part or bool(claim.picks))

    def episode(self, user: User) -> tuple[int, int] | None:
        """The anime and the one episode that they have it for; None where it is a batch, or nobody said."""
        media_id, episode = self.subject(user)
        if media_id is None or episode is None or self.is_batch(user):
            return None
        return media_id, episode


def is_still_so(one: Unwell, treatment: Treatment | None, there: Torrent | None) -> bool:
    """Whether the engine shows a torrent now as it was when it was found unwell, which may be long ago."""
    if there is None:
        return False  # an engine that has just started does not list all of them yet
    if one.is_content:
        return True
    if there.phase is Phase.CHECKING:
        return treatment is not None and treatment.step is Step.RECHECKED
    if one.cause in DISK:
        return there.phase in (Phase.ERROR, Phase.MISSING)
    return there.phase in HUNGRY and there.completed_bytes <= one.completed_bytes


def first_step(one: Unwell) -> Step:
    """What is done first: what its files are is not changed by asking or checking again."""
    if one.is_content:
        return Step.BLOCK
    return Step.RECHECK if one.cause in DISK else Step.REANNOUNCE


def is_network(every: Sequence[Unwell], snapshot: Snapshot, now: datetime) -> bool:
    """Whether all downloads stand still since about the same time: then it is the network, or one tracker of them all.

    What has stood still for hours, or is dead, is no sign of that.
    """
    hungry = [torrent for torrent in snapshot.torrents if torrent.phase in HUNGRY]
    still = [one.since for one in every if one.verdict is Verdict.STALLED]
    if len(still) < FEW or len(still) < len(hungry):
        return False
    if max(still) - min(still) > AT_ONCE or now - min(still) > AN_OUTAGE:
        return False
    return not any(one.down_bps or one.up_bps for one in snapshot.torrents)


def completed_bytes(stored: Stored, snapshot: Snapshot) -> int:
    """How much of it is here."""
    there = snapshot.find(stored.v1, stored.v2)
    return there.completed_bytes if there is not None else 0
