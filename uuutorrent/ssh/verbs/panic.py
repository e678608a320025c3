"""The panic key as verbs: for everybody whether all is paused; for admins pausing it and taking that back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from uuutorrent.ssh.call import Reply, TheCall, Verb
from uuutorrent.ssh.text import instant
from uuutorrent.torrents.panic import Halt

MOVES = "Nothing is paused by an admin."
STILL = (
    "All torrents stand still, seeding too; nothing is added, and no feed or index is asked. "
    "Finished files are served on. Take it back with: panic off"
)


async def panic(*, call: TheCall) -> Reply:
    """Whether an admin paused everything, since when and why."""
    halt = await call.desk.library.panic.look()
    return Reply(_halt(halt), call.listing([(halt.sentence if halt else MOVES,)], empty=""))


async def panic_on(*reason: str, call: TheCall) -> Reply:
    """Pause everything for everybody: torrents, seeding too, and whatever adds any. It stays so until `panic off`.

    Files are served on. What ran runs again afterwards, and nothing else.

    Parameters
    ----------
    reason
        Everybody is shown it.
    """
    halt = await call.desk.library.panic.press(await call.admin(), " ".join(reason))
    return Reply(_halt(halt), call.listing([(halt.sentence,), (STILL,)], empty=""))


async def panic_off(*, call: TheCall) -> Reply:
    """Let everything go on: what ran before runs again. What somebody stopped, or waited, stays as it was."""
    was = await call.desk.library.panic.release(await call.admin())
    return Reply(_halt(None), "Everything goes on." if was else "Nothing was paused by an admin.")


VERBS = (
    Verb("panic", panic),
    Verb("panic on [REASON]", panic_on),
    Verb("panic off", panic_off),
)


def _halt(halt: Halt | None) -> Mapping[str, Any]:
    return {
        "on": halt is not None,
        "since": instant(halt.at) if halt else None,
        "by": halt.by if halt else None,
        "reason": halt.reason if halt else None,
    }
