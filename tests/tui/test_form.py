"""The dialog that every form is: walking its lines, what is said of each, what cannot be meant."""

from __future__ import annotations

import pytest

from tests.tui.evening import ENTER, ESCAPE, Evening
from uuutorrent.errors import Invalid
from uuutorrent.tui.feedwords import FIELDS
from uuutorrent.tui.form import NOTHING, Field, read_flag, read_list, show_flag, show_list, taken

DOWN, UP = "\x1b[B", "\x1b[A"


@pytest.mark.parametrize(("width", "height"), [(120, 40), (80, 24), (60, 16), (40, 12)])
async def test_the_arrows_go_from_line_to_line_and_what_each_is_about_is_said(
    evening: Evening, width: int, height: int
) -> None:
    async with evening.sit(width=width, height=height) as seat:
        seat.type("3a")
        await seat.sees("Add a feed rule")
        await seat.settled()
        for field in FIELDS:
            seat.type(DOWN)
            await seat.settled()
            assert seat.app.focused is not None
            assert seat.app.focused.id == field.name
            await seat.sees(field.label)
            await seat.sees(field.about[: width - 12])
        seat.type(DOWN)
        await seat.sees("An RSS or Atom feed")
        seat.type(UP)
        await seat.sees(FIELDS[-1].about[: width - 12])
        seat.type(ESCAPE)
        await seat.sees_no("Add a feed rule")


async def test_where_something_cannot_be_meant_the_cursor_goes(evening: Evening) -> None:
    async with evening.sit(width=80, height=24) as seat:
        seat.type("3a")
        await seat.sees("Add a feed rule")
        await seat.settled()
        while seat.app.focused is None or seat.app.focused.id != "min_bytes":
            seat.type(DOWN)
            await seat.settled()
        seat.type("big")
        await seat.settled()
        seat.type(DOWN)
        await seat.settled()
        seat.type(ENTER)
        await seat.sees("Smallest size: big is no size: type e.g. 700 MiB or 2 GiB")
        await seat.settled()
        assert seat.app.focused is not None
        assert seat.app.focused.id == "min_bytes"


def test_what_is_shown_is_what_is_read() -> None:
    assert read_list(show_list(("a b", "c"))) == ("a b", "c")
    assert read_list(" a ,, b,a") == ("a", "b")
    assert [read_flag(show_flag(value)) for value in (True, False)] == [True, False]
    assert not read_flag("")
    with pytest.raises(Invalid, match="type yes or no"):
        read_flag("maybe")
    assert "" in NOTHING


def test_a_complaint_names_its_line() -> None:
    field = Field("is_any", "One is enough", "no", "", show_flag, read_flag)
    assert taken([field], {"is_any": " Yes ", "other": "x"}) == {"is_any": True}
    with pytest.raises(Invalid, match="One is enough: type yes or no") as caught:
        field.take("maybe")
    assert caught.value.field == "is_any"
