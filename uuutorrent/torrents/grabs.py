"""Grabs: "get me this episode", remembered from the asking to the end, so that a kill at any point loses nothing.

A grab is `asked` (looking for a release), `claimed` (the torrent is the user's; the engine may not have it yet),
`added` (it has), `complete`, or `failed` with the reason. Claiming and the step to `claimed` are one transaction:
whatever happens in between, a torrent is fetched once.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import aclosing, suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta

import structlog
from sqlalchemy import and_, or_, select, update

from uuutorrent.accounts import User, UserId, hold, people
from uuutorrent.anime.anime import MediaId
from uuutorrent.anime.watchlist import Watchlists
from uuutorrent.errors import Conflict, Missing, RemoteError, UuuError
from uuutorrent.releases.release import Found, Ranked
from uuutorrent.releases.search import Releases
from uuutorrent.store.database import SYSTEM, Database, Tx
from uuutorrent.store.tables import GrabRow
from uuutorrent.tally import Tally
from uuutorrent.torrents.batches import Share
from uuutorrent.torrents.choosing import Choosing
from uuutorrent.torrents.engine import InfoHash
from uuutorrent.torrents.grab import Grab, GrabState, Step, Stopwatch
from uuutorrent.torrents.holdings import Stored
from uuutorrent.torrents.library import Library

__all__ = ["Grab", "GrabState", "Grabs", "Step"]

log = structlog.get_logger()

WORTH_RETRYING = timedelta(minutes=10)
"""An interrupted search younger than this is done again at the next start; for an older one nobody waits any more."""
LOOK_S = 3.0
"""Who waits looks at least so often: an episode may be whole while nothing moves at the batch it is from."""
RECENT = 50
"""How many grabs are listed."""

_OPEN = (GrabState.ASKED, GrabState.CLAIMED, GrabState.ADDED)
_CANCELLED = "It was cancelled before anything was added."
_INTERRUPTED = "It was interrupted"
_GIVEN_UP = f"{_INTERRUPTED}, and nobody waits for it any more; ask again."
_BROKEN = "Something broke before anything was added; try again."
_DELETED = "The torrent was deleted before it was complete."


class _Meanwhile(Conflict):
    """Another daemon was quicker."""


@dataclass(frozen=True, slots=True)
class _Asked:
    """What somebody asks for."""

    media_id: int
    episode: int
    quality: int | None
    infohash: str | None
    whole_batch: bool


class Grabs:
    """The owner of the table `grabs`."""

    def __init__(
        self,
        database: Database,
        watchlists: Watchlists,
        releases: Releases,
        library: Library,
        tally: Tally,
    ) -> None:
        self._database = database
        self._watchlists = watchlists
        self._releases = releases
        self._choosing = Choosing(releases)
        self._library = library
        self._tally = tally
        self._running: dict[int, asyncio.Event] = {}

    async def get(
        self,
        user: User,
        media_id: int,
        episode: int | None = None,
        *,
        quality: int | None = None,
        infohash: str | None = None,
        whole_batch: bool = False,
        on_step: Callable[[Step], None] | None = None,
    ) -> Grab:
        """Find the right release of an episode and have it downloaded; without `episode`, of the next unwatched one.

        `infohash` names a release to take instead of the best. Where only a batch has the episode, its files alone are
        downloaded; `whole_batch` asks for all of a batch. An episode that the user has, or that is being fetched, is
        not fetched twice: the grab that did it is the answer. A grab that fails comes back `failed`, with the error.
        `on_step` is told each step when it begins and when it is done.

        Raises:
            Missing: no episode was named, and there is no next one.
            Refused: the user is gone or disabled.
        """
        watch = Stopwatch(self._tally, on_step)
        if episode is None:
            with watch.step("watchlist"):
                episode = await self._next_episode(user, media_id)
        asked = _Asked(media_id, episode, quality, infohash, whole_batch)
        while True:
            grab = await self._ask(user, asked)
            if grab.id in self._running:
                await self._running[grab.id].wait()
                grab = await self.one(user, grab.id)
            elif grab.state is GrabState.ASKED:
                grab = await self._run(user, grab, watch)
            else:
                return await self._up_to_date(user, grab)
            # Somebody else who had asked for the same went away, at whatever moment: this one still wants it.
            if grab.reason != _CANCELLED:
                return grab

    async def wait(self, user: User, grab_id: int, timeout_s: float) -> Grab:
        """The grab once it is complete or failed, or as it is after `timeout_s`.

        Raises:
            Missing: this user has no such grab.
        """
        with suppress(TimeoutError):
            async with asyncio.timeout(timeout_s), aclosing(self._library.moments(user, LOOK_S)) as moments:
                async for _ in moments:
                    grab = await self._up_to_date(user, await self.one(user, grab_id))
                    if grab.is_over:
                        return grab
        return await self.one(user, grab_id)

    async def one(self, user: User, grab_id: int) -> Grab:
        """One of this user's grabs.

        Raises:
            Missing: there is none with this id.
        """
        async with self._database.begin(user.id) as tx:
            row = await tx.get(GrabRow, grab_id)
        if row is None or row.user_id != user.id:
            raise Missing("You have no such grab.")
        return _grab(row)

    async def recent(self, user: User) -> tuple[Grab, ...]:
        """This user's last grabs, the newest first."""
        async with self._database.begin(user.id) as tx:
            rows = await tx.scalars(
                select(GrabRow).where(GrabRow.user_id == user.id).order_by(GrabRow.id.desc()).limit(RECENT)
            )
            grabs = [_grab(row) for row in rows]
        return tuple([await self._up_to_date(user, grab) for grab in grabs])

    async def moved(self, tx: Tx, user: User, old: str, new: InfoHash, title: str, why: str) -> None:
        """Another torrent takes the place of one that is on its way: what fetched that one fetches it now.

        Inside the transaction that changes the claims.
        """
        on_its_way = (GrabRow.state.in_((GrabState.CLAIMED, GrabState.ADDED)), GrabRow.infohash == old)
        await tx.execute(
            update(GrabRow)
            .where(GrabRow.user_id == user.id, *on_its_way)
            .values(state=GrabState.CLAIMED, infohash=new, title=title, reason=why)
        )

    async def resume(self) -> None:
        """Finish searches that were interrupted, or fail them with a reason. At the start; safe at any time.

        What was claimed already is finished by `Library.reconcile` and `settle`.
        """
        for row, user in await self._open():
            if row.state != GrabState.ASKED or row.id in self._running:
                continue
            if user is None or datetime.now(UTC) - row.asked_at > WORTH_RETRYING:
                await self._fail(UserId(row.user_id), row.id, _GIVEN_UP)
            else:
                log.info("grab taken up again", grab=row.id)
                await self._run(user, _grab(row), Stopwatch(self._tally, None), is_again=True)

    async def news(self, since: datetime) -> tuple[tuple[UserId, Grab], ...]:
        """Everybody's grabs that got their part of a batch, or failed with nobody waiting, after this moment."""
        got = and_(GrabRow.state == GrabState.COMPLETE, GrabRow.files.is_not(None))
        lost = and_(GrabRow.state == GrabState.FAILED, GrabRow.reason.startswith(_INTERRUPTED))
        async with self._database.begin(SYSTEM) as tx:
            rows = await tx.scalars(select(GrabRow).where(GrabRow.ended_at > since, or_(got, lost)))
            return tuple((UserId(row.user_id), _grab(row)) for row in rows)

    async def settle(self) -> None:
        """Bring open grabs in step with the library: added, complete, or given up. After each `Library.reconcile`."""
        for row, user in await self._open():
            if user is not None:
                await self._up_to_date(user, _grab(row))

    async def _up_to_date(self, user: User, grab: Grab) -> Grab:
        """The grab, brought in step with its torrent."""
        if grab.state not in (GrabState.CLAIMED, GrabState.ADDED) or grab.id in self._running:
            return grab
        stored = await self._library.claimed(user, grab.infohash or "")
        if stored is None:
            return await self._fail(user.id, grab.id, _DELETED)
        files, is_picked = _files(stored, user, grab)
        if not is_picked:
            return await self._fail(user.id, grab.id, _DELETED)
        if await self._library.is_complete(stored, files):
            await self._move(user, grab.id, GrabState.COMPLETE)
        elif grab.state is GrabState.CLAIMED and stored.confirmed_at is not None:
            await self._move(user, grab.id, GrabState.ADDED)
        else:
            return grab
        return await self.one(user, grab.id)

    async def _run(self, user: User, grab: Grab, watch: Stopwatch, *, is_again: bool = False) -> Grab:
        over = self._running[grab.id] = asyncio.Event()
        reason = _BROKEN
        try:
            # Whoever looked it up may have done so before another run ended.
            if (await self.one(user, grab.id)).state is GrabState.ASKED:
                await self._fetch(user, grab, watch)
            reason = ""
        except _Meanwhile:
            reason = ""
        except UuuError as e:
            reason = ""
            why = f"{_INTERRUPTED}, and failed when it was done again: {e.message}" if is_again else e.message
            return (await asyncio.shield(self._fail(user.id, grab.id, why, watch))).because(e)
        except asyncio.CancelledError:
            reason = _CANCELLED
            raise
        finally:
            if reason:
                # Shielded: whoever cancels us must not keep the end from being written down. If even that fails,
                # the next start does it.
                with suppress(UuuError):
                    await asyncio.shield(self._fail(user.id, grab.id, reason, watch))
            over.set()
            del self._running[grab.id]
        return await self.one(user, grab.id)

    async def _fetch(self, user: User, grab: Grab, watch: Stopwatch) -> None:
        with watch.step("watchlist"):
            await self._watchlists.family(MediaId(grab.media_id))
        watch.begin("search")
        found = await self._releases.find(user, MediaId(grab.media_id), grab.episode, quality=grab.quality)
        watch.end("search", less_ms=found.rank_ms)
        watch.done("rank", found.rank_ms)
        with watch.step("add"):
            chosen, source, share = await self._choosing.choose(found, grab.infohash, whole_batch=grab.whole_batch)

            async def also(tx: Tx, infohash: InfoHash) -> None:
                row = await tx.get_one(GrabRow, grab.id, with_for_update=True)
                if row.state != GrabState.ASKED:  # by another daemon, which took it for interrupted
                    raise _Meanwhile("It was fetched or given up meanwhile.")
                row.state, row.infohash = GrabState.CLAIMED, infohash
                row.title, row.reason, row.steps = chosen.release.title, _reason(found, chosen, share), watch.taken
                row.files = None if share is None else list(share.files)

            added = await self._library.add(
                user,
                source,
                media_id=grab.media_id,
                episode=grab.episode if share is None else None,
                also=also,
                part=share.part if share else None,
            )
        if added.queued:
            await self._move(user, grab.id, GrabState.CLAIMED, reason=added.queued, watch=watch)
            return
        with watch.step("link"), suppress(RemoteError):
            await self._library.confirm(user, added.infohash)
        await self._move(user, grab.id, GrabState.ADDED, watch=watch)

    async def _next_episode(self, user: User, media_id: int) -> int:
        entry = await self._watchlists.entry(user, MediaId(media_id))
        if entry is None:
            raise Missing("That show is not on your watchlist; name the episode.")
        if entry.next_episode is None:
            raise Missing(f"You have seen every episode of {entry.anime.title}.")
        aired = entry.anime.aired
        if aired is not None and entry.next_episode > aired:
            raise Missing(f"Episode {entry.next_episode} of {entry.anime.title} has not aired yet.")
        return entry.next_episode

    async def _ask(self, user: User, asked: _Asked) -> Grab:
        """The grab that answers this already, or a new one in the state `asked`."""
        async with self._database.begin(user.id) as tx:
            await hold(tx, user)
            row = await self._answering(tx, user, asked)
            if row is None:
                row = GrabRow(
                    user_id=user.id, **asdict(asked),
                    state=GrabState.ASKED, title="", reason="", steps=[], asked_at=datetime.now(UTC),
                )  # fmt: skip
                held = None
                if asked.infohash is None and not asked.whole_batch:
                    held = await self._library.held(tx, user, asked.media_id, asked.episode)
                if held is not None:
                    row.state, row.infohash, row.title = GrabState.ADDED, held.infohash, held.name
                    row.reason, row.ended_at = "You have it already.", datetime.now(UTC)
                tx.add(row)
                await tx.flush()
            return _grab(row)

    async def _answering(self, tx: Tx, user: User, asked: _Asked) -> GrabRow | None:
        rows = await tx.scalars(
            select(GrabRow)
            .where(GrabRow.user_id == user.id, GrabRow.media_id == asked.media_id, GrabRow.episode == asked.episode)
            .where(GrabRow.state != GrabState.FAILED)
            .order_by(GrabRow.id.desc())
        )
        for row in rows.all():
            if asked.infohash not in (None, row.infohash) or (asked.whole_batch and not row.whole_batch):
                continue
            if row.state == GrabState.ASKED or await self._is_held(tx, user, row):
                return row
        return None

    async def _is_held(self, tx: Tx, user: User, row: GrabRow) -> bool:
        """Whether this user still claims what a grab fetched."""
        return await self._library.holds(tx, user, row.infohash or "", row.media_id, row.episode)

    async def _open(self) -> list[tuple[GrabRow, User | None]]:
        async with self._database.begin(SYSTEM) as tx:
            rows = (await tx.scalars(select(GrabRow).where(GrabRow.state.in_(_OPEN)).order_by(GrabRow.id))).all()
            known = await people(tx, {UserId(row.user_id) for row in rows})
        return [(row, known.get(UserId(row.user_id))) for row in rows]

    async def _move(
        self, user: User, grab_id: int, state: GrabState, *, reason: str | None = None, watch: Stopwatch | None = None
    ) -> None:
        """On to a state, unless the grab is over."""
        async with self._database.begin(user.id) as tx:
            row = await tx.get(GrabRow, grab_id, with_for_update=True)
            if row is None or row.state in (GrabState.COMPLETE, GrabState.FAILED):
                return
            if row.state != state:
                self._tally.count("grabs", state)
            row.state = state
            row.reason = row.reason if reason is None else reason
            row.steps = watch.taken if watch else row.steps
            row.ended_at = datetime.now(UTC) if state is not GrabState.CLAIMED else None

    async def _fail(self, whose: UserId, grab_id: int, reason: str, watch: Stopwatch | None = None) -> Grab:
        """Give up, unless the torrent is claimed: then it goes on without whoever was waiting."""
        async with self._database.begin(whose) as tx:
            row = await tx.get_one(GrabRow, grab_id, with_for_update=True)
            owner = (await people(tx, [whose])).get(whose)
            is_held = row.state in (GrabState.CLAIMED, GrabState.ADDED) and (
                owner is not None and await self._is_held(tx, owner, row)
            )
            if row.state in _OPEN and not is_held:
                row.state, row.reason, row.ended_at = GrabState.FAILED, reason, datetime.now(UTC)
                row.steps = watch.taken if watch else row.steps
                self._tally.count("grabs", GrabState.FAILED)
            return _grab(row)


