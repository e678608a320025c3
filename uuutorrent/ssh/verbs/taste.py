"""Verbs about what people prefer among releases: everywhere, and otherwise for one show."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

from cyclopts import Parameter

from uuutorrent.anime.anime import MediaId
from uuutorrent.errors import Invalid
from uuutorrent.releases.release import Taste
from uuutorrent.ssh import typed
from uuutorrent.ssh.call import Call, Document, Reply, TheCall, Verb
from uuutorrent.tui.form import Field
from uuutorrent.tui.plain import plain
from uuutorrent.tui.wishes import BY_NAME, WISHES

Show = Annotated[typed.Media | None, Parameter(metavar="MEDIA")]
Whose = Annotated[str, Parameter(metavar="NAME")]
Minutes = Annotated[str | None, Parameter(metavar="MINUTES")]


async def taste(*, user: Whose = "", call: TheCall) -> Reply:
    """What you prefer among releases.

    Parameters
    ----------
    user
        What this user prefers; only for admins.
    """
    mine = await _everywhere(call, user)
    return Reply(dataclasses.asdict(mine), _text(mine))


async def show(media: typed.Media, /, *, call: TheCall) -> Reply:
    """What you prefer for one show.

    Parameters
    ----------
    media
        AniList's id, as `watchlist` or `shows` show it.
    """
    return await _of_show(call, MediaId(media))


@Parameter(name="*")
@dataclass(frozen=True, slots=True)
class Wished:
    """What is to change; None stays as it is."""

    resolutions: typed.Words = None
    """Lines, best first, e.g. 1080 720; others are not taken."""
    groups: typed.Words = None
    """Preferred groups, best first; none after it: no preference."""
    wait: Minutes = None
    """How long what fetches by itself waits for your first group, e.g. 90 or 6h; 0: no wait."""
    blocked_groups: typed.Words = None
    """Groups never to take; none after it: all may be taken."""
    languages: typed.Words = None
    """What you can follow, read or heard, best first, e.g. en fr; none after it: any."""
    dual_audio: bool | None = None
    """Prefer what has the original voices and a dub."""
    dubs: bool | None = None
    """Whether what has a dub and not the original voices may be taken."""
    codecs: typed.Words = None
    """Preferred codecs, best first: AVC, HEVC, AV1; none after it: no preference."""
    bit_depths: typed.Words = None
    """Preferred bit depths, best first: 8, 10; none after it: no preference."""
    sources: typed.Words = None
    """Preferred sources, best first: WEB, BD, DVD, TV; none after it: no preference."""
    min_size: typed.Size = None
    """The smallest size of 24 minutes, in proportion to the length, e.g. 200M; or of one, 10M/min; 0: any."""
    max_size: typed.Size = None
    """The largest size of 24 minutes, in the same way."""
    min_seeders: typed.Count | None = None
    """Fewer seeders than this are not taken."""
    trusted_only: bool | None = None
    """Whether only posts that the index marks as trusted are taken."""
    remakes: bool | None = None
    """Whether re-encodes of other groups' work may be taken."""

    def changes(self) -> dict[str, Any]:
        """The preferences that were named, and their values.

        Raises:
            Invalid: one of them means nothing.
        """
        said = ((field.name, getattr(self, field.name)) for field in dataclasses.fields(self))
        return dict(_read(option, value) for option, value in said if value is not None)


async def change(*, show: Show = None, user: Whose = "", wished: Wished | None = None, call: TheCall) -> Reply:
    """Change what you prefer; what is not named stays.

    Parameters
    ----------
    show
        Only for this show, by AniList's id.
    user
        What this user prefers, everywhere; only for admins.
    """
    changes = wished.changes() if wished else {}
    if not changes:
        raise Invalid(f"say what to change, e.g. --resolutions 1080 720. See: {call.io.prefix} help taste set")
    tastes, me = call.desk.releases.tastes, call.desk.user
    if show is not None and user:
        raise Invalid("what somebody prefers for one show is for them to say", field="show")
    if show is not None:
        await tastes.set_show(me, MediaId(show), {**await tastes.show(me, MediaId(show)), **changes})
        return await _of_show(call, MediaId(show))
    changed = dataclasses.replace(await _everywhere(call, user), **changes)
    await (tastes.set_theirs(await call.admin(), user, changed) if user else tastes.set(me, changed))
    return Reply(dataclasses.asdict(changed), _text(changed))


async def clear(
    media: typed.Media, what: Annotated[list[str] | None, Parameter(metavar="WHAT")] = None, /, *, call: TheCall
) -> Reply:
    """Prefer for one show what you prefer everywhere.

    Parameters
    ----------
    media
        AniList's id, as `watchlist` or `shows` show it.
    what
        Only these preferences, by the names that `taste show --json` gives them, e.g. resolutions.
    """
    tastes, user, media_id = call.desk.releases.tastes, call.desk.user, MediaId(media)
    named = {word.replace("-", "_") for word in what or BY_NAME}
    if unknown := sorted(named - BY_NAME.keys()):
        raise Invalid(f"there is no preference {unknown[0]}; there are {', '.join(BY_NAME)}", field="what")
    kept = {name: value for name, value in (await tastes.show(user, media_id)).items() if name not in named}
    await (tastes.set_show(user, media_id, kept) if kept else tastes.clear_show(user, media_id))
    return await _of_show(call, media_id)


VERBS = (
    Verb("taste [--user NAME]", taste),
    Verb("taste show MEDIA", show),
    Verb("taste set [--show MEDIA] [--user NAME] [OPTIONS]", change),
    Verb("taste clear MEDIA [WHAT…]", clear),
)


async def _everywhere(call: Call, name: str) -> Taste:
    tastes = call.desk.releases.tastes
    return await (tastes.theirs(await call.admin(), name) if name else tastes.of(call.desk.user))


async def _of_show(call: Call, media_id: MediaId) -> Reply:
    tastes, user = call.desk.releases.tastes, call.desk.user
    there, changed = await tastes.of(user, media_id), await tastes.show(user, media_id)
    document: Document = {"media_id": media_id, "changed": sorted(changed), **dataclasses.asdict(there)}
    said = f"* only for this show; taste clear {media_id} makes it as everywhere" if changed else "As everywhere."
    return Reply(document, f"{_text(there, changed)}\n{said}")


def _read(option: str, value: Any) -> tuple[str, Any]:
    """The preference that an option names, and its value."""
    name = {"wait": "wait_min", "min_size": "min_bytes_per_min", "max_size": "max_bytes_per_min"}.get(option, option)
    if isinstance(value, bool | int):
        return name, value
    if not value or name in ("groups", "blocked_groups"):
        return name, tuple(value)
    return name, BY_NAME[name].take(" ".join(value) if isinstance(value, list) else value)


def _text(mine: Taste, changed: Mapping[str, Any] | Sequence[str] = ()) -> str:
    lines = [(wish, wish.of(mine) or wish.hint.partition(";")[0]) for wish in WISHES]
    width = max(len(wish.label) for wish in WISHES) + 2
    return "\n".join(f"{_mark(wish, changed)}{wish.label:{width}}{plain(value)}" for wish, value in lines)


def _mark(wish: Field, changed: Mapping[str, Any] | Sequence[str]) -> str:
    return "* " if wish.name in changed else "  " if changed else ""
