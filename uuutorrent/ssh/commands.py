"""`ssh HOST VERB …`: one tree of verbs, a console per call, text for people or JSON for scripts, fixed exit codes."""

from __future__ import annotations

import inspect
import io
import json
import shlex
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Any

import structlog
from cyclopts import App, CycloptsError, Group, UnusedCliTokensError

from uuutorrent.desk import Desk
from uuutorrent.errors import Invalid, Refused, UuuError
from uuutorrent.ssh.call import Call, Document, Reply, Verb
from uuutorrent.ssh.help import NAME, Page, Paper
from uuutorrent.ssh.io import Io
from uuutorrent.ssh.text import printable
from uuutorrent.ssh.verbs import (
    accounts,
    admin,
    anime,
    audit,
    autopilot,
    corrections,
    factor,
    feeds,
    fetching,
    files,
    healing,
    health,
    inbox,
    invites,
    machine,
    notify,
    panic,
    penalties,
    searching,
    sessions,
    steering,
    taste,
    torrents,
    upkeep,
)
from uuutorrent.tui.plain import plain

log = structlog.get_logger()

HELP = """A seedbox behind ssh: your watchlist, the next episode, the finished file.

Without a verb and with a terminal you get the screens. Finished files are served over SFTP on the same port."""
EPILOGUE = """`help VERB` tells more about one.
Every verb takes --json: one JSON document on stdout, notices on stderr.
Exit codes: 0 done, 2 not usable, 3 refused, 4 no such thing, 5 conflict,
70 our fault, 75 try later, 76 a service answered nonsense."""

SUBJECTS: Mapping[str, Sequence[Verb]] = {
    "Your shows": anime.VERBS,
    "Episodes": (*searching.VERBS, *fetching.VERBS, *taste.VERBS),
    "Correcting releases": corrections.VERBS,
    "By itself": (*feeds.VERBS, *autopilot.VERBS, *upkeep.VERBS),
    "Your inbox": inbox.VERBS,
    "Being told outside": notify.VERBS,
    "Torrents and files": (*torrents.VERBS, *files.VERBS),
    "When a download gets stuck": healing.VERBS,
    "Steering a torrent": steering.VERBS,
    "Your account": (*accounts.VERBS, *factor.VERBS, *sessions.VERBS),
    "For admins": (
        *admin.VERBS,
        *invites.VERBS,
        *panic.VERBS,
        *penalties.VERBS,
        *health.VERBS,
        *machine.VERBS,
        *audit.VERBS,
        *upkeep.FOR_ADMINS,
    ),
}
FAMILIES = {
    "account": "Your account as a whole.",
    "blocks": "Releases that are not picked again for a while.",
    "autopilot": "New episodes that are fetched, or offered, by themselves.",
    "correct": "Say what a release is, how a group counts, what a show is called.",
    "corrections": "What you and others say of releases.",
    "factor": "Your second factor.",
    "feeds": "Rules for RSS and Atom feeds.",
    "inbox": "What happened, and what you are asked.",
    "invites": "Codes with which people make an account by themselves.",
    "keys": "Your SSH keys.",
    "orphans": "Files and torrents that belong to nobody.",
    "notify": "Where you are told what happens: chats, mail, webhooks.",
    "panic": "Everything pauses, or goes on.",
    "penalties": "Sources that failed to sign in too often.",
    "sessions": "Where you are signed in.",
    "taste": "What you prefer among releases.",
    "users": "The people here.",
}
"""First words that several verbs share."""
SYNONYMS = {
    "delete": ("remove", "rm"),
    "files": ("ls",),
    "get": ("download", "fetch"),
    "health": ("stalled", "unwell"),
    "invites": ("invite", "invitations"),
    "keys": ("key",),
    "notify": ("channels", "notifications"),
    "pause": ("stop",),
    "resume": ("start",),
    "show": ("details", "info"),
    "torrents": ("list",),
    "users": ("user",),
    "watchlist": ("anime",),
}
"""What others call our verbs: not understood, but answered with the verb that is."""
WITH_ONE_TIME_PASSWORD = ("help", "passwd")
"""Verbs for somebody who has to choose a password first."""
WITHOUT_FACTOR = ("factor", "help", "whoami")
"""Verbs for somebody who has to set up a second factor first."""
BROKE = "something broke on the server; it was logged"
BROKEN = 70
"""Exit code of an error that is ours. Source: sysexits.h, EX_SOFTWARE."""


@lru_cache(maxsize=1)
def tree() -> App:
    """All verbs, built once for everybody: reading a line of words changes nothing in it that lasts."""
    root = App(
        name=NAME,
        help=HELP,
        help_epilogue=EPILOGUE,
        help_format="plaintext",
        help_formatter=Page(),
        group_parameters=Group("Options"),
        version_flags=(),
        result_action="return_value",
    )
    for order, (subject, verbs) in enumerate(SUBJECTS.items()):
        group = Group(subject, sort_key=order)
        for place, verb in enumerate(verbs):
            _plant(root, verb, group, place)
    return root


