"""Which messages notices become, and when: pure, with times as they are on people's walls."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from uuutorrent.accounts import UserId
from uuutorrent.automation.channels.bulletins import LONGEST, bulletins, quiet_until
from uuutorrent.automation.channels.quoting import calm
from uuutorrent.automation.inbox.notice import Kind, Notice
from uuutorrent.automation.preferences import Preferences

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
NIGHT = Preferences(quiet_from="23:30", quiet_to="07:00", zone="Europe/Berlin")


def notices(*texts: str, at: datetime = NOON, choices: tuple[str, ...] = ()) -> list[Notice]:
    return [
        Notice(number, UserId(1), Kind.FINISHED, f"k{number}", text, at, choices=choices)
        for number, text in enumerate(texts, start=1)
    ]


def berlin(text: str) -> datetime:
    """A time in UTC, as "2026-11-21 22:30"."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("at", "until"),
    [
        ("2026-11-21 22:29", None),
        ("2026-11-21 22:30", "2026-11-22 06:00"),
        ("2026-11-22 02:00", "2026-11-22 06:00"),
        ("2026-11-22 05:59", "2026-11-22 06:00"),
        ("2026-11-22 06:00", None),
        # The night in which the clock goes forward (2026-03-29, 02:00 to 03:00) is an hour shorter, ...
        ("2026-03-28 22:30", "2026-03-29 05:00"),
        ("2026-03-29 04:59", "2026-03-29 05:00"),
        ("2026-03-29 05:00", None),
        # ... and the one in which it goes back (2026-10-25, 03:00 to 02:00) an hour longer.
        ("2026-10-24 21:30", "2026-10-25 06:00"),
        ("2026-10-25 05:59", "2026-10-25 06:00"),
        ("2026-10-25 06:00", None),
    ],
)
def test_a_night_is_quiet_as_long_as_it_lasts_there(at: str, until: str | None) -> None:
    assert quiet_until(NIGHT, berlin(at)) == (berlin(until) if until else None)


def test_hours_of_one_day_are_quiet_too() -> None:
    lunch = Preferences(quiet_from="12:00", quiet_to="13:00")
    assert quiet_until(lunch, NOON) == NOON + timedelta(hours=1)
    assert quiet_until(lunch, NOON - timedelta(minutes=1)) is None
    assert quiet_until(lunch, NOON + timedelta(hours=1)) is None
    assert quiet_until(Preferences(), NOON) is None


def test_a_few_come_each_as_a_message_and_many_as_one() -> None:
    assert bulletins(notices("One.", "Two."), Preferences(), digest_h=0) == (("One.", 1), ("Two.", 1))
    ((text, count),) = bulletins(notices(*(f"Thing {n}." for n in range(6))), Preferences(), digest_h=0)
    assert count == 6
    assert text.startswith("6 things happened:\n• Thing 0.\n• Thing 1.")


def test_what_was_collected_or_held_back_comes_as_one() -> None:
    together = "2 things happened:\n• One.\n• Two."
    assert bulletins(notices("One.", "Two."), Preferences(), digest_h=24) == ((together, 2),)
    at_night = notices("One.", "Two.", at=berlin("2026-11-22 01:00"))
    assert bulletins(at_night, NIGHT, digest_h=0) == ((together, 2),)
    assert bulletins(at_night[:1], NIGHT, digest_h=0) == (("One.", 1),)


def test_however_much_there_is_a_message_stays_short() -> None:
    ((text, count),) = bulletins(notices(*(f"{n} {'x' * 400}." for n in range(200))), Preferences(), digest_h=0)
    assert (count, len(text) < LONGEST + 100) == (200, True)
    assert text.endswith("… and 196 more: see your inbox.")


def test_a_choice_says_where_it_is_made() -> None:
    ((text, _),) = bulletins(notices("Frieren 5 is there.", choices=("take", "skip")), Preferences(), digest_h=0)
    assert text == "Frieren 5 is there. Choose in your inbox: take or skip."


def test_control_characters_and_line_breaks_of_a_title_do_not_come_along() -> None:
    ((text, _),) = bulletins(
        notices("Finished: a\x1b]52;c;x\x07b\r\nSubject: c\u202ed\u2028e."), Preferences(), digest_h=0
    )
    assert text == "Finished: a]52;c;xb Subject: cd e."


@pytest.mark.parametrize(
    ("title", "absent"),
    [
        ("@everyone @here <@123> <@&9>", ("@everyone", "@here", "<")),
        ("<!channel> <https://evil.example|Click>", ("<", ">")),
        ("[Click](https://evil.example)", ("](",)),
        ("[Click]: https://evil.example", ("]:",)),
        ("![x](https://evil.example/x.png)", ("](",)),
        ("# Big\n> quoted\n- item", ("\n>", "\n-")),
    ],
)
def test_a_chat_reads_no_markup_in_a_title(title: str, absent: tuple[str, ...]) -> None:
    said = calm(title, "")
    assert not any(one in said for one in absent)
    assert not said.startswith("#")


def test_markup_is_escaped_where_the_service_has_a_way_to() -> None:
    assert calm(r"*a* _b_ ~c~ `d` |e| \f", "\\*_~`|") == r"\*a\* \_b\_ \~c\~ \`d\` \|e\| \\f"
    assert calm("*a* [SubsPlease] 01 (1080p)", "") == "*a* [SubsPlease] 01 (1080p)"


def test_a_zone_that_is_not_known_any_more_counts_as_utc() -> None:
    wishes = Preferences(quiet_from="23:00", quiet_to="07:00", zone="Gone/Away")
    at = datetime(2026, 11, 21, 23, 30, tzinfo=UTC)
    assert quiet_until(wishes, at) == datetime(2026, 11, 22, 7, tzinfo=UTC)
