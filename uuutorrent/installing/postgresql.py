"""PostgreSQL: the daemon's roles and database, and pgBackRest, which keeps every piece of its log.

The role signs in over TCP on this machine with a password that nobody types: Debian's pg_hba.conf allows that as it is.
Source: postgresql.org/docs (role attributes, archiving), pgbackrest.org/configuration.html.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass

from uuutorrent.errors import Conflict, Missing
from uuutorrent.installing.choices import DAEMON, PGBACKREST, STANZA, URL
from uuutorrent.installing.step import Step
from uuutorrent.installing.system import System
from uuutorrent.store import migrate
from uuutorrent.store.policies import BECOMES, SYSTEM_ROLE

_AS_OWNER = ("runuser", "-u", "postgres", "--")
_IS_SYSTEM_ROLE = f"""
SELECT 1 FROM pg_roles WHERE rolname = '{SYSTEM_ROLE}' AND NOT rolcanlogin AND pg_has_role('{DAEMON}', oid, {BECOMES})
"""  # noqa: S608 - names of ours
ARCHIVE_TIMEOUT_S = 300
"""No more than so much is lost."""


@dataclass(frozen=True, slots=True)
class Cluster:
    """A cluster as Debian keeps them. Source: pg_lsclusters(1)."""

    release: str
    name: str
    port: str
    data: str

    @property
    def settings(self) -> str:
        """Our own file among its settings."""
        return f"/etc/postgresql/{self.release}/{self.name}/conf.d/uuutorrent.conf"


def steps(system: System) -> list[Step]:
    """In the order in which each needs those before it."""
    return [*_database(system), *_backups(system)]


def _database(system: System) -> list[Step]:
    return [
        Step("PostgreSQL runs.", lambda: _runs(system), lambda: _start(system), stays="others may use it"),
        Step(
            f"PostgreSQL has a role {DAEMON}, whose password is in {URL}, root's alone.",
            lambda: _has(system, "pg_roles", "rolname") and system.at(URL).is_file(),
            lambda: _make_role(system),
            lambda: _drop(system, "ROLE"),
            is_data=True,
        ),
        Step(
            f"PostgreSQL has a role {SYSTEM_ROLE}, for what concerns everybody, which only {DAEMON} becomes.",
            lambda: _ask(system, _IS_SYSTEM_ROLE) == "1",
            lambda: _make_system_role(system),
            lambda: _drop(system, "ROLE", SYSTEM_ROLE),
            is_data=True,
        ),
        Step(
            f"PostgreSQL has a database {DAEMON} that belongs to it.",
            lambda: _has(system, "pg_database", "datname"),
            lambda: _sql(system, f"CREATE DATABASE {DAEMON} OWNER {DAEMON} ENCODING 'UTF8' TEMPLATE template0"),
            lambda: _drop(system, "DATABASE"),
            is_data=True,
        ),
    ]


def _backups(system: System) -> list[Step]:
    return [
        Step(
            f"{PGBACKREST} says where backups of PostgreSQL go, and with which passphrase they are sealed.",
            lambda: f"[{STANZA}]" in _read(system, PGBACKREST),
            lambda: _write_pgbackrest(system),
            lambda: system.at(PGBACKREST).unlink(missing_ok=True),
            is_data=True,
        ),
        Step(
            f"PostgreSQL hands every piece of its log to pgBackRest, after {ARCHIVE_TIMEOUT_S} s at the latest.",
            lambda: _archives(system),
            lambda: _archive(system),
            lambda: _stop_archiving(system),
        ),
        Step(
            "pgBackRest knows this PostgreSQL, and a piece of the log has reached it.",
            lambda: system.asks(*_pgbackrest("check")) is not None,
            lambda: _create_stanza(system),
            lambda: _delete_stanza(system),
            is_data=True,
        ),
        Step(
            "pgBackRest has a whole backup, from which its pieces of the log lead on.",
            lambda: '"label"' in (system.asks(*_pgbackrest("info", "--output=json")) or ""),
            lambda: _back_up(system, "full"),
            stays="it goes with what pgBackRest knows",
        ),
        Step(
            "What PostgreSQL held before this version changes its schema is in a backup.",
            lambda: not _changes(system),
            lambda: _back_up(system, "diff"),
            stays="it goes with what pgBackRest knows",
        ),
    ]


def found(system: System) -> Cluster | None:
    """The cluster on the usual port, else the first there is."""
    told = (system.asks("pg_lsclusters", "--no-header") or "").splitlines()
    rows = [line.split() for line in told if len(line.split()) > 5]
    clusters = [Cluster(release=row[0], name=row[1], port=row[2], data=row[5]) for row in rows]
    return next((one for one in clusters if one.port == "5432"), next(iter(clusters), None))


def _the(system: System) -> Cluster:
    if (cluster := found(system)) is None:
        raise Missing("this machine has no PostgreSQL: pg_createcluster makes one")
    return cluster


def _runs(system: System) -> bool:
    return found(system) is not None and _ask(system, "SELECT 1") == "1"


def _start(system: System) -> None:
    cluster = _the(system)
    system.does("pg_ctlcluster", cluster.release, cluster.name, "start")


def _restart(system: System, cluster: Cluster) -> None:
    system.does("pg_ctlcluster", cluster.release, cluster.name, "restart")


def _psql(system: System) -> tuple[str, ...]:
    return (*_AS_OWNER, "psql", "-p", _the(system).port, "-AtXq", "-v", "ON_ERROR_STOP=1", "-d", "postgres")


def _ask(system: System, statement: str) -> str | None:
    answer = system.asks(*_psql(system), given=statement) if found(system) else None
    return None if answer is None else answer.strip()


def _sql(system: System, statement: str) -> None:
    system.does(*_psql(system), given=statement)


def _has(system: System, table: str, column: str) -> bool:
    return _ask(system, f"SELECT 1 FROM {table} WHERE {column} = '{DAEMON}'") == "1"  # noqa: S608 - names of ours


def _make_role(system: System) -> None:
    password = secrets.token_urlsafe(32)
    verb = "ALTER" if _has(system, "pg_roles", "rolname") else "CREATE"
    _sql(system, f"{verb} ROLE {DAEMON} LOGIN PASSWORD '{password}'")
    url = f"postgresql+asyncpg://{DAEMON}:{password}@127.0.0.1:{_the(system).port}/{DAEMON}"
    system.write(URL, f"{url}\n", mode=0o400)


def _make_system_role(system: System) -> None:
    there = _ask(system, f"SELECT 1 FROM pg_roles WHERE rolname = '{SYSTEM_ROLE}'")  # noqa: S608 - a name of ours
    _sql(system, f"{'ALTER' if there == '1' else 'CREATE'} ROLE {SYSTEM_ROLE} NOLOGIN")
    # Granted anew: from PostgreSQL 16 on, a grant without the right to become it would stay as it is.
    _sql(system, f"REVOKE {SYSTEM_ROLE} FROM {DAEMON}; GRANT {SYSTEM_ROLE} TO {DAEMON}")


def _drop(system: System, what: str, name: str = DAEMON) -> None:
    if found(system) is not None:
        _sql(system, f"DROP {what} IF EXISTS {name}")


def _write_pgbackrest(system: System) -> None:
    cluster = _the(system)
    text = (
        "# Whoever has this passphrase can read the backups, and without it nobody can: keep a copy elsewhere.\n"
        "[global]\nrepo1-path=/var/lib/pgbackrest\nrepo1-retention-full=4\nrepo1-cipher-type=aes-256-cbc\n"
        f"repo1-cipher-pass={secrets.token_urlsafe(48)}\nstart-fast=y\narchive-push-queue-max=2GiB\n"
        f"log-level-file=off\n\n[{STANZA}]\npg1-path={cluster.data}\npg1-port={cluster.port}\n"
    )
    system.write(PGBACKREST, text, mode=0o640, owner="root:postgres")


def _settings() -> str:
    return (
        "# Written by `uuutorrent install`: every piece of the log is kept by pgBackRest.\n"
        f"archive_mode = on\narchive_timeout = {ARCHIVE_TIMEOUT_S}\n"
        f"archive_command = 'pgbackrest --config={PGBACKREST} --stanza={STANZA} archive-push %p'\n"
    )


def _archives(system: System) -> bool:
    return STANZA in (_ask(system, "SHOW archive_command") or "") and _ask(system, "SHOW archive_mode") == "on"


def _archive(system: System) -> None:
    cluster = _the(system)
    others = _ask(system, "SHOW archive_command") or ""
    if others not in ("", "(disabled)") and STANZA not in others:
        raise Conflict(f"PostgreSQL archives its log to somebody else already ({others}): end that first")
    system.write(cluster.settings, _settings(), owner="postgres:postgres")
    _restart(system, cluster)


def _stop_archiving(system: System) -> None:
    cluster = found(system)
    if cluster is not None and system.at(cluster.settings).exists():
        system.at(cluster.settings).unlink()
        _restart(system, cluster)


def _pgbackrest(*words: str) -> tuple[str, ...]:
    options = (f"--config={PGBACKREST}", f"--stanza={STANZA}", "--log-level-console=error")
    return (*_AS_OWNER, "pgbackrest", *options, *words)


def _create_stanza(system: System) -> None:
    for command in ("stanza-create", "check"):
        system.does(*_pgbackrest(command))


def _changes(system: System) -> bool:
    """Whether the daemon of this version will change the schema that is there."""
    if not _has(system, "pg_database", "datname"):
        return False
    present = system.asks(*_psql(system), "-d", DAEMON, given="TABLE alembic_version") or ""
    return present.strip() not in ("", migrate.head())


def _back_up(system: System, kind: str) -> None:
    system.does(*_pgbackrest(f"--type={kind}", "backup"))


def _delete_stanza(system: System) -> None:
    """It wants to be told to stop first, and to start again for whoever installs again."""
    for words in (("stop",), ("stanza-delete", "--force"), ("start",)):
        system.asks(*_pgbackrest(*words))


def _read(system: System, path: str) -> str:
    place = system.at(path)
    return place.read_text() if place.is_file() else ""
