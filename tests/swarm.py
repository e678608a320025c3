"""Real bytes over real BitTorrent, on loopback only: a seeder and a tracker in the test, and a real qbittorrent-nox.

with Swarm(tmp_path / "swarm") as swarm, RealQBittorrent(tmp_path / "qbittorrent") as real:
    made = swarm.share("[Group] Show - 01 [1080p].mkv", 2 * MIB)
    ...add made.metainfo, made.magnet or made.url...
    assert (save_path / made.name).read_bytes() == made.files[made.name]
"""

from __future__ import annotations

import itertools
import os
import signal
import subprocess
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, Self
from urllib.parse import quote

import httpx
import libtorrent

from tests.ports import free_port
from tests.servers.tracker import Tracker
from uuutorrent.torrents.engine import NewTorrent
from uuutorrent.torrents.profile import Profile, conf_of

MIB = 1 << 20
READY_S = 120
Kind = Literal["v1", "v2", "hybrid"]
FLAGS: Mapping[Kind, int] = {
    "v1": int(libtorrent.create_torrent.v1_only),
    "v2": int(libtorrent.create_torrent.v2_only),
    "hybrid": 0,
}
FFMPEG = ("ffmpeg", "-v", "error", "-f", "lavfi", "-i", "testsrc=size=320x180:rate=12", "-f", "lavfi", "-i", "sine")
SEEDER: Any = {
    "listen_interfaces": "127.0.0.1:0",
    "enable_dht": False,
    "enable_lsd": False,
    "enable_upnp": False,
    "enable_natpmp": False,
    "enable_outgoing_tcp": False,  # else it races the leecher by calling back
    "enable_outgoing_utp": False,
    "enable_incoming_utp": False,
    "allow_multiple_connections_per_ip": True,
    "unchoke_interval": 1,
    "unchoke_slots_limit": -1,
    "stop_tracker_timeout": 0,
    "alert_mask": 0,
}


@dataclass(frozen=True)
class Made:
    """A torrent that was made for a test. `files` holds every byte, by path relative to the save path."""

    name: str
    metainfo: bytes
    v1: str
    v2: str
    magnet: str
    url: str
    """Where the tracker serves `metainfo`."""
    files: Mapping[str, bytes]

    @property
    def infohash(self) -> str:
        return self.v1 or self.v2

    @property
    def size_bytes(self) -> int:
        return sum(map(len, self.files.values()))

    def new(self, save_path: Path, *, magnet: bool = False, stopped: bool = False, **more: Any) -> NewTorrent:
        """Ready for `Engine.add`."""
        return NewTorrent(
            v1=self.v1,
            v2=self.v2,
            name=self.name,
            metainfo=None if magnet else self.metainfo,
            magnet=self.magnet if magnet else None,
            save_path=str(save_path),
            category=more.get("category", ""),
            tags=more.get("tags", ()),
            stopped=stopped,
        )


