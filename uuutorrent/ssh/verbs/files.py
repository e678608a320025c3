"""Verbs about files: files, cat."""

from __future__ import annotations

from uuutorrent.ssh.call import Reply, TheCall, Verb
from uuutorrent.ssh.text import instant
from uuutorrent.tui.figures import size


async def files(path: str = "/", /, *, call: TheCall) -> Reply:
    """Your files, as SFTP shows them.

    Parameters
    ----------
    path
        A folder; /torrents holds one folder per torrent.
    """
    entries = await call.desk.files.list(call.desk.user, path)
    document = [
        {"name": e.name, "dir": e.is_dir, "size": e.size_bytes, "modified_at": instant(e.modified_at)} for e in entries
    ]
    rows = [
        ("" if e.is_dir else size(e.size_bytes), instant(e.modified_at) or "", e.name + "/" * e.is_dir) for e in entries
    ]
    return Reply(document, call.table(("SIZE", "MODIFIED", "NAME"), rows, empty="Nothing is here yet."))


VERBS = (Verb("files [PATH]", files),)
