"""Figures the core keeps about itself, without knowing who reads them.

A `Tally` counts and times; the metrics door turns it into Prometheus families. Families, their labels and the values
of these are fixed here, so nothing that a client chooses can become a label.
"""

from __future__ import annotations

import asyncio
import bisect
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import product

from uuutorrent.errors import RemoteError, Unreachable, UuuError

SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 15.0, 30.0)
LAG = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5)


@dataclass(frozen=True, slots=True)
class Family:
    """A named figure: what it says, its labels with every value they take, its bucket bounds in seconds.

    Without bounds it is a counter, or what was marked last.
    """

    help: str
    labels: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    buckets: tuple[float, ...] = ()
    is_mark: bool = False

    @property
    def combinations(self) -> Iterator[tuple[str, ...]]:
        """Every set of label values there can be."""
        return product(*self.labels.values())

    def known(self, values: tuple[str, ...]) -> tuple[str, ...]:
        """The same label values, with `OTHER` in place of those that are not listed here."""
        known = self.labels.values()
        return tuple(value if value in these else OTHER for value, these in zip(values, known, strict=True))


OTHER = "other"
"""Stands on the page for a label value that was not foreseen: the number of series is bounded, whatever is counted."""
_DEPENDENCIES = ("anilist", "nyaa", "qbittorrent")
_DOORS = ("screen", "command", "sftp", "browser")
FILE_DOORS = ("sftp", "scp", "cat", "browser")
_JOBS = (
    "arrivals", "audit", "autopilot", "backup", "browsers", "channels", "egress", "feeds", "guard", "healing", "health",
    "look ahead", "machine", "newcomers", "notes", "orphans", "panic", "probe", "reconcile", "resume", "seeding",
    "send away", "tidying", "traffic", "uses",
)  # fmt: skip

FAMILIES: Mapping[str, Family] = {
    "dependency_requests": Family(
        "Requests to services outside. A timeout is any failure to reach the service or to get an answer in time.",
        {"dependency": _DEPENDENCIES, "outcome": ("ok", "error", "timeout", "throttled", "cancelled")},
    ),
    "dependency_request_duration_seconds": Family(
        "Time a service outside took to answer.", {"dependency": _DEPENDENCIES}, SECONDS
    ),
    "ssh_auth_attempts": Family(
        "Sign-ins tried. Trouble is ours: the database was away, say.",
        {
            "method": ("publickey", "password", "keyboard-interactive"),
            "outcome": ("ok", "failed", "trouble"),
        },
    ),
    "ssh_refused": Family(
        "Connections that ended before anybody had signed in, or were not let in at all.",
        {
            "reason": (
                *("no_auth", "auth_failed", "flood", "passwords", "keys", "grace", "closing", "trouble"),
                *("banned", "full", "source", "startups", "user_limit", "join_limit"),
            )
        },
    ),
    "ssh_limits": Family(
        "Limits of the port that were met by who may come in.",
        {
            "limit": (
                *("channels", "idle_command", "idle_connection", "idle_screen", "idle_sftp", "keepalive"),
                *("password_checks", "password_delay", "source_passwords"),
            )
        },
    ),
    "browser_auth_attempts": Family(
        "Sign-ins tried with a browser. Trouble is ours: the database was away, say.",
        {"outcome": ("ok", "failed", "trouble")},
    ),
    "browser_refused": Family(
        "Sign-ins with a browser, and pages for its screens, that came to nothing or were not looked at.",
        {
            "reason": (
                *("auth_failed", "passwords", "closing", "trouble", "banned", "full", "source", "startups"),
                *("user_limit", "origin", "no_session"),
            )
        },
    ),
    "browser_limits": Family(
        "Limits of the door for browsers that were met by who may come in.",
        {
            "limit": (
                *("downloads", "idle", "input", "lifetime", "pages", "slow"),
                *("password_checks", "password_delay", "source_passwords"),
            )
        },
    ),
    "sign_ups": Family("Accounts that people made by themselves.", {"outcome": ("invited", "waits")}),
    "sessions": Family("Sessions opened.", {"kind": _DOORS}),
    "session_crashes": Family("Sessions ended by an error of ours.", {"kind": _DOORS}),
    "served_bytes": Family("Bytes of files served.", {"door": FILE_DOORS}),
    "sftp_sent_bytes": Family(
        "Bytes of answers over SFTP, by who made the packets ready: we ourselves, or asyncssh.",
        {"by": ("here", "asyncssh")},
    ),
    "grabs": Family(
        "Grabs that came to this. One that was added and then became complete counts in both.",
        {"outcome": ("added", "complete", "failed")},
    ),
    "grab_step_duration_seconds": Family(
        "Time a step of a grab took.", {"step": ("watchlist", "search", "rank", "add", "link")}, SECONDS
    ),
    "feed_polls": Family("Feeds looked at.", {"outcome": ("read", "unchanged", "failed")}),
    "feed_takings": Family("Items of feeds that a rule took.", {"outcome": ("taken", "failed")}),
    "messages": Family("Messages that people were to be sent outside.", {"outcome": ("sent", "failed")}),
    "autopilot_episodes": Family(
        "Episodes that the autopilot took, offered, or gave up.", {"outcome": ("taken", "offered", "failed")}
    ),
    "jobs": Family(
        "Turns taken at jobs. Failed: for a reason that can be told, such as a service that is away.",
        {"job": _JOBS, "outcome": ("ok", "failed", "broken", "cancelled")},
    ),
    "job_last_success_timestamp_seconds": Family(
        "When this daemon last took a turn at a job that went well; 0 if it never did.", {"job": _JOBS}, is_mark=True
    ),
    "job_interval_seconds": Family(
        "How often this daemon looks whether a job is due; 0 if it never took a turn at it.",
        {"job": _JOBS},
        is_mark=True,
    ),
    "backup_last_success_timestamp_seconds": Family(
        "Up to when everything is in the newest backup this daemon took; 0 if it took none.",
        {"kind": ("files", "second")},
        is_mark=True,
    ),
    "backup_drill_last_success_timestamp_seconds": Family(
        "When a backup was last restored for practice, and all was well; 0 if it never was.", is_mark=True
    ),
    "event_loop_lag_seconds": Family("How late the event loop ran a timer.", buckets=LAG),
    "qbittorrent_restarts": Family("Restarts of the managed qBittorrent."),
}


