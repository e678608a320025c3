"""What a table of the configuration is, and the tables about who comes in and how."""

from __future__ import annotations

import re
import shlex
import socket
from ipaddress import IPv4Address, IPv6Address, ip_address
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal, Self
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, IPvAnyAddress, IPvAnyNetwork, model_validator

Port = Annotated[int, Field(ge=0, le=65535)]
SSH_PORT = 22
Seconds = Annotated[float, Field(gt=0, le=86400)]
Cost = Annotated[float, Field(ge=0, le=86400)]


class Section(BaseModel):
    """A table of the file. A key listed in `secrets` can be given as `<key>_file`; one in `live` is looked up each time
    it is needed, so that it can change while the daemon runs.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")
    secrets: ClassVar[tuple[str, ...]] = ()
    live: ClassVar[tuple[str, ...]] = ()

    def become(self, other: Self) -> None:
        """Take over the live keys of `other`, for everybody who holds this section."""
        self.__dict__.update({key: getattr(other, key) for key in self.live})

    @model_validator(mode="before")
    @classmethod
    def _secrets_from_files(cls, given: Any) -> Any:
        if not isinstance(given, dict):
            return given
        read = dict(given)
        for key in cls.secrets:
            path = read.get(f"{key}_file")
            if path:
                try:
                    read[key] = Path(str(path)).expanduser().read_text().strip()
                except OSError as e:
                    raise ValueError(f"{key}_file: cannot read {path}: {e.strerror}") from e
                if not read[key]:
                    raise ValueError(f"{key}_file: {path} is empty")
        return read


class Server(Section):
    """The daemon itself."""

    live = ("log_level",)

    data_dir: Path = Path("~/.local/share/uuutorrent")
    """Host keys, the key ring, the SQLite file and the managed qBittorrent live here."""
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    """"debug", "info", "warning" or "error"."""
    log_format: Literal["logfmt", "json"] = "logfmt"
    """"logfmt" or "json", one line per event on stderr."""

    @property
    def data(self) -> Path:
        """`data_dir` with `~` expanded."""
        return self.data_dir.expanduser()


class Ssh(Section):
    """The one open port."""

    live = (
        "public_host",
        "password_tries",
        "key_tries",
        "passwords",
        "refusal_s",
        "connections",
        "connections_per_user",
        "channels",
        "startups_begin",
        "startups_percent",
        "startups_full",
        "startups_per_source",
        "idle_sftp_s",
        "idle_screen_s",
    )

    host: str = "0.0.0.0"  # noqa: S104 - being reached is its purpose
    """The address to listen on; "0.0.0.0": every IPv4 address of the machine."""
    port: Port = 2222
    """The one port people reach; 0: any that is free."""
    public_host: str = ""
    """The name people type after `ssh`; empty: the machine's own host name."""
    login_grace_s: Seconds = 30
    """A connection that has not signed in by then is closed."""
    password_tries: Annotated[int, Field(ge=1, le=20)] = 3
    """Wrong passwords and codes per connection."""
    key_tries: Annotated[int, Field(ge=1, le=100)] = 10
    """Keys that are refused per connection, before it is closed."""
    passwords: bool = True
    """Whether people may sign in with a password; off: by key only."""
    refusal_s: Annotated[float, Field(ge=0, le=30)] = 1
    """A wrong password is answered after so long, whoever it was for."""
    connections: Annotated[int, Field(ge=1, le=10_000)] = 200
    """All at once."""
    connections_per_user: Annotated[int, Field(ge=1, le=1000)] = 6
    """Of one user at once."""
    channels: Annotated[int, Field(ge=1, le=1000)] = 10
    """Sessions in one connection."""
    startups_begin: Annotated[int, Field(ge=1, le=10_000)] = 10
    """From so many connections that are signing in, new ones are refused at random …"""
    startups_percent: Annotated[int, Field(ge=0, le=100)] = 30
    """… so many of a hundred at first, and more with each …"""
    startups_full: Annotated[int, Field(ge=1, le=10_000)] = 60
    """… and from so many all of them."""
    startups_per_source: Annotated[int, Field(ge=1, le=10_000)] = 4
    """Connections of one IPv4 address, or one IPv6 /64, that are signing in."""
    idle_sftp_s: Seconds = 900
    """A file session, or a connection without any session, that asks for nothing so long is closed."""
    idle_screen_s: Seconds = 3600
    """A screen at which no key was pressed so long is closed."""
    keepalive_s: Annotated[float, Field(ge=0, le=3600)] = 30
    """A client that is silent so long is asked whether it is still there …"""
    keepalives: Annotated[int, Field(ge=1, le=100)] = 3
    """… so many times, before it is hung up on; keepalive_s = 0: never."""
    shutdown_grace_s: Annotated[float, Field(ge=0, le=600)] = 30
    """How long running transfers may go on after SIGTERM."""

    @model_validator(mode="after")
    def _grows(self) -> Self:
        if self.startups_full < self.startups_begin:
            raise ValueError("startups_full must not be below startups_begin")
        return self

    @property
    def name(self) -> str:
        """The host as people type it."""
        if self.public_host:
            return self.public_host
        return self.host if self.host.startswith("127.") else socket.gethostname()

    def reach(self, user: str) -> str:
        """What `user` types to sign in."""
        return f"ssh {user}@{self.name}" if self.port == SSH_PORT else f"ssh -p {self.port} {user}@{self.name}"

    def reach_sftp(self, user: str) -> str:
        """What `user` types for their files."""
        return f"sftp {user}@{self.name}" if self.port == SSH_PORT else f"sftp -P {self.port} {user}@{self.name}"

    def fetch(self, user: str, path: str) -> str:
        """What `user` types to fetch a file or a folder of theirs into the folder they are in."""
        port = "" if self.port == SSH_PORT else f"-P {self.port} "
        # scp takes brackets, as release names are full of, for a pattern.
        plain = re.sub(r"([\\*?\[\]{}])", r"\\\1", path)
        return f"scp {port}-r {shlex.quote(f'{user}@{self.name}:{plain}')} ."


