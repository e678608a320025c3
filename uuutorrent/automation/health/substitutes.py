"""Another release in place of one that does not do well: blocked for whoever wanted it, then found and replaced.

Each claimant gets their own, by their own taste. Who cannot is told so once, and it is tried again at growing pauses.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta

import structlog

from uuutorrent import config
from uuutorrent.accounts import User
from uuutorrent.anime.anime import MediaId
from uuutorrent.automation.health.patient import Patient
from uuutorrent.automation.health.replacing import Replacing
from uuutorrent.automation.health.timeline import Timeline
from uuutorrent.automation.health.treatments import Step, Treatment, Treatments
from uuutorrent.automation.inbox.inbox import Inbox, Kind
from uuutorrent.errors import Missing, RemoteError, UuuError
from uuutorrent.releases.search import Releases
from uuutorrent.store.database import SYSTEM, Database, Tx
from uuutorrent.torrents.choosing import Choosing

log = structlog.get_logger()

MOST_A_DAY = 3
"""So often an episode is replaced within a day."""
WAITS = tuple(timedelta(hours=hours) for hours in (1, 2, 4, 8, 16, 24))
"""Pauses between searches for what takes its place; the last one stays."""

FRESH_S = 60.0
"""An answer of the index that is older says nothing about the line of now."""


def _utc_now() -> datetime:
    return datetime.now(UTC)


class Substitutes:
    """The last steps of the healer."""

    def __init__(
        self,
        database: Database,
        treatments: Treatments,
        releases: Releases,
        replacing: Replacing,
        timeline: Timeline,
        inbox: Inbox,
        *,
        settings: config.Health,
        now: Callable[[], datetime] = _utc_now,
    ) -> None:
        self._database = database
        self._treatments = treatments
        self._releases = releases
        self._choosing = Choosing(releases)
        self._replacing = replacing
        self._timeline = timeline
        self._inbox = inbox
        self._settings = settings
        self._now = now

    async def block(self, patient: Patient, treatment: Treatment) -> Treatment | None:
        """Have the release not picked again; None where nobody wants that, or somebody else was faster.

        Raises:
            RemoteError: the index or AniList does not answer: it may be the line, and not the release.
        """
        concerned = await self._concerned(patient)
        wanting = [user for user in concerned if patient.episode(user) is not None]
        if not patient.unwell.is_content:
            await self._ask(patient, wanting)
        blocked = concerned if patient.unwell.is_content else wanting
        if not blocked:
            await self._tell_those_without(patient, concerned)
            await self._later(treatment)
            return None
        async with self._database.begin(SYSTEM) as tx:
            now = await self._treatments.move(tx, treatment, Step.REPLACE)
            if now is not None:
                for user in blocked:
                    await self._block(tx, patient, user)
        return now

    async def ask(self, patient: Patient) -> None:
        """See whether the index and AniList answer.

        Raises:
            RemoteError: one of them does not.
        """
        concerned = await self._concerned(patient)
        await self._ask(patient, [user for user in concerned if patient.episode(user) is not None])

    async def _ask(self, patient: Patient, wanting: Sequence[User]) -> None:
        if wanting:
            media_id, episode = patient.episode(wanting[0]) or (0, 0)
            await self._releases.find(wanting[0], MediaId(media_id), episode, max_age_s=FRESH_S)

    async def replace(self, patient: Patient, treatment: Treatment) -> None:
        """Each who wants the episode gets another release."""
        concerned = await self._concerned(patient)
        for user in concerned:
            subject = patient.episode(user)
            if subject is None or await self._replacing.lately(user, *subject) >= MOST_A_DAY:
                continue
            try:
                await self._replace_for(patient, user, *subject)
            except RemoteError as e:
                log.warning("nothing found this time", infohash=patient.stored.infohash, why=e.message)
            except UuuError as e:
                if await self._replacing.can_be_replaced(user, patient.stored.infohash):
                    await self._tell_stuck(patient, user, e.message)
        await self._tell_those_without(patient, concerned)
        await self._later(treatment)

    async def _replace_for(self, patient: Patient, user: User, media_id: int, episode: int) -> None:
        stored = patient.stored
        if stored.infohash not in await self._releases.blocks.active(user):
            async with self._database.begin(SYSTEM) as tx:
                await self._block(tx, patient, user)  # they came later
        found = await self._releases.find(user, MediaId(media_id), episode)
        chosen, source, share = await self._choosing.choose(found)
        if {source.v1, source.v2} & {stored.v1, stored.v2} - {None, ""}:
            raise Missing("No other release of the episode was found.")
        await self._replacing.replace(
            user, stored.infohash, source, media_id=media_id, episode=episode, title=chosen.release.title,
            why=patient.unwell.why, part=share.part if share else None,
        )  # fmt: skip

    async def _block(self, tx: Tx, patient: Patient, user: User) -> None:
        one, stored, (media_id, episode) = patient.unwell, patient.stored, patient.subject(user)
        block_id = await self._releases.blocks.block(
            None if one.is_content else user.id, stored.infohash, title=stored.name, reason=one.why,
            until=self._now() + timedelta(days=self._settings.block_days), tx=tx,
        )  # fmt: skip
        whom = " for anybody" if one.is_content else ""
        await self._timeline.note(
            user.id, stored.infohash, "blocked",
            f"Its release is not picked again{whom} for {self._settings.block_days} days, because {one.why}.",
            media_id=media_id, episode=episode, block_id=block_id, tx=tx,
        )  # fmt: skip

    async def _tell_those_without(self, patient: Patient, concerned: Sequence[User]) -> None:
        """Whoever has it for no single episode: nothing can take its place."""
        for user in concerned:
            if patient.is_batch(user):
                await self._tell_stuck(patient, user, "Of a batch nothing is replaced by itself.")
            elif patient.episode(user) is None:
                await self._tell_stuck(patient, user, "Which episode it is was not said, so nothing takes its place.")

    async def _tell_stuck(self, patient: Patient, user: User, why: str) -> None:
        stored, (media_id, episode) = patient.stored, patient.subject(user)
        text = f"{stored.name} is not well, because {patient.unwell.why}. {why}"
        async with self._database.begin(user.id) as tx:
            is_new = await self._inbox.tell(
                user.id, Kind.FAILED, text, key=f"stuck:{stored.id}", media_id=media_id, episode=episode,
                infohash=stored.infohash, tx=tx,
            )  # fmt: skip
            if is_new:
                await self._timeline.note(
                    user.id, stored.infohash, "stuck", text, media_id=media_id, episode=episode, tx=tx
                )

    async def _later(self, treatment: Treatment) -> None:
        wait = WAITS[min(treatment.tries, len(WAITS) - 1)]
        await self._treatments.put_off(treatment, wait, tried=True)

    async def _concerned(self, patient: Patient) -> list[User]:
        """Those who do not want it left as it is: they did not say so, and nothing is about to take its place."""
        infohash, found = patient.stored.infohash, []
        for user in patient.people:
            was_lifted = patient.unwell.is_content and await self._releases.blocks.was_lifted(user, infohash)
            is_left = was_lifted or await self._replacing.was_undone(user, infohash)
            if not is_left and await self._replacing.can_be_replaced(user, infohash):
                found.append(user)
        return found
