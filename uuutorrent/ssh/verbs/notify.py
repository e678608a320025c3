"""Verbs about being told outside: channels, and the hours in which nothing is sent."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from cyclopts import Parameter
from cyclopts.validators import Number

from uuutorrent.automation.channels.channels import ALL_KINDS, Channel, read_kinds
from uuutorrent.automation.inbox.notice import Kind
from uuutorrent.automation.preferences import Preferences
from uuutorrent.errors import Invalid
from uuutorrent.ssh import typed
from uuutorrent.ssh.call import Document, Reply, TheCall, Verb
from uuutorrent.ssh.text import instant
from uuutorrent.tui.figures import count

ChannelId = Annotated[int, Parameter(validator=Number(gte=1, lte=2**31 - 1), metavar="CHANNEL")]
Kinds = Annotated[
    typed.Words,
    Parameter(metavar="KIND", help=f"Only of these: {', '.join(Kind)}. Without it: of all."),
]
Digest = Annotated[
    int | None, Parameter(metavar="HOURS", help="Collect for so long and send one message; 0: each as it comes.")
]
LONGEST_INPUT = 4096


async def add(
    url: Annotated[str, Parameter(allow_leading_hyphen=True)],
    /,
    *,
    kinds: Kinds = None,
    digest: Digest = None,
    call: TheCall,
) -> Reply:
    """Be told outside of what happens from now on.

    Parameters
    ----------
    url
        An address as Apprise writes it, e.g. ntfys://ntfy.sh/TOPIC, or - to read it from stdin, which keeps it out of
        your shell's history.
    """
    if url == "-":
        url = (await call.read_text(LONGEST_INPUT, "send the address on stdin")).strip()
    channel = await call.desk.channels.add(call.desk.user, url, _kinds(kinds) or ALL_KINDS, digest or 0)
    told = (f"Channel {channel.id}: {channel.label}", f"`notify test {channel.id}` sends a message to try it out.")
    return Reply(_document(channel), call.listing([told], empty=""))


async def change(channel: ChannelId, /, *, kinds: Kinds = None, digest: Digest = None, call: TheCall) -> Reply:
    """Change what a channel is told; what is not named stays.

    Parameters
    ----------
    channel
        Its number, as `notify list` shows it.
    """
    if kinds is None and digest is None:
        raise Invalid(f"say what to change, e.g. --digest 24. See: {call.io.prefix} help notify change")
    changed = await call.desk.channels.change(call.desk.user, channel, kinds=_kinds(kinds), digest_h=digest)
    return Reply(_document(changed), call.listing([_lines(changed)], empty=""))


async def list_channels(*, call: TheCall) -> Reply:
    """Your channels, and whether each works."""
    channels = await call.desk.channels.of(call.desk.user)
    empty = f"Nothing is sent anywhere. {call.io.prefix} notify add - takes an address."
    text = call.listing([_lines(one) for one in channels], empty=empty)
    return Reply([_document(one) for one in channels], text)


async def test(channel: ChannelId, /, *, call: TheCall) -> Reply:
    """Send a message now, to see whether it arrives.

    Parameters
    ----------
    channel
        Its number, as `notify list` shows it.
    """
    tested = await call.desk.channels.test(call.desk.user, channel)
    told = (f"{tested.label} took the message.", "See whether it arrived.")
    return Reply({"channel": tested.id, "sent": True}, call.listing([told], empty=""))


async def enable(channel: ChannelId, /, *, call: TheCall) -> Reply:
    """Let a channel be told of what happens from now on.

    Parameters
    ----------
    channel
        Its number, as `notify list` shows it.
    """
    switched = await call.desk.channels.set_enabled(call.desk.user, channel, on=True)
    return Reply(_document(switched), call.listing([_lines(switched)], empty=""))


async def disable(channel: ChannelId, /, *, call: TheCall) -> Reply:
    """Let a channel be told nothing until it is enabled again.

    Parameters
    ----------
    channel
        Its number, as `notify list` shows it.
    """
    switched = await call.desk.channels.set_enabled(call.desk.user, channel, on=False)
    return Reply(_document(switched), call.listing([_lines(switched)], empty=""))


async def remove(channel: ChannelId, /, *, call: TheCall) -> Reply:
    """Forget a channel and its address.

    Parameters
    ----------
    channel
        Its number, as `notify list` shows it.
    """
    gone = await call.desk.channels.remove(call.desk.user, channel)
    return Reply({"channel": gone.id}, f"Channel {gone.id} is gone.")


async def quiet(
    begin: str | None = None,
    end: str | None = None,
    /,
    *,
    zone: Annotated[str | None, Parameter(metavar="ZONE", help="A time zone such as Europe/Berlin.")] = None,
    call: TheCall,
) -> Reply:
    """The hours in which nothing is sent; what happens meanwhile comes as one message after them.

    Without hours it tells them.

    Parameters
    ----------
    begin
        When they begin, e.g. 23:30, or off for none.
    end
        When they end, e.g. 07:00.
    """
    book, user = call.desk.preferences, call.desk.user
    changes: dict[str, Any] = {} if zone is None else {"zone": zone}
    if begin == "off":
        if end is not None:
            raise Invalid("off takes no second hour", field="quiet_to")
        changes |= {"quiet_from": "", "quiet_to": ""}
    elif begin is not None:
        if end is None or begin == end:
            raise Invalid("quiet hours have a beginning and an end, e.g. 23:30 07:00", field="quiet_to")
        changes |= {"quiet_from": begin, "quiet_to": end}
    wishes = await book.change(user, **changes) if changes else await book.of(user)
    return _hours(wishes)


VERBS = (
    Verb("notify add URL|- [--kinds KIND…] [--digest HOURS]", add),
    Verb("notify list", list_channels),
    Verb("notify test CHANNEL", test),
    Verb("notify change CHANNEL [--kinds KIND…] [--digest HOURS]", change),
    Verb("notify enable CHANNEL", enable),
    Verb("notify disable CHANNEL", disable),
    Verb("notify remove CHANNEL", remove),
    Verb("notify quiet [BEGIN END|off] [--zone ZONE]", quiet),
)


def _kinds(words: list[str] | None) -> tuple[Kind, ...] | None:
    return read_kinds([part for word in words for part in word.split(",") if part]) if words else None


def _hours(wishes: Preferences) -> Reply:
    document: Document = {
        "from": wishes.quiet_from or None,
        "to": wishes.quiet_to or None,
        "zone": wishes.zone,
    }
    if not wishes.quiet_from:
        return Reply(document, f"No quiet hours: messages are sent at any hour ({wishes.zone}).")
    return Reply(document, f"Quiet from {wishes.quiet_from} to {wishes.quiet_to}, {wishes.zone}.")


def _document(channel: Channel) -> Mapping[str, Any]:
    return {
        "channel": channel.id,
        "service": channel.label,
        "kinds": [kind.value for kind in channel.kinds],
        "digest_h": channel.digest_h,
        "enabled": channel.is_enabled,
        "last_error": channel.error or None,
        "failures": channel.failures,
        "next_try_at": instant(channel.next_at) if channel.failures and channel.is_enabled else None,
        "made_at": instant(channel.made_at),
    }


def _lines(channel: Channel) -> tuple[str, ...]:
    state = "" if channel.is_enabled else "  (disabled)"
    told = "of everything" if channel.kinds == ALL_KINDS else f"of {', '.join(channel.kinds)}"
    how = f"collected for {count(channel.digest_h, 'hour')}" if channel.digest_h else "as it happens"
    again = f", again {instant(channel.next_at)}" if channel.failures and channel.is_enabled else ""
    return (
        f"{channel.id}  {channel.label}{state}",
        f"told {told}, {how}",
        f"✗ {channel.error} ({count(channel.failures, 'failure')} in a row{again})" if channel.error else "",
    )