class Penalties(Section):
    """What it costs a source (an IPv4 address, an IPv6 /64) when a connection of its comes to nothing, in seconds.

    From `enforced_from_s` on, nothing is heard from it until they are over.
    """

    wrong_s: Cost = 5
    """A wrong password, code or key."""
    unknown_s: Cost = 10
    """A name that nobody can have, such as root. A wrong one that somebody could have costs as if they had it."""
    no_auth_s: Cost = 1
    """It did not try to sign in."""
    grace_s: Cost = 10
    """It took longer than ssh.login_grace_s."""
    known_s: Annotated[float, Field(ge=0, le=31_536_000)] = 604_800
    """Where somebody signed in within so long, only passwords are refused, and keys are not; 0: nobody is spared."""
    enforced_from_s: Cost = 15
    """A sum below this is forgiven."""
    cap_s: Cost = 1800
    """The longest."""
    sources: Annotated[int, Field(ge=1, le=1_000_000)] = 65_536
    """So many are remembered."""
    exempt: tuple[IPvAnyNetwork, ...] = ()
    """Networks that are never penalised, e.g. ["192.0.2.0/24"]."""

    @model_validator(mode="after")
    def _can_be_reached(self) -> Self:
        if self.cap_s < self.enforced_from_s:
            raise ValueError("cap_s must not be below enforced_from_s: nobody would ever be refused")
        return self


class Accounts(Section):
    """Who may sign in."""

    live = (
        "signup",
        "second_factor",
        "admin_passwords",
        "taste_of",
    )

    signup: Literal["closed", "invite", "open"] = "closed"
    """"closed": admins make users; "invite": with an invitation; "open": anybody, once an admin has said yes."""
    second_factor: Literal["optional", "admins", "everyone"] = "optional"
    """Who must have a second factor: until they have one, they can do nothing else."""
    admin_passwords: Literal["inside", "anywhere"] = "inside"
    """From where admins may sign in with a password: "inside" this machine and private networks, else by key only."""
    taste_of: str = ""
    """Whoever has chosen no taste among releases has the one of this user; empty: the usual."""
    password_queue: Annotated[int, Field(ge=0, le=1000)] = 8
    """Passwords that wait to be checked at once, one less than there are cores; more are refused unseen."""


class Metrics(Section):
    """The side port for Prometheus: /metrics, /livez, /readyz."""

    host: str = "127.0.0.1"
    """The address to listen on: whoever reaches it sees figures, never names."""
    port: Port = 9464
    """0: any that is free."""


class Browser(Section):
    """The door for browsers. It speaks no TLS: a proxy before it does."""

    live = (
        "idle_s",
        "lifetime_s",
        "sessions",
        "sessions_per_user",
    )

    enabled: bool = False
    """Whether there is one."""
    host: str = "127.0.0.1"
    """The address to listen on; any but this machine's own needs a public_url with https."""
    port: Port = 8080
    """0: any that is free."""
    public_url: str = ""
    """Where people reach it through the proxy, e.g. "https://seedbox.example"; empty: on this machine alone."""
    proxies: tuple[IPvAnyAddress, ...] = (IPv4Address("127.0.0.1"), IPv6Address("::1"))
    """Whose X-Forwarded-For is believed; with an https public_url nobody else is answered."""
    idle_s: Seconds = 3600
    """Who asks for nothing so long is signed out."""
    lifetime_s: Annotated[float, Field(gt=0, le=2_592_000)] = 86_400
    """After so long everybody signs in again."""
    sessions: Annotated[int, Field(ge=1, le=10_000)] = 100
    """Browsers that are signed in at once."""
    sessions_per_user: Annotated[int, Field(ge=1, le=1000)] = 4
    """Of one user at once."""

    @model_validator(mode="after")
    def _can_be_trusted(self) -> Self:
        if self.public_url:
            self._check_public_url()
        elif self.enabled and not _is_loopback(self.host):
            raise ValueError(
                f'host = "{self.host}" can be reached from other machines, and passwords would travel in the clear: '
                'set public_url = "https://…" to where a proxy with TLS stands before it, or host = "127.0.0.1"'
            )
        return self

    def _check_public_url(self) -> None:
        url = urlsplit(self.public_url)
        too_much = url.path not in ("", "/") or url.query or url.fragment
        # Its port is only looked at when it is asked for: a ValueError.
        if url.scheme not in ("http", "https") or too_much or not _NAME.fullmatch(url.netloc) or url.port == 0:
            raise ValueError('public_url is a name alone, such as "https://seedbox.example", without a path')
        if url.scheme == "http" and not (_is_loopback(url.hostname or "") and _is_loopback(self.host)):
            raise ValueError("public_url has to begin with https: passwords would travel in the clear")


_NAME = re.compile(r"([\w.-]+|\[[0-9a-f:.]+\])(:\d+)?", re.IGNORECASE)


def _is_loopback(host: str) -> bool:
    """Whether only this machine itself gets there."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