def _files(stored: Stored, user: User, grab: Grab) -> tuple[frozenset[int], bool]:
    """The files that a grab is about, none for all of them; and whether they are still claimed."""
    claim = stored.claim_of(user.id)
    files = claim.files_of(grab.media_id, grab.episode) if claim else frozenset[int]()
    is_part = claim is not None and claim.is_part
    return (frozenset() if grab.whole_batch and not is_part else files), bool(files) or not is_part


def _reason(found: Found, chosen: Ranked, share: Share | None) -> str:
    """Why this release; how much of a batch is fetched comes first."""
    is_best = chosen is found.best
    why = found.said if is_best else "Chosen by hand."
    if share is None:
        return why
    if not share.files:
        return share.said
    return f"Only a batch holds it: {share.said} {why}" if is_best else f"{share.said[0].upper()}{share.said[1:]} {why}"


def _grab(row: GrabRow) -> Grab:
    return Grab(
        id=row.id,
        media_id=row.media_id,
        episode=row.episode,
        quality=row.quality,
        infohash=row.infohash,
        state=GrabState(row.state),
        title=row.title,
        reason=row.reason,
        steps=tuple(Step(str(step["step"]), float(step["ms"]), done=True) for step in row.steps),
        asked_at=row.asked_at,
        ended_at=row.ended_at,
        whole_batch=row.whole_batch,
        files=None if row.files is None else tuple(row.files),
    )