class Swarm:
    """A seeder and its tracker. What is shared here can be fetched by anyone on this machine."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.tracker = Tracker()
        self._session: Any = None
        self._handles: dict[str, Any] = {}
        self._numbers = itertools.count(1)

    def __enter__(self) -> Self:
        self.tracker.__enter__()
        self._session = libtorrent.session(SEEDER)
        return self

    def __exit__(self, *exc: object) -> None:
        self._handles.clear()
        self._session.pause()
        self._session = None
        self.tracker.__exit__(*exc)

    @property
    def port(self) -> int:
        """Where the seeder listens."""
        return int(self._session.listen_port())

    def share(
        self,
        name: str,
        content: int | bytes | Mapping[str, int | bytes],
        *,
        kind: Kind = "v1",
        limit_bps: int = 0,
        seed: bool = True,
    ) -> Made:
        """Make a torrent and seed it. A number is that many random bytes; a mapping is a folder of files by path."""
        place = self.folder / str(next(self._numbers))
        made = make(place, name, content, kind=kind, tracker=self.tracker, seeder_port=self.port)
        for infohash in {made.v1, made.v2[:40]} - {""}:
            self.tracker.ports[bytes.fromhex(infohash)] = {self.port} if seed else set()
        if seed:
            self._seed(made, place, limit_bps)
        return made

    def seed_too(self, made: Made) -> None:
        """Be one more seeder of what another swarm made; nobody is told where."""
        place = self.folder / str(next(self._numbers))
        for path, content in made.files.items():
            (place / path).parent.mkdir(parents=True, exist_ok=True)
            (place / path).write_bytes(content)
        self._seed(made, place, 0)

    def limit(self, made: Made, bps: int) -> None:
        """Seed it no faster than this; 0: as fast as it goes."""
        self._handles[made.infohash].set_upload_limit(bps)

    def leave(self, made: Made) -> None:
        """Stop seeding it: nobody has it any more."""
        for infohash in {made.v1, made.v2[:40]} - {""}:
            self.tracker.ports[bytes.fromhex(infohash)] = set()
        self._session.remove_torrent(self._handles.pop(made.infohash))

    def _seed(self, made: Made, place: Path, limit_bps: int) -> None:
        params = libtorrent.load_torrent_buffer(made.metainfo)
        params.save_path = str(place)
        flags = libtorrent.torrent_flags
        # started here and now: a peer that comes before the session gets round to it is sent away for a minute
        params.flags = (params.flags | flags.seed_mode) & ~flags.auto_managed & ~flags.paused
        params.upload_limit = limit_bps or -1
        self._handles[made.infohash] = self._session.add_torrent(params)


def make(
    folder: Path,
    name: str,
    content: int | bytes | Mapping[str, int | bytes],
    *,
    kind: Kind = "v1",
    tracker: Tracker | None = None,
    seeder_port: int = 0,
) -> Made:
    """Write the content under `folder` and make a torrent of it, without seeding it."""
    parts = {name: content} if not isinstance(content, Mapping) else {f"{name}/{p}": c for p, c in content.items()}
    files = {path: os.urandom(part) if isinstance(part, int) else part for path, part in parts.items()}
    for path, part in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(part)
    draft = libtorrent.create_torrent(libtorrent.list_files(str(folder / name)), 0, FLAGS[kind])
    if tracker:
        draft.add_tracker(tracker.announce_url)
    libtorrent.set_piece_hashes(draft, str(folder))
    metainfo: bytes = libtorrent.bencode(draft.generate())
    params = libtorrent.load_torrent_buffer(metainfo)
    hashes = params.info_hashes
    known_as = f"{hashes.v1 if hashes.has_v1() else hashes.v2}.torrent"
    if tracker:
        tracker.files[known_as] = metainfo
    magnet = f"{libtorrent.make_magnet_uri(params)}&dn={quote(name)}"
    return Made(
        name=name,
        metainfo=metainfo,
        v1=str(hashes.v1) if hashes.has_v1() else "",
        v2=str(hashes.v2) if hashes.has_v2() else "",
        magnet=f"{magnet}&x.pe=127.0.0.1:{seeder_port}" if seeder_port else magnet,
        url=f"{tracker.url}/torrents/{known_as}" if tracker else "",
        files=files,
    )


def mkv(seconds: float = 1) -> bytes:
    """A small film with picture and sound, made by ffmpeg."""
    made = subprocess.run(
        [*FFMPEG, "-t", str(seconds), "-c:v", "mpeg4", "-c:a", "aac", "-f", "matroska", "-"],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=True,
    )
    return made.stdout


@dataclass
class RealQBittorrent:
    """A qbittorrent-nox that is not ours to manage: bound to loopback, without DHT, PeX or LSD from its first start."""

    folder: Path
    program: tuple[str, ...] = ("qbittorrent-nox",)
    env: Mapping[str, str] = field(default_factory=dict)
    username: str = "admin"
    password: str = "correct horse battery"
    settings: Mapping[str, str] = field(default_factory=dict)
    """Further lines of [Preferences]."""
    web_port: int = field(default_factory=free_port)
    peer_port: int = field(default_factory=free_port)
    process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.web_port}"

    @property
    def downloads(self) -> Path:
        return self.folder / "downloads"

    @property
    def log(self) -> str:
        """Its own log."""
        return (self.folder / "qBittorrent/data/logs/qbittorrent.log").read_text()

    def __enter__(self) -> Self:
        self.write()
        self.start()
        return self

    def __exit__(self, *exc: object) -> None:
        if self.process and self.process.poll() is None:
            self.stop()

    def write(self) -> None:
        """Write the settings; while it does not run."""
        Profile(
            folder=self.folder,
            web_port=self.web_port,
            peer_port=self.peer_port,
            username=self.username,
            password=self.password,
            download_dir=self.downloads,
            interface="lo",
            discovery=False,
            refresh_ms=200,
        ).write()
        conf = conf_of(self.folder)
        written = conf.read_text()
        for key, value in self.settings.items():
            kept = [line for line in written.splitlines() if not line.startswith(f"{key}=")]
            written = "\n".join(kept).replace("[Preferences]", f"[Preferences]\n{key}={value}") + "\n"
        conf.write_text(written)

    def start(self) -> None:
        """Start it and wait until it answers."""
        words = (*self.program, f"--profile={self.folder}", f"--webui-port={self.web_port}")
        self.process = subprocess.Popen(
            ("setpriv", "--pdeathsig", "KILL", "--", *words),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env={**os.environ, **self.env},
        )
        until = time.monotonic() + READY_S
        while not self._answers():
            if self.process.poll() is not None or time.monotonic() > until:
                raise RuntimeError(f"qbittorrent-nox does not start ({self.process.poll()})")
            time.sleep(0.02)

    def stop(self) -> None:
        """End it as an operator would."""
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        """kill -9."""
        self._end(signal.SIGKILL)

    def freeze(self) -> None:
        """From now on it takes connections and answers nothing, until `thaw`."""
        assert self.process
        self.process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        assert self.process
        self.process.send_signal(signal.SIGCONT)

    def _end(self, how: signal.Signals) -> None:
        assert self.process
        self.process.send_signal(how)
        self.process.send_signal(signal.SIGCONT)
        self.process.wait(READY_S)

    def _answers(self) -> bool:
        try:
            return httpx.get(f"{self.url}/api/v2/app/version", trust_env=False).status_code in (200, 403)
        except httpx.TransportError:
            return False
