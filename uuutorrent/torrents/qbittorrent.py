"""qBittorrent as an `Engine`: 4.5 and newer, over its Web API.

The library's client is neither asynchronous nor safe to share between threads, and it retries by itself; so there is
one client on one thread, each request has a short time-out, and each verb a deadline of its own.
Source: qBittorrent WebUI API, and qbittorrent-api for what differs between versions.
"""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Callable, Collection, Sequence
from contextlib import suppress
from typing import Self, TypeVar, cast

import qbittorrentapi as api

from uuutorrent.errors import Conflict, Invalid, Missing, Unexpected, Unreachable
from uuutorrent.tally import Tally
from uuutorrent.torrents import reported
from uuutorrent.torrents.engine import EngineId, NewTorrent, Peer, Pieces, Torrent, TorrentFile, Tracker
from uuutorrent.torrents.lane import Lane
from uuutorrent.torrents.reported import Row

T = TypeVar("T")

SERVICE = "qBittorrent"
CONNECT_S = 3.0
READ_S = 5.0
"""Per request. The library tries each request twice."""
DEADLINE_S = 12.0
"""Per verb, whatever the library does below."""
BANNED_S = 900.0
"""After "this address is banned" nothing is asked for so long; qBittorrent bans for an hour."""
ADD_TRIES_S = (0.3, 0.7, 1.5)
"""A qBittorrent that is still loading its torrents refuses every add; pauses before the next tries."""

WRONG_LOGIN = (
    "it refuses the username and password of [qbittorrent]; correct them and restart uuutorrent. "
    "It is not asked again before that, so that this address is not banned"
)
NO_SUCH = "qBittorrent has no such torrent"
BANNED = "it has banned this address after too many wrong passwords; it is asked again in a quarter of an hour"


