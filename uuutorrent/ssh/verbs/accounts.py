"""Verbs about oneself: whoami, passwd, keys, link, unlink."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from uuutorrent.accounts import Key
from uuutorrent.errors import Invalid
from uuutorrent.ssh.call import Call, Reply, TheCall, Verb
from uuutorrent.ssh.text import instant
from uuutorrent.torrents.usage import Usage
from uuutorrent.tui.figures import count, size
from uuutorrent.tui.limits import read, running
from uuutorrent.tui.plain import plain

ONLY_BY_KEY = "From where you are, admins sign in with a key only. Add one before you leave"
LONGEST_INPUT = 8192
LONGEST_PASTE = 16_384
"""Bytes in which a token is looked for; it may come with line breaks."""


async def whoami(*, call: TheCall) -> Reply:
    """Who you are here, what you claim, and what you may."""
    desk = call.desk
    limit, served = await desk.limits.of(desk.user), await desk.limits.served(desk.user)
    usage, linked = await desk.library.usage(desk.user), await desk.watchlists.link_of(desk.user)
    document = {
        "name": desk.user.name,
        "role": desk.user.role,
        "claimed_bytes": usage.bytes,
        "quota_bytes": usage.quota_bytes,
        "torrents": usage.torrents,
        "quota_torrents": usage.quota_torrents,
        "running": usage.running,
        "quota_active": limit.active,
        "served_bytes": served,
        "quota_month_bytes": limit.month_bytes,
        "quota_bps": limit.bps,
        "anilist": linked.anilist_name if linked else None,
        "anilist_expires_at": instant(linked.expires_at) if linked else None,
    }
    await warn_of_link(call)
    text = f"{desk.user.name} ({desk.user.role}): {_used(usage)}"
    text += "".join(f"\n{line}" for line in (running(usage), read(limit, served)) if line)
    return Reply(document, text + (f"\nAniList: {plain(linked.anilist_name)}" if linked else ""))


async def passwd(*, call: TheCall) -> Reply:
    """Change your password.

    Reads the old one and the new one from stdin, a line each.
    """
    hint = "type the old password and Enter, the new one and Enter, then Ctrl+D"
    given = (await call.read_text(LONGEST_INPUT, hint)).replace("\r\n", "\n").split("\n")
    if len(given) < 2 or not given[1]:
        raise Invalid("give the old password and the new one, a line each, on stdin", field="stdin")
    await call.desk.accounts.set_password(call.desk.user, given[0], given[1])
    if await call.desk.lacks_key():
        call.notice(f"{ONLY_BY_KEY}: {call.io.prefix} keys add < ~/.ssh/id_ed25519.pub")
    return Reply({"changed": True}, "Your password is changed.")


async def keys_list(*, call: TheCall) -> Reply:
    """The keys that sign you in."""
    keys = await call.desk.accounts.keys(call.desk.user)
    rows = [
        (str(key.id), instant(key.added_at) or "", instant(key.last_used_at) or "never", _shown(key)) for key in keys
    ]
    headings = ("ID", "ADDED", "LAST USED", "KEY")
    return Reply([_key(key) for key in keys], call.table(headings, rows, empty="You have no keys here."))


async def keys_add(*key: str, call: TheCall) -> Reply:
    """Let a key sign you in.

    Parameters
    ----------
    key
        A line as in ~/.ssh/id_ed25519.pub; without it the line is read from stdin.
    """
    hint = "paste a line as in ~/.ssh/id_ed25519.pub, then Enter and Ctrl+D"
    line = " ".join(key) if key else await call.read_text(LONGEST_INPUT, hint)
    added = await call.desk.accounts.add_key(call.desk.user, line.strip())
    return Reply(_key(added), call.listing([("This key signs you in now:", _shown(added))], empty=""))


async def keys_remove(key: str, /, *, call: TheCall) -> Reply:
    """Forget a key.

    Parameters
    ----------
    key
        Its id or its fingerprint, as `keys list` shows them.
    """
    removed = await call.desk.accounts.remove_key(call.desk.user, key)
    text = call.listing([("This key does not sign you in any more:", _shown(removed))], empty="")
    return Reply({"removed": removed.fingerprint}, text)


async def link(*, call: TheCall) -> Reply:
    """Keep your watchlist at AniList.

    Reads AniList's token from stdin. Without one it says where to get it.
    """
    address = call.desk.watchlists.authorize_url
    token = "" if call.io.is_tty else await call.read_text(LONGEST_PASTE, f"paste the token of {address}, then Ctrl+D")
    if not token.strip():
        how = f"Open {address} , sign in, copy the token into a file, then: {call.io.prefix} link < token.txt"
        raise Invalid(how, field="token")
    linked = await call.desk.watchlists.link(call.desk.user, token)
    document = {"anilist": linked.anilist_name, "expires_at": instant(linked.expires_at)}
    await warn_of_link(call)
    return Reply(document, f"Your watchlist is {plain(linked.anilist_name)}'s at AniList from now on.")


async def unlink(*, call: TheCall) -> Reply:
    """Forget your AniList account; your list is kept here from then on."""
    await call.desk.watchlists.unlink(call.desk.user)
    return Reply({"anilist": None}, "Your watchlist is kept here from now on.")


async def warn_of_link(call: Call) -> None:
    """Say it when AniList stops accepting the person's token soon, or did."""
    linked = await call.desk.watchlists.link_of(call.desk.user)
    again = f"link it again: {call.io.prefix} link"
    if linked and linked.broken:
        call.notice(f"AniList does not accept your token any more; {again}")
    elif linked and linked.expires_soon and linked.expires_at:
        call.notice(f"your link to AniList ends on {linked.expires_at:%Y-%m-%d}; {again}")


VERBS = (
    Verb("whoami", whoami),
    Verb("passwd < LINES", passwd),
    Verb("keys list", keys_list),
    Verb("keys add [KEY]", keys_add),
    Verb("keys remove KEY", keys_remove),
    Verb("link < TOKEN", link),
    Verb("unlink", unlink),
)


def _used(usage: Usage) -> str:
    of = f" of {size(usage.quota_bytes)}" if usage.quota_bytes else ""
    at_most = f" (at most {usage.quota_torrents})" if usage.quota_torrents else ""
    return f"{size(usage.bytes)}{of} in {count(usage.torrents, 'torrent')}{at_most}"


def _shown(key: Key) -> str:
    return plain(f"{key.fingerprint} {key.comment}".rstrip())


def _key(key: Key) -> Mapping[str, Any]:
    return {
        "id": key.id,
        "fingerprint": key.fingerprint,
        "comment": key.comment,
        "added_at": instant(key.added_at),
        "last_used_at": instant(key.last_used_at),
    }
