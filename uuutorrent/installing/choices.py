"""What the operator may choose, and the names that everything on the machine goes by."""

from __future__ import annotations

from dataclasses import dataclass

DAEMON, ENGINE, FILES = "uuutorrent", "uuutorrent-qbittorrent", "uuutorrent-files"
"""The daemon's account, qBittorrent's account, the group of those who may read and remove downloads."""
SETTINGS, DATA, PROFILE, DOWNLOADS = "/etc/uuutorrent", "/var/lib/uuutorrent", f"/var/lib/{ENGINE}", "/srv/uuutorrent"
CONFIG, URL, PASSWORD = f"{SETTINGS}/config.toml", f"{SETTINGS}/database.url", f"{SETTINGS}/qbittorrent.password"
PGBACKREST = f"{SETTINGS}/pgbackrest.conf"
STANZA = "uuutorrent"
WEB_PORT = 8081
"""Of qBittorrent, on 127.0.0.1."""
PEER_PORT = 42613
SSH_PORT = 2222


@dataclass(frozen=True, slots=True)
class Choices:
    """How this machine is to be."""

    sqlite: bool = False
    """A file instead of PostgreSQL: for a small trial."""
    monitoring: bool = False
    """Prometheus and its exporters as well."""
    host: str = ""
    """The name people type; empty: the machine's own."""
    peer_port: int = PEER_PORT
