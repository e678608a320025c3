"""Every setting: its default, its unit, its bounds.

One TOML file; every key can be overridden by `UUUTORRENT_<SECTION>__<KEY>`; every secret can be read from
`<key>_file` instead. `config.example.toml` names every key, and a test holds it equal to this page.
"""

from __future__ import annotations

import re
import shlex
import socket
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, IPvAnyNetwork, model_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

Port = Annotated[int, Field(ge=0, le=65535)]
SSH_PORT = 22
PREFIX = "UUUTORRENT_"
"""Of every variable that overrides a key."""
Seconds = Annotated[float, Field(gt=0, le=86400)]
Cost = Annotated[float, Field(ge=0, le=86400)]


class Section(BaseModel):
    """A table of the file. A key listed in `secrets` can be given as `<key>_file`."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    secrets: ClassVar[tuple[str, ...]] = ()

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


class Database(Section):
    """Where everything is remembered."""

    secrets = ("url",)
    url: str = ""
    """Empty: SQLite in data_dir; or postgresql+asyncpg://user:pass@host/db."""
    url_file: str = ""
    """Read `url` from this file instead."""
    pool_size: Annotated[int, Field(ge=1, le=100)] = 10
    """Connections kept to PostgreSQL."""


class QBittorrent(Section):
    """The torrent engine."""

    secrets = ("password",)
    url: str = ""
    """Empty: the daemon runs its own qbittorrent-nox; else the address of its Web UI, e.g. http://127.0.0.1:8080."""
    username: str = "admin"
    """Of the Web UI at `url` (the managed qBittorrent has its own)."""
    password: str = ""
    """Of the Web UI at `url`."""
    password_file: str = ""
    """Read `password` from this file instead."""
    download_dir: str = ""
    """Where downloads are kept; empty: `downloads` in data_dir. The daemon and qBittorrent must both see it there."""
    interface: str = ""
    """Bind torrent traffic to this network interface, e.g. "lo"; empty: all (managed qBittorrent only)."""
    discovery: bool = True
    """DHT, PeX and LSD (managed qBittorrent only)."""
    peer_port: Port = 0
    """Port for peers; 0: one is chosen at the first start and kept (managed qBittorrent only)."""
    poll_s: Annotated[float, Field(ge=0.2, le=60)] = 1.0
    """How often moving torrents are looked at while anyone watches."""


class Torrents(Section):
    """What people may add."""

    quota_bytes: Annotated[int, Field(ge=0)] = 50 * 2**30
    """Disk a user may claim unless an admin says otherwise; 0: no limit."""
    quota_torrents: Annotated[int, Field(ge=0)] = 500
    """Torrents a user may claim; 0: no limit."""
    quota_active: Annotated[int, Field(ge=0)] = 0
    """Downloads of one user that may run at the same time, the others wait; 0: no limit."""
    allow_loopback: bool = False
    """Let people add torrents from addresses on this machine (for trials); private networks stay refused."""


class Files(Section):
    """What the file doors serve. Admins may settle the limits otherwise for one user."""

    incoming: bool = False
    """Whether what is still arriving can be read where it is whole; its sizes are shown either way."""
    hard_links: bool = False
    """Whether files are served that have another name on the disk: what they hold may have come by that name."""
    drop_bytes: Annotated[int, Field(ge=1024, le=2**26)] = 4 * 2**20
    """The largest file that /drop takes."""
    month_bytes: Annotated[int, Field(ge=0)] = 0
    """What one user may be served in a month (UTC); 0: no limit."""
    user_bps: Annotated[int, Field(ge=0)] = 0
    """How fast one user is served, in bytes/s; 0: no limit."""
    total_bps: Annotated[int, Field(ge=0)] = 0
    """How fast all users together are served, in bytes/s, shared fairly; 0: no limit."""


class AniList(Section):
    """The watchlist service."""

    api_url: str = "https://graphql.anilist.co"
    """The GraphQL address."""
    client_id: str = ""
    """From anilist.co/settings/developer, redirect URL https://anilist.co/api/v2/oauth/pin; empty: no linking."""
    requests_per_min: Annotated[int, Field(ge=1, le=90)] = 25
    """For the whole daemon, until AniList's headers allow more."""


class Nyaa(Section):
    """The release index."""

    base_url: str = "https://nyaa.si"
    """The index, or another site that answers as it does."""
    category: str = "1_2"
    """1_0 all anime, 1_2 English-translated, 1_3 other languages, 1_4 raw."""


class Accounts(Section):
    """Who may sign in."""

    signup: Literal["closed", "invite", "open"] = "closed"
    """"closed": admins make users; "invite": with an invitation; "open": anybody, once an admin has said yes."""
    second_factor: Literal["optional", "admins", "everyone"] = "optional"
    """Who must have a second factor: until they have one, they can do nothing else."""
    admin_passwords: Literal["inside", "anywhere"] = "inside"
    """From where admins may sign in with a password: "inside" this machine and private networks, else by key only."""
    password_queue: Annotated[int, Field(ge=0, le=1000)] = 8
    """Passwords that wait to be checked at once, one less than there are cores; more are refused unseen."""