class QBittorrent:
    """One qBittorrent. Use it as `async with QBittorrent(...) as engine`."""

    def __init__(self, url: str, username: str, password: str, tally: Tally) -> None:
        self.url = url.rstrip("/")
        self._tally = tally
        self._lane = Lane("qbittorrent")
        self._latch, self._latched_until = "", 0.0
        self._client = api.Client(
            host=self.url,
            username=username,
            password=password,
            SIMPLE_RESPONSES=True,
            FORCE_SCHEME_FROM_HOST=True,  # else it finds the scheme out by asking, which multiplies a hang
            HTTPADAPTER_ARGS={"max_retries": 0},
            REQUESTS_ARGS={
                "timeout": (CONNECT_S, READ_S),
                # None: a proxy that the environment names is for the world outside
                "proxies": {"http": None, "https": None, "all": None},
            },
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exc: object) -> None:
        self._lane.close()

    async def version(self) -> str:
        """The version, e.g. "v4.5.2"."""
        return await self._ask(_version)

    async def try_again(self) -> str:
        """Ask once more even after a refused login, for an operator who has repaired it; answers the version."""
        self._latched_until = 0.0
        return await self.version()

    async def torrents(self, *, ids: Collection[EngineId] | None = None, tag: str | None = None) -> tuple[Torrent, ...]:
        """All torrents, or those named, or those with a tag."""
        if ids is not None and not ids:
            return ()
        return await self._ask(lambda c: tuple(reported.torrent(row) for row in _info(c, ids, tag)))

    async def add(self, new: NewTorrent) -> None:
        """Add it. What is there already stays as it is.

        The answer cannot be trusted: a duplicate, a bad magnet and "still loading" look the same, and a .torrent
        refused as a duplicate of a magnet is taken over all the same. So a refusal is followed by a look.

        Raises:
            Invalid: it is no torrent that qBittorrent can read.
        """
        _check_tags(new.tags)
        for pause_s in (*ADD_TRIES_S, None):
            if await self._ask(lambda c: _add(c, new)) or await self._ask(lambda c: _is_there(c, new)):
                return
            if pause_s is not None:
                await asyncio.sleep(pause_s)
        raise Invalid("qBittorrent did not take this torrent; the link or file may be damaged", field="source")

    async def start(self, ids: Sequence[EngineId]) -> None:
        """Let them download or seed."""
        await self._each(ids, lambda c: c.torrents_start(torrent_hashes=ids))

    async def stop(self, ids: Sequence[EngineId]) -> None:
        """Pause them."""
        await self._each(ids, lambda c: c.torrents_stop(torrent_hashes=ids))

    async def recheck(self, ids: Sequence[EngineId]) -> None:
        """Read the files again and verify them."""
        await self._each(ids, lambda c: c.torrents_recheck(torrent_hashes=ids))

    async def reannounce(self, ids: Sequence[EngineId]) -> None:
        """Ask their trackers for peers now, as far as those let themselves be asked again."""
        await self._each(ids, lambda c: c.torrents_reannounce(torrent_hashes=ids))

    async def delete(self, ids: Sequence[EngineId], *, with_files: bool) -> None:
        """Forget them, and their files when asked."""
        await self._each(ids, lambda c: c.torrents_delete(delete_files=with_files, torrent_hashes=ids))

    async def tag(self, ids: Sequence[EngineId], *, add: Sequence[str] = (), remove: Sequence[str] = ()) -> None:
        """Change tags."""
        _check_tags((*add, *remove))
        if remove:  # an empty list would remove them all
            await self._each(ids, lambda c: c.torrents_remove_tags(tags=remove, torrent_hashes=ids))
        if add:
            await self._each(ids, lambda c: c.torrents_add_tags(tags=add, torrent_hashes=ids))

    async def files(self, id: EngineId) -> tuple[TorrentFile, ...]:
        """Its files; none while the metadata is not known."""
        return await self._ask(lambda c: tuple(reported.file(row) for row in _rows(c.torrents_files(torrent_hash=id))))

    async def pieces(self, id: EngineId) -> Pieces:
        """Which of its pieces have come and were checked."""
        return await self._ask(
            lambda c: reported.pieces(
                cast("Row", c.torrents_properties(torrent_hash=id)), c.torrents_piece_states(torrent_hash=id)
            )
        )

    async def trackers(self, id: EngineId) -> tuple[Tracker, ...]:
        """Its trackers, and how DHT, PeX and LSD do."""
        return await self._ask(
            lambda c: tuple(reported.tracker(r) for r in _rows(c.torrents_trackers(torrent_hash=id)))
        )

    async def peers(self, id: EngineId) -> tuple[Peer, ...]:
        """The peers it is connected to."""
        return await self._ask(lambda c: tuple(reported.peer(row) for row in _peer_rows(c, id)))

    async def set_priority(self, id: EngineId, indexes: Sequence[int], priority: int) -> None:
        """Set the priority of some files."""
        try:
            await self._ask(lambda c: c.torrents_file_priority(torrent_hash=id, file_ids=indexes, priority=priority))
        except Conflict as e:
            if await self.files(id):
                raise Invalid("there is no such file in the torrent", field="files") from e
            raise Conflict("its files are not known yet; wait for the metadata") from e

    async def set_sequential(self, id: EngineId, on: bool) -> None:
        """Download in order, or not. (qBittorrent can only toggle.)"""

        def change(client: api.Client) -> None:
            if bool(_one(client, id)["seq_dl"]) is not on:
                client.torrents_toggle_sequential_download(torrent_hashes=[id])

        await self._ask(change)

    async def set_limits(self, id: EngineId, *, down_bps: int, up_bps: int) -> None:
        """Speed limits; 0: none."""

        def change(client: api.Client) -> None:
            _one(client, id)  # unknown ids would be accepted in silence
            client.torrents_set_download_limit(limit=down_bps, torrent_hashes=[id])
            client.torrents_set_upload_limit(limit=up_bps, torrent_hashes=[id])

        await self._ask(change)

    async def uploaded(self) -> int:
        """Bytes that all torrents together uploaded since it started."""
        return await self._ask(lambda c: int(cast("Row", c.transfer_info())["up_info_data"]))

    async def up_limit(self) -> int:
        """How fast all torrents together may upload; 0: no limit."""
        return await self._ask(lambda c: max(int(c.transfer_upload_limit()), 0))

    async def set_up_limit(self, bps: int) -> None:
        """Limit what all torrents together upload; 0: no limit."""
        await self._ask(lambda c: c.transfer_set_upload_limit(limit=bps))

    async def _each(self, ids: Sequence[EngineId], what: Callable[[api.Client], None]) -> None:
        if "all" in ids:
            raise ValueError("'all' is a word of qBittorrent's for every torrent there is")
        if ids:
            await self._ask(what)

    async def _ask(self, what: Callable[[api.Client], T]) -> T:
        """One call, with its deadline; `Missing` when it is about a torrent that is not there."""
        self._check_latch()
        with self._tally.dependency("qbittorrent"):
            try:
                async with asyncio.timeout(DEADLINE_S):
                    return await self._lane.do(lambda: self._call(what))
            except TimeoutError as e:
                raise Unreachable(SERVICE, f"no answer in {DEADLINE_S:.0f} s") from e

    def _check_latch(self) -> None:
        if time.monotonic() < self._latched_until:
            raise Unreachable(SERVICE, self._latch)

    def _call(self, what: Callable[[api.Client], T]) -> T:
        """On the lane: ask, and say the library's errors in ours. A call refused with 403 signs in once and repeats."""
        self._check_latch()  # again: who waited behind a refused login must not try it once more
        try:
            return what(self._client)
        except api.LoginFailed as e:
            self._latch, self._latched_until = WRONG_LOGIN, math.inf
            raise Unreachable(SERVICE, WRONG_LOGIN) from e
        except api.Forbidden403Error as e:
            self._latch, self._latched_until = BANNED, time.monotonic() + BANNED_S
            raise Unreachable(SERVICE, BANNED) from e
        except api.NotFound404Error as e:
            raise Missing(NO_SUCH) from e
        except api.Conflict409Error as e:
            raise Conflict("qBittorrent cannot do that to this torrent now") from e
        except api.UnsupportedMediaType415Error as e:
            raise Invalid("qBittorrent cannot read this .torrent file", field="source") from e
        except api.HTTP5XXError as e:
            raise Unreachable(SERVICE, f"it failed ({e.http_status_code}); its log may say why") from e
        except api.HTTPError as e:
            raise Unexpected(SERVICE, f"it refused the request ({e.http_status_code})") from e
        except api.APIConnectionError as e:
            raise Unreachable(SERVICE, f"it cannot be reached at {self.url}") from e
        except (api.APIError, KeyError, TypeError, ValueError, AttributeError) as e:
            raise Unexpected(SERVICE, f"what answers at {self.url} does not speak its language") from e


