"""Which messages are made of notices, and when they may be sent. Pure: no I/O, the time is handed in."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, time, timedelta, tzinfo
from zoneinfo import ZoneInfo

from uuutorrent.automation.channels.quoting import cleaned
from uuutorrent.automation.inbox.notice import Notice
from uuutorrent.automation.preferences import Preferences

TITLE = "uuutorrent"
MOST_AT_ONCE = 5
"""More than these come as one message."""
LONGEST_LINE = 300
LONGEST = 1400
"""Characters: less than any service takes, with room for what is put before markup."""


def bulletins(notices: Sequence[Notice], wishes: Preferences, *, digest_h: int) -> tuple[tuple[str, int], ...]:
    """The messages for these notices (oldest first): the text of each, and how many notices it tells.

    They are one message where they were collected, were held back in quiet hours, or are many.
    """
    held_back = any(quiet_until(wishes, notice.at) for notice in notices)
    if digest_h or held_back or len(notices) > MOST_AT_ONCE:
        return ((_together(notices), len(notices)),) if notices else ()
    return tuple((_line(notice), 1) for notice in notices)


def due_at(notices: Sequence[Notice], *, digest_h: int) -> datetime:
    """When these notices (at least one) are to be sent: at once, or when the first has waited for the others."""
    return notices[0].at + timedelta(hours=digest_h)


def quiet_until(wishes: Preferences, at: datetime) -> datetime | None:
    """The end of the quiet hours that this moment is in; None when it is in none."""
    if not wishes.quiet_from or wishes.quiet_from == wishes.quiet_to:
        return None
    zone = _zone(wishes.zone)
    begins, ends = time.fromisoformat(wishes.quiet_from), time.fromisoformat(wishes.quiet_to)
    today = at.astimezone(zone).date()
    for day in (today - timedelta(days=1), today):
        last_day = day + timedelta(days=ends <= begins)
        begin = datetime.combine(day, begins, zone).astimezone(UTC)
        end = datetime.combine(last_day, ends, zone).astimezone(UTC)
        if begin <= at < end:
            return end
    return None


def _zone(name: str) -> tzinfo:
    """A zone that this machine may know no more: that must not keep others from being told."""
    try:
        return ZoneInfo(name)
    except (OSError, ValueError, LookupError):
        return UTC


def _together(notices: Sequence[Notice]) -> str:
    if len(notices) == 1:
        return _line(notices[0])
    lines: list[str] = []
    room = LONGEST
    for notice in notices:
        line = f"• {_line(notice)}"
        room -= len(line) + 1
        if room < 0:
            break
        lines.append(line)
    rest = len(notices) - len(lines)
    more = [f"… and {rest} more: see your inbox."] if rest else []
    return "\n".join([f"{len(notices)} things happened:", *lines, *more])


def _line(notice: Notice) -> str:
    choice = f" Choose in your inbox: {' or '.join(notice.choices)}." if notice.is_open else ""
    text = cleaned(notice.text)
    if len(text) > LONGEST_LINE:
        text = text[: LONGEST_LINE - 1] + "…"
    return text + choice
