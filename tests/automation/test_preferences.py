from __future__ import annotations

import pytest

from uuutorrent.accounts import User
from uuutorrent.automation.preferences import Mode, PreferenceBook, Preferences
from uuutorrent.errors import Invalid
from uuutorrent.store.database import Database


async def test_nothing_happens_by_itself_until_somebody_wants_it(database: Database, ann: User) -> None:
    book = PreferenceBook(database)
    assert await book.of(ann) == Preferences(autopilot=Mode.OFF, tidy_days=0)
    assert await book.every() == {}


async def test_what_is_changed_is_kept_beside_what_was(database: Database, ann: User, bob: User) -> None:
    book = PreferenceBook(database)
    await book.change(ann, autopilot=Mode.ASK)
    await book.change(ann, quiet_from="23:30", quiet_to="07:00", zone="Europe/Berlin")
    now = await book.of(ann)
    assert (now.autopilot, now.quiet_from, now.zone) == (Mode.ASK, "23:30", "Europe/Berlin")
    assert await book.of(bob) == Preferences()
    assert {user.name for user in await book.every()} == {"ann"}


@pytest.mark.parametrize(
    ("field", "changes"),
    [
        ("quiet_from", {"quiet_from": "late", "quiet_to": "07:00"}),
        ("quiet_from", {"quiet_from": "23:00"}),
        ("quiet_to", {"quiet_from": "23:00", "quiet_to": "25:00"}),
        ("zone", {"zone": "Middle/Earth"}),
        ("zone", {"zone": "../../etc/passwd"}),
        ("tidy_days", {"tidy_days": -1}),
    ],
)
async def test_what_means_nothing_is_refused_and_changes_nothing(
    database: Database, ann: User, field: str, changes: dict[str, object]
) -> None:
    book = PreferenceBook(database)
    with pytest.raises(Invalid) as refused:
        await book.change(ann, **changes)
    assert refused.value.field == field
    assert await book.of(ann) == Preferences()