class Automation(Section):
    """What happens by itself."""

    feeds_every_s: Annotated[int, Field(ge=60, le=86400)] = 600
    """How often feeds are looked at."""
    autopilot_every_s: Annotated[int, Field(ge=60, le=86400)] = 900
    """How often new episodes are looked for among the newest posts; each list is looked at once an hour."""
    health_every_s: Annotated[int, Field(ge=1, le=86400)] = 60
    """How often downloads are looked at for stalling."""
    watched_after_s: Annotated[float, Field(ge=0, le=86400)] = 180
    """How long after the last file of a show was read to its end it is asked whether it was watched."""


class Health(Section):
    """When a download does not do well."""

    stalled_s: Seconds = 900
    """No byte for so long, though it should get some: stalled."""
    dead_s: Seconds = 86400
    """Nobody has it all for so long: dead."""
    young_s: Annotated[float, Field(ge=0, le=86400)] = 180
    """Downloads younger than this are left alone."""
    nearly: Annotated[float, Field(gt=0, le=1)] = 0.99
    """From this progress on (0..1) a download is left alone."""
    block_days: Annotated[int, Field(ge=1, le=365)] = 14
    """For so long a release that did not do well is not picked again."""
    probe: bool = True
    """Look into finished files with ffprobe, and at what files are there beside them."""


class Upkeep(Section):
    """Disk and line. Admins may settle seeding otherwise for one user."""

    seed_ratio: Annotated[float, Field(ge=0, le=1000)] = 0
    """Seeding ends at this ratio of uploaded to downloaded; 0: no limit."""
    seed_minutes: Annotated[int, Field(ge=0, le=5_256_000)] = 0
    """Seeding ends after so many minutes; 0: no limit."""
    free_floor_bytes: Annotated[int, Field(ge=0)] = 2 * 2**30
    """So much of the disk stays free: what does not fit is refused, and downloads wait; 0: no guard."""
    egress_bytes: Annotated[int, Field(ge=0)] = 10 * 10**12
    """What may leave the machine in a month (UTC), served and seeded; 0: no budget."""
    slow_seeding_bps: Annotated[int, Field(ge=1024)] = 64 * 1024
    """How fast all torrents together seed, in bytes/s, once 95 % of that is used."""


class Backup(Section):
    """What a lost disk or a wrong command must not take."""

    dir: str = ""
    """Where backups are kept; empty: `backups` in data_dir. Better on another disk."""
    every_s: Annotated[int, Field(ge=60, le=86400)] = 900
    """How often SQLite, the key ring, the host key and the configuration are backed up."""
    second: str = ""
    """A second place, as rclone names it, e.g. "elsewhere:uuutorrent" or "/mnt/other"; empty: none."""
    stanza: str = ""
    """pgBackRest's name for our PostgreSQL; empty: its backups are somebody else's business."""
    pgbackrest_config: str = "/etc/pgbackrest.conf"
    """pgBackRest's own configuration."""


class Notifications(Section):
    """Messages to the outside."""

    allow_private: bool = False
    """Let people send messages to addresses of this machine and of private networks."""


class Metrics(Section):
    """The side port for Prometheus: /metrics, /livez, /readyz."""

    host: str = "127.0.0.1"
    """The address to listen on: whoever reaches it sees figures, never names."""
    port: Port = 9464
    """0: any that is free."""


class Browser(Section):
    """The door for browsers."""

    enabled: bool = False
    """Whether there is one."""
    host: str = "127.0.0.1"
    """The address to listen on."""
    port: Port = 8080
    """0: any that is free."""


class Config(BaseSettings):
    """All of it. Build it with `load`."""

    model_config = SettingsConfigDict(
        frozen=True,
        extra="forbid",
        env_prefix=PREFIX,
        env_nested_delimiter="__",
        nested_model_default_partial_update=True,
    )

    server: Server = Server()
    ssh: Ssh = Ssh()
    penalties: Penalties = Penalties()
    database: Database = Database()
    qbittorrent: QBittorrent = QBittorrent()
    torrents: Torrents = Torrents()
    files: Files = Files()
    anilist: AniList = AniList()
    nyaa: Nyaa = Nyaa()
    accounts: Accounts = Accounts()
    automation: Automation = Automation()
    health: Health = Health()
    upkeep: Upkeep = Upkeep()
    backup: Backup = Backup()
    notifications: Notifications = Notifications()
    metrics: Metrics = Metrics()
    browser: Browser = Browser()

    @property
    def download_dir(self) -> Path:
        """The download root, absolute."""
        configured = self.qbittorrent.download_dir
        return (Path(configured).expanduser() if configured else self.server.data / "downloads").absolute()

    @property
    def database_url(self) -> str:
        """The SQLAlchemy URL in force."""
        return self.database.url or f"sqlite+aiosqlite:///{self.server.data / 'uuutorrent.db'}"

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """The environment goes before the file, which `load` hands over as the init settings."""
        return env_settings, init_settings
