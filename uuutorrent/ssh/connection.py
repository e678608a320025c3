"""One client's connection: who it is once that is proved, and the sessions in it. All else is refused."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Coroutine
from contextlib import suppress
from typing import Any

import asyncssh
import structlog

from uuutorrent.admission import Pace
from uuutorrent.audit import FAILED, REFUSED
from uuutorrent.errors import Refused, UuuError
from uuutorrent.penalties import NobodyNew, OnlyKeys, source_of
from uuutorrent.presence import Activity, Here, gone, outstays
from uuutorrent.ssh import tcp
from uuutorrent.ssh.entrance import CLOSING, Entrance
from uuutorrent.ssh.failures import Failure
from uuutorrent.ssh.guests import Guests
from uuutorrent.ssh.joining import STAY_S, Stranger
from uuutorrent.ssh.session import IDLE, Session
from uuutorrent.ssh.turns import Debt
from uuutorrent.ssh.visit import DeskVisit, Visit
from uuutorrent.users import SignedIn, User, can_be_named

log = structlog.get_logger()

TOO_MANY_SESSIONS = "too many sessions in this connection: close one"
TOO_FAST = "too many sessions in a short time: wait a moment"
OPENED_AT_ONCE, OPENED_PER_S = 50, 10.0
"""Sessions that one connection may open in one go, and how many more each second."""
HEAD_START_S = 0.2
"""How much earlier than ours asyncssh's clock for signing in may have begun, on a busy machine."""
CUT_S = 2.0
"""How long a door may take to end when it is cut."""
HANG_UP_S = 0.3
"""How long a client may take to hang up once its sessions are over, before we do."""

STATES = ("unauthenticated", "joining", "signed_in")
"""How far a connection can be, for the figures."""


