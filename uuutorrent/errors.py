"""The error tree: everything that can be told to a person, on one page.

* UuuError                text for the person: what happened, what to do
  + Refused               you may not (exit 3)
  + Missing               there is no such thing (exit 4)
  + Conflict              it is there already, or it changed meanwhile (exit 5)
  + Invalid               what was typed cannot be used (exit 2)
  + RemoteError           a service outside let us down
    - Unreachable         no answer, or "slow down": later may work (exit 75, EX_TEMPFAIL)
      . Halted            an admin had everything stand still: later it will
    - Unexpected          an answer that cannot be used: again will not help (exit 76, EX_PROTOCOL)
  + BadConfig             a setting is wrong; only at start (exit 78, EX_CONFIG)

Each door maps this tree once. The text holds no secrets and no `repr` of internals.
"""

from __future__ import annotations

import os
from typing import ClassVar, Self


class UuuError(Exception):
    """Something a person can be told in one sentence."""

    code: ClassVar[str] = "error"
    exit_code: ClassVar[int] = 70

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class Refused(UuuError):
    """You may not: not yours, not an admin, over quota, wrong password."""

    code = "refused"
    exit_code = 3


class Missing(UuuError):
    """There is no such user, anime, torrent or file (or it is not yours, which looks the same)."""

    code = "missing"
    exit_code = 4


class Conflict(UuuError):
    """It exists already, or something else changed it first."""

    code = "conflict"
    exit_code = 5


class Invalid(UuuError):
    """What was typed cannot be used; `field` names which input."""

    code = "invalid"
    exit_code = 2

    def __init__(self, message: str, *, field: str = "") -> None:
        super().__init__(message)
        self.field = field


class RemoteError(UuuError):
    """A service outside let us down; `service` is its name as people know it."""

    code = "remote"

    def __init__(self, service: str, message: str) -> None:
        super().__init__(f"{service}: {message}")
        self.service = service


class Unreachable(RemoteError):
    """No answer, or "slow down": trying later is reasonable, after `retry_after_s` when it is known."""

    code = "unreachable"
    exit_code = 75

    def __init__(self, service: str, message: str, *, retry_after_s: float | None = None) -> None:
        super().__init__(service, message)
        self.retry_after_s = retry_after_s


class Halted(Unreachable):
    """An admin had everything stand still; whatever waits for that goes on once it is taken back."""

    def __init__(self, message: str) -> None:
        super().__init__("uuutorrent", message)
        self.message = message


class Unexpected(RemoteError):
    """An answer that cannot be used: asking again will not help."""

    code = "unexpected"
    exit_code = 76


class BadConfig(UuuError):
    """A setting is wrong; the message names the key and what to write instead."""

    code = "config"
    exit_code = 78

    @classmethod
    def no_port(cls, section: str, host: str, port: int, why: OSError) -> Self:
        """The port of [`section`] cannot be had."""
        reason = os.strerror(why.errno) if why.errno and why.errno > 0 else why.strerror
        return cls(f"cannot listen on {host} port {port}: {reason}; see host and port of [{section}]")
