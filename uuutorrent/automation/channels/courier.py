"""Sends messages, in a process of its own: `python -m uuutorrent.automation.channels.courier`.

`apprise` and its plugins block, are many, and are not ours: here they can be bounded, guarded and ended. The request
comes as JSON on stdin, so that no secret stands in a list of processes; the answers go to stdout, a line of JSON each.
Nothing of what a plugin or a service said goes there, for it may repeat the address: only sentences of ours.
"""

from __future__ import annotations

import importlib
import json
import logging
import re
import socket
import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from apprise.apprise import Apprise
from apprise.asset import AppriseAsset
from apprise.common import NotifyFormat, OverflowMode
from apprise.exception import AppriseException
from apprise.plugins.base import NotifyBase

from uuutorrent.automation.channels import guard, outlets
from uuutorrent.automation.channels.guard import Guard
from uuutorrent.automation.channels.outlets import Outlet
from uuutorrent.automation.channels.quoting import calm
from uuutorrent.errors import Invalid, Refused, UuuError
from uuutorrent.torrents.addresses import may_connect

MOST_TARGETS = 10
CONNECT_S = 5.0
READ_S = 10.0
SPACING_S = 0.5
"""Between two messages to one service."""
PRIVATE = "it is on a private network, and messages go to public addresses only"

_PREFIXES = ("+", "-", ":")
_STATUS = re.compile(r"error=(\d{3})\b")
_STATUSES: Mapping[int, str] = {
    401: "it does not let us in (401): look at the password or token in the address",
    403: "it does not let us in (403): look at the password or token in the address",
    404: "there is nothing at that address (404)",
    413: "the message is too long for it (413)",
    429: "it wants fewer messages (429)",
}
_FAILURES: Sequence[tuple[re.Pattern[str], str]] = tuple(
    (re.compile(said, re.IGNORECASE), meant)
    for said, meant in (
        (r"getaddrinfo|name resolution|name or service not known|NameResolution", "there is no such host"),
        (r"certificate", "its certificate is not valid"),
        (r"\(53[045], b|could not authenticate", "it does not let us in: look at the user and password in the address"),
        (r"\([45]\d\d, b|recipient \S+ was refused", "the mail server does not take the message"),
        (r"timed out|timeout", "it does not answer in time"),
        (r"connection|socket|refused", "it cannot be reached"),
    )
)


def main() -> None:
    """Do what stdin asks."""
    request: dict[str, Any] = json.load(sys.stdin)
    guard.limit(request["deadline_s"])
    standing = Guard(allow_private=request["allow_private"])
    try:
        outlet, is_native = outlets.find(request["url"])
        importlib.import_module(f"apprise.plugins.{outlet.module}")
        guard.stand(standing)
        service = opened(outlet, request["url"], is_native=is_native)
        if "messages" in request:
            _send(service, outlet, request["messages"], standing)
        else:
            host = host_of(outlet, service)
            _check_host(host, allow_private=request["allow_private"])
            _say(label=f"{outlet.shown} at {host}" if host else outlet.shown)
    except UuuError as e:
        _say(error=e.message, code=e.code)


def opened(outlet: Outlet, url: str, *, is_native: bool = False) -> NotifyBase:
    """A service as an address describes it, in our manners: nothing followed, nothing unchecked, nothing repeated.

    Raises:
        Invalid: the address says too little, or something that is not taken.
    """
    kind: type[NotifyBase] = getattr(importlib.import_module(f"apprise.plugins.{outlet.module}"), outlet.name)
    unread = Invalid(f"This cannot be read as an address of {outlet.shown}; see appriseit.com/services.", field="url")
    try:
        said: dict[str, Any] | None = (
            kind.parse_native_url(url) if is_native else kind.parse_url(url.replace("/#", "/%23"))
        )
        if not said:
            raise unread
        _check_options(outlet, said.get("qsd") or {})
        service = kind(**said, asset=_asset())
    except (AppriseException, TypeError, ValueError, KeyError, AttributeError) as e:
        raise unread from e
    if len(service) > MOST_TARGETS:
        raise Invalid(f"An address may name {MOST_TARGETS} targets at most.", field="url")
    if service.secure and getattr(service, "secure_mode", "") == "insecure":
        raise Invalid("mailtos:// is never sent unencrypted; for that there is mailto://.", field="url")
    service.verify_certificate, service.redirects, service.retry = True, False, 0
    service.socket_connect_timeout, service.socket_read_timeout = CONNECT_S, READ_S
    service.request_rate_per_sec = min(service.request_rate_per_sec, SPACING_S)
    service.overflow_mode = OverflowMode.TRUNCATE
    return service


