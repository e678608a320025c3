"""Every setting: its default, its unit, its bounds.

One TOML file; every key can be overridden by `UUUTORRENT_<SECTION>__<KEY>`; every secret can be read from
`<key>_file` instead. `config.example.toml` names every key, and a test holds it equal to this page.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import Field
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from uuutorrent.sections import Accounts, Browser, Metrics, Penalties, Port, Seconds, Section, Server, Ssh

__all__ = [
    "PREFIX", "Accounts", "AniList", "Automation", "Backup", "Browser", "Config", "Database", "Files", "Health",
    "Metrics", "Notifications", "Nyaa", "Penalties", "QBittorrent", "Section", "Server", "Ssh", "Torrents", "Upkeep",
]  # fmt: skip

PREFIX = "UUUTORRENT_"
"""Of every variable that overrides a key."""


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

    live = (
        "quota_bytes",
        "quota_torrents",
        "quota_active",
    )

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

    live = (
        "month_bytes",
        "user_bps",
    )

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

    live = (
        "stalled_s",
        "dead_s",
        "young_s",
        "nearly",
        "block_days",
        "probe",
    )

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

    live = (
        "seed_ratio",
        "seed_minutes",
        "egress_bytes",
        "slow_seeding_bps",
    )

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
    rclone_config: str = ""
    """rclone's own configuration, which says what "elsewhere" is; empty: where rclone looks for it by itself."""
    stanza: str = ""
    """pgBackRest's name for our PostgreSQL; empty: its backups are somebody else's business."""
    pgbackrest_config: str = "/etc/pgbackrest.conf"
    """pgBackRest's own configuration."""


class Notifications(Section):
    """Messages to the outside."""

    allow_private: bool = False
    """Let people send messages to addresses of this machine and of private networks."""


class Config(BaseSettings):
    """All of it. Build it with `load`."""

    model_config = SettingsConfigDict(
        frozen=True,
        extra="forbid",
        env_prefix=PREFIX,
        env_nested_delimiter="__",
        nested_model_default_partial_update=True,
    )

    server: Server = Field(default_factory=Server)
    ssh: Ssh = Field(default_factory=Ssh)
    penalties: Penalties = Field(default_factory=Penalties)
    database: Database = Field(default_factory=Database)
    qbittorrent: QBittorrent = Field(default_factory=QBittorrent)
    torrents: Torrents = Field(default_factory=Torrents)
    files: Files = Field(default_factory=Files)
    anilist: AniList = Field(default_factory=AniList)
    nyaa: Nyaa = Field(default_factory=Nyaa)
    accounts: Accounts = Field(default_factory=Accounts)
    automation: Automation = Field(default_factory=Automation)
    health: Health = Field(default_factory=Health)
    upkeep: Upkeep = Field(default_factory=Upkeep)
    backup: Backup = Field(default_factory=Backup)
    notifications: Notifications = Field(default_factory=Notifications)
    metrics: Metrics = Field(default_factory=Metrics)
    browser: Browser = Field(default_factory=Browser)

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
