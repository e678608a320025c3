"""Verbs about the inbox: what happened, for people and for scripts, and answering what it asks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

from cyclopts import Parameter
from cyclopts.validators import Number

from uuutorrent.automation.channels.channels import read_kinds
from uuutorrent.automation.inbox.inbox import Notice
from uuutorrent.automation.inbox.notice import Kind
from uuutorrent.automation.preferences import Watched
from uuutorrent.errors import Invalid
from uuutorrent.ssh import typed
from uuutorrent.ssh.call import Call, Reply, TheCall, Verb
from uuutorrent.ssh.text import instant
from uuutorrent.tui.figures import count

MOST = 1000
NoticeId = Annotated[int, Parameter(validator=Number(gte=1, lte=2**53), metavar="ID")]
Kinds = Annotated[typed.Words, Parameter(name="--kind", metavar="KIND", help=f"Only of these: {', '.join(Kind)}.")]


async def activity(
    *,
    since: Annotated[NoticeId | None, Parameter(help="Only what is newer than this notice.")] = None,
    unseen: Annotated[typed.Flag, Parameter(help="Only what you have not seen.")] = False,
    kind: Kinds = None,
    limit: Annotated[typed.Count, Parameter(help="At most so many, the newest.")] = 100,
    call: TheCall,
) -> Reply:
    """What happened, newest first; for scripts. Nothing counts as seen because of it."""
    notices = await call.desk.inbox.of(
        call.desk.user, since=since, unseen=unseen, kinds=read_kinds(kind or ()), limit=min(limit, MOST)
    )
    return _listed(notices, call, "Nothing happened.")


async def inbox(
    *,
    all_: Annotated[typed.Flag, Parameter(name="--all", help="Also what you have seen.")] = False,
    call: TheCall,
) -> Reply:
    """What is new, and what waits for your answer."""
    desk = call.desk
    new = await desk.inbox.of(desk.user, unseen=not all_, limit=MOST)
    listed = {notice.id: notice for notice in (*new, *await desk.inbox.waiting(desk.user.id))}
    return _listed([listed[which] for which in sorted(listed, reverse=True)], call, "Nothing new.")


async def answer(
    id_: NoticeId,
    choice: Annotated[str, Parameter(allow_leading_hyphen=True)],
    /,
    *,
    call: TheCall,
) -> Reply:
    """Answer a notice that asks.

    Parameters
    ----------
    id_
        Its number, as `inbox` shows it.
    choice
        One of its choices, such as yes.
    """
    said = await call.desk.answers.answer(call.desk.user, id_, choice)
    notice = await call.desk.inbox.one(call.desk.user, id_)
    return Reply({"id": id_, "answer": notice.answer, "said": said}, said)


async def seen(
    *ids: NoticeId,
    call: TheCall,
) -> Reply:
    """Mark notices as seen, or all.

    Parameters
    ----------
    ids
        Their numbers; all that are new without one.
    """
    marked = await call.desk.inbox.see(call.desk.user, ids or None)
    return Reply({"seen": marked}, f"{count(marked, 'notice')} marked as seen.")


async def watched(
    wish: Annotated[str | None, Parameter(metavar="off|ask|set")] = None,
    /,
    *,
    call: TheCall,
) -> Reply:
    """What happens when you read an episode to its end over SFTP.

    Parameters
    ----------
    wish
        off: nothing; ask: you are asked here; set: your progress is set by itself. Without it you are told which it is.
    """
    book, user = call.desk.preferences, call.desk.user
    now = (await (book.of(user) if wish is None else book.change(user, watched=_wish(wish)))).watched
    return Reply({"watched": now.value}, _SAID[now])


_SAID = {
    Watched.OFF: "What you read to its end is remembered, and you are not asked.",
    Watched.ASK: "When you read an episode to its end you are asked whether you watched it.",
    Watched.SET: "When you read the next episode of a show to its end, your progress is set.",
}
VERBS = (
    Verb("inbox [--all]", inbox),
    Verb("inbox answer ID CHOICE", answer),
    Verb("inbox seen [ID…]", seen),
    Verb("inbox watched [off|ask|set]", watched),
    Verb("activity [--since ID] [--unseen] [--kind KIND…] [--limit N]", activity),
)


def _wish(word: str) -> Watched:
    if word.lower() not in set(Watched):
        raise Invalid(f"say {', '.join(Watched)}, not {word}", field="watched")
    return Watched(word.lower())


def _listed(notices: Sequence[Notice], call: Call, empty: str) -> Reply:
    return Reply([_document(one) for one in notices], call.listing([_lines(one) for one in notices], empty=empty))


def _document(notice: Notice) -> Mapping[str, Any]:
    return {
        "id": notice.id,
        "kind": notice.kind.value,
        "text": notice.text,
        "at": instant(notice.at),
        "media_id": notice.media_id,
        "episode": notice.episode,
        "infohash": notice.infohash or None,
        "choices": list(notice.choices),
        "answer": notice.answer or None,
        "seen": notice.is_seen,
    }


def _lines(notice: Notice) -> tuple[str, ...]:
    mark = " " if notice.is_seen else "•"
    asks = f"inbox answer {notice.id} {'|'.join(notice.choices)}" if notice.is_open else ""
    answered = f"answered: {notice.answer}" if notice.answer else ""
    return f"{mark} {notice.id}  {notice.text}", f"{instant(notice.at)}  {notice.kind}", asks or answered