async def run(desk: Desk, line: str, io: Io) -> int:
    """Run one command line for this person and return its exit code. Never raises but for cancellation."""
    wants_json = "--json" in line.split()
    try:
        words, wants_json = _read(line)
        await _check_entrance(desk, words, io)
        reply = await _call(words, Call(desk, io, wants_json, _name(words)))
        if words == ["--help"] and not wants_json:
            await _greet(desk, io)
        if (halt := desk.library.panic.halt) is not None and words[:1] != ["panic"]:
            io.err(f"{plain(halt.sentence)}\n".encode())
        return _print(io, reply, wants_json)
    except UuuError as e:
        return _complain(io, e.code, e.message, e.exit_code, wants_json)
    except CycloptsError as e:
        return _complain(io, Invalid.code, _misread(e, io.prefix), Invalid.exit_code, wants_json)
    except Exception:  # the outermost handler of this door
        log.exception("command_failed", user=desk.user.name)
        return _complain(io, "internal", BROKE, BROKEN, wants_json)


def _name(words: Sequence[str]) -> str:
    """The verb that is meant, without what it is given."""
    return " ".join(words[: 2 if words[:1] and words[0] in FAMILIES else 1])


async def _greet(desk: Desk, io: Io) -> None:
    """Say what is new to somebody who asked for nothing in particular: without a terminal that is signing in."""
    unseen = await desk.inbox.unseen(desk.user)
    if unseen:
        io.err(f"{unseen} new in your inbox: {io.prefix} inbox\n".encode())


def _plant(root: App, verb: Verb, group: Group, place: int) -> None:
    first, *second = verb.name
    about: dict[str, Any] = {"sort_key": place, "help_epilogue": "", "version_flags": ()}
    named: dict[str, Any] = {**about, "name": first, "group": group, "synonym": SYNONYMS.get(first)}
    if first not in FAMILIES:
        root.command(verb.run, usage=verb.usage, **named)
        return
    if first not in set(root):
        root.command(App(help=FAMILIES[first], usage=f"{first} COMMAND", **named))
    if second:
        root[first].command(verb.run, name=second[0], usage=verb.usage, **about)
    else:
        root[first].default(verb.run)


def _read(line: str) -> tuple[list[str], bool]:
    """The words of a line, and whether --json is among them; after -- it is a word like any other."""
    try:
        words = shlex.split(line)
    except ValueError as e:
        raise Invalid(
            "a quote in it is not closed. Your own shell took one pair of quotes away: "
            "put another around them, as in 'shows \"Bocchi the Rock!\"'"
        ) from e
    options = words[: words.index("--")] if "--" in words else words
    kept = [word for word in options if word != "--json"] + words[len(options) :]
    if kept[:1] == ["help"]:
        kept = [*(word for word in kept[1:] if word != "help"), "--help"]
    return kept, "--json" in options


async def _check_entrance(desk: Desk, words: Sequence[str], io: Io) -> None:
    """What has to be done before anything else."""
    if not words or (words[-1] in ("--help", "-h") and "--" not in words):
        return
    if desk.user.password_expired:
        if words[0] not in WITH_ONE_TIME_PASSWORD:
            raise Refused(f"yours is a one-time password: choose another first with {io.prefix} passwd")
    elif words[0] not in WITHOUT_FACTOR and await desk.second_factors.is_due(desk.user):
        raise Refused(f"you need a second factor here: set one up first with {io.prefix} factor begin")


async def _call(words: Sequence[str], call: Call) -> Reply:
    written = io.StringIO()
    console = Paper(written, call.io.width, call.io.prefix)
    verb, bound, handed = tree().parse_args(
        list(words), console=console, error_console=console, exit_on_error=False, print_error=False
    )
    context: dict[str, Any] = dict.fromkeys(handed, call)
    answer: Callable[..., Any] = verb
    result = answer(*bound.args, **bound.kwargs, **context)
    if inspect.isawaitable(result):
        result = await result
    if isinstance(result, Reply):
        return result
    page = "\n".join(line.rstrip() for line in written.getvalue().splitlines()).replace("\n\n\n", "\n\n").strip()
    return Reply({"help": page}, page)


def _misread(e: CycloptsError, prefix: str) -> str:
    said = str(e)
    if isinstance(e, UnusedCliTokensError):
        said = f"it does not take {' '.join(e.unused_tokens or ())}."
    return " ".join([*said.split(), "See:", prefix, "help", *(e.command_chain or ())])


def _print(io: Io, reply: Reply, wants_json: bool) -> int:
    if wants_json:
        io.out(_json(reply.document))
    if reply.text and (reply.exit_code or not wants_json):
        say = io.err if reply.exit_code else io.out
        say(f"{printable(reply.text)}\n".encode())
    return reply.exit_code


def _complain(io: Io, code: str, message: str, exit_code: int, wants_json: bool) -> int:
    sentence = plain(message)
    if wants_json:
        io.out(_json({"error": {"code": code, "message": sentence}}))
    io.err(f"{sentence}\n".encode())
    return exit_code


def _json(document: Document) -> bytes:
    """One line. What would drive the terminal that it may be looked at with is escaped, which JSON allows anywhere."""
    written = json.dumps(document, ensure_ascii=False, allow_nan=False)
    if not written.isprintable():
        written = "".join(char if char.isprintable() else json.dumps(char)[1:-1] for char in written)
    return f"{written}\n".encode()
