"""A connection that came to nothing: its one line in the log, its word in the figures, and what it costs its source."""

from __future__ import annotations

from dataclasses import dataclass

import structlog

from uuutorrent.penalties import Offence, Penalties, source_of
from uuutorrent.ssh.signin import SignIn
from uuutorrent.tries import printable

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Failure:
    """How a connection stood when it ended before anybody had signed in."""

    ip: str
    port: int
    signin: SignIn
    is_closing: bool
    """The server was about to stop."""
    trouble: str
    """What ended the signing in, in words; empty: the client did, or its tries."""
    is_ours: bool
    """The trouble was here, not there."""
    floods: bool
    """It sent more than anybody needs to sign in."""
    is_late: bool
    """The time to sign in was over."""

    @property
    def reason(self) -> str:
        """One word for the figures."""
        if self.is_closing:
            return "closing"
        if self.trouble:
            return "trouble"
        if self.floods:
            return "flood"
        if self.is_late:
            return "grace"
        if self.signin.out_of_tries:
            return "passwords"
        if self.signin.out_of_keys:
            return "keys"
        return "auth_failed" if self.signin.last_failure else "no_auth"

    def tell(self) -> None:
        """Write the line by which fail2ban bans addresses: the address before the user name."""
        where = {"ip": self.ip, "port": self.port}
        tried = self.signin.last_failure
        if self.trouble:
            log.warning("sign_in_trouble", **where, why=self.trouble)
        if tried is not None:
            log.info("ssh_auth_failed", **where, method=tried.method, user=printable(tried.name))
        elif not self.trouble:
            log.info("ssh_no_auth", **where)

    def punish(self, penalties: Penalties) -> None:
        """Let the source pay for it, unless it was our doing."""
        if self.is_closing or self.is_ours:
            return
        tried, offence = self.signin.last_failure, Offence.NO_AUTH
        if tried is not None:
            offence = tried.offence
        elif self.is_late:
            offence = Offence.GRACE
        times, since_s = max(1, self.signin.wrong_passwords), self.signin.since_wrong_s
        penalties.add(source_of(self.ip), offence, times, since_s=since_s)
