"""What is done about downloads that do not do well: announce again, check again, block the release, replace it.

Each step is written down before it is taken, so a kill at any point is made good by a later turn, and two daemons that
take turns at once do it once. Nothing that is complete is lost, and no release is gone back to while it is blocked.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta

import structlog

from uuutorrent import config
from uuutorrent.accounts import User
from uuutorrent.automation.health.health import HUNGRY, Verdict
from uuutorrent.automation.health.observations import Observations, Unwell
from uuutorrent.automation.health.patient import DISK, Patient, completed_bytes, first_step, is_network, is_still_so
from uuutorrent.automation.health.replacing import Replacing
from uuutorrent.automation.health.substitutes import WAITS, Substitutes
from uuutorrent.automation.health.timeline import UNDO_FOR, Line, Timeline
from uuutorrent.automation.health.treatments import Step, Treatment, Treatments
from uuutorrent.errors import Conflict, Invalid, Refused, RemoteError, UuuError
from uuutorrent.releases.blocks import Block, Blocks
from uuutorrent.store.database import NOBODY, SYSTEM, Database
from uuutorrent.torrents.engine import Phase, Snapshot
from uuutorrent.torrents.holdings import Stored
from uuutorrent.torrents.library import Library
from uuutorrent.torrents.live import Live

log = structlog.get_logger()

MOST = 5
"""Torrents that something is done about in one turn."""
AWAY = timedelta(minutes=10)
"""After so long it is tried again where the index, AniList or the engine did not answer."""
FORGOTTEN = timedelta(days=1)
"""After so long a treatment is forgotten whose torrent neither recovered nor got worse, e.g. since it was paused."""

STARVED = frozenset({Verdict.STALLED, Verdict.DEAD})

SAID: Mapping[Step, str] = {
    Step.REANNOUNCE: "its trackers are to be asked again",
    Step.REANNOUNCED: "its trackers were asked again",
    Step.RECHECK: "its files are to be checked again",
    Step.RECHECKED: "its files were checked again",
    Step.BLOCK: "its release is to be blocked",
    Step.REPLACE: "another release is looked for",
    Step.LEFT: "left alone, for somebody undid what was done",
}


def _utc_now() -> datetime:
    return datetime.now(UTC)


class Healing:
    """The healer, and the way back from what it did."""

    def __init__(
        self,
        database: Database,
        observations: Observations,
        library: Library,
        live: Live,
        blocks: Blocks,
        treatments: Treatments,
        substitutes: Substitutes,
        replacing: Replacing,
        timeline: Timeline,
        *,
        settings: config.Health,
        now: Callable[[], datetime] = _utc_now,
    ) -> None:
        self._database = database
        self._observations = observations
        self._library = library
        self._live = live
        self._blocks = blocks
        self._treatments = treatments
        self._substitutes = substitutes
        self._replacing = replacing
        self._timeline = timeline
        self._settings = settings
        self._now = now

    @property
    def _wait(self) -> timedelta:
        return timedelta(seconds=self._settings.stalled_s / 3)

    async def run_once(self) -> None:
        """Take the next step with what is not well, and finish what was begun. While the engine is away: nothing."""
        snapshot = await self._live.recent()
        if not snapshot.engine_up:
            return
        every, known = await self._observations.unwell(), await self._treatments.every()
        await self._replacing.finish_once(frozenset(one.infohash for one in every if one.is_content))
        if not every and not known:
            return
        stored = {one.id: one for one in await self._library.everything()}
        unwell = {one.torrent_id for one in every}
        for torrent_id, treatment in known.items():
            if torrent_id in stored:
                await self._look_back(treatment, stored[torrent_id], snapshot, is_unwell=torrent_id in unwell)
        if not is_network(every, snapshot, self._now()):
            await self._treat_some(every, stored, known, snapshot)

    async def steps(self) -> Mapping[int, str]:
        """How far each treatment is, in words, by torrent."""
        return {torrent_id: SAID[one.step] for torrent_id, one in (await self._treatments.every()).items()}

    async def lift(self, user: User, infohash: str) -> Block:
        """Let a blocked release be picked again for this user, and leave it alone for a day if they have it.

        Raises:
            Missing: it is not blocked for them.
            Invalid: several are meant, or hardly any is named.
        """
        lifted = await self._blocks.unblock(user, infohash)
        held = await self._library.claimed(user, lifted.infohash)
        if held is not None:
            async with self._database.begin(NOBODY) as tx:
                await self._treatments.leave(tx, held.id, UNDO_FOR)
        return lifted

    async def undo(self, user: User, line_id: int) -> str:
        """Take back a block or a replacement that a line of this user's timeline tells of, within a day.

        Raises:
            Missing: they have no such line.
            Invalid: there is nothing to take back in it.
            Conflict: it was undone already.
            Refused: that is longer ago; or the old torrent does not fit any more.
        """
        line = await self._timeline.one(user, line_id)
        if line.undone_at is not None:
            raise Conflict("That was undone already.")
        if not line.can_be_undone:
            raise Invalid("There is nothing to undo in that line: only blocks and replacements can be.", field="line")
        if self._now() > line.until:
            raise Refused("That was more than a day ago and cannot be undone any more; fetch the release by hand.")
        if line.replacement_id is not None:
            return await self._replacing.undo(user, line.replacement_id, line.id)
        await self._undo_block(user, line)
        return "Its release may be picked again, and is left alone for a day."

    async def _undo_block(self, user: User, line: Line) -> None:
        held = await self._library.claimed(user, line.infohash)
        async with self._database.begin(user.id) as tx:
            if not await self._timeline.undid(tx, line.id):
                raise Conflict("That was undone already.")
            await self._blocks.lift(tx, user.id, line.infohash)
            if held is not None:
                await self._treatments.leave(tx, held.id, UNDO_FOR)
            await self._timeline.note(
                user.id, line.infohash, "undone", "You let its release be picked again.", media_id=line.media_id,
                episode=line.episode, tx=tx,
            )  # fmt: skip

    # One turn

    async def _treat_some(
        self,
        every: Sequence[Unwell],
        stored: Mapping[int, Stored],
        known: Mapping[int, Treatment],
        snapshot: Snapshot,
    ) -> None:
        treated = 0
        for one in every:
            treatment, its = known.get(one.torrent_id), stored.get(one.torrent_id)
            if its is None or its.stands_still or not self._is_due(one, treatment) or treated >= MOST:
                continue
            if not is_still_so(one, treatment, snapshot.find(its.v1, its.v2)):
                continue
            treated += 1
            here = completed_bytes(its, snapshot)
            treatment = treatment or await self._treatments.begin(one, first_step(one), completed_bytes=here)
            mine = await self._treatments.own(treatment) if treatment is not None else None
            if mine is not None:
                people = await self._treatments.people([claim.user_id for claim in its.claims])
                await self._safely(Patient(one, its, people), mine, snapshot)

    def _is_due(self, one: Unwell, treatment: Treatment | None) -> bool:
        """Whether the next step may be taken. What rested since the last one, be it with everything, gets time anew."""
        if treatment is None:
            return True
        has_rested = one.verdict in STARVED and one.since > treatment.step_at
        return max(treatment.try_at, one.since + self._wait if has_rested else one.since) <= self._now()

    async def _safely(self, patient: Patient, treatment: Treatment, snapshot: Snapshot) -> None:
        """The next step; what fails with one torrent keeps nobody else waiting."""
        try:
            await self._step(patient, treatment, snapshot)
        except UuuError as e:
            log.warning("not healed this time", infohash=patient.stored.infohash, step=treatment.step, why=e.message)
            now = (await self._treatments.every()).get(treatment.torrent_id)
            if now is not None:
                is_line = now.step is Step.BLOCK and isinstance(e, RemoteError)
                await self._treatments.put_off(now, AWAY, tried=is_line)

    async def _step(self, patient: Patient, treatment: Treatment, snapshot: Snapshot) -> None:
        if not patient.people:
            await self._treatments.put_off(treatment, WAITS[-1])
            return
        match treatment.step:
            case Step.REANNOUNCE:
                await self._reannounce(patient, treatment)
            case Step.REANNOUNCED | Step.RECHECK:
                await self._recheck(patient, treatment)
            case Step.RECHECKED:
                await self._after_recheck(patient, treatment, snapshot)
            case Step.BLOCK:
                await self._block(patient, treatment)
            case Step.REPLACE:
                await self._substitutes.replace(patient, treatment)
            case Step.LEFT:
                async with self._database.begin(NOBODY) as tx:
                    await self._treatments.end(tx, treatment)

    async def _reannounce(self, patient: Patient, treatment: Treatment) -> None:
        await self._library.reannounce(patient.people[0], patient.stored.infohash)
        said = f"Its trackers were asked again, because {patient.unwell.why}."
        await self._did(patient, treatment, Step.REANNOUNCED, said)

    async def _recheck(self, patient: Patient, treatment: Treatment, *, tries: int = 0) -> None:
        async with self._database.begin(NOBODY) as tx:
            now = await self._treatments.move(tx, treatment, Step.RECHECK, tries=tries or treatment.tries)
        if now is not None:
            await self._library.recheck(patient.people[0], patient.stored.infohash)
            said = f"Its files are checked again, because {patient.unwell.why}."
            await self._did(patient, now, Step.RECHECKED, said)

    async def _after_recheck(self, patient: Patient, treatment: Treatment, snapshot: Snapshot) -> None:
        there = snapshot.find(patient.stored.v1, patient.stored.v2)
        if there is not None and there.phase is Phase.CHECKING:
            await self._treatments.put_off(treatment, self._wait)
        elif patient.unwell.cause in DISK and not treatment.tries:
            # Only what comes back after that is held against the release.
            await self._recheck(patient, treatment, tries=1)
        else:
            await self._block(patient, treatment)

    async def _block(self, patient: Patient, treatment: Treatment) -> None:
        if treatment.step is Step.BLOCK and treatment.tries and not patient.unwell.is_content:
            await self._after_outage(patient, treatment)
            return
        async with self._database.begin(NOBODY) as tx:
            now = await self._treatments.move(tx, treatment, Step.BLOCK)
        blocked = await self._substitutes.block(patient, now) if now is not None else None
        if blocked is not None:
            await self._substitutes.replace(patient, blocked)

    async def _after_outage(self, patient: Patient, treatment: Treatment) -> None:
        """The index was away, and perhaps the whole line: once it is back the download gets its time too."""
        await self._substitutes.ask(patient)
        await self._library.reannounce(patient.people[0], patient.stored.infohash)
        async with self._database.begin(NOBODY) as tx:
            await self._treatments.move(tx, treatment, Step.BLOCK, wait=self._wait)

    async def _did(self, patient: Patient, treatment: Treatment, step: Step, text: str) -> None:
        """A step was taken: wait and see whether bytes come."""
        async with self._database.begin(SYSTEM) as tx:
            if await self._treatments.move(tx, treatment, step, wait=self._wait, tries=treatment.tries):
                for user in patient.people:
                    media_id, episode = patient.subject(user)
                    await self._timeline.note(
                        user.id, patient.stored.infohash, step, text, media_id=media_id, episode=episode, tx=tx
                    )

    async def _look_back(self, treatment: Treatment, stored: Stored, snapshot: Snapshot, *, is_unwell: bool) -> None:
        """See whether a torrent that is treated recovered."""
        there = snapshot.find(stored.v1, stored.v2)
        if there is None or (treatment.step is Step.LEFT and treatment.try_at > self._now()):
            return
        if is_unwell:
            if there.phase in HUNGRY:
                await self._treatments.lower(stored.id, there.completed_bytes)
            return
        is_better = there.completed_bytes > treatment.least_bytes or there.is_complete
        if is_better or treatment.step is Step.LEFT or treatment.step_at < self._now() - FORGOTTEN:
            await self._end(treatment, stored, is_better=is_better)

    async def _end(self, treatment: Treatment, stored: Stored, *, is_better: bool) -> None:
        people = await self._treatments.people([claim.user_id for claim in stored.claims])
        async with self._database.begin(SYSTEM) as tx:
            if not await self._treatments.end(tx, treatment) or not is_better or treatment.step is Step.LEFT:
                return
            for user in people:
                claim = stored.claim_of(user.id)
                await self._blocks.lift(tx, user.id, stored.infohash)
                await self._timeline.note(
                    user.id, stored.infohash, "recovered", "It comes on again.",
                    media_id=claim.media_id if claim else None, episode=claim.episode if claim else None, tx=tx,
                )  # fmt: skip
