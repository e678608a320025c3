"""The services that messages are sent to, by the beginning of their address, and what may be said in one.

It is a list of what is taken, not of what is not: `apprise` knows 150 services, among them the desktop of this machine,
and options that read its files or switch off the check of certificates.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from uuutorrent.errors import Invalid

LONGEST = 2000


@dataclass(frozen=True, slots=True)
class Outlet:
    """A service: where `apprise` has it, and what of it is taken."""

    shown: str
    """As people know it."""
    module: str
    name: str
    options: frozenset[str] = frozenset()
    """What may stand behind the ? of an address."""
    has_host: bool = False
    """The address names the host to connect to; else it is the service's own."""
    takes_extras: bool = False
    """Headers (+), parameters (-) and fields (:) of the user's own."""
    is_chat: bool = False
    """It shows markup, or calls people by name."""
    escaped: str = ""
    """Characters of markup that it takes literally after a backslash."""


def _options(words: str) -> frozenset[str]:
    return frozenset(words.split())


_MARKDOWN = "\\*_~`|"
_JSON = Outlet("a webhook", "custom_json", "NotifyJSON", _options("method"), has_host=True, takes_extras=True)
_FORM = Outlet("a web form", "custom_form", "NotifyForm", _options("method"), has_host=True, takes_extras=True)
_XML = Outlet("an XML webhook", "custom_xml", "NotifyXML", _options("method"), has_host=True, takes_extras=True)
_NTFY = Outlet("ntfy", "ntfy", "NotifyNtfy", _options("mode auth token priority tags to"), has_host=True)
_GOTIFY = Outlet("Gotify", "gotify", "NotifyGotify", _options("priority"), has_host=True)
_MAIL = Outlet(
    "e-mail", "email.base", "NotifyEmail", _options("user pass smtp from name to cc bcc reply mode"), has_host=True
)
_DISCORD = Outlet("Discord", "discord", "NotifyDiscord", _options("thread"), is_chat=True, escaped=_MARKDOWN)
_TELEGRAM = Outlet("Telegram", "telegram", "NotifyTelegram", _options("to topic thread silent"), is_chat=True)
_SLACK = Outlet("Slack", "slack", "NotifySlack", _options("to"), is_chat=True)
_MATRIX = Outlet(
    "Matrix", "matrix.base", "NotifyMatrix", _options("to mode token version"), has_host=True, is_chat=True
)
_MATTERMOST = Outlet(
    "Mattermost", "mattermost", "NotifyMattermost", _options("to channel channels"), has_host=True, is_chat=True,
    escaped=_MARKDOWN,
)  # fmt: skip
_ROCKET = Outlet(
    "Rocket.Chat", "rocketchat", "NotifyRocketChat", _options("to mode webhook"), has_host=True, is_chat=True,
    escaped="*_~`",
)  # fmt: skip
_ZULIP = Outlet("Zulip", "zulip", "NotifyZulip", _options("to"), is_chat=True, escaped=_MARKDOWN)
_GOOGLE = Outlet("Google Chat", "google_chat", "NotifyGoogleChat", _options("key token thread threadkey"), is_chat=True)
_PUSHOVER = Outlet("Pushover", "pushover", "NotifyPushover", _options("to priority sound"))
_PUSHBULLET = Outlet("Pushbullet", "pushbullet", "NotifyPushBullet", _options("to"))
_SIGNAL = Outlet("Signal", "signal_api", "NotifySignalAPI", _options("to from"), has_host=True)

OUTLETS: Mapping[str, Outlet] = {
    "json": _JSON, "jsons": _JSON, "form": _FORM, "forms": _FORM, "xml": _XML, "xmls": _XML,
    "ntfy": _NTFY, "ntfys": _NTFY, "gotify": _GOTIFY, "gotifys": _GOTIFY, "mailto": _MAIL, "mailtos": _MAIL,
    "discord": _DISCORD, "tgram": _TELEGRAM, "slack": _SLACK, "matrix": _MATRIX, "matrixs": _MATRIX,
    "mmost": _MATTERMOST, "mmosts": _MATTERMOST, "rocket": _ROCKET, "rockets": _ROCKET, "zulip": _ZULIP,
    "gchat": _GOOGLE, "pover": _PUSHOVER, "pbul": _PUSHBULLET, "signal": _SIGNAL, "signals": _SIGNAL,
}  # fmt: skip
"""By the word before `://`; one more s is the encrypted way. Source: appriseit.com, services."""
NATIVE: Mapping[str, Outlet] = {
    "discord.com": _DISCORD,
    "discordapp.com": _DISCORD,
    "hooks.slack.com": _SLACK,
    "chat.googleapis.com": _GOOGLE,
    "ntfy.sh": _NTFY,
}
"""Services whose own https addresses are understood, by host."""
_READ = re.compile(r"([a-z][a-z0-9+.-]{0,30})://([^/?#@:]*)", re.IGNORECASE | re.ASCII)


def find(url: str) -> tuple[Outlet, bool]:
    """The service of an address, and whether it is written in the service's own way.

    Raises:
        Invalid: it is no address, or none that is taken; with `field`.
    """
    read = _READ.match(url)
    if read is None or len(url) > LONGEST or not url.isprintable() or " " in url:
        raise Invalid(f"Give an address such as ntfys://ntfy.sh/topic. Taken are: {taken()}.", field="url")
    schema, host = read[1].lower(), read[2].lower()
    if schema == "https" and host in NATIVE:
        return NATIVE[host], True
    if schema in ("http", "https"):
        raise Invalid("For a webhook of your own give its address as jsons://HOST/PATH (or json://).", field="url")
    if schema not in OUTLETS:
        raise Invalid(f"Nothing is sent to {schema}:// from here. Taken are: {taken()}.", field="url")
    return OUTLETS[schema], False


def taken() -> str:
    """The beginnings of addresses that are taken, for people."""
    plain = [word for word in OUTLETS if not (word.endswith("s") and word[:-1] in OUTLETS)]
    return ", ".join(f"{word}(s)" if f"{word}s" in OUTLETS else word for word in plain)
