"""Verbs about releases that were read wrongly: correct, corrections, and what hangs on them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal

from cyclopts import Parameter
from cyclopts.validators import Number

from uuutorrent.anime.anime import MediaId
from uuutorrent.errors import Invalid, Missing
from uuutorrent.releases.release import Correction, Form, Found, Offer, Ranked
from uuutorrent.ssh import typed
from uuutorrent.ssh.call import Call, Reply, TheCall, Verb
from uuutorrent.tui.correcting import in_words
from uuutorrent.tui.plain import plain

SHORTEST_HASH = 6
MOST_NAMES = 3
"""Names in a line; the document has all."""
Id = Annotated[int, Parameter(validator=Number(gte=1, lte=2**31 - 1), metavar="ID")]
IsIt = Annotated[bool | None, Parameter(name="--is", negative="--is-not")]


async def release(
    media: typed.Media, episode: typed.Episode, infohash: str, /, *, is_it: IsIt = None, call: TheCall
) -> Reply:
    """Say that a release is an episode, or that it is not.

    Parameters
    ----------
    media
        AniList's id, as `watchlist` or `shows` show it.
    episode
        Its number within the show.
    infohash
        Of a release that `search` lists for the episode; it may be cut short.
    is_it
        It is that episode, whatever its name says; or it is not.
    """
    if is_it is None:
        raise Invalid("say --is when the release is that episode, or --is-not when it is not", field="is")
    found = await call.desk.releases.find(call.desk.user, MediaId(media), episode)
    listed = _listed(call, found, infohash).release
    form = Form.IS if is_it else Form.IS_NOT
    said = Correction(form, MediaId(media), infohash=listed.infohash, episode=episode, title=listed.title)
    return await _made(call, said)


async def offset(
    media: typed.Media,
    n: typed.Count,
    /,
    *,
    group: Annotated[str, Parameter(metavar="GROUP")] = "",
    call: TheCall,
) -> Reply:
    """Say how far a group's numbers run ahead of the show's own.

    Parameters
    ----------
    media
        AniList's id, as `watchlist` or `shows` show it.
    n
        0: it counts from 1 within the show; 24: its 25 is episode 1.
    group
        Whose numbers; without it everybody's.
    """
    return await _made(call, Correction(Form.OFFSET, MediaId(media), group=group, offset=n))


async def title(media: typed.Media, /, *text: str, call: TheCall) -> Reply:
    """Say that a title belongs to the show, so that it is looked for as well.

    Parameters
    ----------
    media
        AniList's id, as `watchlist` or `shows` show it.
    text
        The title, as releases write it.
    """
    return await _made(call, Correction(Form.TITLE, MediaId(media), title=" ".join(text)))


async def mine(*, call: TheCall) -> Reply:
    """What you say of releases, and what you accepted of others."""
    return _listing(call, await call.desk.releases.corrections.mine(call.desk.user), empty="You corrected nothing.")


async def offers(media: typed.Media, /, *, call: TheCall) -> Reply:
    """What others say of a show's releases, and you have not answered.

    Parameters
    ----------
    media
        AniList's id, as `watchlist` or `shows` show it.
    """
    offered = await call.desk.releases.corrections.offers(call.desk.user, MediaId(media))
    return _listing(call, offered, empty="Nobody else says anything of this show.")


async def accept(id: Id, /, *, call: TheCall) -> Reply:
    """Let what others say count for you."""
    offer = await call.desk.releases.corrections.answer(call.desk.user, id, accept=True)
    return _one(call, offer, "It counts for you from now on")


async def decline(id: Id, /, *, call: TheCall) -> Reply:
    """Not let it count for you, nor be asked again."""
    offer = await call.desk.releases.corrections.answer(call.desk.user, id, accept=False)
    return _one(call, offer, "It does not count for you")


async def remove(id: Id, /, *, call: TheCall) -> Reply:
    """Take back what you said, accepted or declined."""
    return _one(call, await call.desk.releases.corrections.take_back(call.desk.user, id), "Taken back")


async def every(*, call: TheCall) -> Reply:
    """What anybody says of releases, for admins."""
    every = await call.desk.releases.corrections.standing(await call.admin())
    rows = [
        (
            str(one.offer.id),
            str(one.offer.correction.media_id),
            "everybody" if one.offer.is_for_all else "",
            plain(", ".join(one.accepted_by[:MOST_NAMES])),
            in_words(one.offer.correction),
        )
        for one in every
    ]
    text = call.table(("ID", "MEDIA", "FOR", "BY", "IT SAYS"), rows, empty="Nobody corrected anything.")
    standing = [
        {**_document(one.offer), "accepted_by": list(one.accepted_by), "declined": one.declined} for one in every
    ]
    return Reply(standing, text)


async def share(id: Id, switch: Literal["on", "off"], /, *, call: TheCall) -> Reply:
    """Let a correction count for everybody who does not decline it, or no more; for admins."""
    by = await call.admin()
    offer = await call.desk.releases.corrections.set_for_all(by, id, on=switch == "on")
    counts = "It counts for everybody" if offer.is_for_all else "It counts for those who accept it"
    return _one(call, offer, counts)


async def reject(id: Id, /, *, call: TheCall) -> Reply:
    """Delete a correction, whoever accepts it; for admins."""
    offer = await call.desk.releases.corrections.reject(await call.admin(), id)
    return _one(call, offer, "It counts for nobody any more")


VERBS = (
    Verb("correct release MEDIA EPISODE HASH --is | --is-not", release),
    Verb("correct offset MEDIA N [--group GROUP]", offset),
    Verb("correct title MEDIA TEXT…", title),
    Verb("corrections", mine),
    Verb("corrections offers MEDIA", offers),
    Verb("corrections accept ID", accept),
    Verb("corrections decline ID", decline),
    Verb("corrections remove ID", remove),
    Verb("corrections all", every),
    Verb("corrections share ID on|off", share),
    Verb("corrections reject ID", reject),
)


def _listed(call: Call, found: Found, infohash: str) -> Ranked:
    """The one release of an answer that a hash names, whole or cut short."""
    start = infohash.strip().lower()
    if len(start) < SHORTEST_HASH:
        raise Invalid(f"give at least {SHORTEST_HASH} characters of the infohash", field="infohash")
    fitting = [one for one in found.candidates if one.release.infohash.startswith(start)]
    if len(fitting) > 1:
        raise Invalid(f"{infohash} fits {len(fitting)} releases; give more of it", field="infohash")
    if not fitting:
        line = f"{call.io.prefix} search {found.wanted.family.anime.media_id} {found.wanted.episode} --all"
        raise Missing(f"the index lists no release {infohash} for this episode. See: {line}")
    return fitting[0]


async def _made(call: Call, correction: Correction) -> Reply:
    offer = await call.desk.releases.corrections.make(call.desk.user, correction)
    return _one(call, offer, f"Remembered as {offer.id}; others who look at this show are offered it")


def _one(call: Call, offer: Offer, head: str) -> Reply:
    return Reply(_document(offer), call.listing([(f"{head}:", f"{in_words(offer.correction)}.")], empty=""))


def _listing(call: Call, offers: Sequence[Offer], *, empty: str) -> Reply:
    rows = [
        (str(one.id), str(one.correction.media_id), "everybody" if one.is_for_all else "", in_words(one.correction))
        for one in offers
    ]
    text = call.table(("ID", "MEDIA", "FOR", "IT SAYS"), rows, empty=empty)
    return Reply([_document(one) for one in offers], text)


def _document(offer: Offer) -> Mapping[str, Any]:
    said = offer.correction
    return {
        "id": offer.id,
        "media_id": said.media_id,
        "form": said.form.value,
        "infohash": said.infohash or None,
        "episode": said.episode,
        "group": said.group or None,
        "offset": said.offset,
        "title": said.title or None,
        "for_all": offer.is_for_all,
    }
