"""qBittorrent's settings and password, and the daemon's own configuration."""

from __future__ import annotations

import secrets

from uuutorrent.installing.choices import (
    CONFIG,
    DAEMON,
    DATA,
    DOWNLOADS,
    ENGINE,
    FILES,
    PASSWORD,
    PGBACKREST,
    PROFILE,
    STANZA,
    URL,
    WEB_PORT,
    Choices,
)
from uuutorrent.installing.step import Step
from uuutorrent.installing.system import System
from uuutorrent.torrents.profile import Profile, conf_of


def steps(system: System, choices: Choices) -> list[Step]:
    """The configuration is written once and never again: from then on it is the operator's."""
    configuration = Step(
        f"{CONFIG} is there, yours to change.",
        lambda: system.at(CONFIG).is_file(),
        lambda: system.write(CONFIG, configured(choices), mode=0o640, owner=f"root:{DAEMON}"),
        lambda: system.at(CONFIG).unlink(missing_ok=True),
        is_data=True,
    )
    return [*([_file_database(system)] if choices.sqlite else []), _profile(system, choices), configuration]


def _file_database(system: System) -> Step:
    url = f"sqlite+aiosqlite:///{DATA}/uuutorrent.db\n"
    return Step(
        f"{URL} names a SQLite file in {DATA}.",
        lambda: system.at(URL).is_file(),
        lambda: system.write(URL, url, mode=0o400),
        lambda: system.at(URL).unlink(missing_ok=True),
        is_data=True,
    )


def _profile(system: System, choices: Choices) -> Step:
    folder = system.at(PROFILE)

    def do() -> None:
        if system.has_systemd:  # it writes its settings when it ends
            system.asks("systemctl", "stop", f"{ENGINE}.service")
        password = secrets.token_urlsafe(32)
        Profile(folder, WEB_PORT, choices.peer_port, DAEMON, password, system.at(DOWNLOADS)).write()
        system.does("chown", "-R", f"{ENGINE}:{FILES}", str(folder))
        system.write(PASSWORD, f"{password}\n", mode=0o400)

    return Step(
        f"qBittorrent has its settings: peers on port {choices.peer_port}, its Web UI on 127.0.0.1 port {WEB_PORT} "
        f"with a password that is in {PASSWORD}, root's alone.",
        lambda: system.at(PASSWORD).is_file() and conf_of(folder).is_file(),
        do,
        lambda: system.at(PASSWORD).unlink(missing_ok=True),
        is_data=True,
    )


def configured(choices: Choices) -> str:
    """The first configuration file."""
    host = choices.host.replace("\\", "").replace('"', "")
    stanza = "" if choices.sqlite else f'\n[backup]\nstanza = "{STANZA}"\npgbackrest_config = "{PGBACKREST}"\n'
    return (
        "# What differs from the defaults on this machine; config.example.toml explains every setting.\n"
        f'[server]\ndata_dir = "{DATA}"\n\n'
        f'[ssh]\n# The name people type; empty: the machine\'s own.\npublic_host = "{host}"\n\n'
        f'[database]\nurl_file = "{URL}"\n\n'
        f'[qbittorrent]\nurl = "http://127.0.0.1:{WEB_PORT}"\nusername = "{DAEMON}"\n'
        f'password_file = "{PASSWORD}"\ndownload_dir = "{DOWNLOADS}"\n{stanza}'
    )