@dataclass(slots=True)
class Distribution:
    """Observations of one label set: a count per bucket (not cumulative; the last is +Inf), and their sum."""

    counts: list[int]
    total: float = 0.0


@dataclass(frozen=True, slots=True)
class Last:
    """How something ended when it was last done."""

    outcome: str
    seconds: float
    at: float
    """By the clock on the wall, in seconds since 1970."""
    why: str = ""


@dataclass(slots=True)
class Tally:
    """The counters, marks and distributions of one daemon, by family and label values."""

    counters: dict[tuple[str, tuple[str, ...]], float] = field(default_factory=dict)
    """Marks are among them."""
    distributions: dict[tuple[str, tuple[str, ...]], Distribution] = field(default_factory=dict)
    requests: dict[str, Last] = field(default_factory=dict)
    """The last request to each service outside."""
    turns: dict[str, Last] = field(default_factory=dict)
    """The last turn of each job that this daemon took."""

    def count(self, family: str, *labels: str, by: float = 1) -> None:
        """Add to a counter; the labels are in the family's order."""
        self._check(family, labels)
        key = (family, labels)
        self.counters[key] = self.counters.get(key, 0) + by

    def mark(self, family: str, value: float, *labels: str) -> None:
        """What something is now, whatever it was before."""
        self._check(family, labels)
        self.counters[family, labels] = value

    def observe(self, family: str, seconds: float, *labels: str) -> None:
        """Put one duration into a distribution."""
        known = self._check(family, labels)
        seen = self.distributions.setdefault((family, labels), Distribution([0] * (len(known.buckets) + 1)))
        seen.counts[bisect.bisect_left(known.buckets, seconds)] += 1
        seen.total += seconds

    @contextmanager
    def dependency(self, name: str) -> Iterator[None]:
        """Time one request to the service `name` and count its outcome.

        ok: it answered, be it that it has no such thing; error: its answer was of no use; timeout: it could not be
        reached in time; throttled: it asked to slow down; cancelled: nobody waited for the answer any more.
        """
        started, outcome, why = time.perf_counter(), "error", ""
        try:
            yield
            outcome = "ok"
        except Unreachable as e:
            outcome, why = "throttled" if e.retry_after_s is not None else "timeout", e.message
            raise
        except UuuError as e:
            outcome, why = ("error", e.message) if isinstance(e, RemoteError) else ("ok", "")
            raise
        except asyncio.CancelledError:
            outcome = "cancelled"
            raise
        finally:
            self.count("dependency_requests", name, outcome)
            seconds = time.perf_counter() - started
            self.observe("dependency_request_duration_seconds", seconds, name)
            if outcome != "cancelled":
                self.requests[name] = Last(outcome, seconds, time.time(), why)

    @staticmethod
    def bounds(family: str) -> tuple[float, ...]:
        """The bounds of the buckets of a family, in seconds."""
        return FAMILIES[family].buckets

    @staticmethod
    def _check(family: str, labels: tuple[str, ...]) -> Family:
        known = FAMILIES[family]
        if len(labels) != len(known.labels):
            raise ValueError(f"{family} takes the labels {', '.join(known.labels)}")
        return known
