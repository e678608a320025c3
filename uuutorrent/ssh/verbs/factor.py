"""Verbs about one's second factor: an app that shows codes, and recovery codes for when it is lost."""

from __future__ import annotations

import io

import segno

from uuutorrent.errors import Invalid
from uuutorrent.ssh.call import Call, Reply, TheCall, Verb
from uuutorrent.ssh.text import instant

LONGEST_CODE = 100
HINT = "type the code and Enter, then Ctrl+D"


async def factor_status(*, call: TheCall) -> Reply:
    """Whether you have a second factor, and how many recovery codes are left."""
    now = await call.desk.second_factors.of(call.desk.user)
    document = {"on": now.is_on, "since": instant(now.since), "recovery_left": now.recovery_left}
    if not now.is_on:
        return Reply(document, "You have no second factor.")
    return Reply(document, f"Your second factor is on. Recovery codes left: {now.recovery_left}.")


async def factor_begin(*, call: TheCall) -> Reply:
    """Show a QR code for an app that makes codes. Nothing asks for one before `factor confirm`."""
    begun = await call.desk.second_factors.begin(call.desk.user)
    text = f"{_qr(begun.uri)}\nOr type this into the app: {begun.secret}\nThen: {call.io.prefix} factor confirm CODE"
    return Reply({"secret": begun.secret, "uri": begun.uri}, text)


async def factor_confirm(*code: str, call: TheCall) -> Reply:
    """Switch your second factor on with a first code, and get recovery codes. They are shown only now.

    Parameters
    ----------
    code
        Six digits; without them they are read from stdin.
    """
    desk = call.desk
    codes = await desk.second_factors.confirm(desk.user, await _code(call, code), desk.here.proof)
    return _codes(codes, "Your second factor is on.")


async def factor_codes(*code: str, call: TheCall) -> Reply:
    """Get new recovery codes in place of those that are left. They are shown only now.

    Parameters
    ----------
    code
        As your app shows it, or a recovery code; without it it is read from stdin.
    """
    desk = call.desk
    codes = await desk.second_factors.renew(desk.user, await _code(call, code), desk.here.proof)
    return _codes(codes, "These take the place of the old ones.")


async def factor_remove(*code: str, call: TheCall) -> Reply:
    """Switch your second factor off.

    Parameters
    ----------
    code
        As your app shows it, or a recovery code; without it it is read from stdin.
    """
    desk = call.desk
    await desk.second_factors.remove(desk.user, await _code(call, code), desk.here.proof)
    again = " You need one here: set up another." if await desk.second_factors.is_due(desk.user) else ""
    return Reply({"on": False}, f"Your second factor is off.{again}")


async def code(*code: str, call: TheCall) -> Reply:
    """Type a code, so that for 15 minutes you may do what only admins may.

    It is asked for after signing in with a key, of those who have a second factor. It counts for this connection, and
    for commands that you send with the same key from the same address; screens ask for a code of their own.

    Parameters
    ----------
    code
        As your app shows it, or a recovery code; without it it is read from stdin.
    """
    await call.desk.second_factors.step_up_commands(call.desk.here, await _code(call, code))
    return Reply({"proved": True}, "That is right. What admins may do is open to your commands for 15 minutes.")


VERBS = (
    Verb("factor", factor_status),
    Verb("factor begin", factor_begin),
    Verb("factor confirm [CODE]", factor_confirm),
    Verb("factor codes [CODE]", factor_codes),
    Verb("factor remove [CODE]", factor_remove),
    Verb("code [CODE]", code),
)


async def _code(call: Call, words: tuple[str, ...]) -> str:
    given = " ".join(words) or (await call.read_text(LONGEST_CODE, HINT)).strip()
    if not given:
        raise Invalid("give a code", field="code")
    return given


def _codes(codes: tuple[str, ...], said: str) -> Reply:
    listed = "\n".join(f"  {first}   {second}" for first, second in zip(codes[::2], codes[1::2], strict=True))
    text = f"{said} Keep these recovery codes where your app is not; each works once:\n{listed}"
    return Reply({"on": True, "recovery_codes": list(codes)}, text)


def _qr(uri: str) -> str:
    """As half blocks, which fit a small terminal."""
    drawn = io.StringIO()
    segno.make(uri, error="l", micro=False).terminal(out=drawn, compact=True, border=2)
    return drawn.getvalue().rstrip("\n")