def _version(client: api.Client) -> str:
    """Also the first word with whatever is at the address, which may be something else altogether."""
    with suppress(api.NotFound404Error):
        if (answer := str(client.app_version())).startswith("v"):
            return answer
    raise ValueError("not the version of a qBittorrent")


def _info(client: api.Client, ids: Collection[EngineId] | None, tag: str | None = None) -> list[Row]:
    try:
        return _rows(client.torrents_info(torrent_hashes=ids, tag=tag))
    except api.NotFound404Error as e:
        raise ValueError("not the list of a qBittorrent") from e


def _one(client: api.Client, id: EngineId) -> Row:
    for row in _info(client, [id]):
        return row
    raise Missing(NO_SUCH)


def _add(client: api.Client, new: NewTorrent) -> bool:
    """True: it said yes. False: it said no, which has many reasons."""
    try:
        answer = client.torrents_add(
            urls=new.magnet if new.metainfo is None else None,
            torrent_files=new.metainfo,
            save_path=new.save_path,
            use_download_path=False,
            use_auto_torrent_management=False,
            content_layout="Original",
            category=new.category or None,
            tags=new.tags or None,
            is_stopped=new.stopped,
        )
    except api.Conflict409Error:
        return False
    if isinstance(answer, str):
        return answer != "Fails."
    return bool(answer["success_count"] or answer["pending_count"])


def _is_there(client: api.Client, new: NewTorrent) -> bool:
    """By what it should be called; then by its hashes, because a hybrid magnet is called differently by and by."""

    def among(rows: list[Row]) -> bool:
        return any(
            (new.v1 and new.v1 == row["infohash_v1"]) or (new.v2 and new.v2 == row["infohash_v2"]) for row in rows
        )

    names = [EngineId(name) for name in (new.v1, new.v2[:40]) if name]
    return among(_info(client, names)) or among(_info(client, None))


def _check_tags(tags: Sequence[str]) -> None:
    if any("," in tag for tag in tags):
        raise ValueError("qBittorrent splits tags at commas")


def _peer_rows(client: api.Client, id: EngineId) -> list[Row]:
    answer = cast("dict[str, dict[str, Row]]", client.sync_torrent_peers(torrent_hash=id, rid=0))
    return list(answer.get("peers", {}).values())


def _rows(answer: object) -> list[Row]:
    """The library is typed for its own classes; asked for simple responses it answers with plain JSON."""
    return cast("list[Row]", answer)
