"""What a service like AniList knows, and how it answers its schema. Used by `tests.servers.anilist`."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from graphql import GraphQLError, GraphQLResolveInfo

INVERSE = {
    "PREQUEL": "SEQUEL",
    "SEQUEL": "PREQUEL",
    "SIDE_STORY": "PARENT",
    "PARENT": "SIDE_STORY",
    "SOURCE": "ADAPTATION",
    "ADAPTATION": "SOURCE",
}
Info = GraphQLResolveInfo[Any]
LARGEST_CHUNK = 500
LARGEST_PAGE = 50


@dataclass
class Media:
    id: int
    romaji: str
    english: str | None = None
    native: str | None = None
    synonyms: tuple[str, ...] = ()
    type: str = "ANIME"
    format: str | None = "TV"
    status: str | None = "FINISHED"
    episodes: int | None = 12
    duration: int | None = 24
    year: int | None = 2024
    adult: bool = False
    next_episode: int | None = None
    airs_at: int = 0
    colour: str | None = "#E4A15D"
    relations: list[tuple[str, int]] = field(default_factory=list)


@dataclass
class Member:
    """Somebody with an account at the service."""

    id: int
    name: str
    token: str
    title_language: str = "ROMAJI"
    private: bool = False


@dataclass
class Entry:
    id: int
    member: Member
    media: Media
    status: str
    progress: int
    updated_at: int
    custom_lists: tuple[str, ...] = ()
    hidden: bool = False
    """Only on its custom lists."""
    private: bool = False


class Complaint(GraphQLError):
    """An error with the status the service gives it."""

    def __init__(self, message: str, status: int, **more: object) -> None:
        super().__init__(message)
        self.status = status
        self.more = more


class Data:
    """The service's memory. Its methods named after fields of the schema's roots answer them."""

    def __init__(self) -> None:
        self.media: dict[int, Media] = {}
        self.members: dict[str, Member] = {}
        self.entries: list[Entry] = []
        self.clock = int(time.time()) - 1_000_000
        self.next_id = 1000

    def tick(self) -> int:
        self.clock += 60
        return self.clock

    def new_id(self) -> int:
        self.next_id += 1
        return self.next_id

    # Query

    def Viewer(self, info: Info) -> dict[str, Any]:  # noqa: N802 - the schema's word
        viewer = signed_in(info)
        return {
            "id": viewer.id,
            "name": viewer.name,
            "options": {"titleLanguage": viewer.title_language, "displayAdultContent": False},
        }

    def MediaListCollection(  # noqa: N802 - the schema's word
        self,
        info: Info,
        userId: int | None = None,  # noqa: N803
        userName: str | None = None,  # noqa: N803
        type: str | None = None,
        status: str | None = None,
        forceSingleCompletedList: bool = False,  # noqa: N803
        chunk: int = 1,
        perChunk: int = LARGEST_CHUNK,  # noqa: N803
        status_in: Sequence[str] | None = None,
    ) -> dict[str, Any]:
        member = self._owner(info, userId, userName)
        wanted = {status} if status else set(status_in) if status_in else None
        entries = [
            entry
            for entry in self.entries
            if entry.member is member
            and (wanted is None or entry.status in wanted)
            and (not entry.private or viewer(info) is member)
        ]
        size = min(perChunk, LARGEST_CHUNK)
        piece = entries[(chunk - 1) * size : chunk * size]
        return {
            "lists": list(self._groups(info, piece)),
            "user": {"id": member.id, "name": member.name},
            "hasNextChunk": chunk * size < len(entries),
        }

    def Page(self, info: Info, page: int = 1, perPage: int = LARGEST_PAGE) -> _Page:  # noqa: N802, N803
        return _Page(self, page, min(perPage, LARGEST_PAGE))

    # Mutation

    def SaveMediaListEntry(  # noqa: N802 - the schema's word
        self,
        info: Info,
        id: int | None = None,
        mediaId: int | None = None,  # noqa: N803
        status: str | None = None,
        progress: int | None = None,
        repeat: int | None = None,
    ) -> dict[str, Any]:
        member = signed_in(info)
        media = self.media.get(mediaId or 0)
        if media is None:
            raise Complaint("validation", 400, validation={"mediaId": ["The selected media id is invalid."]})
        entry = self.entry_of(member, media.id)
        if entry is None:
            entry = Entry(self.new_id(), member, media, status or "CURRENT", 0, 0)
            self.entries.append(entry)
        entry.status = status or entry.status
        entry.progress = entry.progress if progress is None else progress
        entry.updated_at = self.tick()
        return self.entry_node(info, entry)

    def DeleteMediaListEntry(self, info: Info, id: int | None = None) -> dict[str, Any]:  # noqa: N802
        member = signed_in(info)
        entry = next((entry for entry in self.entries if entry.id == id), None)
        if entry is None:
            raise Complaint("Not Found.", 404)
        if entry.member is not member:
            raise Complaint("You are not authorized to modify this MediaList", 403)
        self.entries.remove(entry)
        return {"deleted": True}

    # What the fields are made of

    def entry_of(self, member: Member, media_id: int) -> Entry | None:
        return next((e for e in self.entries if e.member is member and e.media.id == media_id), None)

    def entry_node(self, info: Info, entry: Entry) -> dict[str, Any]:
        return {
            "id": entry.id,
            "userId": entry.member.id,
            "mediaId": entry.media.id,
            "status": entry.status,
            "progress": entry.progress,
            "repeat": 0,
            "private": entry.private,
            "hiddenFromStatusLists": entry.hidden,
            "updatedAt": entry.updated_at,
            "createdAt": entry.updated_at,
            "media": self.media_node(info, entry.media),
        }

    def media_node(self, info: Info, media: Media) -> dict[str, Any]:
        asker = viewer(info)
        by_language = {"ENGLISH": media.english, "NATIVE": media.native}
        preferred = by_language.get(asker.title_language) if asker else None
        airing = {
            "id": media.id * 1000,
            "airingAt": media.airs_at,
            "timeUntilAiring": media.airs_at - int(time.time()),
            "episode": media.next_episode,
            "mediaId": media.id,
        }
        return {
            "id": media.id,
            "type": media.type,
            "format": media.format,
            "status": media.status,
            "episodes": media.episodes,
            "duration": media.duration,
            "seasonYear": media.year,
            "startDate": {"year": media.year, "month": 4, "day": 1},
            "isAdult": media.adult,
            "synonyms": list(media.synonyms),
            "siteUrl": f"https://anilist.co/anime/{media.id}",
            "title": {
                "romaji": media.romaji,
                "english": media.english,
                "native": media.native,
                "userPreferred": preferred or media.romaji,
            },
            "coverImage": {
                "extraLarge": f"https://s4.anilist.co/{media.id}.jpg",
                "large": None,
                "medium": None,
                "color": media.colour,
            },
            "nextAiringEpisode": airing if media.next_episode is not None else None,
            # Made only when asked for: relations lead round in circles.
            "relations": lambda info: {"edges": self._edges(info, media), "nodes": []},
        }

    def _edges(self, info: Info, media: Media) -> list[dict[str, Any]]:
        near = [(relation, self.media[other]) for relation, other in media.relations if other in self.media]
        return [
            {"id": number, "relationType": relation, "node": self.media_node(info, other)}
            for number, (relation, other) in enumerate(near)
        ]

    def _groups(self, info: Info, entries: Sequence[Entry]) -> Iterator[dict[str, Any]]:
        for status in sorted({entry.status for entry in entries}):
            shown = [entry for entry in entries if entry.status == status and not entry.hidden]
            yield self._group(info, status.title(), status, shown, is_custom=False)
        for name in sorted({name for entry in entries for name in entry.custom_lists}):
            shown = [entry for entry in entries if name in entry.custom_lists]
            yield self._group(info, name, None, shown, is_custom=True)

    def _group(
        self, info: Info, name: str, status: str | None, entries: Sequence[Entry], *, is_custom: bool
    ) -> dict[str, Any]:
        return {
            "name": name,
            "status": status,
            "isCustomList": is_custom,
            "isSplitCompletedList": False,
            "entries": [self.entry_node(info, entry) for entry in entries],
        }

    def _owner(self, info: Info, user_id: int | None, name: str | None) -> Member:
        # The service does not infer whose list is meant from the token.
        for member in self.members.values():
            if (member.id == user_id or (name and member.name == name)) and (
                not member.private or viewer(info) is member
            ):
                return member
        raise Complaint("User not found", 404)

    def page_entries(self, info: Info, user_id: int | None, media_id: int | None) -> list[Any]:
        member = self._owner(info, user_id, None)
        mine = (entry for entry in self.entries if entry.member is member)
        return [
            self.entry_node(info, entry)
            for entry in mine
            if media_id in (None, entry.media.id) and (not entry.private or viewer(info) is member)
        ]


@dataclass
class _Page:
    data: Data
    page: int
    size: int

    def _cut(self, nodes: list[Any]) -> list[Any]:
        return nodes[(self.page - 1) * self.size : self.page * self.size]

    def media(
        self,
        info: Info,
        type: str | None = None,
        isAdult: bool | None = None,  # noqa: N803 - the schema's word
        search: str | None = None,
        id_in: Sequence[int] | None = None,
        sort: Sequence[str] | None = None,
    ) -> list[Any]:
        words = (search or "").casefold().split()
        tests: list[Callable[[Media], bool]] = [
            lambda media: type in (None, media.type),
            lambda media: isAdult in (None, media.adult),
            lambda media: id_in is None or media.id in id_in,
            lambda media: all(word in _words(media) for word in words),
        ]
        found = [media for media in self.data.media.values() if all(test(media) for test in tests)]
        return self._cut([self.data.media_node(info, media) for media in found])

    def mediaList(  # noqa: N802 - the schema's word
        self,
        info: Info,
        userId: int | None = None,  # noqa: N803
        userName: str | None = None,  # noqa: N803
        type: str | None = None,
        mediaId: int | None = None,  # noqa: N803
    ) -> list[Any]:
        return self._cut(self.data.page_entries(info, userId, mediaId))


def viewer(info: Info) -> Member | None:
    member = info.context
    return member if isinstance(member, Member) else None


def signed_in(info: Info) -> Member:
    if (member := viewer(info)) is None:
        raise Complaint("Unauthorized.", 401)
    return member


def jwt(member_id: int, *, expires_in: timedelta = timedelta(days=365)) -> str:
    """A token as the service makes them: claims that can be read, and a signature that nobody here can check."""
    now = datetime.now(UTC)
    claims = {"aud": "1", "sub": str(member_id), "exp": int((now + expires_in).timestamp()), "scopes": []}
    parts = ({"typ": "JWT", "alg": "RS256"}, claims)
    signature = base64.urlsafe_b64encode(f"signed for {member_id}".encode() * 20).decode().rstrip("=")
    return ".".join(
        [*(base64.urlsafe_b64encode(json.dumps(p).encode()).decode().rstrip("=") for p in parts), signature]
    )


def _words(media: Media) -> str:
    return " ".join((media.romaji, media.english or "", media.native or "", *media.synonyms)).casefold()
