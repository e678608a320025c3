"""After a backup was put back: what it claims is compared with what is really there, once, and admins are told."""

from __future__ import annotations

import asyncio
from pathlib import Path

import structlog

from uuutorrent.accounts import Accounts, Operator
from uuutorrent.automation.inbox.inbox import Inbox, Kind
from uuutorrent.backup.restoring import restored_in
from uuutorrent.torrents.orphans import OrphanHunt, Orphans

log = structlog.get_logger()


class Recovered:
    """Looks for the mark that `uuutorrent restore` leaves in the data directory."""

    def __init__(self, data: Path, orphans: OrphanHunt, accounts: Accounts, inbox: Inbox) -> None:
        self._data = data
        self._orphans = orphans
        self._accounts = accounts
        self._inbox = inbox

    async def look_once(self) -> None:
        """Compare and tell, if there is a mark; it goes once that is done. It has to come before anything is mended.

        Raises:
            Unreachable: the disk or the engine does not answer; the mark stays.
        """
        restored = await asyncio.to_thread(restored_in, self._data)
        if restored is None:
            return
        found = await self._orphans.look()
        text = f"The backup {restored.backup} was put back. {_told(found)}"
        log.warning("restored", backup=restored.backup, missing=len(found.missing), unclaimed=len(found.torrents))
        for one in await self._accounts.users(Operator()):
            if one.user.is_admin and one.disabled_at is None:
                await self._inbox.tell(one.user.id, Kind.TROUBLE, text, key=f"restored:{restored.key}")
        await self._accounts.audit.tell(Operator(), "restore", restored.backup, detail=text)
        await asyncio.to_thread(restored.done)


def _told(found: Orphans) -> str:
    told = []
    if found.missing:
        told.append(f"Claimed, and not in qBittorrent: {_names(found.missing)}; added again.")
    if found.torrents:
        names = _names([one.name for one in found.torrents])
        told.append(f"In qBittorrent, and claimed by nobody: {names}; see `orphans`.")
    if found.files:
        told.append(f"On the disk, and of no torrent: {_names([one.path for one in found.files])}; see `orphans`.")
    return " ".join(told) or "What it claims is there, and nothing else is."


def _names(names: tuple[str, ...] | list[str]) -> str:
    more = f" and {len(names) - 5} more" if len(names) > 5 else ""
    return ", ".join(names[:5]) + more