class Connection(Entrance):
    """Told by asyncssh what a client asks for. What is not answered here (forwarding of any kind) is refused there."""

    def __init__(self, guests: Guests) -> None:
        super().__init__(guests)
        self._accounts = guests.services.accounts
        self._is_let_in = False
        self._began = time.monotonic()
        self._proved = False
        self._settled = asyncio.Event()
        self._floods = False
        """It sent more than anybody needs to sign in."""
        self.user: User | None = None
        """Who signed in, as they were then."""
        self.signed_in: SignedIn | None = None
        self.here: Here | None = None
        """Who is here, as they and admins see it."""
        self.stranger: Stranger | None = None
        """Somebody who came to sign up."""
        self._sessions: set[Session] = set()
        self._debt = Debt(guests.turns)
        self._pace = Pace(OPENED_AT_ONCE, OPENED_PER_S)
        self._opening = 0
        """Sessions that are asked for and not open yet."""
        self._busy_at = self._began
        self._gone = asyncio.Event()

    # The connection itself

    def connection_made(self, conn: asyncssh.SSHServerConnection) -> None:
        """A client is there. Who is not let in is hung up on before a byte is sent."""
        self._address = conn.get_extra_info("peername", ("", 0))[:2]
        self._source, self._signin.ip = source_of(self._address[0]), self._address[0]
        if why := self._guests.admission.refusal(self._source):
            self._guests.services.tally.count("ssh_refused", why)
            conn.abort()
            return
        self._conn, self._is_let_in = conn, True
        self._guests.came(self)
        tcp.answer_quickly(conn, until=self._settled.is_set, too_much=self._too_much)
        tcp.take_turns(conn, lambda: self._guests.strangers if self.user is None else self._debt)
        tcp.tell_when_full(conn, self._full)

    def connection_lost(self, exc: Exception | None) -> None:
        """It is gone. asyncssh has closed its sessions before."""
        if not self._is_let_in:
            return
        conn, self._conn = self._conn, None
        self._guests.left(self)
        if self.here is not None:
            self._guests.services.presence.left(self.here)
        if self.stranger is not None:
            self._guests.joiners.left(self.stranger, *self._address)
        self._guests.admission.gone(self._source, proved=self._proved)
        if conn is not None:
            tcp.let_go(conn)
        if exc is not None and "keepalive" in str(exc):
            self._limit("keepalive")
        if not self._proved:
            self._came_to_nothing()
        self._settled.set()
        self._gone.set()

    @property
    def is_in(self) -> bool:
        """Whether somebody signed in, or is let in to sign up."""
        return self.user is not None or self.stranger is not None

    @property
    def state(self) -> str:
        """How far it is: one of STATES."""
        if self.stranger is not None:
            return "joining"
        return "signed_in" if self._proved else "unauthenticated"

    def disconnect(self, sentence: str) -> None:
        """End it; the client shows the sentence."""
        if self._conn is not None:
            self._conn.disconnect(asyncssh.DISC_BY_APPLICATION, sentence)

    def hang_up_if_idle(self) -> None:
        """End it if nothing was asked for in it for as long as it may stand still."""
        now = time.monotonic()
        for session in tuple(self._sessions):
            if why := session.end_if_idle(now, self._limits):
                self._limit(why)
        # A channel in which nobody said what it is for keeps nothing open.
        is_busy = any(session.task is not None for session in self._sessions)
        if self.stranger is not None and now - self._began > STAY_S:
            for session in tuple(self._sessions):
                session.leave(IDLE)
        if self.is_in and not is_busy and now - self._busy_at > self._limits.idle_sftp_s:
            self._limit("idle_connection")
            self.disconnect(IDLE)

    def outstays(self, now: User | None) -> str:
        """Why the person has to go, if they have to; `now` is who they are by now, None if nobody."""
        if self.user is None or self.signed_in is None:
            return ""
        return outstays(self.signed_in, self.user, now)

    async def send_away(self, sentence: str) -> None:
        """End everything in it at once, tell the person why, and hang up."""
        log.info("ssh_sent_away", **self._where(), user=self.user.name if self.user else "", why=sentence)
        self.user, self.signed_in, self._trouble = None, None, sentence
        tasks = [session.task for session in self._sessions if session.task is not None]
        for session in tuple(self._sessions):
            session.cut(sentence, exit_code=Refused.exit_code)
        if tasks:
            await asyncio.wait(tasks, timeout=CUT_S)
        with suppress(TimeoutError):
            async with asyncio.timeout(HANG_UP_S):
                await self._gone.wait()
        self.disconnect(sentence)

    # Signing in

    async def auth_completed(self) -> None:
        """Something was proved: find out who that makes them. Their sessions wait for it."""
        self._proved = True
        self._guests.admission.proved(self._source)
        try:
            with self._told():
                # The name as asyncssh completed it, not as any check was asked with.
                name = self._conn.get_extra_info("username") if self._conn else ""
                if self._guests.joiners.expects(name):
                    self._admit_stranger()
                    return
                user = await self._signin.complete(name)
                self._check_room(user)
                self.user, self.signed_in = user, SignedIn(user.id, self._signin.fingerprint)
                self._appear(user)
            self._guests.services.penalties.welcome(self._source)
            log.info("ssh_signed_in", **self._where(), method=self._signin.method, user=user.name)
        finally:
            self._settled.set()
            if not self.is_in:  # whoever asks for a session meanwhile is told why there is none
                self._note_refusal(FAILED if self._is_ours else REFUSED)
                asyncio.get_running_loop().call_later(CUT_S, self.disconnect, self._trouble)

    # Sessions

    def session_requested(self) -> Coroutine[Any, Any, Session]:
        """A channel for screens, a command or files. What is refused at once costs no task."""
        if self._opening + len(self._sessions) >= self._limits.channels:
            self._limit("channels")
            raise asyncssh.ChannelOpenError(asyncssh.OPEN_RESOURCE_SHORTAGE, TOO_MANY_SESSIONS)
        if not self._pace.allows():
            self._limit("channels")
            raise asyncssh.ChannelOpenError(asyncssh.OPEN_RESOURCE_SHORTAGE, TOO_FAST)
        self._opening += 1
        return self._session()

    async def _session(self) -> Session:
        try:
            return await self._open_session()
        finally:
            self._opening -= 1

    async def _open_session(self) -> Session:
        await self._settled.wait()
        session = Session(await self._visit(), self._over)
        self._sessions.add(session)
        self._guests.sessions.add(session)
        self._busy_at = time.monotonic()
        return session

    # Within

    async def _visit(self) -> Visit:
        """Which doors are open to whoever wants a session."""
        if self.stranger is not None and not self._guests.closing:
            return self.stranger.visit
        user = await self._visitor()
        services = self._guests.services
        desk, reach = services.desk(user, self.here), services.config.ssh.reach(user.name)
        return DeskVisit(desk, reach, self._guests.open_app, self._guests.depot)

    def _admit_stranger(self) -> None:
        """Raises Refused if there are as many strangers as there may be, or their source is penalised."""
        try:
            self._check_source()
        except OnlyKeys as e:
            raise NobodyNew(e.left_s) from e
        self.stranger = self._guests.joiners.admit(self._source, self._signin.key_shown(), self._address[0])
        self._limits = self.stranger.limits
        log.info("ssh_joins", **self._where(), key=bool(self.stranger.lobby.offered))

    def _appear(self, user: User) -> None:
        """From now on they are seen to be here."""
        method, fingerprint = self._signin.method or "", self._signin.fingerprint
        self.here = Here(user, self._address[0], method, fingerprint, self._activity, self._hang_up, self._say)
        if self._signin.gave_code:
            self.here.proof.given()
        how = " ".join(filter(None, (method, fingerprint, "with a code" if self._signin.gave_code else "")))
        self._guests.services.audit.later(user, "sign-in", user.name, detail=how, source=self._address[0])
        if self._conn is not None:
            self._guests.services.presence.came(self.here)

    def _activity(self) -> Activity:
        doors = tuple(session.kind for session in self._sessions if session.kind is not None)
        return Activity(doors, *(tcp.carried(self._conn) if self._conn is not None else (0, 0)))

    def _hang_up(self, sentence: str) -> None:
        self._guests.look_at(self.send_away(sentence))

    def _say(self, sentence: str) -> bool:
        return sum(session.says(sentence) for session in self._sessions) > 0

    def _check_room(self, user: User) -> None:
        """Raises Refused if this user has as many connections as one may have."""
        theirs = self._guests.connections_of(user)
        if theirs >= self._limits.connections_per_user:
            self._guests.services.tally.count("ssh_refused", "user_limit")
            raise Refused(f"you have {theirs} connections open, which is all you may have: close one")

    async def _visitor(self) -> User:
        """Whoever wants a session, as they are at this moment."""
        signed_in = self._check_open()
        try:
            user = (await self._accounts.still_here([signed_in])).get(signed_in)
        except UuuError as e:
            raise asyncssh.ChannelOpenError(asyncssh.OPEN_CONNECT_FAILED, e.message) from e
        self._check_open()
        if user is None:
            raise asyncssh.ChannelOpenError(asyncssh.OPEN_ADMINISTRATIVELY_PROHIBITED, gone(signed_in))
        return user

    def _check_open(self) -> SignedIn:
        if self._guests.closing or self.signed_in is None or self._conn is None:
            raise asyncssh.ChannelOpenError(asyncssh.OPEN_ADMINISTRATIVELY_PROHIBITED, self._trouble or CLOSING)
        return self.signed_in

    def _over(self, session: Session) -> None:
        self._sessions.discard(session)
        self._guests.sessions.discard(session)
        self._busy_at = time.monotonic()

    def _came_to_nothing(self) -> None:
        services = self._guests.services
        failure = Failure(
            self._address[0],
            self._address[1],
            self._signin,
            is_closing=self._guests.closing,
            trouble=self._trouble,
            is_ours=self._is_ours,
            floods=self._floods,
            is_late=time.monotonic() - self._began >= self._limits.login_grace_s - HEAD_START_S,
        )
        services.tally.count("ssh_refused", failure.reason)
        failure.tell()
        if self._signin.last_failure or (self._trouble and not self._is_ours):
            self._note_refusal(FAILED)
        failure.punish(services.penalties)

    def _note_refusal(self, outcome: str) -> None:
        """What is no name may be a password that was typed in its place: it is not noted."""
        tried = self._signin.last_failure
        name = tried.name if tried else self._asked_name
        self._guests.services.audit.later(
            None, "sign-in", name if can_be_named(name) else "", outcome=outcome, source=self._address[0],
            detail=" ".join((tried.method if tried else "", self._trouble)).strip(),
        )  # fmt: skip

    def _too_much(self) -> None:
        self._floods = True

    def _full(self, full: bool) -> None:
        for session in tuple(self._sessions):
            session.block("socket", on=full)