def host_of(outlet: Outlet, service: NotifyBase) -> str:
    """The host that an address names; empty where the service has its own."""
    if not outlet.has_host:
        return ""
    if getattr(service, "mode", "") == "cloud":
        return "ntfy.sh"
    return str(getattr(service, "smtp_host", "") or service.host)


def _check_options(outlet: Outlet, said: Iterable[str]) -> None:
    for option in said:
        is_extra = option.startswith(_PREFIXES)
        if not (outlet.takes_extras if is_extra else option.lower() in outlet.options):
            named = re.sub(r"[^A-Za-z0-9_+:-]", "", option)[:30]
            known = f"; there are {', '.join(sorted(outlet.options))}" if outlet.options else ""
            raise Invalid(f"The option {named} of {outlet.shown} is not taken here{known}.", field="url")


def _check_host(host: str, *, allow_private: bool) -> None:
    """Tell at once what the guard would refuse later."""
    if not host:
        return
    try:
        found = socket.getaddrinfo(host.strip("[]"), None, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as e:
        raise Invalid(f"There is no host {host}, or its name cannot be looked up.", field="url") from e
    for *_, address in found:
        if not may_connect(str(address[0]), loopback=allow_private, private=allow_private):
            raise Refused(f"{host}: {PRIVATE}.")


def _send(service: NotifyBase, outlet: Outlet, messages: Sequence[Sequence[str]], standing: Guard) -> None:
    """Send each message in turn, up to the first that is not taken; each that is taken is told at once."""
    heard = _Heard()
    apprise = Apprise(asset=_asset())
    apprise.add(service)
    for title, body in messages:
        heard.said.clear()
        standing.refused.clear()
        said = calm(body, outlet.escaped) if outlet.is_chat else body
        if not apprise.notify(title=title, body=said, body_format=NotifyFormat.TEXT):
            _say(**_reason(heard.said, standing.refused))
            return
        _say(delivered=1)


def _reason(said: Sequence[str], refused: Sequence[str]) -> Mapping[str, str]:
    """Why a message was not taken, in words that hold nothing of the address."""
    text = "\n".join(said)
    if any(address[:1].isdigit() or ":" in address for address in refused):
        return {"error": PRIVATE, "code": Refused.code}
    if status := _STATUS.search(text):
        number = int(status[1])
        moved = "it redirects elsewhere, which is not followed" if 300 <= number < 400 else f"it answers {number}"
        return {"error": _STATUSES.get(number, moved), "code": "unreachable"}
    meant = (meant for pattern, meant in _FAILURES if pattern.search(text))
    return {"error": next(meant, "it did not take the message"), "code": "unreachable"}


def _asset() -> AppriseAsset:
    return AppriseAsset(
        app_id="uuutorrent",
        app_desc="uuutorrent",
        app_url="",
        image_url_mask="",
        image_url_logo="",
        async_mode=False,
        service_timeout=0,
        http_redirects=False,
        interpret_emojis=False,
        allow_templates=False,
        storage_mode="memory",
        timezone="UTC",
        pgp_autogen=False,
        pem_autogen=False,
    )


class _Heard(logging.Handler):
    """What apprise logs: kept for as long as it takes to see what went wrong, and never handed on."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.said: list[str] = []
        log = logging.getLogger("apprise")
        log.setLevel(logging.DEBUG)
        log.addHandler(self)
        log.propagate = False

    def emit(self, record: logging.LogRecord) -> None:
        said = record.getMessage()
        # Not what was sent or answered, which may hold any words.
        if record.levelno >= logging.WARNING or said.startswith("Socket Exception"):
            self.said.append(said)


def _say(**line: object) -> None:
    sys.stdout.write(f"{json.dumps(line)}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
