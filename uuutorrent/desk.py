"""Services, opened once by the daemon, and the Desk: the services with the user at them. All that a door is given."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, fields, replace

from uuutorrent.accounts import Accounts, Admin, SignedIn, User
from uuutorrent.anime.watchlist import Watchlists
from uuutorrent.audit import Audit
from uuutorrent.automation.autopilot.autopilot import Autopilot
from uuutorrent.automation.channels.channels import Channels
from uuutorrent.automation.channels.deliveries import Deliveries
from uuutorrent.automation.feeds.feeds import Feeds
from uuutorrent.automation.health.healing import Healing
from uuutorrent.automation.health.observations import Observations
from uuutorrent.automation.health.replacing import Replacing
from uuutorrent.automation.health.timeline import Timeline
from uuutorrent.automation.inbox.answers import Answers
from uuutorrent.automation.inbox.arrivals import Arrivals
from uuutorrent.automation.inbox.inbox import Inbox
from uuutorrent.automation.inbox.uses import Uses
from uuutorrent.automation.jobs import Jobs
from uuutorrent.automation.preferences import PreferenceBook
from uuutorrent.automation.upkeep.around import Around
from uuutorrent.automation.upkeep.recovered import Recovered
from uuutorrent.automation.upkeep.tidying import Tidying
from uuutorrent.automation.upkeep.traffic import Traffic
from uuutorrent.automation.upkeep.upkeep import Upkeep
from uuutorrent.config import Config
from uuutorrent.errors import Conflict, Missing, Refused, RemoteError
from uuutorrent.invites import Invites
from uuutorrent.limits import Limits
from uuutorrent.machine import Machine
from uuutorrent.penalties import Penalties, Source
from uuutorrent.presence import Here, Presence, only_by_key
from uuutorrent.releases.search import Releases
from uuutorrent.secondfactors import Proof, SecondFactors
from uuutorrent.serving import Serving, Turns
from uuutorrent.signup import SignUps
from uuutorrent.store import onlooking
from uuutorrent.tally import Tally
from uuutorrent.torrents.drop import Drop
from uuutorrent.torrents.files import Files
from uuutorrent.torrents.grabs import Grabs
from uuutorrent.torrents.library import Library
from uuutorrent.torrents.live import Live

LEFT = "this account was deleted by its owner"
DISABLED = "an admin disabled this account"
DELETED = "an admin deleted this account"
SEE = "users see"
EXPIRED = "your password is a one-time password: sign in with ssh and choose another first"
FACTOR_DUE = "you need a second factor here: sign in with ssh and set one up first"


@dataclass(frozen=True, slots=True)
class Services:
    """Everything the daemon opened."""

    config: Config
    tally: Tally
    accounts: Accounts
    audit: Audit
    penalties: Penalties
    second_factors: SecondFactors
    invites: Invites
    signups: SignUps
    presence: Presence
    machine: Machine
    limits: Limits
    turns: Turns
    watchlists: Watchlists
    releases: Releases
    live: Live
    library: Library
    grabs: Grabs
    files: Files
    drop: Drop
    feeds: Feeds
    preferences: PreferenceBook
    inbox: Inbox
    uses: Uses
    answers: Answers
    arrivals: Arrivals
    autopilot: Autopilot
    timeline: Timeline
    observations: Observations
    replacing: Replacing
    healing: Healing
    channels: Channels
    deliveries: Deliveries
    jobs: Jobs
    upkeep: Upkeep
    around: Around
    recovered: Recovered
    traffic: Traffic
    tidying: Tidying

    def desk(self, user: User, here: Here | None = None) -> Desk:
        """The services, with this user at them; `here` is the connection they came in."""
        services = {field.name: getattr(self, field.name) for field in fields(Services)}
        here = here or Here(user)
        return Desk(**services, user=replace(user, ip=here.ip), here=here)


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk(Services):
    """What one signed-in person's session works with."""

    user: User
    here: Here
    watcher: User | None = None
    """The admin who only looks at what the user sees."""

    async def admin(self) -> Admin:
        """Proof that whoever sits here is an admin now.

        Raises:
            Refused: they are not.
            StepUp: a code of their second factor is due first.
        """
        onlooking.refuse()
        return await self.accounts.admin(self.user, self.here.proof, "a screen")

    async def lift(self, by: Admin, address: str) -> Source:
        """Let a source with a penalty try again now, and say which it was.

        Raises:
            UuuError: as `Penalties.lift`.
        """
        lifted = self.penalties.lift(by, address)
        await self.audit.tell(by, "penalties lift", lifted)
        return lifted

    async def end_session(self, by: Admin, which: int) -> Here:
        """End anybody's connection, and say whose it was.

        Raises:
            Missing: there is no such connection.
        """
        ended = self.presence.end_for(by, which)
        await self.audit.tell(by, "sessions end", ended.user.name, detail=f"from {ended.ip}")
        return ended

    async def see(self, by: Admin, name: str) -> Desk:
        """Somebody's desk, for an admin who only looks at what they see. What runs there runs `only_looking`.

        Raises:
            Missing: there is no such user.
            Conflict: it is themselves.
            Refused: `by` is no admin any more.
        """
        whom = await self.accounts.whom(by, name)
        if whom.id == by.user.id:
            raise Conflict("that is you: leave this screen, and you see it")
        await self.audit.tell(by, SEE, name, detail="began")
        return replace(self.desk(whom), watcher=by.user)

    def seen(self, how: str) -> None:
        """The watcher has looked."""
        self.audit.later(self.watcher, SEE, self.user.name, detail=f"ended {how}")

    async def why_not_seen(self) -> str:
        """Why the watcher may not look any more; empty: they may."""
        if self.watcher is None:
            return ""
        signed_in = SignedIn(self.watcher.id)
        watcher = (await self.accounts.still_here({signed_in})).get(signed_in)
        if watcher is None or not watcher.is_admin:
            return "only admins may do that"
        try:
            return "" if (await self.accounts.get(self.user.id)).name == self.user.name else "they have another name"
        except Missing:
            return f"{self.user.name} is gone"

    async def message(self, by: Admin, text: str, which: int | None = None) -> tuple[Here, ...]:
        """Say something to whoever sits at the screens of a session, or of all (None); to which it was said.

        Raises:
            UuuError: as `Presence.message`.
        """
        told = self.presence.message(by, text, which)
        whom = "everybody" if which is None else told[0].user.name
        await self.audit.tell(by, "sessions message", whom, detail=text)
        return told

    async def check_entrance(self) -> None:
        """What has to be done before anybody is given files.

        Raises:
            Refused: choosing a password, or setting up a second factor.
        """
        if self.user.password_expired:
            raise Refused(EXPIRED)
        if await self.second_factors.is_due(self.user):
            raise Refused(FACTOR_DUE)

    async def lacks_key(self) -> bool:
        """Whether whoever sits here can come back from where they are only once they have a key."""
        later, ip = replace(self.user, password_expired=False), self.here.ip
        is_barred = bool(ip) and only_by_key(later, ip, self.config.accounts.admin_passwords)
        return is_barred and not await self.accounts.keys(self.user)

    async def leave(self, password: str, proof: Proof) -> None:
        """Delete the account of whoever sits here, with all that is theirs alone, and end their other sessions.

        Raises:
            UuuError: as `Accounts.leave`.
        """
        await self.accounts.leave(self.user, password, proof)
        self.presence.gone(self.user.id, LEFT, but=self.here)
        with suppress(RemoteError):  # the job does it as soon as the engine answers
            await self.library.reconcile()

    async def disable(self, by: Admin, name: str) -> None:
        """Keep somebody from signing in, and end their sessions. Their torrents stay.

        Raises:
            UuuError: as `Accounts.disable`.
        """
        self.presence.gone((await self.accounts.disable(by, name)).id, DISABLED)

    async def delete(self, by: Admin, name: str) -> None:
        """Delete somebody with all that is theirs alone, and end their sessions.

        Raises:
            UuuError: as `Accounts.delete`.
        """
        self.presence.gone((await self.accounts.delete(by, name)).id, DELETED)
        with suppress(RemoteError):  # the job does it as soon as the engine answers
            await self.library.reconcile()

    def serving(self, door: str) -> Serving:
        """What a new session of a file door may send; `door` is one that `served_bytes` names."""
        return Serving(self.user, door, self.limits, self.turns, self.tally)
