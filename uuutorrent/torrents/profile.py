"""What a qBittorrent of our own is told before it first runs: its profile folder, as it reads it.

Everything that matters is in the file before the first start, so it never listens on a port, asks a question or calls
out in a way that was not meant. What an operator changed in other keys stays.
Source: `qBittorrent.conf` of 4.5, 5.1 and 5.3, which read the same keys.
"""

from __future__ import annotations

import base64
import configparser
import hashlib
import os
import secrets
import string
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import structlog

log = structlog.get_logger()

Settings = Mapping[str, Mapping[str, str]]
LOOPBACK = "lo"
PBKDF2_ROUNDS = 100_000


@dataclass(frozen=True, slots=True)
class Profile:
    """The settings of one qBittorrent; `write` puts them into `folder`."""

    folder: Path
    web_port: int
    """On 127.0.0.1."""
    peer_port: int
    username: str
    password: str
    download_dir: Path
    interface: str = ""
    """Empty: all of them."""
    discovery: bool = True
    """DHT, PeX and LSD."""
    refresh_ms: int = 1000
    """How often it brings its own figures up to date."""

    def write(self) -> None:
        """Write the settings over those that are there. It must not be running: it writes the file when it ends."""
        place = conf_of(self.folder)
        place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        conf = _read(place)
        for section, keys in self._settings().items():
            if not conf.has_section(section):
                conf.add_section(section)
            for key, value in keys.items():
                conf.set(section, key, value)
        fresh = place.with_suffix(".new")
        with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
            conf.write(file, space_around_delimiters=False)
        fresh.replace(place)

    def _settings(self) -> Settings:
        return {
            "LegalNotice": {"Accepted": "true"},
            "Network": {"PortForwardingEnabled": "false"},
            "RSS": {"Session\\EnableProcessing": "false", "AutoDownloader\\EnableProcessing": "false"},
            "BitTorrent": {**self._session(), **self._loopback()},
            "Preferences": self._web(),
        }

    def _session(self) -> Mapping[str, str]:
        discovery = _flag(self.discovery)
        return {
            "TrackerEnabled": "false",
            "Session\\Interface": self.interface,
            "Session\\InterfaceName": self.interface,
            "Session\\InterfaceAddress": "127.0.0.1" if self.interface == LOOPBACK else "",
            "Session\\Port": str(self.peer_port),
            "Session\\DHTEnabled": discovery,
            "Session\\PeXEnabled": discovery,
            "Session\\LSDEnabled": discovery,
            "Session\\DefaultSavePath": _quoted(str(self.download_dir)),
            "Session\\TempPathEnabled": "false",
            "Session\\AddExtensionToIncompleteFiles": "false",
            "Session\\DisableAutoTMMByDefault": "true",
            "Session\\QueueingSystemEnabled": "false",
            "Session\\Preallocation": "false",
            "Session\\RefreshInterval": str(self.refresh_ms),
            "Session\\SaveResumeDataInterval": "1",
            "Session\\StopTrackerTimeout": "1",
        }

    def _loopback(self) -> Mapping[str, str]:
        """On lo every peer has one address, uTP stalls, and trackers are where SSRF mitigation lets nobody go."""
        alone = self.interface == LOOPBACK
        return {
            "Session\\MultiConnectionsPerIp": _flag(alone),
            "Session\\BTProtocol": "TCP" if alone else "Both",
            "Session\\SSRFMitigation": _flag(not alone),
        }

    def _web(self) -> Mapping[str, str]:
        return {
            "Connection\\ResolvePeerCountries": "false",
            "WebUI\\Enabled": "true",
            "WebUI\\Address": "127.0.0.1",
            "WebUI\\Port": str(self.web_port),
            "WebUI\\HTTPS\\Enabled": "false",
            "WebUI\\UseUPnP": "false",
            # other people of this machine must neither come in without the password nor have us banned by guessing
            "WebUI\\LocalHostAuth": "true",
            "WebUI\\MaxAuthenticationFailCount": "0",
            "WebUI\\Username": self.username,
            "WebUI\\Password_PBKDF2": _pbkdf2(self.password),
            "WebUI\\CSRFProtection": "true",
            "WebUI\\ServerDomains": "*",
        }


def conf_of(folder: Path) -> Path:
    """Where a qBittorrent started with `--profile=folder` reads its settings."""
    return folder / "qBittorrent/config/qBittorrent.conf"


def ports_of(folder: Path) -> tuple[int, int]:
    """The web port and the peer port that were chosen before; 0 for one that was not."""
    conf = _read(conf_of(folder))

    def port(section: str, key: str) -> int:
        value = conf.get(section, key, fallback="0")
        return int(value) if value.isdecimal() else 0

    return port("Preferences", "WebUI\\Port"), port("BitTorrent", "Session\\Port")


def _read(place: Path) -> configparser.RawConfigParser:
    conf = configparser.RawConfigParser(
        delimiters=("=",), comment_prefixes=(";",), strict=False, empty_lines_in_values=False, default_section="\0"
    )
    conf.optionxform = str  # type: ignore[assignment,method-assign]  # keys keep their case; the documented way
    try:
        conf.read_string(place.read_text(encoding="utf-8"))
    except FileNotFoundError:
        pass
    except (configparser.Error, UnicodeDecodeError) as e:
        log.warning("qbittorrent.settings_unreadable", file=str(place), why=str(e))
        conf.clear()
    return conf


def _flag(on: bool) -> str:
    return "true" if on else "false"


def _quoted(text: str) -> str:
    """As QSettings writes a string: quoted, so that commas make no list of it, and in ASCII, for Qt 5 and 6 alike.

    An escape takes every hex digit that follows, so a digit after an escape is escaped too.
    """
    written, after_escape = "", False
    units = text.encode("utf-16-be")
    for unit in (int.from_bytes(units[at : at + 2]) for at in range(0, len(units), 2)):
        sign = chr(unit)
        after_escape = not " " <= sign <= "~" or (after_escape and sign in string.hexdigits)
        written += f"\\x{unit:x}" if after_escape else f"\\{sign}" if sign in '"\\' else sign
    return f'"{written}"'


def _pbkdf2(password: str) -> str:
    salt = secrets.token_bytes(16)
    key = hashlib.pbkdf2_hmac("sha512", password.encode(), salt, PBKDF2_ROUNDS, dklen=64)
    return f'"@ByteArray({base64.b64encode(salt).decode()}:{base64.b64encode(key).decode()})"'
